#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Which line of a script makes a descriptor: what script.c says, asked by the preload script.c beside
# this file, against the lines themselves, which bear the mark "# probe CALL ...".  With every Python,
# Perl and bash that is at hand: this machine's, pyenv's, and those of the Debian roots.
# shellcheck source=tests/program/common
. "${0%/*}/common"
roots=${LIBJAIL_ROOTS:-/var/tmp/libjail-roots}
# shellcheck disable=SC2154 # common has it
objects=$built/preload

${CC:-cc} -std=gnu11 -D_GNU_SOURCE -O1 -Wall -Wextra -fPIC -fvisibility=hidden -ffreestanding \
	-fno-stack-protector -shared -nostdlib -Wl,-Bsymbolic -o "$T/probe.so" tests/program/script.c \
	"$objects/script.o" "$objects/real.o" "$objects/mem.o" "$objects"/sys/*.o || exit 1

# -- the scripts --------------------------------------------------------------------------------------

here=$T/scripts
# a long name, of which the end is told, and one that is not ASCII
long=$(printf '%080d' 0)
long=$here/$long/$long/$long/$long
mkdir -p "$here/lib" "$here/site-packages" "$long" "$here/site/lib/python3.99/site-packages"

cat >"$here/mod.py" <<'END'
# a module that opens a file when it is imported, and lends a hand later
try:
    open("/probe/import")  # probe open
except OSError:
    pass


def helper(path):
    try:
        return open(path)  # probe open
    except OSError:
        return None
END
cat >"$here/site/lib/python3.99/site-packages/installed.py" <<'END'
import os


def helper():
    os.close(os.pipe()[0])  # probe pipe
END
cat >"$here/all.py" <<'END'
import os, socket, subprocess, sys, tempfile, threading
here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [here, here + "/site/lib/python3.99/site-packages"]
sys.dont_write_bytecode = True
import installed
import mod


def attempt(f, *args):
    try:
        f(*args)
    except OSError:
        pass


def nested():
    def inner():
        try:
            os.open("/probe/nested", os.O_RDONLY)  # probe open open
        except OSError:
            pass
    inner()


def generator():
    for i in range(2):
        try:
            open("/probe/generator")  # probe open open
        except OSError:
            yield i


class Body:
    try:
        open(  # probe open
            "/probe/" +
            "body"
        )
    except OSError:
        pass


def many_lines(a, b):
    return a + b


def in_threads():
    for _ in range(200):
        many_lines(
            1,
            2,
        )
    s = socket.socket()  # probe socket socket socket socket socket
    s.close()


def by_library():
    attempt(lambda: tempfile.mkstemp(dir="/probe"))  # probe open
    subprocess.Popen(["true"], stdout=subprocess.PIPE).communicate()  # probe pipe pipe


nested()
list(generator())
in_threads()
by_library()
mod.helper("/probe/by-module")
installed.helper()

exec('''  # probe open
try:
    open("/probe/exec")
except OSError:
    pass
''')
eval("[attempt(open, p) for p in ()] or socket.socket().close()")  # probe socket

threads = [threading.Thread(target=in_threads) for _ in range(4)]
for t in threads:
    t.start()
for t in threads:
    t.join()

try:
    [open(x) for x in ("/probe/comprehension",)]  # probe open
except OSError:
    pass

r, w = os.pipe()  # probe pipe
x = 1; y = [
    2,
]; attempt(print); attempt(lambda: open("/probe/late"))  # probe open


class Closing:
    def __del__(self):
        socket.socket().close()  # probe socket

    def __init__(self):
        with socket.socket() as s, \
                socket.socket() as t:  # probe socket
            pass


Closing()


async def coroutine():
    socket.socket().close()  # probe socket


try:
    coroutine().send(None)
except StopIteration:
    pass

child = os.fork()
if child == 0:
    socket.socket().close()  # probe socket
    os._exit(0)
os.waitpid(child, 0)


def deep(n):
    return deep(n - 1) if n else socket.socket().close()  # probe socket


deep(300)


def traced(frame, event, arg):
    return traced


sys.settrace(traced)
socket.socket().close()  # probe socket
nested()
sys.settrace(None)

# far down: more than a table's short steps hold
END
awk 'BEGIN { for (i = 0; i < 700; i++) print i % 3 ? "x = [" i ",\n  " i "]" : "" }' >>"$here/all.py"
echo 'socket.socket().close()  # probe socket' >>"$here/all.py"
# the line that begins a with statement: the first of its two sockets
awk '/with socket.socket\(\) as s/ { first = NR } END { print first }' "$here/all.py" >"$here/all.py.with"

cat >"$here/lib/Mod.pm" <<'END'
package Mod;
use strict;
open(my $early, "<", "/probe/require"); # probe open
sub helper {
	my ($path) = @_;
	return open(my $f, "<", $path); # probe open
}
1;
END
cat >"$here/all.pl" <<'END'
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Socket;
use IO::File;
use Mod;
BEGIN { open(my $f, "<", "/probe/begin"); } # probe open

sub attempt { my ($f) = @_; return $f->(); }

open(my $plain, "<", "/probe/plain"); # probe open
open(my $lines, "<", # probe open
	"/probe/" .
	"lines"
);
attempt(sub {
	open(my $f, "<", "/probe/closure"); # probe open
});
Mod::helper("/probe/by-module");
for my $i (1 .. 2) {
	pipe(my $r, my $w); # probe pipe pipe
}
socket(my $s, PF_INET, SOCK_STREAM, 0); # probe socket
my $file = IO::File->new("/probe/io-file", "r"); # probe open
eval { open(my $f, "<", "/probe/eval-block"); }; # probe open
eval 'open(my $f, "<", "/probe/eval-text");'; # probe open
my @sorted = sort { open(my $f, "<", "/probe/sort"); $a <=> $b } (2, 1); # probe open
local $SIG{ALRM} = sub {
	open(my $f, "<", "/probe/signal"); # probe open
};
kill ALRM => $$;
if (my $child = fork) {
	waitpid($child, 0);
} else {
	open(my $f, "<", "/probe/child"); # probe open
	exit 0;
}
# line 100 "elsewhere.pl"
open(my $there, "<", "/probe/line-directive");
END

cat >"$here/lib.sh" <<'END'
# read by another
by_function() {
	echo >/probe/function # probe open
}
exec 3</probe/sourced # probe open
END
cat >"$here/all.sh" <<'END'
#!/bin/bash
here=${0%/*}
exec 3</probe/exec # probe open
. "$here/lib.sh"
by_function
two() {
	true
	cat </probe/two # probe open
}
two
for i in 1 2; do
	echo "$i" >/probe/loop # probe open open
done
x=$(cat </probe/substitution) # probe open pipe
(
	true
	echo >/probe/subshell # probe open
)
if [ -n "$here" ]; then
	read -r x </probe/if # probe open
fi
true | cat </probe/pipeline # probe open pipe
END
echo 'open("/probe/long")' >"$long/a.py"
echo 'open("/probe/name")' >"$here/é日本😀.py"
chmod -R a+rX "$T"

# DIRECTORY FILE...: the calls that the marks announce
marks() {
	marks_in=$1
	shift
	for file; do
		awk -v file="$marks_in/$file" '{
			n = split($0, part, "# probe ")
			if (n > 1 && (n = split(part[2], call, " ")))
				for (i = 1; i <= n; i++)
					print call[i] " " file ":" NR
		}' "$here/$file"
	done
}

# NAME: the lines in $T/got are, in any order, those in $T/want
same() {
	LC_ALL=C sort "$T/got" >"$T/got.sorted"
	LC_ALL=C sort "$T/want" >"$T/want.sorted"
	[ -s "$T/got" ] && cmp -s "$T/got.sorted" "$T/want.sorted"
	same_result=$?
	[ "$same_result" = 0 ] || diff "$T/want.sorted" "$T/got.sorted" | head -n 20 | sed 's/^/# /'
	row "$same_result" "$1"
}

# ROOT COMMAND...: under the probe, what it says to $T/got; in a root the scripts are in /mnt
probe() {
	probe_root=$1
	shift
	if [ "$probe_root" = / ]; then
		timeout 60 env LD_PRELOAD="$T/probe.so" PYTHONIOENCODING=utf-8 LC_ALL=C.UTF-8 "$@"
	else
		# shellcheck disable=SC2016
		unshare -m --propagation private sh -c 'mount --bind "$1" "$2/mnt" && shift &&
			exec timeout 60 chroot "$@"' sh "$T" "$probe_root" \
			/usr/bin/env LD_PRELOAD=/mnt/probe.so LC_ALL=C.UTF-8 "$@"
	fi 2>&1 </dev/null | grep -aE '^(open|pipe|socket) ' >"$T/got"
}

# ROOT PROGRAM: where the scripts are for it, and what it is called here
place() {
	in=/mnt/scripts name=$1$2
	[ "$1" != / ] || in=$here name=$2
}

# ROOT PYTHON
python() {
	place "$@"
	probe "$1" "$2" "$in/all.py"
	{
		marks "$in" all.py mod.py
		marks "$in" site/lib/python3.99/site-packages/installed.py
		echo "socket $in/all.py:$(cat "$here/all.py.with")"
	} >"$T/want"
	same "$name: every line"

	probe "$1" "$2" "${in%/scripts}${long#"$T"}/a.py"
	printf '%s:1\n' "${in%/scripts}${long#"$T"}/a.py" | awk '{ print "open " substr($0, length($0) - 256) }' >"$T/want"
	same "$name: the end of a long name"

	probe "$1" "$2" "$in/é日本😀.py"
	echo "open $in/é日本😀.py:1" >"$T/want"
	same "$name: a name that is not ASCII"

	probe "$1" "$2" -c '
open("/probe/c")'
	echo "open <string>:2" >"$T/want"
	same "$name: -c"
}

perl() {
	place "$@"
	probe "$1" "$2" "$in/all.pl"
	{
		marks "$in" all.pl lib/Mod.pm
		echo 'open elsewhere.pl:100'
	} >"$T/want"
	same "$name: every line"

	# shellcheck disable=SC2016 # Perl's
	probe "$1" "$2" -e '
open(my $f, "<", "/probe/e")'
	echo "open -e:2" >"$T/want"
	same "$name: -e"
}

bash() {
	place "$@"
	probe "$1" "$2" "$in/all.sh"
	marks "$in" all.sh lib.sh >"$T/want"
	same "$name: every line"

	probe "$1" "$2" -c '
exec </probe/c'
	echo "open $2:2" >"$T/want"
	same "$name: -c"
}

# -- the interpreters --------------------------------------------------------------------------------

for p in /usr/bin/python3 /usr/local/bin/python3 "${PYENV_ROOT:-${HOME:-/root}/.pyenv}"/versions/3.*/bin/python3; do
	# ours, and not too old
	[ -x "$p" ] && "$p" -c 'import sys; sys.exit(not (3, 9) <= sys.version_info < (3, 15))' 2>/dev/null &&
		python / "$p"
