#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Under libjail nobody asks the name service switch (CVE-2019-14271 is what becomes of that): roots whose
# nsswitch.conf names two libraries that leave a mark when they are loaded and give wrong names.
# First without libjail, to see that the trap works; then with it, programs of the root, programs of the
# host that call chroot(2), and programs of the host without a root, all under strace: nobody opens
# nsswitch.conf, nscd's socket or a libnss_*.  As root, which the trap and an overlay need.
# shellcheck disable=SC2016 # what is in single quotes is for the guest's shell
if [ -z "${NSS_SPACE:-}" ] && [ "$(id -u)" = 0 ]; then
	NSS_SPACE=1 unshare -m --propagation private "$0" "$@" || exit
	exit 0
fi
# shellcheck source=tests/program/common
. "${0%/*}/common"
[ "$(id -u)" = 0 ] || skip_all "a chroot to try the trap in needs root"
command -v strace >"$T/log" || skip_all "strace is not installed"
ROOTS=${LIBJAIL_ROOTS:-/var/tmp/libjail-roots}
mkdir -m 1777 "$T/tmp"

# without a libc, because it is loaded into those of several releases
cat >"$T/hostile.c" <<'TEXT'
#include <grp.h>
#include <pwd.h>
#include <fcntl.h>
#include <sys/syscall.h>

static long call(long n, long a, long b, long c, long d)
{
	long r;
	register long r10 __asm__("r10") = d;

	__asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
	return r;
}

__attribute__((constructor)) static void loaded(void)
{
	call(SYS_openat, AT_FDCWD, (long)MARK, O_CREAT | O_WRONLY, 0666);
}

static int pw(struct passwd *p, uid_t uid)
{
	static char evil[] = "evil";

	*p = (struct passwd){evil, evil, uid, uid, evil, evil, evil};
	return 1;
}

static int gr(struct group *g, gid_t gid)
{
	static char evil[] = "evil", *none[] = {0};

	*g = (struct group){evil, evil, gid, none};
	return 1;
}

#define SERVICE(s) \
	int _nss_##s##_getpwuid_r(uid_t u, struct passwd *p, char *b, size_t n, int *e) { return pw(p, u); } \
	int _nss_##s##_getpwnam_r(const char *u, struct passwd *p, char *b, size_t n, int *e) { return pw(p, 666); } \
	int _nss_##s##_getgrgid_r(gid_t u, struct group *p, char *b, size_t n, int *e) { return gr(p, u); } \
	int _nss_##s##_getgrnam_r(const char *u, struct group *p, char *b, size_t n, int *e) { return gr(p, 666); }
SERVICE(files)
SERVICE(hostile)
TEXT
[ "$(uname -m)" = x86_64 ] || skip_all "the trap is written for x86_64"
"${CC:-cc}" -w -shared -nostdlib -fPIC -O1 -DMARK="\"/tmp/libjail-mark\"" -o "$T/hostile.so" "$T/hostile.c" || exit 1

# A root of RELEASE with the trap in it.  Its /tmp is the host's $T/tmp, so that the mark is at one
# place whichever way the library is loaded.
trap_root() {
	root=$T/root
	umount "$root/tmp" "$root" 2>/dev/null
	rm -rf "$T/upper" "$T/work"
	mkdir -p "$root" "$T/upper" "$T/work"
	mount -t overlay -o "lowerdir=$ROOTS/$1,upperdir=$T/upper,workdir=$T/work" none "$root" || return 1
	mount --bind "$T/tmp" "$root/tmp" || return 1
	chmod 755 "$root"
	for dir in /lib/x86_64-linux-gnu /usr/lib/x86_64-linux-gnu; do
		for name in libnss_files.so.2 libnss_hostile.so.2; do
			chroot "$root" rm -f "$dir/$name"
			cp "$T/hostile.so" "$root/usr/lib/x86_64-linux-gnu/$name"
			[ -e "$root$dir/$name" ] || cp "$T/hostile.so" "$root$dir/$name"
		done
	done
	chroot "$root" ldconfig 2>/dev/null
	printf '%s: hostile files\n' passwd group shadow initgroups gshadow subid >"$root/etc/nsswitch.conf"
	printf 'captain:x:4242:4242:Captain:/home/captain:/bin/sh\njailer:x:%s:%s::/home/jailer:/bin/sh\n' "$U" "$U" >>"$root/etc/passwd"
	printf 'captain:x:4242:jailer\njailer:x:%s:\n' "$U" >>"$root/etc/group"
	mkdir -p "$root/srv/data" "$root/home/captain" "$root/home/jailer"
	echo text >"$root/srv/data/file"
	chown -R 4242:4242 "$root/srv/data"
	chown "$U:$U" "$root/home/jailer"
}

