#!/bin/sh
# SPDX-License-Identifier: ISC
#
# make bench, descriptors: what forcing and recording add to a call, in nanoseconds, beside the same
# program without libjail in the same seconds, without a root, and what has been promised of it.  Of each
# row the least of a process counts, and of that the median over the processes; of fork+exec+wait the
# medians.  (dup(2) itself has no flag: the kernel takes 25 ns more for F_DUPFD_CLOEXEC.)
#
#   BENCH_ROUNDS=5   processes of each contender
#   BENCH_TURNS=60   batches of calls in each
#   BENCH_FD_OPS=all only this row
set -eu
cd "$(dirname "$0")/../.."
B=${B:-build}
lib=${LIBJAIL_LIB:-$PWD/$B/libjail.so}
unset LIBJAIL_LIB
rounds=${BENCH_ROUNDS:-5}
turns=${BENCH_TURNS:-60}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
${CC:-cc} -O2 -w -o "$tmp/fds" tests/bench/fds.c
"$tmp/fds" "$rounds" "$turns" "${BENCH_FD_OPS:-all}" native "off,LD_PRELOAD=$lib,LIBJAIL_CLOEXEC=off" \
	"force,LD_PRELOAD=$lib" "report,LD_PRELOAD=$lib,LIBJAIL_REPORT=$tmp/events" >"$tmp/raw"
awk -F '\t' '
	!($1 in seen) { seen[$1] = 1; order[++rows] = $1 }
	{ least[$1, $2] = $3; middle[$1, $2] = $4 }
	function limit(what, got, promised) { return got > promised ? what " MISSED" : what }
	END {
		printf "%-22s %9s %9s %9s %9s  %s\n", "ns", "native", "off", "force", "report", "promised"
		for (i = 1; i <= rows; i++) {
			r = order[i]
			if (r == "fork+exec+wait") {
				a = middle[r, "native"]; o = middle[r, "off"]
				f = middle[r, "force"]; p = middle[r, "report"]
				printf "%-22s %9.0f %8.2fx %8.2fx %8.2fx  %s\n", r, a, o / a, f / a, p / f,
					limit("report/force <= 1.05", p / f, 1.05)
				continue
			}
			a = least[r, "native"]; o = least[r, "off"] - a
			f = least[r, "force"] - a; p = least[r, "report"] - least[r, "force"]
			if (r == "close")
				note = limit("report +60", p, 60)
			else if (r == "read+write" || r == "poll")
				note = limit("nothing", f + p, 15)
			else if (r ~ /new$/)
				note = limit("force +30", f, 30) ", " limit("report +5000", p, 5000)
			else if (r == "pipe") # two descriptors
				note = limit("force +30", f, 30) ", " limit("report +600", p, 600)
			else
				note = limit("force +30", f, 30) ", " limit("report +300", p, 300)
			printf "%-22s %9.0f %+9.0f %+9.0f %+9.0f  %s\n", r, a, o, f, p, note
		}
		print "(off and force: more than native; report: more than force, and of fork+exec+wait times force)"
	}' "$tmp/raw"
