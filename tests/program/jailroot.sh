#!/bin/sh
# SPDX-License-Identifier: ISC
#
# jailroot: what it copies, and what it says when it cannot.  The roots are judged by the kernel's
# chroot where we are root, and by their files elsewhere.
# shellcheck source=tests/program/common
. "${0%/*}/common"

mkdir "$T/work"
[ "$(id -u)" != 0 ] || chown "$U:$U" "$T/work"
cd "$T/work" || exit 1
jailroot=$T/usr/bin/jailroot

says "--version" 0 'jailroot (libjail) 0.1' "$jailroot" --version
says "--help" 0 'usage: jailroot *' "$jailroot" --help
one_line "no DIR" 1 'jailroot: DIR is missing*' "$jailroot"
one_line "unknown option" 1 'jailroot: *--x*' "$jailroot" --x
one_line "unknown command" 1 'jailroot: not found in PATH: nonesuch' "$jailroot" new ls nonesuch
[ ! -e new ]
row $? "which leaves nothing"
as sh -c 'mkdir full && echo precious >full/file && echo >file'
one_line "a directory of somebody else" 1 'jailroot: *full: is not empty*' "$jailroot" full ls
[ "$(ls full)" = file ]
row $? "which is left as it is"
one_line "a file" 1 'jailroot: *file: is not a directory' "$jailroot" file ls
as sh -c 'mkdir closed && chmod 555 closed'
one_line "a directory that cannot be written" 1 'jailroot: *closed: cannot be written' "$jailroot" closed ls
as sh -c 'printf "#!/nonesuch\n" >script && chmod +x script'
one_line "a script without interpreter" 1 'jailroot: *script: its interpreter /nonesuch is not there; *' \
	"$jailroot" broken ./script

says "a root with blanks in its name" 0 '' "$jailroot" 'my root' ls cat
says "once more, with more" 0 '' "$jailroot" 'my root' id
as sh -c 'printf "#!/usr/bin/env cat\nscript\n" >script'
says "a script, by its path" 0 '' "$jailroot" 'my root' "$T/work/script"
R="$T/work/my root"
[ "$(stat -c %a "$R/tmp")" = 1777 ]
row $? "/tmp is open"
[ ! -L /bin ] || [ "$(readlink "$R/bin")" = "$(readlink /bin)" ]
row $? "/bin as on this machine"
grep -q "^root:x:0:0:" "$R/etc/passwd" && [ "$(grep -c ":$(as id -u):" "$R/etc/passwd")" = 1 ]
row $? "root and the user in passwd"
! find "$R" -perm /6000 -type f | grep .
row $? "nothing is set-user-ID"
! find "$R" -name .jailroot | grep .
row $? "nothing half-made"
if [ "$(id -u)" = 0 ]; then
	[ "$(chroot "$R" /bin/sh -c 'cat /etc/jailroot | cat && ls /proc' | wc -l)" = 1 ]
	row $? "its programs run under the kernel's chroot"
	[ "$(chroot "$R" "$T/work/script" | tail -n 1)" = script ]
	row $? "its script too"
fi
says "its programs run under jailrun" 0 "*[0-9]*" "$jailrun" -r "$R" id
says "its script too" 0 "*script" "$jailrun" -r "$R" "$T/work/script"
done_testing
