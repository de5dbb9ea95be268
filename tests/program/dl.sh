#!/bin/sh
# SPDX-License-Identifier: ISC
#
# dl.c in real Debian roots, of three glibcs, and in one of musl: what the loader finds, what it says
# of it, and how it says that it finds nothing.
# shellcheck disable=SC2016 # what is in single quotes is for the guest's shell
# shellcheck source=tests/program/common
. "${0%/*}/common"
# shellcheck source=tests/program/roots
. tests/program/roots

mkdir "$T/fixture"
CC=${CC:-cc}

# What make(1) would do, in a directory that is /opt/dl in the root: CC DIR
cat >"$T/build" <<'END'
set -e
cc=$1 D=$2
cd "$D"
mkdir -p lib near sub/far lnk/d
lib() { # FILE FLAG...
	o=$1
	shift
	$cc -O1 -shared -fPIC -o "$o" -Wl,--allow-shlib-undefined -Wl,--no-as-needed "$@"
}
echo '#include <dlfcn.h>
void *via(const char *name, int mode) { return dlopen(name, mode); }' >lib.c
echo 'int one = 1;' >one.c
echo 'int main(void) { return 0; }' >main.c
echo 'extern int nowhere; int *undefined(void) { return &nowhere; }' >undef.c
echo 'int never(void); int call(void) { return never(); }' >lazy.c
echo 'NEW_1.0 { one; };' >new.map
echo 'extern int one; int *two(void) { return &one; }' >two.c
new=-Wl,--enable-new-dtags,-rpath old=-Wl,--disable-new-dtags,-rpath
lib lib/libplain.so -Wl,-soname,libplain.so lib.c -ldl
lib lib/libbare.so lib.c -ldl
lib near/libnear.so -Wl,-soname,libnear.so lib.c -ldl
lib sub/far/libfar.so -Wl,-soname,libfar.so lib.c -ldl
lib lib/librun.so lib.c -ldl $new,'/opt/dl/near:$ORIGIN/../sub/far'
lib lib/librpath.so lib.c -ldl $old,'/opt/dl/near:${ORIGIN}/../sub/far'
lib lib/libdep.so lib.c near/libnear.so -ldl $new,'$ORIGIN/../near'
lib lib/libnodep.so one.c near/libnear.so
lib lib/libundef.so undef.c
lib lib/liblazy.so lazy.c
lib lib/libversion.so one.c -Wl,-soname,libversion.so -Wl,--version-script=new.map
lib lib/libneeds.so -Wl,-soname,libneeds.so two.c lib/libversion.so $new,/opt/dl/lib
$cc -o asks main.c -Wl,--no-as-needed lib/libneeds.so $new,/opt/dl/lib -Wl,--allow-shlib-undefined,-rpath-link,lib
lib lib/libversion.so one.c -Wl,-soname,libversion.so
ln -sf /opt/dl/lib/libplain.so lnk/abs.so
ln -sf ../lib/libplain.so lnk/rel.so
ln -sf loop.so lnk/loop.so
ln -sf /opt/dl/lib lnk/dir
ln -sf ../../../../../../opt/dl/lib lnk/up
ln -sf /nope/x.so lnk/dangling.so
ln -sf /opt/dl/text.so lnk/text.so
cp lib/libbare.so 'a$b.so'
echo text >text.so
: >empty.so
for n in 40 200 9000; do
	head -c $n lib/libplain.so >short$n.so
done
rm -f secret.so
cp lib/libplain.so secret.so
chmod 0 secret.so
cp lib/libplain.so 32.so
printf '\1' | dd of=32.so bs=1 seek=4 conv=notrunc 2>/dev/null
cp lib/libplain.so machine.so
printf '\3\0' | dd of=machine.so bs=1 seek=18 conv=notrunc 2>/dev/null
$cc -O1 -rdynamic -o dl dl.c -ldl
$cc -O1 -rdynamic -o dlrun dl.c -ldl $new,'$ORIGIN/lib:/opt/dl/near'
$cc -O1 -rdynamic -o dlrpath dl.c -ldl $old,'$ORIGIN/lib:/opt/dl/near:${ORIGIN}/$LIB/$PLATFORM'
echo 'int never(void); int main(void) { return never(); }' >call.c
echo 'int never(void) { return 1; }' >never.c
$cc -o needs main.c -Wl,--no-as-needed near/libnear.so
lib lib/libgone.so -Wl,-soname,libgone.so never.c
$cc -o calls call.c -Wl,-z,lazy lib/libgone.so $new,/opt/dl/lib
lib lib/libgone.so -Wl,-soname,libgone.so one.c
END

