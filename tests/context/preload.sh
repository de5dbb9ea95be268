#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Other libraries beside libjail: their constructors run first and make path calls (early.c), they
# are preloaded in front of it and behind it, they wrap the same names (libfakeroot, libeatmydata),
# they audit (LD_AUDIT of the user).  And what needs more than one program: a root that is renamed
# while it is in use, / as the root, binds of files, an empty environment.
# shellcheck disable=SC2016 # what is in single quotes is for the guest's shell
# shellcheck source=tests/program/common
. "${0%/*}/../program/common"
CC=${CC:-cc}
src=$PWD/tests/context
R=$T/root

"$T/usr/bin/jailroot" "$R" sh cat env readlink id stat sleep mkdir ls >"$T/log" 2>&1 || {
	cat "$T/log"
	row 1 "a root made by jailroot"
	done_testing
}
echo guest >"$R/which"
ln -s /target "$R/link"
mkdir "$R/which.d" "$R/lib/t" "$R/empty"
chmod 1777 "$R/empty"
echo "jailer:x:$(as id -u):$(as id -g)::/:/bin/sh" >"$R/etc/passwd"
for r in /lib /usr/lib; do
	cp -L "$r/$($CC -print-multiarch)/libdl.so.2" "$R/lib/$($CC -print-multiarch)" 2>/dev/null && break
done

# lib DIR NAME [FLAG...]
lib_of() {
	o=$1/lib$2.so name=$2
	shift 2
	$CC -O1 -shared -fPIC -DLIB="$name" -o "$o" "$src/early.c" "$@" || exit 1
}
for name in front back plain; do
	lib_of "$R/lib/t" $name
done
lib_of "$R/lib/t" first -Wl,-z,initfirst
$CC -O1 -o "$R/bin/early" "$src/early_main.c" -ldl || exit 1
$CC -O1 -DNEEDED -o "$R/bin/needed" "$src/early_main.c" -L"$R/lib/t" -Wl,--no-as-needed -lplain -lfirst \
	-Wl,-rpath,"/lib/t:\$ORIGIN/../lib/t" -ldl || exit 1

seen() { # LIB...: what each must have seen
	for s; do
		echo "$s: which guest fd 3 stat 0 link /target user jailer cwd / dir yes"
	done
	echo "main: which guest"
}
for resolver in auto walk; do
	in_root() { # NAME TEXT COMMAND...
		in_name="$1 ($resolver)" in_text=$2
		shift 2
		says "$in_name" 0 "$in_text" env LIBJAIL_RESOLVER=$resolver "$jailrun" -r "$R" "$@"
	}
	in_root "constructors of DT_NEEDED libraries, one of them -z initfirst" "$(seen first plain)" /bin/needed
	in_root "constructors of the guest's own preloads" "$(seen front back)" \
		env LD_PRELOAD=/lib/t/libfront.so:/lib/t/libback.so /bin/early
	in_root "-z initfirst in a preload too" "$(seen first plain)" env LD_PRELOAD=/lib/t/libfirst.so /bin/needed
	# glibc has no getenv(3) for the first of them yet
	in_root "a constructor that forks and executes" "guest
$(seen first plain)" env EARLY_EXEC=yes /bin/needed
done

# without a root: the library in front, behind, and needed; names from the host's own files
user=$(as id -un 2>/dev/null) || user=-
root_less() { # LIB...
	for s; do
		echo "$s: which * user $user cwd * dir no"
	done
	echo '*'
}
for list in "$R/lib/t/libfront.so:$lib" "$lib:$R/lib/t/libback.so" "$R/lib/t/libfront.so:$lib:$R/lib/t/libback.so"; do
	want=
	case $list in *front*) want=front ;; esac
	case $list in *back*) want="$want back" ;; esac
	# shellcheck disable=SC2086
	says "preloaded as $(echo "$list" | sed 's,[^:]*/,,g')" 0 "$(root_less $want | sed '$d')" \
		env LD_PRELOAD="$list" "$R/bin/early"
done
# chroot(1) with another library in front: both come along, where the guest has it under that name
mkdir -p "$R$R/lib/t" && cp "$R/lib/t/libfront.so" "$R$R/lib/t"
says "chroot(1) with another preload in front" 0 "$(seen front)" \
	env LD_PRELOAD="$R/lib/t/libfront.so:$lib" chroot "$R" /bin/early

