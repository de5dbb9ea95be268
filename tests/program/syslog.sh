#!/bin/sh
# SPDX-License-Identifier: ISC
#
# syslog(3) in a root: what the cases of syslog.c write to /dev/log, to stderr and to the console,
# under the kernel's chroot and under jailrun; plain and fortified, and by musl.
# shellcheck source=tests/program/common
. "${0%/*}/common"
[ "$(id -u)" = 0 ] || skip_all "the kernel's chroot to compare with needs root"

root=$T/root
mkdir -p "$T/opt"
${CC:-cc} -std=gnu11 -Wall -O1 -U_FORTIFY_SOURCE -o "$T/opt/plain" tests/program/syslog.c &&
	${CC:-cc} -std=gnu11 -Wall -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -o "$T/opt/fortified" \
		tests/program/syslog.c &&
	"$T/usr/bin/jailroot" "$root" "$T/opt/plain" "$T/opt/fortified" >/dev/null || exit 1
programs="plain fortified"
loader=$(find -L /lib -maxdepth 1 -name 'ld-musl-*.so.1' 2>/dev/null | head -n 1)
if [ -n "$loader" ] && musl-gcc -std=gnu11 -O1 -o "$T/opt/musl" tests/program/syslog.c 2>/dev/null; then
	cp "$T/opt/musl" "$root$T/opt/musl"
	mkdir -p "$root/lib"
	cp -L "$loader" "$root$loader"
	programs="$programs musl"
fi
chmod -R a+rX "$root"
mkdir -p "$root/dev"
rm -f "$root/dev/"*
: >"$root/dev/console"
chown -R "$U:$U" "$root/dev"

# shellcheck disable=SC2317 # called by name
in_kernel() {
	env -i PATH="$PATH" TZ=XYZ-3 timeout 20 chroot --userspec="+$U:+$U" --groups='' "$root" "$@"
}

# shellcheck disable=SC2317
in_jail() {
	(cd / && env -i PATH="$PATH" TZ=XYZ-3 timeout 20 setpriv --reuid="$U" --regid="$U" --clear-groups -- \
		"$jailrun" --no-default-binds --root "$root" -- "$@")
}

# chroot(2) by the program itself, where / is the host's but for /dev
on_host() { # COMMAND...
	# shellcheck disable=SC2016
	env -i PATH="$PATH" TZ=XYZ-3 unshare -m --propagation private \
		sh -c 'mount --bind "$0/dev" /dev && cd / && exec timeout 20 "$@"' "$root" "$@"
}

# NAME: the same under both: stdout, stderr, status
compare() {
	compare_result=0
	for what in out err status; do
		cmp -s "$T/kernel.$what" "$T/jail.$what" && continue
		compare_result=1
		echo "# $what differs, < kernel, > jail:"
		diff -a "$T/kernel.$what" "$T/jail.$what" | head -n 12 | cut -c 1-300 | sed 's/^/#   /'
	done
	row "$compare_result" "$1"
}

for program in $programs; do
	for type in dgram stream; do
		# musl knows no stream
		[ "$program $type" != "musl stream" ] || continue
		for case in defaults openlog ident mask errno perror invalid long again other none fork; do
			for side in kernel jail; do
				: >"$root/dev/console"
				"in_$side" "$T/opt/$program" "$type" "$case" >"$T/$side.out" 2>"$T/$side.err" </dev/null
				echo "$?" >"$T/$side.status"
			done
			compare "$program, $type: $case"
		done
		[ "$(cat "$T/kernel.status")" = 0 ] && grep -q '^<' "$T/kernel.out"
		row $? "$program, $type: something was logged"
	done
done

mkdir "$root/inner"
for program in $programs; do
	on_host true 2>/dev/null || break # no mount name space
	on_host "$T/opt/$program" dgram chroot "$root/inner" >"$T/kernel.out" 2>"$T/kernel.err"
	echo "$?" >"$T/kernel.status"
	on_host setpriv --reuid="$U" --regid="$U" --clear-groups -- env LD_PRELOAD="$lib" \
		"$T/opt/$program" dgram chroot "$root/inner" >"$T/jail.out" 2>"$T/jail.err"
	echo "$?" >"$T/jail.status"
	compare "$program: connected, then chroot"
done
done_testing
