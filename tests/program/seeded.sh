#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Seeded leaks: programs in several languages that each leak one descriptor at a line marked LEAK (or
# leave it open, where the language's own library never leaks: LEFT), forced and in report mode.  The
# report must name that line and no other; and say nothing of the same program mended.  Then what else
# a report tells: a full table, bad closes, descriptors that came over a socket, snapshots, what was
# inherited, an exec that fails.
# shellcheck source=tests/program/common
. "${0%/*}/common"
command -v addr2line >/dev/null || skip_all "addr2line is missing"
report=$T/usr/bin/jailreport
cd "$T" || exit 1

# The line that bears MARK in FILE.
line_of() { # MARK FILE
	grep -n "$1" "$2" | head -n 1 | cut -d: -f1
}

# Runs COMMAND in MODE, with its events in $T/events; its own output is not looked at.
record() { # MODE COMMAND...
	mode=$1
	shift
	rm -f "$T/events"
	timeout 60 "$jailrun" --cloexec="$mode" --report="$T/events" -- "$@" >"$T/out" 2>&1 </dev/null 3>&- 4>&- 5>&-
}

leaks() { # how many call sites leak
	grep -c -E '"ev":"(exec-leak|stopped)"' "$T/events"
}

# NAME SOURCE LEAKY MENDED: commands; found at SOURCE's LEAK line, in both modes.
seeded() {
	name=$1 source=$2 leaky=$3 mended=$4
	want=$(basename "$source"):$(line_of LEAK "$source")
	for m in force report; do
		eval "record $m $leaky"
		"$report" "$T/events" >"$T/screen" 2>&1
		status=$?
		[ "$status" = 1 ] && grep -q -E "^ *1\. .*${want}\b" "$T/screen" &&
			[ "$(grep -c -E '^ *[0-9]+\. [0-9]+ descriptor' "$T/screen")" = 1 ]
		result=$?
		row $result "$name: the line that leaks, $m"
		[ $result = 0 ] || sed 's/^/# /' "$T/screen" | head -n 20
		eval "record $m $mended"
		"$report" "$T/events" >"$T/screen" 2>&1 && [ "$(leaks)" = 0 ]
		result=$?
		row $result "$name: mended, nothing leaks, $m"
		[ $result = 0 ] || sed 's/^/# /' "$T/screen" | head -n 20
	done
}

cat >leak.c <<'END'
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#ifdef MENDED
#define HOW O_RDONLY | O_CLOEXEC
#else
#define HOW O_RDONLY
#endif
static __attribute__((noinline)) int opener(const char *path)
{
	int fd = open(path, HOW); /* LEAK */

	__asm__ volatile("" : "+r"(fd)); /* no sibling call: this frame stays */
	return fd;
}
#ifdef CONSTRUCTOR
__attribute__((constructor)) static void early(void) { opener("/dev/zero"); }
#else
#define early()
#endif
int main(void)
{
#ifndef CONSTRUCTOR
	opener("/dev/zero");
#endif
	dup2(0, 17); /* meant, and no leak */
	return system("true");
}
END
for how in plain constructor omitted; do
	flags=
	case $how in
	constructor) flags=-DCONSTRUCTOR ;;
	omitted) flags='-O2 -fomit-frame-pointer' ;;
	esac
	# shellcheck disable=SC2086
	${CC:-cc} -g $flags -o "c-$how" leak.c && ${CC:-cc} -g $flags -DMENDED -o "c-$how-mended" leak.c || exit 1
	seeded "C, $how" "$T/leak.c" "$T/c-$how" "$T/c-$how-mended"
done

cat >plugin.c <<'END'
#include <sys/eventfd.h>
#ifdef MENDED
int plugin(void) { return eventfd(0, EFD_CLOEXEC); }
#else
int plugin(void) { int fd = eventfd(0, 0); return fd + 0; } /* LEAK */
#endif
END
cat >host.c <<'END'
#include <dlfcn.h>
#include <stdlib.h>
int main(int argc, char **argv)
{
	void *h = dlopen(argv[1], RTLD_NOW);
	int (*f)(void) = h ? (int (*)(void))dlsym(h, "plugin") : 0;

	if (!f || f() < 0)
		return 9;
	if (argc > 2)
		dlclose(h);
	return system("true");
}
END
${CC:-cc} -g -fPIC -shared -o plugin.so plugin.c && ${CC:-cc} -g -fPIC -shared -DMENDED -o mended.so plugin.c &&
	${CC:-cc} -g -w -o host host.c -ldl || exit 1
seeded "a plugin" "$T/plugin.c" "$T/host $T/plugin.so" "$T/host $T/mended.so"
seeded "a plugin that is closed" "$T/plugin.c" "$T/host $T/plugin.so close" "$T/host $T/mended.so close"

