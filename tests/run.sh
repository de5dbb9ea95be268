#!/bin/sh
# SPDX-License-Identifier: ISC
#
# make check: builds and runs every test, and says in its last line how many passed.  This file
# knows how each kind of test is built and run, and how its rows are counted:
#
#   unit/*.c      cmocka, linked with the preload objects it needs (a comment "links: a.o b.o" in the
#                 source names them, from preload/; otherwise the linker takes them from an archive)
#   call/*.c      a program that prints TAP, run under LD_PRELOAD=libjail.so, with / as a root by
#                 each resolver, and with musl
#   context/*.sh  program/*.sh oracle/oracle.sh symbols.sh   scripts that print TAP
#   oracle/linux-* a part of the oracle's table, as on an older kernel or behind an old filter
#   random        oracle/random.sh, for a minute with a fixed seed
#   lint          shellcheck and mandoc, where they are installed
#   machine       whatever ran: /dev/null and its like are as they were
#
# A test may end with status 77, or print a line that begins with SKIP, to say that it cannot run
# here; "ok 3 # SKIP why" skips one row.  TESTS given as arguments (unit/names, program) limit the
# run.  The scripts in program/ and oracle/ run beside each other, one for two processors, four at most
# (TEST_JOBS=1: one after the other); in context/ timers and signals want a processor of their own.
# Needs: B (the build directory), OBJ (libjail's objects), LIBJAIL_LIB, CC; make sets them.
set -u
# The makes that tests run are nobody's children: "make check" and "make -s check" test the same.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES MAKE_TERMOUT MAKE_TERMERR
cd "$(dirname "$0")/.." || exit 1
B=${B:-build}
CC=${CC:-cc}
LIBJAIL_LIB=${LIBJAIL_LIB:-$PWD/$B/libjail.so}
JAILRUN=$PWD/tools/jailrun
JAILROOT=$PWD/tools/jailroot
export B CC LIBJAIL_LIB JAILRUN JAILROOT
out=$B/tests
passed=0 failed=0 skipped=0
mkdir -p "$out/unit" "$out/call" "$out/context" "$out/program" "$out/oracle"

wanted() { # NAME: is it asked for?
	[ -n "$only" ] || return 0
	for w in $only; do
		case $1 in
		"$w" | "$w"/*) return 0 ;;
		esac
	done
	return 1
}

row() { # WORD NAME [REMARK]
	printf '%-5s %-26s %s\n' "$1" "$2" "${3:-}"
}

# NAME STATUS SECONDS: counts the rows in the log of a test that ended with STATUS.
count() {
	log=$out/$1.log
	ok=$(grep -a '^ok ' "$log" | grep -acv '# SKIP')
	bad=$(grep -ac '^not ok ' "$log")
	skip=$(grep -a '^ok ' "$log" | grep -ac '# SKIP')
	# a script that only sums up
	sum=$(grep -aE '^[0-9]+ passed, [0-9]+ failed' "$log" | tail -n 1)
	if [ "$ok$bad" = 00 ] && [ -n "$sum" ]; then
		ok=${sum%% passed*}
		bad=${sum#*passed, }
		bad=${bad%% failed*}
	fi
	why=$(grep -am 1 -E '^(# )?SKIP' "$log" | sed -E 's/^(# )?SKIP:? *//')
	if [ "$2" = 77 ] || { [ "$2" = 0 ] && [ "$ok$bad" = 00 ] && [ -n "$why" ]; }; then
		row skip "$1" "${why:-$(tail -n 1 "$log")}"
		skipped=$((skipped + 1))
		return
	fi
	if [ "$2" != 0 ] && [ "$bad" = 0 ]; then
		bad=1
	elif [ "$2" = 0 ] && [ "$ok$bad$skip" = 000 ]; then
		ok=1
	fi
	passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
	if [ "$bad" = 0 ]; then
		row ok "$1" "$ok passed${3:+ in $3 s}${why:+, $skip skipped: $why}"
	else
		row FAIL "$1" "$ok passed, $bad failed, status $2; $log says:"
		grep -a '^not ok ' "$log" | head -n 12 | sed 's/^/      /'
		grep -av '^ok ' "$log" | tail -n 12 | sed 's/^/      | /'
	fi
}

run() { # NAME COMMAND...: runs one test
	name=$1
	shift
	began=$(date +%s)
	timeout -k 10 "${TEST_TIMEOUT:-1500}" "$@" >"$out/$name.log" 2>&1 </dev/null
	count "$name" $? $(($(date +%s) - began))
}

# NAME COMMAND: a line of sh(1), for run_queue.  Those that last long come first.
later() {
	printf '%s %s\n' "$1" "$2" >>"$out/queue"
}

