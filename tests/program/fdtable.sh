#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Real programs that pass descriptors on, each by its idiom: every row runs natively, then forced
# (--cloexec=force), then with --cloexec=report and a report, and must say and return the same all
# three times.  The report also has the reason by which the descriptor was kept.  The rows are those of
# the table that the policy was derived from (libjail.7, DESCRIPTORS); the programs that are not
# installed, or do not work natively here, are skipped and named.
#
# LONG=yes runs those that take seconds, too; FDROWS=REGEX runs the rows of that name; V=yes shows what
# is said natively.
# shellcheck disable=SC2016 # what is in single quotes is for the shell of the row
[ -n "${LIBJAIL_UID:-}" ] || LIBJAIL_UID=$(id -u bench 2>/dev/null) || LIBJAIL_UID=12345
export LIBJAIL_UID
# shellcheck source=tests/program/common
. "${0%/*}/common"

# What a row starts and does not end is found by where it works, or by this mark, and ended.
reap() {
	for reap_pid in $(
		cd /proc || exit
		for reap_dir in [0-9]*; do
			case $(readlink "$reap_dir/cwd" 2>/dev/null) in
			"$T"/*) echo "$reap_dir" ;;
			*) grep -qz "^FDTABLE=$T\$" "$reap_dir/environ" 2>/dev/null && echo "$reap_dir" ;;
			esac
		done
	); do
		[ "$reap_pid" = $$ ] || kill -9 "$reap_pid" 2>/dev/null
	done
}
trap 'reap; finish' EXIT
events=$T/events
strays=$(cd /proc/$$/fd && echo [3-9] [1-9][0-9] [1-9][0-9][0-9]) # what this test was given
# shellcheck disable=SC2086 # words they are
strays=$(printf '%s\n' $strays | grep -v '\[')

# MODE NAME=VALUE... COMMAND...: run natively, or with what the assignments say, in a directory of its
# own that looks the same each time; what it says goes to MODE.out
once() {
	once_dir=$T/$1/work once_out=$T/$1.out
	shift
	rm -rf "$once_dir"
	mkdir -p "$once_dir" && cp -Rp "$T/fixture/." "$once_dir" && chmod 777 "$once_dir" || exit
	(
		cd "$once_dir" || exit
		if [ -n "$as_root" ]; then
			timeout -k 1 20 env FDTABLE="$T" HOME="$once_dir" TMPDIR="$once_dir" "$@"
		else
			as timeout -k 1 20 env FDTABLE="$T" HOME="$once_dir" TMPDIR="$once_dir" "$@"
		fi
	) >"$once_out" 2>&1 </dev/null
	echo "status $?" >>"$once_out"
}

in_python() { # MODULE
	/usr/bin/python3 -c "import $1" 2>/dev/null
}

# NAME NEEDS WHY INTERPRETER... <script: one row.  NEEDS: programs, files, python:MODULE, root, named, long.  WHY:
# the reasons that the report must give for what was kept ("-": none is asked for), or
# "stopped": what the native output has too much is what force takes away.
same() {
	same_name=$1 same_needs=$2 same_why=$3 as_root=
	shift 3
	[ $# -gt 0 ] || set -- sh
	cat >"$T/script"
	[ -z "${FDROWS:-}" ] || printf '%s\n' "$same_name" | grep -Eq "$FDROWS" || return
	for same_need in $same_needs; do
		case $same_need in
		python:*) in_python "${same_need#python:}" ;;
		root)
			as_root=yes
			[ "$(id -u)" = 0 ]
			;;
		named) # libdbus wants the user in the passwd file: root is
			as id -un >/dev/null 2>&1 || {
				as_root=yes
				[ "$(id -u)" = 0 ]
			}
			;;
		long) [ -n "${LONG:-}" ] ;;
		/*) [ -e "$same_need" ] ;;
		busybox) # a static one is beyond a preload
			ldd "$(command -v busybox 2>/dev/null)" >/dev/null 2>&1
			;;
		*) command -v "$same_need" >/dev/null ;;
		esac && continue
		case $same_need in
		root) same_need="needs root" ;;
		named) same_need="the user has no name" ;;
		long) same_need="takes seconds: LONG=yes" ;;
		busybox) same_need="no busybox, or a static one" ;;
		*) same_need="no ${same_need#python:}" ;;
		esac
		row 0 "$same_name # SKIP $same_need"
		return
	done
	[ -z "${V:-}" ] || echo "# at $(date +%s.%N | cut -c 7-13)"
	: >"$events"
	chmod 666 "$events"
	once native "$@" "$T/script" &
	once forced LD_PRELOAD="$lib" "$@" "$T/script" &
	once report LD_PRELOAD="$lib" LIBJAIL_CLOEXEC=report LIBJAIL_REPORT="$events" "$@" "$T/script" &
	wait
	[ -z "${V:-}" ] || sed "s/^/# native: /" "$T/native.out"
	if [ "$(tail -n 1 "$T/native.out")" != "status 0" ]; then
		sed 's/^/# /' "$T/native.out"
		row 0 "$same_name # SKIP it does not work natively here: $(tail -n 1 "$T/native.out")"
		return
	fi
	case $same_why in
	stopped)
		# less than natively, and nothing new
		[ "$(cat "$T/native.out")" != "$(cat "$T/forced.out")" ] &&
			! diff "$T/native.out" "$T/forced.out" | grep -q '^>'
		;;
	*) cmp -s "$T/native.out" "$T/forced.out" ;;
	esac || differs forced
	row $? "$same_name: forced"
	cmp -s "$T/native.out" "$T/report.out" || differs report
	row $? "$same_name: report"
	same_told=0 same_missing=
	case $same_why in
	stopped) grep -q '"ev":"exec-leak"' "$events" || same_missing=exec-leak ;;
	-) ;;
	*)
		for why in $same_why; do
			grep '"ev":"exec-kept"' "$events" | grep -q "\"why\":\"$why\"" || same_missing="$same_missing $why"
		done
		;;
	esac
	[ -s "$events" ] || same_missing="any event"
	if [ -n "$same_missing" ]; then
		same_told=1
		echo "# the report lacks: $same_missing; it has"
		sed -n 's/.*"ev":"\(exec-[a-z]*\)".*/\1 &/p' "$events" | cut -c 1-400 | sed 's/^/# /'
	fi
	row "$same_told" "$same_name: why"
	# shellcheck disable=SC2086
	[ ! -x /usr/bin/python3 ] || /usr/bin/python3 "$T/both.py" "$events" $strays
	row $? "$same_name: what is reported is what is inherited"
	# a leak that the row does not know of: told, for a person to look at
	[ "$same_why" = stopped ] || grep '"ev":"exec-leak"' "$events" | cut -c 1-600 | sed 's/^/# leak: /'
}

differs() { # MODE
	diff "$T/native.out" "$T/$1.out" | head -n 20 | sed 's/^/# /'
	return 1
}

mkdir "$T/fixture"
cd "$T/fixture" || exit 1
printf 'one\ntwo\n' >f
echo secret >pass
: >l
chmod 666 f pass l
# connects to a Unix socket, says a word, prints what comes back: connect PATH [WORD]
cat >connect <<'E'
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
for i in range(200):
    try:
        s.connect(sys.argv[1])
        break
    except OSError:
        time.sleep(0.02)
s.settimeout(5)
if len(sys.argv) > 2:
    s.sendall(sys.argv[2].encode().decode("unicode_escape").encode())
    try:
        sys.stdout.write(s.recv(65536).decode().splitlines()[0] + "\n")
    except (OSError, IndexError) as e:
        print("nothing", e)
E
# the descriptors from 3 on that this program has
cat >fds <<'E'
#!/bin/sh
# (this script itself is on 10)
for n in 3 4 5 6 7 8 9 11 12 13 14 15 16; do
	[ ! -L /proc/$$/fd/$n ] || echo "has $(readlink /proc/$$/fd/$n | sed 's/.*deleted)/a deleted file/; s,.*/sh.*tmp$,a file,; s/[:[].*//; s,.*/,,')"
done
E
# waits, 5 seconds at most, until a command succeeds
cat >until <<'E'
#!/bin/sh
n=0
until "$@" >/dev/null 2>&1; do
	n=$((n + 1))
	[ $n -lt 250 ] || exit 1
	sleep 0.02
done
E
chmod 755 fds until
cd "$OLDPWD" || exit 1

# Each exec told what goes through it (exec-leak, exec-kept), and the program executed told what it
# found (inherited): the two must be the same numbers, but for what came through from further up.
# Prints what differs.
cat >"$T/both.py" <<'E'
import json, sys

told, bad = {}, 0
through = {(int(n), "") for n in sys.argv[2:]}
for line in open(sys.argv[1], errors="replace"):
    e = json.loads(line)
    pid = e["pid"]
    if e["ev"] in ("exec-leak", "exec-kept"):
        now = told.setdefault(pid, {"fds": set(), "target": e["target"], "prog": e["prog"], "cut": False})
        if now.get("exec") != e["exec"]:
            now.update(exec=e["exec"], fds=set(), target=e["target"], prog=e["prog"], cut=False)
        now["fds"] |= {f["fd"] for f in e["fds"]}
        now["cut"] |= e.get("cut", False) or e["count"] > len(e["fds"])
    elif e["ev"] == "exec-failed":
        told.pop(pid, None)
    elif e["ev"] == "start":
        if pid in told:
            told[pid]["started"] = e["exe"]
    elif e["ev"] == "inherited":
        now = told.pop(pid, {"fds": set(), "prog": "?", "target": e["prog"], "cut": False})
        got = {f["fd"] for f in e["fds"] if f["fd"] in now["fds"] or not {(f["fd"], f["what"]), (f["fd"], "")} & through}
        through |= {(f["fd"], f["what"]) for f in e["fds"]}
        for what, fds in ("reported, not inherited", now["fds"] - got), ("inherited, not reported", got - now["fds"]):
            if fds and not (now["cut"] and what.startswith("inh")):
                bad = 1
                print("#", what, sorted(fds), now["prog"], "->", now["target"], "pid", pid)
for pid, now in told.items():
    if now["fds"] and "started" in now:
        bad = 1
        print("# reported, not inherited (nothing is)", sorted(now["fds"]), now["prog"], "->", now["target"], "pid", pid)
sys.exit(bad)
E

# -- shells: open() happens to return the number that was wanted -----------------------------------
for shell in bash dash zsh ksh93 mksh yash "busybox sh" sh; do
	need=${shell%% *}
	case $shell in
	ksh93 | mksh) why=- ;; # natively private: close-on-exec already
	*) why=shell ;;
	esac
	# shellcheck disable=SC2086
	same "$shell: exec 3<f" "$need" $why $shell <<'E'
