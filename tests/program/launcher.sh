#!/bin/sh
# SPDX-License-Identifier: ISC
#
# jailrun from outside: its options, what it says when something is wrong, names of every kind, and
# that the command gets exactly the arguments, environment, directory and descriptors it should.
# Runs as any user.
# shellcheck disable=SC2016 # what is in single quotes is for the guest's shell
# shellcheck source=tests/program/common
. "${0%/*}/common"

nl='
'
R=$T/root
"$T/usr/bin/jailroot" "$R" cat ls env id readlink grep >"$T/log" 2>&1 || {
	cat "$T/log"
	echo "not ok - a root made by jailroot"
	exit 1
}
mkdir -p "$R/data/sub" "$R/etc/only" "$R/noexec"
echo guest >"$R/where"
echo inside >"$R/etc/only/here"
ln -s /etc/only/here "$R/link"
ln -s /etc/only "$R/lnk"
echo text >"$R/noexec/file"
chmod 644 "$R/noexec/file"
chmod 755 "$R"

# -- options and exit status
says "--version" 0 'jailrun (libjail) 0.1' "$jailrun" --version
says "--help" 0 'usage: jailrun *' "$jailrun" --help
one_line "unknown option" 125 "jailrun: *--nonesuch*" "$jailrun" --nonesuch
one_line "missing argument" 125 "jailrun: --root needs an argument*" "$jailrun" --root
one_line "empty root" 125 "jailrun: --root: *empty*" "$jailrun" --root= true
one_line "bad --cloexec" 125 "jailrun: --cloexec=maybe: it is force, strict, report, report-strict or off" "$jailrun" --cloexec=maybe true
says "--cloexec=strict" 0 '' "$jailrun" --cloexec=strict true
one_line "--report of what cannot be run" 127 "jailrun: *nonesuch*" "$jailrun" --report -- /nonesuch
one_line "--report to no file" 125 "jailrun: --report=: *name a file*" "$jailrun" --report= true
one_line "--report to a directory" 125 "jailrun: --report=/: this is a directory*" "$jailrun" --report=/ true
one_line "--report where it may not" 125 "jailrun: --report=/proc/x: cannot be written*" "$jailrun" --report=/proc/x true
one_line "--report to what is no number" 125 "jailrun: --report=fd:x: *" "$jailrun" --report=fd:x true
one_line "--report to what is not open" 125 "jailrun: --report=fd:77: this descriptor is not open*" "$jailrun" --report=fd:77 true
one_line "bad --static" 125 "jailrun: --static=maybe: *" "$jailrun" --static=maybe true
one_line "bind without root" 125 "jailrun: --bind: *" "$jailrun" -b /etc true
one_line "bind, three sides" 125 "jailrun: --bind /a:/b:ro: *" "$jailrun" -r "$R" -b /a:/b:ro true
one_line "bind, relative guest" 125 "jailrun: --bind /a:b: *" "$jailrun" -r "$R" -b /a:b true
says "--root DIR" 0 guest "$jailrun" --root "$R" -- cat /where
says "--root=DIR" 0 guest "$jailrun" --root="$R" cat /where
says "-r DIR" 0 guest "$jailrun" -r "$R" -- cat /where
says "-rDIR" 0 guest "$jailrun" -r"$R" cat /where
says "-vrDIR tells" 0 "*root: $R*guest" "$jailrun" -vr "$R" cat /where
says "options end at the command" 0 '-r x' "$jailrun" -r "$R" sh -c 'echo "$@"' sh -r x
says "exit status 0" 0 '' "$jailrun" -r "$R" sh -c 'exit 0'
says "exit status 3" 3 '' "$jailrun" -r "$R" sh -c 'exit 3'
says "killed by a signal" 143 '*' "$jailrun" -r "$R" sh -c 'kill -TERM $$'
one_line "127: not found" 127 'jailrun: *nonesuch*' "$jailrun" -r "$R" nonesuch
one_line "127: not found by path" 127 'jailrun: */nonesuch*' "$jailrun" -r "$R" /nonesuch
one_line "126: not executable" 126 'jailrun: */noexec/file*' "$jailrun" -r "$R" /noexec/file
one_line "126: a directory" 126 'jailrun: */data*' "$jailrun" -r "$R" /data
says "no command: a shell" 0 '*' env SHELL=/bin/sh "$jailrun" -r "$R"
says "no root" 0 hello "$jailrun" echo hello
says "no root: exit status" 4 '' "$jailrun" -- sh -c 'exit 4'
one_line "no root: not found" 127 'jailrun: nonesuch: not found' "$jailrun" nonesuch
one_line "not found in the root" 127 'jailrun: nonesuch: not found in the root' "$jailrun" -r "$R" nonesuch