# Libraries that wrap the same names.
for other in libeatmydata.so libfakeroot/libfakeroot-sysv.so; do
	for d in /usr/lib/$($CC -print-multiarch) /usr/lib64 /usr/lib; do
		[ ! -f "$d/$other" ] || break
	done
	name=${other##*/}
	if [ ! -f "$d/$other" ]; then
		rows=$((rows + 1))
		echo "ok $rows - $name # SKIP it is not installed"
		continue
	fi
	work='cd "$1" && mkdir -p w && echo x >w/f && ln -s /w w/l && cat w/f && readlink w/l && stat -c %s w/f && rm -r w'
	mkdir "$T/work" && chmod 777 "$T/work"
	for list in "$d/$other:$lib" "$lib:$d/$other"; do
		says "$(echo "$list" | sed 's,[^:]*/,,g')" 0 "x
/w
2" env LD_PRELOAD="$list" sh -c "$work" sh "$T/work"
		says "$(echo "$list" | sed 's,[^:]*/,,g'), errors" 1 '*No such file or directory' \
			env LD_PRELOAD="$list" cat "$T/nonexistent"
	done
	# in the root, where the guest preloads it
	cp -L "$d/$other" "$R/lib/t/$name"
	for resolver in auto walk; do
		says "$name in the root ($resolver)" 0 "guest
/target" env LIBJAIL_RESOLVER=$resolver "$jailrun" -r "$R" env LD_PRELOAD="/lib/t/$name" \
			/bin/sh -c 'cat /which; readlink /link'
	done
	rm -r "$T/work"
done
# The user's own LD_AUDIT.
cat >"$T/audit.c" <<'END'
#define _GNU_SOURCE
#include <link.h>
#include <string.h>
#include <unistd.h>
unsigned la_version(unsigned v)
{
	return v < LAV_CURRENT ? v : LAV_CURRENT;
}
unsigned la_objopen(struct link_map *m, Lmid_t id, uintptr_t *cookie)
{
	(void)id, (void)cookie;
	if (strstr(m->l_name, "/libc.so"))
		(void)!write(1, "audited\n", 8);
	return 0;
}
END
$CC -shared -fPIC -o "$R/lib/t/audit.so" "$T/audit.c" || exit 1
says "LD_AUDIT of the user, no root" 0 "audited*" env LD_AUDIT="$R/lib/t/audit.so" LD_PRELOAD="$lib" cat /dev/null
# the loader opens it by its host name, where it is not: it says so and goes on without
says "LD_AUDIT of the user in the root" 0 "*guest" "$jailrun" -r "$R" env LD_AUDIT=/lib/t/audit.so /bin/cat /which
says "LD_AUDIT that is not there" 0 "*guest" "$jailrun" -r "$R" env LD_AUDIT=/lib/t/nope.so /bin/cat /which

# -- roots ------------------------------------------------------------------------------------
printf '#!/bin/sh\necho bound\n' >"$T/script"
chmod 755 "$T/script"
for resolver in auto walk; do
	run_in() { # NAME STATUS TEXT ARG...: jailrun
		run_name="$1 ($resolver)" run_status=$2 run_text=$3
		shift 3
		says "$run_name" "$run_status" "$run_text" env LIBJAIL_RESOLVER=$resolver "$jailrun" "$@"
	}
	# renamed while in use; the shell says when
	mkfifo "$T/go" "$T/said" && chmod 666 "$T/go" "$T/said"
	: >"$R/tmp/go" && : >"$R/tmp/said"
	as env LIBJAIL_RESOLVER=$resolver "$jailrun" -r "$R" -b "$T/go:/tmp/go" -b "$T/said:/tmp/said" /bin/sh -c '
		echo ready >/tmp/said; read x </tmp/go
		cat /which; readlink /link; cd /which.d && pwd; /bin/cat /which; id -un; ls /which.d' >"$T/out" 2>&1 &
	read -r _ <"$T/said"
	mv "$R" "$T/moved"
	mkdir "$R" && echo impostor >"$R/which"
	echo go >"$T/go"
	wait $!
	renamed=$?
	rm -r "$R"
	mv "$T/moved" "$R"
	printf 'guest\n/target\n/which.d\nguest\njailer\n' | diff - "$T/out" | sed 's/^/# /'
	printf 'guest\n/target\n/which.d\nguest\njailer\n' | cmp -s - "$T/out" && [ "$renamed" = 0 ]
	row $? "a root that is renamed while it is in use ($resolver)"
	rm "$T/go" "$T/said" "$R/tmp/go" "$R/tmp/said"

	run_in "/ as the root" 0 "$(cat "$R/which")" -r / cat "$R/which"
	run_in "/ as the root, .." 0 / -r / -w /usr sh -c 'cd ../..; pwd'
	run_in "/ as the root, chroot(1) then" 0 guest -r / chroot "$R" /bin/cat /which
	echo shown >"$T/shown"
	: >"$R/etc/shown"
	run_in "a file bound on a file" 0 shown -r "$R" -b "$T/shown:/etc/shown" cat /etc/shown
	run_in "the same by .." 0 shown -r "$R" -b "$T/shown:/etc/shown" cat /which.d/../etc/./shown
	run_in "the same, executed" 0 bound -r "$R" -b "$T/shown:/etc/shown" -b "$T/script:/etc/passwd" /etc/passwd
	run_in "env -i" 0 guest -r "$R" env -i /bin/sh -c '/bin/cat /which'
	run_in "env -i, twice" 0 guest -r "$R" env -i /usr/bin/env -i /bin/cat /which
	run_in "LD_PRELOAD and LIBJAIL_* changed" 0 guest -r "$R" \
		env LD_PRELOAD= LIBJAIL_ROOT=/ LIBJAIL_BIND=none /bin/sh -c 'unset LIBJAIL_ROOT; exec /bin/cat /which'
	run_in "the environment shows none of it" 0 'A=b' -r "$R" env -i A=b /usr/bin/env
done
done_testing
