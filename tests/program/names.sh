#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Every function that knows users and groups, with files of every kind: the program names.c under the
# kernel's chroot, where nsswitch.conf says `files`, and under jailrun, in small roots with the glibc of
# each Debian release and with musl; what they print is equal.  As root, which the kernel's chroot needs;
# under jailrun the program is unprivileged, but for what root alone may do.
# shellcheck source=tests/program/common
. "${0%/*}/common"
[ "$(id -u)" = 0 ] || skip_all "the kernel's chroot to compare with needs root"
unshare -m --propagation private true 2>/dev/null || skip_all "no mount name space (unshare -m)"
ROOTS=${LIBJAIL_ROOTS:-/var/tmp/libjail-roots}
CASE=${NAMES_CASE:-}

# -- the files

repeat() { # N TEXT
	awk -v n="$1" -v t="$2" 'BEGIN { while (n-- > 0) printf "%s", t }'
}

new() { # NAME: a case: passwd from standard input, as printf's format
	at=$T/case/$1
	mkdir -p "$at"
	for f in passwd group shadow; do
		cp "$T/plain/$f" "$at/$f"
	done
}

mkdir -p "$T/plain" "$T/case"
cat >"$T/plain/passwd" <<'TEXT'
root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
alice:x:500:501:Alice,,,:/home/alice:/bin/sh
bob:x:501:501::/home/bob:
jailer:x:12345:12345:known here:/home/jailer:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
TEXT
cat >"$T/plain/group" <<'TEXT'
root:x:0:
daemon:x:1:
alice:x:500:bob
users:x:501:alice,bob
wheel:*:7:root,alice
jailer:x:12345:
nogroup:x:65534:
TEXT
cat >"$T/plain/shadow" <<'TEXT'
root:*:19000:0:99999:7:::
alice:$6$x$y:19000:0:99999:7:10:20000:5
bob:!::::::
TEXT

new plain
new empty
: >"$at/passwd"
: >"$at/group"
: >"$at/shadow"
new odd
cat >"$at/passwd" <<'TEXT'
# a comment
#commented:x:9:9:::

   
  indented:x:10:10::/home/indented:/bin/sh
	tab:x:11:11:::
name-alone
two:x
three:x:12
four:x:13:13
five:x:14:14:gecos
six:x:15:15:gecos:/home/six
seven:x:16:16:gecos:/home/seven:/bin/sh:more:and more
empty-uid:x::17:::
empty-gid:x:18::::
word:x:abc:19:::
trailing:x:20x:20:::
blank:x: 21: 22:::
after:x:23 :23:::
minus:x:-1:24:::
minus2:x:-24:24:::
plus:x:+25:25:::
max:x:4294967295:26:::
over:x:4294967296:27:::
far:x:99999999999999999999999999:28:::
hex:x:0x1d:29:::
octal:x:00030:30:::
:x:31:31:::
a b:x:32:32:with blanks:/home/a b:/bin/sh
+
+nis:x:33:33:::
+@netgroup::::::
-
-nis:x:34:34:::
-alice::::::
dup:x:35:35:first:/1:/bin/sh
dup:x:36:36:second:/2:/bin/sh
twin:x:35:37:same id:/3:/bin/sh
colon:x:38:38:a:b:c:d:e
::::::
:
:::0:0:::
alice:x:500:501::/home/alice:/bin/sh
 root:x:0:0:late root:/root:/bin/sh
TEXT
cat >"$at/group" <<'TEXT'
# a comment
#commented:x:9:alice

  indented:x:10:alice
name-alone
two:x
three:x:12
four:x:13:
empty:x::alice
word:x:abc:alice
minus:x:-1:alice
max:x:4294967295:alice
over:x:4294967296:alice
plus:x:+25:alice
commas:x:26:,alice,,bob,
blanks:x:27: alice , bob , sp
twice:x:28:alice,alice
colon:x:29:c:d,alice
dup:x:30:alice
dup:x:31:bob
twin:x:30:alice
same:x:501:alice
+
+nis:x:33:alice
+:::alice
-nis:x:34:alice
-
:x:35:alice
::::
:
a b:x:36:a b,alice
 root:x:0:
root:x:7:root
TEXT
cat >"$at/shadow" <<'TEXT'
# a comment
#commented:x:1:2:3:4:5:6:7
  indented:x:1:2:3:4:5:6:7
