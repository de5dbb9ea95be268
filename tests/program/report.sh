#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Reports as they are written: which events the words of report.c lead to, in which mode, with and
# without a root; that each line is whole JSON; and that no place they can go to, and no program,
# spoils them.
# shellcheck source=tests/program/common
. "${0%/*}/common"
command -v python3 >/dev/null || skip_all "python3 reads the lines"

${CC:-cc} -std=gnu11 -Wall -O1 -g -o "$T/r" tests/program/report.c -lpthread || exit 1
r=$T/r
ev=$T/events
cat >"$T/check.py" <<'END'
import json, sys
E, last = [], None
for line in open(sys.argv[1], 'rb'):
    assert line.endswith(b'\n') and len(line) <= 4096, 'a line of %d bytes' % len(line)
    e = json.loads(line.decode('utf-8'))
    assert e['v'] == 1 and isinstance(e['pid'], int) and len(e['run']) == 16 and e['t'] > 1e9, e
    E.append(e)
    for f in [e] + [e[k] for k in ('made', 'closer', 'closed') if isinstance(e.get(k), dict)]:
        for m, off in f.get('stack', []):
            assert m < len(f['modules']) and off.startswith('0x'), e
        assert f.get('blame', 0) < max(1, len(f.get('stack', [0]))), e
def of(ev, **kw):
    return [e for e in E if e['ev'] == ev and all(e.get(k) == v for k, v in kw.items())]
def one(ev, **kw):
    found = of(ev, **kw)
    assert len(found) == 1, '%d %s %s' % (len(found), ev, kw)
    return found[0]
def count(*evs):
    return [len(of(e)) for e in evs]
def kinds():
    return sorted(e['ev'] for e in E)
bad = 0
for test in sys.argv[2:]:
    try:
        ok = eval(test)
    except AssertionError as e:
        ok, last = False, e
    if not ok:
        print('# not so: %s (%s)' % (test, last))
        bad = 1
if bad:
    for e in E[:40]:
        for k in ('modules', 'stack', 'host', 'run', 't', 'v'):
            e.pop(k, None)
        print('#   ' + json.dumps(e)[:300])
sys.exit(bad)
END

# NAME STATUS TEST... -- COMMAND...: the command, reported on, ends with STATUS; each TEST of its
# events holds.
reports() {
	reports_name=$1 reports_status=$2
	shift 2
	reports_tests=$T/tests
	: >"$reports_tests"
	while [ "$1" != -- ]; do
		printf '%s\n' "$1" >>"$reports_tests"
		shift
	done
	shift
	: >"$ev"
	# nothing open but 0-2, and 7 where a test has it
	timeout 60 "$r" closed 7 env LD_PRELOAD="$lib" LIBJAIL_REPORT="${where:-$ev}" "$@" \
		>"$T/out" 2>"$T/err" </dev/null
	got=$?
	result=0
	[ "$got" = "$reports_status" ] || {
		echo "# status $got, wanted $reports_status"
		result=1
	}
	[ ! -s "$T/err" ] || [ -n "${complains:-}" ] || {
		sed 's/^/# stderr: /' "$T/err" | head -n 5
		result=1
	}
	holds || result=1
	row "$result" "$reports_name"
}

holds() {
	set --
	while IFS= read -r line; do
		set -- "$@" "$line"
	done <"$reports_tests"
	python3 "$T/check.py" "$ev" "$@"
}

where=

# -- a program without leaks ---------------------------------------------------------------------

reports "true: its two lines" 0 'kinds() == ["exit", "start"]' 'one("start")["argv"] == ["/bin/true"]' \
	'one("start")["mode"] == "force"' 'one("start")["root"] is None' 'one("start")["snapshot"] == 63' \
	'one("exit")["status"] == 0' 'one("exit")["made"] == 0' 'one("exit")["open"] == 0' \
	'one("start")["exe"].endswith("/true")' 'one("start")["libjail"].endswith("/libjail.so")' -- /bin/true
reports "a shell and what it runs: two lines each" 0 'count("start", "exit") == [3, 3]' 'len(E) == 6' \
	'len({e["run"] for e in E}) == 1' -- /bin/sh -c '/bin/true; /bin/true; :'
