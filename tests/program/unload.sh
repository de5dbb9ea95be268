#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Reports, and rules that ask which library calls, in programs whose memory goes away: objects are unloaded,
# code is not there in a child of fork, arguments are written over.  None crashes, and none blames another.
# shellcheck source=tests/program/common
. "${0%/*}/common"
src=tests/program/unload.c
CC=${CC:-cc}
for i in $(seq 0 35); do
	if [ "$i" = 0 ]; then
		$CC -shared -fPIC -O1 -DPLUGIN=0 -o "$T/small0.so" $src || exit 1
	else
		cp "$T/small0.so" "$T/small$i.so"
	fi
done
$CC -shared -fPIC -O1 -DPLUGIN=0 -DBIG -o "$T/big.so" $src &&
	$CC -shared -fPIC -O1 -g -DPLUGIN=1 -o "$T/liba.so" $src &&
	$CC -shared -fPIC -O1 -g -DPLUGIN=2 -o "$T/libb.so" $src &&
	$CC -O1 -g -Wall -Wextra -Wno-unused-result -o "$T/u" $src -ldl -lpthread || exit 1
ev=$T/events
echo 'leave all module=libfoo*' >"$T/rules"

# NAME WORD...: the program, reported on, ends with 0
runs() {
	runs_name=$1
	shift
	rm -f "$ev"
	timeout 60 env LD_PRELOAD="$lib" LIBJAIL_CLOEXEC=report LIBJAIL_REPORT="$ev" "$T/u" "$T" "$@" >"$T/out" 2>&1 </dev/null
	status=$?
	[ "$status" = 0 ] || echo "# status $status: $(head -n 3 "$T/out")"
	row "$status" "$runs_name"
}

# The path of the module that a leak of call $1 is blamed on.
blamed() {
	sed -n "s/.*\"ev\":\"never-closed\".*\"call\":\"$1\".*\"modules\":\[{\"path\":\"\([^\"]*\)\".*/\1/p" "$ev"
}

runs "plug-ins come where another was" plugins
timeout 60 env LD_PRELOAD="$lib" LIBJAIL_RULES="$T/rules" "$T/u" "$T" plugins >/dev/null 2>&1 </dev/null
row $? "and by a rule that asks for the library"
runs "a library that comes where another was" replaced liba.so libb.so
row "$([ "$(blamed socket)" = "$T/libb.so" ]; echo $?)" "is blamed, and not the other"
cp "$T/liba.so" "$T/copy.so"
runs "a copy of a library that comes to its place" replaced liba.so copy.so
row "$([ "$(blamed socket)" = "$T/copy.so" ]; echo $?)" "is blamed by its own name"
runs "a library that is loaded again" replaced liba.so liba.so
row "$([ "$(blamed socket)" = "$T/liba.so" ]; echo $?)" "is blamed"
for _ in 1 2 3; do
	runs "threads make descriptors while a library is unloaded" racing
done
for _ in 1 2 3; do
	runs "a child that does not have the code" unshared
done
runs "a stack of the program's own" context
row "$([ "$(blamed socket)" = "$T/liba.so" ]; echo $?)" "and what is called on it is blamed"
runs "arguments that are written over" overwritten a b
row "$(! grep '"ev":"start"' "$ev" | grep -q zzz; echo $?)" "are told as they were"
row "$([ "$(grep -c '"ev":"start".*"argv":\[.*"overwritten","a","b"\]' "$ev")" = 2 ]; echo $?)" "by the child as well"

if command -v valgrind >/dev/null && valgrind -q /bin/true 2>/dev/null; then
	cat >"$T/v.c" <<'END'
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
static int deep(int n)
{
	volatile char room[3000];
	room[n] = 1;
	return n ? deep(n - 1) + room[n] : close(open("/dev/null", O_RDONLY));
}
int main(void) { return deep(8) != 8 || system("true"); }
END
	$CC -O1 -g -o "$T/v" "$T/v.c" || exit 1
	for report in '' "$T/events"; do
		timeout 120 env LD_PRELOAD="$lib" ${report:+"LIBJAIL_REPORT=$report"} valgrind -q --error-exitcode=9 "$T/v" \
			>"$T/out" 2>&1 </dev/null
		status=$?
		[ ! -s "$T/out" ] || sed 's/^/# /' "$T/out" | head -n 5
		row "$([ "$status" = 0 ] && [ ! -s "$T/out" ]; echo $?)" "valgrind has nothing to say${report:+, with a report}"
	done
fi
done_testing