name-alone
two:x
three:x:1
five:x:1:2:3
five-colon:x:1:2:3:
five-blank:x:1:2:3: 
six:x:1:2:3:4
nine:x:1:2:3:4:5:6:
ten:x:1:2:3:4:5:6:7:8
word:x:a:2:3:4:5:6:7
minus:x:-1:2:3:4:5:6:7
over:x:4294967296:2:3:4:5:6:7
max:x:4294967295:2:3:4:5:6:4294967295
blank:x: 1: 2: 3: 4: 5: 6: 7
trail:x:1:2:3:4:5:6:7 
+
+nis:x:1:2:3:4:5:6:7
-nis:x:1
alice:first:::::::
alice:second:::::::
::::::::
TEXT
new no-final-newline
for f in passwd group shadow; do
	printf %s "$(cat "$T/plain/$f")" >"$at/$f"
done
printf 'last:x:99:99:the end:/home/last:/bin/sh' >>"$at/passwd"
new final-partial
printf 'last:x:9' >>"$at/passwd"
printf 'last:x:9' >>"$at/group"
new crlf
for f in passwd group shadow; do
	sed 's/$/\r/' "$T/plain/$f" >"$at/$f"
done
new nul
printf 'a:x:60:60:be\0fore:/:/bin/sh\nalice:x:500:501::/home/alice:/b\0in\n\0\n\0b:x:61:61:::\nc\0:x:62:62:::\nd:x:63\0:63:::\nroot:x:0:0::/root:\n\0' >"$at/passwd"
printf 'a:x:60:al\0ice\nb:x:61:alice\0\nc:x:62:bob,\0alice\nd\0:x:63:alice\nroot:x:0:\n' >"$at/group"
printf 'a:x\0:1:2:3:4:5:6:7\nalice:x:1:2:3:4:5:6:\0\nroot:x:::::::\n' >"$at/shadow"
new long-line
{
	head -n 2 "$T/plain/passwd"
	printf 'long:x:70:70:%s:/home/%s:/bin/sh\n' "$(repeat 65536 g)" "$(repeat 3000 h)"
	printf '%s:x:71:71::/:/bin/sh\n' "$(repeat 5000 n)"
	printf '#%s\n' "$(repeat 70000 c)"
	tail -n 4 "$T/plain/passwd"
} >"$at/passwd"
{
	head -n 2 "$T/plain/group"
	printf 'many:x:71:%s\n' "$(awk 'BEGIN { for (i = 1; i < 9000; i++) printf "m%d,", i; print "alice" }')"
	printf '%s\n' "$(repeat 66000 x)"
	tail -n 5 "$T/plain/group"
} >"$at/group"
{
	printf 'long:%s:1:2:3:4:5:6:7\n' "$(repeat 66000 p)"
	cat "$T/plain/shadow"
} >"$at/shadow"
new long-last
{
	cat "$T/plain/passwd"
	printf 'long:x:70:70:%s:/home:/bin/sh\n' "$(repeat 1500 g)"
} >"$at/passwd"
{
	cat "$T/plain/group"
	printf 'many:x:71:%s\n' "$(awk 'BEGIN { for (i = 1; i < 300; i++) printf "m%d,", i; print "alice" }')"
} >"$at/group"
new many
awk 'BEGIN { for (i = 0; i < 300; i++) printf "u%d:x:%d:%d:%*s:/home/u%d:/bin/sh\n", i, i + 1000, 100, i % 50, "", i }' >"$at/passwd"
awk 'BEGIN { for (i = 0; i < 300; i++) printf "g%d:x:%d:u%d,alice,m%d,root\n", i, i + 1000, i, i % 9 }' >"$at/group"
new order
printf 'b:x:2:2:::\na:x:1:1:::\nroot:x:0:0::/root:\nb2:x:2:2:::\na:x:5:5:::\nc:x:3:3:::' >"$at/passwd"
printf 'b:x:2:alice\na:x:1:alice\nroot:x:0:alice\nb2:x:2:alice\na:x:5:alice,bob\nroot:x:501:alice' >"$at/group"
new blank-only
printf '\n\n  \n\t\n' >"$at/passwd"
cp "$at/passwd" "$at/group"
cp "$at/passwd" "$at/shadow"
new binary
awk 'BEGIN { for (i = 1; i < 256; i++) printf "%c%c:x:%d:%d:%c:/:/\n", i, i, i, i, i }' >"$at/passwd"
awk 'BEGIN { for (i = 1; i < 256; i++) printf "%c%c:x:%d:%c,alice\n", i, i, i, i }' >"$at/group"
new missing
rm "$at/passwd" "$at/group" "$at/shadow"
new directory
rm "$at/passwd" "$at/group" "$at/shadow"
mkdir "$at/passwd" "$at/group" "$at/shadow"
new unreadable
chmod 000 "$at/passwd" "$at/group" "$at/shadow"
new loop
for f in passwd group shadow; do
	ln -sf "$f" "$at/$f"