# -- a file that is no program is a script for /bin/sh, as with execvp(3)
printf 'echo "$0" "$@"\n' >"$R/bare"
printf '\001\002\003\n' >"$R/garbage"
printf '#!/nonesuch\n' >"$R/orphan"
: >"$R/nothing"
chmod 755 "$R/bare" "$R/garbage" "$R/nothing" "$R/orphan"
says "a script without #!, in a root" 0 '/bare a b  c' "$jailrun" -r "$R" /bare a 'b  c'
says "a script without #!" 0 "$R/bare a" "$jailrun" -- "$R/bare" a
says "a script without #!, in PATH" 0 "$R/bare a" env PATH="$R:$PATH" "$jailrun" -- bare a
says "a script without #!, in PATH, in a root" 0 '/data/../bare a' env PATH="/nonesuch:/data/..:/bin" "$jailrun" -r "$R" bare a
says "an empty file" 0 '' "$jailrun" -r "$R" /nothing
wanted=$(as env "$R/garbage" 2>&1)
says "garbage, as env(1) runs it" $? "$wanted" "$jailrun" -- "$R/garbage"
mkdir "$T/shless"
cp "$R/bare" "$T/shless/bare"
one_line "a script in a root without /bin/sh" 127 'jailrun: /bare: no program, *: /bin/sh: not found' "$jailrun" -r "$T/shless" /bare
one_line "an interpreter that is not there" 127 'jailrun: /orphan: the interpreter*not found in the root' "$jailrun" -r "$R" /orphan
one_line "the root without --root" 126 "jailrun: $R: is a directory; did you mean --root $R?" "$jailrun" "$R" cat /where
mkdir "$T/newroot"
one_line "a root in this directory without --root" 127 "jailrun: newroot: *directory; did you mean --root newroot?" sh -c "cd '$T' && exec '$jailrun' newroot true"
one_line "a user whose name is --" 125 "jailrun: --user --: *" "$jailrun" --user -- true
one_line "--report FILE" 127 "jailrun: nonesuch: *; did you mean --report=nonesuch?" "$jailrun" --report nonesuch true
one_line "--report -- CMD" 127 "jailrun: nonesuch: not found" "$jailrun" --report -- nonesuch

# -- words that the library knows
for option in --cloexec --cloexec-skip --names --static --snapshot; do
	one_line "bad $option" 125 "jailrun: $option=maybe: *" "$jailrun" "$option=maybe" true
done
one_line "a bad word in a list" 125 "jailrun: --cloexec-skip=open,maybe: it is open, *" "$jailrun" --cloexec-skip=open,maybe true
one_line "--snapshot by what cannot be caught" 125 "jailrun: --snapshot=SIGKILL: *" "$jailrun" --snapshot=SIGKILL true
says "--snapshot=RTMIN+3" 0 '' "$jailrun" --snapshot=RTMIN+3 true
says "notes of an earlier libjail mean nothing" 0 guest env LIBJAIL_0_LIB=/nonesuch LIBJAIL_0_CARRY=x LIBJAIL_0_VIEW=9 \
	LIBJAIL_0_ARGV0=x LIBJAIL_0_NAMES=7 LIBJAIL_0_FD=8 LIBJAIL_0_AUDIT=/x LIBJAIL_0_PRELOAD=/x "$jailrun" -r "$R" cat /where
one_line "few descriptors" 125 "jailrun: ulimit -n is 14, *" sh -c "ulimit -n 14; exec '$jailrun' true"
says "few descriptors, inside" 0 guest "$jailrun" -r "$R" sh -c 'ulimit -n 8; exec cat /where'
says "16 descriptors" 0 'guest inside' sh -c "ulimit -n 16; exec '$jailrun' --names=host -r '$R' sh -c 'echo \$(cat /where /link)'"
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	got=$(unshare -m sh -c "umount -l /proc && exec setpriv --reuid=$U --regid=$U --clear-groups '$jailrun' -r '$R' true" 2>&1)
	[ $? = 125 ] && case $got in
	*"/proc is not mounted"*) ;;
	*) false ;;
	esac
	row $? "no /proc on this machine"
