#!/bin/sh
# SPDX-License-Identifier: ISC
#
# make bench: what libjail costs, as ratios to the kernel's chroot in the same run, beside fakechroot,
# bubblewrap and PRoot where they are installed.  Single calls take turns (turns.py), real work is done by
# one contender after the other, in an order that turns.  As root, because a real chroot needs it;
# everything measured runs unprivileged.
#
#   BENCH_ROUNDS=7   rounds of single calls (a third of it, of real work)
#   BENCH_OPS='lookups,getcwd'   only these calls or groups of calls ("micro -l" lists them; "none": no calls)
#   BENCH_WORK='make find-size'  only this work ("none": no work)
#   BENCH_FDS=no     without what descriptors cost (fds.sh)
#   BENCH_NAMES=no   without lookups of names (names.sh, lookups.sh)
#   BENCH_CONTENDERS='kchroot jail old=/work/tree'
#       kchroot, jail, fakechroot, bubblewrap, proot; jailwalk is libjail without openat2; NAME=TREE is
#       the libjail that was built in another tree, to compare the two in one run
# shellcheck disable=SC2016 # what is in single quotes is for make and for the root's shell
set -eu
cd "$(dirname "$0")/../.."
B=${B:-build}
lib=${LIBJAIL_LIB:-$PWD/$B/libjail.so}
unset LIBJAIL_LIB
rounds=${BENCH_ROUNDS:-7}
work=${BENCH_WORK:-ls-lR find-size find-stat tar-null tar-x cp-a rm-r dpkg-deb-x git-status git-log make sh200 python}
contenders=${BENCH_CONTENDERS:-kchroot jail fakechroot bubblewrap proot}
dir=${BENCH_DIR:-/var/tmp/libjail-bench}
root=$dir/root
uid=12345
version=3

[ "$(id -u)" = 0 ] || {
	echo "make bench: the kernel's chroot to compare with needs root; descriptors alone:"
	LIBJAIL_LIB=$lib B=$B tests/bench/fds.sh
	exit 1
}