done
new not-a-directory
for f in passwd group shadow; do
	ln -sf /etc/hostname/x "$at/$f"
done
new device
for f in passwd group shadow; do
	ln -sf /dev/null "$at/$f"
done

# -- the roots

fill() { # the cases, and what is common to all roots
	mkdir -p "$root/etc" "$root/proc" "$root/dev" "$root/sys" "$root/tmp" "$root/home/bob" "$root/inner/etc"
	cp -a "$T/case" "$root/case"
	chmod 777 "$root/case"
	for f in passwd group shadow; do
		ln -s "/case/now/$f" "$root/etc/$f"
	done
	: >"$root/home/bob/file"
	echo jailhost >"$root/etc/hostname"
	printf 'passwd: files\ngroup: files\nshadow: files\n' >"$root/etc/nsswitch.conf"
	printf 'inner:x:3:3::/home/inner:/bin/sh\nroot:x:0:0:inner root:/:\njailer:x:%s:%s::/:\n' "$U" "$U" >"$root/inner/etc/passwd"
	printf 'inner:x:3:root\n' >"$root/inner/etc/group"
	ln -s plain "$root/case/now"
	chmod 755 "$root"
}

glibc_root() { # RELEASE
	from=$ROOTS/$1
	root=$T/$1
	[ -e "$from/usr/bin/gcc" ] || return 1
	mkdir -p "$root/bin" "$T/out"
	cp tests/program/names.c "$T/out"
	# shellcheck disable=SC2016
	unshare -m --propagation private sh -c 'mount -t tmpfs none "$1/tmp" && mount --rbind /dev "$1/dev" &&
		mount --bind "$2" "$1/mnt" && exec chroot "$1" sh -ec "gcc -std=gnu11 -O1 -g -Wall -Wextra -o /mnt/names /mnt/names.c; readelf -l /mnt/names >/mnt/log"' \
		sh "$from" "$T/out" >"$T/log" 2>&1 || {
		cat "$T/log"
		return 1
	}
	mv "$T/out/names" "$root/bin/names"
	# wordexp(3) runs sh
	for f in "$(sed -n 's/.*Requesting program interpreter: \(.*\)].*/\1/p' "$T/out/log")" \
		$(chroot "$from" sh -c 'ls /lib/*/libc.so.6 /lib/*/libnss_files.so.2 /lib/*/libdl.so.2; echo /bin/sh' 2>"$T/log"); do
		mkdir -p "$root/${f%/*}"
		chroot "$from" cat "$f" >"$root$f" || return 1 # its links are absolute
		chmod 755 "$root$f"
	done
	fill
}

musl_root() {
	root=$T/musl
	mkdir -p "$root/bin" "$root/lib"
	musl-gcc -std=gnu11 -O1 -g -o "$root/bin/names" tests/program/names.c >"$T/log" 2>&1 || {
		cat "$T/log"
		return 1
	}
	loader=$(find -L /lib -maxdepth 1 -name 'ld-musl-*.so.1' | head -n 1)
	cp -L "$loader" "$root$loader"
	fill
}

# UID ARGUMENT...: names, at either side; $session: the login uid, or none is set
session=''
in_kernel() {
	# shellcheck disable=SC2016
	unshare -m --propagation private sh -c '
		for d in proc dev; do mount --rbind "/$d" "$1/$d" || exit 125; done
		root=$1 session=$2 uid=$3
		shift 3
		[ -z "$session" ] || echo "$session" >/proc/self/loginuid || exit 125
		cd / && exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C timeout 200 chroot --userspec="+$uid:+$uid" --groups="" "$root" /bin/names "$@"
	' sh "$root" "$session" "$@" </dev/null
}

in_jail() {
	uid=$1
	shift
	([ -z "$session" ] || echo "$session" >/proc/self/loginuid || exit 125
		cd / && exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C timeout 200 setpriv --reuid="$uid" --regid="$uid" --clear-groups -- \
		"$jailrun" --root "$root" -- /bin/names "$@" </dev/null)
}

