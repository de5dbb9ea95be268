#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Programs start, and see what they should, on kernels since Linux 4.18, behind seccomp filters that do not know what
# is newer, and behind filters of their own: older.c stands for all of these.
# shellcheck source=tests/program/common
. "${0%/*}/common"

root=$T/root
older=$T/opt/older
newer=$T/opt/newer
mkdir -p "$T/opt"
for one in older newer; do
	${CC:-cc} -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -O1 -o "$T/opt/$one" "tests/program/$one.c" || exit 1
done
"$T/usr/bin/jailroot" "$root" "$older" "$newer" sh cat ls id >/dev/null || exit 1
"$older" 4.18 enosys true 2>/dev/null || skip_all "no seccomp filters on this machine"
mkdir -p "$root/proc" "$root/etc/sub" "$root/etc/locked" "$root/work"
echo here >"$root/etc/hostname"
echo secret >"$root/etc/secret"
ln -s hostname "$root/etc/link"
chmod 640 "$root/etc/secret"
chmod 700 "$root/etc/locked"
chmod 777 "$root/work"
chmod 755 "$root"

# shellcheck disable=SC2016 # for the inner shell
script='cat /etc/hostname; ls -d /etc/hostname; test -x /bin/sh && echo x; ! test -w /etc || echo w; ! test -x /none || echo y'
for linux in 4.18 5.0 5.4 5.10; do
	says "Linux $linux: programs start in a root" 0 'here
/etc/hostname
x' "$older" "$linux" enosys "$jailrun" -r "$root" -w / -- sh -c "$script"
	says "Linux $linux: programs start without a root" 0 "$U" "$older" "$linux" enosys "$jailrun" -- id -u
done

# A C library may take EPERM for an answer, as dash's here does of faccessat2(2): no test -x.
says "a container that refuses what it does not know" 0 'here
/etc/hostname' "$older" 4.18 eperm "$jailrun" -r "$root" -w / -- sh -c 'cat /etc/hostname; ls -d /etc/hostname'

# A filter that the program has installed, before it executes another: openat2(2) is unknown to it
for how in enosys eperm kill; do
	# shellcheck disable=SC2016 # for the inner shell
	says "a program's own filter that answers $how" 0 'here
/etc/hostname
/etc/../etc/link' "$jailrun" -r "$root" -w / -- "$older" 437 "$how" \
		sh -c 'cat /etc/hostname; ls -d /etc/hostname; exec "$0" 437 '"$how"' ls /etc/../etc/link' "$older"
done

# NAME STATUS COMMAND...: newer, in the kernel's chroot and in ours
same() {
	name=$1 linux=$2 who=$3
	shift 3
	# shellcheck disable=SC2016 # for the inner shell
	unshare -m --propagation private sh -c 'mount --rbind /proc "$1/proc" && root=$1 older=$2 linux=$3 who=$4 && shift 4 &&
		exec "$older" $linux chroot --userspec="$who:$who" --groups= "$root" "$@"' \
		sh "$root" "$older" "$linux" "$who" "$newer" "$@" >"$T/kernel" 2>&1 </dev/null
	# shellcheck disable=SC2086
	"$older" $linux setpriv --reuid="$who" --regid="$who" --clear-groups -- \
		"$jailrun" --cloexec=off -r "$root" -w / -- "$newer" "$@" >"$T/jail" 2>&1 </dev/null
	[ "$(grep -c . "$T/kernel")" -gt 300 ] && cmp -s "$T/kernel" "$T/jail"
	result=$?
	[ $result = 0 ] || diff "$T/kernel" "$T/jail" | head -n 20 | sed 's/^/# /'
	row $result "$name"
}

if [ "$(id -u)" = 0 ]; then
	for linux in "4.18 enosys" "5.4 enosys" "5.10 enosys" "4.18 eperm" "9999 enosys"; do
		unset NO_SPAWN
		# glibc has no posix_spawn(3) where clone3(2) is EPERM, and we do
		[ "${linux#*eperm}" = "$linux" ] || export NO_SPAWN=1
		same "newer calls, $linux" "$linux" "$U"
		export NO_SPAWN=1
		same "newer calls, $linux, root as another" "$linux" 0 "$U" "$U"
	done
else
	echo "# the kernel's chroot to compare with needs root"
fi
done_testing