exec 3<f
cat /dev/fd/3; echo $?
./fds
:
E
	# shellcheck disable=SC2086
	same "$shell: cmd 3<f" "$need" $why $shell <<'E'
cat /dev/fd/3 3<f; echo $?
./fds 3<f
:
E
	# shellcheck disable=SC2086
	same "$shell: { cmd; } 3<f" "$need" $why $shell <<'E'
{ cat /dev/fd/3; echo $?; ./fds; } 3<f
( cat /dev/fd/3; echo $?; ./fds ) 3<f
:
E
	# shellcheck disable=SC2086
	same "$shell: exec 3>l; flock 3" "$need flock" - $shell <<'E'
exec 3>l
flock -n 3; echo $?
flock -n l true; echo $?
:
E
	# shellcheck disable=SC2086
	same "$shell: cat /dev/fd/3 3<<E" "$need" - $shell <<'E'
cat /dev/fd/3 3<<X
here
X
echo $?
./fds 3<<X
here
X
:
E
	# shellcheck disable=SC2086
	same "$shell: exec 9<f" "$need" - $shell <<'E'
exec 9<f
cat /dev/fd/9; echo $?
./fds
:
E
	same "$shell: a script by its #!" "$need" "$why" <<E
printf '#!%s\nexec 3<f\n./fds\n:\n' "$(command -v "$need")${shell#"$need"}" >script
chmod 755 script; ./script
:
E
	case $shell in
	bash | zsh | ksh93)
		same "$shell: exec {q}>f" "$need" "$why" "$shell" <<'E'