done
[ ! -x /usr/bin/perl ] || perl / /usr/bin/perl
for p in /bin/bash /usr/local/bin/bash; do
	[ ! -x "$p" ] || bash / "$p"
done
if [ "$(id -u)" = 0 ]; then
	for root in "$roots"/*/; do
		root=${root%/}
		[ -e "$root/etc/debian_version" ] || continue
		[ ! -x "$root/usr/bin/python3" ] || python "$root" /usr/bin/python3
		[ ! -x "$root/usr/bin/perl" ] || perl "$root" /usr/bin/perl
		[ ! -x "$root/bin/bash" ] || bash "$root" /bin/bash
	done
else
	rows=$((rows + 1))
	echo "ok $rows # SKIP the roots' interpreters need root"
fi

# -- in a report -------------------------------------------------------------------------------------

# COMMAND...: what its report says of scripts: "FILE:LINE" for each site
reported() {
	rm -f "$T/report"
	timeout 60 env LIBJAIL_REPORT="$T/report" LIBJAIL_CLOEXEC=report LD_PRELOAD="$lib" "$@" >/dev/null 2>&1 </dev/null
	grep -aE '"ev":"(never-closed|exec-leak|exec-kept)"' "$T/report" |
		sed -n 's/.*"script":{"file":"\([^"]*\)","line":\([0-9]*\)}.*/\1:\2/p' >"$T/got"
}

