#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Every function of the surface at priority A that libjail wraps (tests/data/surface.tsv,
# preload/symbols.def), called in every situation of contexts.c: without libjail, with it alone, in a
# root by each resolver; with this machine's libc and with musl.  A symbol without a call is a failing
# row.  Where errors are injected, an answer may be success, the injected error, what the
# same program gets without libjail, or what is listed in injected_too.
#
#   CONTEXTS="step fork" tests/context/calls.sh     these contexts alone
#   INJECT=all tests/context/calls.sh               every error for every system call: minutes
# shellcheck source=tests/program/common
. "${0%/*}/../program/common"
CC=${CC:-cc}
src=$PWD/tests/context
R=$T/root
jail_lib=$lib

"$T/usr/bin/jailroot" "$R" sh cat env >"$T/log" 2>&1 || {
	cat "$T/log"
	row 1 "a root made by jailroot"
	done_testing
}
mkdir -p "$R/ctx/d" "$R/roots" "$R/lib/ctx" "$R/tmp" "$R/var/tmp"
chmod 1777 "$R/tmp" "$R/var/tmp"
printf 'root:x:0:0::/:/bin/sh\n' >"$R/etc/passwd"
printf 'root:x:0:\n' >"$R/etc/group"
echo ctx >"$R/ctx/f"
: >"$R/ctx/d/e1"
: >"$R/ctx/d/e2"
ln -s f "$R/ctx/l"
printf '%s\n' '/dev/x /ab ext4 rw 0 0' >"$R/ctx/fstab"
cat >"$T/prog.c" <<'END'
#include <fcntl.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	char c = 0;

	if (argc > 1 && argv[1][1])
		return fcntl(0, F_GETFD) < 0 ? 42 : 1;
	return argc == 1 || (read(0, &c, 1) == 1 && c == 'c') ? 42 : 1;
}
END
echo 'int plug_told = 42;' >"$T/plug.c"
cat >"$T/set.c" <<'END'
#include <stdlib.h>
__attribute__((constructor)) static void set(void)
{
	for (char name[] = "A"; name[0] < 'Z'; name[0]++)
		setenv(name, "x", 1);
}
END

# LIBC: the programs of this libc, in the root
build_for() {
	libc=$1
	case $libc in
	musl) cc="musl-gcc -idirafter /usr/include -idirafter /usr/include/$($CC -print-multiarch)" dl= ;;
	*) cc=$CC dl="-ldl -lpthread -lutil" ;;
	esac
	flags="-std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra"
	host="-DHOSTDIR=\"$R/ctx\""
	# shellcheck disable=SC2086
	$cc $flags -fPIC -c -o "$T/calls.o" "$src/calls.c" &&
		$cc -shared -Wl,-soname,libcalls.so -o "$R/lib/ctx/libcalls.so" "$T/calls.o" $dl &&
		cp "$R/lib/ctx/libcalls.so" "$R/ctx/libcalls.so" &&
		for name in first second third; do
			what=
			case $name in
			first) what=-Wl,-z,initfirst ;;
			third) what=-DONCE ;;
			esac
			# -Bsymbolic: each has its own calls
			$cc $flags -fPIC -shared -DLIB=$name "$host" -Wl,-Bsymbolic $what -o "$R/lib/ctx/lib$name.so" \
				"$src/ctor.c" "$T/calls.o" $dl || return 1
		done &&
		$cc $flags -o "$R/bin/contexts" "$src/contexts.c" -L"$R/lib/ctx" -Wl,--no-as-needed -lcalls -lsecond -lfirst \
			-Wl,-rpath,"/lib/ctx:\$ORIGIN/../lib/ctx" $dl &&
		$cc -O1 -o "$R/ctx/prog" "$T/prog.c" && cp "$R/ctx/prog" "$R/ctx/ctx-prog" &&
		$cc -O1 -shared -fPIC -o "$R/ctx/plug.so" "$T/plug.c" &&
		$cc -O1 -shared -fPIC -o "$R/lib/ctx/libset.so" "$T/set.c" || return 1
	rm -rf "$R/roots/a" "$R/roots/b"
	for root in a b; do
		mkdir "$T/new" && (cd "$R" && cp -al bin lib* usr etc ctx tmp var "$T/new") || return 1
		for mount in dev proc sys; do
			[ ! -d "$R/$mount" ] || mkdir "$T/new/$mount"
		done
		mv "$T/new" "$R/roots/$root"
	done
	[ "$(id -u)" != 0 ] || chown -R "$U:$U" "$R/ctx" "$R/roots/a/ctx" "$R/roots/b/ctx"
}