exec {q}<f
cat /dev/fd/$q; echo $?
./fds
:
E
		same "$shell: <()" "$need" - "$shell" <<'E'
cat <(echo a) <(echo b)
sort -m <(cat f) <(cat f); echo $?
:
E
		;;
	esac
	# shellcheck disable=SC2086
	same "$shell: pipes, background, command substitution" "$need" - $shell <<'E'
echo a | sort | tr a b
(sleep 0.02; echo c) & wait
x=$(cat f | wc -l); echo $x
while read -r line <&4; do echo "$line" | cat; done 4<f
:
E
done
same "bash: coproc" bash - bash <<'E'
coproc cat
echo hello >&${COPROC[1]}
read -r x <&${COPROC[0]}
echo $x
exec {COPROC[1]}>&-
wait
E

# -- programs under a shell that has opened 3 ------------------------------------------------------
same "git hook: exec 3>" git shell <<'E'
git init -q r 2>&1 | grep -v hint; cd r
printf '#!/bin/sh\nexec 3>>hook.out\necho hook >&3\nsh -c "echo child >&3; :"\n:\n' >.git/hooks/pre-commit
chmod 755 .git/hooks/pre-commit
echo x >x; git add x
git -c user.name=a -c user.email=a@b commit -q -m x 2>&1; echo $?
cat hook.out
E
same "GIT_TRACE2=3" git shell <<'E'
git init -q r 2>&1 | grep -v hint
GIT_TRACE2=3 git -C r status 3>trace >/dev/null
grep -c 'common-main.c\|version' trace
E
same "gpg --passphrase-fd 3 3<f" "gpg gpgconf" shell <<'E'
mkdir -m 700 g; export GNUPGHOME=$PWD/g
gpg --batch -q --pinentry-mode loopback --passphrase-fd 3 -c -o f.gpg f 3<pass; echo $?
gpg --batch -q --pinentry-mode loopback --passphrase-fd 3 -d f.gpg 3<pass; echo $?
gpgconf --kill gpg-agent
E
same "openssl -pass fd:3" openssl shell <<'E'
openssl enc -aes-128-cbc -pbkdf2 -pass fd:3 -in f -out f.enc 3<pass; echo $?
openssl enc -d -aes-128-cbc -pbkdf2 -pass fd:3 -in f.enc 3<pass; echo $?
E
same "ffmpeg pipe:3" ffmpeg shell <<'E'
ffmpeg -v error -f s16le -ar 8000 -ac 1 -i pipe:3 -f wav -y out.wav 3</proc/self/exe; echo $?
wc -c <out.wav | sed 's/[0-9]/n/g'
E
same "curl file:///dev/fd/3" curl shell <<'E'
curl -s file:///dev/fd/3 3<f; echo $?
E
deb='
mkdir -p p/DEBIAN p/opt/fdtable root/var/lib/dpkg/updates root/var/lib/dpkg/info
printf "Package: fdtable\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b>\nDescription: x\n" >p/DEBIAN/control
echo data >p/opt/fdtable/data
dpkg-deb -b p fdtable.deb >/dev/null
: >root/var/lib/dpkg/status
force="--force-not-root --force-script-chrootless --force-unsafe-io"
'
same "dpkg --status-fd 3" "dpkg dpkg-deb" shell <<E
$deb
dpkg \$force --log=/dev/null --root=\$PWD/root --status-fd 3 -i fdtable.deb 3>status >out 2>&1; echo \$?
cat status root/opt/fdtable/data
E
same "apt-get install: dpkg --status-fd N" "apt-get dpkg dpkg-deb" argv <<E
$deb
mkdir -p etc state/lists/partial cache/archives/partial log
set --; for o in \$force; do set -- "\$@" -o DPkg::Options::=\$o; done
apt-get -y -q -o Dir::Etc=\$PWD/etc -o Dir::State=\$PWD/state -o Dir::Cache=\$PWD/cache -o Dir::Log=\$PWD/log \
	-o Dir::State::status=\$PWD/root/var/lib/dpkg/status -o Debug::NoLocking=1 -o APT::Sandbox::User= \
	-o DPkg::Options::=--root=\$PWD/root -o DPkg::Options::=--log=/dev/null -o DPkg::Use-Pty=0 "\$@" \
	-o APT::Status-Fd=1 -o DPkg::Run-Directory=\$PWD install \$PWD/fdtable.deb >out 2>&1; echo \$?
