#!/bin/sh
# SPDX-License-Identifier: ISC
#
# jailreport over event files made by hand (tests/data/report): what each form says, which line a symbol
# is, what is suppressed, what is new, and that nobody who can write an event can do more than that.
# MUTATE_SECONDS: how long mutated inputs are tried (15).
# shellcheck source=tests/program/common
. "$(dirname "$0")/common"
data=$PWD/tests/data/report
report=$PWD/$built/jailreport
case $built in /*) report=$built/jailreport ;; esac
CC=${CC:-cc}
unset NO_COLOR JAILREPORT_ADDR2LINE LIBJAIL_REPORT
TZ=UTC0 COLUMNS=80
export TZ COLUMNS
[ -x "$report" ] || skip_all "$report is not built"
cd "$data" || exit 1

runs() { # STATUS NAME COMMAND...: what it says is in $T/out and $T/err
	want=$1 what=$2
	shift 2
	"$@" >"$T/out" 2>"$T/err"
	status=$?
	[ "$status" = "$want" ] || {
		printf '# status %s, wanted %s\n' "$status" "$want"
		sed 's/^/# /' "$T/err"
	}
	row "$([ "$status" = "$want" ] && echo 0 || echo 1)" "$what: status $want"
}
same() { # FILE NAME: the output is as in FILE
	diff -u "$1" "$T/out" >"$T/diff"
	status=$?
	[ "$status" = 0 ] || sed 's/^/# /' "$T/diff"
	row "$status" "$2"
}
has() { # NAME TEXT...: the output has each TEXT
	name=$1 result=0
	shift
	for text; do
		grep -qF -e "$text" "$T/out" "$T/err" || {
			echo "# not there: $text"
			result=1
		}
	done
	[ "$result" = 0 ] || sed 's/^/# /' "$T/out" "$T/err"
	row "$result" "$name"
}
hasnot() { # NAME TEXT...
	name=$1 result=0
	shift
	for text; do
		if grep -qF -e "$text" "$T/out" "$T/err"; then
			echo "# there: $text"
			result=1
		fi
	done
	row "$result" "$name"
}
skip() {
	rows=$((rows + 1))
	echo "ok $rows - $1 # SKIP $2"
}
prints() { # SARIF: rules with their fingerprints
	grep -o -e '"ruleId":"[^"]*"' -e '"callSite/v2":"[^"]*"' "$1" | paste - - | sort
}
have() {
	command -v "$1" >/dev/null
}

again() { # EVENTS NAME: what --json says of it is read again without loss
	"$report" --json "$1" >"$T/one.json"
	"$report" --json "$T/one.json" >"$T/two.json"
	cmp "$T/one.json" "$T/two.json"
	row $? "$2: a document says the same when it is read again"
}

# -- the screen ---------------------------------------------------------------------------------
runs 1 "leaks" "$report" leaky.events
same leaky.screen "the screen, whole"
runs 1 "stdin" sh -c "\"$report\" - <leaky.events"
same leaky.screen "the same from stdin"
"$report" --json leaky.events >"$T/one.json"
runs 1 "a document on stdin" sh -c "\"$report\" - <\"$T/one.json\""
same leaky.screen "says what the file says"
runs 1 "a document through a pipe" sh -c "\"$report\" --json leaky.events | \"$report\" --json -"
same "$T/one.json" "is the same document"
runs 1 "documents and events in one stream" sh -c "cat \"$T/one.json\" leaky.events \"$T/one.json\" | \"$report\" -"
has "add up" "30 descriptors leaked from 3 call sites" "45 processes on 2 hosts"
runs 1 "a diff with a document on stdin" sh -c "\"$report\" --diff - release.events <\"$T/one.json\""
same release.diff "is one with a file"
sed 's/^{/{ /; s/,"groups"/,\n  "groups"/; 1s/^{ /{\n  /' "$T/one.json" >"$T/indented.json"
runs 1 "a document over several lines" "$report" "$T/indented.json"
same leaky.screen "is one, too"
{
	echo '{'
	cat leaky.events
} >"$T/brace"
runs 1 "a brace alone" "$report" "$T/brace"
has "is a malformed line, not a document" "$T/brace:1: truncated" "10 descriptors leaked"
head -c 3000 "$T/one.json" >"$T/cut.json"
runs 2 "half a document" sh -c "\"$report\" - <\"$T/cut.json\""
has "is malformed" "stdin:1: truncated"
runs 1 "kept, inherited, verbose" "$report" --kept --inherited -v --all leaky.events
has "why something was kept" "why: argv" "/usr/bin/make"
has "the chain" "appd(100) < init(1)"
has "what was inherited" "INHERITED"
runs 1 "one call site of each kind" "$report" --top 1 leaky.events
has "says that there are more" "2 more call sites (--all)"
runs 1 "an exec that failed" "$report" --all leaky.events
hasnot "is taken back" "/nonexistent"
grep -v exec-failed leaky.events >"$T/succeeded"
runs 1 "the same exec, not failed" "$report" --all "$T/succeeded"
has "is told" "/nonexistent"
runs 1 "two files" "$report" leaky.events release.events
has "are one report" "18 processes on 3 hosts"
awk 'length > 80' "$T/out" >"$T/long"
row "$([ -s "$T/long" ] && echo 1 || echo 0)" "no line is longer than 80"
COLUMNS=100 "$report" -v leaky.events >"$T/out" 2>&1
row "$(awk 'length > 100 { bad = 1 } length > 80 { wide = 1 } END { print bad || !wide }' "$T/out")" \
	"COLUMNS=100: no line is longer than 100"
sed 's/"exec-leak"/"stopped"/' leaky.events >"$T/stopped"
runs 1 "stopped" "$report" "$T/stopped"
has "is called so" "STOPPED" "10 descriptors stopped from 3 call sites"
grep -v -e exec-leak -e emfile leaky.events >"$T/fixed"
runs 0 "fixed" "$report" "$T/fixed"
has "has no leaks" "no leaks; 3 never closed"
: >"$T/empty"
runs 0 "an empty file" "$report" "$T/empty"

for try in 'leak 1' 'emfile 1' 'never-closed 1' 'bad-close 1' 'none 0' 'leak,never-closed 1' 'none,bad-close 1'; do
	runs "${try#* }" "--fail-on=${try% *}" "$report" --fail-on="${try% *}" leaky.events
done
runs 0 "--fail-on=emfile without one" "$report" --fail-on=emfile release.events
wrong() { # TEXT ARGUMENT...: one line, status 2
	text=$1
	shift
	"$report" "$@" >"$T/out" 2>"$T/err" </dev/null
	status=$?
	[ "$status" = 2 ] && [ ! -s "$T/out" ] && [ "$(wc -l <"$T/err")" = 1 ] && grep -qF -e "jailreport: $text" "$T/err"
	result=$?
	[ "$result" = 0 ] || {
		echo "# status $status, wanted 2 and: jailreport: $text"
		sed 's/^/# /' "$T/err"
	}
	row "$result" "in one line: jailreport $*"
}
wrong "no event file: name what"
wrong "unknown option '--nonsense'; try" --nonsense
wrong "unknown option '-x'; try" -x leaky.events
wrong "misused option '--json=x'; try" --json=x leaky.events
wrong "--top needs an argument; try" --top
wrong "--top 0: it is a number from 1 on" --top 0 leaky.events
wrong "--top x: it is a number" --top x leaky.events
wrong "--fail-on=all: it is leak, emfile" --fail-on=all leaky.events
wrong "--fail-on=: it is leak, emfile" --fail-on= leaky.events
wrong "--diff a: name the new events, too" --diff a
wrong "--diff /nonexistent/a: cannot be read: No such file" --diff /nonexistent/a leaky.events
wrong "only one of --json, --csv" --json --csv leaky.events
wrong "--pid x: it is the number of a process" --pid x
wrong "--pid 1: one event file at most" --pid 1 a b
wrong "--pid and --diff do not go together" --pid 1 --diff a
wrong "/nonexistent/file: cannot be read: No such file" /nonexistent/file
wrong "$T: cannot be read: Is a directory" "$T"
wrong "--suppress /nonexistent/file: cannot be read: No such file" --suppress /nonexistent/file leaky.events
wrong "--suppress $T: cannot be read: Is a directory" --suppress "$T" leaky.events
wrong "-: the standard input can be read once" - -
wrong "-: the standard input can be read once" --diff - -
wrong "--html -: the standard output cannot have two forms" --html - --json leaky.events
cp leaky.events "$T/events"
wrong "--html $T/events: this is the file to be read" --html "$T/events" "$T/events"
cmp -s leaky.events "$T/events"
row $? "and it is as it was"
runs 0 "an empty file" "$report" "$T/empty"
has "is not passed off as a clean run" "no events at all: was the program run by jailrun --report" "nothing was recorded"
hasnot "nor called free of leaks" "no leaks"

# -- several runs in one file -----------------------------------------------------------------------
sed 's/"run":"[^"]*"/"run":"1111222233334444"/; s/"t":1764/"t":1765/g' "$T/fixed" >"$T/second"
cat leaky.events "$T/second" >"$T/runs"
runs 1 "two runs" "$report" "$T/runs"
has "are announced" "2 runs (--last shows one)" "30 processes on 2 hosts"
runs 0 "the last, which is mended" "$report" --last "$T/runs"
has "is looked at alone" "15 processes on 2 hosts" "no leaks; 3 never closed"
hasnot "is one" " runs"
runs 0 "the last on stdin" sh -c "\"$report\" --last --json - <\"$T/runs\""
cp "$T/out" "$T/expect"
"$report" --json "$T/second" | sed 's/"lines":[0-9]*/"lines":0/' >"$T/one.json"
sed 's/"lines":[0-9]*/"lines":0/' "$T/expect" | cmp - "$T/one.json"
row $? "is told as if the other were not there"
runs 0 "the last, whichever file it is in" "$report" --last "$T/second" leaky.events
has "is that which began last" "15 processes on 2 hosts" "no leaks"
sed 's/"t":1765/"t":1763/g' "$T/second" | cat leaky.events - >"$T/runs"
runs 1 "the last, which is first in the file" "$report" --last "$T/runs"
has "leaks" "10 descriptors leaked from 3 call sites"
paste -d '\n' leaky.events "$T/second" | grep . >"$T/runs"
runs 0 "two runs at the same time" "$report" --last "$T/runs"
has "are told apart" "15 processes on 2 hosts" "no leaks; 3 never closed"
"$report" --json "$T/runs" >"$T/one.json"
runs 2 "the last of a document that has two" "$report" --last "$T/one.json"
tr '\n' ' ' <"$T/out" >"$T/words"
grep -q "$T/one.json:1: the sum of several runs: --last needs their events" "$T/words"
row $? "is an error"