make_root() {
	from=${LIBJAIL_ROOTS:-/var/tmp/libjail-roots}/bookworm
	[ -d "$from/usr" ] || {
		echo "make bench: $from is missing; .ci/run makes it, or:"
		echo "  mmdebstrap --variant=minbase --include=python3,git,gcc,libc6-dev,make bookworm $from"
		exit 1
	}
	echo "a root for the benchmark in $dir"
	rm -rf "$root"
	cp -a "$from/." "$root"
	echo "jailer:x:$uid:$uid::/home/jailer:/bin/sh" >>"$root/etc/passwd"
	echo "jailer:x:$uid:" >>"$root/etc/group"
	mkdir -p "$root/opt/jb" "$root/home/jailer/repo" "$root/home/jailer/proj"
	chmod 755 "$dir" "$root"
	(cd "$root/home/jailer/repo" && git init -q . && for d in $(seq 60); do
		mkdir -p "src/mod$d/impl"
		for f in $(seq 40); do
			echo "int f_${d}_$f(void) { return $d * $f; }" >"src/mod$d/f$f.c"
			echo "int i_${d}_$f(void) { return $d + $f; }" >"src/mod$d/impl/i$f.c"
		done
	done && git -c user.name=b -c user.email=b@b add -A && git -c user.name=b -c user.email=b@b commit -q -m all)
	(cd "$root/home/jailer/proj" && for i in $(seq 20); do
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
	(cd "$root/home/jailer" && mkdir -p tree/DEBIAN && cp -a repo/src/mod[12]? tree &&
		printf 'Package: tree\nVersion: 1\nArchitecture: all\nMaintainer: b <b@b>\nDescription: a tree\n' >tree/DEBIAN/control)
	chown -R "$uid:$uid" "$root/home/jailer"
	kchroot sh -c 'cd && dpkg-deb --build tree >/dev/null && tar cf tree.tar tree'
	echo "$version" >"$dir/made"
}

kchroot() {
	"$dir/bin/kchroot" "$root" "$uid" -- env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/home/jailer LC_ALL=C.UTF-8 "$@"
}

mkdir -p "$dir/bin"
${CC:-cc} -O2 -o "$dir/bin/kchroot" tests/bench/kchroot.c
[ "$(cat "$dir/made" 2>/dev/null)" = "$version" ] || make_root
cp tests/bench/macro.sh tests/bench/*.c tests/bench/bench.h "$root/opt/jb"
chown -R "$uid:$uid" "$root/opt/jb"
# the root's own compiler: its libc may be older than ours
kchroot sh -c 'cd /opt/jb && for p in micro timeit; do gcc -O2 -o $p $p.c -ldl || exit; done'
# the fixture on both sides, so that a library that looks at the host finds something
kchroot /opt/jb/micro -s -m in-the-root
setpriv --reuid="$uid" --regid="$uid" --clear-groups -- "$root/opt/jb/micro" -s -m on-the-host 2>/dev/null || :

copy_jail() { # NAME LIBRARY LAUNCHER
	rm -rf "${dir:?}/$1"
	mkdir -p "$dir/$1/bin" "$dir/$1/lib"
	cp "$(dirname "$2")"/libjail*.so "$dir/$1/lib"
	cp "$3" "$dir/$1/bin"
}

# CONTENDER: writes $dir/bin/in-NAME, which runs a command inside it.  Fails, and says why, where it cannot.
enter() {
	name=${1%%=*}
	as="setpriv --reuid=$uid --regid=$uid --clear-groups --"
	case $1 in
	kchroot) as="$dir/bin/kchroot $root $uid --" ;;
	fakechroot) as="$as fakechroot chroot $root" ;;
	bubblewrap) as="$as bwrap --bind $root / --dev-bind /dev /dev --bind /proc /proc --" ;;
	proot) as="$as proot -r $root -b /proc -b /dev -w /" ;;
	jail | jailwalk)
		[ "$1" = jail ] || as="$as env LIBJAIL_RESOLVER=walk"
		copy_jail "$1" "$lib" tools/jailrun
		as="$as $dir/$1/bin/jailrun --root $root --"
		;;
	*=*)
		[ -f "${1#*=}/build/libjail.so" ] || {
			echo "make bench: ${1#*=}/build/libjail.so is missing: build that tree first" >&2
			exit 2
		}
		copy_jail "$name" "${1#*=}/build/libjail.so" "${1#*=}/tools/jailrun"
		as="$as $dir/$name/bin/jailrun --root $root --"
		;;
	*)
		echo "make bench: no contender $1" >&2
		exit 2
		;;
	esac
	printf '#!/bin/sh\ncd / && exec env -i PATH=%s HOME=/home/jailer LC_ALL=C.UTF-8 TZ=UTC timeout -k 5 300 %s "$@"\n' \
		/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$as" >"$dir/bin/in-$name"
	chmod 755 "$dir/bin/in-$name"
	why=$("$dir/bin/in-$name" /bin/true 2>&1 </dev/null) || {
		echo "$name does not run here ($(echo "$why" | head -n 1)): measured without it"
		return 1
	}
}

turn() { # WORD...: the first becomes the last
	first=$1
	shift
	turned="$* $first"
}

with=
turned=
for c in $contenders; do
	! enter "$c" || with="$with $c" turned="$turned ${c%%=*}"
done
kchroot /opt/jb/micro -l | awk -F '\t' -v only="${BENCH_OPS:-all}" 'BEGIN { n = split(only, w, ",") }
	{ for (i = 1; i <= n; i++) if (w[i] == "all" || w[i] == $1 || w[i] == $2) { print; next } }' >"$dir/ops"
[ -s "$dir/ops" ] || [ "${BENCH_OPS:-}" = none ] || {
	echo "make bench: no call and no group of calls is named '$BENCH_OPS'; $root/opt/jb/micro -l lists them" >&2
	exit 2
}
: >"$dir/calls"
: >"$dir/work"
for round in $(seq "$rounds"); do
	[ -s "$dir/ops" ] || break
	# shellcheck disable=SC2086
	python3 tests/bench/turns.py "$round" 5 2 "$dir/bin" $turned <"$dir/ops" >>"$dir/calls"
	# shellcheck disable=SC2086
	turn $turned
done
[ "$work" != none ] || work=
# Round 0 warms up, with the first contender: they all use the same files.
for round in $(seq 0 $(((rounds + 2) / 3))); do
	for w in $work; do
		for c in $turned; do
			[ "$round" != 0 ] || [ "$c" = "${contenders%% *}" ] || continue
			[ "$c" != proot ] || [ "$round" = 1 ] || continue # it takes several times as long as all others
			kchroot /bin/sh /opt/jb/macro.sh before "/tmp/jb-$c" "$w"
			"$dir/bin/in-$c" /bin/sh /opt/jb/macro.sh work "/tmp/jb-$c" "$w" </dev/null >"$dir/one" ||
				printf '%s\tFAIL\tdid not run\n' "$w" >"$dir/one"
			[ "$round" = 0 ] || sed "s/^/$round\t$c\t/" "$dir/one" >>"$dir/work"
			kchroot /bin/sh /opt/jb/macro.sh after "/tmp/jb-$c" "$w"
		done
	done
	# shellcheck disable=SC2086
	turn $turned
done
# shellcheck disable=SC2086
python3 tests/bench/table.py "$dir/calls" "$dir/work" $with | tee "$dir/table.txt"
[ "${BENCH_FDS:-yes}" = no ] || { echo && LIBJAIL_LIB=$lib B=$B tests/bench/fds.sh; }
[ "${BENCH_NAMES:-yes}" = no ] || {
	echo
	B=$B LIBJAIL_LIB=$lib tests/bench/names.sh
	B=$B LIBJAIL_LIB=$lib tests/bench/lookups.sh
}
