#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The manifest against the truth: what libjail says about each libc symbol (preload/symbols.def),
# what the built library exports and imports, and every libc symbol that takes a path, makes a
# descriptor, executes or looks up a name (tests/data/surface.tsv).
#
#   tests/symbols.sh build/libjail.so
set -u
export LC_ALL=C

lib=${1:?usage: tests/symbols.sh build/libjail.so}
here=$(dirname "$0")
manifest=$here/../preload/symbols.def
data=$here/data
objects=$(dirname "$lib")/preload
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
failed=0

# is_empty WHAT FILE: a passed test when nothing stands in FILE, else what stands there
is_empty() {
	if [ -s "$2" ]; then
		failed=1
		printf 'not ok - %s\n' "$1"
		sed 's/^/# /' "$2"
	else
		printf 'ok - %s\n' "$1"
	fi
}

# The manifest as "KIND name rest", one line each; an entry may go over several lines.
sed -n -E \
	-e 's/^(SAME) *\( *([A-Za-z0-9_]+) *, *([A-Za-z0-9_]+) *\).*/\1 \2 \3/p' \
	-e 's/^(PASS|LATER) *\( *([A-Za-z0-9_]+) *, *"(.*)"\).*/\1 \2 \3/p' \
	-e 's/^(CALL|BLOCK|HAND) *\([^,]*, *([A-Za-z0-9_]+) *,.*/\1 \2/p' \
	"$manifest" >"$tmp/all"

grep -c -E '^[A-Z]+ *\(' "$manifest" >"$tmp/entries"
wc -l <"$tmp/all" | diff "$tmp/entries" - >"$tmp/r"
is_empty 'every entry of the manifest has a known form' "$tmp/r"

awk '{ print $2 }' "$tmp/all" | sort | uniq -d >"$tmp/r"
is_empty 'no symbol stands in the manifest twice' "$tmp/r"

awk '{ print $2 }' "$tmp/all" | sort -u >"$tmp/names"
awk '$1 ~ /^(CALL|BLOCK|HAND|SAME)$/ { print $2 }' "$tmp/all" | sort -u >"$tmp/wrapped"
awk '$1 == "SAME" { print $3 }' "$tmp/all" | sort -u | comm -23 - "$tmp/wrapped" >"$tmp/r"
is_empty 'every SAME names a wrapped function' "$tmp/r"

awk '$1 ~ /^(PASS|LATER)$/ && !$3 { print $2 }' "$tmp/all" >"$tmp/r"
is_empty 'every PASS has a reason and every LATER a subject' "$tmp/r"

awk -F '\t' 'FNR > 1 { print $1 }' "$data/surface.tsv" | sort -u >"$tmp/surface"
comm -23 "$tmp/surface" "$tmp/names" >"$tmp/r"
is_empty 'every symbol of the surface is in the manifest' "$tmp/r"

# A priority-A symbol that takes or gives a path, makes or closes a descriptor, executes or edits
# the environment may wait only when libc does it inside (role internal-open).
awk -F '\t' 'NR == FNR { split($0, w, " "); if (w[1] == "LATER") later[w[2]] = 1; next }
	FNR > 1 && $9 == "A" && $1 in later &&
	$2 ~ /path-in|path-out|fd-create|fd-destroy|exec|env|raw/ && $2 !~ /internal-open/ { print $1 }' \
	"$tmp/all" "$data/surface.tsv" >"$tmp/r"
is_empty 'no symbol of priority A waits that a wrapper could serve' "$tmp/r"

# name64, __name, __name_2, __name_chk ...: what a libc calls a wrapped function besides, as far
# as the surface or this machine's libc knows the name.  A twin left alone is a hole, unless the
# manifest or the list of what needs no wrapper gives a reason.
{
	cat "$tmp/surface"
	nm -D --defined-only "$(sh -c 'cat /proc/self/maps' |
		awk '/libc\.so|libc-2|ld-musl/ { print $6; exit }')" 2>/dev/null |
		awk '$2 ~ /[TWi]/ { sub(/@.*/, "", $3); print $3 }'
} | sort -u >"$tmp/known"
awk '{ n = $1
	print n "64"; print "_IO_" n; print "__" n; print "__" n "64"; print "__" n "_2"
	print "__" n "64_2"; print "__" n "_chk"; print "__" n "_time64"; print "__" n "_alias" }' \
	"$tmp/wrapped" | sort -u | comm -12 - "$tmp/known" >"$tmp/twins"
{
	cat "$tmp/names"
	cut -f 1 "$data/not-interposed.tsv"
} | sort -u | comm -23 "$tmp/twins" - >"$tmp/r"
is_empty 'every 64, __, _2 and _chk twin of a wrapped symbol is in the manifest' "$tmp/r"

# What needs no wrapper is told of what nobody has an opinion about: the manifest has its own reasons.
cut -f 1 "$data/not-interposed.tsv" | sort -u | comm -12 - "$tmp/names" >"$tmp/r"
is_empty 'no symbol of the manifest is among those that need none' "$tmp/r"

