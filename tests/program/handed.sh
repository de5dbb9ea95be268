#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Which descriptors a program has that another executes, each row natively, forced, and in report mode with a
# report, which has to say the same: numbers that libc closed and gave to something else, dup2 of a
# number onto itself, numbers that a child is told by its arguments, and those that mean something else.
# The second half of each group are the false friends: natively inherited by mistake, and stopped.
# shellcheck source=tests/program/common
. "${0%/*}/common"
command -v python3 >/dev/null || skip_all "python3 is not installed: it reads the reports"
src=$PWD/tests/program
W=$T/w
mkdir "$W" && chmod 777 "$W"
${CC:-cc} -std=gnu11 -g -O1 -Wall -Wextra -o "$W/handed" "$src/handed.c" && cp "$W/handed" "$W/has" || exit 1
ev=$W/events

# What ./handed ARG... says without descriptors but 0-2: to $W/MODE.out
go() { # MODE ARG...
	go_mode=$1
	shift
	(
		cd "$W" || exit
		rm -f "$ev"
		case $go_mode in
		native) ;;
		force) set -- env LD_PRELOAD="$lib" "$@" ;;
		report) set -- env LD_PRELOAD="$lib" LIBJAIL_CLOEXEC=report LIBJAIL_REPORT="$ev" "$@" ;;
		strict) set -- env LD_PRELOAD="$lib" LIBJAIL_CLOEXEC=report-strict LIBJAIL_REPORT="$ev" "$@" ;;
		root) set -- "$jailrun" --root / -w "$W" -- "$@" ;;
		esac
		timeout -k 1 20 "$@"
	) >"$W/$go_mode.out" 2>/dev/null </dev/null 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- || echo "status $?" >>"$W/$go_mode.out"
}

# What the report says of the exec of ./has: "leak", "kept WHY", or nothing.
told() {
	python3 - "$ev" <<'X'
import json, os, sys
for line in open(sys.argv[1]):
    e = json.loads(line)
    if e["ev"] in ("exec-leak", "exec-kept") and os.path.basename(e["target"]) == "has":
        print("leak" if e["ev"] == "exec-leak" else "kept " + e["why"], *[f["fd"] for f in e["fds"]])
X
}

# NAME NATIVE FORCED TOLD ARG...: has or lost; what the report must say, of which descriptors (a pattern)
same() {
	same_name=$1 same_native=$2 same_forced=$3 same_told=$4
	shift 4
	for same_mode in native force root report; do
		go $same_mode ./handed "$@"
	done
	same_got="$(cat "$W/native.out") $(cat "$W/force.out") $(cat "$W/root.out") $(told | sort -u | paste -s -d , -)"
	same_want="$same_native $same_forced $same_forced $same_told"
	# shellcheck disable=SC2254 # a pattern it is
	case $same_got in
	$same_want) true ;;
	*) echo "# got '$same_got', wanted '$same_want'" && false ;;
	esac
	row $? "$same_name"
}

# -- closed inside libc, and given to something that is close-on-exec ---------------------------------
same "nothing is closed" has has "kept samepid 3" closed nothing
for what in "fclose, opendir:fclose" "fclose, libc's own file:fclose-hosts" "closedir, opendir:closedir" \
	"fdopendir sets the flag:fdopendir" "pclose, fopen e:pclose" "freopen that fails, opendir:freopen" \
	"freopen with e:freopen-asked" "fts_close, opendir:fts" "a bare system call, opendir:bare-opendir" \
	"a bare system call, another kind of file:bare"; do
	same "${what%:*}" lost lost "" closed "${what##*:}"
done
same "freopen without e" has has "kept samepid 3" closed freopen-kept

