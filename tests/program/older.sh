#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Programs start, and see what they should, on kernels since Linux 4.18: older.c stands for these.
# shellcheck source=tests/program/common
. "${0%/*}/common"

root=$T/root
older=$T/opt/older
mkdir -p "$T/opt"
${CC:-cc} -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -O1 -o "$older" tests/program/older.c &&
	"$T/usr/bin/jailroot" "$root" "$older" sh cat ls id >/dev/null || exit 1
"$older" 4.18 enosys true 2>/dev/null || skip_all "no seccomp filters on this machine"
mkdir -p "$root/etc"
echo here >"$root/etc/hostname"
chmod 755 "$root"

# shellcheck disable=SC2016 # for the inner shell
for linux in 4.18 5.0 5.4 5.10; do
	says "Linux $linux: programs start in a root" 0 'here
/etc/hostname
x' "$older" "$linux" enosys "$jailrun" -r "$root" -w / -- \
		sh -c 'cat /etc/hostname; ls -d /etc/hostname; test -x /bin/sh && echo x; ! test -w /etc || echo w; ! test -x /none || echo y'
	says "Linux $linux: programs start without a root" 0 "$U" "$older" "$linux" enosys "$jailrun" -- id -u
done
done_testing
