#!/bin/sh
# SPDX-License-Identifier: ISC
#
# --names from outside: what programs print under each source and under several; that the source stays
# with a process whatever it closes, executes or becomes; what jailrun says to options that are wrong.
# Runs as any user; what needs root is skipped without.
# shellcheck disable=SC2016 # what is in single quotes is for the guest's shell
# shellcheck source=tests/program/common
. "${0%/*}/common"
unset NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP USER LOGNAME
root_only=
[ "$(id -u)" = 0 ] && root_only=1
[ -n "$root_only" ] || U=$(id -u)
G=$(as id -g)

R=$T/root
python=/usr/bin/python3
"$T/usr/bin/jailroot" "$R" cat ls env id stat find whoami getent tar chown grep wc sort sleep perl >"$T/log" 2>&1 || {
	"$T/usr/bin/jailroot" "$R" cat ls env id stat find whoami getent tar chown grep wc sort sleep >"$T/log" 2>&1 || {
		cat "$T/log"
		echo "not ok - a root made by jailroot"
		exit 1
	}
}
printf 'root:x:0:0::/root:/bin/sh\ncaptain:x:%s:%s::/home/captain:/bin/sh\nmate:x:4242:4243::/home/mate:/bin/sh\n' "$U" "$G" >"$R/etc/passwd"
printf 'root:x:0:\ncrew:x:%s:\nmates:x:4243:captain\n' "$G" >"$R/etc/group"
printf 'admiral:x:%s:%s:The Admiral:/quarters:/bin/false\npilot:x:4242:4243:::\n' "$U" "$G" >"$T/passwd"
printf 'fleet:x:%s:\npilots:x:4243:admiral,captain\n' "$G" >"$T/group"
mkdir "$R/srv"
echo text >"$R/srv/f"
[ -z "$root_only" ] || chown -R 4242:4243 "$R/srv"

# -- what programs print
# NAME OPTIONS id -un, id -gn, ls -l's owner, tar's owner, stat, find, getent, ~
all='id -un 2>/dev/null || :; id -gn 2>/dev/null || :; ls -l /srv | grep -v total | { read -r a b c d e; echo $c $d; }
	tar cf - /srv/f 2>/dev/null | tar tvf - | { read -r a b c; echo $b; }; stat -c %U:%G /srv/f
	find /srv -name f -nouser; find /srv -name f -user mate 2>/dev/null || echo no mate
	getent passwd 4242 || :; echo ~mate; whoami 2>/dev/null || :'
prints() { # NAME OPTIONS WANT
	prints_name=$1 prints_options=$2 prints_want=$3
	# shellcheck disable=SC2086 # options
	says "$prints_name" 0 "$prints_want" env HOME=/h USER= "$jailrun" -r "$R" $prints_options -- sh -c "$all"
}
if [ -n "$root_only" ]; then
	guest='captain
crew
mate mates
mate/mates
mate:mates
/srv/f
mate:x:4242:4243::/home/mate:/bin/sh
/home/mate
captain'
	prints "guest, by default" "" "$guest"
	prints "guest" "--names=guest" "$guest"
	prints "numeric" "--names=numeric" "$U
$G
4242 4243
4242/4243
UNKNOWN:UNKNOWN
/srv/f
no mate
~mate"
	prints "pattern" "--names=pattern" "u$U
g$G
u4242 g4243
u4242/g4243
u4242:g4243
no mate
u4242:x:4242:4242:u4242:/:/bin/sh
~mate
u$U"
	prints "self" "--names=self --user me:/m:/s" "me
me
4242 4243
4242/4243
UNKNOWN:UNKNOWN
/srv/f
no mate
~mate
me"
	file='admiral
fleet
pilot pilots
pilot/pilots
pilot:pilots
'
	prints "file" "--names=file --passwd $T/passwd --group $T/group" "${file}no mate
pilot:x:4242:4243:::
~mate
admiral"
	prints "file, implied, then guest" "--passwd $T/passwd --group $T/group" "$file/srv/f
pilot:x:4242:4243:::
/home/mate
admiral"
	prints "--passwd alone" "--passwd $T/passwd" "admiral