# The bind of /tmp above is what the root itself has; the host's own /tmp is another place.
# shellcheck disable=SC2317 # the trap
leave() {
	umount "$T/root/tmp" "$T/root" 2>/dev/null
	umount -l "$T/root" 2>/dev/null # finish() goes through all of $T
	finish
}
trap leave EXIT
mount --bind "$T/tmp" /tmp 2>/dev/null || skip_all "nothing can be mounted here"
mark=/tmp/libjail-mark

marked() {
	[ -e "$mark" ] && rm -f "$mark"
}

# NAME WANT COMMAND...: unprivileged and traced: it ends well, prints the pattern WANT, and nobody
# touches the name service switch.
clean() {
	clean_name=$1 clean_want=$2
	shift 2
	rm -f /tmp/trace "$mark"
	as strace -f -qq -s 200 -e trace=open,openat,openat2,connect,execve,execveat -o /tmp/trace \
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/home/jailer LC_ALL=C "$@" >"$T/out" 2>"$T/err" </dev/null
	status=$?
	got=$(cat "$T/out")
	# shellcheck disable=SC2254 # a pattern it is
	case $got in
	$clean_want) [ "$status" = 0 ] ;;
	*) false ;;
	esac || {
		echo "# status $status, said: $(head -c 2000 "$T/out" | tr '\n' '|')"
		head -n 5 "$T/err" | sed 's/^/# /'
		row 1 "$clean_name: what it says"
	}
	# for the source host jailrun itself asks getent(1), before a loader opens libjail.so
	case $* in
	*--names=host*) sed '1,/libjail\.so", O_RDONLY|O_CLOEXEC/d' /tmp/trace ;;
	*) cat /tmp/trace ;;
	esac |
		grep -E 'nsswitch\.conf|nscd|libnss_|sss/pipes' >"$T/touched"
	result=$?
	[ "$result" = 1 ] || {
		head -n 5 "$T/touched" | sed 's/^/# /'
		grep exec /tmp/trace | tail -n 3 | sed 's/^/# /'
	}
	[ "$result" = 1 ] && ! marked && ! grep -q evil "$T/out" && [ -s /tmp/trace ]
	row $? "$clean_name"
}

IMPORT='import pwd, grp, os, ctypes, tarfile, io, shutil
'
PYTHON='
l = ctypes.CDLL(None)
print(pwd.getpwuid(4242).pw_name, grp.getgrgid(4242).gr_name, len(pwd.getpwall()) > 3, len(grp.getgrall()) > 3)
print(pwd.getpwnam("captain").pw_uid, os.getgrouplist("jailer", 7), os.path.expanduser("~captain"))
class Glob(ctypes.Structure): _fields_ = [("n", ctypes.c_size_t), ("v", ctypes.POINTER(ctypes.c_char_p)), ("pad", ctypes.c_size_t * 20)]
g = Glob()
print(l.glob(b"~captain", 1 << 12, None, ctypes.byref(g)), g.v[0])
w = Glob()
print(l.wordexp(b"~captain x", ctypes.byref(w), 0), w.v[0])
b = ctypes.create_string_buffer(100)
l.getlogin(); l.getlogin_r(b, 100); l.cuserid(b); l.getpw(4242, b)
try: os.getlogin()
except OSError: pass
try: pwd.getpwuid(777777)
except KeyError: print("nobody")
t = io.BytesIO()
with tarfile.open(fileobj=t, mode="w") as f: f.add("/srv/data")
print(tarfile.open(fileobj=io.BytesIO(t.getvalue())).getmembers()[0].uname)
try: shutil.chown("/srv/data", "captain", "captain")
except PermissionError: print("refused")'

# every program that asks for names, and a line of what it must know
MANY='
ls -l /srv/data /
ls -ld /srv/data | cut -d " " -f 3,4
stat -c %U:%G /srv/data
find /srv -user captain -name file
find / -xdev -nouser 2>/dev/null | head -n 3
cd && tar cf d.tar /srv/data 2>/dev/null && tar tvf d.tar | head -n 1 | cut -d " " -f 2
cp -a /srv/data copy && rm -r copy
id; id captain; id -nG captain; groups; whoami; logname || :
getent passwd captain; getent group captain; getent passwd 4242
chown captain d.tar 2>/dev/null || echo refused
install -m 600 d.tar e.tar
sh -c "echo ~captain"
! command -v bash >/dev/null || bash -c "echo ~captain; compgen -u | grep -x captain"
perl -e "print join(q( ), (getpwuid 4242)[0], (getgrgid 4242)[0], scalar getpwnam(q(captain)), (glob q(~captain)), getlogin || q(-)), qq(\n); while (@a = getpwent) { \$n++ } while (@a = getgrent) { \$m++ } print \$n > 3, \$m > 3, qq(\n)"
git init -q r 2>/dev/null && cd r && git -c user.email=j@j commit -q --allow-empty -m x && git log --format=%an && git config --get-all user.name || :
cd; rm -rf r d.tar e.tar'

