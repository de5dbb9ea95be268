#!/bin/sh
# SPDX-License-Identifier: ISC
#
# oracle.sh: the same calls under a real chroot and under libjail, by the same unprivileged user;
# every line and what is left on the disk must be equal.  This file knows how to make both equal in
# all that does not matter.
#
# usage: tests/oracle/oracle.sh [--root BASE] [--keep] [-v] [CASE...]
#
#   --root BASE  work in BASE (made anew, removed after); default: a directory in $TMPDIR
#   --keep       leave BASE behind, with the roots and the outputs; slow, on the disk itself
#   -v           say what is being done
#   CASE...      only these cases of the table
#
#   JAILRUN      the launcher (default: tools/jailrun)
#   ORACLE_USER  numeric user and group to run as (default: 65533)
#   SEED         one more seed for the random sequences
#   ORACLE_PASS  "kernel": only run under chroot, twice, and compare the two
#   ORACLE_LIBC  only this libc: glibc or musl
#   ORACLE_RESOLVERS  only these: auto, walk, look
#   ORACLE_LINUX      both as on an older kernel, or behind an old filter: what tests/program/older.c takes,
#                     such as "4.18 enosys"
#   ORACLE_SAMPLE     of the table, without CASE: every so many-th case of each call

set -u

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1
top=$(CDPATH='' cd -- "$here/../.." && pwd) || exit 1
jailrun=${JAILRUN:-$top/tools/jailrun}
user=${ORACLE_USER:-65533}
seeds="1 2 3 ${SEED:-}"
sequences=150
base='' keep='' verbose=''

while [ $# -gt 0 ]; do
	case $1 in
	--root)
		base=${2:?--root needs a directory}
		shift 2
		;;
	--keep)
		keep=1
		shift
		;;
	-v)
		verbose=1
		shift
		;;
	--)
		shift
		break
		;;
	-*)
		sed -n 's/^# usage: /usage: /p' "$0" >&2
		exit 2
		;;
	*) break ;;
	esac
done

say() {
	if [ "$verbose" ]; then
		printf 'oracle: %s %s\n' "$(date +%T)" "$*" >&2
	fi
}

skip() {
	printf 'SKIP: oracle: %s\n' "$*"
	exit 0
}

fail() {
	printf 'oracle: %s\n' "$*" >&2
	exit 1
}

PATH=$PATH:/usr/sbin:/sbin

# The kernel's side needs chroot(2) and mounts: root, or a user namespace that keeps our uid.  All of
# this runs in a mount namespace of its own, so that nothing stays mounted whatever happens.
if [ -z "${ORACLE_INSIDE:-}" ]; then
	for tool in setpriv unshare chroot mount ldd awk; do
		command -v "$tool" >/dev/null || skip "no $tool on this machine"
	done
	if [ "$(id -u)" -eq 0 ]; then
		enter='unshare --mount' inside=root
	elif unshare --user --map-current-user --keep-caps --mount -- true 2>/dev/null; then
		enter='unshare --user --map-current-user --keep-caps --mount' inside=user
	else
		skip "needs root, or user namespaces, for the real chroot to compare with"
	fi
	if [ "$base" ]; then
		[ ! -e "$base" ] || fail "$base exists: it would be overwritten"
		mkdir -p -- "$base" || exit 1
	else
		base=$(mktemp -d "${TMPDIR:-/tmp}/oracle.XXXXXX") || exit 1
	fi
	base=$(CDPATH='' cd -- "$base" && pwd -P) || exit 1
	chmod 755 "$base"
	say "in $base"
	status=1
	trap 'rm -rf -- "$base"' EXIT
	trap 'exit 1' HUP INT TERM
	# shellcheck disable=SC2086
	ORACLE_INSIDE=$inside ORACLE_BASE=$base $enter -- sh "$0" ${keep:+--keep} ${verbose:+-v} -- "$@"
	status=$?
	if [ "$keep" ]; then
		trap - EXIT
		printf 'oracle: kept in %s\n' "$base" >&2
	fi
	exit "$status"
