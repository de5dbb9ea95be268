#!/bin/sh
# SPDX-License-Identifier: ISC
#
# make bench, descriptors: what forcing and recording add to a call, in nanoseconds, beside the same
# program without libjail in the same run, without a root.  Rounds are interleaved; of each row the
# least counts, of fork+exec+wait the median.
#
#   BENCH_ROUNDS=7
set -eu
cd "$(dirname "$0")/../.."
B=${B:-build}
lib=${LIBJAIL_LIB:-$PWD/$B/libjail.so}
unset LIBJAIL_LIB
rounds=${BENCH_ROUNDS:-7}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
${CC:-cc} -O2 -w -o "$tmp/fds" tests/bench/fds.c
for round in $(seq "$rounds"); do
	"$tmp/fds" | sed "s/^/$round\tnative\t/"
	LD_PRELOAD=$lib LIBJAIL_CLOEXEC=off "$tmp/fds" | sed "s/^/$round\toff\t/"
	LD_PRELOAD=$lib "$tmp/fds" | sed "s/^/$round\tforce\t/"
	LD_PRELOAD=$lib LIBJAIL_REPORT=$tmp/events "$tmp/fds" | sed "s/^/$round\treport\t/"
	rm -f "$tmp/events"
done >"$tmp/raw"
awk -F '\t' '
	!($3 in seen) { seen[$3] = 1; order[++rows] = $3 }
	$3 == "fork+exec+wait" { list[$2, ++n[$2]] = $4 + 0; next }
	!(($3, $2) in least) || $4 + 0 < least[$3, $2] { least[$3, $2] = $4 + 0 }
	function middle(who,  i, j, x) {
		for (i = 2; i <= n[who]; i++)
			for (j = i; j > 1 && list[who, j] < list[who, j - 1]; j--) {
				x = list[who, j]; list[who, j] = list[who, j - 1]; list[who, j - 1] = x
			}
		return list[who, int((n[who] + 1) / 2)]
	}
	function limit(what, got, promised) { return got > promised ? sprintf("%s MISSED", what) : what }
	END {
		printf "%-26s %10s %10s %10s %10s  %s\n", "ns", "native", "off", "force", "report", "promised"
		for (i = 1; i <= rows; i++) {
			r = order[i]
			if (r == "fork+exec+wait") {
				a = middle("native"); o = middle("off"); f = middle("force"); p = middle("report")
				note = limit("report <= 1.05 force", p / f, 1.05)
				printf "%-26s %10.0f %10.0f %10.0f %9.2fx  %s\n", r, a, o, f, p / f, note
				continue
			}
			a = least[r, "native"]; o = least[r, "off"] - a
			f = least[r, "force"] - a; p = least[r, "report"] - a
			if (r == "close")
				note = limit("report +60", p - f, 60)
			else if (r == "read+write" || r == "poll")
				note = limit("nothing", p, 30)
			else if (r ~ /new$/)
				note = limit("report +5000", p - f, 5000)
			else
				note = limit("force +30", f, 30) ", " limit("report +300", p - f, 300)
			printf "%-26s %10.0f %+10.0f %+10.0f %+10.0f  %s\n", r, a, o, f, p, note
		}
	}' "$tmp/raw"