fi

# -- programs that cannot be held
if command -v "${CC:-cc}" >"$T/log"; then
	printf '%s\n' '__asm__(".section .note.go.buildid,\"a\",@note\n.long 4, 4, 4\n.asciz \"Go\"\n.byte 0\n.long 0\n.previous");' \
		'#include "static.c"' >"$T/go.c"
	echo 'int main(void) { return 0; }' >"$T/static.c"
	if "${CC:-cc}" -fsanitize=address -o "$T/asan" "$T/static.c" 2>"$T/log"; then
		says "AddressSanitizer" 0 '' "$jailrun" -- "$T/asan"
		says "AddressSanitizer, in a child" 0 '' "$jailrun" -- sh -c "'$T/asan'; exit \$?"
		says "AddressSanitizer, in a root" 0 '' "$jailrun" -r / -- "$T/asan"
	fi
	"${CC:-cc}" -o "$R/go" "$T/go.c" && "${CC:-cc}" -static -o "$R/static" "$T/static.c" || exit 1
	one_line "static: refused" 126 'jailrun: /static: statically linked, *' "$jailrun" -r "$R" /static
	one_line "made with Go: refused" 126 'jailrun: /go: made with Go, *' "$jailrun" -r "$R" /go
	# groupadd(8) in a root of one's own: the lock is the root's
	printf '#include <shadow.h>\nint main(void) { return lckpwdf() | !lckpwdf() | ulckpwdf() | !ulckpwdf(); }\n' >"$T/lock.c"
	"${CC:-cc}" -o "$R/lock" "$T/lock.c" || exit 1
	chmod 777 "$R/etc"
	says "lckpwdf" 0 '' "$jailrun" -r "$R" /lock
	[ -f "$R/etc/.pwd.lock" ]
	row $? "lckpwdf: in the root"
	chmod 755 "$R/etc"
	says "made with Go, --static=run" 0 '' "$jailrun" --static=run -r "$R" /go
fi

one_line "jailrun under jailrun" 125 'jailrun: already under libjail: *' "$jailrun" -- "$jailrun" -r "$R" id

# -- roots that are not
one_line "missing root" 125 "jailrun: *$T/nonesuch: no such directory*" "$jailrun" -r "$T/nonesuch" cat
one_line "root is a file" 125 "jailrun: *$R/where: not a directory*" "$jailrun" -r "$R/where" cat
mkdir -p "$T/empty" "$T/closed/root"
one_line "root without /bin/sh" 127 "jailrun: */bin/sh*" "$jailrun" -r "$T/empty" /bin/sh
one_line "root without sh in PATH" 127 "jailrun: *sh*" "$jailrun" -r "$T/empty" sh
cp -R "$R/usr" "$T/closed/root/usr"
chmod 000 "$T/closed"
one_line "unreadable directory on the way" 125 "jailrun: *$T/closed/root: permission denied*" \
	"$jailrun" -r "$T/closed/root" cat
chmod 755 "$T/closed"
one_line "bind of nothing" 125 "jailrun: *$T/nonesuch: no such file*" \
	"$jailrun" -r "$R" -b "$T/nonesuch:/data" cat /where
one_line "bind to nowhere" 125 "jailrun: */nowhere: no such file*" \
	"$jailrun" -r "$R" -b "$T:/nowhere" cat /where
one_line "bind of a directory on a file" 125 "jailrun: */where*" \
	"$jailrun" -r "$R" -b "$T:/where" cat /where
one_line "workdir that is not there, without root" 125 "jailrun: --workdir nonesuch: no such directory" "$jailrun" -w nonesuch pwd
one_line "workdir that only the host has" 125 "jailrun: *$T: no such directory*" \
	"$jailrun" -r "$R" -w "$T" cat /where
one_line "workdir is a file" 125 "jailrun: */where: not a directory*" \
	"$jailrun" -r "$R" -w /where cat /where

