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
#   --keep       leave BASE behind, with the outputs in it
#   -v           say what is being done
#   CASE...      only these cases of the table
#
#   JAILRUN      the launcher (default: tools/jailrun)
#   ORACLE_USER  numeric user and group to run as (default: 65533)
#   SEED         one more seed for the random sequences
#   ORACLE_PASS  "kernel": only run under chroot, twice, and compare the two
#   ORACLE_LIBC  only this libc: glibc or musl

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
		printf 'oracle: %s\n' "$*" >&2
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

# The kernel's side needs chroot(2) and mounts: root, or a user namespace that keeps our uid.
if [ "$(id -u)" -eq 0 ]; then
	own=$user
	as_user="setpriv --reuid=$user --regid=$user --clear-groups --"
	as_chrooter="setpriv --reuid=$user --regid=$user --clear-groups --inh-caps=-all,+sys_chroot --ambient-caps=-all,+sys_chroot --"
	private="unshare --mount --"
elif unshare --user --map-current-user --keep-caps --mount -- true 2>/dev/null; then
	own=''
	as_user=''
	as_chrooter="setpriv --inh-caps=-all,+sys_chroot --ambient-caps=-all,+sys_chroot --"
	private="unshare --user --map-current-user --keep-caps --mount --"
else
	skip "needs root, or user namespaces, for the real chroot to compare with"
fi
for tool in setpriv unshare chroot ldd; do
	command -v "$tool" >/dev/null || skip "no $tool on this machine"
done

if [ "$base" ]; then
	[ ! -e "$base" ] || fail "$base exists: it would be overwritten"
	mkdir -p -- "$base" || exit 1
else
	base=$(mktemp -d "${TMPDIR:-/tmp}/oracle.XXXXXX") || exit 1
fi
base=$(CDPATH='' cd -- "$base" && pwd -P) || exit 1
chmod 755 "$base"
clean() {
	if [ -z "$keep" ]; then
		# a fixture has directories that their owner may not enter
		[ "$own" ] || chmod -R u+rwx "$base" 2>/dev/null
		rm -rf -- "$base"
	fi
}
trap clean EXIT
trap 'exit 1' HUP INT TERM

# lib FILE ROOT: copies what the dynamic program FILE needs into ROOT
lib() {
	ldd "$1" | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p' | while read -r l; do
		mkdir -p "$2${l%/*}"
		[ -e "$2$l" ] || cp -L -- "$l" "$2$l"
	done
}

# root DIR OUTSIDE PROGRAM LIBC
root() {
	mkdir -p "$1/bin" "$1/sub/bin"
	cp -- "$3" "$1/bin/oracle"
	cp -L /bin/sh "$1/bin/sh"
	lib /bin/sh "$1"
	if [ "$4" = musl ]; then
		loader=$(sed -n 's/.*\(\/lib\/ld-musl-[a-z0-9_-]*\.so\.1\).*/\1/p' "$1/bin/oracle" | tr -d '\0' | head -n 1)
		mkdir -p "$1/lib"
		[ -e "$1${loader:=/lib/ld-musl-$(uname -m).so.1}" ] || cp -L -- "$loader" "$1$loader"
	else
		lib "$1/bin/oracle" "$1"
	fi
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
	$as_user "$host" setup "$1" "$2.up/out" || fail "no fixture in $1"
	mv -- "$2.up/out" "$2"
	rmdir "$2.up"
}

# kernel DIR OUT ARG...: the oracle under chroot(2)
kernel() {
	dir=$1 out=$2
	shift 2
	# shellcheck disable=SC2016,SC2086
	$private sh -c '
		dir=$1 out=$2 priv=$3
		shift 3
		for d in proc dev sys; do
			mount --rbind "/$d" "$dir/$d" || exit 125
		done
		cd / || exit 125
		exec env -i PATH=/bin ORACLE_ROOT="$dir" $priv chroot "$dir" /bin/oracle "$@" </dev/null 7<"$dir.out" >"$out"
	' sh "$dir" "$out" "$as_chrooter" "$@"
}

# jail RESOLVER DIR OUT ARG...: the oracle under libjail
jail() {
	resolver=$1 dir=$2 out=$3
	shift 3
	(
		cd / || exit 125
		if [ "$resolver" ]; then
			set -- LIBJAIL_RESOLVER="$resolver" "$@"
		else
			set -- ORACLE_=1 "$@"
		fi
		first=$1
		shift
		# shellcheck disable=SC2086
		exec env -i PATH=/bin:/usr/bin ORACLE_ROOT="$dir" "$first" $as_user "$jailrun" --cloexec=off --root "$dir" -w / -- \
			/usr/bin/env_is_not_needed "$@" </dev/null 7<"$dir.out" >"$out"
	)
}

# pass WHO DIR: the table, the random sequences, and the tree that they leave
pass() {
	who=$1 dir=$2
	shift 2
	say "$who in $dir"
	$who "$dir" "$dir.txt" run "$@" || printf 'run = exit status %d\n' "$?" >>"$dir.txt"
	if [ $# -eq 0 ]; then
		for seed in $seeds; do
			$who "$dir" "$dir.random" random "$seed" "$sequences" ||
				printf 'random = exit status %d\n' "$?" >>"$dir.random"
			# one line a sequence
			awk '/^ / { printf ";%s", $0; next } { if (NR > 1) print ""; printf "%s", $0 } END { if (NR) print "" }' \
				"$dir.random" | sed 's/^/0000 /' >>"$dir.txt"
			rm -f "$dir.random"
		done
	fi
	{
		"$host" tree "$dir"
		"$host" tree "$dir.out" | sed 's/^"/"OUT/'
	} >"$dir.tree"
}
