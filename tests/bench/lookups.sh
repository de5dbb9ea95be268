#!/bin/sh
# SPDX-License-Identifier: ISC
#
# make bench, names: a lookup in a table of 10,000 entries by glibc's files service, nss_wrapper, fakechroot
# and libjail (a root's own table, a file, the host's snapshot), interleaved in one run; and python3's
# tarfile over 10,000 files whose owners nobody knows, with that table and with a small one.  As root:
# the table takes the place of /etc/passwd in a mount name space of its own.
#
#   BENCH_ROUNDS=3   BENCH_ENTRIES=10000   BENCH_FILES=10000
set -eu
cd "$(dirname "$0")/../.."
if [ -z "${BENCH_SPACE:-}" ]; then
	[ "$(id -u)" = 0 ] || {
		echo "make bench, names: needs root"
		exit 1
	}
	BENCH_SPACE=1 exec unshare -m --propagation private "$0" "$@"
fi
B=${B:-build}
lib=${LIBJAIL_LIB:-$PWD/$B/libjail.so}
unset LIBJAIL_LIB
rounds=${BENCH_ROUNDS:-3}
entries=${BENCH_ENTRIES:-10000}
files=${BENCH_FILES:-10000}
uid=12345
tmp=$(mktemp -d /var/tmp/libjail-names.XXXXXX)
trap 'umount /etc/passwd /etc/group /etc/nsswitch.conf 2>/dev/null || :; rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
chmod 755 "$tmp"
mkdir -p "$tmp/bin" "$tmp/lib"
cp "$lib" "$(dirname "$lib")/libjail-audit.so" "$tmp/lib"
cp tools/jailrun tools/jailroot "$tmp/bin"
${CC:-cc} -O2 -w -o "$tmp/bin/lookups" tests/bench/lookups.c
awk -v n="$entries" 'BEGIN { for (i = 0; i < n; i++) printf "u%d:x:%d:%d:User number %d:/home/u%d:/bin/sh\n", i, i + 1000, i + 1000, i, i }' >"$tmp/passwd"
awk -v n="$entries" 'BEGIN { for (i = 0; i < n; i++) printf "g%d:x:%d:u%d,u%d\n", i, i + 1000, i, (i + 1) % n }' >"$tmp/group"
printf 'root:x:0:0::/root:/bin/sh\ndaemon:x:1:1::/:/bin/sh\n' >"$tmp/small.passwd"
printf 'root:x:0:\ndaemon:x:1:\n' >"$tmp/small.group"
printf 'passwd: files\ngroup: files\n' >"$tmp/nsswitch"
python=/usr/bin/python3
"$tmp/bin/jailroot" "$tmp/root" "$tmp/bin/lookups" >"$tmp/log" 2>&1
cp "$tmp/passwd" "$tmp/group" "$tmp/root/etc"
mount --bind "$tmp/nsswitch" /etc/nsswitch.conf
mount --bind "$tmp/passwd" /etc/passwd
mount --bind "$tmp/group" /etc/group
sleep 0.1

wrapper=$(find /usr/lib /usr/local/lib -name 'libnss_wrapper.so*' 2>/dev/null | head -n 1)
contenders=native
[ -z "$wrapper" ] || contenders="$contenders nss_wrapper"
! command -v fakechroot >/dev/null || contenders="$contenders fakechroot"
[ -n "$wrapper" ] && command -v fakechroot >/dev/null || echo "nss_wrapper or fakechroot is not installed (apt-get install libnss-wrapper fakechroot): measured without"
contenders="$contenders guest file host"

in_contender() { # WHO COMMAND...
	who=$1
	shift
	case $who in
	native) ;;
	nss_wrapper) set -- env LD_PRELOAD="$wrapper" NSS_WRAPPER_PASSWD="$tmp/passwd" NSS_WRAPPER_GROUP="$tmp/group" "$@" ;;
	fakechroot) set -- fakechroot chroot "$tmp/root" "$@" ;;
	guest) set -- "$tmp/bin/jailrun" -r "$tmp/root" -- "$@" ;;
	file) set -- "$tmp/bin/jailrun" --names=file --passwd "$tmp/passwd" --group "$tmp/group" -- "$@" ;;
	host) set -- "$tmp/bin/jailrun" --names=host -- "$@" ;;
	esac
	setpriv --reuid="$uid" --regid="$uid" --clear-groups -- "$@"
}

for round in $(seq "$rounds"); do
	for who in $contenders; do
		in_contender "$who" "$tmp/bin/lookups" "$entries" | sed "s/^/$round\t$who\t/"
	done