grep -c ^pmstatus: out
cat root/opt/fdtable/data
E
same "debconf postinst" "/usr/share/debconf/confmodule debconf" - <<'E'
printf 'Template: fdtable/word\nType: string\nDefault: hello\nDescription: x\n' >t.templates
cat >t.config <<'X'
#!/bin/sh
. /usr/share/debconf/confmodule
db_input low fdtable/word || true
db_go || true
db_get fdtable/word
echo "got $RET" >&2
sh -c 'echo by a child'
X
chmod 755 t.config
printf 'Config: c\nTemplates: t\nName: c\nDriver: File\nFilename: %s/c.dat\n\nName: t\nDriver: File\nFilename: %s/t.dat\n' "$PWD" "$PWD" |
	sed '1,2{s/$//}' >rc.in
{ printf 'Config: c\nTemplates: t\n\n'; sed 1,2d rc.in; } >rc
export DEBCONF_SYSTEMRC=$PWD/rc DEBIAN_FRONTEND=noninteractive
debconf-loadtemplate fdtable t.templates
debconf -ofdtable ./t.config; echo $?
E
same "dbus-daemon --print-address=3" "dbus-daemon named" shell <<'E'
dbus-daemon --session --fork --address=unix:path=$PWD/bus --print-address=3 --print-pid=4 3>address 4>pid; echo $?
sed 's/,guid=.*//; s,=.*/,=,' address
kill $(cat pid)
E
same "dbus-run-session" "dbus-run-session dbus-send named" - <<'E'
dbus-run-session -- dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.GetId >reply 2>log || exit
sed 's/ time.*//; s/"[0-9a-f]*"/id/' reply
E
same "Xvfb -displayfd 3" Xvfb shell <<'E'
Xvfb -displayfd 3 -nolisten tcp 3>display >log 2>&1 &
./until test -s display; echo $?
kill $!; wait $!; echo $?
E
same "gpgme: gpg --status-fd N" "gpg gpgconf python:gpg" argv /usr/bin/python3 <<'E'
import os, subprocess
os.mkdir("g", 0o700)
os.environ["GNUPGHOME"] = os.getcwd() + "/g"
import gpg
c = gpg.Context(armor=True)
text, result, sign = c.encrypt(b"hello", passphrase="p", sign=False)
print(text.splitlines()[0], c.decrypt(text, passphrase="p")[0])
subprocess.run(["gpgconf", "--kill", "gpg-agent"])
E
if command -v javac >/dev/null && printf '%s\n' "${FDROWS:-java}" | grep -q java; then
	mkdir "$T/java"
	cat >"$T/java/P.java" <<'E'