printf '%s\n' 'import os, socket, tempfile' 'keep = [os.open("/etc/passwd", os.O_RDONLY)]' \
	'keep.append(socket.socket().detach())' 'keep.append(tempfile.mkstemp(dir=os.getcwd())[0])' >"$T/leak.py"
# shellcheck disable=SC2016 # Perl's
printf '%s\n' 'BEGIN { $^F = 100 } use Socket;' 'open(our $f, "<", "/etc/passwd");' \
	'socket(our $s, PF_INET, SOCK_STREAM, 0);' 'exec "/bin/true";' >"$T/leak.pl"
printf '%s\n' 'true' 'exec 5</etc/passwd' 'exec /bin/true' >"$T/leak.sh"
cd "$T" || exit 1
for p in /usr/bin/python3 "${PYENV_ROOT:-${HOME:-/root}/.pyenv}"/versions/3.1[1-4]*/bin/python3; do
	[ -x "$p" ] || continue
	reported "$p" "$T/leak.py"
	printf '%s\n' "$T/leak.py:2" "$T/leak.py:3" "$T/leak.py:4" >"$T/want"
	same "$p: its report has the lines"
done
if [ -x /usr/bin/perl ]; then
	reported /usr/bin/perl "$T/leak.pl"
	printf '%s\n' "$T/leak.pl:2" "$T/leak.pl:3" >"$T/want"
	same "/usr/bin/perl: its report has the lines"
fi
if [ -x /bin/bash ]; then
	reported /bin/bash "$T/leak.sh"
	printf '%s\n' "$T/leak.sh:2" >"$T/want"
	same "/bin/bash: its report has the line"
fi
done_testing
