#!/bin/sh
# SPDX-License-Identifier: ISC
#
# mount(2), umount2(2) and mount name spaces for whoever has the privilege: what mounts.c prints under the
# kernel's chroot and under jailrun, both as root.
# shellcheck source=tests/program/common
. "${0%/*}/common"
[ "$(id -u)" = 0 ] || skip_all "mounts need root"
unshare -m --propagation private mount -t tmpfs none /tmp 2>/dev/null || skip_all "no mounts on this machine"

root=$T/root
mkdir -p "$T/opt"
${CC:-cc} -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -O1 -o "$T/opt/mounts" tests/program/mounts.c &&
	"$T/usr/bin/jailroot" "$root" "$T/opt/mounts" >/dev/null || exit 1
mkdir -p "$root/etc" "$root/proc" "$root/dev"
echo here >"$root/etc/hostname"
if ! truncate -s 1M "$T/img" || ! mke2fs -q "$T/img"; then skip_all "no mke2fs for a file system with quotas"; fi

inside() { # WHAT, in a mount name space of its own; $in is how
	rm -rf "$root/work"
	mkdir "$root/work" "$root/work/q"
	# shellcheck disable=SC2016 # for the inner shell
	unshare -m --propagation private sh -c 'cd / && mount --rbind /proc "$1/proc" && mount --rbind /dev "$1/dev" || exit 125
		[ "$3" = kernel ] || umount -l "$1/proc" "$1/dev"
		[ "$4" != quota ] || { mount -o loop,usrquota "$2/img" "$1/work/q" && QUOTA=$(findmnt -no SOURCE "$1/work/q"); }
		export QUOTA
		case $3 in
		kernel) exec timeout 100 chroot "$1" "$2/opt/mounts" "$4" /work ;;
		jail) exec timeout 100 "$2/usr/bin/jailrun" --root "$1" -- "$2/opt/mounts" "$4" /work ;;
		walk) LIBJAIL_RESOLVER=walk exec timeout 100 "$2/usr/bin/jailrun" --root "$1" -- "$2/opt/mounts" "$4" /work ;;
		esac' sh "$root" "$T" "$in" "$1" </dev/null >"$T/$in" 2>&1
}

for what in source umount space quota; do
	in=kernel
	inside "$what"
	for in in jail walk; do
		inside "$what"
		# an empty answer would be no comparison
		[ "$(grep -c . "$T/kernel")" -gt 5 ] && cmp -s "$T/kernel" "$T/$in"
		result=$?
		[ $result = 0 ] || diff "$T/kernel" "$T/$in" | head -n 10 | sed 's/^/# /'
		row $result "mounts: $what ($in)"
	done
done

# shellcheck disable=SC2016 # for the inner shell
unshare -m --propagation private sh -c 'cd / && mount -t tmpfs none /mnt && "$1" --root "$2" --bind /mnt:/work -- "$3" binds / && mountpoint -q /mnt' \
	sh "$jailrun" "$root" "$T/opt/mounts" >"$T/binds" 2>&1
[ "$(cat "$T/binds")" = " 22 22 22 22" ]
result=$?
[ $result = 0 ] || sed 's/^/# /' "$T/binds"
row $result "what a bind shows stays mounted"

# The links of procfs where its host path has numbers that are no process's: as in the kernel's chroot.
cp -L "$(command -v readlink)" "$root/readlink" && for one in $(ldd "$root/readlink" | grep -o '/[^ ]*'); do
	mkdir -p "$root${one%/*}" && cp -nL "$one" "$root$one" 2>/dev/null
done
# shellcheck disable=SC2016 # for the inner shell
links='mount -t tmpfs none /mnt && mkdir -p /mnt/9dir/proc && mount -t proc none /mnt/9dir/proc || exit 125
	set -- "$1" "$2" "$3" /readlink /proc/self/exe /proc/self/root /proc/thread-self/exe
	case $3 in
	kernel) mount --bind /mnt/9dir/proc "$1/proc" && shift 3 && exec chroot "$OLDPWD" "$@" ;;
	*) root=$1 jailrun=$2 && shift 3 && exec "$jailrun" --root "$root" --no-default-binds --bind /mnt/9dir/proc:/proc -w / -- "$@" ;;
	esac'
for in in kernel jail; do
	(cd "$root" && unshare -m --propagation private sh -c "cd / && $links" sh "$root" "$jailrun" $in) >"$T/$in" 2>&1
done
[ "$(head -n 1 "$T/kernel")" = /readlink ] && cmp -s "$T/kernel" "$T/jail"
result=$?
[ $result = 0 ] || diff "$T/kernel" "$T/jail" | sed 's/^/# /'
row $result "links of procfs, below a directory that begins with a digit"
done_testing
