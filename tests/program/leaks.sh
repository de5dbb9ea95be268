#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Seeded leaks, each found at its line: in C by every way to make a descriptor, in C++, a static
# constructor, plugins, python3, perl and bash; and nothing is said of the same program without the leak.
# Then what else a report must get right: descriptors that are passed over a socket, a full table, bad
# closes, what is never closed, and no record lost or invented while threads open and close.
#
# LEAK_SECONDS (5) is how long the threads run, LEAK_COUNT (100000) how many descriptors are many.
# shellcheck disable=SC2016 # what is in single quotes is for another shell
# shellcheck source=tests/program/common
. "${0%/*}/common"
command -v python3 >/dev/null || skip_all "python3 is not installed: it reads the reports"
[ -x "$built/jailreport" ] || skip_all "$built/jailreport is not built"
jailreport=$PWD/$built/jailreport
case $built in /*) jailreport=$built/jailreport ;; esac
CC=${CC:-cc}
src=$PWD/tests/program/leaks
W=$T/w
mkdir "$W" && chmod 777 "$W"
cp "$src"/*.py "$src"/*.pl "$src"/*.bash "$W"
ev=$W/events
GUEST= # the root that the rows run in

compile() { # OUTPUT SOURCE FLAG...
	compile_to=$1 compile_from=$2
	shift 2
	case $compile_from in
	*.cc) ${CXX:-c++} -std=c++17 -g -O1 -Wall -Wextra -o "$W/$compile_to" "$src/$compile_from" "$@" ;;
	*) $CC -std=gnu11 -D_GNU_SOURCE -g -O1 -Wall -Wextra -o "$W/$compile_to" "$src/$compile_from" "$@" ;;
	esac >"$T/log" 2>&1 && return
	sed 's/^/# /' "$T/log"
	return 1
}
compile has has.c && compile only only.c || exit 1

# MODE COMMAND...: runs it in the directory (or in the root) with a report, with no descriptors but 0-2; the report is then
# in report.json
under() {
	under_mode=$1
	shift
	rm -f "$ev" "$T/report.json"
	(
		cd "$W" || exit
		if [ -n "$GUEST" ]; then
			as timeout -k 1 20 ./only env LIBJAIL_REPORT="$ev" "$jailrun" --cloexec="$under_mode" -r "$GUEST" \
				-b "$W/guest:/mnt" -w /mnt -- "$@"
		else
			as timeout -k 1 "${UNDER_TIME:-20}" ./only env LD_PRELOAD="$lib" LIBJAIL_CLOEXEC="$under_mode" \
				LIBJAIL_REPORT="$ev" "$@"
		fi >"$T/out" 2>&1 </dev/null
	)
	under_status=$?
	"$jailreport" --json "$ev" >"$T/report.json" 2>"$T/log"
	[ -s "$T/report.json" ] || cat "$T/log"
}

line_of() { # SOURCE NAME
	grep -n "LEAK $2\\( \\|\$\\)" "$src/$1" | head -n 1 | cut -d : -f 1
}

seeds=$T/seeds
seed() { # NAME CALL WHERE [FUNCTION]
	echo "$@" >>"$seeds"
}

# LABEL COMMAND...: the command leaks what was seeded since the last time, all into ./has
finds() {
	finds_label=$1
	shift
	finds_n=$(wc -l <"$seeds")
	for finds_mode in report force; do
		under $finds_mode "$@"
		case $finds_mode in
		report) [ "$under_status" = "$finds_n" ] ;;
		force) [ "$under_status" = 0 ] ;;
		esac || sed 's/^/# /' "$T/out"
		case $finds_mode in
		report)
			finds_word=found
			row $((under_status != finds_n)) "$finds_label: report: all are inherited ($under_status of $finds_n)"
			;;
		force)
			finds_word=stopped
			row "$under_status" "$finds_label: force: none is inherited ($under_status of $finds_n)"
			;;
		esac
		/usr/bin/python3 "$src/seen.py" $finds_mode "$T/report.json" <"$seeds" >"$T/seen" 2>&1 || cat "$T/seen"
		while read -r finds_bad finds_name; do
			case $finds_bad in
			[01]) row "$finds_bad" "$finds_label: $finds_word: $finds_name" ;;
			*) echo "$finds_bad $finds_name" ;;
			esac
		done <"$T/seen"
	done
	: >"$seeds"
}

nothing() { # NAME COMMAND...
	nothing_name=$1
	shift
	for nothing_mode in report force; do
		under "$nothing_mode" "$@"
		/usr/bin/python3 "$src/seen.py" none "$T/report.json" && [ "$under_status" = 0 ]
		row $? "$nothing_name: fixed, no report ($nothing_mode)"
	done
}

# -- C ------------------------------------------------------------------------------------------------
call_of() {
	case $1 in
	dupfd) echo fcntl ;;
	epoll) echo epoll_create ;;
	timerfd) echo timerfd_create ;;
	memfd) echo memfd_create ;;
	inotify) echo inotify_init ;;
	plugin | unloaded) echo open ;;
	*) echo "$1" ;;
	esac
}
compile libearly.so plugin.c -shared -fPIC -DCONSTRUCTOR &&
	compile plugin.so plugin.c -shared -fPIC &&
	compile seeds seeds.c -ldl -lutil &&
	mkdir "$W/fixed" && compile fixed/seeds seeds.c -DFIXED -ldl -lutil &&
	compile fixed/plugin.so plugin.c -shared -fPIC -DFIXED &&
	compile fixed/libearly.so plugin.c -shared -fPIC -DCONSTRUCTOR -DFIXED &&
	cp "$W/has" "$W/fixed" || exit 1
names=$("$W/seeds" | grep -vx -e constructor -e plugin -e unloaded)
for name in $names; do
	seed "$name" "$(call_of "$name")" "seeds.c:$(line_of seeds.c "$name")" "^leak_$name\$"
done
# shellcheck disable=SC2086
finds "C" ./seeds $names
# shellcheck disable=SC2086
nothing "C" ./fixed/seeds $names
for name in plugin unloaded; do
	seed "$name" open "plugin.c:$(line_of plugin.c plugin)" '^plugin_leak$'
	finds "C: dlopen" ./seeds "$name"
	nothing "C: dlopen, $name" sh -c 'cd fixed && ./seeds "$1"' sh "$name"
done
compile early seeds.c -ldl -lutil -Wl,--no-as-needed -L"$W" -learly -Wl,-rpath,"$W" || exit 1
seed constructor open "plugin.c:$(line_of plugin.c constructor)" '^early$'
finds "C: a library" ./early constructor
nothing "C: a library, constructor" env LD_LIBRARY_PATH="$W/fixed" ./early constructor
where=seeds.c:$(line_of seeds.c pipe)
for flags in "-O2 -fomit-frame-pointer" "-O0 -no-pie" "-O3 -fno-asynchronous-unwind-tables -fno-omit-frame-pointer"; do
	# shellcheck disable=SC2086
	compile other seeds.c $flags -ldl -lutil
	seed pipe pipe "$where" leak_pipe
	finds "C: $flags" ./other pipe
done
cp "$W/seeds" "$W/stripped" && strip "$W/stripped"
seed pipe pipe 'stripped+0x'
finds "C: without symbols" ./stripped pipe
offset=$(sed -n 's/.*"call":"pipe".*"stack":\[\[0,"\(0x[0-9a-f]*\)".*/\1/p' "$ev" | head -n 1)
got=$(addr2line -e "$W/seeds" "${offset:-0}" | sed 's,.*/,,; s/ .*//')
[ "$got" = "$where" ] || echo "# $got, wanted $where"
row $? "C: without symbols: the offset is that of the line, by addr2line"

