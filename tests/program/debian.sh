#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Whole programs in real Debian roots: each command line once under the kernel's chroot and once under
# jailrun, as the same unprivileged uid; what they print, how they end and what they leave on disk
# is equal, byte for byte.  RELEASES="bookworm trixie,walk" limits the roots; walk is without openat2.
# shellcheck disable=SC2016 # what is in single quotes is for the guest's shell
# shellcheck source=tests/program/common
. "${0%/*}/common"
# shellcheck source=tests/program/roots
. tests/program/roots

PERL='use strict; use warnings; use POSIX; use File::Find; use File::Temp; use File::Copy; use Cwd;
	use Data::Dumper; use Encode; use IO::Socket; use IPC::Open3; use List::Util; use Storable; use Socket;
	use Time::HiRes; use Digest::MD5; use Digest::SHA; use Getopt::Long; use File::Spec; use Sys::Hostname;
	print "$0 $^X ", getcwd(), " ", (getpwuid($<))[0], " ", scalar(keys %INC), "\n";
	print "$_ $INC{$_}\n" for sort keys %INC;'

PYTHON='
import sys, os, importlib, pkgutil, warnings
warnings.simplefilter("ignore")
print(sys.argv, sys.executable, sys.prefix, sys.path, os.getcwd())
skip = {"antigravity", "this", "idlelib", "tkinter", "turtle", "turtledemo", "test", "lib2to3"}
lib = os.path.dirname(os.__file__)
names = set(sys.builtin_module_names) | {m.name for m in pkgutil.iter_modules([lib, lib + "/lib-dynload"])}
for name in sorted(names - skip):
    if name.startswith("_test") or name.startswith("_xx") or name == "__main__":
        continue
    try:
        m = importlib.import_module(name)
        print(name, getattr(m, "__file__", None))
    except BaseException as e:
        print(name, type(e).__name__, e)
'

# the work directory that each command gets afresh
mkdir -p "$T/fixture/dir/sub"
echo content >"$T/fixture/file"
ln -s file "$T/fixture/rel"
ln -s /etc/hostname "$T/fixture/abs"
ln -s ../../.. "$T/fixture/up"
cat >"$T/fixture/hello.c" <<'END'
#include <stdio.h>
#include "dir/hello.h"
int main(int argc, char **argv)
{
	printf("%s %d %s %s\n", HELLO, argc, argv[0], __FILE__);
	return 3;
}
END
echo '#define HELLO "hello"' >"$T/fixture/dir/hello.h"

