#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What children of fork(2) and vfork(2) see of what their parent's threads are in the middle of (locks.c).  The
# lock itself is tests/unit/lock.c's.
# shellcheck source=tests/program/common
. "${0%/*}/../program/common"
CC=${CC:-cc}
$CC -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -o "$T/locks" tests/context/locks.c -lpthread -ldl || exit 1
printf '#include <fcntl.h>\nint make(void);\nint make(void) { return open("/dev/zero", O_RDONLY); }\n' >"$T/lib.c"
$CC -shared -fPIC -O1 -g -o "$T/lib.so" "$T/lib.c" || exit 1

# -- reports ----------------------------------------------------------------------------------------------
: >"$T/events"
env LD_PRELOAD="$lib" LIBJAIL_REPORT="$T/events" timeout 120 "$T/locks" storm "$T/lib.so" 600 >"$T/out" 2>&1
status=$?
[ "$status" = 0 ] || sed 's/^/# /' "$T/out"
row "$status" "600 children of a process that is looking at its objects"
told=$(grep -c '"ev":"never-closed"' "$T/events")
nameless=$(grep '"ev":"never-closed"' "$T/events" | grep -c '"path":null')
[ "$told" = 600 ] && [ "$nameless" = 0 ]
row $? "each tells of its descriptor, and names the file that made it ($told, $nameless without a name)"

# -- system(3) --------------------------------------------------------------------------------------------
mkfifo "$T/fifo"
cat >"$T/want" <<'END'
the child's: 3
while the thread waits: SIGINT is ignored
at the end: SIGINT is not ignored
END
for where in "without libjail" preloaded "in a root"; do
	case $where in
	without*) set -- "$T/locks" ;;
	pre*) set -- env LD_PRELOAD="$lib" "$T/locks" ;;
	*) set -- "$jailrun" --root / -- "$T/locks" ;;
	esac
	timeout 30 "$@" system "$T/fifo" >"$T/out" 2>&1
	cmp -s "$T/want" "$T/out"
	result=$?
	[ "$result" = 0 ] || diff "$T/want" "$T/out" | sed 's/^/# /'
	row "$result" "system in a vfork child while a thread is in it, $where"
done

# -- syslog(3) --------------------------------------------------------------------------------------------
command -v python3 >/dev/null || {
	row 0 "syslog # SKIP python3 is the log"
	done_testing
}
mkdir "$T/dev"
cp -a /dev/null "$T/dev/" 2>/dev/null || : >"$T/dev/null"
cat >"$T/log.py" <<'END'
import socket, subprocess, sys
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind(sys.argv[1])
log.settimeout(10)
ran = subprocess.run(sys.argv[2:], timeout=30)
print("status", ran.returncode)
for i in range(4):
    try:
        print(log.recv(1000).decode().rsplit(": ")[-1])
    except OSError as e:
        print(e)
END
timeout 60 python3 "$T/log.py" "$T/dev/log" "$jailrun" --no-default-binds --root / --bind "$T/dev:/dev" -- "$T/locks" syslog >"$T/out" 2>&1
cat >"$T/want" <<'END'
the parent's file is open
status 0
from the child
from the parent
once more from a child
once more from the parent
END
cmp -s "$T/want" "$T/out"
result=$?
[ "$result" = 0 ] || diff "$T/want" "$T/out" | sed 's/^/# /'
row "$result" "syslog in a vfork child: the parent's descriptors and connection stay its own"
done_testing