# The directories that glob(3) has opened it closes itself, in a root by our functions.
bad_closes() {
	sed -n 's/.*"ev":"bad-close".*"kind":"\([a-z-]*\)".*/\1/p' "$ev" | paste -s -d ' ' -
}
for mode in native root; do
	rm -f "$ev"
	(
		cd "$W" || exit
		case $mode in
		native) LD_PRELOAD="$lib" LIBJAIL_REPORT="$ev" ./handed glob ;;
		root) "$jailrun" --root / -w "$W" --report="$ev" -- ./handed glob ;;
		esac
	) </dev/null 3>&- 4>&- 5>&-
	mode_status=$?
	mode_kinds=$(bad_closes)
	echo "# $mode: $mode_kinds"
	[ "$mode_status $mode_kinds" = "0 not-open" ] || [ "$mode_status $mode_kinds" = "0 double" ]
	row $? "glob, then close of what is not open: one bad close ($mode)"
done

# What libjail has open itself shows in /proc/self/fd: a program that closes what it finds there does no wrong.
rm -f "$ev"
(cd "$W" && "$jailrun" --root / -w "$W" --report="$ev" -- ./handed shown) </dev/null 3>&- 4>&- 5>&- &&
	grep -q '"ev":"exit"' "$ev" && [ -z "$(bad_closes)" ]
row $? "a program closes what /proc/self/fd shows: no bad close"

# -- dup2 of a number onto itself -----------------------------------------------------------------------
same "dup2(n, n): the program means it" has has "kept meant 3" onto dup2
same "syscall(SYS_dup2, n, n)" has has "kept meant 3" onto syscall
same "dup2(n, n) in a vfork child" has has "kept meant 3" onto vfork
same "posix_spawn_file_actions_adddup2(n, n)" has has "kept meant 3" onto spawn
same "dup2(n, n) leaves the program's own flag" lost lost "" onto asked
same "dup3(n, n) is EINVAL and changes nothing" has lost "leak 3" onto dup3

# -- a number that a child is told ----------------------------------------------------------------------
while read -r args; do
	# shellcheck disable=SC2086 # words they are
	same "told: $args" has has "kept argv 4" told end $args
done <<'X'
has --print-address %d
has --print-address=%d
has --print-pid %d
has --status-fd %d
has -w %d
has fd://%d
has FD:%d
has fd@%d
has file-descriptor:%d
has --args %d
has --seccomp %d
has --info-fd %d
has -d %d
has -d%d
has handle=%d
has --ready=%d
has /proc/thread-self/fd/%d
has %d
has a,%d
X
same "told: an end of a socketpair" has has "kept argv 4" told pair has -d %d
same "told: the end that is read" has has "kept argv 3" told read has -d %d
same "told: a file by a word that says so" has has "kept argv 4" told file has --status-fd %d
for how in "both:it has both ends" "parent:the parent has closed the other end" "file:it is a file"; do
	for args in "-n %d" "--lines=%d" "-d%d" "%d" "-w %d"; do
		# shellcheck disable=SC2086 # words they are
		same "another number: $args, ${how#*:}" has lost "leak*" told "${how%%:*}" has $args
	done
done
same "another number: -n %d, a copy serves" has lost "leak 4" told copy has -n %d
same "not its number" has lost "leak 4" told end has -n 5
same "a part of a word" has lost "leak 4" told end has -n%dk x%d a/%d %d.5

# -- number 3, and nothing is said ------------------------------------------------------------------------
same "number 3: the pipe has it already" has has "kept three 3" three qmail
same "number 3: both ends" has lost "leak 3 4" three both
same "number 3: a copy serves" has lost "leak 3" three copy
same "number 3: the parent has closed the other end" has lost "leak 3" three parent
same "number 3: the child's own pipe is another" has lost "leak 3" three another
same "number 3: nothing can come any more" has lost "leak 3" three ended

# -- nothing counts but what the user says ------------------------------------------------------------------
go strict ./handed told end has --status-fd %d
[ "$(cat "$W/strict.out") $(told)" = "has leak 4" ]
row $? "report-strict: what is only mentioned leaks, and is left open"
go strict ./handed three qmail
[ "$(cat "$W/strict.out") $(told)" = "has leak 3" ]
row $? "report-strict: so does number 3"
go strict ./handed onto dup2
[ "$(cat "$W/strict.out") $(told)" = "has kept meant 3" ]
row $? "report-strict: dup2(n, n) counts"
grep -q '"mode":"report-strict"' "$ev"
row $? "report-strict: the start event says so"
done_testing
