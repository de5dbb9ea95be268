#!/bin/sh
# SPDX-License-Identifier: ISC
#
# reused.c in a root of its own: what libjail has remembered of one directory says nothing of another one that comes to
# have its number, or nearly its path.  The kernel's chroot passes the same.
# shellcheck disable=SC2317 # in_kernel and in_jail are called by look
# shellcheck source=tests/program/common
. "${0%/*}/common"
root=$T/root
mkdir -p "$T/opt" "$T/outside"
${CC:-cc} -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -O1 -pthread -o "$T/opt/reused" tests/program/reused.c &&
	"$T/usr/bin/jailroot" "$root" "$T/opt/reused" >"$T/log" 2>&1 || exit 1
factor=$(printf '\223\375\131\146\270\376\350\326')
mkdir "$root/b"
printf x >"$T/outside/file"
for name in s "$factor" "12345678$factor"; do
	mkdir -p "$root/a/$name"
	printf abc >"$root/a/$name/file"
	ln -s "$T/outside" "$root/b/$name"
done

look() { # NAME COMMAND...: the rows of reused.c, as the command runs it
	name=$1
	shift
	"$@" "$T/opt/reused" >"$T/said" 2>&1
	tail -n 1 "$T/said" | grep -q '^1\.\.[1-9]'
	result=$?
	while read -r word text; do
		case $word in
		ok) row 0 "$name: ${text#* - }" ;;
		not) row 1 "$name: ${text#ok * - }" ;;
		\#) echo "# $text" ;;
		esac
	done <"$T/said"
	row "$result" "$name: it comes to its end"
}
in_kernel() {
	chroot "$root" "$@"
}
in_jail() {
	as timeout 100 "$jailrun" --root "$root" -w / -- "$@"
}
[ "$(id -u)" != 0 ] || look kernel in_kernel
for clean in on always off; do
	export LIBJAIL_CLEAN=$clean
	look "LIBJAIL_CLEAN=$clean" in_jail
done
done_testing