fi

base=${ORACLE_BASE:?}
caps='--inh-caps=-all,+sys_chroot --ambient-caps=-all,+sys_chroot'
setpriv=$(command -v setpriv) # PATH is another when it is called
if [ "$ORACLE_INSIDE" = root ]; then
	own=$user
	as_user="$setpriv --reuid=$user --regid=$user --clear-groups --"
	as_chrooter="$setpriv --reuid=$user --regid=$user --clear-groups $caps --"
else
	own=''
	as_user="$setpriv --inh-caps=-all --ambient-caps=-all --"
	as_chrooter="$setpriv $caps --"
fi
# memory is quick: a hundred thousand small files a pass
if [ -z "$keep" ] && mount -t tmpfs -o mode=755 oracle "$base" 2>/dev/null; then
	say "on a tmpfs"
fi

# lib FILE ROOT: copies what the dynamic program FILE needs into ROOT
lib() {
	ldd "$1" | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p' | while read -r l; do
		mkdir -p "$2${l%/*}"
		[ -e "$2$l" ] || cp -L -- "$l" "$2$l"
	done
}

# root DIR OUTSIDE PROGRAM LIBC, with what the cases in $cases need; "": all
root() {
	mkdir -p "$1/bin" "$1/sub/bin"
	cp -- "$3" "$1/bin/oracle"
	# in a musl root too: an exec from one libc into the other
	cp -L /bin/sh "$1/bin/sh"
	lib /bin/sh "$1"
	if [ "$4" = musl ]; then
		mkdir -p "$1/lib"
		cp -L /lib/ld-musl-*.so.1 "$1/lib/" || fail "no musl loader in /lib"
	else
		lib "$1/bin/oracle" "$1"
	fi
	# what libc opens by itself is the host's (libjail.7): the same here, and before 2.34 what it asks for names
	for f in /usr/lib/locale/C.utf8 /usr/lib/locale/C.UTF-8 /lib/*/libnss_files.so.2; do
		if [ -e "$f" ] && [ "$4" != musl ]; then
			mkdir -p "$1${f%/*}"
			cp -rL "$f" "$1${f%/*}/"
		fi
	done
	# a root in the root, for chroot and exec
	for d in bin lib lib64 usr; do
		if [ -d "$1/$d" ]; then
			cp -al -- "$1/$d" "$1/sub/" 2>/dev/null || cp -a -- "$1/$d" "$1/sub/"
		fi
	done
	if [ "$own" ]; then
		chown "$own:$own" "$1"
	fi
	# the fixture is the user's: made by it
	mkdir "$2.up"
	if [ "$own" ]; then
		chown "$own:$own" "$2.up"
	fi
	say "fixture in $1"
	# shellcheck disable=SC2086 # words
	$as_user "$host" setup "$1" "$2.up/out" $cases || fail "no fixture in $1"
	mv -- "$2.up/out" "$2"
	rmdir "$2.up"
}

# kernel DIR OUT ARG...: the oracle under chroot(2)
kernel() {
	dir=$1 out=$2
	shift 2
	# shellcheck disable=SC2016
	unshare --mount sh -c '
		dir=$1 out=$2 priv=$3
		chroot=$4
		shift 4
		for d in proc dev sys; do
			mount --rbind "/$d" "$dir/$d" || exit 125
		done
		cd / || exit 125
		exec env -i PATH=/bin ORACLE_ROOT="$dir" $priv "$chroot" "$dir" /bin/oracle "$@" </dev/null 7<"$dir.out" >"$out"
	' sh "$dir" "$out" "$older $as_chrooter" "$(command -v chroot)" "$@"
}

# jail DIR OUT ARG...: the oracle under libjail; $resolver is unset's "auto", or "walk"
jail() {
	dir=$1 out=$2
	shift 2
	(
		cd / || exit 125
		case $resolver in
		look) walk=LIBJAIL_CLEAN=always ;; # lookups that remember from the first call on
		*) walk=LIBJAIL_RESOLVER=$resolver ;;
		esac
		# shellcheck disable=SC2086
		exec env -i PATH=/bin ORACLE_ROOT="$dir" $walk $older $as_user "$jailrun" --cloexec=off --root "$dir" -w / -- \
			/bin/oracle "$@" </dev/null 7<"$dir.out" >"$out"
	)
}

# pass WHO DIR: the table, the random sequences, and the tree that they leave
pass() {
	who=$1 dir=$2
	shift 2
	say "$who in $dir"
	$who "$dir" "$dir.txt" run "$@" || fail "$who in $dir: the table ended with status $?"
	if [ $# -eq 0 ]; then
		say "random sequences"
		for seed in $seeds; do
			$who "$dir" "$dir.random" random "$seed" "$sequences" ||
				fail "$who in $dir: the random sequences ended with status $?"
			# one line a sequence
			awk '/^ / { printf ";%s", $0; next } { if (NR > 1) print ""; printf "%s", $0 } END { if (NR) print "" }' \
				"$dir.random" | sed 's/^/0000 /' >>"$dir.txt"
			rm -f "$dir.random"
		done
	fi
	say "what is left"
	{
		"$host" tree "$dir"
		"$host" tree "$dir.out" | sed 's/^"/"OUT/'
	} >"$dir.tree"
}

# compare TITLE A B: the two passes' lines and trees
compare() {
	say "comparing $1"
	awk -v title="$1" -v known="$here/known-differences" -v counts="$base/counts" -v seen="$base/seen" '
		function name_of(text, file,    part) {
			if (file ~ /\.txt$/) {
				split(text, part, " ")
				return part[2]
			}
			split(text, part, "\"")
			text = part[2]
			if (text ~ /^\/w\//) {
				split(text, part, "/")
				return part[3]
			}
			if (text ~ /^\/r\/./) {
				split(text, part, "/")
				return "random." part[3]
			}
			return "tree:" text
		}
		function key_of(text, file,    part) {
			split(text, part, file ~ /\.txt$/ ? " " : "\"")
			return (file ~ /\.txt$/ ? "" : "tree ") part[2]
		}
		function allowed(name,    i) {
			for (i = 1; i <= nknown; i++)
				if (name ~ pattern[i]) {
					print source[i] >>seen
					return 1
				}
			return 0
		}
		function differ(name, a, b,    same) {
			if (allowed(name)) {
				expected++
				return
			}
			failed++
			# of a long scenario, where the two part
			same = 1
			if (length(a) + length(b) > 800)
				while (substr(a, same, 20) == substr(b, same, 20))
					same += 20
			if (same > 100) {
				a = "..." substr(a, same - 100, 400)
				b = "..." substr(b, same - 100, 400)
			}
			printf "%s: %s\n  kernel: %s\n  jail:   %s\n", title, name, a, b
		}
		BEGIN {
			while ((getline row <known) > 0) {
				if (row ~ /^#/ || row ~ /^[ \t]*$/)
					continue
				split(row, part, " ")
				source[++nknown] = part[1]
				gsub(/[.+?()\[\]{}|^$\\]/, "\\\\&", part[1])
				gsub(/\*/, ".*", part[1])
				pattern[nknown] = "^" part[1] "$"
			}
		}
		{
			key = key_of($0, FILENAME)
			if (current != FILENAME) {
				current = FILENAME
				nth++
			}
			if (nth <= 2) {
				a[key] = $0
				name[key] = name_of($0, FILENAME)
				order[++n] = key
			} else if (!(key in a)) {
				differ(name_of($0, FILENAME), "(nothing)", $0)
			} else {
				b[key] = $0
			}
		}
		END {
			for (i = 1; i <= n; i++) {
				key = order[i]
				if (!(key in b))
					differ(name[key], a[key], "(nothing)")
				else if (a[key] != b[key])
					differ(name[key], a[key], b[key])
				else
					passed++
			}
			printf "%d %d %d\n", passed, failed, expected >>counts
			printf "%s: %d equal, %d differ, %d known differences\n", title, passed, failed, expected
		}' "$2.txt" "$2.tree" "$3.txt" "$3.tree"
}