# -- C++ ----------------------------------------------------------------------------------------------
if command -v "${CXX:-c++}" >/dev/null; then
	compile seeds++ seeds.cc -pthread && compile fixed/seeds++ seeds.cc -DFIXED -pthread || exit 1
	names='method function algorithm unwinding catch thread async ifstream'
	for name in $names; do
		call=open function=
		case $name in
		method) function='Cache<int>::load' ;;
		unwinding) function=Guard::~Guard ;;
		catch) function=leak ;;
		thread) function=in_thread ;;
		ifstream) call=fopen function=stream ;;
		*) ;; # a lambda has no name that all compilers agree on
		esac
		seed "$name" "$call" "seeds.cc:$(line_of seeds.cc "$name")" "$function"
	done
	seed static open "seeds.cc:$(line_of seeds.cc static)" Early::Early
	# shellcheck disable=SC2086
	finds "C++" env SEED_STATIC=1 ./seeds++ $names
	# shellcheck disable=SC2086
	nothing "C++" env SEED_STATIC=1 ./fixed/seeds++ $names
else
	row 0 "C++ # SKIP no C++ compiler"
fi

# -- scripts ------------------------------------------------------------------------------------------
for name in memfd ctypes deep; do
	call=memfd_create
	[ $name != ctypes ] || call=open
	seed $name $call "leak.py:$(line_of leak.py $name)"