reports "descriptors that are taken care of are no news" 0 'count("start", "exit") == [2, 2]' 'len(E) == 4' \
	'one("exit", prog="r")["made"] == 6' -- "$r" clean /bin/true
reports "the status of a program that fails" 1 'one("exit")["status"] == 1' -- /bin/false
reports "a program sees its settings, and none of our notes" 0 'count("start", "exit") == [2, 2]' -- \
	/bin/sh -c 'env; :'
row "$(grep -q ^LIBJAIL_REPORT= "$T/out" && ! grep -q LIBJAIL_0_ "$T/out"; echo $?)" "and so it was"

# -- leaks ---------------------------------------------------------------------------------------

# Of the leaks of `leak`, each by its call.
by_call='sorted((e["call"], e["class"], e["count"]) for e in of(K)) == [("fopen", "stream", 1), ("open", "open", 1), ("pipe", "pipe", 6), ("socket", "socket", 1)]'
leaks() { # NAME KIND INHERITED COMMAND...
	leaks_name=$1 leaks_kind=$2 leaks_inherited=$3
	shift 3
	reports "$leaks_name" 0 \
		"$(echo "$by_call" | sed "s/of(K)/of(\"$leaks_kind\")/")" \
		"all(e['target'].endswith('/true') for e in of('$leaks_kind'))" \
		"one('$leaks_kind', call='open')['fds'][0]['what'] == '/etc/hosts'" \
		"one('$leaks_kind', call='socket')['fds'][0]['what'].startswith('socket:[tcp 127.0.0.1:')" \
		"one('$leaks_kind', call='socket')['fds'][0]['what'].endswith(' listening]')" \
		"[f['what'][:6] for f in one('$leaks_kind', call='pipe')['fds']] == ['pipe:['] * 6" \
		"len({e['exec'] for e in of('$leaks_kind')}) == 1" \
		"one('$leaks_kind', call='open')['chain'][0] == {'pid': [e for e in of('start') if e['prog'] == 'r'][0]['pid'], 'prog': 'r'}" \
		"one('$leaks_kind', call='open')['pid'] == one('start', prog='true')['pid']" \
		"len(of('inherited', prog='true')) == $leaks_inherited" \
		"count('never-closed', 'exec-failed', 'bad-close') == [4, 0, 0]" \
		"one('start', prog='true')['exe'].endswith('/true')" \
		-- "$@"
}

# What `true` inherits is what leaked: the same sites, the same maker.
same_sites() { # NAME
	reports_tests=$T/tests
	printf '%s\n' \
		'sorted(f["site"] for f in one("inherited")["fds"]) == sorted(e["site"] for e in of("exec-leak") for i in range(e["count"]))' \
		'{f["made_by"] for f in one("inherited")["fds"]} == {one("start", ppid=one("inherited")["from"], prog="true")["ppid"]}' \
		>"$reports_tests"
	holds
	row $? "$1"
}

leaks "force: four call sites are stopped" stopped 0 "$r" leak /bin/true
leaks "report: the same leak" exec-leak 1 LIBJAIL_CLOEXEC=report "$r" leak /bin/true
same_sites "report: and the program knows from where"
leaks "force in a root" stopped 0 LD_PRELOAD= "$jailrun" --root / -- "$r" leak /bin/true
leaks "report in a root" exec-leak 1 LD_PRELOAD= "$jailrun" --root / --cloexec=report -- "$r" leak /bin/true
same_sites "report in a root: and the program knows from where"
reports "a root is told" 0 'one("start", prog="true")["root"] == "/"' -- LD_PRELOAD= "$jailrun" --root / -- /bin/true
for suite in bookworm bullseye trixie; do
	root=${LIBJAIL_ROOTS:-/var/tmp/libjail-roots}/$suite
	if [ ! -x "$root/bin/true" ] || [ "$(id -u)" != 0 ]; then
		continue
	fi
	reports "in $suite: a leak of its shell's child" 0 \
		'[e["call"] for e in of("exec-leak") if e["fds"][0]["what"] == "/etc/hostname"] == ["open"] or True' \
		"one('start', prog='true')['root'] == '$root'" 'count("start", "exit") == [2, 2]' \
		-- LD_PRELOAD= "$jailrun" --root "$root" --cloexec=report -- /bin/sh -c '/bin/true; :'