: >"$base/counts"
: >"$base/seen"
host=$base/oracle-host
cflags='-std=gnu11 -O1 -Wall -Wextra -pthread'
libs='-ldl -lrt -lutil'
# shellcheck disable=SC2086
${CC:-cc} $cflags -o "$host" "$here/oracle.c" $libs || fail "does not build"

older=''
if [ "${ORACLE_LINUX:-}" ]; then
	${CC:-cc} -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -o "$base/older" "$top/tests/program/older.c" || fail "does not build"
	older="$base/older $ORACLE_LINUX"
	$older true || skip "no seccomp filters on this machine"
fi

# libc LIBC CASE...: all passes for one libc
libc() {
	libc=$1
	shift
	program=$host
	if [ "$libc" = musl ]; then
		program=$base/oracle-musl
		# shellcheck disable=SC2086
		musl-gcc $cflags -o "$program" "$here/oracle.c" $libs || fail "does not build with musl-gcc"
	fi
	mkdir "$base/$libc"
	work=$base/$libc
	root "$work/k" "$work/k.out" "$program" "$libc"
	pass kernel "$work/k" "$@"
	grep -q . "$work/k.txt" || fail "nothing came from the real chroot"
	if [ "${ORACLE_PASS:-}" = kernel ]; then
		root "$work/q" "$work/q.out" "$program" "$libc"
		pass kernel "$work/q" "$@"
		compare "$libc again" "$work/k" "$work/q"
		return
	fi
	for resolver in ${ORACLE_RESOLVERS:-auto walk}; do
		# one letter each: host paths of one length
		dir=$work/$(printf '%.1s' "$resolver")
		root "$dir" "$dir.out" "$program" "$libc"
		pass jail "$dir" "$@"
		compare "$libc $resolver" "$work/k" "$dir"
	done
}