# -- what was not watched -----------------------------------------------------------------------------
event() { # EV PID MEMBERS
	printf '{"v":1,"ev":"%s","t":1764000000.5,"host":"%s","run":"00","pid":%s,"prog":"a"%s}\n' "$1" "$(uname -n)" "$2" "$3"
}
executes() { # PID TARGET [EV]
	event "${3:-exec-kept}" "$1" ',"exec":1,"why":"argv","target":"'"$2"'","count":1,"class":"open","fds":[{"fd":5}],"site":"ab","call":"open"'
}
if printf 'int main(void) { return 0; }\n' | $CC -static -x c -o "$T/static" - 2>/dev/null; then
	{
		event start 7 ''
		executes 8 "$T/static"
	} >"$T/events"
	runs 0 "a static program" "$report" "$T/events"
	tr '\n' ' ' <"$T/out" >"$T/words"
	grep -q "note: 1 program was not watched: $T/static is statically linked no leaks; 1 program not watched" "$T/words"
	row $? "is said"
	again "$T/events" "a static program"
	executes 9 "$T/static" stopped >>"$T/events"
	runs 1 "a static program, twice" "$report" "$T/events"
	has "is one" "1 program not watched" "(2 times)"
	cp "$T/static" "$T/gone.static"
	{
		executes 8 "$T/gone.static"
		event exec-failed 8 ',"exec":1,"error":"E2BIG"'
	} >"$T/events"
	runs 0 "a program that was not executed after all" "$report" "$T/events"
	hasnot "is not told" "not watched"
else
	skip "a static program" "it cannot be linked here"
fi
unwatched() { # PID TARGET WHY [EXEC]
	event unwatched "$1" "${4:+,\"exec\":$4}"',"target":"'"$2"'","why":"'"$3"'","argv":["a"]'
}
{
	event start 7 ''
	unwatched 8 /bin/first static 1
	executes 8 /bin/first
	executes 9 /bin/second stopped
	unwatched 9 /bin/second go 1
	unwatched 10 /bin/third setid 5
	event exec-failed 10 ',"exec":5,"error":"ENOENT"'
	unwatched 10 /bin/fourth arch 6
	event start 10 ''
	event exit 10 ''
	event start 11 ''
	unwatched 11 /bin/fifth sanitizer
	event exit 11 ''
} >"$T/events"
runs 1 "programs that libjail says it does not watch" "$report" "$T/events"
tr '\n' ' ' <"$T/out" >"$T/words"
grep -q "note: 4 programs were not watched: " "$T/words" && grep -q "; 4 programs not watched" "$T/words"
row $? "are counted, each once, but for that whose exec failed"
for word in "/bin/first is statically linked" "/bin/second is made with Go" "/bin/fourth is for another architecture" \
	"/bin/fifth has a sanitizer that does not start behind another library"; do
	grep -q "${word}[,; ]" "$T/words"
	row $? "$word"
