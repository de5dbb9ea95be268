#!/bin/sh
# SPDX-License-Identifier: ISC
#
# make bench: what libjail costs, as ratios to the kernel's chroot in the same run.  Rounds are
# interleaved: each runs every contender once, in an order that turns.  As root, because a real
# chroot needs it; everything measured runs unprivileged.
#
#   BENCH_ROUNDS=7   rounds of single calls (a third of it, of real work)
#   BENCH_OPS='stat abs (5 comps),getcwd'   only these calls ("none": no calls)
#   BENCH_WORK='make findsize'              only this work ("none": no work)
#   BENCH_FDS=no     without what descriptors cost (fds.sh)
#   BENCH_NAMES=no   without the table of names (names.sh)
#   BENCH_CONTENDERS='kchroot fakechroot jail'; jailwalk is libjail without openat2
# shellcheck disable=SC2016 # what is in single quotes is for make and for the root's shell
set -eu
cd "$(dirname "$0")/../.."
B=${B:-build}
lib=${LIBJAIL_LIB:-$PWD/$B/libjail.so}
unset LIBJAIL_LIB
rounds=${BENCH_ROUNDS:-7}
work=${BENCH_WORK:-findsize tarnull gitstatus make sh500 python}
dir=${BENCH_DIR:-/var/tmp/libjail-bench}
root=$dir/root
uid=12345
version=1

[ "$(id -u)" = 0 ] || {
	echo "make bench: the kernel's chroot to compare with needs root; descriptors alone:"
	LIBJAIL_LIB=$lib B=$B tests/bench/fds.sh
	exit 1
}
if [ "$(cat "$dir/made" 2>/dev/null)" != "$version" ]; then
	from=${LIBJAIL_ROOTS:-/var/tmp/libjail-roots}/bookworm
	[ -d "$from/usr" ] || {
		echo "make bench: $from is missing; .ci/run makes it, or:"
		echo "  mmdebstrap --variant=minbase --include=python3,git,gcc,libc6-dev,make bookworm $from"
		exit 1
	}
	echo "a root for the benchmark in $dir"
	rm -rf "$dir"
	mkdir -p "$dir/bin" "$dir/lib"
	cp -a "$from/." "$root"
	echo "jailer:x:$uid:$uid::/home/jailer:/bin/sh" >>"$root/etc/passwd"
	echo "jailer:x:$uid:" >>"$root/etc/group"
	mkdir -p "$root/opt/jb" "$root/home/jailer/repo" "$root/home/jailer/proj"
	chmod 755 "$dir" "$root"
	(cd "$root/home/jailer/repo" && git init -q . && for d in $(seq 100); do
		mkdir -p "src/mod$d/impl"
		for f in $(seq 40); do
			echo "int f_${d}_$f(void) { return $d * $f; }" >"src/mod$d/f$f.c"
			echo "int i_${d}_$f(void) { return $d + $f; }" >"src/mod$d/impl/i$f.c"
		done
	done && git -c user.name=b -c user.email=b@b add -A && git -c user.name=b -c user.email=b@b commit -q -m all)
	(cd "$root/home/jailer/proj" && for i in $(seq 40); do
		{
			for h in stdio stdlib string math unistd errno time sys/stat fcntl ctype; do
				echo "#include <$h.h>"
			done
			echo "int unit$i(int n, char *b) { int s = $i; while (n--) s = s * 31 + n; return sprintf(b, \"%d\", s); }"
		} >"unit$i.c"
	done && {
		echo 'int unit1(int, char *); int main(void) { char b[20]; return unit1(3, b) < 0; }' >main.c
		printf 'OBJ = $(patsubst %%.c,%%.o,$(wildcard *.c))\nprog: $(OBJ)\n\tgcc -o $@ $(OBJ)\n%%.o: %%.c\n\tgcc -O1 -c -o $@ $<\nclean:\n\trm -f prog *.o\n' >Makefile
	})
	echo "$version" >"$dir/made"
