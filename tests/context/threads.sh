#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The record table's unit test under ThreadSanitizer: 32 threads, and no race that the C memory model
# would call one.
set -u
out=$B/tests/context
check() { # COMPILER
	"$1" -std=gnu11 -D_GNU_SOURCE -O1 -g -fsanitize=thread -I. -Ipreload -o "$out/record-tsan" \
		tests/unit/record.c preload/mem.c preload/sys/*.c -lcmocka -lpthread >"$out/record-tsan.build" 2>&1
}
if ! check "${CC:-cc}" && ! check clang; then
	echo "SKIP: no compiler with ThreadSanitizer and cmocka: $(tail -n 1 "$out/record-tsan.build")"
	exit 77
fi
# setarch: where addresses are too random for its shadow memory
if setarch -R true 2>/dev/null; then set -- setarch -R; else set --; fi
TSAN_OPTIONS='report_thread_leaks=0 exitcode=66' CMOCKA_MESSAGE_OUTPUT=TAP \
	timeout 120 "$@" "$out/record-tsan" >"$out/record-tsan.out" 2>&1
status=$?
if [ "$status" = 0 ]; then
	echo "ok 1 - the record table has no data race"
else
	echo "not ok 1 - the record table has no data race (status $status)"
	grep -v '^ok' "$out/record-tsan.out" | head -n 40 | sed 's/^/# /'
fi
[ "$status" = 0 ]
