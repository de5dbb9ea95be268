#!/bin/sh
# SPDX-License-Identifier: ISC
#
# AddressSanitizer and UndefinedBehaviorSanitizer: the unit tests built with them, layers and all,
# and a program built with them beside libjail, preloaded and in a root.
# shellcheck source=tests/program/common
. "${0%/*}/../program/common"
CC=${CC:-cc}
flags="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"
ASAN_OPTIONS=detect_leaks=0 # LeakSanitizer wants ptrace(2)
export ASAN_OPTIONS

printf 'int main(void) { return 0; }\n' >"$T/true.c"
# shellcheck disable=SC2086
if ! $CC $flags -o "$T/true" "$T/true.c" >"$T/log" 2>&1 || ! "$T/true" >"$T/log" 2>&1; then
	skip_all "$CC cannot build with $flags here"
fi

# -- the unit tests ---------------------------------------------------------------------------

printf '#include <stdarg.h>\n#include <stddef.h>\n#include <setjmp.h>\n#include <stdint.h>\n#include <cmocka.h>\n' \
	>"$T/cm.c"
if $CC -fsyntax-only "$T/cm.c" 2>/dev/null; then
	sanitized="-std=gnu11 -D_GNU_SOURCE -O1 -g $flags -fno-strict-aliasing"
	mkdir "$T/o"
	for c in preload/*.c preload/*/*.c preload/*/*/*.c; do # the layers, as tests/run.sh has them
		case $c in
		*/shape.c | */audit.c | */call/*) continue ;;
		esac
		# shellcheck disable=SC2086
		$CC $sanitized -DLIBJAIL_VERSION='"test"' -c -o "$T/o/$(echo "$c" | tr / -).o" "$c" || exit 1
	done
	rm -f "$T/o/preload-start.c.o" # a constructor would find a root to enter
	ar rcs "$T/layers.a" "$T"/o/*.o
	for src in tests/unit/*.c; do
		name=$(basename "$src" .c) own=$ASAN_OPTIONS
		[ "$name" != unwind ] || continue # they have a backtrace(3) of their own, with other frames
		[ "$name" != mem ] || continue    # these functions are the sanitizer's here
		# rubbish leads it beyond variables of the test, which are no interpreter's
		[ "$name" != script ] || own=$ASAN_OPTIONS:report_globals=0
		# shellcheck disable=SC2086
		$CC $sanitized -I. -Ipreload -o "$T/unit" "$src" "$T/layers.a" -lcmocka -lpthread >"$T/log" 2>&1 &&
			ASAN_OPTIONS=$own timeout -k 1 60 "$T/unit" >"$T/log" 2>&1
		result=$?
		[ $result = 0 ] || tail -n 30 "$T/log" | sed 's/^/# /'
		row $result "unit/$name"
	done
else
	rows=$((rows + 1))
	echo "ok $rows - the unit tests # SKIP no cmocka"
fi

# -- a program beside libjail -------------------------------------------------------------------

cat >"$T/prog.c" <<'END'
#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	char *buf = malloc(64), *cwd = getcwd(NULL, 0), *real = realpath("/", NULL);
	struct stat st;
	FILE *f = fopen(argv[1], "r");
	DIR *d = opendir("/");
	struct passwd *pw = getpwuid(getuid());

	if (!f || !fgets(buf, 64, f) || stat("/", &st) || !cwd || !real || !d || !readdir(d))
		return 1;
	printf("%s%s\n", buf, real);
	(void)pw;
	closedir(d);
	fclose(f);
	free(cwd);
	free(real);
	free(buf);
	if (argc > 2)
		buf[1] = 'x';
	fflush(stdout);
	return 0;
}
END
R=$T/root
# shellcheck disable=SC2086
$CC -g $flags -w -o "$T/prog" "$T/prog.c" || exit 1
echo guest >"$T/which"
asan=$($CC -print-file-name=libasan.so)
[ -f "$asan" ] && asan=$(readlink -f "$asan")
for list in "$asan:$lib" "$lib"; do
	# libjail in front of the runtime needs its consent
	case $list in
	"$lib") opts=verify_asan_link_order=0 ;;
	*) opts= ;;
	esac
	name=$(echo "$list" | sed 's,[^:]*/,,g')
	says "preloaded as $name" 0 'guest
/' env ASAN_OPTIONS="$ASAN_OPTIONS:$opts" LD_PRELOAD="$list" "$T/prog" "$T/which"
	says "preloaded as $name, a mistake is found" 1 '*heap-use-after-free*' \
		env ASAN_OPTIONS="$ASAN_OPTIONS:$opts" LD_PRELOAD="$list" "$T/prog" "$T/which" x
done
if "$T/usr/bin/jailroot" "$R" env "$T/prog" >"$T/log" 2>&1; then
	echo guest >"$R/which"
	for resolver in auto walk; do
		says "in a root ($resolver)" 0 'guest
/' env LIBJAIL_RESOLVER=$resolver "$jailrun" -r "$R" \
			env ASAN_OPTIONS="$ASAN_OPTIONS:verify_asan_link_order=0" "$T/prog" /which
		says "in a root, a mistake is found ($resolver)" 1 '*heap-use-after-free*' \
			env LIBJAIL_RESOLVER=$resolver "$jailrun" -r "$R" \
			env ASAN_OPTIONS="$ASAN_OPTIONS:verify_asan_link_order=0" "$T/prog" /which x
	done
else
	sed 's/^/# /' "$T/log"
	row 1 "a root with the program"
fi
done_testing