nm -D --defined-only "$lib" | awk '{ print $3 }' | sort -u >"$tmp/exported"
comm -23 "$tmp/wrapped" "$tmp/exported" >"$tmp/r"
is_empty 'every wrapped symbol is exported' "$tmp/r"
comm -13 "$tmp/wrapped" "$tmp/exported" | grep -v '^libjail_' >"$tmp/r"
is_empty 'nothing else is exported, but for names that begin with libjail_' "$tmp/r"
nm -D "$lib" | grep '@' >"$tmp/r"
is_empty 'no symbol has a version' "$tmp/r"
readelf -dW "$lib" | grep -E 'NEEDED|RPATH|RUNPATH|VERNEED|VERDEF|TEXTREL' >"$tmp/r"
is_empty 'the library needs no other, and no version' "$tmp/r"

# The closed list of imports: both libcs export the strong ones; a weak one may be missing.
nm -D --undefined-only "$lib" | awk '{ print $1, $2 }' | sort >"$tmp/imports"
sort "$data/imports" | diff - "$tmp/imports" >"$tmp/r"
is_empty 'the imports are exactly those of tests/data/imports' "$tmp/r"

# Inside preload/ a libc function's name means our own wrapper, so writing one is a loop and not
# a way down.  Who wants the wrapper says so: jail_NAME; and shape.o holds the jumps of SAME.
find "$objects" -name '*.o' ! -name audit.o -exec nm -A -u {} + |
	sed -n -E 's|^.*/preload/([^:]*)\.o:.* ([^ ]+)$|\1 \2|p' |
	sort -u >"$tmp/undefined"
awk 'NR == FNR { wrapped[$1] = 1; next } $2 in wrapped' "$tmp/wrapped" "$tmp/undefined" |
	while read -r object name; do
		if [ "$object" = shape ]; then
			grep -q "^SAME [^ ]* $name\$" "$tmp/all" && continue
		elif grep -q -w "jail_$name" "$here/../preload/$object.c"; then
			continue
		fi
		echo "$object.o calls $name"
	done >"$tmp/r"
[ -s "$tmp/undefined" ] || echo "no objects in $objects" >"$tmp/r"
is_empty 'no object in preload/ calls an exported function by its libc name' "$tmp/r"

readelf -rW "$lib" | awk 'NF >= 5 { print $5 }' | sort -u | comm -12 - "$tmp/wrapped" >"$tmp/r"
is_empty 'no reference from inside can be bound to somebody else' "$tmp/r"

awk '$1 == "LATER" { $1 = $2 = ""; sub(/^ +/, ""); count[$0]++ }
	END { for (s in count) print count[s], s }' "$tmp/all" | sort >"$tmp/later"
sort "$data/later.counts" | diff - "$tmp/later" >"$tmp/r"
is_empty 'what is left for later is what tests/data/later.counts says' "$tmp/r"

# How much of the surface has an answer: of priority A and B, and of C what a program can still be
# linked with, a symbol that this machine's libcs export by default.  What libc alone opens (role
# internal-open) is no wrapper's to serve.
for libc in $(sh -c 'cat /proc/self/maps' | awk '/libc\.so|libc-2|ld-musl/ { print $6; exit }') /lib/ld-musl-*.so.1; do
	[ ! -e "$libc" ] || nm -D --defined-only "$libc" | awk '$3 !~ /[^@]@[^@]/ { sub(/@@.*/, "", $3); print $3 }'
done | sort -u >"$tmp/living"
: >"$tmp/r"
awk -F '\t' -v missing="$tmp/r" '
	FILENAME ~ /living$/ { living[$1] = 1; next }
	FILENAME ~ /all$/ { split($0, w, " "); kind[w[2]] = w[1]; next }
	FNR == 1 || $2 ~ /internal-open/ || ($9 == "C" && !($1 in living)) { next }
	{
		n = split($2, role, ",")
		for (i = 1; i <= n; i++) {
			key = role[i] " " $9
			of[key]++
			if ($1 in kind && kind[$1] != "LATER")
				has[key]++
			else if (role[i] ~ /^(path-in|path-out|fd-create|fd-destroy|exec|env|raw)$/)
				print role[i], $9, $1 >missing
		}
	}
	END {
		split("path-in path-out fd-create fd-destroy exec env raw", role, " ")
		for (i = 1; i <= 7; i++)
			printf "# %-10s A %d of %d, B %d of %d, living C %d of %d\n", role[i],
				has[role[i] " A"], of[role[i] " A"], has[role[i] " B"], of[role[i] " B"],
				has[role[i] " C"], of[role[i] " C"]
	}' "$tmp/living" "$tmp/all" "$data/surface.tsv" >"$tmp/coverage"
[ -s "$tmp/living" ] || echo 'no libc found' >>"$tmp/r"
cat "$tmp/coverage"
is_empty 'every path, descriptor, exec, env and raw symbol of A, B and living C is served' "$tmp/r"

# What the loader and a start write are the data of each library (preload/mem.h, BESIDE): one page.
for one in "$lib" "${lib%.so}-audit.so"; do
	readelf -lW "$one" | awk '$1 == "LOAD" && / RW / { print $3, $5 }' |
		while read -r at size; do
			[ $((at % 4096 + size)) -le 4096 ] || echo "${one##*/}: $((size)) bytes of data from $at on"
		done
done >"$tmp/data"
is_empty "what a start writes is in one page" "$tmp/data"

exit "$failed"