done
reports "off: nothing leaks that anybody forbade" 0 'count("exec-leak", "stopped") == [0, 0]' \
	'{e["why"] for e in of("exec-kept")} == {"off"}' 'one("start", prog="true")["mode"] == "off"' \
	-- LIBJAIL_CLOEXEC=off "$r" leak /bin/true
for how in spawn vfork; do
	reports "$how: what the child closes is none" 0 'count("exec-leak") == [1]' \
		'one("exec-leak")["call"] == "socket"' 'one("exec-leak")["pid"] == one("start", prog="true")["pid"]' \
		'one("exec-leak")["chain"][0]["pid"] == one("start", prog="r")["pid"]' \
		'one("never-closed")["call"] == "socket"' 'len(one("inherited")["fds"]) == 1' \
		-- LIBJAIL_CLOEXEC=report "$r" $how true
	reports "$how: likewise stopped" 0 'count("stopped", "inherited", "bad-close") == [1, 0, 0]' \
		'one("stopped")["call"] == "socket"' -- "$r" $how true
done
reports "through two execs and a fork the maker is known" 0 'count("inherited") == [3]' \
	'len({e["fds"][0]["site"] for e in of("inherited")}) == 1' 'of("inherited")[0]["fds"][0]["site"]' \
	'{e["fds"][0]["made_by"] for e in of("inherited")} == {of("start")[0]["pid"]}' \
	'all(e["fds"][0]["what"] == "/etc/hosts" for e in of("inherited"))' \
	'[e["why"] for e in of("exec-kept")] == ["meant"]' \
	-- "$r" inplace /bin/sh -c '/bin/sh -c "/bin/true; :"; :'
reports "only a process's own descriptors are left open by it" 0 'count("never-closed") == [2]' \
	'sorted(e["fds"][0]["what"] for e in of("never-closed")) == ["/etc/hosts", "/etc/passwd"]' \
	'count("start", "exit") == [2, 2]' 'len({e["pid"] for e in of("never-closed")}) == 2' \
	'sorted(e["status"] for e in of("exit")) == [0, 3]' -- "$r" fork


# Of a daemon's descriptors its parent, which forks and ends, has nothing to tell: whoever has them last does.
for how in once twice; do
	reports "a daemon that forks $how and closes all: nothing was left open" 0 'count("never-closed") == [0]' \
		-- "$r" reap "$r" daemon $how tidy
	reports "a daemon that forks $how and leaves one: it alone tells" 0 \
		'[e["fds"][0]["what"] for e in of("never-closed")] == ["/etc/passwd"]' \
		'one("never-closed")["count"] == 1' 'one("never-closed")["pid"] not in [e["pid"] for e in sorted(of("start"), key=lambda e: e["t"])[:2]]' \
		'one("never-closed")["stack"]' -- "$r" reap "$r" daemon $how half
	reports "a daemon that forks $how and leaves both: each is told once" 0 \
		'sorted(e["fds"][0]["what"] for e in of("never-closed")) == ["/etc/hosts", "/etc/passwd"]' \
		-- "$r" reap "$r" daemon $how none
done
reports "a daemon that has closed all before its parent ends" 0 'count("never-closed") == [0]' \
	-- "$r" reap "$r" daemon quick quick
reports "a child that became another program holds what leaked, and no more" 0 \
	'[e["fds"][0]["what"] for e in of("never-closed")] == ["/etc/passwd"]' 'one("exec-leak")["fds"][0]["what"] == "/etc/hosts"' \
	-- LIBJAIL_CLOEXEC=report "$r" reap "$r" daemon helper none
reports "a worker forked before knows nothing of it" 0 'one("never-closed")["fds"][0]["what"] == "/etc/hosts"' \
	-- "$r" reap "$r" daemon late none

# -- kept, for a reason ----------------------------------------------------------------------------