done
hasnot "that whose exec failed is not told" third
again "$T/events" "programs that are not watched"
{
	executes 8 /nonexistent/program
	executes 9 /nonexistent/stopped stopped
	executes 10 /bin/sh
	event start 10 ''
	event exit 10 ''
} >"$T/events"
runs 1 "a program of which nothing is known" "$report" "$T/events"
has "is told where it would have said what it inherits" "/nonexistent/program sent no events" "1 program not watched"
cp /bin/true "$T/setuid" && chmod u+s "$T/setuid"
executes 8 "$T/setuid" stopped >"$T/events"
runs 1 "a set-user-ID program" "$report" "$T/events"
tr '\n' ' ' <"$T/out" >"$T/words"
grep -q "$T/setuid is set-user-ID" "$T/words"
row $? "is told"

# -- malformed ------------------------------------------------------------------------------------
runs 1 "malformed lines" "$report" malformed.events
has "are counted and named, the rest is reported" "11 of 14 lines" \
	"malformed.events:2: not a value" "malformed.events:4: truncated" "malformed.events:7: not of schema version 1" \
	"1 descriptor leaked from 1 call site"
head -c 300 leaky.events >"$T/cut"
runs 0 "a truncated last line" "$report" "$T/cut"
has "is named" "$T/cut:2: truncated"
echo nonsense >"$T/bad"
runs 2 "nothing but malformed lines" "$report" "$T/bad"
{
	head -c 200000 /dev/zero | tr '\0' x
	echo
	cat leaky.events
} >"$T/long"
runs 1 "a very long line" "$report" "$T/long"
has "is skipped" "$T/long:1: longer than any event" "10 descriptors leaked"

# -- hostile --------------------------------------------------------------------------------------
for form in --all --json --csv --sarif --gen-suppressions '--kept --inherited --tables -v' '--html -'; do
	# shellcheck disable=SC2086
	"$report" $form hostile.events >"$T/out" 2>"$T/err"
	status=$?
	LC_ALL=C grep -q "$(printf '[\001-\011\013-\037\177]')" "$T/out" "$T/err"
	controls=$?
	[ "$form" != --gen-suppressions ] || status=$((status + 1))
	[ "$controls$status" = 11 ]
	row $? "hostile events, $form: no control characters"
done
hasnot "hostile events: no markup in the page" '<script'
runs 1 "hostile csv" "$report" --csv hostile.events
hasnot "no formula" ',=' '"=' ',@' '"@'
if have python3; then
	for file in leaky.events hostile.events malformed.events; do
		"$report" --json "$file" 2>/dev/null | python3 -m json.tool >/dev/null
		row $? "--json of $file is JSON"
		"$report" --sarif "$file" >"$T/sarif" 2>/dev/null
		python3 sarif.py <"$T/sarif" >"$T/out" 2>&1
		status=$?
		[ "$status" = 0 ] || sed 's/^/# /' "$T/out"
		row "$status" "--sarif of $file has what SARIF requires"
	done
	python3 - "$report" <<'END'
import os, pty, sys
report = sys.argv[1]
def colours(**extra):
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(extra)
        os.execv(report, [report, "leaky.events"])
    out = b""
    try:
        while True:
            more = os.read(fd, 4096)
            if not more: break
            out += more
    except OSError:
        pass
    os.waitpid(pid, 0)
    return b"\033[1m" in out
sys.exit(not (colours() and not colours(NO_COLOR="1")))
END
	row $? "colour on a terminal, none with NO_COLOR"
else
	skip "JSON, SARIF, colour" "no python3"
fi

# -- forms ------------------------------------------------------------------------------------------
runs 1 "csv" "$report" --csv leaky.events
row "$([ "$(awk -F, 'NR == 1 { n = NF } END { print NR, n }' "$T/out")" = "12 19" ] && echo 0 || echo 1)" \
	"one line for each group and a heading"
has "a script's line" "leak,2,2,3333333333333333,pipe2,,/opt/app/worker.py,42,/usr/bin/python3.11,0x99999"
runs 1 "json" "$report" --json leaky.events
has "counts" '"descriptors":6' '"count":26' '"failed":true' '"kind":"kept"' '"why":"argv"'

# -- new since the last release -------------------------------------------------------------------------
runs 1 "diff" "$report" --diff leaky.events release.events
same release.diff "what is new, grown and gone"
runs 0 "diff with itself" "$report" --diff leaky.events leaky.events
has "has nothing new" "0 new, 0 grown, 8 as before, 0 gone"
"$report" --json leaky.events >"$T/old.json"
runs 1 "diff with a document" "$report" --diff "$T/old.json" release.events
same release.diff "is the same"
runs 1 "a document alone" "$report" "$T/old.json"
has "is a report again" "10 descriptors leaked from 3 call sites" "/opt/app/worker.py:42"
runs 0 "diff: gone alone" "$report" --diff leaky.events "$T/fixed"
has "is no failure" "0 new, 0 grown" "gone"