found=
for release in ${RELEASES:-bookworm bullseye trixie trixie,walk}; do
	release_parts
	release_root || continue
	found=1
	# only of a root that has it (minbase and what .ci/run adds)
	has() {
		for dir in usr/bin bin; do
			if [ -e "$root/$dir/$1" ] || [ -L "$root/$dir/$1" ]; then return 0; fi
		done
		row 0 "$release: $1 # SKIP not in the root"
		return 1
	}

	same "sh" sh -c 'echo "$0" "$PWD"; cd /opt/t/link/../x && pwd && cat file; cat /etc/hostname /etc/issue'
	same "id" id
	same "env -i" env -i /bin/sh -c 'echo /opt/t/*; /usr/bin/env'
	same "the environment" sh -c 'env | grep -Ev "^(LIBJAIL_|LD_)" | sort'
	same "ldconfig" sh -c 'ldconfig -p | sed 1d; echo $?; ldconfig -XN; echo $?; ldconfig -n ~/work; ldconfig -r / -p | sed 1d; mkdir -p ~/work/r/etc ~/work/r/lib; ldconfig -r ~/work/r; echo $?; ls ~/work/r/etc'
	same "not found" sh -c 'nonesuch; echo $?; exec /opt/nonesuch'
	same "ls of symlinks" ls -la --time-style=+ /opt/t /opt/only /opt/t/ /opt/t/absdir/ /opt/t/slash/opt
	same "cat through symlinks" cat /opt/t/abs /opt/t/absdir/file /opt/t/up /opt/t/link/../x/file \
		/opt/t/slash/opt/t/abs /../../opt/t/abs
	same "cat of what is not there" cat /opt/t/dangling /nonexistent /etc/hostname/ /srv/closed/x ''
	same "stat" stat -c '%N %F %a %u %g %U %G %s' /opt/t/abs /opt/t/up /etc/mtab /opt/only/file /tmp / /proc /dev/null
	same "readlink -f" readlink -f /opt/t/abs /opt/t/up /opt/t/slash /opt/t/link/.. /proc/self/cwd /proc/self/root /usr/bin/awk
	same "realpath" realpath /opt/t/abs /opt/t/link/../x /bin/sh .
	same "/proc/self" sh -c 'cat /proc/self/comm; readlink /proc/self/exe /proc/self/cwd /proc/self/root'
	same "cd and pwd" sh -c 'cd /opt/t/link && pwd && pwd -P && cd .. && pwd && cd -P .. && pwd && cd ../../../.. && pwd && /bin/pwd'
	same "#! chain" /opt/t/one two "three  four"
	same "#! env" sh -c 'cd /opt/t && ./perl x y'
	same "#! by an absolute link" /opt/t/by-link
	same "#! without interpreter" sh -c '/opt/t/no-interpreter; echo $?'
	same "no #!" sh -c '/opt/t/plain; cd /opt/t && ./plain; PATH=/opt/t; plain'
	same "argv[0] and names" sh -c '/opt/t/argv a; cd /opt/t; ./argv; PATH=/opt/t; argv; ../t/argv; /opt/t/slash/opt/t/argv'
	same "awk through alternatives" awk 'BEGIN { while ((getline l <"/opt/t/abs") > 0) print l; "pwd" | getline p; print p }'
	same "find / -xdev" sh -c 'find / -xdev -printf "%p %y %m %u %g %l\n"'
	same "find -L with a loop" sh -c 'mkdir ~/work/l && cd ~/work/l && ln -s ../l loop && find -L ~/work/l; find -L /opt/t -path "*/slash" -prune -o -print'
	same "ls -lR /usr" ls -lR /usr
	same "ls -lR /etc" ls -lR /etc
	same "du" sh -c 'du -s /usr /opt | sort'
	same "grep -r" grep -r jailer /etc/passwd /etc/group /opt
	same "files made" sh -c 'cd ~/work && umask 027 && mkdir new && ln -s /etc/hostname new/abs && ln -s ../../x new/rel &&
		ln file new/hard && echo text >new/f && mv rel new/moved && rm abs && mkfifo new/fifo && chmod 600 file &&
		cp -a new copy && cat new/abs && touch -d 2020-01-01 file && rmdir dir/sub && ls -lR --time-style=+%Y ~/work | grep -v total'
	same "overwritten, refused" sh -c 'cd ~/work; echo more >>file; echo x >/etc/passwd; rm -f /opt/only/file; mkdir /opt/n; mv /opt/t /opt/u; ln file /etc/f;
		echo through >abs; rmdir dir; mkdir dir; rm -r dir; mkdir up/x; ls'
	same "cp -r, rm -r" sh -c 'cd ~/work && cp -r /usr/share/doc . 2>&1 | head -n 3; find doc | wc -l; rm -rf doc dir; ls'
	same "mktemp" sh -c 'cd ~/work && f=$(mktemp /tmp/x.XXXXXX) && test -f "$f" && rm "$f" && mktemp -d ./d.XXXXXX | cut -c 1-4 && rmdir d.*'
	same "sort with temporary files" sh -c 'find /usr/share | sort -S 16k -T ~/work | md5sum'
	same "xargs and pipes" sh -c 'find /etc -type f 2>/dev/null | xargs -n 20 md5sum 2>&1 | sort | md5sum'
	same "background, wait, traps" sh -c 'trap "echo bye" EXIT; (sleep 0.01; exit 4) & wait $!; echo $?'
	same "here document and descriptors" sh -c 'cd ~/work; exec 3>out 4<file; echo three >&3; cat <&4; cat out; cat <<E
$(pwd)
E'
	if has tar; then
		same "tar cf - /usr" sh -c 'tar cf - /usr | md5sum'
		same "tar there and back" sh -c 'cd ~/work && tar cf t.tar --sort=name --mtime=@0 dir file rel abs up && mkdir x && tar xf t.tar -C x && ls -l --time-style=+ x && md5sum t.tar'
		same "tar to /dev/null" tar cf /dev/null /etc
	fi
	if has perl; then
		same "perl and its library" perl -e "$PERL"
		same "perl, files" perl -e 'chdir "/opt/t/link"; print `pwd`, readlink("/opt/t/abs"), "\n"; opendir D, ".." or die; print join(" ", sort readdir D), "\n";
			print -e "/opt/t/up" ? "yes" : "no", "\n"; system "/bin/sh", "-c", "exit 5"; print $? >> 8, "\n"; exec "nonesuch" or print "$!\n"'
	fi
	if has dpkg; then
		same "dpkg -l" dpkg -l
		same "dpkg -S, -L" sh -c 'dpkg -L dpkg; dpkg -S /usr/bin/dpkg; dpkg --verify coreutils'
		same "apt-get --version" apt-get --version
		same "apt-cache policy" apt-cache policy dpkg
		same "apt-config" apt-config dump
	fi
	if has git; then
		same "git log" sh -c 'cd ~/repo && git log --stat'
		same "git status, diff" sh -c 'cd ~/repo && git status --short && git diff && git grep return'
		same "git commit" sh -c 'cd ~/work && git init -q . 2>/dev/null && git add -A &&
			GIT_AUTHOR_DATE="2026-01-01 12:00" GIT_COMMITTER_DATE="2026-01-01 12:00" git -c user.name=J -c user.email=j@j commit -q -m x &&
			git log --format=%H && rm -rf .git'
		same "git clone" sh -c 'cd ~/work && git clone -q ../repo clone && cd clone && git log --oneline && cd .. && rm -rf clone'
	fi
	if has gcc; then
		same "gcc" sh -c 'cd ~/work && gcc -g -O1 -pipe -o hello hello.c && ./hello a b; echo $?'
		same "gcc, absolute names" sh -c 'cd / && gcc -save-temps=obj -o /home/jailer/work/hello ~/work/hello.c && ~/work/hello; ls ~/work'
		same "gcc -E -v" sh -c 'gcc -E -v ~/work/hello.c 2>&1 | grep -v "cc[A-Za-z0-9]*\.[so]"'
		same "libraries of its own" sh -c 'cd ~/work && mkdir lib && echo "int f(void) { return 42; }" >f.c &&
			echo "int f(void) { return 7; }" >g.c && echo "#include <stdio.h>