kept() { # WHY COMMAND...
	kept_why=$1
	shift
	reports "kept: $kept_why" 0 "[e['why'] for e in of('exec-kept')] == ['$kept_why']" \
		'count("stopped", "exec-leak") == [0, 0]' -- "$@"
}
kept argv "$r" keep /bin/cat /dev/fd/3
kept env MY_FD=3 "$r" keep /bin/true
kept number LIBJAIL_KEEP=3 "$r" keep /bin/true
kept skip LIBJAIL_CLOEXEC_SKIP=open "$r" keep /bin/true
kept meant "$r" meant /bin/true
kept selfexe "$r" keep "$r" sweep
kept argv LIBJAIL_CLOEXEC=report "$r" keep /bin/cat /dev/fd/3
kept number LIBJAIL_CLOEXEC=report LIBJAIL_KEEP=3 "$r" keep /bin/true
for how in "/bin/cat /dev/fd/3" "$r sweep"; do
	status=0
	[ "$how" = "$r sweep" ] || status=1
	complains=1
	# shellcheck disable=SC2086 # a command
	reports "strict: $how keeps nothing" $status 'count("stopped", "exec-kept") == [1, 0]' 'one("stopped")["call"] == "open"' \
		'of("start")[0]["mode"] == "strict"' -- LD_PRELOAD= "$jailrun" --cloexec=strict -- "$r" keep $how
	complains=
done
kept number LD_PRELOAD= "$jailrun" --cloexec=strict --keep 3 -- "$r" keep /bin/cat /dev/fd/3
kept meant LD_PRELOAD= "$jailrun" --cloexec=strict -- "$r" meant /bin/true

# -- execs that fail -------------------------------------------------------------------------------

printf 'no program\n' >"$T/text"
chmod 755 "$T/text"
reports "an exec that fails is taken back" 127 'count("stopped", "exec-failed") == [1, 1]' \
	'one("stopped")["exec"] == one("exec-failed")["exec"]' 'one("stopped")["pid"] == one("exec-failed")["pid"]' \
	'one("exec-failed")["error"] == "ENOEXEC"' 'one("stopped")["target"] == "/proc/self/fd/3"' \
	-- python3 -c 'import os, sys
fd = os.open("'"$T/text"'", os.O_RDONLY)
os.set_inheritable(fd, False)
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.open(b"/etc/hosts", 0)
if os.fork() == 0:
    libc.fexecve(fd, (ctypes.c_char_p * 2)(b"x", None), (ctypes.c_char_p * 1)(None))
    os._exit(127)
sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))'
reports "one that cannot succeed is not begun" 127 'count("stopped", "exec-failed") == [0, 0]' \
	-- "$r" keep /nowhere/x
reports "arguments of any bytes" 0 'one("stopped", call="open")["argv"][0] == "true"' \
	'len(one("stopped")["argv"]) > 1' -- "$r" strange true

# -- EMFILE ----------------------------------------------------------------------------------------

reports "EMFILE: the table, worst first, once a second" 0 'count("emfile") == [2]' \
	'of("emfile")[0]["call"] == "dup"' 'of("emfile")[0]["limit"] == 60' 'of("emfile")[0]["missed"] == 0' \
	'of("emfile")[1]["call"] == "socket"' 'of("emfile")[1]["missed"] > 1000' \
	'of("emfile")[0]["groups"] == 3' 'of("emfile")[0]["error"] == "EMFILE"' \
	'[e["call"] for e in of("table", table=of("emfile")[0]["table"])][0] == "dup"' \
	'[e["rank"] for e in of("table", table=of("emfile")[0]["table"])] == [1, 2, 3]' \
	'of("table")[0]["count"] > 50' 'of("table")[0]["cut"]' 'len(of("table")[0]["fds"]) > 5' \
	'of("table")[0]["oldest"] <= of("table")[0]["newest"]' -- "$r" full

# -- bad closes ------------------------------------------------------------------------------------

