#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Where a guest's loader finds its libraries under libjail-audit.so, next to where it finds them
# under the kernel's chroot.  Each row is a program in a small root; both runs print the objects
# that were loaded and the errors, and must print the same.  One root for the glibc of this machine
# and one for each of ROOTS (default: /srv/roots/*) that has one.
set -u
cd "$(dirname "$0")/../.." || exit 1
here=$PWD
B=${B:-build}
CC=${CC:-cc}
case $B in
/*) audit=$B/libjail-audit.so ;;
*) audit=$here/$B/libjail-audit.so ;;
esac
[ -f "$audit" ] || {
	echo "SKIP: no $audit"
	exit 77
}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM
chmod 755 "$dir"
PATH=$PATH:/sbin:/usr/sbin
ma=$($CC -print-multiarch 2>/dev/null)
[ -n "$ma" ] || ma=$(uname -m)-linux-gnu
lib=/lib/$ma
src=$here/tests/context
tests=0 failed=0
strange=/libjail-no-such-dir-on-the-host/lib # open_path() must have no such directory to find

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	plain="setpriv --reuid=65534 --regid=65534 --clear-groups --"
else
	plain=
fi

first() { # FILE...: the first that exists
	for f; do
		if [ -e "$f" ]; then
			echo "$f"
			return
		fi
	done
}

# -- a root ----------------------------------------------------------------------------------

# so PATH FN [FLAG...]: a library, its soname the name of its file
so() {
	o=$T$1 fn=$2
	shift 2
	mkdir -p "${o%/*}"
	# shellcheck disable=SC2086
	$CC $sys -O1 -shared -fPIC -DFN="$fn" -Wl,-soname,"${o##*/}" -Wl,--no-as-needed -o "$o" \
		"$src/audit_lib.c" -Wl,--allow-shlib-undefined "$@" $ldl
}

# prog PATH [FLAG...]: a program
prog() {
	o=$T$1
	shift
	mkdir -p "${o%/*}"
	# shellcheck disable=SC2086
	$CC $sys -O1 -Wl,--no-as-needed -o "$o" "$src/audit_main.c" \
		-Wl,--allow-shlib-undefined "$@" $ldl
}