class P {
	public static void main(String[] a) throws Exception {
		Process p = new ProcessBuilder("sh", "-c", "cat; echo err >&2; exit 3").start();
		p.getOutputStream().write("through java\n".getBytes());
		p.getOutputStream().close();
		System.out.print(new String(p.getInputStream().readAllBytes()));
		System.out.print(new String(p.getErrorStream().readAllBytes()));
		System.out.println(p.waitFor());
	}
}
E
	javac -d "$T/java" "$T/java/P.java"
fi
same "java ProcessBuilder" "java javac" table <<'E'
java -cp "$HOME/../../java" -Xshare:auto -XX:TieredStopAtLevel=1 P; echo $?
E

# -- daemons that hand their sockets to themselves -------------------------------------------------
same "nginx USR2 upgrade" /usr/sbin/nginx selfexe <<'E'
mkdir logs
cat >conf <<X
pid $PWD/pid;
error_log $PWD/log notice;
worker_processes 1;
events { worker_connections 16; }
http {
	access_log off;
	client_body_temp_path $PWD/b; proxy_temp_path $PWD/p; fastcgi_temp_path $PWD/c; uwsgi_temp_path $PWD/u; scgi_temp_path $PWD/s;
	server { listen unix:$PWD/sock; location / { return 204; } }
}
X
/usr/sbin/nginx -p $PWD -e $PWD/log -c $PWD/conf; echo $?
./until grep -q 'start worker process ' log; echo $?
old=$(cat pid)
kill -USR2 $old
./until test -s pid.oldbin; echo $?
./until grep -q 'using inherited sockets' log; echo $?
./until sh -c "test -s pid && ! grep -qx $old pid"; echo $?
kill -WINCH $old; kill -QUIT $old
./until sh -c "! kill -0 $old"; echo $?
grep -E -o 'getsockname.*|emerg.*' log
kill -QUIT $(cat pid)
./until test ! -s pid; echo $?
E
same "php-fpm USR2" "php-fpm8.2" samepid <<'E'
printf '[global]\npid=%s/pid\nerror_log=%s/log\ndaemonize=no\n[w]\nlisten=%s/sock\npm=static\npm.max_children=1\n' "$PWD" "$PWD" "$PWD" >conf
php-fpm8.2 -n -y conf -p "$PWD" >out 2>&1 &
pid=$!
./until grep -q 'ready to handle' log; echo $?
kill -USR2 $pid
./until grep -q 'using inherited socket' log; echo $?
./until sh -c 'test $(grep -c "ready to handle" log) = 2'; echo $?
kill -TERM $pid; wait $pid; echo $?
E
same "uwsgi HUP reload" "uwsgi-core" samepid <<'E'
uwsgi-core --socket "$PWD/sock" --master --die-on-term --logto "$PWD/log" --pidfile "$PWD/pid" >out 2>&1 &
pid=$!
./until grep -q 'spawned uWSGI worker' log; echo $?
kill -HUP $pid
./until grep -q 'inherited UNIX address' log; echo $?
./until grep -q 'gracefully (RE)spawned uWSGI master' log; echo $?
kill -TERM $pid; wait $pid; echo $?
:
E
same "systemd-socket-activate" "systemd-socket-activate python3" samepid <<'E'
systemd-socket-activate -l "$PWD/sock" sh -c 'echo $LISTEN_FDS; ./fds; :' 2>/dev/null >out &
/usr/bin/python3 connect "$PWD/sock"
wait $!; echo $?
sed 's/[0-9]\{4,\}/N/' out
E
same "haproxy -W USR2" "haproxy python3" samepid <<'E'
cat >conf <<X
global
	stats socket $PWD/stats mode 600 level admin expose-fd listeners