reports "every kind of bad close" 0 \
	'[e["kind"] for e in of("bad-close")] == ["double", "not-open", "stream", "directory"]' \
	'one("bad-close", kind="double")["made"]["call"] == "open"' \
	'one("bad-close", kind="double")["closer"]["site"] != one("bad-close", kind="double")["closed"]["site"]' \
	'one("bad-close", kind="not-open")["fd"] == 777' 'one("bad-close", kind="stream")["made"]["call"] == "fopen"' \
	'one("bad-close", kind="directory")["made"]["call"] == "opendir"' \
	'all(e["closer"]["call"] == "close" for e in of("bad-close"))' -- "$r" bad
! command -v bash >/dev/null ||
	reports "a shell closes what may not be open" 0 'count("bad-close") == [0]' \
		-- bash -c 'exec 8>&-; cat <(echo a) <(echo b); exec 8>&-; :'
reports "a loop over all numbers is no bad close" 0 'count("bad-close") == [0]' -- "$r" sweep

# -- snapshots -------------------------------------------------------------------------------------

reports "a snapshot by the usual signal" 0 'count("snapshot", "table") == [1, 2]' \
	'one("snapshot")["groups"] == 2' 'sorted(e["call"] for e in of("table")) == ["open", "pipe2"]' \
	'of("table")[0]["count"] == 2' '{e["why"] for e in of("table")} == {"snapshot"}' -- "$r" snapshot 63
reports "a snapshot by another signal" 0 'count("snapshot", "table") == [1, 2]' \
	'of("start")[0]["snapshot"] == 12' -- LIBJAIL_SNAPSHOT=SIGUSR2 "$r" snapshot 12
reports "handlers that interrupt everything" 0 'count("snapshot")[0] > 20' 'count("bad-close") == [0]' \
	-- LIBJAIL_SNAPSHOT=USR2 "$r" handler

# -- where they go ---------------------------------------------------------------------------------

where=fd:7
exec 7>>"$ev"
reports "a descriptor, which is nobody's inheritance" 0 'count("start", "exit", "inherited") == [3, 3, 0]' 'len(E) == 6' \
	-- /bin/sh -c '/bin/true; /bin/true; :'
exec 7>&-
where=unix:$T/sock
python3 -c '
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
s.bind(sys.argv[1])
open(sys.argv[2], "w").close()
s.settimeout(20)
with open(sys.argv[3], "ab", 0) as f:
    while True:
        d = s.recv(65536)
        if d == b"end":
            break
        f.write(d)
open(sys.argv[2] + ".done", "w").close()' "$T/sock" "$T/ready" "$T/collected" &
collector=$!
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
	[ ! -e "$T/ready" ] || break
	sleep 0.2
done
reports "a datagram socket: nothing on stderr" 0 -- "$r" leak /bin/true
python3 -c 'import socket, sys
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"end", sys.argv[1])' "$T/sock"
wait "$collector"
cp "$T/collected" "$ev"
printf '%s\n' 'count("start", "stopped", "never-closed", "exit") == [3, 4, 4, 2]' >"$reports_tests"
holds
row $? "a datagram socket: every event a line"
complains=1
reports "a collector that is gone is told of once, and hurts nobody" 0 -- /bin/sh -c '/bin/true; /bin/true; :'
complains=
row "$([ "$(grep -c libjail: "$T/err")" = 1 ]; echo $?)" "in one line for all its processes"

where=$ev
: >"$ev"
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	timeout 60 "$r" closed 7 env LD_PRELOAD="$lib" LIBJAIL_REPORT="$ev" "$r" many 12 &
done
wait
printf '%s\n' 'len({e["pid"] for e in of("start")}) == 260' \
	'sum(e["count"] for e in of("stopped")) == 20 * 78' 'count("exit") == [260]' >"$reports_tests"
holds
row $? "twenty processes share a file, each line whole"

if [ "$(id -u)" = 0 ]; then
	chmod 777 "$T"
	reports "who has given up its identity goes on reporting" 0 'count("start", "exit") == [3, 2]' \
		'one("start", prog="true")["argv"] == ["/bin/true"] or True' \
		-- "$r" demote "$ev" /bin/sh -c '/bin/true; :'
	chmod 755 "$T"
	chmod 644 "$ev"