# -- suppressions -----------------------------------------------------------------------------------------
block() { # LINE...
	echo '{'
	printf '   %s\n' "$@"
	echo '}'
}
suppresses() { # GROUPS WHY LINE...: a block of these lines suppresses so many groups
	want=$1 why=$2
	shift 2
	block "a name" "$@" >"$T/supp"
	got=$("$report" --suppress "$T/supp" --json leaky.events | grep -o '"suppressed":"a name"' | wc -l)
	[ "$got" = "$want" ] || echo "# $got groups, wanted $want"
	row "$([ "$got" = "$want" ] && echo 0 || echo 1)" "suppress by $why"
}
suppresses 3 "kind" leak
suppresses 3 "kind, spelt out" kind:leak
suppresses 1 "call" leak call:socket
suppresses 0 "call of another kind" never-closed call:socket
suppresses 1 "what" leak 'what:*/app.1.log'
suppresses 1 "socket" leak 'what:socket:?tcp *:8080?'
suppresses 1 "target, base name" leak to:logrotate
suppresses 1 "target, path" leak 'to:/usr/*/logrotate'
suppresses 0 "another target" leak to:/bin/logrotate
suppresses 2 "from" leak from:appd
suppresses 2 "host" leak host:web2
suppresses 1 "module" leak 'obj:*/libapp.so*'
suppresses 1 "module, base name" leak 'obj:libapp.so.2'
suppresses 1 "address" leak obj:libapp.so.2+0x1234
suppresses 0 "another address" leak obj:libapp.so.2+0x1235
suppresses 1 "frames" leak 'obj:*/libapp.so*' 'obj:*/libapp.so*' 'obj:*/appd'
suppresses 0 "frames in another order" leak 'obj:*/libapp.so*' 'obj:*/appd'
suppresses 2 "any frames between" leak ... 'obj:*/appd' 'obj:*/libc.so.6'
suppresses 0 "any frames, not these" leak ... 'obj:*/libc.so.6' 'obj:*/appd'
suppresses 1 "a script's line" leak src:worker.py:42
suppresses 1 "a script" leak 'src:/opt/app/*.py'
suppresses 0 "another line" leak src:worker.py:41
suppresses 1 "kind of a bad close" bad-close why:double
suppresses 4 "emfile and who held" emfile
suppresses 14 "every kind" '*' 'from:*' 'call:*' 'host:web1' 'obj:*'
block x leak 'what:*/app.1.log' >"$T/supp"
runs 1 "a suppressed part" "$report" --suppress "$T/supp" leaky.events
has "leaves the rest" "4 descriptors, 18 times" "1 group suppressed"
hasnot "and is gone itself" app.1.log
"$report" --gen-suppressions leaky.events >"$T/supp"
runs 0 "generated suppressions" "$report" --suppress "$T/supp" leaky.events
has "suppress all" "no leaks"
block never leak call:nothing >"$T/more"
runs 0 "two files" "$report" -v --suppress "$T/supp" --suppress "$T/more" leaky.events
has "unused ones are named with -v" "$T/more:1: never used: never"
runs 0 "generated from hostile events" "$report" --gen-suppressions hostile.events
cp "$T/out" "$T/supp"
runs 1 "can be read" "$report" --suppress "$T/supp" leaky.events
{
	block x leak call:open fun:nothing 'without symbols:' obj:libapp.so.2
	block y leak call:socket fun:nothing 'without symbols:' 'what:socket:?tcp *' to:sh obj:appd
	block z leak call:pipe2 fun:nothing 'without symbols:' obj:python3.11
} >"$T/supp"
runs 1 "a part without symbols" "$report" -v --suppress "$T/supp" leaky.events
has "matches where no line is known, and not behind a script's line" "2 descriptors leaked from 1 call site" "2 groups suppressed" \
	"$T/supp:19: never used: z"
hasnot "is used with the block's name" "never used: x" "never used: y"
block x leak call:close fun:open_all 'without symbols:' obj:appd >"$T/supp"
runs 1 "a part without symbols, where lines are known" "$report" --suppress "$T/supp" lines.json
hasnot "does not match" suppressed
syntax() { # LINE TEXT, the file on stdin
	cat >"$T/supp"
	runs 2 "suppression error: $2" "$report" --suppress "$T/supp" leaky.events
	has "names file and line" "jailreport: $T/supp:$1: $2"
}
printf '{\n name\n leak\n fun:x\n' | syntax 1 "the block that begins here has no end"
printf '# comment\n\nname\n' | syntax 3 "{ expected"
printf '{\n name\n leek\n}\n' | syntax 3 "not a kind"
printf '{\n}\n' | syntax 2 "no name"
printf '{\n name\n}\n' | syntax 3 "no kind"
printf '{\n name\n leak\n fnu:x\n}\n' | syntax 4 "neither call:"
printf '{\n name\n leak\n fun:\n}\n' | syntax 4 "no pattern"
printf '{\n name\n leak\n to:a\n to:b\n}\n' | syntax 5 "asked twice"
printf '{\n name\n leak\n fun:a\n without symbols:\n obj:b\n without symbols:\n}\n' | syntax 7 "said twice"
printf '{\n name\n leak\n call:open\n without symbols:\n}\n' | syntax 5 "the frames with symbols come first"
printf '}\n' | syntax 1 "} without {"