fi
cp "$lib" "$(dirname "$lib")/libjail-audit.so" "$dir/lib"
cp tools/jailrun "$dir/bin"
cp tests/bench/macro.sh tests/bench/*.c tests/bench/bench.h "$root/opt/jb"
chown -R "$uid:$uid" "$root/home/jailer" "$root/opt/jb"
${CC:-cc} -O2 -o "$dir/bin/kchroot" tests/bench/kchroot.c
# the root's own compiler: its libc may be older than ours
"$dir/bin/kchroot" "$root" "$uid" -- sh -c 'cd /opt/jb && for p in micro timeit; do gcc -O2 -o $p $p.c -ldl || exit; done'
# the fixture on both sides, so that a library that looks at the host finds something
"$dir/bin/kchroot" "$root" "$uid" -- /opt/jb/micro -s -m in-the-root
setpriv --reuid="$uid" --regid="$uid" --clear-groups -- "$root/opt/jb/micro" -s -m on-the-host 2>/dev/null || :

inside() { # CONTENDER COMMAND...
	contender=$1
	shift
	case $contender in
	kchroot) set -- "$dir/bin/kchroot" "$root" "$uid" -- "$@" ;;
	fakechroot) set -- fakechroot chroot "$root" "$@" ;;
	jail) set -- "$dir/bin/jailrun" --root "$root" -- "$@" ;;
	jailwalk) set -- env LIBJAIL_RESOLVER=walk "$dir/bin/jailrun" --root "$root" -- "$@" ;;
	*) echo "make bench: no contender $contender" >&2 && return 2 ;;
	esac
	case $contender in
	kchroot) ;;
	*) set -- setpriv --reuid="$uid" --regid="$uid" --clear-groups -- "$@" ;;
	esac
	(cd / && exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/home/jailer \
		LC_ALL=C.UTF-8 TZ=UTC timeout -k 5 300 "$@")
}

contenders=${BENCH_CONTENDERS:-kchroot fakechroot jail}
case " $contenders " in
*' fakechroot '*)
	command -v fakechroot >/dev/null || {
		echo "fakechroot is not installed: measured without it"
		contenders=$(printf '%s' " $contenders " | sed 's/ fakechroot / /')
	}
	;;
esac
: >"$dir/micro.raw"
: >"$dir/macro.raw"
turned=$contenders
for round in $(seq "$rounds"); do
	for c in $turned; do
		[ "${BENCH_OPS:-}" = none ] ||
			inside "$c" /opt/jb/micro -t 2 -b 5 ${BENCH_OPS:+-o "$BENCH_OPS"} | sed "s/^/$round\t$c\t/" >>"$dir/micro.raw"
	done
	# shellcheck disable=SC2086
	set -- $turned
	first=$1
	shift
	turned="$* $first"
done
[ "$work" != none ] || work=
# round 0 warms up, and is not counted
for round in $(seq 0 $(((rounds + 2) / 3))); do
	for w in $work; do
		for c in $turned; do
			inside "$c" /bin/sh /opt/jb/macro.sh "/tmp/jb-$c" "$w" | sed "s/^/$round\t$c\t/" |
				grep -v '^0' >>"$dir/macro.raw" || :
		done
	done
done
# shellcheck disable=SC2086
{
	[ ! -s "$dir/micro.raw" ] || python3 tests/bench/table.py micro "$dir/micro.raw" $contenders
	[ ! -s "$dir/macro.raw" ] || { echo && python3 tests/bench/table.py macro "$dir/macro.raw" $contenders; }
} | tee "$dir/table.txt"
[ "${BENCH_FDS:-yes}" = no ] || { echo && LIBJAIL_LIB=$lib B=$B tests/bench/fds.sh; }
[ "${BENCH_NAMES:-yes}" = no ] || {
	echo
	B=$B LIBJAIL_LIB=$lib tests/bench/names.sh
}
