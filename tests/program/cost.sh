#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What a process and an exec cost more under libjail than without it: cost.c executes true, strace(1) counts
# system calls, the kernel page faults.  Both are the same on a busy machine and an idle one, where a time is not.
# shellcheck source=tests/program/common
. "${0%/*}/common"
root=$T/root
mkdir "$T/opt" "$T/out"
chmod 777 "$T/out"
${CC:-cc} -O1 -Wall -Wextra -o "$T/opt/cost" tests/program/cost.c || skip_all "no compiler"
"$T/usr/bin/jailroot" "$root" "$T/opt/cost" true >"$T/log" 2>&1 || skip_all "no root can be made"
ldconfig -X -r "$root" 2>/dev/null # as roots have: where libraries are looked for without it depends on the processor

# Where the stack lies decides whether a path crosses a page, which is looked at by a call more.
trace="strace -f -e signal=none -o $T/out/calls"
! setarch -R true 2>/dev/null || trace="setarch -R $trace"

# IN HOW N COMMAND...: cost HOW N, native, plain (under libjail) or in a root, by COMMAND; as an ordinary user, with
# nothing else in the environment
cost() {
	cost_in=$1 cost_how=$2 cost_n=$3
	shift 3
	case $cost_in in
	native) set -- "$@" "$T/opt/cost" ;;
	plain) set -- "$@" env LD_PRELOAD="$lib" "$T/opt/cost" ;;
	rooted) set -- "$@" "$jailrun" --root "$root" -- "$T/opt/cost" ;;
	esac
	as timeout 60 env -i PATH="$PATH" LC_ALL=C "$@" "$cost_how" "$cost_n" </dev/null 2>>"$T/log"
}

# IN HOW: page faults of one time, the median of several parents, whose addresses say which pages lie together
faults() {
	for _ in 1 2 3 4 5; do
		cost "$1" "$2" 50 || return
	done | sort -n | sed -n 3p
}

# IN HOW: system calls of one time.  A few times and many are counted: what both have is not of the times.
calls() {
	calls_few=$(traced "$1" "$2" 3) && calls_many=$(traced "$1" "$2" 53) && echo $(((calls_many - calls_few) / 50))
}
traced() {
	# shellcheck disable=SC2086 # words they are
	cost "$@" $trace >"$T/out/said" || return
	# one that strace tells in two lines counts as well
	grep -c '^[0-9 ]*[a-z_0-9]*(.*\( = \|unfinished\)' "$T/out/calls"
}

# NATIVE OURS MOST UNIT NAME: are there at most MOST more than natively?
most() {
	most_ok=1
	[ -z "$1" ] || [ -z "$2" ] || [ $(($2 - $1)) -gt "$3" ] || most_ok=0
	echo "# $5: ${2:-no} $4, ${1:-no} without libjail"
	[ $most_ok = 0 ] || sed 's/^/# /' "$T/log"
	row $most_ok "$5 and wait: at most $3 $4 more"
}

while read -r how in calls faults; do
	name="$how, exec of true"
	[ "$in" = plain ] || name="$name in a root"
	if strace -o "$T/log" true 2>/dev/null; then
		: >"$T/log"
		most "$(calls native "$how")" "$(calls "$in" "$how")" "$calls" "system calls" "$name"
	else
		row 0 "$name: system calls # SKIP strace does not work here"
	fi
	most "$(faults native "$how")" "$(faults "$in" "$how")" "$faults" "page faults" "$name"
done <<TEXT
vfork plain   10  6
vfork rooted  77 11
fork  plain   12  9
fork  rooted  83 16
TEXT
done_testing