libcs=glibc
if command -v musl-gcc >/dev/null; then
	libcs="glibc musl"
	loader=$(find -L /lib -maxdepth 1 -name 'ld-musl-*.so.1' | head -n 1)
	cp -L "$loader" "$R$loader" || exit 1
fi

# LABEL COMMAND...: the rows that it prints, under a label; without privilege, unless as= says otherwise
as=as
rows_of() {
	label=$1
	shift
	# shellcheck disable=SC2086 # words they are
	$as timeout -k 5 "${CONTEXTS_SECONDS:-240}" "$@" ${CONTEXTS:-} >"$T/out" 2>"$T/err" </dev/null
	rows_status=$?
	ended=
	while IFS= read -r line; do
		case $line in
		ok* | not\ ok*)
			rows=$((rows + 1))
			case $line in
			not*) bad=$((bad + 1)) ;;
			esac
			echo "${line%%ok *}ok $rows - $label: ${line#* - }"
			;;
		1..*) ended=yes ;;
		*) echo "# ${line#\# }" ;;
		esac
	done <"$T/out"
	sed 's/^/# stderr: /' "$T/err" | head -n 20
	[ "$ended" = yes ] || row 1 "$label: came to an end (status $rows_status)"
}

# What may come instead of the injected error, FUNCTION:CALL:ANSWER as patterns: memory is out when
# mmap says so, whatever its error; ttyname(3) does not believe what it cannot look up; EIO is what calls.c
# makes of a child or a loader that failed, and those carry the filter on; tmpfile(3) says ENOENT where it
# cannot look at its directory (glibc, __path_search()); faccessat(3) leaves the ENOSYS of faccessat2(2) in errno,
# of which the filter lets glibc's own pass here (oracle/linux-4.18 compares it).
injected_too='*:mmap:ENOMEM ttyname*:*:19 glob*:*:EIO dlopen:*:EIO system:*:EIO posix_spawn*:*:EIO popen:*:* pclose:*:*
	exec*:fcntl:* tmpfile*:*:2 faccessat:faccessat2:*'

# NAME FILE NATIVE: what FILE has that neither the filter nor NATIVE, the same without libjail, explains
injected() {
	awk '/^(INJECT|LOST|CRASH|HANG) / { key = $1 " " $2 " " $3 " " $4 }
		!/^(INJECT|LOST|CRASH|HANG) / { next }
		NR == FNR { native[key] = $5; next }
		$5 != native[key] && !($1 == "INJECT" && $5 == $4) { print }' "$3" "$2" >"$T/odd"
	while read -r word call nr e answer; do
		ok=no
		# shellcheck disable=SC2254 # patterns they are
		for pattern in $injected_too; do
			[ "$word" = INJECT ] || break
			case $call:${nr%%#*}:$answer in
			$pattern) ok=yes ;;
			esac
		done
		[ $ok = yes ] || echo "# $word $call: $nr $e: $answer"
	done <"$T/odd" >"$T/odder"
	head -n 20 "$T/odder"
	[ ! -s "$T/odder" ]
	row $? "$1: errors from below"
}