done
finds python3 /usr/bin/python3 leak.py memfd ctypes deep
nothing python3 /usr/bin/python3 leak.py memfd ctypes deep fixed
if perl -MPOSIX -e 1 2>/dev/null; then
	for name in open pipe dup; do
		seed $name $name "leak.pl:$(line_of leak.pl $name)"
	done
	finds perl perl leak.pl open pipe dup
	nothing perl perl leak.pl open pipe dup fixed
else
	row 0 "perl # SKIP no perl"
fi
if command -v bash >/dev/null; then
	seed socket socket "leak.bash:$(line_of leak.bash socket)"
	finds bash bash leak.bash socket
	nothing bash bash leak.bash socket fixed
else
	row 0 "bash # SKIP no bash"
fi

# -- in a root, and with musl -----------------------------------------------------------------------------
if command -v musl-gcc >/dev/null; then
	include="-idirafter /usr/include -idirafter /usr/include/$(cc -print-multiarch)"
	# shellcheck disable=SC2086
	if CC=musl-gcc compile seeds-musl seeds.c $include; then
		names='open fopen mkstemp pipe dupfd socketpair accept epoll memfd openpty'
		for name in $names; do
			seed "$name" "$(call_of "$name")" "seeds.c:$(line_of seeds.c "$name")" "^leak_$name\$"
		done
		# shellcheck disable=SC2086
		finds "musl" ./seeds-musl $names
		# shellcheck disable=SC2086
		CC=musl-gcc compile fixed/seeds-musl seeds.c -DFIXED $include
		# shellcheck disable=SC2086
		nothing "musl" ./fixed/seeds-musl $names
	else
		row 1 "musl-gcc"
	fi
else
	row 0 "musl # SKIP no musl-gcc"
