#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Debian's fakeroot in front of jailrun: its library goes along into a root that does not have it, where
# the root's libc is new enough, and keeps its place in front of ours.
# shellcheck disable=SC2016 # what is in single quotes is for a shell of the root
# shellcheck source=tests/program/common
. "${0%/*}/common"
ROOTS=${LIBJAIL_ROOTS:-/var/tmp/libjail-roots}
CC=${CC:-cc}
command -v fakeroot >/dev/null || skip_all "fakeroot is not installed"
work='touch "$1" && chown 5:6 "$1" && chmod 4755 "$1" && mknod "$1.dev" c 1 3 && stat -c "%u:%g %a %F" "$1" "$1.dev" && env -i /bin/sh -c "id -u"; id -u; rm -f "$1" "$1.dev"'
made="5:6 4755 regular empty file
0:0 644 character special file
$U
0"

says "no root" 0 "$made" env TMPDIR="$T" fakeroot "$jailrun" -- sh -c "umask 022; mkdir -p /tmp/fk$$; $work" sh "/tmp/fk$$/x"
rm -rf "/tmp/fk$$"
found=
for release in bookworm trixie; do
	root=$ROOTS/$release
	[ -x "$root/usr/bin/env" ] || continue
	found=yes
	says "$release" 0 "$made" fakeroot "$jailrun" -r "$root" -- sh -c "umask 022; $work" sh "/tmp/fk$$"
	says "$release, by chroot(1)" 0 "$made" \
		fakeroot "$jailrun" -- /usr/sbin/chroot "$root" sh -c "umask 022; $work" sh "/tmp/fk$$"
	says "$release, its own name in LD_PRELOAD" 0 "*fakeroot-*.so" \
		fakeroot "$jailrun" -r "$root" -- sh -c 'echo "$LD_PRELOAD"'
	says "$release, many programs" 0 "0
0
0" fakeroot "$jailrun" -r "$root" -- sh -c 'id -u; perl -e "system q(id), q(-u)"; python3 -c "import os; print(os.getuid())"'
	says "$release, gone when the program says so" 0 "$U" \
		fakeroot "$jailrun" -r "$root" -- sh -c 'unset LD_PRELOAD; id -u'
done
# a root whose libc is too old, or another: the root's own library if it has one, else nobody runs without it
if [ -x "$ROOTS/bullseye/usr/bin/env" ] && getconf GNU_LIBC_VERSION | grep -q ' 2\.3[4-9]\| 2\.[4-9]'; then
	old="libfakeroot-*: needs GLIBC_2.3*, and the root's libc ends at GLIBC_2.3*, so that nobody would seem to be root there: install the root's own, as /usr/lib/*/libfakeroot/libfakeroot-*.so (Debian: libfakeroot)"
	one_line "bullseye: too old, and nothing runs" 125 "jailrun: $old" fakeroot "$jailrun" -r "$ROOTS/bullseye" -- sh -c 'echo "$(id -u)"'
	says "bullseye, by chroot(1): too old, and nothing runs" 126 "libjail: $old
*chroot: failed to run command*" fakeroot "$jailrun" -- /usr/sbin/chroot "$ROOTS/bullseye" sh -c 'echo "$(id -u)"'
	cp -al "$ROOTS/bullseye" "$T/old" 2>/dev/null || cp -a "$ROOTS/bullseye" "$T/old"
	chmod 755 "$T/old"
	own=$T/old/usr/lib/$(uname -m)-linux-gnu/libfakeroot
	mkdir -p "$own"
	for name in sysv tcp; do
		echo 'int geteuid(void) { return 77; } int getuid(void) { return 77; }' | $CC -w -shared -nostdlib -fPIC -o "$own/libfakeroot-$name.so" -x c -
	done
	says "bullseye, with a library of its own" 0 "77
77
77
libfakeroot-*.so" fakeroot "$jailrun" -r "$T/old" -- sh -c 'id -u; perl -e "system q(id), q(-u)"; env -u LD_LIBRARY_PATH sh -c "id -u"; echo "$LD_PRELOAD"'
	says "bullseye, with a library of its own, by chroot(1)" 0 "77" \
		fakeroot "$jailrun" -- /usr/sbin/chroot "$T/old" sh -c 'id -u'
fi
loader=/lib/ld-musl-$(uname -m).so.1
if command -v musl-gcc >/dev/null && [ -e "$loader" ]; then
	mkdir -p "$T/musl/lib" "$T/musl/bin"
	install -m 755 "$loader" "$T/musl$loader"
	echo 'int main(void) { return 3; }' | musl-gcc -o "$T/musl/bin/three" -x c -
	says "musl: alone it runs" 3 "" "$jailrun" -r "$T/musl" -- /bin/three
	one_line "musl: it has no use for the host's, and nothing runs" 125 \
		"jailrun: libfakeroot-*.so: is the host's, and the program's C library is musl, so that nobody would seem to be root there: install *" \
		fakeroot "$jailrun" -r "$T/musl" -- /bin/three
fi

# another preload, which needs a library that the root may have in another form
cat >"$T/pre.c" <<'END'
int z(void);
int uses(void) { return z(); }
END
echo 'int z(void) { return 1; }' >"$T/z.c"
if $CC -shared -fPIC -o "$T/libz9.so" "$T/z.c" && $CC -shared -fPIC -o "$T/libpre.so" "$T/pre.c" -L"$T" -lz9 -Wl,-rpath,"$T" &&
	[ -n "$found" ]; then
	one_line "a preload that needs more stays behind" 0 "jailrun: $T/libpre.so: needs libz9.so, which may be another in the root: not preloaded there" \
		env LD_PRELOAD="$T/libpre.so" "$jailrun" -r "$root" -- sh -c 'perl -e 1; [ -z "${LD_PRELOAD:-}" ]'
fi
done_testing
