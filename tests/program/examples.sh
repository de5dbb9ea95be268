#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The examples of README.md and of the manual pages run as they are printed: the lines that begin with
# "$ " in a fresh copy of the tree, one after the other in one shell without privilege, those that begin with "# "
# as root before.  Lines after "NAME$ " are typed into the command before them.  What a page shows as output is
# compared, with any number for a number, and anything for a line of "...".
# shellcheck disable=SC2016,SC2317 # what is in single quotes is for another shell; leave is called by trap
# shellcheck source=tests/program/common
. "${0%/*}/common"
ROOTS=${LIBJAIL_ROOTS:-/var/tmp/libjail-roots}
CC=${CC:-cc}
command -v "$CC" >/dev/null || skip_all "no C compiler"
shopt -s extglob

work=$T/work # of one page: N.cmd, N.in, N.want; then N.out and N.status

leave() {
	umount "$T"/*/trixie "$T"/*/build/trixie 2>/dev/null
	finish
}
trap leave EXIT

# PAGE: its examples, to $work, numbered.  Of a manual page those of the section EXAMPLES; make install
# puts things below /usr/local unless it is told another place, as it is here.
extract() {
	rm -rf "$work"
	mkdir -m 755 "$work"
	case $1 in
	*.md) awk '/^```/ { on = !on; next } on' "$1" ;;
	*) sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' "$1" | awk '/^\.Bd/ { on = 1; next } /^\.Ed/ { on = 0 } on' |
		sed -e 's/\\e/\\/g' -e 's/\\&//g' -e "s|/usr/local|$T/usr|g" ;;
	esac | awk -v to="$work/" '
		/^[$#] / { n++; f = to sprintf("%03d", n); print substr($0, 3) >(f (/^#/ ? ".root" : ".cmd")); next }
		/^[a-z]+\$ / { sub(/^[a-z]+\$ /, ""); print >(f ".in"); next }
		n { print >(f ".want") }'
}

# A root of Debian 13 for what mmdebstrap makes in DIR: that takes a minute, and .ci/run has done it.
trixie() {
	[ "$(id -u)" = 0 ] && [ -e "$ROOTS/trixie/etc/debian_version" ] || return 1
	mkdir -p "$1/trixie" "$T/over/$2/upper" "$T/over/$2/work"
	chmod 755 "$T/over/$2/upper"
	mount -t overlay -o "lowerdir=$ROOTS/trixie,upperdir=$T/over/$2/upper,workdir=$T/over/$2/work" overlay "$1/trixie"
}

