#!/bin/sh
# SPDX-License-Identifier: ISC
#
# A root of musl on this host, by the same libjail.so: the programs of musl.c under the kernel's chroot
# and under jailrun, with both resolvers.
# shellcheck source=tests/program/common
. "${0%/*}/common"
command -v musl-gcc >/dev/null || skip_all "musl-gcc is not installed (musl-tools)"
# shellcheck source=tests/program/roots
. tests/program/roots

root=$T/root
mkdir -p "$T/opt/musl" "$root"
include="-idirafter /usr/include -idirafter /usr/include/$(cc -print-multiarch)"
# shellcheck disable=SC2086
musl-gcc -std=gnu11 -O1 -Wall $include -o "$T/opt/musl/tool" tests/program/musl.c || exit 1
printf 'const char *plugin(void) { return "plugged in"; }\n' >"$T/plugin.c"
musl-gcc -shared -fPIC -o "$T/plugin.so" "$T/plugin.c" || exit 1

# jailroot knows the host's names alone; a root of musl has its own
loader=$(find -L /lib -maxdepth 1 -name 'ld-musl-*.so.1' | head -n 1)
mkdir -p "$root/bin" "$root/lib" "$root/usr/lib" "$root/etc" "$root/proc" "$root/dev" "$root/sys" \
	"$root/tmp" "$root/opt/a/b" "$root/home/jailer"
chmod 1777 "$root/tmp"
cp -L "$loader" "$root$loader"
cp "$T/opt/musl/tool" "$root/bin/tool"
cp "$T/plugin.so" "$root/usr/lib/libplugin.so"
ln -s ../../bin/tool "$root/opt/a/link"
ln -s /opt/a "$root/opt/abs"
ln -s ../../../.. "$root/opt/a/b/up"
echo 'hello from musl' >"$root/etc/motd"
echo jailhost >"$root/etc/hostname"
printf 'root:x:0:0:::\njailer:x:%s:%s::/home/jailer:/bin/sh\n' "$U" "$U" >"$root/etc/passwd"
printf 'root:x:0:\njailer:x:%s:\n' "$U" >"$root/etc/group"
printf '#!/bin/tool cat\nthe text of a script\n' >"$root/opt/script"
chmod 755 "$root/opt/script" "$root"
mkdir "$T/fixture"

for WALK in '' yes; do
	release=musl${WALK:+, walk}
	same "what it is called" tool
	same "by a symlink" /opt/a/link self
	same "by an absolute symlink" /opt/abs/link self
	same "files" tool cat /etc/motd /opt/abs/b/up/etc/hostname /../../etc/motd /nonexistent /etc/motd/ ''
	same "directories" tool ls / /opt /opt/a/b/up/opt/abs/ /nonexistent
	same "glob" tool glob '/opt/*' '/*/a*' '/opt/abs/*' '/nonexistent*'
	same "changes" tool work /home/jailer/work
	same "#!" /opt/script
	same "spawn" tool run tool
	same "spawn of nothing" tool run nonesuch
	same "exec" tool exec /opt/abs/link self
	same "exec of nothing" tool exec /opt/nonesuch
	same "no environment" tool clean /bin/tool cat /etc/motd
	same "no environment, then another" tool clean /bin/tool exec /bin/tool env
	same "dlopen by name" tool dlopen libplugin.so
	same "dlopen by path" tool dlopen /usr/lib/libplugin.so
	same "system, without a shell" tool system true
	maps=$(in_jail tool maps | sort -u)
	strange=$(printf '%s\n' "$maps" | grep -Fv -e "$root/" -e "$T/usr/lib/libjail")
	[ -z "$strange" ] && printf '%s' "$maps" | grep -q "$root/lib/ld-musl"
	result=$?
	[ "$result" = 0 ] || printf '# mapped from the host: %s\n' "$strange"
	row "$result" "$release: no library of the host is mapped"
done
done_testing