printf 'captain:x:4242:4242::/home/captain:/bin/sh\njailer:x:%s:%s:::\n' "$U" "$U" >"$T/passwd"
printf 'captain:x:4242:\n' >"$T/group"
found=
for release in ${RELEASES:-bullseye bookworm}; do
	[ -e "$ROOTS/$release/usr/bin/python3" ] || {
		row 0 "$release # SKIP no $ROOTS/$release with python3"
		continue
	}
	trap_root "$release" || {
		row 0 "$release # SKIP no overlay file system"
		continue
	}
	found=1
	# the trap, in the kernel's chroot
	for program in 'ls -l /srv' id 'perl -e "getpwuid(1)"' 'python3 -c "import pwd; pwd.getpwuid(1)"'; do
		marked
		chroot "$root" sh -c "$program" >"$T/out" 2>&1
		marked
		row $? "$release: without libjail, ${program%% *} loads the library"
	done
	chroot "$root" ls -l /srv | grep -q evil
	row $? "$release: without libjail, ls shows wrong names"
	/usr/bin/python3 -I -c "import os; os.chroot('$root'); import pwd; pwd.getpwuid(1)" 2>"$T/log"
	marked
	row $? "$release: without libjail, a program of the host that calls chroot loads the library"

	clean "$release: programs of the root" '*captain captain
captain:captain
/srv/data/file
*captain/captain
*' "$jailrun" -r "$root" -- sh -c "$MANY"
	clean "$release: python3 of the root" "captain captain True True
4242 ?7, 4242? /home/captain
0 b'/home/captain'
0 b'/home/captain'
nobody
captain
refused" "$jailrun" -r "$root" -w /home/jailer -- python3 -c "$IMPORT$PYTHON"
	for source in "--names=numeric" "--names=self" "--names=pattern" "--names=host" "--names=guest,pattern" \
		"--names=self,guest" "--passwd $T/passwd --group $T/group" "--user someone" "--names=host,guest"; do
		# shellcheck disable=SC2086 # options
		clean "$release: ls, id, python3, perl with $(echo "$source" | sed "s,$T/,,g")" '*' "$jailrun" -r "$root" $source -- \
			sh -c 'ls -l /srv; id; id captain || :; tar cf /dev/null /srv 2>&1; echo ~captain; find / -maxdepth 1 -user root; perl -e "getpwnam(q(captain)); getgrgid(1); getpwent" || :
				python3 -c "import pwd, grp, os; pwd.getpwall(); grp.getgrall(); os.getgrouplist(\"jailer\", 1)"'
	done
	# what docker cp does: a program of the host enters the root and archives it
	clean "$release: python3 of the host, chroot, tarfile" "captain*refused" LD_PRELOAD="$lib" /usr/bin/python3 -I -c "$IMPORT
os.chroot('$root'); os.chdir('/')
$PYTHON"
	clean "$release: perl of the host, chroot" captain LD_PRELOAD="$lib" /usr/bin/perl -e 'chroot shift or die; chdir "/"; print((getpwuid 4242)[0]); getpwent; getgrent; getgrnam "x"; glob "~captain"' "$root"
	clean "$release: chroot(1) and tar" '*captain/captain*' LD_PRELOAD="$lib" /usr/sbin/chroot "$root" sh -c 'tar cf - /srv/data 2>/dev/null | tar tvf -'
	if [ -x "$(command -v bsdtar)" ]; then
		clean "$release: bsdtar --chroot" '*' LD_PRELOAD="$lib" bsdtar --chroot -C "$root" -cf - srv
	fi
done
[ -z "$found" ] || umount "$root/tmp" "$root" 2>/dev/null

# without a root: the host's nsswitch.conf is nobody's business, either
for source in "" "--names=guest" "--names=numeric" "--names=self" "--names=pattern" "--names=host" \
	"--passwd $T/passwd --group $T/group" "--user someone" "--names=guest,pattern" "-r /"; do
	# shellcheck disable=SC2086 # options
	clean "no root: ls, id, tar, perl with '$(echo "$source" | sed "s,$T/,,g")'" '*' "$jailrun" $source -- sh -c 'cd /; ls -l /etc/passwd; id; tar cf /dev/null /etc/passwd 2>&1
		echo ~root; stat -c %U /; find / -maxdepth 1 -user root; whoami || :; getent passwd root || :; getent passwd | wc -l
		perl -e "getpwnam(q(root)); getgrgid(1); getpwent; getlogin; glob q(~root)"; /usr/bin/python3 -I -c "import pwd, grp, os; pwd.getpwall(); grp.getgrall(); os.getgrouplist(\"root\", 1)"'
done
# Known limit: users and groups alone are ours.  Hosts, services and netgroups are still the libc's, so
# ssh -G, which looks for the service ssh, opens nsswitch.conf, of the root too.
done_testing
