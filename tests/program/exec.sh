#!/bin/sh
# SPDX-License-Identifier: ISC
#
# exec.c under the kernel's chroot and under libjail: lists of any length from stacks of any size, changed ELF
# files and #! lines; and what an exec leaves behind for the other threads of its process.
# shellcheck source=tests/program/common
. "${0%/*}/common"
CC=${CC:-cc}
$CC -O1 -w -pthread -o "$T/exec" tests/program/exec.c || skip_all "no compiler"
cp "$T/exec" "$T/copy"
printf 'no program\n' >"$T/text"
chmod 755 "$T/text"
mkdir "$T/fixture"
mkdir -m 777 "$T/work"

# STACK_KIB COUNT LENGTH: more than any limit, much for a small stack, much, and the longest string
lists='16 2000000 1
16 4000 1
8192 100000 1
16 3 131071
16 3 131072'
hows='execv vfork execvp execvpe execl execle execlp spawn fexecve'
export T hows lists
cat >"$T/many" <<'END'
#!/bin/sh
# DIR PROGRAM...: what each way to execute them says
dir=$1
shift
for how in $hows; do
	for program in "$@"; do
		echo "$lists" | while read -r stack count length; do
			echo "$how $program $stack $count $length: $("$dir/exec" many "$how" "$program" "$stack" "$count" "$length" 2>&1)"
		done
	done
done
END
chmod 755 "$T/many"
as sh "$T/many" "$T" /bin/true >"$T/native"
says "no root: lists of any length, stacks of any size" 0 "$(cat "$T/native")" "$jailrun" -- sh "$T/many" "$T" /bin/true
cat >"$T/cleared" <<'END'
#!/bin/sh
exec env -i PATH="$PATH" T="$T" hows="$hows" lists="$lists" "$@"
END
chmod 755 "$T/cleared"
says "no root: the same, with an environment to complete" 0 "$(cat "$T/native")" \
	"$jailrun" -- "$T/cleared" sh "$T/many" "$T" /bin/true
says "no root: a failing exec gives other children nothing" 0 "" "$jailrun" -- "$T/exec" inherits 100 fails "$T/text" "$T/copy"
says "no root: nor does one that succeeds" 0 "" "$jailrun" -- "$T/exec" inherits 30 works /bin/true "$T/copy"
says "no root: a lock lives on" 0 kept "$jailrun" -- sh -c "cd '$T/work' && exec '$T/exec' keeps"
says "no root: with a report a signal stays pending" 0 pending "$jailrun" --report="$T/work/events" -- "$T/exec" pends
says "no root: with a report a filter kills nobody" 0 " [[]print] [[]executed]" \
	"$jailrun" --report="$T/work/events" -- "$T/exec" filtered
says "no root: vfork leaves no memory behind" 0 "*grows by little" "$jailrun" -- "$T/exec" again 100

# shellcheck source=tests/program/roots
. tests/program/roots
ENVIRON="$ENVIRON LIBJAIL_STATIC=run T=/opt/exec"
for release in ${RELEASES:-bookworm trixie,walk}; do
	release_parts
	release_root || continue
	mkdir -p "$root/opt/exec"
	cp tests/program/exec.c "$root/opt/exec"
	cp "$T/many" "$T/text" "$root/opt/exec"
	chroot "$root" env -i PATH=/usr/bin:/bin sh -ec 'cd /opt/exec; gcc -O1 -w -pthread -o exec exec.c; cp exec copy
		printf "#!/opt/exec/exec print" >script; chmod 755 script' >"$T/log" 2>&1 </dev/null || {
		sed 's/^/# /' "$T/log"
		row 1 "$release: the program can be made"
		continue
	}
	inside() { # NAME ARG...: in a directory where files can be made
		inside_name=$1
		shift
		# shellcheck disable=SC2016
		same "$inside_name" sh -c 'cd /home/jailer/work && exec "$@"' sh "$@"
	}
	[ -z "$WALK" ] || lists='32 4000 1' # the walker has two paths on the stack
	same "lists of any length, stacks of any size" env hows="$hows" lists="$lists" /opt/exec/many /opt/exec /bin/true
	same "the same, to a script and to nothing" env hows='execv vfork execvp spawn' lists='32 2000000 1
32 4000 1' /opt/exec/many /opt/exec /opt/exec/script /nope/x
	inside "changed ELF files" /opt/exec/exec elf 1 250
	inside "#! lines" /opt/exec/exec script 1 250
	inside "a lock lives on" /opt/exec/exec keeps
	same "vfork leaves no memory behind" /opt/exec/exec again 100
	same "nor do more threads than there is room for at first" /opt/exec/exec together 10
	same "a signal stays pending" /opt/exec/exec pends
	same "a policy stays that a new thread does not get" /opt/exec/exec batch
	same "a filter kills nobody" /opt/exec/exec filtered
	"$jailrun" --root "$root" -- /opt/exec/exec differ >"$T/log" 2>&1 </dev/null
	grep -q "real and effective user or group differ" "$T/log" && grep -qx 1 "$T/log"
	row $? "$release: EPERM and why where a loader would ignore libjail"
	for how in fails works; do
		in_jail /opt/exec/exec inherits 20 $how /bin/true /opt/exec/copy >"$T/log" 2>&1
		[ ! -s "$T/log" ]
		row $? "$release: other children get nothing of an exec that $how"
	done
done
done_testing