# -- symbols ------------------------------------------------------------------------------------------------
line=$(grep -n 'the line' site.c | cut -d: -f1)
mkdir "$T/src"
cp site.c "$T/src/"
build() { # NAME FLAGS...
	name=$1
	shift
	(cd "$T/src" && $CC "$@" -Wl,--build-id -o "../$name" site.c)
}
site() { # EXPECT NAME PROGRAM PATH ID [COMMAND...]
	expect=$1 what=$2 program=$3 path=$4 id=$5
	shift 5
	"$T/$program" "$path" "$id" >"$T/events"
	(cd "$T/src" && env "$@" "$report" "$T/events") >"$T/out" 2>"$T/err"
	has "$what" "$expect"
}
if build site -g -O1 && cp "$T/site" "$T/stripped" && strip "$T/stripped" &&
	cp "$T/site" "$T/symbols" && strip -g "$T/symbols"; then
	if have addr2line; then
		site "open in open_the_log (site.c:$line)" "function, file and line" site "$T/site" -
	else
		skip "function, file and line" "no addr2line"
	fi
	if have eu-addr2line; then
		site "open in open_the_log (site.c:$line)" "the same by elfutils" site "$T/site" - \
			JAILREPORT_ADDR2LINE=eu-addr2line
	else
		skip "the same by elfutils" "no eu-addr2line"
	fi
	site "open in open_the_log+0x" "the function, without a tool" symbols "$T/symbols" - JAILREPORT_ADDR2LINE=
	site "open in open_the_log+0x" "a tool that does not run" symbols "$T/symbols" - JAILREPORT_ADDR2LINE=/nonexistent
	site "open in open_the_log+0x" "a tool that says nothing" symbols "$T/symbols" - JAILREPORT_ADDR2LINE=true
	site "open in open_the_log+0x" "a tool that says nonsense" symbols "$T/symbols" - JAILREPORT_ADDR2LINE=yes
	site "open in $T/stripped+0x" "module and offset, stripped" stripped "$T/stripped" -
	# shellcheck disable=SC2016 # for the script
	printf '#!/bin/sh\nwhile read -r a; do printf "%%s\\nguess\\n??:0\\n" "$a"; done\n' >"$T/guess"
	chmod 755 "$T/guess"
	site "open in $T/stripped+0x" "a function that the tool guessed is not told" stripped "$T/stripped" - \
		JAILREPORT_ADDR2LINE="$T/guess"
	site "open in guess+0x" "but for one whose symbol holds the address" symbols "$T/symbols" - \
		JAILREPORT_ADDR2LINE="$T/guess"
	site "open in $T/site+0x" "another build: no symbols" site "$T/site" 0123456789abcdef0123456789abcdef01234567
	has "another build is said" "is another build here"
	mkfifo "$T/fifo"
	site "open in $T/fifo+0x" "a module that is a FIFO" site "$T/fifo" - timeout 10
	if have addr2line; then
		site "open in open_the_log (site.c:$line)" "no build id, older than the events" site "$T/site" =
		"$T/site" "$T/site" = | sed 's/"t":[0-9]*/"t":1000/' >"$T/events"
		"$report" "$T/events" >"$T/out" 2>"$T/err"
		has "no build id, newer than the events" "open in $T/site+0x" "has no build id"
		ln "$T/site" "$T/src/-e;touch \$(x) \`y\`"
		site "open in open_the_log (site.c:$line)" "a name for no shell" site "$T/src/-e;touch \$(x) \`y\`" -
	fi
	# debuginfo on its own, in the root of the process
	id=$("$T/stripped" x - | sed 's/.*"id":"\([0-9a-f]*\)".*/\1/')
	dir=$T/root/usr/lib/debug/.build-id/$(echo "$id" | cut -c1-2)
	mkdir -p "$dir" "$T/root/bin"
	cp "$T/stripped" "$T/root/bin/site"
	if have objcopy && have addr2line && objcopy --only-keep-debug "$T/site" "$dir/$(echo "$id" | cut -c3-).debug"; then
		printf '%s%s%s\n' '{"v":1,"ev":"start","t":1764000000,"host":"h","run":"00","pid":7,"prog":"site","ppid":1,"root":"' \
			"$T/root" '","mode":"report","snapshot":null}' >"$T/events"
		"$T/stripped" "$T/root/bin/site" - >>"$T/events"
		(cd "$T/src" && "$report" "$T/events") >"$T/out" 2>"$T/err"
		has "separate debuginfo in the root" "open in open_the_log (site.c:$line)"
		rm -r "$dir"
		"$report" "$T/events" >"$T/out" 2>"$T/err"
		has "the guest's name of the module" "open in /bin/site+0x"
	else
		skip "separate debuginfo in the root" "no objcopy"
	fi
	# built anew with a line more: the site moves and has another hash
	if have addr2line; then
		"$T/site" "$T/site" - 1 >"$T/old"
		sed 's|^#include <link.h>|/* a line more */\n&|' site.c >"$T/src/site.c"
		build site2 -g -O0
		"$T/site2" "$T/site2" - 2 >"$T/new"
		runs 0 "diff of two builds" "$report" --diff "$T/old" "$T/new"
		has "is by function and file" "0 new, 0 grown, 1 as before, 0 gone"
		"$report" --gen-suppressions "$T/old" >"$T/supp"
		runs 0 "a suppression of the old build" "$report" --suppress "$T/supp" "$T/new"
		has "names the function" "1 group suppressed"
		grep -q 'fun:open_the_log' "$T/supp"
		row $? "a generated suppression goes by functions"
		runs 1 "sarif in the source tree" sh -c "cd '$T/src' && '$report' --sarif '$T/new'"
		has "relative uri and line" '"uri":"site.c","uriBaseId":"SRCROOT"}' "\"startLine\":$((line + 1))"
	fi
else
	skip "symbols" "no compiler or strip"
fi
if have addr2line && printf 'namespace n { struct s { __attribute__((noinline)) int f(int i) { return i + 1; } }; }\nint main(int c, char **) { return n::s().f(c); }\n' |
	${CXX:-c++} -g -x c++ -Wl,--build-id -o "$T/cxx" - 2>/dev/null; then
	address=$(nm "$T/cxx" | sed -n 's/^0*\([0-9a-f]*\) . _ZN1n1s1fEi$/\1/p')
	sed -n '/exec-leak/{s|/opt/app/lib/libapp.so.2|'"$T/cxx"'|;s/"id":"[^"]*"/"id":""/;s/0x1234/0x'"$address"'/;s/"t":1764/"t":3964/;s/web1/'"$(uname -n)"'/p;q}' leaky.events >"$T/events"
	"$report" "$T/events" >"$T/out" 2>&1
	has "C++ names are readable" "open in n::s::f(int)"
	"$report" --json "$T/events" | sed 's/n::s::f(int)/n::list<std::string, std::allocator<std::string > >::f(std::list<std::vector<int> > const\&, int) const/g' >"$T/one.json"
	"$report" "$T/one.json" >"$T/out" 2>&1
	has "and long ones short" "open in n::list<...>::f(...) const"
else
	skip "C++ names are readable" "no C++ compiler or addr2line"
fi

long=$(printf 'n::list<std::vector<int, std::allocator<int> > >::%s(std::list<std::vector<int> > const\\&, int)' \
	add_an_element_behind_the_last_one_of_the_given_type_and_tell_all_who_wait_for_one)
sed -e "s|\"function\":\"open_all\"|\"function\":\"$long\"|g" -e 's|/src/app/log.c|/src/a/rather/long/name/of/a/directory/log.c|g' lines.json >"$T/names.json"
runs 1 "long names" "$report" "$T/names.json"
has "keep the call, the function's own beginning, and the line" "open in add_an_element_behind_the_last_" "(log.c:42)"
awk 'length > 80' "$T/out" >"$T/long"
row "$([ -s "$T/long" ] && echo 1 || echo 0)" "on 80 columns"
runs 1 "long names, page" "$report" --html - "$T/names.json"
has "on a phone as well" '<text class="narrow" x="2" y="16">1. open in add_an' 'log.c:42)</text>' '<code title="n::list'
sed -e 's|/opt/app/lib/libapp.so.2|/opt/app/lib/of/a/rather/long/name/of/a/directory/which/goes/on/libapp.so.2|' leaky.events >"$T/events"
runs 1 "a long module" "$report" "$T/events"
has "keeps the call, both ends and the address" "open in /opt/app/lib/" "libapp.so.2+0x1234"