crew
pilot mates
pilot/mates
pilot:mates
/srv/f
pilot:x:4242:4243:::
/home/mate
admiral"
	prints "--group alone" "--group $T/group" "captain
fleet
mate pilots
mate/pilots
mate:pilots
/srv/f
mate:x:4242:4243::/home/mate:/bin/sh
/home/mate
captain"
	prints "self, then guest" "--user me:/m" "me
me
mate mates
mate/mates
mate:mates
/srv/f
mate:x:4242:4243::/home/mate:/bin/sh
/home/mate
me"
	prints "host knows none of these" "--names=host" "$U
$G
4242 4243
4242/4243
UNKNOWN:UNKNOWN
/srv/f
no mate
~mate"
	says "guest, pattern" 0 'captain u777 g888' "$jailrun" -r "$R" --names=guest,pattern -- \
		sh -c 'echo $(id -un) $(getent passwd 777 | { IFS=: read -r a b; echo $a; }) $(getent group 888 | { IFS=: read -r a b; echo $a; })'
	says "numeric ends the list" 0 '4242:4243' "$jailrun" -r "$R" --names=numeric,guest -- sh -c 'stat -c %u:%g /srv/f; getent passwd mate || :'
	U=0 says "chown by a name of the root" 0 '4242 4243' "$jailrun" -r "$R" -- sh -c 'chown root:root /srv/f && chown mate:mates /srv/f && stat -c "%u %g" /srv/f'
	U=0 says "chown by a name of a file" 0 '4242 4243' "$jailrun" -r "$R" --passwd "$T/passwd" --group "$T/group" -- sh -c 'chown 0:0 /srv/f && chown pilot:pilots /srv/f && stat -c "%u %g" /srv/f'
	U=0 says "chown by a pattern" 0 '77 88' "$jailrun" -r "$R" --names=pattern -- sh -c 'chown u77:g88 /srv/f && stat -c "%u %g" /srv/f'
	chown 4242:4243 "$R/srv/f"
	U=0 says "self with gid 0" 0 'root:x:0:
me' sh -c "exec setpriv --reuid=4321 --regid=0 --clear-groups -- '$jailrun' --names=self --user me -- sh -c 'getent group 0; id -un'"
	groups=$(seq -s, 5001 5060)
	U=0 says "self with 60 groups" 0 'g5001 60 g5060:x:5060:me' sh -c "exec setpriv --reuid=4321 --regid=4321 --groups=$groups -- '$jailrun' --names=self --user me -- sh -c '
		echo \$(getent group 5001 | { IFS=: read -r a b; echo \$a; }) \$(getent group | grep -c :me) \$(getent group 5060)'"
fi
says "host, no root" 0 "root:x:0:0:*root:x:0:*" "$jailrun" --names=host -- sh -c 'getent passwd root; getent group root'
says "host in a root" 0 "root:x:0:0:*daemon:x:1:*" "$jailrun" -r "$R" --names=host -- sh -c 'getent passwd root; getent passwd 1'
says "--root /" 0 admiral "$jailrun" --root / --passwd "$T/passwd" -- id -un
says "no root" 0 admiral "$jailrun" --passwd "$T/passwd" -- id -un
says "no root, --user" 0 'builder:x:'"$U:$G"':builder:/tmp:/bin/ksh' "$jailrun" --user builder:/tmp:/bin/ksh -- getent passwd builder
says "NSS_WRAPPER_PASSWD" 0 'admiral fleet' env NSS_WRAPPER_PASSWD="$T/passwd" NSS_WRAPPER_GROUP="$T/group" "$jailrun" -r "$R" -- sh -c 'echo $(id -un) $(id -gn)'
says "NSS_WRAPPER_PASSWD, preloaded" 0 'admiral' env NSS_WRAPPER_PASSWD="$T/passwd" LD_PRELOAD="$lib" id -un
says "LIBJAIL_NAMES" 0 "u$U" env LIBJAIL_NAMES=pattern LD_PRELOAD="$lib" id -un
says "USER is odd" 0 "u$U" env USER='a:b' LOGNAME= "$jailrun" --names=self -- id -un
says "USER is root's" 0 "u$U" env USER=root LOGNAME= "$jailrun" --names=self -- id -un
says "USER is LOGNAME" 0 "kim" env USER= LOGNAME=kim "$jailrun" --names=self -- id -un
says "HOME is relative" 0 "kim:x:$U:$G:kim:/:/bin/sh" env USER=kim HOME=here SHELL=sh "$jailrun" --names=self -- getent passwd kim
says "nss, no root" 0 "root:x:0:0:*" "$jailrun" --names=nss -- getent passwd root
says "perl enumerates" 0 'admiral pilot' "$jailrun" --names=file --passwd "$T/passwd" -- perl -e 'print join " ", map { $$_[0] } do { my @l; while (my @e = getpwent) { push @l, [@e] } @l }'
# -- it stays
says "env -i" 0 admiral "$jailrun" -r "$R" --passwd "$T/passwd" -- env -i /bin/sh -c 'exec env -i /usr/bin/id -un'
says "exec, 20 times" 0 me "$jailrun" -r "$R" --user me -- sh -c 'n=${1:-20}; [ $n = 0 ] && exec id -un; exec env -i /bin/sh -c "$0" "$0" $((n - 1))' \
	'n=$1; [ $n = 0 ] && exec /usr/bin/id -un; exec /usr/bin/env -i /bin/sh -c "$0" "$0" $((n - 1))' 20

