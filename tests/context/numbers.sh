#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Calls that have no descriptor take none of the program's numbers, which its other threads may count on: natively, in a
# root, and preloaded (numbers.c); glibc and musl.
# shellcheck source=tests/program/common
. "${0%/*}/../program/common"
CC=${CC:-cc}
R=$T/root
mkdir -p "$R/numbers/up" "$R/proc" "$R/dev" "$R/bin"
echo text >"$R/numbers/file"
ln -s . "$R/numbers/up/up"
ln -s ../../../../numbers/file "$R/numbers/up/file" # above the root is the root
ln -s up/../file "$R/numbers/relative"
ln -s /numbers/relative "$R/numbers/absolute"
$CC -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -o "$T/numbers" tests/context/numbers.c -lpthread || exit 1
release_libs() { # PROGRAM: it and its libraries, into the root
	cp "$1" "$R/bin/"
	ldd "$1" | grep -o '/[^ ]*' | while read -r file; do
		mkdir -p "$R${file%/*}"
		cp -L "$file" "$R$file"
	done
}
release_libs "$T/numbers"
for libc in glibc musl; do
	program=numbers
	if [ "$libc" = musl ]; then
		command -v musl-gcc >/dev/null || {
			row 0 "musl # SKIP no musl-gcc"
			continue
		}
		program=numbers-musl
		musl-gcc -std=gnu11 -D_GNU_SOURCE -O1 -idirafter /usr/include -idirafter "/usr/include/$(cc -print-multiarch)" \
			-o "$T/$program" tests/context/numbers.c || exit 1
		cp "$T/$program" "$R/bin/"
		mkdir -p "$R/lib" && cp -L /lib/ld-musl-*.so.1 "$R/lib/"
	fi
	for what in lowest unopened taken enter; do
		got=$(timeout 100 "$jailrun" --root "$R" -w / -- "/bin/$program" "$what" 2>&1)
		[ "$got" = good ]
		result=$?
		[ "$result" = 0 ] || echo "# $got"
		row "$result" "$libc, in a root: $what"
	done
done
# another one's chroot("/") changes nothing where there is no root
got=$(env LD_PRELOAD="$lib" timeout 100 "$T/numbers" enter 2>&1)
[ "$got" = good ]
result=$?
[ "$result" = 0 ] || echo "# $got"
row "$result" "preloaded, without a root: enter"
done_testing