rows_of_this() {
	p=/opt/dl
	long=$(printf '%04100d' 0)
	same "the program" $p/dl main list links addr:main addr:strtol sym:nope trace
	same "full names" $p/dl open:$p/lib/libplain.so sym:via sym:nope vsym:via list trace open:$p/lib/libplain.so open:$p/near/libnear.so links
	same "relative names" $p/dl cd:$p open:./lib/libplain.so open:near/libnear.so cd:lib open:../sub/far/libfar.so open:./libplain.so open:./nope.so links
	same "a relative name, and then another directory" $p/dl cd:$p/lib open:./librun.so cd:/ via:libnear.so via:libfar.so open:./librun.so
	same "strange names" $p/dl open:/opt//dl/./lib/../lib/libplain.so open:/../../opt/dl/near/libnear.so cd:/ open:./opt/dl/lib/libbare.so
	same "symlinks" $p/dl open:$p/lnk/rel.so addr:via open:$p/lnk/abs.so open:$p/lib/libplain.so
	same "absolute symlinks" $p/dl open:$p/lnk/abs.so open:$p/lnk/dir/libbare.so open:$p/lnk/up/libplain.so links
	same "relative, and by absolute symlinks" $p/dl cd:$p/lnk open:./abs.so open:dir/libbare.so open:up/libplain.so links
	same "symlinks that lead nowhere" $p/dl open:$p/lnk/loop.so open:$p/lnk/dangling.so cd:$p/lnk open:./loop.so open:./dangling.so
	same "no such file" $p/dl open:/nope.so open:$p/nope.so open:/etc/hostname/x open:libnope.so.1 cd:/opt open:./nope.so open:dl/nope.so open:../nope.so
	same "what is no library" $p/dl open:$p/text.so open:$p/empty.so open:$p/lib open:/dev/null open:$p/short40.so open:$p/short200.so open:$p/lib/libplain.so/
	same "a library that ends early" $p/dl open:$p/short9000.so
	same "what may not be read" $p/dl open:$p/secret.so open:/srv/closed/x.so cd:$p open:./secret.so
	same "other machines" $p/dl open:$p/32.so open:$p/machine.so
	same "a program" $p/dl open:$p/dlrun
	same "a long name" $p/dl "open:/$long" "open:$long"
	same "no name" $p/dl open: open:/ open:. open:./
	same "a library that is not there" $p/dl open:$p/lib/libnodep.so list
	same "a symbol that is not there" $p/dl open:$p/lib/libundef.so open:$p/lib/liblazy.so open:$p/lib/libdep.so
	[ "$name" = bullseye ] || # libjail.7, CAVEATS
		same "a function that is not there, RTLD_LAZY" $p/dl lazy:$p/lib/liblazy.so
	same "what is loaded already" $p/dl noload:$p/lib/libplain.so open:$p/lib/libplain.so noload:libplain.so noload:$p/lnk/abs.so open:libplain.so close noload:libplain.so
	same "sonames" $p/dl open:libplain.so open:libc.so.6 open:libdl.so.2 open:libm.so.6 list
	same "\$ORIGIN, \$LIB, \$PLATFORM" $p/dl 'open:$ORIGIN/lib/libplain.so' 'open:${ORIGIN}/near/libnear.so' 'open:/opt/$LIB/nope.so' 'open:$PLATFORM/nope.so' 'open:$NOPE/x.so' 'open:/usr/$LIB/libm.so.6'
	same "a \$ in a name" $p/dl 'open:/opt/dl/a$b.so' 'open:/opt/dl/$b.so' 'cd:/opt' 'open:dl/a$b.so'
	same "RUNPATH of the caller" $p/dl open:$p/lib/librun.so via:libnear.so open:$p/lib/librun.so via:libfar.so open:libfar.so open:libplain.so
	same "RPATH of the caller" $p/dl open:$p/lib/librpath.so via:libnear.so open:$p/lib/librpath.so via:libfar.so open:libplain.so
	same "\$ORIGIN of a caller" $p/dl open:$p/lib/libplain.so 'via:$ORIGIN/../near/libnear.so' open:$p/lib/libplain.so 'via:$ORIGIN/nope.so'
	same "RUNPATH of the program" $p/dlrun open:libplain.so open:libnear.so open:libfar.so serinfo list
	same "RPATH of the program" $p/dlrpath open:libplain.so open:libnear.so open:libfar.so serinfo
	same "where is searched" $p/dl serinfo open:$p/lib/librun.so serinfo open:$p/lib/librpath.so serinfo open:libm.so.6 serinfo
	same "what is no handle" $p/dl open:$p/lib/libplain.so bad
}