build() { # ROOT: builds $T with ROOT's libc
	from=${1%/}
	sys=
	ldl=-ldl
	mkdir -p "$T$lib" "$T/usr$lib" "$T/lib64" "$T/etc/alternatives" "$T/proc" "$T/work" "$T/usr/bin"
	for n in ld-linux-x86-64.so.2 ld-linux-aarch64.so.1 libc.so.6 libdl.so.2; do
		f=$(first "$from$lib/$n" "$from/usr$lib/$n")
		if [ -n "$f" ]; then
			cp -L "$f" "$T$lib/$n" || return 1
		fi
	done
	[ -f "$T$lib/ld-linux-x86-64.so.2" ] &&
		ln -s "$lib/ld-linux-x86-64.so.2" "$T/lib64/ld-linux-x86-64.so.2"
	[ -f "$T$lib/ld-linux-aarch64.so.1" ] &&
		ln -s "${lib#/lib/}/ld-linux-aarch64.so.1" "$T/lib/ld-linux-aarch64.so.1"
	if [ -n "$from" ]; then # link with its libc, not by way of its absolute symlinks
		link=$T-link
		mkdir "$link" && cp "$from/usr$lib/"*crt*.o "$from/usr$lib/libc_nonshared.a" "$link" &&
			cp "$T$lib/libc.so.6" "$link" && cp "$T$lib/libdl.so.2" "$link/libdl.so" || return 1
		echo "GROUP($link/libc.so.6 $link/libc_nonshared.a)" >"$link/libc.so"
		sys="-B$link -L$link"
	fi
	old=-Wl,--disable-new-dtags new=-Wl,--enable-new-dtags

	# two libraries, the first is not in the directory of the RUNPATH
	so "$lib/libr1.so" r1
	so $strange/libr2.so r2
	prog /usr/bin/runpath "$T$lib/libr1.so" "$T$strange/libr2.so" $new -Wl,-rpath,$strange

	# RPATH is inherited along the chain of loaders, RUNPATH is not
	so /opt/r2/libm3.so m3
	so /opt/r2/libm2.so m2 "$T/opt/r2/libm3.so"
	so /opt/r1/libm1.so m1 "$T/opt/r2/libm2.so" $old -Wl,-rpath,/opt/r2
	prog /usr/bin/rpath "$T/opt/r1/libm1.so" $old -Wl,-rpath,/opt/none:/opt/r1
	so /opt/r1/libn1.so n1 "$T/opt/r2/libm2.so" $new -Wl,-rpath,/opt/none
	prog /usr/bin/rpath-cut "$T/opt/r1/libn1.so" $old -Wl,-rpath,/opt/r1:/opt/r2

	# tokens
	so /opt/o/lib/sub/libo2.so o2
	so /opt/o/lib/libo1.so o1 "$T/opt/o/lib/sub/libo2.so" $new "-Wl,-rpath,\${ORIGIN}/sub"
	prog /opt/o/bin/origin "$T/opt/o/lib/libo1.so" $new "-Wl,-rpath,\$ORIGIN/../lib"
	so /opt/o/lib/libo4.so o4
	so /opt/o/link/libo4.so o4 -Wl,-soname,"\$ORIGIN/libo4.so"
	so /opt/o/lib/libo3.so o3 -Wl,-soname,"\$ORIGIN/../lib/libo3.so" "$T/opt/o/link/libo4.so"
	prog /opt/o/bin/needs "$T/opt/o/lib/libo3.so"
	so "/opt/t$lib/libt.so" t
	prog /usr/bin/token "$T/opt/t$lib/libt.so" $new "-Wl,-rpath,/opt/t/\$LIB"

	# by way of /etc/alternatives; $ORIGIN is where the name was, not where it leads
	so "$lib/dep/libaltdep.so" altdep
	so /opt/alt/libalt.so alt "$T$lib/dep/libaltdep.so" $new "-Wl,-rpath,\$ORIGIN/dep"
	ln -s /opt/alt/libalt.so "$T/etc/alternatives/libalt"
	ln -s /etc/alternatives/libalt "$T$lib/libalt.so"
	prog /usr/bin/alt "$T/opt/alt/libalt.so"
	ln -s ../../../../../../../../../../../opt/alt/libalt.so "$T$lib/libup.so"
	ln -s "$dir/host/libhost.so" "$T$lib/libescape.so"
	ln -s libr1.so "$T$lib/librel.so"

	# in the cache alone, in no directory that is searched
	so /opt/cached/libcached.so.1 cached
	so /opt/cached/libcached.so.10 cached10
	echo /opt/cached >"$T/etc/ld.so.conf"
	prog /usr/bin/cached "$T/opt/cached/libcached.so.1"

	# LD_LIBRARY_PATH, the working directory, another machine's library in front
	so /opt/env/libenv.so env
	so /work/libcwd.so cwd
	so /work/sub/libcwdsub.so cwdsub
	mkdir -p "$T/opt/foreign"
	printf '\177ELF\1\1\1\0\0\0\0\0\0\0\0\0\3\0\3\0\1\0\0\0%0200d' 0 >"$T/opt/foreign/libr1.so"
	prog /usr/bin/env "$T/opt/env/libenv.so"
	prog /usr/bin/prog

	# a library's own RUNPATH serves its dlopen, but is not passed on
	so /opt/dl/libd3.so d3
	so /opt/dl/libd2.so d2 "$T/opt/dl/libd3.so"
	so "$lib/libd1.so" d1 $new -Wl,-rpath,/opt/dl
	so /opt/dlo/libe2.so e2
	so /opt/dlo/libe1.so e1 "$T/opt/dlo/libe2.so"
	so "$lib/libd4.so" d4 $old -Wl,-rpath,/opt/dlo

	# an audit module that does nothing
	mkdir -p "$T/opt/audit"
	echo 'unsigned la_version(unsigned v) { return v < 2 ? v : 2; }' |
		$CC -shared -fPIC -nostdlib -o "$T/opt/audit/none.so" -x c - || return 1

	# -z nodefaultlib
	so "/usr$lib/libnodef.so" nodef
	so "$lib/libasks.so" asks -Wl,-z,nodefaultlib
	echo "no library" >"$T$lib/libtext.so"
	mkdir "$T$lib/libdir.so"

	# where another root lies inside
	so "/inner$lib/libinner.so" inner

	# what the host has must not be found
	mkdir -p "$dir/host"
	cp "$T$lib/libr1.so" "$dir/host/libhost.so"
	so /mnt/libbound2.so bound2
	so /mnt/libbound.so bound "$T/mnt/libbound2.so" $new "-Wl,-rpath,\$ORIGIN"
	rm -rf "$dir/bound"
	mv "$T/mnt" "$dir/bound"
	mkdir "$T/mnt"
	ldconfig -r "$T" 2>/dev/null || return 1
	[ -f "$T/usr/bin/prog" ] || return 1
	chmod -R a+rX "$T" "$dir/host" "$dir/bound"
}