# getent(1) of the host, counted
mkdir -p "$T/fake"
cat >"$T/fake/getent" <<END
#!/bin/sh
echo "\$*" >>$T/asked
case \$* in
passwd) printf 'remote:x:4242:4243:from far away:/home/remote:/bin/sh\n' ;;
group) printf 'remotes:x:4243:remote\n' ;;
passwd*) printf 'unlisted:x:$U:$G::/:/bin/sh\n' ;;
*) printf 'unlisteds:x:$G:\n' ;;
esac
END
chmod 755 "$T/fake/getent"
: >"$T/asked"
chmod 666 "$T/asked"
host() { # NAME WANT COMMAND...
	host_name=$1 host_want=$2
	shift 2
	says "host: $host_name" 0 "$host_want" env PATH="$T/fake:$PATH" "$@"
}
host "a directory service that lists not everybody" 'unlisted unlisteds remote' "$jailrun" -r "$R" --names=host -- \
	sh -c 'echo $(id -un) $(id -gn) $(for i in 1 2 3 4 5; do getent passwd remote | grep -o "^remote"; id -un >/dev/null; getent group remotes >/dev/null; done | sort -u)'
[ "$(sort "$T/asked" | tr '\n' '/')" = "$(printf 'group\ngroup %s\npasswd\npasswd %s\n' "$(as id -G)" "$U" | sort | tr '\n' '/')" ]
row $? "host: it was asked four times, and not for each file"
host "env -i and 50 programs" 'remote:x:4242:4243:*' "$jailrun" -r "$R" --names=host -- sh -c 'exec env -i /bin/sh -c "$0" "$0" 50' \
	'n=$1; [ $n = 0 ] && exec /usr/bin/getent passwd 4242; exec /usr/bin/env -i /bin/sh -c "$0" "$0" $((n - 1))'
if [ -x $python ]; then
	host "closefrom" remote "$jailrun" --names=host -- $python -I -c 'import os, pwd; os.closerange(3, 100000); print(pwd.getpwuid(4242).pw_name)'
	host "close_range(3, ~0), then exec" remote "$jailrun" --names=host -- $python -I -c 'import ctypes, os
l = ctypes.CDLL(None); l.close_range(3, ctypes.c_uint(-1), 0)
for i in range(3, 2000):
    try: os.close(i)
    except OSError: pass
os.execv("'"$python"'", ["p", "-I", "-c", "import pwd; print(pwd.getpwuid(4242).pw_name)"])'
	host "dup2 on its number" "remote remote" "$jailrun" --names=host -- $python -I -c 'import os, pwd, subprocess
mine = [int(f) for f in os.listdir("/proc/self/fd") if int(f) > 2]
for f in list(range(3, 300)) + mine:
    try: os.dup2(0, f)
    except OSError: pass
