#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Builds and runs a fuzz target for FUZZ_SECONDS, from the seeds in tests/data/NAME and what earlier
# runs have found ($B/fuzz/NAME).  Says SKIP where there is no libFuzzer; fails when the target does,
# with the input's file in the last lines.
#
#   tests/fuzz/run.sh NAME OBJECT_SOURCE...
set -u
cd "$(dirname "$0")/../.." || exit 1
name=${1:?usage: tests/fuzz/run.sh NAME SOURCE...}
shift
out=${B:-build}/fuzz/$name
cc=${FUZZ_CC:-clang}
seconds=${FUZZ_SECONDS:-60}
flags="-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined"
mkdir -p "$out/found"

echo 'int LLVMFuzzerTestOneInput(const char *p, unsigned long n) { return p && n == 77; }' >"$out/try.c"
# shellcheck disable=SC2086
if ! $cc $flags -o "$out/try" "$out/try.c" >"$out/log" 2>&1; then
	echo "SKIP $cc cannot link libFuzzer here (Debian: clang and libclang-rt-14-dev)"
	exit 0
fi
# shellcheck disable=SC2086
$cc $flags -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -fno-strict-aliasing -Ipreload \
	-o "$out/target" "tests/fuzz/$name.c" "$@" || exit 1
dict=
[ ! -e "tests/fuzz/$name.dict" ] || dict=-dict=tests/fuzz/$name.dict
# Three quarters of the time for short inputs, which go by the thousand; the rest for all of the seeds.
# leaks: LeakSanitizer wants ptrace(2), which containers refuse
: >"$out/log"
for longest in 700 70000; do
	[ $longest = 700 ] && share=$((seconds * 3 / 4 + 1)) || share=$((seconds / 4 + 1))
	# shellcheck disable=SC2086
	"$out/target" -max_total_time=$share -max_len=$longest -timeout=20 -detect_leaks=0 -print_final_stats=1 \
		-artifact_prefix="$out/" $dict "$out/found" "tests/data/$name" >>"$out/log" 2>&1 || {
		status=$?
		tail -n 40 "$out/log"
		exit $status
	}
done
sed -n -E 's/^stat::(number_of_executed_units|average_exec_per_sec): */\1 /p' "$out/log"