# -- rows ------------------------------------------------------------------------------------

ok() { # WHY STATUS
	tests=$((tests + 1))
	if [ "$2" = 0 ]; then
		echo "ok $tests - $label: $1"
	else
		echo "not ok $tests - $label: $1"
		failed=$((failed + 1))
	fi
}

# ours CWD VARS PROGRAM [ARG...]: under the module; host paths lose the root.  VARS are words.
ours() {
	cwd=$1 vars=$2 program=$3
	shift 3
	# shellcheck disable=SC2086
	(cd "$T$cwd" && $plain env -i LD_AUDIT="$audit" LIBJAIL_ROOT="$T" LIBJAIL_0_EXE="$program" \
		$vars "$T$ld" --inhibit-cache "$T$program" "$@" 2>&1) |
		sed "s,/proc/self/fd/-1/,,; s,$T/,/,g" # what libjail.so does to dlerror(3)
}

expect() { # WHY WANT GOT
	if [ "$2" = "$3" ]; then
		ok "$1" 0
	else
		printf 'want:\n%s\ngot:\n%s\n' "$2" "$3" | sed 's/^/# /'
		ok "$1" 1
	fi
}

# row WHY CWD VARS PROGRAM [ARG...]: as under chroot, and with the other resolver.  In by: a loader
# to call.
row() {
	why=$1 cwd=$2 vars=$3
	shift 3
	# shellcheck disable=SC2086
	want=$(env -i $vars "$dir/chroot" "$T" "$cwd" ${by:-} "$@" 2>&1)
	if [ $? = 77 ]; then
		tests=$((tests + 1))
		echo "ok $tests # SKIP chroot(2) is not allowed"
		return
	fi
	expect "$why" "$want" "$(ours "$cwd" "$vars" "$@")"
	expect "$why (walker)" "$want" "$(ours "$cwd" "$vars LIBJAIL_RESOLVER=walk" "$@")"
}