done >"$tmp/raw"
awk -F '\t' -v list="$contenders" -v entries="$entries" '
	!($3 in seen) { seen[$3] = 1; order[++rows] = $3 }
	$4 == "FAIL" { failed[$3, $2] = $5; next }
	!(($3, $2) in least) || $4 + 0 < least[$3, $2] { least[$3, $2] = $4 + 0 }
	END {
		n = split(list, who, " ")
		printf "%-26s", "ns, " entries " entries"
		for (k = 1; k <= n; k++)
			printf " %11s", who[k]
		print "  promised"
		for (i = 1; i <= rows; i++) {
			r = order[i]
			other = 0
			ours = 0
			printf "%-26s", r
			for (k = 1; k <= n; k++) {
				v = least[r, who[k]]
				printf " %11s", (r, who[k]) in least ? sprintf("%.0f", v) : "failed"
				if (!((r, who[k]) in least))
					continue
				if (who[k] ~ /^(guest|file|host)$/) {
					if (v > ours)
						ours = v
				} else if (!other || v < other)
					other = v
			}
			printf "  20 times the fastest other: %.0f%s\n", other / ours, other < 20 * ours ? " MISSED" : ""
		}
	}' "$tmp/raw"

# -- tarfile
mkdir "$tmp/tree"
$python -I - "$tmp/tree" "$files" <<'TEXT'
import os, random, sys
random.seed(1)
for i in range(int(sys.argv[2])):
    d = "%s/%d" % (sys.argv[1], i // 200)
    if i % 200 == 0: os.mkdir(d)
    f = "%s/%d" % (d, i)
    os.close(os.open(f, os.O_CREAT, 0o644))
    os.chown(f, random.randrange(200000, 4000000), random.randrange(200000, 4000000))
TEXT
cat >"$tmp/tar.py" <<'TEXT'
import grp, os, pwd, sys, tarfile, time
tree = sys.argv[1]
ids = [(st.st_uid, st.st_gid) for d, _, names in os.walk(tree) for st in (os.lstat(os.path.join(d, n)) for n in names)]
a = time.perf_counter()
with tarfile.open("/dev/null", "w") as t: t.add(tree)
b = time.perf_counter()
for u, g in ids:
    try: pwd.getpwuid(u)
    except KeyError: pass
    try: grp.getgrgid(g)
    except KeyError: pass
c = time.perf_counter()
print("%.4f\t%.4f" % (b - a, c - b))
TEXT
# own: this host's tables and nsswitch.conf as they are, which may ask more services than files
for table in "$entries" 2 own; do
	[ "$table" = "$entries" ] || umount /etc/passwd /etc/group
	case $table in
	2)
		mount --bind "$tmp/small.passwd" /etc/passwd
		mount --bind "$tmp/small.group" /etc/group
		;;
	own) umount /etc/nsswitch.conf ;;
	esac
	sleep 0.1
	for round in 1 2 3; do
		for who in native libjail; do
			set -- $python -I "$tmp/tar.py" "$tmp/tree"
			[ "$who" = native ] || set -- "$tmp/bin/jailrun" -- "$@"
			setpriv --reuid="$uid" --regid="$uid" --clear-groups -- "$@" | sed "s/^/$table\t$who\t/"
		done
		[ "$table" != "$entries" ] || break # it takes long enough
	done
done >"$tmp/tar.raw"
awk -F '\t' -v files="$files" -v tables="$entries 2 own" '
	function least(a, k, v) { if (!(k in a) || v < a[k]) a[k] = v }
	{ least(whole, $1 " " $2, $3 + 0); least(names, $1 " " $2, $4 + 0) }
	END {
		printf "\n%-38s %10s %10s %8s  promised\n", "s, tarfile of " files " files", "native", "libjail", "ratio"
		n = split(tables, table, " ")
		for (i = 1; i <= n; i++) {
			t = table[i]
			a = names[t " native"] / names[t " libjail"]
			b = whole[t " native"] / whole[t " libjail"]
			title = t == "own" ? "this host" : t " entries"
			# of a few lines glibc reads the end as fast as we see that there is nothing new
			printf "%-38s %10.3f %10.3f %8.1f  %s\n", "lookups alone, " title, names[t " native"], names[t " libjail"], a, (t == 2 ? "" : a < 5 ? "5 MISSED" : "5")
			printf "%-38s %10.3f %10.3f %8.1f  %s\n", "the whole archive, " title, whole[t " native"], whole[t " libjail"], b, (i > 1 ? "" : b < 5 ? "5 MISSED" : "5")
		}
	}' "$tmp/tar.raw"
