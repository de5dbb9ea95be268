#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The rows of context.c without libjail (what the kernel does; as root), with libjail preloaded
# alone, and in a root by each resolver; built with this machine's libc and with musl.  Then what
# needs more than one program: a root that is renamed while it is in use, / as the root, binds of files.
# shellcheck source=tests/program/common
. "${0%/*}/../program/common"
src=tests/context/context.c
root=$T/root
CC=${CC:-cc}

# A root with both programs and two roots below it.
"$T/usr/bin/jailroot" "$root" sh cat env readlink sleep >"$T/log" 2>&1 || {
	cat "$T/log"
	row 1 "a root made by jailroot"
	done_testing
}
gcc_s=$($CC -print-file-name=libgcc_s.so.1) # glibc's pthread_cancel loads it
[ ! -f "$gcc_s" ] || cp -L "$gcc_s" "$root/lib/$($CC -print-multiarch)/" || exit 1
echo h >"$root/which"
libcs=glibc
# shellcheck disable=SC2086
$CC -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -o "$T/context-glibc" $src -lpthread || exit 1
if command -v musl-gcc >/dev/null; then
	musl-gcc -std=gnu11 -D_GNU_SOURCE -O1 -g -idirafter /usr/include \
		-idirafter "/usr/include/$(cc -print-multiarch)" -o "$T/context-musl" $src || exit 1
	loader=$(find -L /lib -maxdepth 1 -name 'ld-musl-*.so.1' | head -n 1)
	mkdir -p "$root/lib" && cp -L "$loader" "$root$loader" || exit 1
	libcs="glibc musl"
fi
for name in a b; do
	mkdir -p "$T/sub/$name/base/deep" "$T/sub/$name/tmp" "$T/sub/$name/sub" "$T/sub/$name/deep"
	cp -a "$root/." "$T/sub/$name" || exit 1
	echo $name >"$T/sub/$name/which"
	echo sub >"$T/sub/$name/sub/which"
	: >"$T/sub/$name/only-$name"
	: >"$T/sub/$name/deep/x"
	ln -s /only-$name "$T/sub/$name/link"
done
mkdir "$root/base" && mv "$T/sub/a" "$T/sub/b" "$root/base" || exit 1
echo base >"$root/base/which"
mkdir "$root/base/tmp" && chmod 1777 "$root/base/tmp"
chmod 755 "$root" "$root/base" "$root/base/a" "$root/base/b"

# LABEL COMMAND...: the rows that it prints, under a label
rows_of() {
	label=$1
	shift
	"$@" >"$T/out" 2>"$T/err" </dev/null
	rows_status=$?
	while IFS= read -r line; do
		case $line in
		ok* | not\ ok*)
			rows=$((rows + 1))
			case $line in
			not*) bad=$((bad + 1)) ;;
			esac
			echo "${line%%ok *}ok $rows - $label: ${line#* - }"
			;;
		[#]*) echo "$line" ;;
		1..*) ended=yes ;;
		*) echo "# $line" ;;
		esac
	done <"$T/out"
	sed 's/^/# stderr: /' "$T/err" | head -n 20
	[ "${ended:-}" = yes ] || row 1 "$label: came to an end (status $rows_status)"
	ended=
}

for libc in $libcs; do
	for r in "$root" "$root/base/a"; do
		cp "$T/context-$libc" "$r/bin/context" && cp "$T/context-$libc" "$r/bin/context2" || exit 1
	done
	[ "$(id -u)" != 0 ] || rows_of "$libc, native" "$root/bin/context" "$root/base"
	rows_of "$libc, preloaded" as env LD_PRELOAD="$lib" "$root/bin/context" "$root/base"
	rows_of "$libc, root" as "$jailrun" -r "$root" /bin/context /base
	rows_of "$libc, root, walk" as env WALK=yes LIBJAIL_RESOLVER=walk "$jailrun" -r "$root" /bin/context /base
done
done_testing
