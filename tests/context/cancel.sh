#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Cancelled threads (cancel.c): the same rows and the same answers without libjail, with it, in a root by each
# resolver, and with a report; with this machine's libc, with musl, and with the libcs of Debian roots.
# shellcheck source=tests/program/common
. "${0%/*}/../program/common"
CC=${CC:-cc}
src=tests/context/cancel.c
mkdir "$T/dir" "$T/out"

# NAME COMMAND...: runs it in an empty directory, $dir to it; its output is in out/NAME
dir=$T/dir
run() {
	name=$1
	shift
	rm -rf "$T/dir"
	mkdir -m 777 "$T/dir"
	timeout 120 "$@" "$dir" >"$T/out/$name" 2>&1
}

# NAME COMMAND...: a row; $native has the right answers
expect() {
	run "$@"
	grep -v '^#' "$T/out/$1" >"$T/out/answers"
	cmp -s "$native" "$T/out/answers"
	result=$?
	row "$result" "$1"
	[ "$result" = 0 ] || diff "$native" "$T/out/answers" | sed 's/^/# /'
	grep '^#' "$T/out/$1" | sed "s|$T|/mnt|"
}

all() { # LIBC PROGRAM
	native=$T/out/native-$1
	run native "$2"
	grep -v '^#' "$T/out/native" >"$native"
	! grep -q '^not ok' "$native"
	row $? "$1, without libjail"
	expect "$1, preloaded" env LD_PRELOAD="$lib" "$2"
	expect "$1, in a root" "$jailrun" --root / -- "$2"
	expect "$1, in a root by the walker" env LIBJAIL_RESOLVER=walk "$jailrun" --root / -- "$2"
}

$CC -std=gnu11 -O1 -g -Wall -Wextra -Wno-unused-result -o "$T/cancel" $src -lpthread || exit 1
all glibc "$T/cancel"
expect "glibc, with a report" "$jailrun" --report="$T/events" -- "$T/cancel"
if command -v musl-gcc >/dev/null; then
	musl-gcc -std=gnu11 -O1 -g -w -idirafter /usr/include -idirafter "/usr/include/$(cc -print-multiarch)" \
		-o "$T/cancel-musl" $src || exit 1
	all musl "$T/cancel-musl"
fi

# The rows of this machine's glibc are right for the others, too.
native=$T/out/native-glibc dir=/mnt/dir
for release in bullseye trixie; do
	root=${LIBJAIL_ROOTS:-/var/tmp/libjail-roots}/$release
	[ -e "$root/usr/bin/gcc" ] || {
		row 0 "$release # SKIP no $root with a compiler"
		continue
	}
	"$jailrun" --root "$root" --bind "$T:/mnt" --bind "$PWD/tests:/srv" -- \
		gcc -std=gnu11 -O1 -w -o "/mnt/cancel-$release" /srv/context/cancel.c -lpthread || exit 1
	for resolver in auto walk; do
		expect "$release, resolver $resolver" env LIBJAIL_RESOLVER=$resolver "$jailrun" --root "$root" --bind "$T:/mnt" -- \
			"/mnt/cancel-$release"
	done
done
done_testing