fi
[ "$(uname -m)" != x86_64 ] ||
	reports "a file of the program's under our number stays the program's" 0 \
		"not open('$T/stolen').read()" 'count("bad-close", "exit") == [1, 1]' -- "$r" steal "$T/stolen"
complains=1
reports "a file that is closed under eight threads is opened again once" 0 'count("bad-close")[0] > 200' -- "$r" lost "$ev"
complains=
timeout 60 "$r" lost "unix:$T/restarted" "$lib" 2>"$T/err"
row $? "a collector that is started again, beside eight threads"
mkdir "$T/other"
cp "$lib" "$T/other/shim.so"
reports "a library of another name" 0 'count("start", "exit", "stopped") == [3, 2, 4]' \
	-- LD_PRELOAD="$T/other/shim.so" "$r" leak /bin/true

# -- readers that do not keep up, and places that go away -------------------------------------------

cat >"$T/sinks.py" <<'END'
import fcntl, os, socket, subprocess, sys
lib, T, what = sys.argv[1:]
fifo, sock, file = T + "/fifo", T + "/slow", T + "/gone"
script = "i=0; while [ $i -lt 10 ]; do /bin/true; i=$((i+1)); done; :"
def run(where, fds=(), script=script, trace=()):
    p = subprocess.run([*trace, "env", "LD_PRELOAD=" + lib, "LIBJAIL_REPORT=" + where, "/bin/sh", "-c", script], pass_fds=fds, stderr=subprocess.PIPE, timeout=60)
    return p.returncode, p.stderr.count(b"libjail:"), p.stderr
def holds(pid, name): # past its start, where the descriptor moves
    try:
        return any(os.readlink(f"/proc/{pid}/fd/{f}") == name for f in os.listdir(f"/proc/{pid}/fd") if int(f) > 9)
    except OSError:
        return False
def fill(write):
    try:
        while True:
            write()
    except BlockingIOError:
        pass
if what == "fifo":
    os.mkfifo(fifo)
    print("unread", run(fifo)[:2])
    cat = subprocess.Popen(["cat", fifo], stdout=subprocess.PIPE)
    w = os.open(fifo, os.O_WRONLY)
    p = run(fifo)
    os.close(w)
    out = cat.communicate(timeout=60)[0]
    print("read", p[:2], out.count(b'"ev":"start"'), out.count(b'"ev":"exit"'))
    # the reader's end comes with the last process, not between two
    cat = subprocess.Popen(["sh", "-c", "exec cat " + fifo], stdout=subprocess.PIPE)
    w = os.open(fifo, os.O_WRONLY)
    p = subprocess.Popen(["/bin/sh", "-c", "read x; exec /bin/sh -c '/bin/true; :'"], stdin=subprocess.PIPE,
        env=dict(os.environ, LD_PRELOAD=lib, LIBJAIL_REPORT=fifo, LIBJAIL_CLOEXEC="report"))
    while not holds(p.pid, fifo):
        pass
    os.close(w)
    p.communicate(b"go\n", timeout=60)
    out = cat.communicate(timeout=60)[0]
    print("through an exec", p.returncode, out.count(b'"prog":"true"') > 0)
elif what in ("pipe", "socket"):
    if what == "pipe":
        r, w = os.pipe()
        os.set_blocking(w, False)
        fill(lambda: os.write(w, b"x" * 4096))
        where, fds = "fd:%d" % w, (w,)
    else:
        s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        s.bind(sock)
        c = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        c.setblocking(False)
        fill(lambda: c.sendto(b"x", sock))
        where, fds = "unix:" + sock, ()
    print("said", run(where, fds)[:2])
    err = run(where, fds, trace=("strace", "-f", "-e", "trace=ppoll"))[2]
    print("waited", err.count(b"POLLOUT}], 1, {tv_sec=1,"))
elif what == "gone":
    print("removed", run(file, script="rm '%s'; /bin/true; (/bin/true); exec /bin/true" % file)[:2], os.path.exists(file))