if command -v g++ >/dev/null; then
	cat >leak.cc <<'END'
#include <cstdlib>
#include <functional>
#include <stdexcept>
#include <thread>
#include <sys/socket.h>
#ifdef MENDED
enum { type = SOCK_STREAM | SOCK_CLOEXEC };
#else
enum { type = SOCK_STREAM };
#endif
struct Opener {
	int fd = -1;
	void open()
	{
		fd = socket(AF_UNIX, type, 0); // LEAK
		throw std::runtime_error("and forgotten");
	}
};
int main()
{
	std::function<void()> f = [] {
		try {
			Opener().open();
		} catch (const std::exception &) {
		}
	};
	std::thread(f).join();
	return std::system("true");
}
END
	if g++ -g -o cc-leak leak.cc -lpthread && g++ -g -DMENDED -o cc-mended leak.cc -lpthread; then
		seeded "C++, a thread and an exception" "$T/leak.cc" "$T/cc-leak" "$T/cc-mended"
	fi
else
	row 0 "C++ # SKIP no g++"
fi

# -- scripts: their interpreters make descriptors close-on-exec, so these are left open, or meant ----
scripted() { # NAME SOURCE COMMAND
	want=$(basename "$2"):$(line_of LEFT "$2")
	eval "record force $3"
	"$report" --all --kept "$T/events" >"$T/screen" 2>&1
	grep -q "$want\\b" "$T/screen" && [ "$(leaks)" = 0 ]
	result=$?
	row $result "$1"
	[ $result = 0 ] || sed 's/^/# /' "$T/screen" | head -n 20
}
cat >left.py <<'END'
import os
def opener(
        path):
    return os.open(path,  # LEFT
                   os.O_RDONLY)
class Keep:
    fd = opener("/dev/zero")
os._exit(0)
END
cat >left.pl <<'END'
use Socket;
sub opener {
	socket(our $s, AF_INET, SOCK_STREAM, 0); # LEFT
}
opener();
use Fcntl;
fcntl($s, F_SETFD, 0);
system("true");
END
cat >left.bash <<'END'
exec 5</dev/null
exec 7</dev/zero # LEFT
/bin/true
END
python=$(command -v python3)
if [ -n "$python" ] && [ "$("$python" -c 'import sys; print(sys.version_info[:2] == (3, 11))')" = True ]; then
	scripted "python3: the script's line" "$T/left.py" "$python $T/left.py"
else
	row 0 "python3: the script's line # SKIP no Python 3.11"
fi
if [ "$(perl -e 'print $]' 2>/dev/null)" = 5.036000 ]; then
	scripted "perl: the script's line" "$T/left.pl" "perl $T/left.pl"
else
	row 0 "perl: the script's line # SKIP no Perl 5.36"
fi
if command -v bash >/dev/null; then
	scripted "bash: the script's line" "$T/left.bash" "bash $T/left.bash"
else
	row 0 "bash: the script's line # SKIP no bash"
fi

# -- what else is told -------------------------------------------------------------------------
cat >bad.c <<'END'
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int is(const char *a, const char *b) { return !strcmp(a, b); }

static void pass(int fd, int what) /* SCM_RIGHTS */
{
	char c = 0, room[CMSG_SPACE(sizeof what)] = {0};
	struct iovec v = {&c, 1};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof what);
	memcpy(CMSG_DATA(h), &what, sizeof what);
	if (sendmsg(fd, &m, 0) != 1)
		exit(8);
}

static int taken(int fd)
{
	char c, room[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec v = {&c, 1};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
	int got;

	if (recvmsg(fd, &m, 0) != 1 || !CMSG_FIRSTHDR(&m))
		exit(7);
	memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof got);
	return got;
}

