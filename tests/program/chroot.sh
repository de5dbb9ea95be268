#!/bin/sh
# SPDX-License-Identifier: ISC
#
# chroot(2) granted to the unprivileged: LD_PRELOAD=libjail.so and nothing else, with the host's
# own chroot(1), python3 and perl; then the same nested in a root.  Runs as any user.
# shellcheck disable=SC2016 # what is in single quotes is for the guest's shell
# shellcheck source=tests/program/common
. "${0%/*}/common"

R=$T/root
"$T/usr/bin/jailroot" "$R" cat ls env id readlink chroot python3 >"$T/log" 2>&1 || {
	"$T/usr/bin/jailroot" "$R" cat ls env id readlink chroot >"$T/log" 2>&1 || {
		cat "$T/log"
		echo "not ok - a root made by jailroot"
		exit 1
	}
}
"$T/usr/bin/jailroot" "$R/inner" cat ls chroot || exit 1
echo outer >"$R/where"
echo inner >"$R/inner/where"
ln -s /where "$R/link"
mkdir "$R/data"
sed -i '/^[a-z]*:x:'"$U:/d" "$R/etc/passwd"
echo "jailer:x:$(as id -u):$(as id -g)::/:/bin/sh" >"$R/etc/passwd"
chmod 755 "$R" "$R/inner"

with() { # NAME STATUS TEXT COMMAND...: says, preloaded
	with_name=$1 with_status=$2 with_text=$3
	shift 3
	says "$with_name" "$with_status" "$with_text" env LD_PRELOAD="$lib" "$@"
}

with "chroot(1)" 0 outer chroot "$R" /bin/sh -c 'cat /link'
with "chroot(1), no command" 0 '*' env SHELL=/bin/sh chroot "$R"
with "chroot(1), status" 5 '' chroot "$R" /bin/sh -c 'exit 5'
with "chroot(1), relative" 0 outer sh -c "cd '$T' && exec chroot root /bin/cat /where"
with "chroot(1), names of the root" 0 jailer chroot "$R" id -un
with "chroot(1), a missing root" 125 'chroot: *No such file or directory' chroot "$T/nonesuch" true
with "chroot(1), a file" 125 'chroot: *Not a directory' chroot "$R/where" true
with "chroot(1), a missing command" 127 'chroot: *nonesuch*No such file or directory' chroot "$R" nonesuch
with "chroot(1), the host's name" 127 'chroot: *No such file or directory' chroot "$R" "$T/usr/bin/jailrun"
with "chroot(1) in chroot(1)" 0 inner chroot "$R" chroot /inner /bin/cat /where
with "env -i stays inside" 0 outer chroot "$R" env -i /bin/sh -c '/bin/cat /where'
with "getcwd after chroot(1)" 0 / chroot "$R" /bin/sh -c 'cd data/..; cd ..; pwd'
with "no root before chroot(2)" 0 "$T" sh -c "cd '$T' && pwd"
says "jailrun, then chroot(1)" 0 inner "$jailrun" -r "$R" chroot /inner /bin/cat /where
says "jailrun, then chroot(1), no way out" 0 inner "$jailrun" -r "$R" chroot /inner /bin/cat /../../where
says "jailrun, then chroot(1), the outer is gone" 1 '*cat: /inner/where*' \
	"$jailrun" -r "$R" chroot /inner /bin/cat /inner/where

if command -v python3 >/dev/null; then
	py() { # NAME STATUS TEXT PROGRAM
		with "python3: $1" "$2" "$3" python3 -I -c "
import os, sys
R = '$R'
$4"
	}
	py "os.chroot" 0 outer 'os.chroot(R); os.chdir("/"); print(open("/link").read().strip())'
	py "os.chroot, then exec" 0 outer 'os.chroot(R); os.chdir("/"); os.execv("/bin/cat", ["cat", "/where"])'
	py "twice" 0 inner 'os.chroot(R); os.chdir("/"); os.chroot("/inner"); os.chdir("/"); print(open("/where").read().strip())'
	py "relative, nested" 0 inner 'os.chdir(R); os.chroot("."); os.chroot("inner"); print(open("/where").read().strip())'
	py "the child alone" 0 "outer${T:+}
False" '
pid = os.fork()
if pid == 0:
    os.chroot(R); print(open("/where").read().strip(), flush=True); os._exit(0)
os.waitpid(pid, 0)
print(os.path.exists("/where"))'
	py "chroot without chdir" 0 "outer FileNotFoundError True" '
os.chdir("/usr"); os.chroot(R)
try: cwd = os.getcwd()
except OSError as e: cwd = type(e).__name__
print(open("/where").read().strip(), cwd, os.path.exists("bin"))'
	py "the old way out works as in the kernel" 0 "True" '
os.chdir("/"); os.chroot(R); os.chroot("inner") if os.path.isdir("inner") else None
print(os.path.exists("usr/bin/env"))'
	py "errors" 0 "NotADirectoryError FileNotFoundError FileNotFoundError" '
out = []
for p in (R + "/where", R + "/nonesuch", ""):
    try: os.chroot(p)
    except OSError as e: out.append(type(e).__name__)
print(*out)'
	py "threads share it" 0 outer '
import threading
t = threading.Thread(target=lambda: os.chroot(R)); t.start(); t.join()
print(open("/where").read().strip())'
	py "subprocess, cwd" 0 /data 'import subprocess
os.chroot(R); os.chdir("/"); print(subprocess.run(["/bin/sh", "-c", "pwd"], cwd="/data", capture_output=True, text=True).stdout.strip())'
	py "preexec_fn" 0 "outer
False" 'import subprocess
print(subprocess.run(["/bin/cat", "/where"], preexec_fn=lambda: os.chroot(R), capture_output=True, text=True).stdout.strip())
print(os.path.exists("/where"))'
fi
if command -v perl >/dev/null; then
	says "perl: a root that cannot be entered leaves nothing open" 0 '*same' \
		env LIBJAIL_BIND=/proc:/proc,/etc:/nonesuch LD_PRELOAD="$lib" perl -e 'sub n { my @f = glob "/proc/self/fd/*"; scalar @f }
			my $n = n; chroot $ARGV[0] for 1 .. 20; print n == $n ? "same" : "more"' "$R"
	with "perl: chroot" 0 outer perl -e 'chroot $ARGV[0] or die $!; chdir "/"; open F, "/link" or die $!; print <F>' "$R"
fi
done_testing
