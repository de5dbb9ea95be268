#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What has been looked at a moment ago and leads elsewhere now, by each of the ways that there are; and lookups where there
# is little room, or little allowed (clean.c).  In a root, by glibc and musl, as the kernel's chroot has it.
# shellcheck source=tests/program/common
. "${0%/*}/../program/common"
CC=${CC:-cc}
R=$T/root
away=$T/away # the same name within the root, and beside it
mkdir -p "$R/d1/a/b" "$R/d2" "$R/d3/a/b" "$R/proc" "$R/bin" "$R/usr/bin" "$R$away/b" "$away/b"
printf 1 >"$R/d1/a/b/f"
printf 22 >"$R$away/b/f"
printf 333 >"$R/d3/a/b/f"
printf 7777777 >"$away/b/f"
ln -s "$away" "$R/d2/a"
ln -s d1 "$R/l1"
ln -s l1 "$R/l2"
ln -s l2 "$R/l3"
into_root() { # PROGRAM: it and its libraries
	cp -L "$1" "$R/bin/"
	ldd "$1" | grep -o '/[^ ]*' | while read -r file; do
		mkdir -p "$R${file%/*}"
		cp -L "$file" "$R$file"
	done
}
sed "s:\"/away\":\"$away\":g" tests/context/clean.c >"$T/clean.c"
$CC -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -o "$T/clean" "$T/clean.c" -lpthread || exit 1
for program in "$T/clean" /bin/sh /bin/rm; do into_root "$program"; done

wanted() {
	case $1 in
	changes)
		for name in symlink link rename 'linkat by its number' 'linkat of what is held' 'an ancestor'; do
			echo "$name 1 2"
		done
		;;
	freopen | CLONE_*) echo 1 2 ;;
	dup2) echo 1 0 ;;
	stack) echo 1 1 1 1 ;;
	unshare) echo 3 2 ;;
	vfork) echo 1 2 1 ;;
	filter*) echo 1 2 -1 ;;
	clock) echo 1 1 ;;
	esac
}

# WHAT CASE COMMAND...
check() {
	what=$1 case=$2
	shift 2
	got=$(timeout 60 "$@" 2>&1)
	[ "$got" = "$(wanted "$case")" ]
	result=$?
	[ "$result" = 0 ] || printf '%s\n' "$got" | sed 's/^/# /'
	row "$result" "$what: $case"
}

cases='changes freopen dup2 CLONE_FILES CLONE_VM CLONE_FS unshare vfork stack filter filter-threads clock'
for program in clean clean-musl; do
	if [ $program = clean-musl ]; then
		command -v musl-gcc >/dev/null || {
			row 0 "musl # SKIP no musl-gcc"
			continue
		}
		musl-gcc -std=gnu11 -D_GNU_SOURCE -O1 -idirafter /usr/include -idirafter "/usr/include/$(cc -print-multiarch)" \
			-o "$T/$program" "$T/clean.c" || exit 1
		cp "$T/$program" "$R/bin/"
		mkdir -p "$R/lib" && cp -L /lib/ld-musl-*.so.1 "$R/lib/"
	fi
	for case in $cases; do
		[ "$(id -u)" != 0 ] || [ "$case" = changes ] ||
			check "$program, the kernel" "$case" chroot "$R" "/bin/$program" "$case"
		for clean in on always; do
			check "$program, LIBJAIL_CLEAN=$clean" "$case" \
				env LIBJAIL_CLEAN="$clean" "$jailrun" --root "$R" -w / -- "/bin/$program" "$case"
		done
	done
done

# a limit that kills who writes
got=$(
	{
		ulimit -f 0
		"$jailrun" --root "$R" -w / -- /bin/sh -c 'echo good'
	} 2>&1
)
[ "$got" = good ]
row $? 'a root is entered under ulimit -f 0'
done_testing