int main(int argc, char **argv)
{
	const char *what = argv[1];
	int fd, sv[2], status;

	(void)argc;
	if (is(what, "emfile")) {
		struct rlimit l = {40, 40};

		setrlimit(RLIMIT_NOFILE, &l);
		for (int i = 0; i < 5; i++)
			open("/dev/null", O_RDONLY | O_CLOEXEC); /* FEW */
		while (dup(0) >= 0) /* MANY */
			;
		return errno != EMFILE;
	}
	if (is(what, "double")) {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC); /* MADE */
		close(fd);
		return close(fd) == 0; /* TWICE */
	}
	if (is(what, "stream")) {
		FILE *f = fopen("/dev/null", "re");

		close(fileno(f)); /* STREAM */
		return 0;
	}
	if (is(what, "loop")) { /* what daemons do */
		for (fd = 3; fd < 200; fd++)
			close(fd);
		return 0;
	}
	if (is(what, "pass")) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv))
			return 1;
		if (fork() == 0) {
			pass(sv[1], 0);
			fd = taken(sv[1]);
			_exit(!(fcntl(fd, F_GETFD) & FD_CLOEXEC) != !getenv("FORCED"));
		}
		fd = taken(sv[0]); /* TAKEN */
		if (!(fcntl(fd, F_GETFD) & FD_CLOEXEC) != !getenv("FORCED"))
			return 2;
		pass(sv[0], 1);
		wait(&status);
		return status ? 3 : system("true");
	}
	if (is(what, "snapshot")) {
		for (int i = 0; i < 3; i++)
			open("/dev/zero", O_RDONLY | O_CLOEXEC);
		raise(SIGUSR2);
		close(3);
		raise(SIGUSR2);
		return 0;
	}
	if (is(what, "execfail")) {
		open("/dev/zero", O_RDONLY);
		if (fork() == 0) {
			execl(argv[2], "x", (char *)0);
			_exit(0);
		}
		wait(0);
		return 0;
	}
	return 1;
}
END
${CC:-cc} -g -w -o bad bad.c || exit 1
told() { # NAME STATUS-OF-A-TEST
	row "$2" "$1"
	[ "$2" = 0 ] || sed 's/^/# /' "$T/screen" | head -n 30
}
screen() {
	"$report" --all --tables "$T/events" >"$T/screen" 2>&1
}
at() { # MARK: bad.c:LINE of it
	echo "bad.c:$(line_of "$1" bad.c)"
}

record force "$T/bad" emfile && screen
grep -q '"ev":"emfile".*"error":"EMFILE"' events &&
	grep '"ev":"table"' events | head -n 1 | grep -q '"rank":1,.*"call":"dup"' && grep -q "$(at MANY)" screen
told "a full table: the largest call site first" $?

record force "$T/bad" double
screen
grep -q "$(at TWICE)" screen && grep -q "$(at MADE)" screen && grep -q '"kind":"double"' events
told "closed twice: both lines" $?
record force "$T/bad" stream
screen
grep -q "$(at STREAM)" screen && grep -q '"kind":"stream"' events
told "close of a FILE's descriptor" $?
record force "$T/bad" loop
screen
! grep -q '"bad-close"' events
told "a loop that closes everything is no mistake" $?

record report "$T/bad" pass
screen
grep -q "$(at TAKEN)\|recvmsg in taken" screen && grep -q '"call":"recvmsg"' events
told "a descriptor that came over a socket is recvmsg's" $?
FORCED=1
export FORCED
record force "$T/bad" pass
told "and arrives close-on-exec, in both directions" $?
unset FORCED

LIBJAIL_SNAPSHOT=SIGUSR2
export LIBJAIL_SNAPSHOT
record force "$T/bad" snapshot
unset LIBJAIL_SNAPSHOT
screen
[ "$(grep -c '"ev":"snapshot"' events)" = 2 ] &&
	[ "$(grep '"ev":"table".*"call":"open"' events | grep -o '"count":[0-9]*' | tr '\n' ' ')" = '"count":3 "count":2 ' ]
told "a snapshot by a signal" $?

printf '#!/no/such/interpreter\n' >script
chmod +x script
record report "$T/bad" execfail "$T/script"
screen
grep -q '"exec-leak"' events && grep -q '"exec-failed".*ENOENT' events && grep -q 'no leaks' screen
told "an exec that failed leaked nothing" $?

record report "$T/c-plain"
site=$(grep -o '"ev":"exec-leak".*' events | grep -o '"site":"[0-9a-f]*"' | head -n 1)
grep '"ev":"inherited"' events | grep -q "$site"
told "the next program knows whose it inherits" $?

record force true
[ "$(grep -vc '"ev":"inherited"' events)" = 2 ] # of what this test was started with
told "who leaks nothing writes two lines" $?

for how in plain constructor omitted plain constructor omitted plain constructor; do
	LIBJAIL_REPORT=$T/many LD_PRELOAD=$lib "$T/c-$how" &
done
wait
python3 - "$T/many" <<'END'
import json, sys
lines = open(sys.argv[1]).read().splitlines()
assert len(lines) > 40
for line in lines:
    assert len(line) < 4096 and json.loads(line)["v"] == 1
END
told "processes that share a file write whole lines" $?

python3 - "$T" "$jailrun" <<'END'
import json, socket, subprocess, sys, os
T, jailrun = sys.argv[1:]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(T + "/sink")
s.settimeout(10)
subprocess.run([jailrun, "--report=unix:" + T + "/sink", "--", T + "/c-plain"], check=True)
kinds = set()
while "stopped" not in kinds or "exit" not in kinds:
    kinds.add(json.loads(s.recv(5000))["ev"])
END
told "events to a datagram socket" $?

"$jailrun" --report -- sh -c 'exit 7' >out 2>screen
[ $? = 7 ] && grep -q 'no leaks' screen
told "jailrun --report: the screen at the end, and the command's status" $?
done_testing