# Runs what was put into the queue, beside each other, and counts each test when it has ended.
run_queue() {
	[ -s "$out/queue" ] || return 0
	jobs=${TEST_JOBS:-$(($(nproc 2>/dev/null || echo 1) / 2))}
	[ "$jobs" -ge 1 ] || jobs=1
	[ -n "${TEST_JOBS:-}" ] || [ "$jobs" -le 4 ] || jobs=4
	rm -f "$out/ended"
	mkfifo "$out/ended"
	# shellcheck disable=SC2016 # for the shell that xargs starts
	tr '\n' '\0' <"$out/queue" | xargs -0 -n 1 -P "$jobs" sh -c '
		began=$(date +%s)
		timeout -k 10 "$2" sh -c "exec ${3#* }" >"$1/${3%% *}.log" 2>&1 </dev/null
		echo "${3%% *} $? $(($(date +%s) - began))"' sh "$out" "${TEST_TIMEOUT:-1500}" >"$out/ended" &
	while read -r name status seconds; do
		count "$name" "$status" "$seconds"
	done <"$out/ended"
	rm -f "$out/ended" "$out/queue"
}

build() { # NAME COMMAND...: compiles one test; a failing compiler is a failing test
	name=$1
	shift
	"$@" >"$out/$name.log" 2>&1 && return
	count "$name" 1
	return 1
}

have_cmocka() {
	printf '#include <stdarg.h>\n#include <stddef.h>\n#include <setjmp.h>\n#include <stdint.h>\n%s\n' \
		'#include <cmocka.h>
int main(void) { return 0; }' |
		$CC -x c -o "$out/cmocka" - -lcmocka >"$out/cmocka.log" 2>&1
}

# The distribution's cmocka, announced first.
get_cmocka() {
	have_cmocka && return
	sudo=
	if [ "$(id -u)" != 0 ]; then
		sudo=sudo
		command -v sudo >/dev/null || {
			echo "cmocka is missing; it needs root to install it, and there is no sudo here"
			return 1
		}
	fi
	if command -v apt-get >/dev/null; then
		set -- apt-get install -y libcmocka-dev
	elif command -v apk >/dev/null; then
		set -- apk add cmocka-dev
	elif command -v dnf >/dev/null; then
		set -- dnf install -y libcmocka-devel
	else
		echo "cmocka is missing, and only apt-get, apk and dnf are known here: install it by hand"
		return 1
	fi
	echo "cmocka is missing: ${sudo:+$sudo }$*"
	if ! DEBIAN_FRONTEND=noninteractive $sudo "$@" >"$out/install.log" 2>&1 </dev/null; then
		case $1 in # a fresh container has no package lists
		apt-get) $sudo apt-get update >>"$out/install.log" 2>&1 </dev/null ;;
		esac
		DEBIAN_FRONTEND=noninteractive $sudo "$@" >>"$out/install.log" 2>&1 </dev/null
	fi
	have_cmocka || {
		echo "cmocka could not be installed ($out/install.log): the unit tests are skipped"
		return 1
	}
}