fi
ROOTS=${LIBJAIL_ROOTS:-/var/tmp/libjail-roots}
for release in bookworm bullseye trixie; do
	[ -d "$ROOTS/$release/usr" ] || {
		row 0 "in a root: $release # SKIP no $ROOTS/$release"
		continue
	}
	# built in the root, so that the libc is the guest's; its modules are files of the guest alone
	rm -rf "$W/guest" && mkdir -p "$W/guest/fixed" && chmod 777 "$W/guest" "$W/guest/fixed"
	cp "$src"/*.c "$src"/leak.p[yl] "$W/guest"
	in_guest() {
		as timeout -k 1 60 "$T/usr/bin/jailrun" -r "$ROOTS/$release" -b "$W/guest:/mnt" -w /mnt -- "$@"
	}
	in_guest sh -c 'set -e; f="-D_GNU_SOURCE -g -O1"; gcc -o has has.c; gcc $f -o seeds seeds.c -ldl -lutil
		gcc $f -DFIXED -o fixed/seeds seeds.c -ldl -lutil; gcc $f -shared -fPIC -o plugin.so plugin.c' >"$T/log" 2>&1 || {
		sed 's/^/# /' "$T/log"
		row 1 "in a root: $release: the guest's gcc"
		continue
	}
	names='open tmpfile pipe dup socket accept timerfd openpty syscall'
	for name in $names; do
		seed "$name" "$(call_of "$name")" "seeds.c:$(line_of seeds.c "$name")" "^leak_$name\$"
	done
	seed plugin open "plugin.c:$(line_of plugin.c plugin)" '^plugin_leak$'
	GUEST=$ROOTS/$release
	# shellcheck disable=SC2086
	finds "in a root: $release" ./seeds $names plugin
	# shellcheck disable=SC2086
	nothing "in a root: $release" ./fixed/seeds $names
	for script in py pl; do
		[ -e "$ROOTS/$release/usr/bin/python3" ] || continue
		case $script in
		py) name=memfd call=memfd_create program=/usr/bin/python3 ;;
		pl) name=open call=open program=/usr/bin/perl ;;
		esac
		seed "$name" "$call" "leak.$script:$(line_of leak.$script "$name")"
		finds "in a root: $release: leak.$script" "$program" leak.$script "$name"
		nothing "in a root: $release: leak.$script" "$program" leak.$script "$name" fixed
	done
	GUEST=
done

# -- descriptors that come over a socket ------------------------------------------------------------------
passes() { # LABEL CALLS SOURCE COMMAND...
	passes_label=$1 passes_call=$2 passes_source=$3
	shift 3
	under report "$@" 0
	# the parent's other program has one too many (4), and so has the child's (1)
	row $((under_status != 5)) "$passes_label: works, inheritable as natively ($under_status)"
	seed parent "${passes_call#* }" "$passes_source:$(line_of "$passes_source" parent)"
	seed child "${passes_call% *}" "$passes_source:$(line_of "$passes_source" child)"
	/usr/bin/python3 "$src/seen.py" report "$T/report.json" <"$seeds" >"$T/seen"
	! grep -v '^0 ' "$T/seen"
	row $? "$passes_label: it is recvmsg's, in both directions"
	: >"$seeds"
	under force "$@" 1
	row "$under_status" "$passes_label: arrives close-on-exec in both directions ($under_status)"
}
compile pass pass.c && compile fixed/pass pass.c -DFIXED || exit 1
passes "C, passed over a socket" "recvmsg recvmmsg" pass.c ./pass
nothing "C, passed over a socket" ./fixed/pass 1
passes "python3, passed over a socket" "recvmsg recvmsg" pass.py /usr/bin/python3 pass.py
nothing "python3, passed over a socket" /usr/bin/python3 pass.py 1 fixed

# -- what else a report tells -----------------------------------------------------------------------------
compile libkqueue.so kqueue.c -shared -fPIC && compile table table.c -pthread &&
	compile table-kqueue table.c -pthread -Wl,--no-as-needed -L"$W" -lkqueue -Wl,-rpath,"$W" || exit 1
LIBJAIL_SNAPSHOT=SIGUSR2
export LIBJAIL_SNAPSHOT
told() { # LABEL MODE WHAT [ARG...]
	told_label=$1 told_mode=$2 told_what=$3
	shift 2
	under "$told_mode" ./table "$@"
	case $under_status in
	0) ;;
	77)
		row 0 "$told_label # SKIP $(tail -n 1 "$T/out")"
		return
		;;
	*)
		sed 's/^/# /' "$T/out"
		row 1 "$told_label: status $under_status"
		return
		;;
	esac
	shift
	/usr/bin/python3 "$src/told.py" "$told_what" "$ev" "$T/out" "$src/table.c" "$@"
	row $? "$told_label ($told_mode)"
}
for mode in report force; do
	told "a full table: the ten largest groups, worst first; one report a second" $mode emfile
	told "bad closes: not open, double with both call sites, of a FILE, of a DIR; nothing else" $mode closes
	told "never closed, and what the process says of itself" $mode never
done
UNDER_TIME=$((${LEAK_SECONDS:-5} + 60))
told "32 threads and a forker: no record lost or invented" force threads "${LEAK_SECONDS:-5}"
told "${LEAK_COUNT:-100000} descriptors" force many "${LEAK_COUNT:-100000}"
UNDER_TIME=20
unset LIBJAIL_SNAPSHOT

# -- in one step ------------------------------------------------------------------------------------------
calls='epoll_create close-on-exec
epoll_create1 close-on-exec
epoll_create1, asked close-on-exec
eventfd close-on-exec
inotify_init close-on-exec
pipe close-on-exec
pipe, the other end close-on-exec'
is_said() { # LABEL TEXT
	[ "$(cat "$T/out")" = "$2" ] || sed 's/^/# /' "$T/out"
	[ "$(cat "$T/out")" = "$2" ]
	row $? "$1"
}
under force ./table calls
is_said "epoll and the like are close-on-exec" "$calls"
under force ./table-kqueue calls 1
is_said "kqueue, kqueue1 too" "$calls
kqueue close-on-exec
kqueue1 close-on-exec"
under report ./table-kqueue calls 1
is_said "and as ever in report mode" "$(printf '%s\n' "$calls
kqueue close-on-exec
kqueue1 close-on-exec" | sed '/asked/!s/close-on-exec/inheritable/')"
under force ./table old
if [ "$under_status" = 77 ]; then
	row 0 "where the kernel lacks them # SKIP $(cat "$T/out")"
else
	is_said "where the kernel lacks epoll_create1, pipe2 ...: likewise" "$(printf '%s\n' "$calls" | sed 's/epoll_create1, asked.*/epoll_create1, asked ENOSYS/')"