# TITLE FILE: one row for each case
compare() {
	awk -v out="$T/rows" -v musl="$musl" -v old="$old" '
		# glibc 2.31 is content with one byte less than its successors; there we want as much as those.
		function number(text) {
			return match(text, /[0-9]+:[^:]*$/) ? substr(text, RSTART) + 0 : 0
		}
		function near(a, b, x, y) {
			if (!old || a !~ /^  sizes/)
				return 0
			x = number(a)
			y = number(b)
			sub(/[0-9]+:[^:]*$/, x + 1 substr(a, match(a, /:[^:]*$/)), a)
			return y == x + 1 && a == b
		}
		FNR == 1 { side++; at = "" }
		# What errno is after a success: ERANGE where glibc had to enlarge a buffer of its own; EINVAL in 2.31
		# after the first getpwent(3).
		/^(next|root).* errno (34|22) ("|none)/ { sub(/errno (34|22)/, "errno -") }
		/^(getgrouplist|initgroups) .* errno 22/ { sub(/errno 22/, "errno dead") }
		musl && /^ *(sizes|next_r)/ { next }
		old && /^next_r/ { next }
		musl && /long/ && /^case / { long = 1 } # it gives up on a tilde where any line is long
		/^case / && !/long/ { long = 0 }
		long && /^(glob|name "long")/ { next }
		/^case / { at = $0; if (!(at in seen)) { seen[at] = 1; order[++n] = at } }
		{ k = ++count[side, at]; line[side, at, k] = $0; if (/^(name|id|next|fget)/) head = $0; where[side, at, k] = head }
		END {
			for (i = 1; i <= n; i++) {
				a = order[i]
				bad = 0
				most = count[1, a] > count[2, a] ? count[1, a] : count[2, a]
				for (k = 1; k <= most; k++)
					if (line[1, a, k] != line[2, a, k] && !near(line[1, a, k], line[2, a, k]) && ++bad <= 4)
						printf "# %s\n#   kernel: %s\n#   jail:   %s\n", where[1, a, k], substr(line[1, a, k], 1, 400), substr(line[2, a, k], 1, 400)
				printf "%d %s (%d answers)\n", bad, a, count[1, a] >>out
			}
		}' "$2.kernel" "$2.jail"
}

both() { # NAME KERNEL-UID JAIL-UID ARGUMENT...
	both_name=$1 kernel_uid=$2 jail_uid=$3
	shift 3
	: >"$T/rows"
	in_kernel "$kernel_uid" "$@" >"$T/o.kernel" 2>&1 || echo "status $?" >>"$T/o.kernel"
	in_jail "$jail_uid" "$@" >"$T/o.jail" 2>&1 || echo "status $?" >>"$T/o.jail"
	[ -z "${NAMES_KEEP:-}" ] || for side in kernel jail; do
		cp "$T/o.$side" "$NAMES_KEEP/$(echo "$both_name" | tr ' ' -).$side"
	done
	compare "$both_name" "$T/o"
	[ -s "$T/rows" ] || row 1 "$both_name: something came out"
	while read -r differ text; do
		[ "$differ" = 0 ]
		row $? "$both_name: $text"
	done <"$T/rows"
}

# A lookup in a case that another uid left is not a lookup of ours.
one_libc() { # NAME
	musl='' old=''
	# 2.31 reads a directory for ever, in fgetpwent(3)
	[ "$1" != bullseye ] || {
		old=1
		rm -rf "$root/case/directory"
	}
	if [ "$1" = musl ]; then
		# it reads what is no good line in its own way, where we read as glibc does (libjail(7)), and
		# shadow from /etc/tcb, too
		musl=1
		for c in odd crlf nul binary blank-only final-partial no-final-newline order; do
			rm -rf "$root/case/$c"
		done
	fi
	chown "$U" "$root/case/unreadable/"* "$root/case"
	both "$1" "$U" "$U" all ${CASE:+"$CASE"}
	both "$1, root" 0 0 root ${CASE:+"$CASE"}
	ln -sfn plain "$root/case/now"
	both "$1, chroot" 0 "$U" chroot /inner
	both "$1, not logged in" "$U" "$U" login
	# proc(5): the login uid is set once, by who may
	if ! (echo 0 >/proc/self/loginuid) 2>"$T/log"; then
		row 0 "$1, logged in # SKIP no login uid can be set"
		return
	fi
	for session in 0 77777; do
		both "$1, logged in as $session" "$U" "$U" login
	done
	session=''
}

for release in ${RELEASES:-bookworm bullseye trixie}; do
	if glibc_root "$release"; then
		one_libc "$release"
	else
		row 0 "$release # SKIP no $ROOTS/$release with a compiler"
	fi
done
if command -v musl-gcc >"$T/log"; then
	if musl_root; then
		one_libc musl
	else
		row 1 "musl: names.c can be compiled"
	fi
else
	row 0 "musl # SKIP no musl-gcc"
fi
done_testing
