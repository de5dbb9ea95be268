#!/bin/sh
# SPDX-License-Identifier: ISC
#
# deep.c in real Debian roots, of three glibcs: an object that is bound past every preload is in the
# root all the same, and still prefers its own functions.
# shellcheck disable=SC2016 # what is in single quotes is for the guest's shell
# shellcheck source=tests/program/common
. "${0%/*}/common"
# shellcheck source=tests/program/roots
. tests/program/roots

mkdir "$T/fixture"
CC=${CC:-cc}
echo 'struct { long size; void *first, *map; } libjail_audit_told = {1, 0, 0};' |
	$CC -shared -nostdlib -fPIC -Wl,--hash-style=both -Wl,-soname,libjail.so -o "$T/other.so" -x c - || exit 1
found=
for release in ${RELEASES:-bullseye bookworm trixie trixie,walk}; do
	release_parts
	release_root || continue
	found=yes
	mkdir -p "$root/opt/deep/more"
	cp tests/program/deep.c "$root/opt/deep/deep.c"
	chown -R "$U:$U" "$root/opt/deep"
	in_kernel sh -ec 'cd /opt/deep
		make() { gcc -Wall -Wextra -O1 "$@"; }
		lib() { make -shared -fPIC -Wl,--allow-shlib-undefined "$@"; }
		echo "int more = 1;" >more.c
		lib -Wl,-soname,libmore.so -o more/libmore.so more.c
		lib -DLIBRARY -Wl,-soname,libfirst.so -o libfirst.so deep.c
		lib -Wl,-soname,libmissing.so -o libmissing.so more.c
		lib -o libneeds.so more.c -Wl,--no-as-needed libmissing.so
		rm libmissing.so
		cp more/libmore.so .
		many=
		lib -o more/libany.so more.c
		for i in $(seq 100); do
			ln -s libany.so more/lib$i.so
			many="$many -l$i"
		done
		for plt in plt no-plt; do
			lib -DPLUGIN -f$plt -fno-builtin -Wl,-soname,libplugin.so -Wl,--no-as-needed -o libplugin-$plt.so deep.c libfirst.so \
				-ldl -Wl,-rpath,/opt/deep/more:/opt/deep -Lmore $many
			many= # the other one needs only a few
		done
		make -o deep deep.c -rdynamic -ldl' >"$T/log" 2>&1 </dev/null || {
		sed 's/^/# /' "$T/log"
		row 1 "$release: the programs can be made"
		continue
	}
	for plt in plt no-plt; do
		ln -sf libplugin-$plt.so "$root/opt/deep/libplugin.so"
		same "opened as ever, $plt" /opt/deep/deep plain
		same "RTLD_DEEPBIND, $plt" /opt/deep/deep deep
		same "RTLD_DEEPBIND, RTLD_LAZY and RTLD_GLOBAL, $plt" /opt/deep/deep lazy
		same "RTLD_DEEPBIND, closed and opened again, $plt" /opt/deep/deep deep again
		[ "$name" != bullseye ] || continue # libjail.7, CAVEATS
		same "dlmopen, $plt" /opt/deep/deep apart
		same "dlmopen, closed and opened again, $plt" /opt/deep/deep apart again
	done
	[ "$name" = bullseye ] || {
		same "dlmopen, again and again" /opt/deep/deep apart often
		[ "$(in_jail /opt/deep/deep apart root 2>&1 </dev/null)" = "constructor: jailhost
/only/file: in the root
there, then here: 0
here: 0
/file: in the root
dlclose: 0
after that: 0
/nope.so: cannot open shared object file: No such file or directory" ]
		row $? "$release: dlmopen, and one root"
		# LD_PRELOAD cannot say this, and gets a descriptor
		mkdir -p "$T/a b:c" && cp "$T/usr/bin/jailrun" "$T/usr/lib/"libjail*.so "$T/a b:c"
		plain=$jailrun jailrun="$T/a b:c/jailrun"
		same "dlmopen, from a strange directory" /opt/deep/deep apart
		# another libjail.so has been installed meanwhile
		got=$({
			sleep 2
			cp "$T/other.so" "$T/a b:c/new" && mv "$T/a b:c/new" "$T/a b:c/libjail.so"
			echo
		} | in_jail /opt/deep/deep apart later 2>&1)
		result=$?
		jailrun=$plain
		[ "$result $got" = "1 $T/a b:c/libjail.so (another than at the start): cannot open shared object file: \
No such file or directory" ]
		row $? "$release: dlmopen, and another libjail.so"
	}
	rm -rf "$root/opt/deep"
done
[ "$found" ] || skip_all "no root in $ROOTS"

# A program of the host, whose loader has no audit module: RTLD_DEEPBIND does not count there.
mkdir -p "$T/root/opt/deep" "$T/root/opt/only" "$T/root/opt/t" "$T/root/etc"
echo 'in the root' >"$T/root/opt/only/file"
ln -s /opt/only/file "$T/root/opt/t/abs"
echo jailhost >"$T/root/etc/hostname"
# shellcheck disable=SC2086
$CC -shared -fPIC -DLIBRARY -o "$T/libfirst.so" tests/program/deep.c &&
	$CC -shared -fPIC -DPLUGIN -fno-builtin -o "$T/root/opt/deep/libplugin.so" tests/program/deep.c \
		"$T/libfirst.so" -Wl,-rpath,"$T" -ldl &&
	$CC -rdynamic -o "$T/deep" tests/program/deep.c -ldl || exit 1
says "a program of the host in a root" 0 "constructor: jailhost
own: the program's, both: the program's, l64a: the program's
open: in the root
open of a link: in the root
open, from a table: in the root
open, by dlsym: in the root
access: 0 -1*" env LD_PRELOAD="$lib" LIBJAIL_ROOT="$T/root" "$T/deep" deep
done_testing
