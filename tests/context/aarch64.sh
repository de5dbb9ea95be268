#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The aarch64 build: without a warning, freestanding, and at work in a dynamic program under qemu-user,
# without a root and with one.  (qemu-user hands execve(2) to the host's kernel, which cannot
# execute the guest's loader, so that nothing is executed here.)
# shellcheck source=tests/program/common
. "${0%/*}/../program/common"
cross=aarch64-linux-gnu-gcc
sys=/usr/aarch64-linux-gnu
for need in "$cross" qemu-aarch64 make; do
	command -v "$need" >/dev/null || skip_all "$need is not installed"
done
[ -f $sys/lib/libc.so.6 ] || skip_all "$sys/lib/libc.so.6 is not installed (libc6-dev-arm64-cross)"

unset MAKEFLAGS MFLAGS MAKELEVEL LDFLAGS CFLAGS CPPFLAGS
make -j2 CC=$cross CFLAGS=-O1 B="$T/arm" all >"$T/log" 2>&1 && ! grep -iE 'warning|error' "$T/log"
row $? "it builds without a warning"
[ -f "$T/arm/libjail.so" ] || done_testing
dynamic=$(readelf -dW "$T/arm/libjail.so" | grep NEEDED)
[ -z "$dynamic" ]
row $? "no DT_NEEDED"

# A reader of a record (record.c) must not see a change before it sees that there is a writer.
for one in slot_lock record_closing; do
	aarch64-linux-gnu-objdump -d --disassemble=$one "$T/arm/preload/record.o"
done >"$T/record.s" 2>&1
grep -q '\bdmb\b' "$T/record.s"
row $? "a barrier before the record of a closed descriptor changes"

R=$T/root
mkdir -p "$R/lib" "$R/etc" "$R/tmp" "$R/d" "$R/proc" "$R/inner"
cp -L $sys/lib/ld-linux-aarch64.so.1 $sys/lib/libc.so.6 "$R/lib" || exit 1
$cross -O1 -Wall -o "$R/prog" tests/context/aarch64.c || exit 1
echo guest >"$R/which"
echo inner >"$R/inner/which"
ln -s /target "$R/link"
echo 'jailer:x:4242:4242::/:/bin/sh' >"$R/etc/passwd"
chmod 1777 "$R/tmp"

wanted() { # CWD USER
	cat <<END
open guest cloexec 1
pipe 0 cloexec 1
socket cloexec 1
stat 0 errno 1
readlink /target
null -1 EFAULT
mkdir 0 rename -1 rmdir 0
dir yes
user $2
chdir 0 getcwd $1
chroot 0 chdir 0 inner
END
}
says "without a root" 0 "$(wanted "$R/d" -)" timeout -k 1 20 qemu-aarch64 -L "$sys" -E LD_PRELOAD="$T/arm/libjail.so" \
	"$R/prog" "$R"
for resolver in auto walk; do
	says "with a root ($resolver)" 0 "$(wanted /d jailer)" timeout -k 1 20 qemu-aarch64 -L "$sys" \
		-E LD_PRELOAD="$T/arm/libjail.so" -E LIBJAIL_ROOT="$R" -E LIBJAIL_RESOLVER=$resolver "$R/prog"
done
done_testing
