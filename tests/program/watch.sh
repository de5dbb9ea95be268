#!/bin/sh
# SPDX-License-Identifier: ISC
#
# jailrun --report until its end: it waits for the processes that a program leaves behind, passes
# signals on, ends as the program ended, and leaves no file in $TMPDIR.
# shellcheck disable=SC2016 # what is in single quotes is for another shell
# shellcheck source=tests/program/common
. "${0%/*}/common"

command -v "${CC:-cc}" >/dev/null || skip_all "no C compiler"
[ -x "$T/usr/bin/jailreport" ] || skip_all "jailreport is not built"
mkdir "$T/tmp"
chmod 1777 "$T/tmp"
TMPDIR=$T/tmp
export TMPDIR

# A daemon that leaks when its parent has gone: it waits for a line in the FIFO $1, opens a file and executes.
cat >"$T/leakd.c" <<'END'
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void line(const char *fifo)
{
	char c;
	int fd = open(fifo, O_RDONLY | O_CLOEXEC);

	(void)!read(fd, &c, 1);
	close(fd);
}

int main(int argc, char **argv)
{
	(void)argc;
	if (daemon(1, 0))
		return 1;
	line(argv[1]);
	open("/dev/zero", O_RDONLY);
	return system("true");
}
END
"${CC:-cc}" -g -o "$T/leakd" "$T/leakd.c" || exit 1
mkfifo "$T/go"
chmod 666 "$T/go"
# What is left in $TMPDIR; who removes it after SIGKILL may need a moment.
left() {
	for _ in $(seq 300); do
		[ -n "$(ls "$T/tmp")" ] || break
		sleep .1
	done
	ls "$T/tmp"
}

# -- processes that are left behind
echo x >"$T/go" &
says "a daemon's leaks are waited for" 0 '*LEAKED*/dev/zero*into  /bin/sh*1 descriptor leaked from 1 call site*' \
	timeout 60 "$jailrun" --report --report-wait=50 --cloexec=report -- "$T/leakd" "$T/go"
[ -z "$(left)" ]
row $? "and no file is left"
says "who still runs is told" 0 '*no leaks so far*still running after 0 seconds*1 process (leakd *events go on to '"$T"'/tmp/jailrun-events.*jailreport *' \
	timeout 60 "$jailrun" --report --report-wait=0 --cloexec=report -- "$T/leakd" "$T/go"
case $got in
*LEAKED*) false ;;
esac
row $? "before it has leaked"
file=$(echo "$T"/tmp/jailrun-events.*)
echo x >"$T/go"
for _ in $(seq 300); do
	! grep -q never-closed "$file" || break
	sleep .1
done
got=$("$T/usr/bin/jailreport" "$file")
case $got in
*LEAKED*/dev/zero*) ;;
*) false ;;
esac
row $? "and its events are where that line says"
rm -f "$T"/tmp/jailrun-events.*
one_line "--report-wait of no number" 125 'jailrun: --report-wait=soon: *' "$jailrun" --report --report-wait=soon true

# -- signals
cat >"$T/trapper" <<'END'
#!/bin/sh
trap 'echo TERM; exit 7' TERM
trap 'echo HUP; exit 8' HUP
trap 'echo INT; exit 9' INT
echo ready
while :; do sleep .1; done
END
chmod 755 "$T/trapper"
# SIGNAL STATUS TEXT [COMMAND...]: sent to jailrun, which then ends with STATUS and says TEXT
signalled() {
	signal=$1 wanted=$2 text=$3
	shift 3
	[ $# -gt 0 ] || set -- "$T/trapper"
	# a background command of a shell ignores SIGINT and SIGQUIT
	env --default-signal=INT,QUIT "$jailrun" --report -- "$@" >"$T/out" 2>&1 &
	pid=$!
	for _ in $(seq 300); do
		! grep -qs ready "$T/out" || break
		sleep .1
	done
	program=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null)
	kill "-$signal" "$pid"
	wait "$pid" 2>/dev/null
	status=$?
	got=$(cat "$T/out")
	# shellcheck disable=SC2254 # a pattern it is
	case $got in
	$text) [ "$status" = "$wanted" ] ;;
	*) false ;;
	esac
	signalled=$?
	[ "$signalled" = 0 ] || printf '# status %s; said:\n%s\n' "$status" "$got"
	row "$signalled" "SIG$signal to jailrun"
	[ -z "$(left)" ]
	row $? "SIG$signal: no file is left"
	# the program outlives a jailrun that is killed
	[ "$signal" != KILL ] || for pid in $program; do
		kill -9 "$pid" 2>/dev/null
	done
	rm -f "$T"/tmp/*
}
signalled TERM 7 '*ready*TERM*no leaks*'
signalled HUP 8 '*ready*HUP*no leaks*'
signalled INT 9 '*ready*INT*no leaks*'
signalled USR1 138 '*ready*no leaks*'
signalled KILL 137 '*ready*' sh -c 'echo ready; exec sleep 50'
says "timeout(1): the report comes all the same" 124 '*no leaks*' timeout 1 "$jailrun" --report -- sh -c 'exec 9</dev/null; sleep 50'
says "killed by a signal" 137 '*no leaks*' sh -c "'$jailrun' --report -- sh -c 'exec 9</dev/null; kill -9 \$\$'; exit \$?"
says "an exit status" 3 '*no leaks*' "$jailrun" --report -- sh -c 'exit 3'
[ -z "$(left)" ]
row $? "no file is left by those"

# -- a FIFO: opening it to try would wait for its reader, and closing it end what that reads
mkfifo "$T/fifo"
chmod 666 "$T/fifo"
says "a FIFO that nobody reads is not waited for" 0 '*libjail: report '"$T"'/fifo: nobody reads it*' \
	timeout 60 "$jailrun" --report="$T/fifo" -- true

# -- what is said can be done
says "no option of jailreport without the events" 0 '*inherited*jailrun --report=FILE*' \
	sh -c "exec 7</dev/null; exec '$jailrun' --report -- true"
case $got in
*'(--inherited)'*) false ;;
esac
row $? "nor in the summary"

says "which shows a snapshot, too" 0 '*1 snapshot*jailreport --all --kept --inherited --tables FILE*' \
	"$jailrun" --report --snapshot=USR2 -- sh -c 'kill -USR2 $$; /bin/true'

# -- no room in $TMPDIR
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=16k tmpfs "$T/tmp" 2>/dev/null; then
	chmod 1777 "$T/tmp"
	head -c 100000 /dev/zero >"$T/tmp/full" 2>/dev/null
	says "a full TMPDIR: the command runs" 0 '*libjail: report '"$T"'/*: an event could not be written*' "$jailrun" --report --cloexec=report -- true
	one_line "a full TMPDIR: --names=host" 125 'jailrun: --names=host: no space*' "$jailrun" --names=host true
	[ "$(ls "$T/tmp")" = full ]
	row $? "a full TMPDIR: no file is left"
	umount "$T/tmp"
fi
one_line "a TMPDIR that is not there: --report" 125 'jailrun: --report: no temporary file*set TMPDIR*' \
	env TMPDIR=/nonesuch "$jailrun" --report -- true
one_line "a TMPDIR that is not there: --names=host" 125 'jailrun: --names=host: no temporary file*set TMPDIR*' \
	env TMPDIR=/nonesuch "$jailrun" --names=host true
done_testing
