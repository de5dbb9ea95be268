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

# MODE COMMAND...: runs it in the directory with a report, with no descriptors but 0-2; the report is then
# in report.json
under() {
	under_mode=$1
	shift
	rm -f "$ev" "$T/report.json"
	(cd "$W" && as timeout -k 1 "${UNDER_TIME:-20}" ./only env LD_PRELOAD="$lib" LIBJAIL_CLOEXEC="$under_mode" \
		LIBJAIL_REPORT="$ev" "$@" >"$T/out" 2>&1 </dev/null)
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
done_testing
