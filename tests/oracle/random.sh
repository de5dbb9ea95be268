#!/bin/sh
# SPDX-License-Identifier: ISC
#
# random.sh: the random oracle.  Trees and sequences of calls that nobody chose, under a real chroot
# and under libjail with each resolver, by the same unprivileged user, in a glibc and a musl root;
# every answer and what is left on the disk must be equal.  A difference is made small and printed
# with the line that replays it.  A second process, in the root or outside of it, changes what the first
# one looks at (second.h).  This file makes the roots; random.c does the rest.
#
# usage: tests/oracle/random.sh [--libc glibc|musl] [--replay SEED:CASE[:STEPS[:TREE]]]
#
#   FUZZ_SEED     the seed (default: 1)
#   FUZZ_SECONDS  how long (default: 60; 0: until stopped)
#   FUZZ_FIRST    the first case (default: 0)
#   FUZZ_JOBS     how many at a time of each libc, which share the cases (default: 2)
#   FUZZ_MOST     stop a libc after so many differences (default: 5)
#   JAILRUN       the launcher (default: tools/jailrun)
#   ORACLE_BOUND_MS  after a change by a process that is not under libjail, how long an answer may be
#                 the one of before (default: 10; libjail.7)

set -u

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1
top=$(CDPATH='' cd -- "$here/../.." && pwd) || exit 1
jailrun=${JAILRUN:-$top/tools/jailrun}
which='glibc musl'
replay=''

while [ $# -gt 0 ]; do
	case $1 in
	--libc)
		which=${2:?--libc needs a name}
		shift 2
		;;
	--replay)
		replay=${2:?--replay needs SEED:CASE}
		shift 2
		;;
	*)
		sed -n 's/^# usage: /usage: /p' "$0" >&2
		exit 2
		;;
	esac
done

skip() {
	printf 'SKIP: random oracle: %s\n' "$*"
	exit 0
}

fail() {
	printf 'random: %s\n' "$*" >&2
	exit 1
}

PATH=$PATH:/usr/sbin:/sbin
if [ -z "${RANDOM_BASE:-}" ]; then
	[ "$(id -u)" -eq 0 ] || skip "needs root, for the real chroot to compare with"
	for tool in setpriv unshare chroot mount ldd; do
		command -v "$tool" >/dev/null || skip "no $tool on this machine"
	done
	[ -x "$jailrun" ] || fail "no $jailrun: build it, or set JAILRUN"
	RANDOM_BASE=$(mktemp -d "${TMPDIR:-/tmp}/random.XXXXXX") || exit 1
	export RANDOM_BASE
	chmod 755 "$RANDOM_BASE"
	trap 'rmdir -- "$RANDOM_BASE"' EXIT
	trap 'exit 1' HUP INT TERM
	unshare --mount -- sh "$0" ${replay:+--replay "$replay"} --libc "$which"
	exit $?
fi

# in a mount namespace of our own: nothing stays
base=$RANDOM_BASE
mount -t tmpfs -o mode=755 random "$base" || fail "no tmpfs"

# lib FILE ROOT: copies what the dynamic program FILE needs into ROOT
lib() {
	ldd "$1" | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p' | while read -r l; do
		mkdir -p "$2${l%/*}"
		[ -e "$2$l" ] || cp -L -- "$l" "$2$l"
	done
}

# side DIR PROGRAM LIBC: DIR/root, where anybody may make names but not touch what the test needs
side() {
	mkdir -p "$1/root/bin" "$1/root/proc" "$1/root/dev" "$1/root/sys"
	cp -- "$2" "$1/root/bin/random"
	if [ "$3" = musl ]; then
		mkdir -p "$1/root/lib"
		cp -L /lib/ld-musl-*.so.1 "$1/root/lib/" || fail "no musl loader in /lib"
	else
		lib "$2" "$1/root"
	fi
	chmod 1777 "$1" "$1/root"
}


: >"$base/counts"
jobs_each=${FUZZ_JOBS:-2}
if [ "$replay" ]; then
	jobs_each=1
fi

# libc LIBC JOB
libc() {
	program=$base/random-$1
	dir=$base/$1$2
	mkdir "$dir"
	for letter in K A W; do
		side "$dir/$letter" "$program" "$1"
	done
	for d in proc dev sys; do
		mount --rbind "/$d" "$dir/K/root/$d" || fail "cannot bind /$d"
	done
	RANDOM_JAILRUN=$jailrun RANDOM_COUNTS=$base/counts \
		"$base/random-host" drive "$dir" "$1" "${FUZZ_SEED:-1}" "${FUZZ_SECONDS:-60}" "${FUZZ_MOST:-5}" \
			"$((${FUZZ_FIRST:-0} + $2))" "$jobs_each" \
			${replay:+"$replay"}
}

printf 'random: seed %s\n' "${FUZZ_SEED:-1}"
case $which in
*musl*)
	if ! command -v musl-gcc >/dev/null; then
		printf 'random: no musl-gcc: not compared in a musl root\n'
		which=glibc
	fi
	;;
esac
cflags='-std=gnu11 -O2 -Wall -Wextra -pthread'
# shellcheck disable=SC2086
${CC:-cc} $cflags -o "$base/random-host" "$here/random.c" || fail "does not build"
for one in $which; do
	if [ "$one" = musl ]; then
		# shellcheck disable=SC2086
		musl-gcc $cflags -o "$base/random-musl" "$here/random.c" || fail "does not build with musl-gcc"
	else
		cp -- "$base/random-host" "$base/random-$one"
	fi
done
# A /dev of our own: what is done to a device through a bind is done to the machine's, and everybody may
# set the times of a link to now, and of what he may write to.
own_dev() {
	mkdir -m 1777 "$base/dev/shm" || return
	for f in null zero full random urandom tty fd stdin stdout stderr; do
		[ ! -L "/dev/$f" ] && [ ! -e "/dev/$f" ] || cp -a -- "/dev/$f" "$base/dev/" || return
	done
	(: >"$base/dev/null") 2>/dev/null || return # a container may make devices and not open them
	mount --move "$base/dev" /dev
}
mkdir "$base/dev"
mount -t tmpfs -o mode=755 dev "$base/dev" || fail "no tmpfs"
own_dev || {
	umount "$base/dev"
	printf "random: no devices can be made: the machine's own are in use\n"
}
rmdir "$base/dev"
"$base/random-host" hold "$base" || fail "cannot keep the host from being written to"
# side by side: each mostly waits for the other's processor
jobs=''
for one in $which; do
	job=0
	while [ "$job" -lt "$jobs_each" ]; do
		libc "$one" "$job" &
		jobs="$jobs $!"
		job=$((job + 1))
	done
done
status=0
for job in $jobs; do
	wait "$job" || status=1
done
# in sequences; a driver that did not come to its end is a failure too
awk -v status="$status" '{ p += $1 - $2; f += $2 } END {
	if (status && !f)
		f = 1
	printf "%d passed, %d failed\n", p, f
	exit f > 0
}' "$base/counts"
