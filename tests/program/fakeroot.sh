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
if [ -x "$ROOTS/bullseye/usr/bin/env" ] && getconf GNU_LIBC_VERSION | grep -q ' 2\.3[4-9]\| 2\.[4-9]'; then
	one_line "bullseye: too old, said once" 0 "jailrun: libfakeroot-*: needs GLIBC_2.3*, and the root's libc ends at GLIBC_2.3*: not preloaded there" \
		fakeroot "$jailrun" -r "$ROOTS/bullseye" -- sh -c '[ "$(id -u)" != 0 ] && perl -e 1'
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
