#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Every entrance that makes, closes or hands on a descriptor, by what is reported of it: the table of
# a process (a snapshot) against what records.c says it has open.
# shellcheck source=tests/program/common
. "${0%/*}/../program/common"
CC=${CC:-cc}
src=tests/context/records.c

# LABEL PROGRAM ARGUMENT...: what it prints to $T/out, what is reported to $T/events
run() {
	label=$1
	shift
	rm -f "$T/events"
	if [ -n "$root" ]; then
		set -- "$jailrun" --root "$root" -- "$@"
	else
		set -- env LD_PRELOAD="$lib" "$@"
	fi
	LIBJAIL_REPORT="$T/events" timeout 60 "$@" >"$T/out" 2>"$T/err" </dev/null
	status=$?
	[ -f "$T/events" ] || : >"$T/events"
	[ ! -s "$T/err" ] || sed 's/^/# /' "$T/err"
	pid=$(sed -n 's/^{"v":1,"ev":"start".*"pid":\([0-9]*\).*/\1/p' "$T/events" | head -n 1)
	grep "\"pid\":$pid," "$T/events" >"$T/own"
}
root=

# every descriptor of $T/out is in the snapshot with its class and call, and no other
table() {
	grep -c '"ev":"snapshot"' "$T/own" | grep -qx 1
	row $? "$label: a snapshot"
	grep '"ev":"table".*"call":' "$T/own" >"$T/table" # what was inherited was made by no call here
	while read -r fd class call; do
		case $fd in
		[0-9]*) ;;
		'#') echo "# $class $call" && continue ;;
		*) continue ;;
		esac
		grep "\"class\":\"$class\"" "$T/table" | grep "\"call\":\"$call\"" | grep -q "{\"fd\":$fd,"
		row $? "$label: $call made $fd, a $class"
	done <"$T/out"
	grep -o '{"fd":[0-9]*' "$T/table" | sed 's/.*://' | sort >"$T/have"
	sed -n 's/^\([0-9][0-9]*\) .*/\1/p' "$T/out" | sort >"$T/want"
	# what a pair has besides
	comm -23 "$T/have" "$T/want" >"$T/more"
	[ "$(wc -l <"$T/more")" -le "$1" ]
	row $? "$label: and nothing else is open (but for $1)"
}

# the last row: the exit event, and nothing was wrong
clean() {
	! grep -E '"ev":"(never-closed|bad-close|emfile)"' "$T/own"
	row $? "$label: nothing left open, no bad close"
	grep '"ev":"exit"' "$T/own" | grep -q "\"pid\":$pid,.*${1:-}.*\"open\":0"
	row $? "$label: an exit event, none open"
}

builds=glibc
# shellcheck disable=SC2086
$CC -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Wno-unused-result -o "$T/records-glibc" $src -lutil -lrt || exit 1
if command -v musl-gcc >/dev/null &&
	musl-gcc -std=gnu11 -D_GNU_SOURCE -O1 -g -idirafter /usr/include \
		-idirafter "/usr/include/$(cc -print-multiarch)" -o "$T/records-musl" $src 2>"$T/log"; then
	builds="glibc musl"
fi

for libc in $builds; do
	for root in "" /; do
		where=${root:+, in a root}
		run "$libc$where" "$T/records-$libc" all
		[ "$status" = 0 ]
		row $? "$label: runs"
		table 2 # the other ends of pipe2 and socketpair
		clean
		run "$libc$where, children" "$T/records-$libc" children
		table 0
		clean
		run "$libc$where, mistakes" "$T/records-$libc" mistakes
		for kind in double not-open stream directory; do
			[ "$(grep '"ev":"bad-close"' "$T/own" | grep -c "\"kind\":\"$kind\"")" = 1 ]
			row $? "$label: one $kind"
		done
		[ "$(grep -c '"ev":"bad-close"' "$T/own")" = 4 ]
		row $? "$label: and no other"
	done
	root=/
	run "$libc, in a root, libjail's own" "$T/records-$libc" internal
	[ "$status" = 0 ]
	row $? "$label: not closed"
	! grep -q '"ev":"bad-close"' "$T/own" # the program cannot act on it: /proc/self/fd showed it the number
	row $? "$label: not told"
	root=
	for how in _exit _Exit quick_exit exit_group; do
		run "$libc, $how" "$T/records-$libc" "$how" 7
		[ "$status" = 7 ]
		row $? "$label: the status is the program's"
		clean '"status":7'
	done
done

# kqueue: a library such as libkqueue, whose queue is a descriptor made inside
cat >"$T/kqueue.c" <<'END'
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>
int kqueue(void) { return epoll_create(1); }
int kqueue1(int flags) { long r; (void)flags; /* by no wrapper: as a library linked statically */
#ifdef __x86_64__
	__asm__ volatile("syscall" : "=a"(r) : "a"((long)SYS_epoll_create1), "D"(0L) : "rcx", "r11", "memory");
#else
	r = epoll_create1(0);
#endif
	return (int)r; }
END
cat >"$T/absent.c" <<'END'
#include <errno.h>
int kqueue(void) __attribute__((weak));
int main(void) { return !(!kqueue || (kqueue() == -1 && errno == ENOSYS)); }
END
$CC -shared -fPIC -o "$T/libkqueue.so" "$T/kqueue.c" && $CC -o "$T/absent" "$T/absent.c" &&
	$CC -std=gnu11 -D_GNU_SOURCE -O1 -Wno-unused-result -o "$T/records-kqueue" $src -L"$T" -Wl,--no-as-needed -lkqueue -lutil -lrt \
		-Wl,-rpath,"$T" || exit 1
run "kqueue" "$T/records-kqueue" kqueue
table 0
grep -qx 'flags 1 1' "$T/out"
row $? "kqueue: both have the flag"
run "kqueue, absent" "$T/absent"
row "$status" "$label: fails as a call that a kernel lacks"

done_testing