cat >"$T/driver" <<'END'
# WORK: runs what is there, in this one shell
work=$1
set --
for cmd in "$work"/*.cmd; do
	base=${cmd%.cmd}
	in=/dev/null
	[ ! -e "$base.in" ] || in=$base.in
	# the port of the example before
	for _ in $(seq 100); do
		grep -q ':1267 .* 0A ' /proc/net/tcp || break
		sleep .1
	done
	eval "$(cat "$cmd")" <"$in" >"$base.out" 2>&1
	echo $? >"$base.status"
done
END

# What is compared: numbers, this machine's name and the division into lines do not count.
squeeze() {
	sed -E -e "s/ on $(uname -n),/ on vm,/" -e 's/[0-9]+/0/g' | tr -s ' \t\n' ' ' | sed -e 's/^ //' -e 's/ $//'
}

# PAGE DIR WHY: runs the page's examples in DIR; those that need a root of Debian 13 only if WHY is empty, others
# that cannot be tried here are skipped, too.
page() {
	local name=${1##*/} dir=$2 why=$3 base cmd got want status
	local -a net=()
	extract "$1"
	for base in "$work"/*.root; do
		[ ! -e "$base" ] || [ -n "$why" ] || case $(cat "$base") in
		mmdebstrap*) row 0 "$name: # $(cat "$base") # SKIP made before" ;;
		*)
			(cd "$dir" && eval "$(cat "$base")")
			row $? "$name: # $(cat "$base")"
			;;
		esac
	done
	for base in "$work"/*.cmd; do
		cmd=$(cat "$base")
		case $cmd in
		*'mmdebstrap --mode='*) row 0 "$name: $cmd # SKIP program/jobs does it" ;;
		*trixie*)
			[ -n "$why" ] || continue
			row 0 "$name: $cmd # SKIP $why"
			;;
		*) continue ;;
		esac
		rm "$base"
	done
	chmod -R a+rwX "$work"
	# no other test has the example's port
	[ "$(id -u)" != 0 ] || ! unshare -n true 2>/dev/null || net=(unshare -n)
	(cd "$dir" && "${net[@]}" "$BASH" -c 'as() { if [ "$(id -u)" = 0 ]; then exec setpriv --reuid='"$U"' --regid='"$U"' --clear-groups -- "$@"; else exec "$@"; fi; }
		as timeout -k 5 300 env -i HOME="$1" PATH="$2" LC_ALL=C bash "$3" "$4"' - "$T/home" \
		"$T/usr/bin:/usr/local/bin:/usr/bin:/bin" "$T/driver" "$work") >"$T/log" 2>&1 </dev/null
	[ ! -s "$T/log" ] || sed 's/^/# /' "$T/log"
	for base in "$work"/*.cmd; do
		base=${base%.cmd}
		cmd=$(cat "$base.cmd")
		status=$(cat "$base.status" 2>/dev/null)
		if [ -e "$base.want" ]; then
			want=$(squeeze <"$base.want")
			want=" ${want// .../ $'\1'} "
			got=" $(squeeze <"$base.out") "
			want=${want//$'\1'/...}
			check "$got" "$want"
		else
			# of jailreport 1 is an answer
			[ "$status" = 0 ] || { [ "$status" = 1 ] && [[ $cmd == *jailreport* ]]; }
		fi
		status=$?
		[ "$status" = 0 ] || sed 's/^/# /' "$base.out"
		row "$status" "$name: $cmd"
	done
}

# GOT WANT: is GOT what WANT says, where "..." stands for anything?
check() {
	local pattern=
	local rest=$2
	while [[ $rest == *' ... '* ]]; do
		pattern+=$(printf '%q' "${rest%%' ... '*}")'*'
		rest=" ${rest#*' ... '}"
	done
	pattern+=$(printf '%q' "$rest")
	# shellcheck disable=SC2053 # a pattern it is
	eval "[[ \$1 == $pattern ]]"
}

mkdir -p "$T/home" "$T/clone"
# make install as the README has it; the pages speak of what is installed for everybody
mkdir -p "$T/usr/share/libjail"
cp tools/compat/fakechroot "$T/usr/share/libjail"
{ git ls-files -z -c -o --exclude-standard 2>/dev/null || find preload tools Makefile README.md -type f -print0; } |
	xargs -0 cp --parents -t "$T/clone"
mkdir "$T/clone/build"
cp -R "$built/preload" "$built/tools" "$built"/*.so "$built/jailreport" "$T/clone/build"
[ "$(id -u)" != 0 ] || chown -R "$U:$U" "$T/home" "$T/clone"
why=
trixie "$T/clone/build" readme || why="no root of Debian 13 in $ROOTS, or not root"
page README.md "$T/clone" "$why"

# What the manual pages take for granted: a daemon that leaks, an archive, a source tree, logs.
for name in jailrun.1 jailroot.1 jailreport.1 libjail.7; do
	dir=$T/${name%.*}
	mkdir -p "$dir/src" "$dir/logs/one" "$dir/logs/two"
	cat >"$dir/appd.c" <<'END'
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	open("/dev/zero", O_RDONLY);
	system("true");
	/* one of us stays */
	if (argc == 1 && open("appd.lock", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600) >= 0 && daemon(1, 0) == 0)
		sleep(120);
	return 0;
}
END
	"$CC" -g -w -o "$dir/appd" "$dir/appd.c" && cp "$dir/appd" "$dir/legacy-daemon" || exit 1
	printf 'all:\n\t@echo built\n' >"$dir/src/Makefile"
	tar -cf "$dir/backup.tar" -C "$dir" src
	printf '{\n   known\n   leak\n   fun:nobody\n}\n' >"$dir/known"
	(cd "$dir" && LD_PRELOAD="$lib" LIBJAIL_REPORT="$dir/logs/ev" ./appd once && gzip -c logs/ev | tee logs/one/descriptors.gz >logs/two/descriptors.gz)
	[ "$(id -u)" != 0 ] || chown -R "$U:$U" "$dir"
	why=
	case $(sed -n '/^\.Sh EXAMPLES/,$p' "tools/$name") in
	*trixie*) trixie "$dir" "${name%.*}" || why="no root of Debian 13 in $ROOTS, or not root" ;;
	esac
	page "tools/$name" "$dir" "$why"
	for pid in $(pidof appd); do
		[ "$(readlink "/proc/$pid/exe")" != "$dir/appd" ] || kill "$pid"
	done
done
done_testing