# -- roots with names of every kind
deep=$T
while [ ${#deep} -lt 3000 ]; do
	deep=$deep/a-directory-with-a-long-name-so-that-there-need-not-be-so-many-of-them
	mkdir "$deep" || break
done
for name in 'a b' "new${nl}line" "ends in newline$nl" ' ' '-r' '%s' 'a:b' 'a,b\c' "quote'\"\$HOME" 'é'; do
	mv "$R" "$T/$name"
	says "root named '$(printf '%s' "$name" | tr '\n' '?')'" 0 'guest inside' \
		"$jailrun" --root "$T/$name" -- sh -c 'echo $(cat /where /link)'
	mv "$T/$name" "$R"
done
mv "$R" "$deep/root"
says "root of ${#deep} characters" 0 'guest inside' "$jailrun" -r "$deep/root" sh -c 'echo $(cat /where /link)'
mv "$deep/root" "$R"
says "relative root" 0 guest sh -c "cd '$T' && exec '$jailrun' -r root cat /where"
says "root ./ and .." 0 guest sh -c "cd '$R/data' && exec '$jailrun' -r ../../root/. cat /where"
says "root ." 0 guest sh -c "cd '$R' && exec '$jailrun' -r . cat /where"
says "trailing slash" 0 guest "$jailrun" -r "$R/" cat /where
says "many slashes" 0 guest "$jailrun" -r "/$R///" cat /where
ln -s root "$T/to-root"
says "a symlink to the root" 0 guest "$jailrun" -r "$T/to-root" cat /where
says "/ as root" 0 hello "$jailrun" -r / echo hello

# -- where the library is
ln -s usr/bin/jailrun "$T/relative link"
ln -s "$T/relative link" "$T/usr/link"
says "jailrun by two symlinks" 0 guest "$T/usr/link" -r "$R" cat /where
says "jailrun from PATH" 0 guest env PATH="$T/usr/bin:$PATH" jailrun -r "$R" cat /where
says "jailrun as an argument of sh" 0 guest sh -c "cd '$T/usr/bin' && sh jailrun -r '$R' cat /where"
for name in 'with blank' 'with:colon' 'with$LIB'; do
	cp -R "$T/usr" "$T/$name"
	says "library below '$name'" 0 'guest inside' \
		"$T/$name/bin/jailrun" -r "$R" sh -c 'echo $(cat /where /link)'
done
# the descriptors that such a library goes by are not the command's, and not the user's
echo nine >"$T/nine"
says "descriptor 9 is the user's" 0 nine sh -c "'$T/with blank/bin/jailrun' -r '$R' cat 9<'$T/nine' <&9"
says "no descriptor of ours below 10" 0 '0 1 2' "$T/with blank/bin/jailrun" -r "$R" sh -c '
	for n in 0 1 2 3 4 5 6 7 8 9; do ! (eval ": <&$n") 2>/dev/null || l="$l $n"; done; echo $l'
one_line "LIBJAIL_LIB that is not there" 125 "jailrun: LIBJAIL_LIB: /nonesuch.so: *" \
	env LIBJAIL_LIB=/nonesuch.so "$jailrun" cat
says "LIBJAIL_LIB" 0 guest env LIBJAIL_LIB="$lib" "$PWD/tools/jailrun" -r "$R" cat /where

# -- binds
mkdir "$T/host:dir" "$T/a,b" "$T/back\\slash" "$R/x:y"
for dir in 'host:dir' 'a,b' 'back\slash'; do
	echo "$dir" >"$T/$dir/file"
done
chmod -R a+rX "$T"
says "bind a directory" 0 'a,b' "$jailrun" -r "$R" -b "$T/a,b:/data" cat /data/file
says "bind, colon escaped" 0 'host:dir' "$jailrun" -r "$R" -b "$T/host\\:dir:/x\\:y" cat /x:y/file
says "bind, backslash" 0 'back?slash' "$jailrun" -r "$R" -b "$T/back\\slash:/data" cat /data/file
says "bind, relative host" 0 'a,b' sh -c "cd '$T' && exec '$jailrun' -r '$R' -b a,b:/data cat /data/file"
says "bind a file" 0 'nine' "$jailrun" -r "$R" -b "$T/nine:/where" cat /where
says "two binds" 0 'nine a,b' "$jailrun" -r "$R" -b "$T/nine:/where" -b "$T/a,b:/data" \
	sh -c 'echo $(cat /where /data/file)'
says "default binds" 0 'ok' "$jailrun" -r "$R" sh -c 'test -c /dev/null && test -e /proc/self/stat && echo ok'
says "default binds with --bind" 0 'ok' "$jailrun" -r "$R" -b "$T:/data" sh -c 'test -c /dev/null && echo ok'
says "--no-default-binds" 0 'ok' "$jailrun" --no-default-binds -r "$R" sh -c 'test ! -e /dev/null && echo ok'
says "--no-default-binds and --bind" 0 'ok' "$jailrun" --no-default-binds -b "$T/a,b:/data" -r "$R" \
	sh -c 'test ! -e /dev/null && test -e /data/file && echo ok'
says "a process that says its root is where its root is to be found" 0 guest sh -c "
	sh -c 'LIBJAIL_ROOT=/proc/\$\$/root exec sleep 20' >/dev/null 2>&1 &
	for i in 1 2 3 4 5 6 7 8 9; do
		grep -q LIBJAIL_ROOT /proc/\$!/environ && break
		sleep .1
	done
	'$jailrun' -r '$R' cat /proc/\$!/root/where
	status=\$?
	kill \$!
	exit \$status"
rmdir "$R/sys"
says "a root without /sys" 0 guest "$jailrun" -r "$R" cat /where

# -- the directory
says "cwd in the root" 0 /data/sub sh -c "cd '$R/data/sub' && exec '$jailrun' -r '$R' /bin/sh -c 'unset PWD; exec sh -c pwd'"
says "cwd outside the root" 0 / sh -c "cd '$T/usr' && exec '$jailrun' -r '$R' sh -c pwd"
says "cwd in a bind" 0 /data sh -c "cd '$T/a,b' && exec '$jailrun' -r '$R' -b .:/data sh -c pwd"
says "--workdir" 0 /data/sub "$jailrun" -r "$R" -w /data/sub sh -c pwd
says "--workdir, relative" 0 /data "$jailrun" -r "$R" --workdir=data sh -c pwd
says "--workdir by a link of the root" 0 /etc/only "$jailrun" -r "$R" -w /lnk sh -c 'cd -P . && pwd'
says "--workdir without root, relative" 0 "$R/data" sh -c "cd '$R' && exec '$jailrun' -w data pwd"
says "--workdir without root" 0 "$R/data" "$jailrun" -w "$R/data" sh -c 'pwd -P'
says "no root: the directory stays" 0 "$T" sh -c "cd '$T' && exec '$jailrun' sh -c pwd"

# -- arguments, environment, input
says "arguments are exact" 0 '()(a b)(new?line)(\*)(\\n)('"'"'"$HOME)' "$jailrun" -r "$R" \
	sh -c 'for a; do printf "(%s)" "$a"; done' sh '' 'a b' "new${nl}line" '*' '\n' "'\"\$HOME"
says "the environment is exact" 0 "A=1${nl}B=two words${nl}PATH=/bin" env -i PATH=/bin A=1 B='two words' \
	/bin/sh -c "unset PWD; '$jailrun' -r '$R' env | /usr/bin/sort | /bin/grep -Ev '^(LIBJAIL_|LD_|_=)'"
says "PWD as the user had it" 0 "PWD=$T" sh -c "cd '$T' && '$jailrun' -r '$R' env | grep ^PWD="
says "env -i stays inside" 0 guest "$jailrun" -r "$R" env -i /bin/sh -c '/bin/cat /where'
says "env -i shows nothing" 0 '' "$jailrun" -r "$R" env -i env
says "a preload of the host that is not there is dropped" 0 "*LD_PRELOAD=/nonesuch.so*guest" \
	sh -c "LD_PRELOAD=/nonesuch.so '$jailrun' -vr '$R' cat /where 2>&1 | grep -v ERROR"
says "stdin is the user's" 0 typed sh -c "echo typed | '$jailrun' -r '$R' cat"
says "another PATH of the guest" 0 guest env PATH=/usr/bin:/data "$jailrun" -r "$R" cat /where
says "no host library is mapped" 0 '' "$jailrun" -r "$R" sh -c "
	cat /proc/self/maps | while read -r a b c d e f; do
		case \$f in '' | '['* | $R/* | $T/usr/lib/libjail*) ;; *) echo \"\$f\" ;; esac
	done"
done_testing