END
sinks() { # WHAT LINE...: sinks.py says these lines
	sinks_what=$1
	shift
	timeout 120 python3 "$T/sinks.py" "$lib" "$T" "$sinks_what" >"$T/out" 2>"$T/err"
	sed 's/^/# /' "$T/err" | tail -n 3
	for sinks_line; do
		grep -qxF "$sinks_line" "$T/out"
		row $? "$sinks_what: $sinks_line"
	done
	[ "$bad" = 0 ] || sed 's/^/# said: /' "$T/out"
}
sinks fifo 'unread (0, 1)' 'read (0, 0) 11 11' 'through an exec 0 True'
sinks gone 'removed (0, 0) False'
if strace true 2>/dev/null; then
	sinks pipe 'said (0, 1)' 'waited 1'
	sinks socket 'said (0, 1)' 'waited 1'
fi

# -- programs that are not watched -----------------------------------------------------------------

rm -f "$T/made"
LD_PRELOAD="$lib" LIBJAIL_REPORT="$T/made" /bin/true
row "$([ -s "$T/made" ]; echo $?)" "the first program makes the file"
where=$ev
echo 'int main(void) { return 0; }' >"$T/s.c"
if ${CC:-cc} -static -o "$T/static" "$T/s.c" 2>/dev/null; then
	printf '#!%s x\n' "$T/static" >"$T/script"
	cp /bin/true "$T/setid"
	printf '\177ELF\1\1\1\0\0\0\0\0\0\0\0\0\2\0\3\0' >"$T/foreign"
	chmod 755 "$T/static" "$T/script" "$T/foreign"
	for p in static script; do
		reports "what a $p does is not told" 0 'one("unwatched")["why"] == "static"' \
			"one('unwatched')['target'] == '$T/$p'" "one('unwatched')['argv'] == ['$T/$p', 'a']" \
			'one("unwatched")["chain"][0]["prog"] == "sh"' 'count("exec-failed") == [0]' \
			-- /bin/sh -c "$T/$p a; :"
		reports "by the program that becomes it either" 0 'one("unwatched")["pid"] == one("start")["pid"]' \
			-- /bin/sh -c "exec $T/$p a"
		: >"$ev"
		timeout 60 "$jailrun" --report="$ev" -- "$T/$p" >"$T/out" 2>&1
		printf '%s\n' 'kinds() == ["unwatched"]' "one('unwatched')['target'] == '$T/$p'" >"$reports_tests"
		holds
		row $? "nor that of the command of jailrun, a $p"
	done
	printf '%s\n' '#include <stdlib.h>' 'int main(void) { return system("/bin/true") || system("/bin/true"); }' >"$T/s.c"
	${CC:-cc} -static -o "$T/system" "$T/s.c" || exit 1
	rm -f "$T/made"
	"$jailrun" --report="$T/made" -- "$T/system"
	where=$ev ev=$T/made
	printf '%s\n' 'count("unwatched", "start") == [1, 4]' 'len({e["run"] for e in E}) == 1' >"$reports_tests"
	holds
	row $? "what the command of jailrun starts is of one run, also where it is not watched itself"
	ev=$where
	reports "one for another architecture is none that runs" 0 'one("unwatched")["why"] == "arch"' \
		'one("exec-failed")["exec"] == one("unwatched")["exec"]' -- "$r" execs "$T/foreign"
	reports "in a root that lets it out" 0 'one("unwatched")["why"] == "static"' \
		-- LD_PRELOAD= "$jailrun" --root / --static=run -- /bin/sh -c "$T/static; :"
	if [ "$(id -u)" = 0 ]; then
		chown "$U" "$T/setid" && chmod 4755 "$T/setid"
		reports "a set-user-ID program" 0 'one("unwatched")["why"] == "setid"' 'count("start") == [1]' \
			-- /bin/sh -c "$T/setid; :"
		reports "but where it gains nothing" 0 'count("unwatched") == [0]' 'len(of("start", prog="setid")) == 1' \
			-- setpriv --no-new-privs /bin/sh -c "$T/setid; :"
	fi
fi
reports "and none that is watched is told of" 0 'count("unwatched") == [0]' \
	-- /bin/sh -c '/bin/true; /bin/sh -c :; exec /bin/true'

done_testing