defaults
	mode http
	timeout connect 1s
	timeout client 1s
	timeout server 1s
frontend a
	bind unix@$PWD/sock
	http-request return status 204
X
haproxy -W -f conf -p pid >log 2>&1 &
pid=$!
./until test -s pid
/usr/bin/python3 connect "$PWD/sock" 'GET / HTTP/1.0\r\n\r\n'
w=$(pgrep -P $pid)
kill -USR2 $pid
./until sh -c "pgrep -P $pid | grep -qvx $w"; echo $?
/usr/bin/python3 connect "$PWD/sock" 'GET / HTTP/1.0\r\n\r\n'
kill -0 $pid; echo $?
grep -ic 'alert' log
kill -TERM $pid; wait $pid; echo $?
:
E
same "redis-server" "redis-server redis-cli" - <<'E'
redis-server --port 0 --unixsocket "$PWD/sock" --save '' --dir "$PWD" >log 2>&1 &
./until redis-cli -s sock ping; echo $?
redis-cli -s sock set a b; redis-cli -s sock get a; redis-cli -s sock bgsave
./until test -s dump.rdb; echo $?
redis-cli -s sock shutdown nosave; wait $!; echo $?
E
same "postgres" "/usr/lib/postgresql/15/bin/initdb long" - <<'E'
PATH=/usr/lib/postgresql/15/bin:$PATH
initdb -D db -A trust -N >log 2>&1; echo $?
pg_ctl -D db -w -l log2 -o "-k $PWD -h ''" start >/dev/null; echo $?
psql -h "$PWD" -At postgres -c "copy (select 1) to program 'cat >$PWD/copied'"; cat copied
pg_ctl -D db -m fast stop >/dev/null; echo $?
E

# -- locks that are kept across exec: lost silently otherwise ---------------------------------------
same "flock -F" flock "samepid" <<'E'
flock -F l sh -c 'flock -n l true; echo $?; :'
flock -n l true; echo $?
E
same "flock l sh -c 'daemon &'" flock table <<'E'
flock l sh -c 'sleep 5 >/dev/null 2>&1 & echo $! >pid'
flock -n l true; echo $?
kill $(cat pid); ./until flock -n l true; echo $?
E
same "setlock" setlock samepid <<'E'
setlock l sh -c 'setlock -n l true; echo $?; :'
setlock -n l true; echo $?
E
same "chpst -L" chpst samepid <<'E'
chpst -l l sh -c 'chpst -L l true; echo $?; :'
chpst -L l true; echo $?
E
same "s6-setlock" s6-setlock samepid <<'E'
s6-setlock l sh -c 's6-setlock -n l true; echo $?; :'
s6-setlock -n l true; echo $?
E
same "fghack" fghack table <<'E'
fghack sh -c '(sleep 0.2; echo done >d) >/dev/null 2>&1 &'
cat d
E
same "runsv, sv" "runsv sv" - <<'E'
mkdir s; printf '#!/bin/sh\necho run >>../started\nexec sleep 50\n' >s/run; chmod 755 s/run
runsv s >log 2>&1 &
./until test -s started; echo $?
kill -TERM $!; wait $!; echo $?
E
same "s6-supervise, notification-fd" "s6-supervise s6-svwait s6-svc" - <<'E'
mkdir s; printf '#!/bin/sh\necho >&5\nexec 5>&-\nexec sleep 50\n' >s/run; chmod 755 s/run; echo 5 >s/notification-fd
s6-supervise s >log 2>&1 &
./until s6-svwait -t 2000 -U s; echo $?
s6-svc -xd s; wait $!; echo $?
E