# -- another machine, another build ----------------------------------------------------------------------------
# Real events of demo.c as four builds: all symbols, functions alone, none, and moved by lines and code.  What was
# said of one of them must hold of each other.
cp demo.c "$T/src/demo.c"
demo() { # NAME FLAG...: builds $T/demo, and runs it with events in $T/NAME.events
	name=$1
	shift
	(cd "$T/src" && $CC -O2 -g -Wl,--build-id "$@" -o "$T/demo" demo.c) || return 1
	case $name in
	functions) objcopy --strip-debug "$T/demo" ;;
	none) strip "$T/demo" ;;
	esac
	rm -f "$T/$name.events"
	LIBJAIL_CLOEXEC=report LIBJAIL_REPORT=$T/$name.events LD_PRELOAD=$lib "$T/demo" 3>&- 4>&- 5>&- 6>&- </dev/null
	cp "$T/demo" "$T/demo.$name"
}
demos() { # NAME ARGUMENT...: jailreport on the events of that build, which is there again
	cp "$T/demo.$1" "$T/demo"
	name=$T/$1.events
	shift
	(cd "$T/src" && "$report" "$@" "$name")
}
if have addr2line && have objcopy && demo all && demo functions && demo none && demo moved -DMORE -O1 -foptimize-sibling-calls; then
	runs 1 "real events" demos all
	has "have three leaks" "3 descriptors leaked from 3 call sites"
	at() { # WORD: its line in demo.c
		grep -n "/\* $1 \*/" demo.c | cut -d: -f1
	}
	has "what one process has once is one line of NEVER CLOSED" "    one a process: open in inlined (demo.c:$(at INLINED)), 2 more (--all)"
	has "a tail call is named, and who made it" "open in main (demo.c:$(at CALLER))" "via   last (demo.c:" ", by a tail call, which leaves no frame"
	row "$([ "$(grep -c '^    via ' "$T/out")" = 1 ] && echo 0 || echo 1)" "and other calls are not"
	runs 1 "all of real events" demos all --all
	has "has each that was never closed" "1 open  open in inlined (demo.c:$(at INLINED))" "1 open  socket in named"
	runs 1 "never closed is asked for" demos all --fail-on=never-closed
	has "and shown" "1 open  open in inlined (demo.c:$(at INLINED))"
	cat "$T/all.events" "$T/all.events" >"$T/twice.events"
	cp "$T/demo.all" "$T/demo.twice"
	runs 1 "twice" demos twice
	has "is still one a process" "one a process: open in inlined"
	sed 's/"ev":"never-closed"\(.*\)"count":1,/"ev":"never-closed"\1"count":2,/' "$T/all.events" >"$T/twice.events"
	runs 1 "two in one process" demos twice
	has "are no such thing" "2 open  open in inlined"
	(cd "$T/src" && again "$T/all.events" "a tail call")
	(cd "$T/src" && "$report" "$T/one.json") >"$T/out"
	has "a document has it as well" "via   last (demo.c:"
	runs 1 "a tail call without symbols" demos none
	has "is an address" ", by a tail call, which leaves no frame"
	for name in all functions none moved; do
		demos $name --gen-suppressions >"$T/supp.$name" 2>"$T/err"
	done
	! grep -q -e __libc -e _start "$T"/supp.*
	row $? "generated suppressions end at main"
	! grep -q -F +0x "$T/supp.all" && ! grep '^   obj:' "$T/supp.none" | grep -F +0x
	row $? "and name no address"
	for made in all functions none moved; do
		for name in all functions none moved; do
			runs 0 "suppressions of build $made, events of build $name" demos $name --suppress "$T/supp.$made"
		done
	done
	sed -i 's|"/etc/hosts"|"/etc/other"|g' "$T/none.events"
	runs 1 "without symbols, another file leaks" demos none --suppress "$T/supp.all"
	has "and is told" "/etc/other" "1 descriptor leaked from 1 call site; "
	# fingerprints
	demos all --sarif >"$T/all.sarif"
	prints "$T/all.sarif" >"$T/prints"
	sed -i 's|^	return fd < 0 ? exit(1), 0 : fd;|	/* a line more */\n&|; s|^#include <fcntl.h>|/* another */\n\n&|; s/	int fd = socket/    int  fd = socket/' "$T/src/demo.c"
	demo moved -DMORE && demos moved --sarif >"$T/moved.sarif"
	cmp "$T/all.sarif" "$T/moved.sarif" >/dev/null
	different=$?
	prints "$T/moved.sarif" | diff - "$T/prints" >"$T/diff"
	result=$?
	sed 's/^/# /' "$T/diff"
	[ -s "$T/prints" ] || result=1
	row "$((result + !different))" "fingerprints survive lines inserted and a new build"
	sed -i 's|O_RDONLY); /\* INLINED|O_RDWR); /* INLINED|' "$T/src/demo.c"
	demo changed && demos changed --sarif | sed 's/^/x/' >"$T/changed.sarif"
	[ "$(prints "$T/changed.sarif" | diff - "$T/prints" | grep -c '^[<>]')" -gt 0 ]
	row $? "not a change of the line itself"
	cp "$data/demo.c" "$T/src/demo.c"
	# a build that is gone
	demos all --json >"$T/all.json"
	cp "$T/demo.moved" "$T/demo"
	runs 1 "diff with events of a build that is gone" "$report" --diff "$T/all.events" "$T/moved.events"
	tr '\n' ' ' <"$T/out" >"$T/words"
	grep -q "note: $T/demo is another build here ([0-9a-f]*, in the events [0-9a-f]*): no symbols, so it is compared by address" "$T/words"
	row $? "says so"
	runs 0 "diff with the document of that time" "$report" --diff "$T/all.json" "$T/moved.events"
	has "has no need to" "0 new, 0 grown" "0 gone"
	hasnot "and does not" "compared by address"
	rm "$T/demo"
	runs 1 "diff of two builds that are gone" "$report" --diff "$T/all.json" "$T/moved.events"
	tr '\n' ' ' <"$T/out" >"$T/words"
	grep -q "note: $T/demo is gone (build [0-9a-f]*): no symbols, so it is compared by address" "$T/words"
	row $? "says so as well"
else
	skip "another machine, another build" "no compiler, addr2line, objcopy or reports"
fi

# -- one line at several addresses ---------------------------------------------------------------------------
cd "$data" || exit 1
for file in leaky release malformed; do
	again $file.events $file.events
done
again lines.json lines.json
runs 1 "addresses of one line" "$report" lines.json
has "are one group, other lines and other builds are not" "15 descriptors leaked from 3 call sites; 4 never closed; 2 bad closes" \
	" 1. 9 descriptors  open in open_all (/src/app/log.c:42)" "2025-11-24 16:00:05 .. 16:00:40" "/var/log/a (6), /var/log/b (3)" \
	" 2. 5 descriptors  open in open_all (/src/app/log.c:43)" " 3. 1 descriptor  open in open_all (/src/app/log.c:42)" \
	"2 closes of what was closed before"
