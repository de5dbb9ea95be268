#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The oracle where another glibc is the host's: its table is compiled and run within Debian roots, whose
# libcs answer in ways of their own (tests/oracle/oracle.sh is about this machine's).  As root.
# shellcheck source=tests/program/common
. "${0%/*}/common"
ROOTS=${LIBJAIL_ROOTS:-/var/tmp/libjail-roots}
[ "$(id -u)" = 0 ] || skip_all "the kernel's chroot to compare with needs root"
unshare -m --propagation private true 2>/dev/null || skip_all "no mount name space (unshare -m)"

# Some releases have setpriv(1) in a package of its own: what oracle.sh wants of it.
cat >"$T/setpriv.c" <<'END'
#define _GNU_SOURCE
#include <grp.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct caps[2] = {{1 << CAP_SYS_CHROOT, 1 << CAP_SYS_CHROOT, 1 << CAP_SYS_CHROOT}};
	int i, uid = -1, gid = -1, keep = 0;

	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		uid = strncmp(argv[i], "--reuid=", 8) == 0 ? atoi(argv[i] + 8) : uid;
		gid = strncmp(argv[i], "--regid=", 8) == 0 ? atoi(argv[i] + 8) : gid;
		keep |= strstr(argv[i], "+sys_chroot") != NULL;
	}
	prctl(PR_SET_KEEPCAPS, keep, 0, 0, 0);
	if (i + 1 >= argc || setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
		return 125;
	if (keep && (syscall(SYS_capset, &head, caps) != 0 ||
			    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_CHROOT, 0, 0) != 0))
		return 125;
	execvp(argv[i + 1], argv + i + 1);
	return 127;
}
END

# ROOT COMMAND...: with ROOT as /, this repository in /mnt/top, and nothing written to ROOT
inside() {
	# shellcheck disable=SC2016
	unshare -m --propagation private sh -c '
		root=$1 top=$2 extra=$3
		shift 3
		mount --bind "$root" "$root" || exit 125
		for d in proc dev sys; do mount --rbind "/$d" "$root/$d" || exit 125; done
		mount -t tmpfs -o mode=1777 none "$root/tmp" && mount -t tmpfs none "$root/mnt" || exit 125
		mkdir "$root/mnt/top" "$root/mnt/old" && cp "$extra/setpriv.c" "$root/mnt/" &&
			mount --bind "$top" "$root/mnt/top" && cd "$root" && pivot_root . mnt/old && umount -l /mnt/old || exit 125
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/mnt
		export PATH
		command -v setpriv >/dev/null || gcc -O1 -o /mnt/setpriv /mnt/setpriv.c || exit 125
		cd /mnt/top && exec "$@"
	' sh "$1" "$PWD" "$T" env -i LC_ALL=C HOME=/root ORACLE_LIBC=glibc ORACLE_RESOLVERS=auto sh -c 'PATH=/usr/sbin:/usr/bin:/sbin:/bin:/mnt exec "$@"' sh "$2"
}

for release in ${RELEASES:-bullseye trixie}; do
	root=$ROOTS/$release
	[ -e "$root/usr/bin/gcc" ] || {
		row 0 "$release # SKIP no $root with a compiler"
		continue
	}
	inside "$root" tests/oracle/oracle.sh >"$T/out" 2>"$T/err"
	status=$?
	# what differs by design there alone (libjail.7)
	odd=$(sed -n 's/^glibc auto: \([^ ]*\)$/\1/p' "$T/out" | grep -vx -e "$([ "$release" = bullseye ] && echo loader)")
	equal=$(sed -n 's/^glibc auto: \([0-9]*\) equal.*/\1/p' "$T/out")
	[ "${equal:-0}" -gt 10000 ] && [ -z "$odd" ]
	result=$?
	[ "$result" = 0 ] || {
		echo "# status $status"
		grep -v ' warning: ' "$T/err" | tail -n 5 | cut -c 1-300 | sed 's/^/# /'
		cut -c 1-600 "$T/out" | tail -n 30 | sed 's/^/# /'
	}
	row "$result" "$release: ${equal:-0} answers"
done
done_testing