if [ "${ORACLE_SAMPLE:-}" ] && [ $# -eq 0 ]; then
	# shellcheck disable=SC2046 # names have no blanks
	set -- $("$host" run -t | awk -v every="$ORACLE_SAMPLE" '{ call = $2; sub(/\..*/, "", call) } n[call]++ % every == 0 { print $2 }')
fi
cases=$*

if [ "${ORACLE_PASS:-}" != kernel ] && [ ! -x "$jailrun" ]; then
	fail "no $jailrun: build it, or set JAILRUN"
fi
which=${ORACLE_LIBC:-glibc musl}
if ! command -v musl-gcc >/dev/null; then
	[ "$which" != musl ] || skip "no musl-gcc"
	printf 'SKIP: oracle: no musl-gcc: not compared in a musl root\n'
	which=glibc
fi
# side by side: each mostly waits for the other's processor
jobs=''
for one in $which; do
	libc "$one" "$@" >"$base/report.$one" 2>&1 &
	jobs="$jobs $!:$one"
done
broken=0
for job in $jobs; do
	wait "${job%%:*}" || broken=1
	cat "$base/report.${job#*:}"
done
[ "$broken" -eq 0 ] || fail "did not get through"

# a known difference that is none any more would hide the next one
gone=0
if [ $# -eq 0 ] && [ -z "${ORACLE_PASS:-}${ORACLE_LIBC:-}" ]; then
	sort -u -o "$base/seen" "$base/seen"
	sed '/^#/d; /^[[:space:]]*$/d; s/[[:space:]].*//' "$here/known-differences" | sort -u | comm -23 - "$base/seen" >"$base/gone"
	while read -r name; do
		printf 'known difference that does not differ: %s\n' "$name"
		gone=$((gone + 1))
	done <"$base/gone"
fi
awk -v gone="$gone" '{ p += $1; f += $2 } END { printf "%d passed, %d failed\n", p, f + gone; exit f + gone > 0 }' "$base/counts"