rows() {
	p=/usr/bin/prog
	row "the first of two libraries is not in the RUNPATH" / "" /usr/bin/runpath
	row "the same, then dlopen" / "" /usr/bin/runpath libr1.so libr2.so libm1.so
	row "RPATH of loader and loader's loader" / "" /usr/bin/rpath
	row "RUNPATH cuts the chain" / "" /usr/bin/rpath-cut
	row "RPATH of the program serves dlopen" / "" /usr/bin/rpath libm1.so libm3.so
	by=$ld # no /proc in the root, and the kernel's own start takes $ORIGIN from /proc/self/exe
	row "\$ORIGIN and \${ORIGIN}" / "" /opt/o/bin/origin
	row "\$ORIGIN in what is needed" / "" /opt/o/bin/needs
	row "\$ORIGIN in dlopen" / "" /opt/o/bin/origin "\$ORIGIN/../lib/sub/libo2.so"
	by=
	row "\$LIB" / "" /usr/bin/token
	row "by way of absolute symlinks" / "" /usr/bin/alt
	row "an absolute symlink by full name" / "" $p "$lib/libalt.so" libalt.so
	row ".. above the root" / "" $p libup.so "/../../..$lib/libr1.so"
	row "above the root from a directory" /work "" $p "../../../..$lib/libr1.so"
	row "a relative symlink" / "" $p librel.so libr1.so
	row "a symlink that is valid on the host alone" / "" $p libescape.so "$lib/libescape.so"
	row "ld.so.cache" / "" /usr/bin/cached libcached.so.10 libcached.so.2
	row "LD_LIBRARY_PATH" / "LD_LIBRARY_PATH=/opt/none:/opt/env/" /usr/bin/env
	row "LD_LIBRARY_PATH missing" / "" /usr/bin/env
	row "LD_LIBRARY_PATH: ; and \$LIB" / "LD_LIBRARY_PATH=/opt/env;/opt/t/\$LIB" /usr/bin/env libt.so
	row "LD_LIBRARY_PATH: empty is here" /work "LD_LIBRARY_PATH=:/none" $p libcwd.so
	row "LD_LIBRARY_PATH: relative" /work "LD_LIBRARY_PATH=sub" $p libcwd.so libcwdsub.so
	row "LD_LIBRARY_PATH, then cache" / "LD_LIBRARY_PATH=/opt/r1:/opt/r2" /usr/bin/cached libm1.so
	row "a library of another machine is passed over" / "LD_LIBRARY_PATH=/opt/foreign" $p libr1.so
	row "and not when named" / "" $p /opt/foreign/libr1.so
	row "relative names with a slash" /work "" $p ./libcwd.so sub/libcwdsub.so ../libnope.so
	row "full names" / "" $p /opt/env/libenv.so "//opt/./r2//libm3.so" /opt/none.so "$lib/libr1.so/"
	row "a file of the host is not there" / "" $p "$dir/host/libhost.so" "$host_only"
	row "nor by a name with \$LIB" / "" $p "/\$LIB/${host_only##*/}" "/usr/\$LIB/${host_only##*/}" "\$ORIGIN/nope.so" \
		"/\$NOPE/x" "\$PLATFORM/x.so"
	row "dlopen by a library with RUNPATH" / "" $p libd1.so via:d1:libd2.so
	row "RUNPATH of a library serves its own dlopen" / "" $p libd1.so via:d1:libd3.so via:d1:libd2.so
	row "RPATH of a library, and what it opens" / "" $p libd4.so via:d4:libe1.so
	row "LD_PRELOAD is in guest terms" / "LD_PRELOAD=/opt/env/libenv.so:libr1.so" $p
	row "LD_PRELOAD that is missing" / "LD_PRELOAD=/opt/nope.so" $p
	# before 2.35 any audit module makes the loader crash
	if env -i LD_AUDIT=/opt/audit/none.so "$dir/chroot" "$T" / $p new:libr1.so >/dev/null 2>&1; then
		row "dlmopen: another name space, one loader" / "" $p new:libr1.so new:libnope.so \
			new:libr1.so libr1.so
	fi
	row "-z nodefaultlib" / "" $p libasks.so via:asks:libnodef.so libnodef.so
	row "what is no library" / "" $p "$lib/libtext.so" libtext.so libdir.so "$lib"
	row "not found anywhere" / "" $p libnope.so.1

	trace='/ (0x/!d; s/ (0x.*//; /vdso/d; /ld-linux/d' # ldd(1)
	want=$(env -i LD_TRACE_LOADED_OBJECTS=1 "$dir/chroot" "$T" / /usr/bin/alt |
		sed "$trace; /libaltdep/d")
	if [ "$want" ]; then
		expect "ldd: what is in the default directories" "$want" \
			"$(env -i LD_TRACE_LOADED_OBJECTS=1 LD_AUDIT="$audit" LIBJAIL_ROOT="$T" \
				"$T$ld" --inhibit-cache "$T/usr/bin/alt" | sed "$trace; /libaltdep/d")"
	fi

	want=$(printf '%s\n%s' /opt/env/libenv.so "$lib/libr1.so")
	expect "after the program closed everything" "$want" \
		"$(ours / "" $p /opt/env/libenv.so closeall libr1.so)"
	want=$(printf '%s\n%s' /mnt/libbound.so /mnt/libbound2.so)
	expect "a bind" "$want" \
		"$(ours / "LIBJAIL_BIND=default,$dir/bound:/mnt" $p /mnt/libbound.so)"
	expect "a bind in LD_LIBRARY_PATH" "$want" \
		"$(ours / "LIBJAIL_BIND=$dir/bound:/mnt LD_LIBRARY_PATH=/mnt" $p libbound.so)"
	want="error: $dir/bound/libbound.so: cannot open shared object file: No such file or directory"
	expect "a bind is not there by its host name" "$want" \
		"$(ours / "LIBJAIL_BIND=$dir/bound:/mnt" $p "$dir/bound/libbound.so" |
			sed 's,^\(error: \)/,\1/,')"
	expect "our own entry in LD_PRELOAD stays" "$dir/host/libhost.so" \
		"$(ours / "LD_PRELOAD=$dir/host/libhost.so LIBJAIL_0_LIB=$dir/host/libhost.so" $p)"
	want=$(printf '%s\n' "descriptor 500" "$dir/view.so" "$lib/libinner.so")
	vars="LD_PRELOAD=$dir/view.so LIBJAIL_0_LIB=$dir/view.so"
	expect "libjail.so's own view, after chroot(2)" "$want" \
		"$(ours / "$vars VIEW=$T/inner" $p fds libinner.so)"
	got=$(ours / "LD_PRELOAD=/opt/env/libenv.so" $p libalt.so libup.so maps |
		sed -e "s,^$audit\$,," -e '/^\/opt\//d' -e "/^\/usr\/bin\//d" -e "s,^$lib/.*,," -e /^$/d)
	expect "no code of the host is mapped but the module" "" "$got"
}