print(pwd.getpwuid(4242).pw_name, subprocess.run(["'"$python"'", "-I", "-c", "import pwd; print(pwd.getpwuid(4242).pw_name)"], capture_output=True, text=True).stdout.strip())'
	host "a daemon" remote "$jailrun" --names=host -- $python -I -c 'import os, pwd
r, w = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.chdir("/"); os.closerange(3, w); os.closerange(w + 1, 4096)
        n = os.open("/dev/null", os.O_RDWR); os.dup2(n, 0); os.dup2(n, 1); os.dup2(n, 2)
        os.write(w, pwd.getpwuid(4242).pw_name.encode()); os._exit(0)
    os._exit(0)
os.close(w); print(os.read(r, 100).decode())'
	host "chroot" "remote remote:x:4242:4243:*" "$jailrun" --names=host -- $python -I -c 'import os, pwd, subprocess
os.chroot("'"$R"'"); os.chdir("/")
print(pwd.getpwuid(4242).pw_name, subprocess.run(["/usr/bin/getent", "passwd", "4242"], capture_output=True, text=True).stdout.strip())'
	host "subprocess, vfork, posix_spawn" "unlisted unlisted 0" "$jailrun" --names=host -- $python -I -c 'import subprocess, os
print(*[subprocess.run(["id", "-un"], capture_output=True, text=True, close_fds=c).stdout.strip() for c in (True, False)], end=" ", flush=True)
p = os.posix_spawn("/bin/sh", ["sh", "-c", "test $(id -un) = unlisted"], {"PATH": "/usr/bin:/bin"}); print(os.waitpid(p, 0)[1])'
	[ -z "$root_only" ] || U=0 says "self is who it was: su in one process" 0 "me me - 4321" "$jailrun" --names=self --user me -- $python -I -c 'import os, pwd
def name(u):
    try: return pwd.getpwuid(u).pw_name
    except KeyError: return "-"
a = name(0); os.setgid(4321); os.setuid(4321)
print(a, name(0), name(4321), os.getuid())'
	says "python3 enumerates" 0 "admiral pilot root captain mate fleet pilots root crew mates" \
		env LD_PRELOAD="$lib" LIBJAIL_PASSWD="$T/passwd" LIBJAIL_GROUP="$T/group" $python -I -c 'import os, pwd, grp
os.chroot("'"$R"'"); print(*[p.pw_name for p in pwd.getpwall()], *[g.gr_name for g in grp.getgrall()])'
fi

# -- the snapshot's number is taken by the program while another thread reads it
cat >"$T/taken.c" <<'END'
#include <fcntl.h>
#include <pthread.h>
#include <pwd.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
static pthread_barrier_t both;
static int round_of;
static void *takes(void *arg)
{
	pthread_barrier_wait(&both);
	for (volatile int i = 0; i < round_of % 50 * 100; i++)
		;
	for (int fd = 234; fd < 240; fd++)
		dup2(0, fd);
	return arg;
}
int main(void)
{
	for (round_of = 0; round_of < 1500; round_of++) {
		int status;

		if (fork() == 0) {
			struct passwd pw, *found = NULL;
			char text[2048];
			pthread_t t;

			pthread_barrier_init(&both, NULL, 2);
			pthread_create(&t, NULL, takes, NULL);
			pthread_barrier_wait(&both);
			getpwuid_r(4242, &pw, text, sizeof text, &found);
			_exit(!found || strcmp(pw.pw_name, "remote"));
		}
		wait(&status);
		if (status)
			return 1;
	}
	return 0;
}
END
printf '%s\n' 'libjail-names 1 23' remote:x:4242:4243::/: g:x:1: >"$T/snapshot"
${CC:-cc} -D_GNU_SOURCE -O1 -o "$T/taken" "$T/taken.c" -lpthread || exit 1
says "host: its number is taken meanwhile" 0 '' env LIBJAIL_0_NAMES=9 LIBJAIL_NAMES=host LD_PRELOAD="$lib" "$T/taken" 9<"$T/snapshot"