# LABEL COMMAND...: the same with errors from below; the first is without libjail
inject_of() {
	label=$1
	shift
	set -f
	as timeout -k 5 "${CONTEXTS_SECONDS:-240}" "$@" inject nth >"$T/inject" 2>"$T/err" </dev/null
	grep -q '^1\.\.' "$T/inject" || row 1 "$label: came to an end"
	[ -f "$T/native-$libc" ] || cp "$T/inject" "$T/native-$libc"
	injected "$label" "$T/inject" "$T/native-$libc"
	set +f
}

for libc in $libcs; do
	build_for "$libc" || {
		row 1 "$libc: the programs are built"
		continue
	}
	host_path="$R/ctx:$PATH"
	if [ "$libc" = glibc ]; then
		# the manifest and the surface say what there is
		sed -n -E \
			-e 's/^SAME *\( *([A-Za-z0-9_]+) *,.*/\1/p' \
			-e 's/^(CALL|BLOCK|HAND) *\([^,]*, *([A-Za-z0-9_]+) *,.*/\2/p' preload/symbols.def | sort -u >"$T/wrapped"
		awk -F '\t' '$9 == "A" { print $1 }' tests/data/surface.tsv | sort -u | comm -12 - "$T/wrapped" >"$T/wanted"
		"$R/bin/contexts" list | sort -u >"$T/listed"
		comm -23 "$T/wanted" "$T/listed" | sed 's/^/# no call: /'
		[ -s "$T/wanted" ] && [ -z "$(comm -23 "$T/wanted" "$T/listed")" ]
		row $? "every wrapped function of priority A has a call in calls.c: $(wc -l <"$T/wanted")"
	fi
	# the kernel's chroot(2) wants privilege
	without=
	if [ "$(id -u)" = 0 ]; then
		without=threads
		as=
		case " ${CONTEXTS:-threads} " in
		*" threads "*) rows_of "$libc, native" env PATH="$host_path" "$R/bin/contexts" "$R/ctx" "$R/ctx" threads ;;
		esac
		as=as
	fi
	rows_of "$libc, native" env WITHOUT=$without PATH="$host_path" "$R/bin/contexts" "$R/ctx" "$R/ctx"
	rows_of "$libc, preloaded" env PATH="$host_path" LD_PRELOAD="$R/lib/ctx/libthird.so:$jail_lib" \
		"$R/bin/contexts" "$R/ctx" "$R/ctx"
	# musl: the shell is glibc's, and a list that was read at the start is what it gets
	third=/lib/ctx/libthird.so
	[ "$libc" = glibc ] || third=
	rows_of "$libc, root" "$jailrun" -r "$R" env PATH=/ctx:/bin LD_PRELOAD=$third /bin/contexts /ctx "$R/ctx"
	says "$libc, root: a constructor in front that changes the environment" 42 "" \
		"$jailrun" -r "$R" env LD_PRELOAD=/lib/ctx/libset.so /ctx/prog
	rows_of "$libc, root, walk" env WALK=yes LIBJAIL_RESOLVER=walk "$jailrun" -r "$R" env PATH=/ctx:/bin \
		/bin/contexts /ctx "$R/ctx"

	# what the guest layer does is the same for every libc
	if [ "$libc" != glibc ] || [ -n "${CONTEXTS:-}" ]; then
		continue
	fi
	inject_of "$libc, native" env PATH="$host_path" "$R/bin/contexts" "$R/ctx" "$R/ctx"
	inject_of "$libc, preloaded" env PATH="$host_path" LD_PRELOAD="$jail_lib" "$R/bin/contexts" "$R/ctx" "$R/ctx"
	inject_of "$libc, root" "$jailrun" -r "$R" env PATH=/ctx:/bin /bin/contexts /ctx "$R/ctx"
	inject_of "$libc, root, walk" env LIBJAIL_RESOLVER=walk "$jailrun" -r "$R" env PATH=/ctx:/bin /bin/contexts /ctx "$R/ctx"
done
done_testing
