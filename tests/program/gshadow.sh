#!/bin/sh
# SPDX-License-Identifier: ISC
#
# gshadow(5), hosts.equiv(5), rhosts and publickey(5) in a root: what gshadow.c prints under the
# kernel's chroot and under jailrun, both as root, who alone may read these files.
# shellcheck source=tests/program/common
. "${0%/*}/common"
[ "$(id -u)" = 0 ] || skip_all "the kernel's chroot to compare with needs root"
echo '#include <gshadow.h>' >"$T/has.c"
${CC:-cc} -fsyntax-only "$T/has.c" 2>/dev/null || skip_all "this libc has no gshadow.h"

root=$T/root
mkdir -p "$T/opt"
${CC:-cc} -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -O1 -o "$T/opt/gshadow" tests/program/gshadow.c -ldl &&
	"$T/usr/bin/jailroot" "$root" "$T/opt/gshadow" >/dev/null || exit 1
# glibc before 2.34 has its files backend in a library
find /lib /usr/lib -name 'libnss_files.so.2' 2>/dev/null | while read -r f; do
	mkdir -p "$root${f%/*}"
	cp -L "$f" "$root$f"
done
mkdir -p "$root/etc" "$root/home/al"
printf 'passwd: files\ngroup: files\ngshadow: files\nhosts: files\npublickey: files\nnetgroup: files\n' >"$root/etc/nsswitch.conf"
echo 'al:x:1000:1000::/home/al:/bin/sh' >"$root/etc/passwd"
printf 'unix.1@d abcdef:123456:x\n# c\nunix.2@d\tff\nunix.3@d\n unix.4@d aa:bb\nunix.5@d :a:b\n' >"$root/etc/publickey"

same() { # NAME WHAT
	timeout 60 chroot "$root" "$T/opt/gshadow" "$2" >"$T/kernel" 2>&1
	(cd / && timeout 60 "$jailrun" --root "$root" -- "$T/opt/gshadow" "$2") >"$T/jail" 2>&1
	# an empty answer would be no comparison
	[ -s "$T/kernel" ] && cmp -s "$T/kernel" "$T/jail"
	result=$?
	[ $result = 0 ] || diff "$T/kernel" "$T/jail" | head -n 10 | sed 's/^/# /'
	row $result "$1"
}

file=$root/etc/gshadow
printf '%s\n' 'a:!:adm1,adm2:m1,m2' 'b:*::' 'c:!' 'h' '' '# comment: with: colons, and longer than other lines' \
	'i:p: a, b ,c: d ,e:more:fields' '+' '+x' '-y:!:a:b' '#z:!:a:b' '   spc:!:a:b' 'dup:1:a:' 'dup:2:b:' \
	'm:!:a,b,c,d,e,f:' 'o:!:  ,  :  ,' 'p:!:,,:,,' ':e:a:b' >"$file"
printf 'cr:!:a:b\r\nlast:!:al:bob' >>"$file"
same "gshadow: lines of every kind, one after the other" list
same "gshadow: lines of every kind, by name" find
for seed in 1 2 3; do
	awk -v seed=$seed 'BEGIN { srand(seed); n = split(": ,  a b + - # a:!: dup : , x,y", w, " "); w[++n] = " "; w[++n] = "\t"
		for (i = 0; i < 1200; i++) printf "%s", rand() < 0.15 ? "\n" : w[1 + int(rand() * n)]
		print "\na:x:y:z" }' >"$file"
	same "gshadow: random lines $seed, one after the other" list
	same "gshadow: random lines $seed, by name" find
done
: >"$file"
same "gshadow: empty" list
rm "$file"
same "gshadow: not there" list
mkdir "$file"
same "gshadow: a directory" find
rmdir "$file"
same "hosts.equiv and .rhosts" trust
same "publickey" keys
done_testing