# -- what works with everything forced --------------------------------------------------------------
same "make -j, recursive, jobserver" make - <<'E'
mkdir sub
printf 'all: a b\na b:\n\t+@$(MAKE) --no-print-directory -C sub T=$@ all\n' >Makefile
printf 'all: x y z\nx y z:\n\t@echo $@ >>../out.$(T); ./job\n' >sub/Makefile
printf '#!/bin/sh\nexit 0\n' >sub/job; chmod 755 sub/job
make -j3 2>&1; echo $?
sort out.a out.b
make -j2 -O -s 2>&1; echo $?
E
same "gcc -pipe" gcc - <<'E'
echo 'int main(void) { return 7; }' >t.c
gcc -pipe -o t t.c && ./t; echo $?
E
same "gcc -flto=jobserver under make" "gcc make" - <<'E'
echo 'int g(void); int main(void) { return g(); }' >t.c; echo 'int g(void) { return 7; }' >g.c
printf 't: t.c g.c\n\t+@gcc -O1 -flto=jobserver -o $@ $^\n' >Makefile
make -j2 2>&1; ./t; echo $?
E
same "git clone, fetch, gc" git - <<'E'
git init -q a 2>&1 | grep -v hint
cd a; echo x >x; git add x; git -c user.name=a -c user.email=a@b commit -q -m x; cd ..
git clone -q "file://$PWD/a" b; echo $?
git -C b fetch -q origin; echo $?
git -C b gc -q; echo $?
git -C b log --format=%s
E
same "ninja" ninja - <<'E'
printf 'rule c\n  command = cat $in >$out\nbuild g: c f\nbuild h: c g\n' >build.ninja
ninja -j2 >log; echo $?; cat h
E
same "python: pass_fds" python3 - /usr/bin/python3 <<'E'
import os, subprocess
fd = os.open("f", os.O_RDONLY)
r, w = os.pipe()
print(subprocess.run(["cat", "/dev/fd/%d" % fd], pass_fds=[fd], stdout=subprocess.PIPE).stdout)
p = subprocess.Popen(["sh", "-c", "echo by the pipe >/dev/fd/%d" % w], pass_fds=[w]); os.close(w)
print(os.read(r, 99), p.wait())
E
same "python: close_fds=False, set_inheritable" python3 - /usr/bin/python3 <<'E'
import os, subprocess
fd = os.open("f", os.O_RDONLY)
print(subprocess.run(["sh", "-c", "cat /proc/self/fd/%d; :" % fd], close_fds=False, capture_output=True).returncode)
os.set_inheritable(fd, True)
print(subprocess.run(["sh", "-c", "cat <&%d; :" % fd], close_fds=False, stdout=subprocess.PIPE).stdout)
os.system("cat <&%d; :" % fd)
E
same "python: multiprocessing spawn, forkserver" python3 - <<'E'
cat >m.py <<'X'
import multiprocessing as m, sys
def work(q, n):
    q.put(n * 2)
if __name__ == "__main__":
    for how in "spawn", "forkserver":
        c = m.get_context(how)
        q = c.Queue()
        p = c.Process(target=work, args=(q, 21))
        p.start()
        print(how, q.get(timeout=10))
        p.join()
X
/usr/bin/python3 m.py; echo $?
E
same "perl: \$^F" perl - perl <<'E'
$| = 1;
open my $a, "<", "f" or die;
system "cat /proc/self/fd/" . fileno($a) . " 2>/dev/null; echo \$?; :";
$^F = 20;
open my $b, "<", "f" or die;
system "cat /proc/self/fd/" . fileno($b) . "; echo \$?; :";
pipe my $r, my $w or die;
system "echo piped >/proc/self/fd/" . fileno($w) . "; :";
print scalar <$r>;
E
same "perl: open3, open2, qx" perl - perl <<'E'
use IPC::Open3; use Symbol "gensym";
my $pid = open3(my $in, my $out, my $err = gensym, "sh", "-c", "cat; echo err >&2; exit 3");
print $in "to the child\n"; close $in;
print <$out>, <$err>; waitpid $pid, 0; print $? >> 8, "\n";
print qx(cat f | sort -r);
open my $p, "-|", "cat", "f" or die; print <$p>;
E
same "ruby: spawn 5 => f" ruby - ruby <<'E'
f = File.open("f")
pid = spawn("cat <&5; :", 5 => f)
Process.wait pid
puts `cat f`
r, w = IO.pipe
Process.wait spawn("echo piped >&#{w.fileno}; :", w => w)
w.close
puts r.read
E
same "node: extra stdio, IPC" "node" - <<'E'
cat >t.js <<'X'
const cp = require("child_process");
if (process.argv[2]) {
	process.send("from the child");
	process.disconnect();
} else {
	const p = cp.spawn("sh", ["-c", "echo three >&3; cat <&4; :"], {stdio: ["ignore", "inherit", "inherit", "pipe", "pipe"]});
	p.stdio[3].on("data", d => process.stdout.write("got " + d));
	p.stdio[4].end("four\n");
	p.on("close", c => {
		console.log(c);
		cp.fork(__filename, ["x"]).on("message", m => console.log(m)).on("exit", c => console.log(c));
	});
}
X
node t.js | sort; echo $?
E
same "tcl: exec and open |" tclsh - tclsh <<'E'
puts [exec sort -r f]
set p [open "|cat f" r]
puts [read $p]
close $p
set f [open f r]
puts [exec cat <@ $f]
E
same "expect" expect - expect <<'E'
log_user 0
spawn sh -c {read x; echo "got $x"; :}
send "word\r"
expect "got word" { puts found } timeout { puts timeout }
expect eof
E
same "ssh, sshd -i as ProxyCommand" "ssh ssh-keygen /usr/sbin/sshd" - <<'E'
ssh-keygen -q -t ed25519 -N '' -f key; ssh-keygen -q -t ed25519 -N '' -f host
cp key.pub authorized
printf 'HostKey %s/host\nAuthorizedKeysFile %s/authorized\nStrictModes no\nUsePAM no\nPidFile none\n' "$PWD" "$PWD" >conf
ssh -F none -o IdentitiesOnly=yes -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o LogLevel=ERROR -i key \
	-o ProxyCommand="/usr/sbin/sshd -i -f $PWD/conf 2>$PWD/log" localhost 'echo there; cat; :' <f; echo $?
