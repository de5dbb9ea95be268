#!/bin/sh
# SPDX-License-Identifier: ISC
#
# race.c: eight threads look and change below names that are directories, symlinks and symlinks out of the root by turns,
# swapped by a process inside and by one outside.  Nothing may come from outside of the root, but for the bound
# (libjail.7) after a swap by the process outside, and nothing outside may change, ever.  The kernel's own chroot passes the same for a second, so that what is asked is what a chroot does.
#
#   RACE_SECONDS     how long with libjail (default: 7; a minute says more)
#   RACE_STRICT      if set, no lookup may be led outside by a swap of the process outside either, not even for the bound
#   ORACLE_BOUND_MS  so old an answer may be after a swap by the process outside (default: 10; libjail.7)
# shellcheck disable=SC2317 # in_kernel, in_jail and in_walk are called by race
# shellcheck source=tests/program/common
. "${0%/*}/common"

seconds=${RACE_SECONDS:-7}
mkdir -p "$T/opt"
${CC:-cc} -std=gnu11 -Wall -Wextra -O1 -pthread -o "$T/opt/race" tests/program/race.c || exit 1

# NAME SECONDS COMMAND...: the race in a world of its own; the command runs its last words in the root.
race() {
	name=$1 base=$T/$1 time=$2
	shift 2
	mkdir "$base" && "$T/usr/bin/jailroot" "$base/root" "$T/opt/race" >/dev/null || exit 1
	if ! mkdir -p "$base/root$base" || ! cp "$T/opt/race" "$base/root$base/race"; then exit 1; fi # for scripts
	[ "$(id -u)" != 0 ] || chown -R "$U:$U" "$base"
	as "$T/opt/race" make "$base" || exit 1
	as "$T/opt/race" shot "$base" >"$T/before"
	mkfifo "$T/said"
	"$@" "$T/opt/race" look "$base" "$time" >"$T/said" 2>"$T/errors" </dev/null &
	lookers=$!
	{
		read -r ready
		[ "$ready" != ready ] || as "$T/opt/race" swap "$base" "$time" >/dev/null 2>>"$T/errors" </dev/null &
		cat
		wait
	} <"$T/said" >"$T/rows"
	wait "$lookers"
	status=$?
	rm "$T/said"
	grep '^#' "$T/rows" "$T/errors" | sed 's/^[^#]*//'
	[ "$status" = 0 ] && [ -s "$T/rows" ]
	result=$?
	[ $result = 0 ] || sed 's/^/# /' "$T/errors"
	row $result "$name: the race comes to its end"
	while read -r result text; do
		case $result in
		[01]) row "$result" "$name: $text" ;;
		esac
	done <"$T/rows"
	as "$T/opt/race" shot "$base" >"$T/after"
	[ "$(wc -l <"$T/before")" -gt 20 ] && cmp -s "$T/before" "$T/after"
	result=$?
	[ $result = 0 ] || diff "$T/before" "$T/after" | head -n 10 | sed 's/^/# /'
	row $result "$name: what lies beside the root is as it was"
}

in_kernel() {
	setpriv --reuid="$U" --regid="$U" --clear-groups --inh-caps=-all,+sys_chroot --ambient-caps=-all,+sys_chroot -- \
		chroot "$base/root" "$@"
}
in_jail() {
	as "$jailrun" --root "$base/root" -w / -- "$@"
}
in_walk() {
	LIBJAIL_RESOLVER=walk as "$jailrun" --root "$base/root" -w / -- "$@"
}

[ "$(id -u)" != 0 ] || race kernel 1 in_kernel
race jail "$seconds" in_jail
race walk 2 in_walk
done_testing