units() {
	get_cmocka || {
		for src in "$@"; do
			row skip "unit/$(basename "$src" .c)" "no cmocka"
			skipped=$((skipped + 1))
		done
		return
	}
	# The layers that are functions of our own names, so that a test takes what it needs.
	rm -f "$out/layers.a"
	layers=
	for o in ${OBJ:-}; do
		case $o in
		*/shape.o | */call/*) ;;
		*) layers="$layers $o" ;;
		esac
	done
	# shellcheck disable=SC2086
	[ -z "$layers" ] || ar rcs "$out/layers.a" $layers
	for src in "$@"; do
		test=unit/$(basename "$src" .c)
		wanted "$test" || continue
		links=$(sed -n 's/.*links: *\([^*]*\).*/\1/p' "$src" | head -n 1)
		with=
		for o in $links; do
			o=${o#preload/}
			with="$with $B/preload/${o%.[co]}.o"
		done
		# shellcheck disable=SC2086
		build "$test" $CC -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -I. -Ipreload -o "$out/$test" \
			"$src" ${with:-"$out/layers.a"} -lcmocka -lpthread || continue
		CMOCKA_MESSAGE_OUTPUT=TAP run "$test" "$out/$test"
	done
}

calls() {
	for src in "$@"; do
		test=call/$(basename "$src" .c)
		wanted "$test" || continue
		# shellcheck disable=SC2086
		build "$test" $CC -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -I. -Ipreload -o "$out/$test" \
			"$src" -lpthread -ldl || continue
		run "$test" env LD_PRELOAD="$LIBJAIL_LIB" "$out/$test"
		run "$test-root" "$JAILRUN" --root / -w "$PWD" -- "$out/$test"
		run "$test-walk" env LIBJAIL_RESOLVER=walk "$JAILRUN" --root / -w "$PWD" -- "$out/$test"
		command -v musl-gcc >/dev/null || continue
		build "$test-musl" musl-gcc -std=gnu11 -D_GNU_SOURCE -O1 -g -idirafter /usr/include \
			-idirafter "/usr/include/$(cc -print-multiarch)" -I. -Ipreload -o "$out/$test-musl" "$src" || continue
		run "$test-musl" env LD_PRELOAD="$LIBJAIL_LIB" "$out/$test-musl"
	done
}

scripts() {
	for src in "$@"; do
		test=${src#tests/}
		test=${test%.sh}
		! wanted "$test" || run "$test" "$src"
	done
}

lint_row() { # FILE COMMAND...: a row, bad when the command complains
	n=$((n + 1))
	file=$1
	shift
	if text=$("$@" "$file" 2>&1) && [ -z "$text" ]; then
		echo "ok $n - $file"
	else
		printf '%s\nnot ok %s - %s\n' "$text" "$n" "$file"
	fi
}

lint_shell() {
	command -v shellcheck >/dev/null || {
		echo "SKIP shellcheck is not installed"
		return
	}
	n=0
	grep -rlIE '^#!/bin/(ba)?sh|^# shellcheck shell=' tools tests .ci | while IFS= read -r f; do
		lint_row "$f" shellcheck -x
	done
}

lint_man() {
	command -v mandoc >/dev/null || {
		echo "SKIP mandoc is not installed"
		return
	}
	n=0
	for f in tools/*.[1-8]; do
		lint_row "$f" mandoc -Tlint -W warning
	done
}

# Kinds, modes and owners of what all programs need, which a test that runs as root could change through
# a bind of /dev, or by a link that it follows.
machine() {
	stat -c '%n %A %u:%g %t,%T' / /proc /sys /dev /tmp /var/tmp /dev/null /dev/zero /dev/full /dev/random /dev/urandom \
		/dev/tty 2>&1
}

only=$*
machine >"$out/machine.before"
set --
for src in tests/unit/*.c; do
	[ ! -f "$src" ] || ! wanted "unit/$(basename "$src" .c)" || set -- "$@" "$src"
done
[ $# = 0 ] || units "$@"
[ ! -f tests/symbols.sh ] || ! wanted symbols || run symbols tests/symbols.sh "$B/libjail.so"
set -- tests/call/*.c
[ ! -f "$1" ] || calls "$@"
set -- tests/context/*.sh
[ ! -f "$1" ] || scripts "$@"
rm -f "$out/queue"
! wanted oracle/look || later oracle/look "env ORACLE_RESOLVERS=look tests/oracle/oracle.sh"
linux() { # NAME FILTER SAMPLE LIBC
	! wanted "oracle/linux-$1" || later "oracle/linux-$1" "env ORACLE_LINUX='$2' ORACLE_SAMPLE='$3' ORACLE_LIBC='$4' \
		ORACLE_RESOLVERS=auto tests/oracle/oracle.sh"
}
[ ! -f tests/oracle/oracle.sh ] || ! wanted oracle || later oracle tests/oracle/oracle.sh
linux 4.18 "4.18 enosys" 8 glibc
linux 5.4 "5.4 enosys" 32 musl
linux 5.10 "5.10 enosys" 32 glibc
linux 4.18-eperm "4.18 eperm" 32 musl # glibc's own realpath(3) and posix_spawn(3) take EPERM for an answer
! wanted random || later random tests/oracle/random.sh
# Tests that change the prepared roots (program/roots) must not run beside each other: between them stand others.
set --
for name in jobs fdtable debian glibcs leaks jailreport dl names nss watch deep handed race many musl; do
	set -- "$@" "tests/program/$name.sh"
done
set -- "$@" tests/program/*.sh
flock=$(command -v flock) && flock="$flock -o '$out/roots.lock'"
for src in "$@"; do
	test=${src#tests/}
	test=${test%.sh}
	if [ ! -f "$src" ] || ! wanted "$test" || grep -q "^$test " "$out/queue" 2>/dev/null; then
		continue
	fi
	if grep -q '^\. tests/program/roots$' "$src"; then
		later "$test" "$flock $src"
	else
		later "$test" "$src"
	fi
done
run_queue
for name in lint_shell lint_man; do
	wanted lint || continue
	$name >"$out/$name.log"
	count "$name" 0
done
machine | diff "$out/machine.before" - >"$out/machine.log"
count machine $?
echo "$passed passed, $failed failed$([ "$skipped" = 0 ] || echo ", $skipped skipped")"
[ "$failed" = 0 ]
