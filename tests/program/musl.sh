#!/bin/sh
# SPDX-License-Identifier: ISC
#
# A root of musl on this host, by the same libjail.so: the programs of musl.c under the kernel's chroot
# and under jailrun, with both resolvers.
# shellcheck disable=SC2016 # $ORIGIN is for the loader
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
cat >"$T/which.c" <<'END'
#ifdef WHICH
const char *which(void) { return WHICH; }
#else
#include <stdio.h>
const char *which(void);
int main(void) { return puts(which()) < 0; }
#endif
END
for which in default absolute origin; do
	mkdir "$T/$which"
	musl-gcc -shared -fPIC -Wl,-soname,libwhich.so -DWHICH="\"$which\"" -o "$T/$which/libwhich.so" "$T/which.c" || exit 1
done
rpath() { # NAME LIST
	musl-gcc -o "$T/which-$1" "$T/which.c" "$T/default/libwhich.so" -Wl,-rpath,"$2" || exit 1
}
rpath absolute /opt/absolute
rpath origin '/opt/nope:$ORIGIN/lib:/opt/absolute'
rpath braces '${ORIGIN}/../bin/lib'
rpath strange '$NOPE/lib:/opt/absolute'
rpath none /opt/nope
# a dynamic section that is as long as can be, by its header alone
cat >"$T/long.c" <<'END'
#include <elf.h>
#include <stdio.h>
int main(int argc, char **argv)
{
	FILE *f = fopen(argv[argc - 1], "r+");
	Elf64_Ehdr e;
	Elf64_Phdr p;

	fread(&e, sizeof e, 1, f);
	for (int i = 0; i < e.e_phnum; i++) {
		fseek(f, (long)(e.e_phoff + i * sizeof p), SEEK_SET);
		fread(&p, sizeof p, 1, f);
		p.p_filesz = p.p_type == PT_DYNAMIC ? -512UL : p.p_filesz;
		fseek(f, (long)(e.e_phoff + i * sizeof p), SEEK_SET);
		fwrite(&p, sizeof p, 1, f);
	}
	return fclose(f);
}
END
musl-gcc -o "$T/long" "$T/long.c" && cp "$T/which-origin" "$T/which-long" && "$T/long" "$T/which-long" || exit 1

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
mkdir -p "$root/opt/absolute" "$root/opt/which/lib" "$root/opt/bin/lib"
cp "$T"/which-* "$root/opt/which"
cp "$T/default/libwhich.so" "$root/usr/lib"
cp "$T/absolute/libwhich.so" "$root/opt/absolute"
cp "$T/origin/libwhich.so" "$root/opt/which/lib"
cp "$T/origin/libwhich.so" "$root/opt/bin/lib"
ln -s /opt/which/which-origin "$root/bin/which"
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
	for which in absolute origin braces strange none long; do
		same "a library by RUNPATH, $which" /opt/which/which-$which
	done
	same "a library by RUNPATH, and a symlink" which
	plain=$ENVIRON ENVIRON="$ENVIRON LD_LIBRARY_PATH=/usr/lib"
	same "a library by LD_LIBRARY_PATH, and RUNPATH" /opt/which/which-absolute
	ENVIRON=$plain
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