# -- programs that refuse to work without a name
if command -v git >"$T/log"; then
	mkdir "$T/repo"
	[ -z "$root_only" ] || chown "$U:$U" "$T/repo"
	says "git commit by a uid without a name" 0 'builder builder' env -u HOME "$jailrun" --user "builder:$T/repo" -- \
		sh -c "cd '$T/repo' && git init -q . 2>/dev/null && EMAIL=b@b git commit -q --allow-empty -m x && git log --format='%cn %an'"
fi
if command -v ssh >"$T/log"; then
	says "ssh -G by a uid without a name" 0 '*user builder*' "$jailrun" --user "builder:$T" -- ssh -G localhost
	[ -z "$root_only" ] || says "ssh -G, no name at all" 255 'No user exists for uid*' "$jailrun" --names=numeric -- ssh -G localhost
fi

# -- how often a file is read: once, and at every lookup just after it was written, when its time does not tell
if command -v strace >"$T/log" && [ -x $python ]; then
	reads() { # SECONDS TO WAIT: how often the table was opened for 200 lookups
		cp "$T/passwd" "$T/fresh"
		sleep "$1"
		as strace -f -qq -e trace=openat,openat2 "$jailrun" --passwd "$T/fresh" -- $python -I -c 'import pwd
for i in range(200): pwd.getpwuid(4242)' 2>&1 | grep -c "$T/fresh.*O_CLOEXEC" # jailrun itself looks whether it can be read
	}
	n=$(reads 0.1)
	case $(stat -c %z "$T/fresh") in
	*[1-9]???????\ * | *[1-9]??????\ * | *[1-9]?????\ * | *[1-9]????\ * | *[1-9]???\ *) [ "$n" = 1 ] ;;
	*) [ "$n" -ge 1 ] ;; # no fine times here
	esac
	row $? "a table is read once for 200 lookups ($n)"
fi

# -- what is wrong
one_line "no such source" 125 "jailrun: --names=guest,nonesuch: it is guest, file, host, self, pattern, numeric or nss, with commas between" "$jailrun" --names=guest,nonesuch true
one_line "an empty list" 125 "jailrun: --names=: *" "$jailrun" --names= true
one_line "an empty source" 125 "jailrun: --names=guest,,self: *" "$jailrun" --names=guest,,self true
one_line "file without a file" 125 "jailrun: --names=file: *--passwd*" "$jailrun" --names=file true
one_line "--passwd of nothing" 125 "jailrun: --passwd $T/nonesuch: no such file" "$jailrun" --passwd "$T/nonesuch" true
one_line "--passwd, a directory" 125 "jailrun: --passwd $T: not a regular file" "$jailrun" --passwd "$T" true
one_line "--group of nothing" 125 "jailrun: --group *: no such file" "$jailrun" --group "$T/nonesuch" true
one_line "--passwd without an argument" 125 "jailrun: --passwd needs an argument*" "$jailrun" --passwd
touch "$T/secret"
chmod 000 "$T/secret"
[ "$(as id -u)" = 0 ] || one_line "--passwd, unreadable" 125 "jailrun: --passwd $T/secret: permission denied" "$jailrun" --passwd "$T/secret" true
one_line "--user without a name" 125 "jailrun: --user *" "$jailrun" --user :/home true
one_line "--user with too much" 125 "jailrun: --user *" "$jailrun" --user a:b:c:d true
one_line "--user on two lines" 125 "jailrun: --user *" "$jailrun" --user 'a
b' true
one_line "nss in a root" 125 "jailrun: --names=nss: *would load libraries of the root*" "$jailrun" -r "$R" --names=nss true
one_line "host without getent" 125 "jailrun: --names=host: getent(1)*" env PATH=/nonexistent /bin/sh "$jailrun" --names=host true
printf 'root:x:0:0:::\nbroken\nmate:x:4242x:1:::\n#comment\n+nis\nok:x:5:5:::\n' >"$T/broken"
says "-v tells of lines that are skipped" 0 "*$T/broken:2: skipped: too few fields*$T/broken:3: skipped: its uid or gid is not a number*" "$jailrun" -v --passwd "$T/broken" true
! printf '%s\n' "$got" | grep -q "broken:[1456]"
row $? "-v: and of no others"
says "without -v it does not" 0 '' "$jailrun" --passwd "$T/broken" true
done_testing