# A library that this machine has and the small roots do not.
host_only=$(first "$lib/libm.so.6" "/usr$lib/libm.so.6")
$CC -O1 -static -o "$dir/chroot" "$src/audit_chroot.c" || exit 1

# Stands for libjail.so: it has a view that the module uses from then on.
$CC -std=gnu11 -D_GNU_SOURCE -O1 -shared -fPIC -fvisibility=hidden -ffreestanding -nostdlib \
	-fno-stack-protector -U_FORTIFY_SOURCE -fno-strict-aliasing -fno-tree-loop-distribute-patterns \
	-Ipreload -Wl,--hash-style=both -o "$dir/view.so" "$src/audit_view.c" preload/place.c \
	preload/mem.c preload/sys/*.c || exit 1

set -- / /srv/roots/*
for root in ${ROOTS:-"$@"}; do
	[ -n "$(first "${root%/}$lib/libc.so.6" "${root%/}/usr$lib/libc.so.6")" ] || continue
	label=${root##*/}
	label=${label:-host}
	T=$dir/root-$label
	if build "$root" >"$dir/log" 2>&1; then
		ld=$lib/$(basename "$(first "$T$lib/ld-linux-x86-64.so.2" "$T$lib/ld-linux-aarch64.so.1")")
		rows
	else
		tests=$((tests + 1))
		echo "ok $tests # SKIP cannot build a root with the libc of $root: $(tail -n 1 "$dir/log")"
	fi
done

# without a root the module asks to be forgotten
want=$(env -i /bin/sh -c 'echo yes' 2>&1)
expect "no root" "$want" "$(env -i LD_AUDIT="$audit" /bin/sh -c 'echo yes' 2>&1)"
echo "1..$tests"
[ "$failed" = 0 ]