fi
if strace -o "$T/log" true 2>/dev/null; then
	(cd "$W" && timeout 20 strace -f -o "$T/log" -e trace=epoll_create,epoll_create1,fcntl -E LD_PRELOAD="$lib" \
		./table-kqueue calls 1 >"$T/out" 2>&1)
	[ "$(grep -c 'epoll_create1(EPOLL_CLOEXEC)' "$T/log")" = 5 ] && ! grep -q 'epoll_create(\|F_SETFD' "$T/log"
	strace_result=$?
	[ $strace_result = 0 ] || sed 's/^/# /' "$T/log"
	row $strace_result "epoll_create, epoll_create1, kqueue: in one step, by strace"
else
	row 0 "in one step, by strace # SKIP strace does not work here"
fi

# What it costs in system calls: a hundred more rounds are so many calls more.
# Where the stack lies decides whether a path crosses a page, which is looked at by a call more.
calls_fixed=
! setarch -R true 2>/dev/null || calls_fixed="setarch -R"
call_begins='^[0-9 ]*[a-z_0-9]*(.*\( = \|unfinished\)' # one that strace tells in two lines counts as well
calls_of() { # MODE WHAT, for a hundred rounds
	set -- "$2" "$1"
	case $2 in
	native) set -- "$1" strace -f ;;
	force) set -- "$1" strace -f -E LD_PRELOAD="$lib" ;;
	report) set -- "$1" strace -f -E LD_PRELOAD="$lib" -E LIBJAIL_REPORT="$ev" ;;
	esac
	calls_what=$1
	shift
	# shellcheck disable=SC2086 # words they are
	calls_few=$(cd "$W" && ./only timeout 60 $calls_fixed "$@" -o "$T/log" ./count "$calls_what" 3 </dev/null && grep -c "$call_begins" "$T/log")
	# shellcheck disable=SC2086
	calls_many=$(cd "$W" && ./only timeout 60 $calls_fixed "$@" -o "$T/log" ./count "$calls_what" 103 </dev/null && grep -c "$call_begins" "$T/log")
	echo $((calls_many - calls_few))
}
if strace -o "$T/log" true 2>/dev/null && compile count count.c; then
	rm -f "$ev"
	for calls_row in "use 300 read, write and poll" "make 800 open, dup, socket, eventfd and close"; do
		calls_name=${calls_row#* }
		for calls_mode in native force report; do
			calls_got=$(calls_of $calls_mode "${calls_row%% *}")
			[ "$calls_got" = "${calls_name%% *}" ] || echo "# $calls_got system calls"
			[ "$calls_got" = "${calls_name%% *}" ]
			row $? "${calls_name#* } make no system call more: $calls_mode"
		done
	done
	calls_force=$(calls_of force exec)
	rm -f "$ev"
	calls_report=$(calls_of report exec)
	echo "# fork, exec and exit: $((calls_force / 100)) system calls, with a report $((calls_report / 100))"
	[ $((calls_report - calls_force)) -le 4000 ] && [ "$calls_report" -gt "$calls_force" ]
	row $? "a report adds 40 system calls at most to fork, exec and exit"
	[ "$(grep -c '"ev":"start"' "$ev") $(grep -c '"ev":"exit"' "$ev") $(grep -c . "$ev")" = "108 108 216" ] ||
		sed 's/^/# /' "$ev" | grep -v '"start"\|"exit"' | head
	[ "$(grep -c '"ev":"start"' "$ev") $(grep -c '"ev":"exit"' "$ev") $(grep -c . "$ev")" = "108 108 216" ]
	row $? "where nothing leaks, two records a process"
else
	row 0 "what it costs in system calls # SKIP strace does not work here"
fi
done_testing
