#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Many symlinks, files, directories: many.c makes them in a root, under strace(1), which counts the system calls.
# Ten times as many cost ten times as much, and what libjail remembers of directories (LIBJAIL_CLEAN, libjail.7)
# costs a process that changes them all the time little.
# shellcheck source=tests/program/common
. "${0%/*}/common"
strace -o "$T/log" true 2>/dev/null || skip_all "strace does not work here"
root=$T/root
mkdir -p "$T/opt" "$root"
${CC:-cc} -std=gnu11 -O1 -Wall -Wextra -o "$T/opt/many" tests/program/many.c -lpthread &&
	"$T/usr/bin/jailroot" "$root" "$T/opt/many" >"$T/log" 2>&1 || exit 1
mkdir -m 1777 "$T/out"

# WHAT N CLEAN: in $calls how many system calls that makes, in a /w of its own
calls() {
	rm -rf "$root/w"
	mkdir -p "$root/w/a/b" "$root/w/links" "$root/w/tree" "$root/w/moved"
	: >"$root/w/a/b/file"
	chmod -R 777 "$root/w"
	LIBJAIL_CLEAN=$3
	export LIBJAIL_CLEAN
	as timeout 100 strace -f -e signal=none -o "$T/out/calls" "$jailrun" --root "$root" -w / -- "$T/opt/many" "$1" "$2" \
		>"$T/said" 2>&1 </dev/null
	unset LIBJAIL_CLEAN
	calls=$(grep -c '(' "$T/out/calls")
	[ "$(grep -v '^now' "$T/said")" = "done $2" ] || {
		sed 's/^/# /' "$T/said"
		row 1 "$1: $2 of them are made"
		calls=0
	}
}

# Where each change makes it forget, the memory makes no more calls than there are without it.
most=101
for what in symlinks files walk moves; do
	calls "$what" 0 on
	none=$calls
	calls "$what" 50 on
	few=$((calls - none))
	calls "$what" 500 on
	many=$((calls - none))
	# without the start; it is found out anew, now and then, which directories are clean
	[ "$few" -ge 50 ] && [ $((many * 100)) -le $((few * 1050)) ]
	result=$?
	[ $result = 0 ] || echo "# $few system calls for 50, $many for 500"
	row $result "$what: ten times as many cost ten times as much"
	calls "$what" 0 off
	none=$calls
	calls "$what" 500 off
	off=$((calls - none))
	[ "$off" -ge 500 ] && [ $((many * 100)) -le $((off * most)) ]
	result=$?
	echo "# 500 $what: $many system calls, $off without the memory"
	row $result "$what: at most $most % of the system calls that there are without the memory"
done

# Who dies in the middle of a change does not make all others look the long way for ever.
calls killed 100 on
looks=$(sed '1,/write(2, "now/d' "$T/out/calls" | grep -c 'newfstatat(')
held=$(sed '1,/write(2, "now/d' "$T/out/calls" | grep -c 'openat2(')
[ "$looks" -ge 600 ] && [ "$held" -le 400 ] # so many until somebody asks who is still there
row $? "killed in the middle of a change: a thousand lookups are $looks plain calls, $held hold something"
done_testing
