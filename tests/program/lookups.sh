#!/bin/sh
# SPDX-License-Identifier: ISC
#
# How many system calls a lookup makes in a root: tests/bench/micro.c makes each lookup many times under
# strace(1), and writes the lookup's name to no descriptor before each time.  What counts is the least of the
# times: what libjail remembers of a directory may have to be found anew now and then, which depends on the clock.
# shellcheck source=tests/program/common
. "${0%/*}/common"
strace -o "$T/log" true 2>/dev/null || skip_all "strace does not work here"
root=$T/root
mkdir -p "$T/opt"
${CC:-cc} -std=gnu11 -O1 -Wall -Wextra -o "$T/opt/micro" tests/bench/micro.c -ldl &&
	"$T/usr/bin/jailroot" "$root" "$T/opt/micro" >"$T/log" 2>&1 || exit 1
chmod 1777 "$root/tmp"
as "$jailrun" --root "$root" -- "$T/opt/micro" -s || exit 1

# The most system calls that are allowed.
#         abs 3  abs 10  relative 3  relative 10  ENOENT abs  ENOENT relative
cat >"$T/limits" <<TEXT
stat      1      1       1           1            1           1
lstat     1      1       1           1            1           1
statx     1      1       1           1            1           1
access    1      1       1           1            1           1
readlink  1      1       1           1            1           1
TEXT
awk -v OFS='\t' '{
	print $2, $1 " abs (3 comps)"; print $3, $1 " abs (10 comps)"
	print $4, $1 " relative (3 comps)"; print $5, $1 " relative (10 comps)"
	print $6, $1 " ENOENT abs"; print $7, $1 " ENOENT relative (3 comps)"
}' "$T/limits" >"$T/wanted"
sed 's/  */\t/' >>"$T/wanted" <<TEXT
1 stat abs via /lib symlink
1 stat rel. symlink to file
4 stat abs. symlink to file
1 stat relative (1 comp)
1 stat ENOENT relative
1 fstatat(dirfd)
1 fstat(fd)
3 chdir abs
4 getxattr abs
3 lgetxattr abs
TEXT

times=50
mkdir -m 1777 "$T/out"
cut -f 2 "$T/wanted" | as timeout 100 strace -f -e signal=none -o "$T/out/calls" -s 80 \
	"$jailrun" --root "$root" -- "$T/opt/micro" -c $times >"$T/said" 2>"$T/errors"
[ "$(sort "$T/said" | uniq -c | tr -s ' ')" = " $(grep -c . "$T/wanted") ok" ]
result=$?
[ $result = 0 ] || sed 's/^/# /' "$T/said" "$T/errors"
row $result "every lookup answers what it should"

# Each line of strace is a system call, and those after a name are of the lookup of that name: its number,
# least and usual.
awk '
	/ write\(-1, ""/ { name = "" }
	/ write\(-1, "[^"]/ { split($0, part, "\""); name = part[2]; at[name]++; next }
	name { calls[name, at[name]]++ }
	END {
		for (name in at) {
			least = 1000
			split("", often)
			for (i = 1; i <= at[name]; i++) {
				n = calls[name, i] + 0
				least = n < least ? n : least
				often[n]++
			}
			usual = least
			for (n in often)
				usual = often[n] > often[usual] ? n : usual
			printf "%s\t%d\t%d\t%d\n", name, at[name], least, usual
		}
	}' "$T/out/calls" >"$T/got"
tab=$(printf '\t')
while IFS=$tab read -r limit name; do
	IFS=$tab read -r _ made least usual <<-TEXT
		$(grep "^$name$tab" "$T/got")
	TEXT
	[ "${made:-0}" = $times ] && [ "$least" -ge 1 ] && [ "$least" -le "$limit" ]
	result=$?
	[ $result = 0 ] && [ "$usual" -le "$limit" ] || echo "# $name: ${least:-?} system calls at least, usually ${usual:-?}, in ${made:-0} times of $times"
	row $result "$name: at most $limit system call$([ "$limit" = 1 ] || echo s)"
done <"$T/wanted"
done_testing