has "which build is said where two have the line" "file  /opt/old/bin/appd (build dd44dd44)"
runs 1 "addresses of one line, verbose" "$report" -v lines.json
has "are told" "code  4 from /opt/app/bin/appd+0x1020" "3 from /opt/app/bin/appd+0x1010" "2 from /opt/app/bin/appd+0x1000"
runs 1 "addresses of one line, csv" "$report" --csv lines.json
has "are in one line" 'leak,9,9,"aaaaaaaaaaaaaaa3; aaaaaaaaaaaaaaa2; aaaaaaaaaaaaaaa1",open,open_all,/src/app/log.c,42,/opt/app/bin/appd,"0x1020; 0x1010; 0x1000"'
runs 1 "addresses of one line, sarif" "$report" --sarif lines.json
prints "$T/out" >"$T/prints"
sed 's/"count":4/"count":1/; s/"leaked":4/"leaked":1/' lines.json >"$T/fewer.json"
runs 1 "the same with another address worst, sarif" "$report" --sarif "$T/fewer.json"
prints "$T/out" | cmp - "$T/prints"
row $? "has the same fingerprints"
row "$([ "$(sort -u "$T/prints" | wc -l)" = "$(wc -l <"$T/prints")" ] && [ -s "$T/prints" ] && echo 0 || echo 1)" "each its own"
runs 0 "diff of them with themselves" "$report" --diff lines.json lines.json
has "has nothing new" "0 new, 0 grown, 5 as before, 0 gone"
sed 's/aaaaaaaaaaaaaaa[13]/fffffffffffffff1/g; s/"open_all"/"was_all"/g; s/log.c/was.c/g' lines.json >"$T/old.json"
runs 0 "diff with a report that knows one of the addresses" "$report" --diff "$T/old.json" lines.json
has "finds it" "0 new, 0 grown, 5 as before, 0 gone"
runs 1 "two documents" "$report" lines.json lines.json
has "add up" "30 descriptors leaked from 3 call sites; 8 never closed; 4 bad closes" "8 processes"
block x leak 'obj:appd+0x1020' >"$T/supp"
runs 1 "one address suppressed" "$report" --suppress "$T/supp" lines.json
has "leaves the line's others" " 1. 5 descriptors  open in open_all (/src/app/log.c:4" "11 descriptors leaked from 3 call sites" "; 1 group"
"$report" --gen-suppressions lines.json >"$T/supp"
row "$([ "$(grep -c '^{' "$T/supp")" = 3 ] && echo 0 || echo 1)" "one suppression of each kind for all lines of a function"
runs 0 "which suppresses" "$report" --suppress "$T/supp" lines.json
has "all of them" "no leaks; 5 groups suppressed"
# two calls on one line of a script, and one that glibc's headers have another name for
{
	grep -m 1 '"script"' leaky.events
	grep -m 1 '"script"' leaky.events | sed 's/"call":"[^"]*"/"call":"__open64_2"/; s/"exec":[0-9]*/"exec":77/; s/"pid":[0-9]*/"pid":77/'
} >"$T/events"
runs 1 "two calls on one line" "$report" "$T/events"
has "are two call sites" "pipe2 in /opt/app/worker.py:42" "open64 in /opt/app/worker.py:42"
again "$T/events" "two calls on one line"
line=$(grep -n 'the line' unrolled.c | cut -d: -f1)
at="socket in open_one (unrolled.c:$line)"
if have addr2line && LIBJAIL_REPORT=$T/probe LD_PRELOAD=$lib /bin/true && [ -s "$T/probe" ] && cp unrolled.c "$T/src/" &&
	(cd "$T/src" && $CC -g -O3 -funroll-loops -o ../unrolled unrolled.c 2>"$T/log") &&
	[ "$(objdump -d "$T/unrolled" | grep -c 'call.*socket')" -gt 1 ]; then
	unrolled() { # HOW
		rm -f "$T/events"
		LIBJAIL_CLOEXEC=report LIBJAIL_REPORT=$T/events LD_PRELOAD=$lib "$T/unrolled" "$1" 3>&- 4>&- 5>&- 6>&-
	}
	cd "$T/src" || exit 1
	unrolled leak
	runs 1 "an unrolled loop" "$report" "$T/events"
	has "is one call site" " 1. 3 descriptors  $at" "3 descriptors leaked from 1 call site; 3 never closed" "what  socket:[unix]" \
		" 1. 3 open  $at"
	runs 1 "an unrolled loop, json" "$report" --json "$T/events"
	has "names its three addresses" '"sites":[{' '"count":3,"descriptors":3'
	again "$T/events" "an unrolled loop"
	runs 1 "an unrolled loop, events and document" "$report" "$T/events" "$T/one.json"
	has "add up" "6 descriptors leaked from 1 call site" " 1. 6 descriptors  $at"
	runs 0 "an unrolled loop, diff" "$report" --diff "$T/one.json" "$T/events"
	has "has nothing new" "0 new, 0 grown, 2 as before, 0 gone"
	"$report" --gen-suppressions "$T/events" >"$T/supp"
	row "$([ "$(grep -c '^{' "$T/supp")" = 2 ] && echo 0 || echo 1)" "an unrolled loop: one suppression of each kind"
	runs 0 "an unrolled loop, suppressed" "$report" --suppress "$T/supp" "$T/events"
	runs 1 "an unrolled loop, page" "$report" --html - "$T/events"
	has "has the stack of each" "stack 1 of 3: 1" "stack 3 of 3: 1"
	unrolled full
	runs 1 "an unrolled loop that fills the table" "$report" "$T/events"
	held=$(sed -n 's/^ 1\. \([0-9]*\) open  socket in .*/\1/p' "$T/out" | head -n 1)
	made=$(sed -n 's/^jailreport: .* \([0-9]*\) descriptors made$/\1/p' "$T/out")
	row "$([ "${made:-0}" -gt 20 ] && [ "$held" = "$made" ] && echo 0 || echo 1)" "holds it as one ($held of $made)"
	rm -f "$T/live"
	LIBJAIL_REPORT=$T/live LD_PRELOAD=$lib "$T/unrolled" hold >"$T/ready" &
	holder=$!
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ -e "/proc/$holder/fd/1" ] || break
		sleep 0.2
	done
	runs 0 "an unrolled loop, asked" "$report" --pid "$holder"
	has "has them open as one" "3 open" "$at"
	kill -KILL "$holder"
	wait "$holder" 2>/dev/null
	cd "$data" || exit 1
else
	skip "an unrolled loop" "no compiler that unrolls it, no addr2line, or no reports"
fi