int f(void); int main(void) { printf(\"%d\\n\", f()); return 0; }" >main.c &&
			gcc -shared -fPIC -o lib/libf.so f.c && gcc -shared -fPIC -o g.so g.c &&
			gcc -o plain main.c -Llib -lf && gcc -o origin main.c -Llib -lf -Wl,-rpath,\$ORIGIN/lib &&
			gcc -o absolute main.c -Llib -lf -Wl,-rpath,/home/jailer/work/lib &&
			./plain; LD_LIBRARY_PATH=lib ./plain; LD_LIBRARY_PATH=$PWD/lib ./plain; ./origin; ./absolute;
			LD_PRELOAD=./g.so ./origin; LD_PRELOAD=$PWD/g.so ./absolute; LD_PRELOAD=/nonexistent.so ./origin;
			cd / && ~/work/origin; env -i /home/jailer/work/absolute; export LD_PRELOAD=/home/jailer/work/g.so; ~/work/origin; echo $LD_PRELOAD; sh -c "~/work/origin"'
		same "static TLS" sh -c 'cd ~/work && echo "__thread char t[9000] = {1}; int f(void) { return t[0]; }" >f.c &&
			echo "int f(void); int main(void) { return 41 + f(); }" >main.c &&
			gcc -shared -fPIC -ftls-model=initial-exec -o libf.so f.c && gcc -o main main.c ./libf.so && gcc -o main2 main.c -Wl,-rpath,\$ORIGIN libf.so &&
			./main; echo $?; ./main2 "" x; echo $?; export GLIBC_TUNABLES=glibc.malloc.check=0:glibc.rtld.optional_static_tls=600; ./main; echo $?; env | grep TUNABLES'
		same "static TLS, asked for by a constructor" sh -c 'cd ~/work && echo "__thread char t[9000]; char *f(void) { return t; }" >f.c &&
			printf "%s\n" "#include <dlfcn.h>" "#include <stdio.h>" "__attribute__((constructor)) static void start(void) {" \
				"puts(\"start\"); fflush(stdout); puts(dlopen(\"./f.so\", RTLD_NOW) ? \"opened\" : dlerror()); }" \
				"int main(void) { return puts(\"main\") < 0; }" >main.c &&
			gcc -shared -fPIC -ftls-model=initial-exec -o f.so f.c && gcc -o main main.c -ldl && ./main; echo $?'
		same "gcc, an error" sh -c 'cd ~/work && echo "int x = ;" >bad.c && gcc -c bad.c'
	fi
	! has make || same "make" sh -c 'cd ~/work && printf "all: a b\na b:\n\techo \$@ >\$@\n" >Makefile && make -j2 && make'
	if has bash; then
		same "exec -a" bash -c 'exec -a "my name" sh -c nonesuch'
		same "ulimit, umask, jobs" bash -c 'ulimit -n 64; cat /opt/t/abs; ulimit -n 20; cat /opt/t/abs; (cd /opt/t; umask 077; pwd); sleep 0.1 & wait; cat <(cat /opt/t/up)'
		same "coproc and read" bash -c 'coproc { read x; echo "got $x"; }; echo hi >&${COPROC[1]}; read y <&${COPROC[0]}; echo "$y"; mapfile -t a </etc/issue; echo "${a[@]}"'
		same "closed descriptors" bash -c 'for i in {3..1023}; do eval "exec $i>&-"; done; cat /opt/t/abs; exec 0<&-; cat; exec 1>&2 2>&-; /bin/ls /opt/t/abs'
		same "exec -a, compiled" bash -c 'exec -a "my name" /opt/t/argv'
		same "bash" bash -c 'echo $BASH $0 $HOME ~inroot ~jailer $PWD; cd /opt/t/link; pwd; pwd -P; diff <(echo a) <(echo b); echo {a,b}; type ls; compgen -u | head'
	fi
	if has python3; then
		same "python3 and its library" python3 -I -c "$PYTHON"
		same "python3, files" python3 -c 'import os, pwd, grp, subprocess, glob, shutil, tempfile
os.chdir("/opt/t/link/..")
print(os.getcwd(), os.listdir("/opt/only"), os.readlink("/opt/t/up"), os.path.realpath("/opt/t/up"))
print(pwd.getpwuid(os.getuid()), grp.getgrgid(4242), [p.pw_name for p in pwd.getpwall()])
print(subprocess.run(["pwd"], capture_output=True).stdout, subprocess.run("exit 7", shell=True).returncode)
print(sorted(glob.glob("/opt/*/*")))
os.chdir("/home/jailer/work"); shutil.copytree(".", "/tmp/jailer-copy", symlinks=True); print(sorted(os.listdir("/tmp/jailer-copy"))); shutil.rmtree("/tmp/jailer-copy")
for f in ("/nonexistent", "/etc/shadow", "/etc/passwd/x"):
    try: open(f)
    except OSError as e: print(e)
with tempfile.TemporaryDirectory(dir=".") as d: print(os.path.dirname(d))
'
		same "python3, processes" python3 -c 'import multiprocessing as m, os, subprocess, sys, concurrent.futures as c, shutil, ctypes, ctypes.util
def f(x): return x * 2, os.getcwd(), os.path.exists("/opt/only/file")
if __name__ == "__main__":
    os.chdir("/opt/t")
    with m.get_context("fork").Pool(2) as p: print(p.map(f, [1, 2]))
    print(shutil.which("sh"), ctypes.CDLL("libm.so.6").abs(-3), ctypes.CDLL(None).getpid() == os.getpid())
    print(subprocess.run(["/opt/t/argv"], executable="/bin/echo", capture_output=True))
    print(os.posix_spawn("/bin/true", ["x"], {}) > 0, os.wait()[1])
    sys.stdout.flush()
    os.execve("/bin/sh", ["my sh", "-c", "echo $0 $A"], {"A": "b"})'
		# by a file: what is spawned imports it
		same "python3, spawned pools" sh -c 'cd ~/work && cat >pool.py <<EOF
import multiprocessing as m, os
def f(x): return x * 2, os.getcwd(), os.path.exists("/opt/only/file")
if __name__ == "__main__":
    for how in ("spawn", "forkserver"):
        with m.get_context(how).Pool(2) as p: print(how, p.map(f, [1, 2]))
EOF
timeout 60 python3 pool.py; echo $?; rm -rf pool.py __pycache__'
		same "python3 -m venv" sh -c 'cd ~/work && python3 -m venv --without-pip v && v/bin/python -c "import sys; print(sys.prefix, sys.base_prefix, sys.executable)"; rm -rf v'
		same "python3, sockets" python3 -c 'import socket, os, threading
os.chdir("/home/jailer/work")
for name in ("s", "/home/jailer/work/t", "up/x", "\0abstract%d" % os.getpid()):
    try:
        s = socket.socket(socket.AF_UNIX); s.bind(name); s.listen(1); c = socket.socket(socket.AF_UNIX); c.connect(name); d, peer = s.accept()
        print(name[:5], s.getsockname()[:20] if name[0] != "\0" else "", c.getpeername() if name[0] != "\0" else "", repr(peer)); c.send(b"x"); print(d.recv(1))
    except OSError as e: print(name, e)'
		# What the kernel really mapped; locales, which libc opens inside itself, aside.
		maps=$(in_jail python3 -I -c '
import ctypes, ssl, sqlite3, os, sys
print(open("/proc/self/maps").read())
sys.stdout.flush()
os.system("cat /proc/self/maps; perl -MPOSIX -e \"print <>\" /proc/self/maps")' 2>"$T/jail.err" |
			awk '{ $1 = $2 = $3 = $4 = $5 = ""; print substr($0, 6) }' | grep -E '^/.*(\.so(\.[0-9.]*)?$|bin/)' | sort -u)
		strange=$(printf '%s\n' "$maps" | grep -Fv -e "$root/" -e "$T/usr/lib/libjail")
		[ -z "$strange" ] && printf '%s' "$maps" | grep -q "$root/.*libc"
		result=$?
		[ "$result" = 0 ] || { echo "# mapped from the host: $strange"; cat "$T/jail.err"; } | sed 's/^/# /'
		row "$result" "$release: no library of the host is mapped"
	fi
	rm -rf "$root/home/jailer/work"
done
[ -n "$found" ] || skip_all "no Debian root in $ROOTS (.ci/run makes them; LIBJAIL_ROOTS names another place)"
done_testing