E
same "rsync" rsync - <<'E'
mkdir a; cp f l a; rsync -a a/ b; echo $?; ls b; rsync -a --delete a/ b; echo $?
E
same "tar z, sort, split, xargs" "tar gzip sort split" - <<'E'
tar czf a.tgz f l; tar tzf a.tgz
seq 20000 | sort -S 32k -T . -n --compress-program=gzip | cksum
seq 100 | split -l 50 --filter='wc -l; :'
seq 9 | xargs -n 3 -P 2 sh -c 'echo $#; :' x
E
same "parallel" parallel - <<'E'
seq 6 | parallel --no-notice -k -j2 'echo {} | cat' 2>&1; echo $?
E
same "tmux" tmux - <<'E'
tmux -S "$PWD/sock" -f /dev/null new-session -d 'sh -c "./fds >out; echo done >>out; sleep 9"'; echo $?
./until grep -q done out; cat out
tmux -S "$PWD/sock" kill-server; echo $?
E
same "script" script - <<'E'
script -qec 'echo typed; :' log | tr -d '\r'; grep -c typed log
E
same "socat: exec, pty" "socat bash" - <<'E'
echo hello | socat - EXEC:cat; echo $?
printf '#!/bin/bash\ncat <&27 >&28\n' >seven; chmod 755 seven
echo hello | socat - EXEC:./seven,pipes,fdin=27,fdout=28; echo $?
socat -u EXEC:'echo typed',pty,raw - ; echo $?
E
same "nohup, setsid, env -S, timeout, stdbuf, xargs" "nohup setsid stdbuf" - <<'E'
nohup sh -c 'echo a; :' 2>/dev/null; setsid -w sh -c 'echo b; :'; env -S 'sh -c "echo c; :"'; timeout 5 sh -c 'echo d; :'
stdbuf -oL cat f
E
same "sudo" "sudo root" - <<'E'
sudo -n -u root -- sh -c 'echo there; :'; echo $?
E
same "su, runuser" "runuser root" - <<'E'
runuser -u nobody -- sh -c 'id -un; :'; echo $?
E
same "fakeroot" fakeroot - <<'E'
fakeroot sh -c 'chown 0:0 f; stat -c %u f; :'; echo $?
E
same "xvfb-run" "xvfb-run xauth" - <<'E'
xvfb-run -a sh -c 'test -n "$DISPLAY"; echo $?; :'; echo $?
E

# -- what is stopped: nobody meant it -----------------------------------------------------------------
same "busybox awk is no shell" busybox stopped <<'E'
busybox awk 'BEGIN { getline x <"f"; system("./fds; :") }'
E
same "bash: sockets are no files" "bash python3" stopped <<'E'
/usr/bin/python3 -c '
import socket, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(1)
open("port", "w").write("%d\n" % s.getsockname()[1])
time.sleep(3)' &
./until test -s port
bash -c 'exec 3<>/dev/tcp/127.0.0.1/$(cat port); ./fds; :'
kill $!
:
E
reap
done_testing