# with a shell, and env(1); and what musl does not do: libjail.7, CAVEATS
rows_of_debian() {
	p=/opt/dl
	same "\$ORIGIN, by way of absolute symlinks" $p/dl open:$p/lnk/up/libdep.so cd:$p/lnk open:up/libdep.so links
	same "a version that is not there" $p/dl open:$p/lib/libneeds.so
	same "a program without its library" $p/needs
	same "a program without its function" $p/calls
	same "a program without its version" $p/asks
	same "the program, by a relative name" sh -c 'cd /opt && dl/dl main list addr:main sym:nope trace; cd dl && PATH=. && dl main addr:main'
	same "the program, by a symlink" sh -c 'ln -s /opt/dl/dl ~/work/link && ~/work/link main addr:main sym:nope'
	same "LD_LIBRARY_PATH" env LD_LIBRARY_PATH=/opt/dl/near:dl/lib: $p/dl cd:/opt open:libnear.so open:libplain.so serinfo open:libnope.so
	same "dlmopen" $p/dl with:$p/lib/libplain.so with:libm.so.6 with:/nope.so with:libnope.so with:$p/text.so
	[ "$name" = bullseye ] || # libjail.7, CAVEATS
		same "dlmopen, in a name space of its own" $p/dl apart:$p/lib/libplain.so via:libm.so.6 via:$p/near/libnear.so \
			apart:libm.so.6 apart:/nope.so apart:libnope.so apart:$p/text.so apart:$p/lib/libnodep.so cd:$p apart:./lib/libbare.so
	same "LD_PRELOAD" env LD_PRELOAD=/opt/dl/near/libnear.so $p/dl addr:via list links
	same "the same, by a relative name" sh -c 'cd /opt/dl; ./needs; ./calls; ../dl/asks; PATH=.; needs'
	# in front of => may be the host's name: libjail.7, CAVEATS
	same "ldd" sh -c 'cd /opt/dl; { ldd needs; ldd lib/libdep.so lib/libplain.so; LD_LIBRARY_PATH=near ldd needs asks
		LD_LIBRARY_PATH=/opt/dl/lnk/../near ldd /opt/dl/needs; } 2>&1 | sed "s/ (0x.*//; /vdso/d; s/.* => //; s/^[[:space:]]*//"'
	same "LD_TRACE_LOADED_OBJECTS" sh -c 'LD_TRACE_LOADED_OBJECTS=1 /opt/dl/needs | sed "s/ (0x.*//; /vdso/d"'
}

make_musl() {
	loader=$(find -L /lib -maxdepth 1 -name 'ld-musl-*.so.1' | head -n 1)
	mkdir -p "$root/opt/dl" "$root/lib" "$root/etc" "$root/proc" "$root/dev" "$root/sys" "$root/srv/closed" \
		"$root/home/jailer" && chmod 700 "$root/srv/closed" && cp -L "$loader" "$root$loader" &&
		echo jailhost >"$root/etc/hostname" && cp tests/program/dl.c "$root/opt/dl" &&
		sh "$T/build" "musl-gcc -idirafter /usr/include -idirafter /usr/include/$($CC -print-multiarch)" \
			"$root/opt/dl" && chown -R "$U:$U" "$root/opt/dl"
}

found=
for release in ${RELEASES:-bullseye bookworm trixie trixie,walk musl musl,walk}; do
	release_parts
	if [ "$name" = musl ]; then
		command -v musl-gcc >/dev/null || {
			row 0 "$release # SKIP no musl-gcc (musl-tools)"
			continue
		}
		root=$T/musl
		[ -d "$root" ] || make_musl >"$T/log" 2>&1 || {
			sed 's/^/# /' "$T/log"
			row 1 "$release: the programs can be made"
			continue
		}
		found=yes
		rows_of_this
		continue
	fi
	release_root || continue
	found=yes
	mkdir -p "$root/opt/dl"
	cp tests/program/dl.c "$T/build" "$root/opt/dl"
	chown -R "$U:$U" "$root/opt/dl"
	in_kernel sh /opt/dl/build gcc /opt/dl >"$T/log" 2>&1 </dev/null || {
		sed 's/^/# /' "$T/log"
		row 1 "$release: the programs can be made"
		continue
	}
	rows_of_this
	rows_of_debian
	rm -rf "$root/opt/dl"
done
[ "$found" ] || skip_all "no root in $ROOTS"
done_testing