# -- a running process ----------------------------------------------------------------------------------------
sleep 60 &
other=$!
one_line "--pid of no process" 2 "jailreport: process 4194305 does not exist" "$report" --pid 4194305
[ "$(id -u)" != 0 ] || runs 2 "--pid of a process that is not ours to ask" "$report" --pid "$other"
[ "$(id -u)" != 0 ] || has "says so" "process $other does not run under libjail"
kill "$other"
cat >"$T/src/holder.c" <<'END'
#include <fcntl.h>
#include <unistd.h>
static int hold(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC); /* line 5 */
}
int main(int argc, char **argv)
{
	for (int i = 0; i < 7; i++)
		hold(argv[argc - 1]);
	close(1);
	for (;;)
		pause();
}
END
if (cd "$T/src" && $CC -g -O0 -o ../holder holder.c) && LIBJAIL_REPORT=$T/probe LD_PRELOAD=$lib /bin/true && [ -s "$T/probe" ]; then
	LIBJAIL_REPORT=$T/live LD_PRELOAD=$lib "$T/holder" /etc/passwd >"$T/ready" &
	holder=$!
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ "$(find "/proc/$holder/fd" -lname /etc/passwd 2>/dev/null | wc -l)" = 7 ] && break
		sleep 0.2
	done
	runs 0 "a running process" "$report" --pid "$holder"
	has "tells what it has open" "process $holder" "7 open" "open in hold (" "holder.c:5)" /etc/passwd
	runs 0 "the events of a running process" "$report" "$T/live"
	tr '\n' ' ' <"$T/out" >"$T/words"
	grep -q "note: 1 process still runs: holder ($holder); .* no leaks so far;.* 1 process still running" "$T/words"
	row $? "say that it still runs"
	sed 's/"prog"/"was":1,&/; s/"t":[0-9]*/"t":1000/' "$T/live" >"$T/older"
	runs 0 "a process that had its number before" "$report" "$T/older"
	hasnot "is not taken for it" "still run"
	runs 0 "again" "$report" --pid "$holder" --json
	has "as a document" '"kind":"snapshot"' '"count":7'
	runs 2 "another file than its own" "$report" --pid "$holder" leaky.events
	has "has no start event of it" "has no start event in its event file"
	kill -0 "$holder"
	row $? "it lives on"
	kill -STOP "$holder"
	runs 2 "a process that does not answer" "$report" --pid "$holder"
	has "says so after two seconds" "did not answer within 2 seconds"
	kill -KILL "$holder"
	wait "$holder" 2>/dev/null
	runs 2 "a process that has ended" "$report" --pid "$holder"
	runs 0 "its events" "$report" "$T/live"
	has "do not say that it still runs" "no leaks"
	hasnot "nor that it was not watched" "still run" "not watched"
	LIBJAIL_REPORT=$T/quiet LD_PRELOAD=$lib sh -c 'for fd in 3 4 5 6 7 8 9; do eval "exec $fd<&-"; done; exec sleep 60' &
	holder=$!
	sleep 0.3
	runs 0 "a process that has opened nothing, and so has told nothing" "$report" --pid "$holder"
	has "tells so when it is asked" "process $holder"
	kill -KILL "$holder"
	wait "$holder" 2>/dev/null
	LD_PRELOAD=$lib "$T/holder" /etc/passwd &
	holder=$!
	sleep 0.3
	runs 2 "a process without records" "$report" --pid "$holder"
	has "says so" "keeps no records"
	kill -KILL "$holder"
	wait "$holder" 2>/dev/null
else
	skip "a running process" "libjail.so reports nothing here"
fi

# -- the page -------------------------------------------------------------------------------------------------
runs 1 "page" "$report" --html "$T/page.html" leaky.events
grep -q 'LEAKED' "$T/out"
row $? "besides the screen"
cp "$T/page.html" "$T/out"
has "a timeline with title and description" '<svg ' '<title id="tt">' '<desc id="td">' 'prefers-color-scheme:dark'
hasnot "nothing from elsewhere, no script" '<script' 'src=' 'href=' 'url('
runs 2 "a page that cannot be written" "$report" --html "$T/no/page.html" leaky.events
browser=
for b in chromium chromium-browser google-chrome; do
	! have "$b" || browser=${browser:-$b}
done
browse() { # ARGUMENT...
	timeout -k 5 120 "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars \
		--user-data-dir="$T/browser" "$@" 2>"$T/browser.log"
}
if [ -n "$browser" ] && browse --dump-dom about:blank >/dev/null; then
	for scheme in 0 1; do
		browse --blink-settings=preferredColorScheme=$scheme --window-size=1200,1600 \
			--screenshot="$T/page$scheme.png" "file://$T/page.html" >/dev/null
	done
	[ -s "$T/page0.png" ] && [ -s "$T/page1.png" ] && ! cmp -s "$T/page0.png" "$T/page1.png"
	row $? "in a browser: light and dark differ"
	for page in "leaky.events 1200" "hostile.events 1200" "leaky.events 360" "hostile.events 360" "lines.json 360" \
		"leaky.events 390" "$T/names.json 360"; do
		"$report" --html - "${page% *}" | sed '/Content-Security-Policy/d' >"$T/probe.html"
		{
			echo '<script>'
			cat overlap.js
			echo '</script>'
		} >>"$T/probe.html"
		browse --window-size="${page#* },1600" --dump-dom "file://$T/probe.html" |
			sed -n 's/.*<title>\(texts=.*\)<\/title>.*/\1/p' | head -n 1 >"$T/out"
		sed 's/^/# /' "$T/out"
		grep -Eq '^texts=[1-9][0-9]* bad=0 wide=false' "$T/out"
		row $? "in a browser, ${page#* } wide: no texts overlap (${page% *})"
	done
else
	skip "in a browser" "no chromium"
fi

# -- much, and mutated ------------------------------------------------------------------------------------------
# 300,000 lines, of 2,000 call sites and 300,000 files: groups are bounded, events are not kept
grep -m 1 exec-leak leaky.events | sed 's/%/%%/g; s/"pid":10[0-9]/"pid":%d/; s/app.0.log/tmp.%d/; s/1111111111111111/%016x/' >"$T/line"
awk -v end=300000 '{ for (i = 1; i <= end; i++) printf $0 "\n", i, i, i % 2000 + 1 }' "$T/line" >"$T/many"
limit=
! have prlimit || limit="prlimit --as=268435456"
# shellcheck disable=SC2086 # several words
runs 1 "300,000 events in 256 MB" timeout 30 $limit "$report" "$T/many"
has "are all counted" "from 2000 call sites"
rm "$T/many"
if have python3; then
	mkdir "$T/mutated"
	if $CC -std=c11 -D_GNU_SOURCE -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined \
		-DLIBJAIL_VERSION='"test"' -o "$T/sanitized" ../../../tools/report/*.c 2>/dev/null && ASAN_OPTIONS=detect_leaks=0 "$T/sanitized" --version >/dev/null 2>&1; then
		with="under sanitizers"
	else
		cp "$report" "$T/sanitized"
		with="without sanitizers"
	fi
	python3 mutate.py "$T/sanitized" "${MUTATE_SECONDS:-15}" "${MUTATE_SEED:-$$}" "$T/mutated" >"$T/out" 2>&1
	status=$?
	sed 's/^/# /' "$T/out"
	row "$status" "mutated inputs, $with"
else
	skip "mutated inputs" "no python3"
fi
done_testing
