/* SPDX-License-Identifier: ISC
 *
 * More of the oracle's questions, for oracle.c alone to include: what libc makes of several system
 * calls, or does with calls of its own, each function of it that takes or tells a path. */
#include <dlfcn.h>
#include <libintl.h>
#include <locale.h>
#include <mntent.h>
#include <mqueue.h>
#include <nl_types.h>
#include <pty.h>
#include <semaphore.h>
#include <sys/fanotify.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/quota.h>
#include <sys/swap.h>
#include <utmp.h>
#include <utmpx.h>
#include <wordexp.h>
#ifdef __GLIBC__
#include <execinfo.h>
#include <features.h>
#include <fts.h>
#include <link.h>
#endif

static void out_string(const char *text)
{
	out(" ");
	if (text)
		out_text(text, strlen(text));
	else
		out("NULL");
}

/* what can be read from fd until its end */
static void out_rest(int fd)
{
	char buf[4096];
	size_t len = 0;
	ssize_t n;

	while (len < sizeof buf && (n = read(fd, buf + len, sizeof buf - len)) > 0)
		len += (size_t)n;
	out(" ");
	out_text(buf, len);
}

static int made(const char *path, const char *text)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_RDWR, 0644);

	if (fd >= 0 && write(fd, text, strlen(text)) >= 0)
		close(fd);
	return fd;
}

/* -- names, patterns, words ---------------------------------------------------------------- */

static void temp_names(void)
{
	static const char *const dirs[] = {"%/d", "d", "dla", "nope", "locked", "/", "/var/tmp", NULL};
	static const char *const variables[] = {NULL, "%/d", "/nope", "/etc"};
	char buf[512];

	for (size_t v = 0; v < ROWS(variables); v++) {
		if (variables[v])
			setenv("TMPDIR", at_self(variables[v]), 1);
		for (size_t i = 0; i < ROWS(dirs); i++) {
			char *name = tempnam(dirs[i] ? at_self(dirs[i]) : NULL, "prefix");
			char *last = name ? strrchr(name, '/') : NULL;

			out("; %s %s", variables[v] ? variables[v] : "-", dirs[i] ? dirs[i] : "-");
			if (!last) {
				out_string(name);
				continue;
			}
			*last = '\0';
			out_string(name);
			out(" %.5s %zu", last + 1, strlen(last + 1));
		}
	}
	unsetenv("TMPDIR");
	step("tmpnam");
	out(" %d", tmpnam(buf) == buf);
	*strrchr(buf, '/') = '\0';
	out_string(buf);
	step("mktemp");
	for (size_t i = 0; i + 1 < ROWS(dirs); i++) {
		char *name;

		snprintf(buf, sizeof buf, "%s/XXXXXX", at_self(dirs[i]));
		name = mktemp(buf);
		out(" %d %d", name == buf, *buf != '\0' && !strstr(buf, "XXXXXX"));
	}
	step("mkostemps");
	strcpy(buf, at_self("%/d/tmp-XXXXXX.c"));
	out(" %d", fcntl(mkostemps(buf, 2, O_APPEND | O_SYNC), F_GETFL) & (O_APPEND | O_SYNC));
	out(" %d", strlen(buf) == strlen(at_self("%/d/tmp-XXXXXX.c")));
	unlink(buf);
	DO(mkostemps(buf, 99, 0));
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static int walked_old(const char *path, const struct stat *st, int type)
{
	char buf[600];

	(void)st;
	snprintf(buf, sizeof buf, "%s:%d", path, type);
	names_add(buf);
	return strstr(path, "stop") ? 42 : 0;
}

static void walks_old(void)
{
	static const char *const tops[] = {"d/e", "%/d/e", "dle", "abs", "nope", "dang", "locked", "noread", "",
		"/etc", "root/etc", "#"};

	for (size_t i = 0; i < ROWS(tops); i++) {
		char top[PATH_MAX * 2];

		strcpy(top, at_self(tops[i]));
		if (*tops[i] == '#') { /* longer than any path */
			memset(top, 'a', sizeof top);
			top[sizeof top - 1] = '\0';
		}
		out("; %s", tops[i]);
		errno = PRESET;
		if (!worked(ftw(top, walked_old, 3) != -1))
			out(" none");
		names_out();
		out(" %d", nftw(top, walked, 1, FTW_PHYS | FTW_MOUNT));
		names_out();
		out(" %d", nftw(top, walked, 0, FTW_PHYS | FTW_DEPTH));
		names_out();
	}
	out(" %d", nftw("d", walked, 3, 0x1000));
	out_cwd();
}
#pragma GCC diagnostic pop

static void word_lists(void)
{
	static const struct {
		const char *words;
		int flags;
	} rows[] = {
		{"d/*", 0}, {"%/d/*", 0}, {"/etc/o*", 0}, {"nope* 'a b' \"c d\"", 0}, {"$X/e/*", 0}, {"${Y:-f}", 0},
		{"~", 0}, {"~orc/shared/f", 0}, {"~nobody-here", 0}, {"$(echo one two)", 0}, {"`cat /etc/only`", 0},
		{"$(echo x)", WRDE_NOCMD}, {"a|b", 0}, {"$Z", WRDE_UNDEF}, {"\"open", 0}, {"x{f,g}", 0},
		{"root/etc/on*", 0}, {"dla/[ef]", 0}, {"", 0}, {"$(pwd)", 0}, {"$(test -e /etc/debian_version || echo in)", 0},
		{"$(echo '*')", 0}, {"$(echo 'd/*')x", 0}, {"d/*$(echo)", 0}, {"$G", 0}, {"x$G", 0}, {"$G*", 0}, {"\"$G\"?", 0},
		{"${U:=set}", 0}, {"$U", 0}, {"${U:?no}", 0}, {"x=~", 0}, {"a=b:~/x", 0}, {"~:~", 0},
		{"a~", 0}, {"\"$E\"", 0}, {"''", 0}, {"$E", 0}, {"x\"$E\"", 0}, {"$[1+2]", 0}, {"$((1<<3))", 0}, {"$((7/0))", 0},
		{"$?", 0}, {"$-", 0}, {"$(echo a b)c", 0}, {"\"$(echo a b; echo)\"c", 0}, {"$(exit 3)", 0}, {"$(echo (", 0},
		{"`echo \\`echo x\\``", 0}, {"${X#%}", 0}, {"${X##*/}", 0}, {"${X%/*}", 0}, {"${#X}", 0}, {"${X+\"a b\"}", 0},
		{"${N:-~orc}", 0}, {"${N:-~nobody-here}", 0}, {"\\*", 0}, {"'*'", 0}, {"$(test -e /etc/only && pwd)", 0},
		{"$P", 0}, {"\"$P\"", 0}, {"$1$#$@", 0}, {"${Y", 0}, {"${}", 0}, {"$(", 0}, {"`", 0}, {"nowhere/*", 0},
	};

	setenv("X", at_self("%/d"), 1);
	setenv("HOME", at_self("%"), 1);
	setenv("E", "", 1);
	setenv("G", "d/*", 1);
	setenv("P", " a:b  c:", 1);
	for (size_t i = 0; i < ROWS(rows); i++) {
		wordexp_t we;
		int r;

		memset(&we, 0, sizeof we);
		step(rows[i].words);
		r = wordexp(at_self(rows[i].words), &we, rows[i].flags);
		out(" %d", r);
		for (size_t k = 0; r == 0 && k < we.we_wordc; k++)
			out_string(we.we_wordv[k]);
		if (r == 0)
			wordfree(&we);
	}
	step("separators");
	for (int i = 0; i < 3; i++) {
		static const char *const ifs[] = {":", "", " :"};
		wordexp_t we = {.we_offs = 2};

		setenv("IFS", ifs[i], 1);
		out(" %d", wordexp("$P x d/* $(echo a:b:)", &we, WRDE_DOOFFS));
		out(" %d", wordexp("more \"$P\"", &we, WRDE_APPEND | WRDE_DOOFFS));
		out(" %d", wordexp("a|b", &we, WRDE_APPEND | WRDE_DOOFFS));
		for (size_t k = 0; k < we.we_wordc; k++)
			out_string(we.we_wordv[2 + k]);
		out(" %d", wordexp("reused", &we, WRDE_REUSE | WRDE_DOOFFS));
		out_string(we.we_wordv[2]);
		wordfree(&we);
	}
	unsetenv("IFS");
}

static int glob_error(const char *path, int e)
{
	out(" error %s", errno_name(e));
	out_string(path);
	return strstr(path, "locked") != NULL;
}

#ifndef GLOB_TILDE /* musl before 1.1.24 */
#define GLOB_TILDE 0
#define GLOB_TILDE_CHECK 0
#endif

static void op_glob_tilde(const char *pattern, int flags)
{
	glob_t g = {.gl_offs = 1};
	const size_t first = flags & GLOB_DOOFFS ? 1 : 0;
	int r = glob(pattern, flags | GLOB_TILDE, NULL, &g);

	out(" %d", r);
	if (r)
		return;
#ifdef __GLIBC__
	out(" %x", (unsigned)g.gl_flags);
#endif
	for (size_t i = 0; i < g.gl_pathc; i++)
		out_string(g.gl_pathv[first + i]);
	globfree(&g);
}

/* What a tilde leaves of GLOB_NOCHECK and GLOB_NOMAGIC; directories that bear the name of a pattern's
 * start are none of its matches. */
static void globs_tilde(void)
{
	static const char *const homes[] = {"%", "%/f", "/", "%/nope", "", NULL};
	static const char *const patterns[] = {"~", "~/", "~//", "~/f", "~/d/e*", "~/nothing", "~/noth*", "~/noth*/x", "~/here",
		"~/he*", "~/here/", "~/nothing\\/", "~\\", "~\\/f", "~\\/nothing", "~/\\f", "~orc", "~orc\\", "~orc\\/", "~orc/nothing",
		"~orc/sh[a]red", "~orc/here", "~\\orc/nothing", "~o\\rc/shared/f", "~orc\\/nothing", "~none/here", "~none/he*",
		"~none/nothing", "~none\\/nothing", "~/{no,thing}", "~/{no,thing}/", "~{orc,none}/nothing", "{~/no,~/thing}",
		"~/{d,f"};
	static const int flags[] = {0, GLOB_NOCHECK, GLOB_NOCHECK | GLOB_MARK, GLOB_NOCHECK | GLOB_NOESCAPE, GLOB_NOESCAPE,
		GLOB_NOCHECK | GLOB_DOOFFS, GLOB_NOCHECK | GLOB_TILDE_CHECK,
#ifdef __GLIBC__
		GLOB_NOMAGIC, GLOB_NOMAGIC | GLOB_NOESCAPE, GLOB_NOMAGIC | GLOB_NOCHECK | GLOB_BRACE, GLOB_NOMAGIC | GLOB_BRACE,
		GLOB_NOCHECK | GLOB_BRACE,
#endif
	};

	DO(mkdir("~", 0755));
	DO(mkdir("~/here", 0755));
	DO(mkdir("~orc", 0755));
	made("~orc/here", "");
	DO(mkdir("~none", 0755));
	made("~none/here", "");
	for (size_t home = 0; home < ROWS(homes); home++) {
		unsetenv("HOME");
		if (homes[home])
			setenv("HOME", at_self(homes[home]), 1);
		for (size_t i = 0; i < ROWS(patterns); i++) {
			step(patterns[i]);
			for (size_t k = 0; k < ROWS(flags); k++)
				op_glob_tilde(patterns[i], flags[k]);
		}
	}
}

/* Where what a pattern becomes has just no room any more. */
static void globs_long(void)
{
	static const char *const ends[] = {".*", "?", "*", "d*", "a[b]*", "[d]", "d[", "\\d*", "d/*", "/*", "//.*", "d/.*", "f"};
	static const int flags[] = {0, GLOB_ERR, GLOB_ERR | GLOB_NOCHECK, GLOB_NOESCAPE};
	static char text[PATH_MAX + 64];

	for (size_t n = 2 * (PATH_MAX - 8); n < 2 * (PATH_MAX + 2); n++)
		for (size_t i = 0; i < ROWS(ends); i++) {
			const size_t dir = n / 2;

			for (size_t at = 0; at < dir; at++)
				text[at] = at == dir - 1 ? '/' : "./"[at % 2];
			text[dir] = '\0';
			if (n % 2) /* there is no such directory */
				*text = 'n';
			strcat(text, ends[i]);
			out("; %zu%c%s", dir, *text, ends[i]);
			for (size_t k = 0; k < ROWS(flags); k++) {
				glob_t g = {0};
				int r = glob(text, flags[k], NULL, &g);

				out(" %d %zu", r, r ? 0 : g.gl_pathc);
			}
		}
}

static void globs_more(void)
{
	glob_t g;

	step("error function");
	memset(&g, 0, sizeof g);
	out(" %d", glob(at_self("%/lock*/*"), 0, glob_error, &g));
	out(" %d", glob(at_self("no*/*"), 0, glob_error, &g));
	step("append");
	memset(&g, 0, sizeof g);
	g.gl_offs = 2;
	out(" %d", glob("d/e", GLOB_DOOFFS, NULL, &g));
	out(" %d", glob(at_self("%/d/*"), GLOB_DOOFFS | GLOB_APPEND, NULL, &g));
	out(" %zu", g.gl_pathc);
	for (size_t i = 0; i < g.gl_pathc; i++)
		out_string(g.gl_pathv[2 + i]);
	globfree(&g);
	step("escape");
	op_glob("\\d/*", 0);
	op_glob("\\d/*", GLOB_NOESCAPE);
	op_glob("/*/only", GLOB_NOSORT);
	op_glob("/../../etc/on?y", GLOB_MARK);
	op_glob("", 0);
	op_glob("/", 0);
	op_glob("//", 0);
	op_glob("/dev/nul*", 0);
	op_glob("/proc/self/cw*", GLOB_MARK);
	op_glob("/proc/self/root/etc/on*", 0);
	op_glob("dang", 0);
#ifdef __GLIBC__
	step("glibc");
	op_glob("d/.*", GLOB_PERIOD);
	op_glob("nope", GLOB_NOMAGIC);
	op_glob("nope[", GLOB_NOMAGIC);
	op_glob("~nobody-here/x", GLOB_TILDE_CHECK);
	op_glob("~orc", GLOB_TILDE | GLOB_MARK);
	op_glob("{d,dla}/{e,f}*", GLOB_BRACE | GLOB_MARK);
	op_glob("{", GLOB_BRACE);
#endif
	step("slashes behind a tilde");
	for (int home = 0; home < 4; home++) {
		static const char *const homes[] = {"%", "%/", "/", "%/nope"};
		static const char *const tails[] = {"~", "~/", "~//", "~/d/", "~/d//", "~orc", "~orc/", "~nobody-here", "~nobody-here/",
			"~nobody-here/x", "~/f/", "~/*/", "~orc\\/", "~/no\\/"};

		setenv("HOME", at_self(homes[home]), 1);
		for (size_t i = 0; i < ROWS(tails); i++)
			for (int how = 0; how < 4; how++)
				op_glob_tilde(tails[i], (how & 1 ? GLOB_MARK : 0) | (how & 2 ? GLOB_NOCHECK : 0));
	}
}

#ifdef __GLIBC__
static struct {
	DIR *dir;
	int opened, statted;
} alt;

static void *alt_opendir(const char *path)
{
	alt.opened++;
	out(" opendir");
	out_string(path);
	return alt.dir = opendir(path);
}

static void alt_closedir(void *dir)
{
	closedir(dir);
}

static struct dirent *alt_readdir(void *dir)
{
	return readdir(dir);
}

static int alt_stat(const char *path, struct stat *st)
{
	alt.statted++;
	return stat(path, st);
}

static int alt_lstat(const char *path, struct stat *st)
{
	alt.statted++;
	return lstat(path, st);
}

static void globs_alt(void)
{
	static const char *const patterns[] = {"d/*", "%/d/e/*", "/etc/on*", "d*/f", "nope/*", "*", "abs", "f"};

	for (size_t i = 0; i < ROWS(patterns); i++) {
		glob_t g;

		memset(&g, 0, sizeof g);
		g.gl_opendir = alt_opendir;
		g.gl_closedir = alt_closedir;
		g.gl_readdir = alt_readdir;
		g.gl_stat = alt_stat;
		g.gl_lstat = alt_lstat;
		alt.statted = 0;
		step(patterns[i]);
		out(" %d", glob(at_self(patterns[i]), GLOB_ALTDIRFUNC | GLOB_MARK, NULL, &g));
		for (size_t k = 0; k < g.gl_pathc; k++)
			names_add(g.gl_pathv[k]);
		names_out();
		out(" %s", alt.statted ? "statted" : "");
	}
}

static int dirent_wanted(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static void scandirs_at(void)
{
	int fd = open("d", O_RDONLY);
	static const char *const paths[] = {".", "e", "up", "abs", "nope", "/etc", "../dla", "", "out"};

	for (size_t i = 0; i < ROWS(paths); i++) {
		struct dirent **list;
		int n;

		step(paths[i]);
		n = (int)DO(scandirat(fd, paths[i], &list, dirent_wanted, alphasort));
		for (int k = 0; k < n; k++)
			names_add(list[k]->d_name);
		names_out();
	}
	DO(scandirat(99, "x", &(struct dirent **){0}, NULL, NULL));
	DO(scandirat(FILE_FD, "x", &(struct dirent **){0}, NULL, NULL));
}
#endif

/* -- streams ------------------------------------------------------------------------------- */

static void stream_modes(void)
{
	static const char *const modes_all[] = {"r", "rb", "rt", "r+", "rb+", "r+b", "w", "wb", "w+", "wx", "w+x", "wbx",
		"a", "a+", "ab", "ae", "re", "rm", "rc", "rx", "ra", "rw", "r,ccs=UTF-8", "w,ccs=UTF-8", "r,ccs=nope",
		"rbbbbb+", "rbbbbbb+", "rbbbbbbbe", "wbbbbbx", "wbbbbbbx", "r+bexmc", "", "z", "+r", "br", "r\n+", "ew"};
	static const char *const paths[] = {"f", "abs", "new", "d", "dang"};

	for (size_t m = 0; m < ROWS(modes_all); m++) {
		out("; %s", modes_all[m]);
		for (size_t i = 0; i < ROWS(paths); i++) {
			FILE *f;

			errno = PRESET;
			f = fopen(paths[i], modes_all[m]);
			if (!worked(f))
				continue;
			out(" %x %ld", fcntl(fileno(f), F_GETFL) & (O_ACCMODE | O_APPEND | O_TRUNC), ftell(f));
			out(" %d", getc(f) == EOF);
			fclose(f);
			errno = PRESET;
			f = freopen(paths[i], modes_all[m], fopen("f2", "r"));
			if (worked(f)) {
				out(" %x", fcntl(fileno(f), F_GETFL) & (O_ACCMODE | O_APPEND));
				fclose(f);
			}
			if (i >= 2)
				unlink(paths[i]), unlink("nothing");
			if (i == 4)
				symlink("nothing", "dang");
		}
	}
	step("mode only");
	{
		FILE *f = fopen("abs", "r");

		f = freopen(NULL, "r+", f);
		if (worked(f))
			out(" %x", fcntl(fileno(f), F_GETFL) & O_ACCMODE), fclose(f);
	}
}

static void popens(void)
{
	static const char *const rows[][2] = {{"echo \"$0\"; pwd", "r"}, {"echo two", "re"}, {"cat /etc/only", "r"},
		{"test -e /etc/debian_version", "r"}, {"exit 7", "r"}, {"exec /nope", "r"}, {"x", "rw"}, {"x", ""},
		{"read x; exit $x", "w"}, {"read x; exit $x", "we"}, {"x", "e"}};

	for (size_t i = 0; i < ROWS(rows); i++) {
		FILE *f;

		out("; %s %s", rows[i][0], rows[i][1]);
		errno = PRESET;
		f = popen(rows[i][0], rows[i][1]);
		if (!worked(f))
			continue;
		out(" flag %d", fcntl(fileno(f), F_GETFD));
		if (rows[i][1][0] == 'w')
			fprintf(f, "5\n");
		else
			out_rest(fileno(f));
		out(" %d", pclose(f));
	}
}

static void mount_tables(void)
{
	struct mntent *m, own = {"/dev/x", "/w/a b", "ext4", "rw,noatime", 1, 2}, r;
	char buf[1024];
	int seen[4] = {0};
	FILE *f;

	f = setmntent(at_self("%/fstab"), "w");
	if (worked(f)) {
		out(" %d", addmntent(f, &own));
		own.mnt_dir = "/proc";
		out(" %d", addmntent(f, &own));
		out(" %d", endmntent(f));
	}
	f = setmntent("fstab", "r");
	while (worked(f) && (m = getmntent_r(f, &r, buf, sizeof buf)) != NULL) {
		out_string(m->mnt_dir);
		out(" %s %d", hasmntopt(m, "noatime") ? "noatime" : "", m->mnt_passno);
	}
	if (f)
		endmntent(f);
	TRY(setmntent("nope", "r"));
	TRY(setmntent("fstab", "z"));
	f = setmntent("/proc/self/mounts", "r");
	while (f && (m = getmntent(f)) != NULL) {
		seen[0] |= strcmp(m->mnt_dir, "/proc") == 0;
		seen[1] |= strcmp(m->mnt_dir, "/dev") == 0;
		seen[2] |= strcmp(m->mnt_dir, "/sys") == 0;
		seen[3] |= mask_root && strlen(mask_root) > 1 && strstr(m->mnt_dir, mask_root);
	}
	out(" %d %d %d %d", seen[0], seen[1], seen[2], seen[3]);
	if (f)
		endmntent(f);
}

#ifdef __GLIBC__
/* What objects of glibc 2.0 call. */
static void streams_old(void)
{
	extern FILE *file_fopen(FILE *, const char *, const char *, int) __asm__("_IO_file_fopen");
	extern FILE *file_open(FILE *, const char *, int, int, int, int) __asm__("_IO_file_open");
	extern FILE *file_close(FILE *) __asm__("_IO_file_close_it");
	static const char *const paths[] = {"abs", "up/etc/only", "new", "dang", "nope/x", "host"};
	static const char *const how[] = {"r", "w", "wx", "a+", "r+", "z"};

	for (size_t i = 0; i < ROWS(paths); i++)
		for (size_t k = 0; k < ROWS(how); k++) {
			FILE *f = fopen("f2", "r"), *got;
			char buf[100];

			out("; %s %s", paths[i], how[k]);
			file_close(f);
			errno = PRESET;
			got = file_fopen(f, paths[i], how[k], 0);
			if (!worked(got))
				continue;
			out(" %x %d", fcntl(fileno(got), F_GETFL) & (O_ACCMODE | O_APPEND), fcntl(fileno(got), F_GETFD));
			if (fgets(buf, sizeof buf, got))
				out_string(buf);
			fputs("text", got);
			fclose(got);
		}
	step("open");
	for (size_t i = 0; i < ROWS(paths); i++) {
		FILE *f = fopen("f2", "r");

		file_close(f);
		TRY(file_open(f, paths[i], O_RDWR | O_CREAT, 0600, 0, 0));
	}
	out_path("new", "new");
}
#endif

/* -- processes, terminals -------------------------------------------------------------------- */

static void daemons(void)
{
	for (int how = 0; how < 4; how++) {
		int ends[2];

		out("; %d", how);
		if (pipe(ends) != 0)
			return;
		if (fork() == 0) {
			char buf[PATH_MAX], text[PATH_MAX + 100];
			struct stat null, st;
			int r;

			alarm(5);
			close(ends[0]);
			r = daemon(how & 1, how & 2);
			stat("/dev/null", &null);
			fstat(1, &st);
			sprintf(text, "%d %s %d %d", r, getcwd(buf, sizeof buf), st.st_rdev == null.st_rdev,
				access("/etc/only", F_OK));
			_exit(write(ends[1], text, strlen(text)) < 0);
		}
		close(ends[1]);
		wait(NULL);
		out_rest(ends[0]);
		close(ends[0]);
	}
}

static void terminals(void)
{
	char name[200], buf[200], *tty;
	int master, slave, ends[2];
	struct stat a, b;
	pid_t pid;

	if (!TRY(openpty(&master, &slave, name, NULL, NULL) == 0))
		return;
	out(" %d", strncmp(name, "/dev/pts/", 9));
	out(" %d", stat(name, &a) == 0 && fstat(slave, &b) == 0 && a.st_rdev == b.st_rdev);
	tty = ttyname(slave);
	out(" %d", tty && strcmp(tty, name) == 0);
	out(" %d", ttyname_r(slave, buf, sizeof buf) == 0 && strcmp(buf, name) == 0);
	out(" %s", errno_name(ttyname_r(slave, buf, 3)));
	out(" %s", errno_name(ttyname_r(FILE_FD, buf, sizeof buf)));
	out(" %d", strcmp(ptsname(master), name));
	DO(isatty(slave));
	if (pipe(ends) != 0)
		return;
	pid = fork();
	if (pid == 0) {
		alarm(5);
		close(master);
		dprintf(ends[1], "%d", login_tty(slave));
		tty = ttyname(0);
		dprintf(ends[1], " %d %d", tty && strcmp(tty, name) == 0, open("/dev/tty", O_RDWR) >= 0);
		_exit(0);
	}
	close(ends[1]);
	out_rest(ends[0]);
	waitpid(pid, NULL, 0);
	step("forkpty");
	pid = forkpty(&master, name, NULL, NULL);
	if (pid == 0) {
		alarm(5);
		tty = ttyname(1);
		printf("%s\n", tty ? tty : "none");
		fflush(stdout);
		pause();
	}
	if (!worked(pid > 0))
		return;
	memset(buf, 0, sizeof buf);
	out(" %d", read(master, buf, sizeof buf - 1) > 0 && strncmp(buf, name, strlen(name)) == 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* -- the loader ------------------------------------------------------------------------------- */

/* An error's text, without the address of anything. */
static void out_dl(void)
{
	char *text = dlerror();

	out_string(text);
	text = dlerror();
	if (text)
		out(" again");
}

#ifdef __GLIBC__
static int dl_look(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)size;
	(void)data;
	if (strstr(info->dlpi_name, "libc.so") || strstr(info->dlpi_name, "/libc-2"))
		out_string(info->dlpi_name);
	if (mask_root && strlen(mask_root) > 1 && strstr(info->dlpi_name, mask_root))
		out(" host");
	return 0;
}
#endif

static void loader(void)
{
	static const char *const files[] = {"%/f", "./f", "abs", "%/nope.so", "dla/nope.so", "libnope-oracle.so",
		"nox", "%/d", "/etc/only", "/lib/nope/../x", ""};

	for (size_t i = 0; i < ROWS(files); i++) {
		void *h;

		step(files[i]);
		h = dlopen(at_self(files[i]), RTLD_NOW);
		out(" %d", h != NULL);
		out_dl();
	}
	step("dlsym");
	out(" %d", dlsym(RTLD_DEFAULT, "no_such_symbol_here") != NULL);
	dlerror();
#ifdef __GLIBC__
	{
		Dl_info info;
		char origin[PATH_MAX];
		struct link_map *map;
		void *h = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);

		out(" %d", dladdr((void *)loader, &info));
		out_string(info.dli_fname);
		out(" %d", dladdr(dlsym(h, "strtol"), &info));
		out_string(info.dli_fname);
		out(" %d", dladdr1(dlsym(h, "strtol"), &info, (void **)&map, RTLD_DL_LINKMAP));
		out_string(info.dli_fname);
		if (dlinfo(h, RTLD_DI_ORIGIN, origin) == 0)
			out_string(origin);
		dl_iterate_phdr(dl_look, NULL);
		step("dlmopen");
		out(" %d", dlmopen(LM_ID_NEWLM, at_self("%/f"), RTLD_NOW) != NULL);
		out_dl();
		out(" %d", dlmopen(LM_ID_BASE, at_self("%/nope.so"), RTLD_NOW) != NULL);
		out_dl();
	}
#endif
}

#ifdef __GLIBC__
/* An address differs each time: what is in front of it. */
static void out_frames(char *text)
{
	for (char *line = text, *next; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (strchr(line, '['))
			*strchr(line, '[') = '\0';
		out_string(line);
	}
}

static void backtraces(void)
{
	/* not what libjail has in libc's place */
	void *frames[] = {(void *)backtraces, (void *)(uintptr_t)1, dlsym(RTLD_DEFAULT, "strtol"),
		(char *)dlsym(RTLD_DEFAULT, "strtol") + 1};
	char **lines = backtrace_symbols(frames, ROWS(frames)), buf[4096];
	int ends[2];
	ssize_t n;

	for (size_t i = 0; lines && i < ROWS(frames); i++)
		out_frames(lines[i]);
	free(lines);
	if (pipe(ends) != 0)
		return;
	backtrace_symbols_fd(frames, ROWS(frames), ends[1]);
	close(ends[1]);
	n = read(ends[0], buf, sizeof buf - 1);
	buf[n > 0 ? n : 0] = '\0';
	out_frames(buf);
}
#endif

/* -- shared memory, semaphores, queues -------------------------------------------------------- */

static void shm_names(void)
{
	static const char *const shm[] = {"", "/", "//", "a/b", ".", "..", "/x/", "dir", "link", "out", "nope", "/one",
		"#252", "#255", "#256", "#300"};

	for (size_t i = 0; i < ROWS(shm); i++) {
		char name[400];
		sem_t *sem;
		int fd;

		snprintf(name, sizeof name, "%s", shm[i]);
		if (*name == '#') {
			int n = atoi(shm[i] + 1);

			memset(name, 'n', sizeof name);
			name[n] = '\0';
		}
		step(shm[i]);
		fd = (int)DO(shm_open(name, O_RDWR, 0));
		close(fd);
		fd = (int)DO(shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0640));
		if (fd >= 0) {
			out(" flag %d", fcntl(fd, F_GETFD));
			DO(ftruncate(fd, 10));
			close(fd);
		}
		DO(shm_unlink(name));
		errno = PRESET;
		sem = sem_open(name, 0);
		worked(sem != SEM_FAILED);
		errno = PRESET;
		sem = sem_open(name, O_CREAT, 0600, 3);
		if (worked(sem != SEM_FAILED)) {
			int v = -1;
			sem_t *again = sem_open(name, 0);

			DO(sem_getvalue(sem, &v));
			out(" %d %d", v, again == sem);
			DO(sem_post(sem));
			DO(sem_getvalue(again, &v));
			out(" %d", v);
			DO(sem_close(again));
			DO(sem_wait(sem));
			TRY(sem_open(name, O_CREAT | O_EXCL, 0600, 1) != SEM_FAILED);
			DO(sem_close(sem));
		}
		DO(sem_unlink(name));
	}
	TRY(sem_open("big", O_CREAT, 0600, 0x80000000u) != SEM_FAILED);
}

/* sem_open(3): the same semaphore opened again is the same address, whichever thread opens it when. */
enum { SEM_THREADS = 8, SEM_ROUNDS = 30 };
static pthread_barrier_t sem_together;
static sem_t *sem_got[SEM_THREADS];
static int sem_apart;

static void *sem_opens(void *arg)
{
	sem_t **got = arg;

	for (int k = 0; k < SEM_ROUNDS; k++) {
		pthread_barrier_wait(&sem_together);
		*got = sem_open("/together", O_CREAT, 0600, 0);
		pthread_barrier_wait(&sem_together);
		sem_apart += got == sem_got && (*got == SEM_FAILED || memcmp(sem_got, sem_got + 1, sizeof sem_got - sizeof *got));
		pthread_barrier_wait(&sem_together);
		if (*got != SEM_FAILED)
			sem_close(*got);
	}
	return NULL;
}

static void sem_threads(void)
{
	pthread_t t[SEM_THREADS];

	pthread_barrier_init(&sem_together, NULL, SEM_THREADS);
	for (int i = 0; i < SEM_THREADS; i++)
		if (pthread_create(&t[i], NULL, sem_opens, &sem_got[i]) != 0)
			_exit(9);
	for (int i = 0; i < SEM_THREADS; i++)
		pthread_join(t[i], NULL);
	out(" %d", sem_apart);
	unlink("/dev/shm/sem.together");
	unlink("/dev/shm/together");
}

/* in a root that has a /dev/shm of its own */
static void shm_own(void)
{
	struct stat st;
	sem_t *sem;
	int status;

	DO(chdir("d"));
	mkdir("dev", 0755);
	mkdir("dev/shm", 0755);
	mkdir("dev/shm/dir", 0755);
	mkdir("dev/shm/sem.dir", 0755);
	DO(symlink("/f", "dev/shm/link"));
	DO(symlink("/f", "dev/shm/sem.link"));
	DO(symlink("nothing", "dev/shm/out"));
	DO(chroot("."));
	shm_names();
	step("left");
	op_opendir("/dev/shm", 0);
	step("files");
	close(shm_open("/kept", O_CREAT | O_RDWR, 0640));
	out_path("kept", "/dev/shm/kept");
	sem = sem_open("/ksem", O_CREAT, 0604, 1);
	if (stat("/dev/shm/sem.ksem", &st) == 0 || stat("/dev/shm/ksem", &st) == 0)
		out(" %o %ld", (unsigned)st.st_mode, (long)st.st_size);
	if (sem != SEM_FAILED) {
		if (fork() == 0) { /* shared with who opens it by name */
			alarm(5);
			sem_t *same = sem_open("/ksem", 0);

			_exit(same == SEM_FAILED ? 9 : sem_wait(same));
		}
		wait(&status);
		out(" %x", status);
		sem_getvalue(sem, &status);
		out(" %d", status);
	}
	op_opendir("/dev/shm", 0);
	step("threads");
	sem_threads();
	unlink("/dev/shm/sem.ksem"); /* musl's has what was on the stack in it */
	unlink("/dev/shm/ksem");
	step("no directory");
	DO(rename("/dev/shm", "/dev/moved"));
	DO(shm_open("/kept", O_RDWR, 0));
	TRY(sem_open("/ksem", O_CREAT, 0600, 0) != SEM_FAILED);
	DO(shm_unlink("/kept"));
	DO(sem_unlink("/ksem"));
}

static void queues(void)
{
	char name[100];
	mqd_t q;

	sprintf(name, "/oracle-%d", (int)getpid());
	q = (mqd_t)TRY((q = mq_open(name, O_CREAT | O_RDWR | O_EXCL, 0600, NULL)) != (mqd_t)-1);
	TRY(mq_open(name, O_RDONLY) != (mqd_t)-1);
	TRY(mq_unlink(name) == 0);
	TRY(mq_open(name, O_RDONLY) != (mqd_t)-1);
	TRY(mq_open("noslash", O_RDONLY) != (mqd_t)-1);
	TRY(mq_open("/a/b", O_RDONLY) != (mqd_t)-1);
	TRY(mq_open("/", O_RDONLY) != (mqd_t)-1);
}

/* -- who is logged in, catalogs, domains ------------------------------------------------------- */

static void out_utmps(void)
{
	struct utmp *u;

	setutent();
	while ((u = getutent()) != NULL)
		out(" %d:%.4s:%.8s:%.8s", u->ut_type, u->ut_id, u->ut_line, u->ut_user);
	endutent();
}

static void utmp_put(int type, const char *id, const char *tty, const char *user)
{
	struct utmp u;

	memset(&u, 0, sizeof u);
	u.ut_type = (short)type;
	memcpy(u.ut_id, id, strlen(id));
	strcpy(u.ut_line, tty);
	strcpy(u.ut_user, user);
	out(" %d", pututline(&u) != NULL);
}

static void utmps(void)
{
	static const char *const files[] = {"u", "%/u2", "abs", "dang", "nope/u", "locked/u"};
	struct utmp u, got, *found;

	memset(&u, 0, sizeof u);
	for (size_t i = 0; i < ROWS(files); i++) {
		step(files[i]);
		if (i < 3)
			made(at_self(files[i]), "");
		out(" %d", utmpname(at_self(files[i])));
		setutent();
		utmp_put(USER_PROCESS, "1", "tty1", "ann");
		utmp_put(USER_PROCESS, "2", "tty2", "bob");
		utmp_put(DEAD_PROCESS, "1", "tty1", "");
		setutent();
		strcpy(u.ut_line, "tty2");
		found = getutline(&u);
		out(" %s", found ? found->ut_user : "-");
		setutent();
		u.ut_type = USER_PROCESS;
		memcpy(u.ut_id, "2\0\0", 4);
		found = getutid(&u);
		out(" %s", found ? found->ut_user : "-");
#ifdef __GLIBC__
		setutent();
		out(" %d %s", getutent_r(&got, &found), found ? found->ut_line : "-");
		out(" %d", getutline_r(&u, &got, &found));
		setutent();
		out(" %d", getutid_r(&u, &got, &found));
#endif
		endutent();
		out_utmps();
		updwtmp(at_self(files[i]), &u);
		out_utmps();
	}
	out(" %d", utmpxname("u"));
	out(" %d", getutxent() != NULL);
	endutxent();
	(void)got;
}

/* the usual places, in a root of their own */
static void utmps_own(void)
{
	struct utmp u;
	struct stat st;

	DO(chdir("d"));
	mkdir("var", 0755);
	mkdir("var/run", 0755);
	mkdir("var/log", 0755);
	made("var/run/utmp", "");
	made("var/log/wtmp", "");
	DO(chroot("."));
	setutent();
	utmp_put(USER_PROCESS, "9", "pts/9", "root");
	endutent();
	out_utmps();
#ifdef __GLIBC__
	logwtmp("pts/9", "root", "host");
	memset(&u, 0, sizeof u);
	strcpy(u.ut_user, "carol");
	login(&u);
	out(" %d %d", logout("pts/9"), logout("nope"));
#else
	(void)u;
#endif
	out_utmps();
	if (stat("/var/log/wtmp", &st) == 0)
		out(" %ld", (long)st.st_size);
	if (stat("/var/run/utmp", &st) == 0)
		out(" %ld", (long)st.st_size);
	step("the other name");
	made("/var/run/utmpx", "");
	out_utmps();
	setutxent();
	utmp_put(USER_PROCESS, "3", "tty3", "x");
	endutxent();
	out_utmps();
	if (stat("/var/run/utmpx", &st) == 0)
		out(" %ld", (long)st.st_size);
	unlink("/var/run/utmpx");
	out_utmps();
	unlink("/var/run/utmp"); /* with times and a process in them */
	unlink("/var/log/wtmp");
}

/* A catalog without messages, in each libc's form. */
static int catalog_made(const char *path)
{
#ifdef __GLIBC__
	static const uint32_t text[12] = {0x960408de, 1, 1};
#else
	static const unsigned char text[20] = {0xff, 0x88, 0xff, 0x89};
#endif
	int fd = open(path, O_CREAT | O_RDWR, 0644);

	return write(fd, text, sizeof text) < 0 ? -1 : close(fd);
}

static void catalogs(void)
{
	static const char *const names_all[] = {"%/d/c.cat", "./d/c.cat", "c.cat", "c", "d/f", "nope/c", "dla/c.cat"};
	static const char *const paths[] = {NULL, "%/d/%N", "%/%L/%N:%/%l/%t/%c/%N.cat", "d/%N.cat:x", ":d/c.cat", "%%/%N",
		"%/d/f:%/d/%N", "%/up/etc/%N", "nope::x"};

	catalog_made("d/c.cat");
	catalog_made("c");
	mkdir("xy_ZZ.UTF-8", 0755);
	catalog_made("xy_ZZ.UTF-8/c");
	mkdir("xy", 0755);
	mkdir("xy/ZZ", 0755);
	mkdir("xy/ZZ/UTF-8", 0755);
	catalog_made("xy/ZZ/UTF-8/c.cat");
	setenv("LANG", "xy_ZZ.UTF-8@mod", 1);
	for (size_t p = 0; p < ROWS(paths); p++) {
		char path[400];

		/* the % of at_self is that of catopen */
		snprintf(path, sizeof path, "%s", paths[p] ? paths[p] : "");
		for (char *c = path; (c = strstr(c, "%/")) != NULL;) {
			const char *own = self;
			char rest[400];

			if (c > path && c[-1] == '%') {
				c++;
				continue;
			}
			strcpy(rest, c + 1);
			sprintf(c, "%s%s", own, rest);
			c += strlen(own);
		}
		if (paths[p])
			setenv("NLSPATH", path, 1);
		out("; %s", paths[p] ? paths[p] : "-");
		for (size_t i = 0; i < ROWS(names_all); i++)
			for (int flag = 0; flag < 2; flag++) {
				nl_catd c;

				errno = PRESET;
				c = catopen(at_self(names_all[i]), flag ? NL_CAT_LOCALE : 0);
				if (worked(c != (nl_catd)-1))
					catclose(c);
			}
		if (p == 4)
			setenv("LANG", "xy_ZZ.UTF-8", 1);
	}
}

static void domains(void)
{
	static const char *const dirs[] = {"%/d", "dla", "/usr/share/locale", "nope", "/nope/x", "%/abs", "/etc"};

	out_string(bindtextdomain("never", NULL));
	for (size_t i = 0; i < ROWS(dirs); i++) {
		step(dirs[i]);
		out_string(bindtextdomain("oracle", at_self(dirs[i])));
		out_string(bindtextdomain("oracle", NULL));
	}
	out_string(textdomain("oracle"));
	out_string(gettext("message"));
}

/* A catalog of one message, and the ways to the directory that has it. */
static void domains_own(void)
{
	static const char *const dirs[] = {"%/loc", "loc", "locl", "up%/loc", "root%/loc", "%/root%/loc", "/proc/self/cwd/loc",
		"dla/../loc", "nope", "up/usr/share/locale", "d"};
	/* gettext(3), "GNU MO files": two messages, of which the first is the header */
	static const struct {
		uint32_t head[7], from[4], to[4];
		char text[32];
	} mo = {{0x950412de, 0, 2, 28, 44, 0, 60}, {0, 60, 7, 61}, {0, 69, 9, 70}, "\0message\0\0elsewhere"};
	int fd;

	mkdir("loc", 0755);
	mkdir("loc/xx", 0755);
	mkdir("loc/xx/LC_MESSAGES", 0755);
	fd = open("loc/xx/LC_MESSAGES/own.mo", O_CREAT | O_WRONLY, 0644);
	out(" %d", write(fd, &mo, sizeof mo) == (ssize_t)sizeof mo);
	close(fd);
	symlink(at_self("%/loc"), "locl");
	out_string(setlocale(LC_ALL, "C.UTF-8"));
	setenv("LANGUAGE", "xx", 1);
	textdomain("own");
	for (size_t i = 0; i < ROWS(dirs); i++) {
		step(dirs[i]);
		out_string(bindtextdomain("own", at_self(dirs[i])));
		out_string(gettext("message"));
		out_string(bindtextdomain("own", NULL));
	}
}

/* -- one object or another ---------------------------------------------------------------------- */

static void keys(void)
{
	static const char *const paths[] = {"f", "abs", "dla/f", "dang", "nope", "", "locked/in", "/etc/only", "up/etc/only"};
	key_t f = ftok("f", 7);

	for (size_t i = 0; i < ROWS(paths); i++) {
		struct stat st;
		key_t k;

		step(paths[i]);
		errno = PRESET;
		k = ftok(at_self(paths[i]), 7);
		if (worked(k != -1) && stat(paths[i], &st) == 0)
			out(" %d %d", k == f, k == (key_t)((st.st_ino & 0xffff) | (st.st_dev & 0xff) << 16 | 7u << 24));
	}
}

static void path_confs(void)
{
	static const int what[] = {_PC_NAME_MAX, _PC_PATH_MAX, _PC_LINK_MAX, _PC_PIPE_BUF, _PC_2_SYMLINKS, _PC_NO_TRUNC,
		_PC_REC_XFER_ALIGN, _PC_ALLOC_SIZE_MIN, _PC_FILESIZEBITS, _PC_ASYNC_IO, _PC_CHOWN_RESTRICTED, 9999};
	static const char *const paths[] = {"f", "abs", "d", "dang", "nope", "", "fifo", "/dev/null", "/proc/self"};

	for (size_t i = 0; i < ROWS(paths); i++) {
		step(paths[i]);
		for (size_t k = 0; k < ROWS(what); k++) {
			long r;

			errno = PRESET;
			r = pathconf(paths[i], what[k]);
			out(" %ld", r);
			if (r == -1)
				out(" %s", errno == PRESET ? "0" : errno_name(errno));
		}
	}
}

static void fanotifies(void)
{
	static const char *const paths[] = {"f", "abs", "d", "dang", "nope", "/etc/only", "host", "locked/in", "up/etc", ""};
	int dir = open("d", O_RDONLY), fd;

	fd = (int)DO(fanotify_init(FAN_CLASS_NOTIF | 0x200 /* FAN_REPORT_FID */, O_RDONLY));
	for (size_t i = 0; i < ROWS(paths); i++) {
		step(paths[i]);
		DO(fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, at_self(paths[i])));
		DO(fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_DONT_FOLLOW, FAN_OPEN, AT_FDCWD, at_self(paths[i])));
		DO(fanotify_mark(fd, FAN_MARK_ADD | FAN_MARK_ONLYDIR, FAN_OPEN, AT_FDCWD, at_self(paths[i])));
		DO(fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN, dir, at_self(paths[i])));
	}
	step("others");
	DO(fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN, dir, NULL));
	DO(fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN, 99, NULL));
	DO(fanotify_mark(99, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "f"));
	DO(fanotify_mark(fd, 0x80000000u, FAN_OPEN, AT_FDCWD, "f"));
}

static void privileged(void)
{
	static const char *const paths[] = {"d", "f", "abs", "dang", "nope", "", "locked/in", "f/x", "/dev/null", "/proc",
		"!0", "#4096"};
	char long_path[PATH_MAX + 1];
	int dir = open("d", O_PATH);
	uint64_t attr[4] = {0};

	memset(long_path, 'a', PATH_MAX);
	long_path[PATH_MAX] = '\0';
	for (size_t i = 0; i < ROWS(paths); i++) {
		const char *p = paths[i][0] == '!' ? NULL : paths[i][0] == '#' ? long_path : paths[i];

		step(paths[i]);
		DO(mount("none", p, "tmpfs", 0, NULL));
		DO(mount(p, "d", NULL, MS_BIND, NULL));
		DO(mount(p, "nope", NULL, MS_BIND, NULL));
		DO(mount(p, "d", NULL, MS_MOVE, NULL));
		DO(mount(NULL, p, NULL, MS_REMOUNT | MS_RDONLY, NULL));
		DO(umount(p));
		DO(umount2(p, MNT_DETACH));
		DO(umount2(p, 8 /* UMOUNT_NOFOLLOW */));
		DO(umount2(p, 1 << 20));
		DO(swapon(p, 0));
		DO(swapoff(p));
		DO(syscall(SYS_acct, p));
		DO(syscall(SYS_quotactl, QCMD(Q_GETFMT, USRQUOTA), p, 0, attr));
		DO(syscall(SYS_quotactl, QCMD(Q_SYNC, USRQUOTA), p, 0, attr));
		DO(syscall(SYS_pivot_root, p, "d"));
		DO(syscall(SYS_move_mount, AT_FDCWD, p, AT_FDCWD, "d", 0));
		DO(syscall(SYS_move_mount, AT_FDCWD, "d", dir, p, 0x11));
		DO(syscall(SYS_move_mount, dir, "", AT_FDCWD, p, 4));
		DO(syscall(SYS_move_mount, dir, "", AT_FDCWD, p, 0x1000));
		DO(syscall(SYS_mount_setattr, AT_FDCWD, p, 0, attr, sizeof attr));
		DO(syscall(SYS_mount_setattr, AT_FDCWD, p, AT_SYMLINK_NOFOLLOW, attr, 3));
		DO(syscall(SYS_mount_setattr, AT_FDCWD, p, 1, attr, sizeof attr));
		DO(syscall(SYS_fspick, AT_FDCWD, p, 0));
		DO(syscall(SYS_fspick, AT_FDCWD, p, 0x100));
		DO(syscall(SYS_open_tree, AT_FDCWD, p, 1 /* OPEN_TREE_CLONE */));
		DO(syscall(SYS_open_tree, AT_FDCWD, p, 0));
		DO(syscall(SYS_fsconfig, FILE_FD, 3, "x", p, AT_FDCWD));
		DO(syscall(SYS_fsconfig, 99, 3, "x", p, AT_FDCWD));
		DO(syscall(SYS_fsconfig, FILE_FD, 1, "source", p, 0));
		DO(syscall(SYS_fsconfig, FILE_FD, 4, "x", p, -5));
	}
	DO(syscall(SYS_name_to_handle_at, AT_FDCWD, "locked/in", attr, attr, 0x10000));
	DO(syscall(SYS_name_to_handle_at, AT_FDCWD, "nope/in", attr, attr, AT_SYMLINK_FOLLOW));
	DO(syscall(SYS_fsopen, "tmpfs", 1));
	DO(syscall(SYS_fsmount, FILE_FD, 0, 0));
}

/* -- other names of the same -------------------------------------------------------------------- */

static void names_64(void)
{
	struct stat64 st;
	struct statfs64 sf;
	struct statvfs64 sv;
	glob64_t g;
	char name[200];
	FILE *f;
	int fd, dir = open("d", O_RDONLY);

	out_fd((int)DO(open64("abs", O_RDONLY)));
	out_fd((int)DO(openat64(dir, "abs", O_RDONLY)));
	out_fd((int)DO(creat64("made", 0640)));
	if (DO(stat64("abs", &st)) == 0)
		out(" %o", (unsigned)st.st_mode);
	if (DO(lstat64("abs", &st)) == 0)
		out(" %o", (unsigned)st.st_mode);
	if (DO(fstatat64(dir, "abs", &st, 0)) == 0)
		out(" %o", (unsigned)st.st_mode);
	DO(statfs64("/proc", &sf));
	out(" %lx", (long)sf.f_type);
	DO(statvfs64("abs", &sv));
	DO(truncate64("abs", 5));
	out_path("abs", "f");
	f = fopen64("abs", "r+");
	if (worked(f))
		f = freopen64("up/etc/only", "r", f);
	if (worked(f))
		fclose(f);
	f = tmpfile64();
	worked(f);
	made("/tmp/touched", ""); /* musl's has a name for a while, and the time of the directory tells */
	unlink("/tmp/touched");
	strcpy(name, at_self("%/d/tmp-XXXXXX"));
	fd = (int)mkstemp64(name);
	worked(fd >= 0);
	out_temp(name);
	unlink(name);
	memset(&g, 0, sizeof g);
	out(" %d %zu", glob64("d/*", 0, NULL, &g), g.gl_pathc);
	out(" %d", nftw64("d/e", (int (*)(const char *, const struct stat64 *, int, struct FTW *))(void (*)(void))walked, 3, FTW_PHYS));
	names_out();
}

static void aliases(void)
{
	int dir = open("d", O_RDONLY);

	DO(eaccess("abs", R_OK));
	DO(euidaccess("nox", R_OK));
	DO(euidaccess("up/etc/hostname", F_OK));
	DO(mkfifoat(dir, "../fi", 0600));
	DO(mknodat(dir, "no/x", S_IFREG | 0600, 0));
	out_path("fi", "fi");
	setenv("PWD", "/nope", 1);
	out_string(get_current_dir_name());
	setenv("PWD", at_self("%/dla/.."), 1);
	out_string(get_current_dir_name());
	DO(lchmod("f2", 0600));
	DO(lchmod("abs", 0600));
	DO(renameat(dir, "f", AT_FDCWD, "from-d"));
	out_path("moved", "from-d");
#ifdef __GLIBC__
	extern char *own_getwd(char *) __asm__("getwd"); /* deprecated */
	extern int __open_2(const char *, int), __open64_2(const char *, int), __openat_2(int, const char *, int);
	extern int __xstat(int, const char *, struct stat *), __lxstat(int, const char *, struct stat *);
	extern int __fxstatat(int, int, const char *, struct stat *, int);
	extern int __xmknod(int, const char *, mode_t, dev_t *), __xmknodat(int, int, const char *, mode_t, dev_t *);
	extern char *__realpath_chk(const char *, char *, size_t), *__getcwd_chk(char *, size_t, size_t);
	extern ssize_t __readlink_chk(const char *, char *, size_t, size_t);
	extern ssize_t __readlinkat_chk(int, const char *, char *, size_t, size_t);
	char buf[PATH_MAX];
	struct stat st;
	dev_t dev = 0;

	step("chk");
	TRY(own_getwd(buf));
	out_string(buf);
	out_fd((int)DO(__open_2("abs", O_RDONLY)));
	out_fd((int)DO(__open64_2("host", O_RDONLY)));
	out_fd((int)DO(__openat_2(dir, "abs", O_RDONLY)));
	for (int version = 0; version < 4; version++) {
		DO(__xstat(version, "abs", &st));
		DO(__lxstat(version, "abs", &st));
		DO(__fxstatat(version, dir, "abs", &st, 0));
		DO(__xmknod(version, "node", S_IFREG | 0600, &dev));
		DO(__xmknodat(version, dir, "node", S_IFREG | 0600, &dev));
		unlink("node");
		unlink("d/node");
	}
	out_string(__realpath_chk("dla/../abs", buf, sizeof buf));
	out_string(__getcwd_chk(buf, sizeof buf, sizeof buf));
	memset(buf, 0, sizeof buf);
	DO(__readlink_chk("abs", buf, 100, sizeof buf));
	DO(__readlinkat_chk(dir, "abs", buf, 100, sizeof buf));
	out_string(buf);
#endif
}

/* -- sockets ------------------------------------------------------------------------------------- */

static int socket_at(const char *path, int type)
{
	struct sockaddr_un sun;
	socklen_t len = sun_set(&sun, path);
	int fd = socket(AF_UNIX, type, 0);

	DO(bind(fd, (struct sockaddr *)&sun, len));
	return fd;
}

/* How a name comes out where there is no room for it. */
static void socket_rooms(void)
{
	static const char *const names_all[] = {"%/s1", "s2", "dla/s3", "d/abs-is-not-this", "up%/s4"};
	const size_t head = offsetof(struct sockaddr_un, sun_path);

	for (size_t i = 0; i < ROWS(names_all); i++) {
		int fd, to = socket(AF_UNIX, SOCK_STREAM, 0), in;
		struct sockaddr_un sun;
		socklen_t len = sun_set(&sun, at_self(names_all[i]));

		step(names_all[i]);
		fd = socket_at(at_self(names_all[i]), SOCK_STREAM);
		listen(fd, 5);
		DO(connect(to, (struct sockaddr *)&sun, len));
		for (socklen_t room = 0; room < sizeof sun + 20; room += room < 8 ? 1 : 7) {
			char got[200];
			socklen_t n = room;

			memset(got, '#', sizeof got);
			errno = PRESET;
			out(" %d", getsockname(fd, (struct sockaddr *)got, &n));
			out(" %u", (unsigned)n);
			n = room;
			out(" %d", getpeername(to, (struct sockaddr *)got, &n));
			out(" %u ", (unsigned)n);
			if (room > head)
				out_text(got + head, room - head < 12 ? room - head : 12);
			out_text(got + room, 3); /* not written */
		}
		{
			char got[200];
			socklen_t n = 6;

			memset(got, '#', sizeof got);
			DO(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&sun, len));
			n = 60;
			close((int)DO(accept(fd, (struct sockaddr *)got, &n)));
			out_text(got, 64);
			n = 6;
			in = (int)DO(accept4(fd, (struct sockaddr *)got, &n, SOCK_NONBLOCK));
			out(" %u", (unsigned)n);
			n = (socklen_t)-1;
			DO(getsockname(fd, (struct sockaddr *)got, &n));
			DO(getsockname(fd, bad, &(socklen_t){50}));
			DO(getsockname(fd, (struct sockaddr *)got, bad));
			DO(getsockname(fd, (struct sockaddr *)got, NULL));
			DO(getsockname(FILE_FD, (struct sockaddr *)got, &(socklen_t){50}));
			DO(getpeername(fd, (struct sockaddr *)got, &(socklen_t){50}));
		}
		close(in);
		close(fd);
		close(to);
	}
}

static void socket_nameless(void)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX}, got;
	socklen_t n = sizeof got;
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0), pair[2];

	DO(getsockname(fd, (struct sockaddr *)&got, &n));
	out(" %u", (unsigned)n);
	step("autobind");
	DO(bind(fd, (struct sockaddr *)&sun, sizeof(sa_family_t)));
	n = sizeof got;
	DO(getsockname(fd, (struct sockaddr *)&got, &n));
	out(" %u %d", (unsigned)n, got.sun_path[0]);
	step("pair");
	DO(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	n = sizeof got;
	DO(getpeername(pair[0], (struct sockaddr *)&got, &n));
	out(" %u", (unsigned)n);
	DO(send(pair[0], "x", 1, 0));
	n = sizeof got;
	DO(recvfrom(pair[1], &sun, 1, 0, (struct sockaddr *)&got, &n));
	out(" %u", (unsigned)n);
	step("abstract peer");
	memset(&sun, 0, sizeof sun);
	sun.sun_family = AF_UNIX;
	snprintf(sun.sun_path + 1, sizeof sun.sun_path - 1, "oracle/%d", (int)getpid());
	n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(sun.sun_path + 1));
	{
		int to = socket(AF_UNIX, SOCK_DGRAM, 0);
		char buf[8];

		DO(bind(to, (struct sockaddr *)&sun, n));
		DO(sendto(fd, "hi", 2, 0, (struct sockaddr *)&sun, n));
		DO(connect(fd, (struct sockaddr *)&sun, n));
		n = sizeof got;
		DO(recvfrom(to, buf, sizeof buf, 0, (struct sockaddr *)&got, &n));
		out(" %u %d", (unsigned)n, got.sun_path[0]);
		n = sizeof got;
		DO(getpeername(fd, (struct sockaddr *)&got, &n));
		out(" %d", memcmp(&got, &sun, n) == 0);
	}
	step("disconnect");
	DO(connect(fd, (struct sockaddr *)&(struct sockaddr){.sa_family = AF_UNSPEC}, sizeof(struct sockaddr)));
}

/* Many messages at a time, with names. */
static void socket_messages_from(bool far)
{
	struct sockaddr_un to[4], from[4];
	struct mmsghdr out_msgs[4], in_msgs[4];
	struct iovec out_iov[4], in_iov[4];
	char text[4][8], room[4][8];
	static const char *const peers[] = {"%/r1", "r2", "nope/r", "dla/r3"};
	int fd[4], s = socket_at(at_self(far ? "%/sender" : "sender"), SOCK_DGRAM);

	memset(out_msgs, 0, sizeof out_msgs);
	for (int i = 0; i < 4; i++) {
		fd[i] = socket_at(at_self(peers[i]), SOCK_DGRAM);
		sprintf(text[i], "text%d", i);
		out_iov[i] = (struct iovec){text[i], 5};
		out_msgs[i].msg_hdr.msg_iov = &out_iov[i];
		out_msgs[i].msg_hdr.msg_iovlen = 1;
		out_msgs[i].msg_hdr.msg_name = &to[i];
		out_msgs[i].msg_hdr.msg_namelen = sun_set(&to[i], at_self(peers[i]));
	}
	out(" %d", sendmmsg(s, out_msgs, 4, 0)); /* the third leads nowhere; musl leaves its errno */
	out(" %u %u %u", out_msgs[0].msg_len, out_msgs[1].msg_len, out_msgs[2].msg_len);
	DO(sendmmsg(s, out_msgs + 2, 2, 0));
	DO(sendmmsg(s, out_msgs + 3, 1, 0));
	DO(sendmmsg(s, out_msgs, 0, 0));
	DO(sendmmsg(99, out_msgs, 2, 0));
	if (CHECKS_POINTERS)
		DO(sendmmsg(s, bad, 1, 0));
	for (int i = 0; i < 4; i++)
		DO(sendto(s, text[i], 5, 0, (struct sockaddr *)&to[0], out_msgs[0].msg_hdr.msg_namelen));
	for (int round = 0; round < 2; round++) {
		memset(in_msgs, 0, sizeof in_msgs);
		memset(from, 0, sizeof from);
		for (int i = 0; i < 4; i++) {
			in_iov[i] = (struct iovec){room[i], sizeof room[i]};
			in_msgs[i].msg_hdr.msg_iov = &in_iov[i];
			in_msgs[i].msg_hdr.msg_iovlen = 1;
			in_msgs[i].msg_hdr.msg_name = i == 3 ? NULL : &from[i];
			in_msgs[i].msg_hdr.msg_namelen = i == 1 ? 6 : i == 2 ? 0 : sizeof from[i];
		}
		DO(recvmmsg(fd[0], in_msgs, 4, MSG_DONTWAIT, NULL));
		for (int i = 0; i < 4; i++) {
			out(" %u %x", in_msgs[i].msg_len, (unsigned)in_msgs[i].msg_hdr.msg_flags);
			out_sun(&from[i], in_msgs[i].msg_hdr.msg_namelen < sizeof from[i] ? in_msgs[i].msg_hdr.msg_namelen : 0);
		}
		for (int i = 0; i < 3; i++)
			sendto(s, "again", 5, 0, (struct sockaddr *)&to[0], out_msgs[0].msg_hdr.msg_namelen);
	}
	step("what is behind the name");
	{
		char got[128];
		socklen_t n = 100;
		struct msghdr m = {.msg_iov = &in_iov[0], .msg_iovlen = 1, .msg_name = got, .msg_namelen = 120};

		memset(got, '#', sizeof got);
		DO(recvfrom(fd[0], room[0], 8, MSG_DONTWAIT | MSG_PEEK, (struct sockaddr *)got, &n));
		out_text(got + 2, sizeof got - 2);
		memset(got, '#', sizeof got);
		DO(recvmsg(fd[0], &m, MSG_DONTWAIT));
		out_text(got + 2, sizeof got - 2);
	}
	step("what is behind each of many");
	for (int round = 0; round < 3; round++) {
		char got[3][128];

		for (int i = 0; i < 3; i++)
			sendto(s, "last", 4, 0, (struct sockaddr *)&to[1], out_msgs[1].msg_hdr.msg_namelen);
		memset(got, '#', sizeof got);
		for (int i = 0; i < 3; i++) {
			in_msgs[i].msg_hdr.msg_name = got[i];
			in_msgs[i].msg_hdr.msg_namelen = round == 0 ? 112u + (unsigned)i : round == 1 ? 60 : 128;
		}
		if (round == 2) { /* the kernel's to judge, message by message */
			in_msgs[1].msg_hdr.msg_name = bad;
			in_msgs[2].msg_hdr.msg_namelen = (socklen_t)-1;
		}
		DO(recvmmsg(fd[1], in_msgs, 3, MSG_DONTWAIT, NULL));
		DO(recvmmsg(fd[1], in_msgs + 2, 1, MSG_DONTWAIT, NULL));
		for (int i = 0; i < 3; i++) {
			if (in_msgs[i].msg_hdr.msg_name != bad) /* that of the host, where nobody could read it */
				out(" %u", in_msgs[i].msg_hdr.msg_namelen);
			out_text(got[i] + 2, sizeof got[i] - 2);
		}
	}
	for (int i = 0; i < 4; i++) {
		close(fd[i]);
		unlink(at_self(peers[i]));
	}
	close(s);
	step("many");
	{
		enum { MANY = 40 };
		struct mmsghdr many[MANY];
		struct sockaddr_un names_in[MANY];
		char byte[MANY];
		struct iovec iov[MANY];
		struct timespec wait = {0, 50000000};

		fd[0] = socket_at(at_self("%/many"), SOCK_DGRAM);
		fcntl(fd[0], F_SETFL, O_NONBLOCK);
		s = socket_at(at_self(far ? "%/sender2" : "sender2"), SOCK_DGRAM);
		fcntl(s, F_SETFL, O_NONBLOCK);
		out_msgs[0].msg_hdr.msg_namelen = sun_set(&to[0], at_self("%/many"));
		for (int round = 0; round < 3; round++) {
			int sent = 0;

			while (sent < 9 && sendto(s, "y", 1, 0, (struct sockaddr *)&to[0], out_msgs[0].msg_hdr.msg_namelen) == 1)
				sent++;
			memset(many, 0, sizeof many);
			for (int i = 0; i < MANY; i++) {
				iov[i] = (struct iovec){&byte[i], 1};
				many[i].msg_hdr.msg_iov = &iov[i];
				many[i].msg_hdr.msg_iovlen = 1;
				many[i].msg_hdr.msg_name = &names_in[i];
				many[i].msg_hdr.msg_namelen = round == 0 ? 12 : sizeof names_in[i];
			}
			out(" %d %d", sent, recvmmsg(fd[0], many, MANY, round == 1 ? MSG_WAITFORONE : MSG_DONTWAIT, &wait));
			out_sun(&names_in[8], many[8].msg_hdr.msg_namelen < sizeof names_in[8] && round ?
				many[8].msg_hdr.msg_namelen : 0);
			out(" %u %u", many[8].msg_hdr.msg_namelen, many[9].msg_hdr.msg_namelen);
		}
	}
}

static void socket_messages(void)
{
	socket_messages_from(false);
}

static void socket_messages_far(void)
{
	socket_messages_from(true);
}

/* Descriptors, several in a message, with room for all and for some. */
static void socket_descriptors(void)
{
	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++)
		for (int n = 1; n <= 4; n++)
			for (size_t room = 0; room <= CMSG_SPACE(4 * sizeof(int)) + 8; room += 4) {
				int pair[2], give[4] = {open("f", O_RDONLY), open("d", O_RDONLY), dup(FILE_FD), open("abs", O_PATH)};
				char control[200], buf[8];
				struct iovec iov = {"hello", 5}, in = {buf, 3};
				struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
					.msg_controllen = CMSG_SPACE((size_t)n * sizeof(int))};
				struct cmsghdr *c;

				memset(control, 0, sizeof control);
				if (socketpair(AF_UNIX, type, 0, pair) != 0)
					return;
				c = CMSG_FIRSTHDR(&m);
				c->cmsg_level = SOL_SOCKET;
				c->cmsg_type = SCM_RIGHTS;
				c->cmsg_len = CMSG_LEN((size_t)n * sizeof(int));
				memcpy(CMSG_DATA(c), give, (size_t)n * sizeof(int));
				out("; %d %d %zu", type, n, room);
				DO(sendmsg(pair[0], &m, 0));
				memset(control, 0, sizeof control);
				m = (struct msghdr){.msg_iov = &in, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room};
				DO(recvmsg(pair[1], &m, 0));
				out(" flags %x %zu", (unsigned)m.msg_flags, (size_t)m.msg_controllen);
				for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
					size_t k = c->cmsg_len >= CMSG_LEN(0) ? (c->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;

					out(" %zu", k);
					for (size_t i = 0; i < k; i++) {
						int fd;
						struct stat a, b;

						memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
						out(" %d", fstat(fd, &a) == 0 && fstat(give[i], &b) == 0 && a.st_ino == b.st_ino);
						close(fd);
					}
				}
				for (int i = 0; i < 4; i++)
					close(give[i]);
				out(" next %d", dup(0) < 30);
				close(pair[0]);
				close(pair[1]);
			}
}

/* -- /proc of others, and mapped files -------------------------------------------------------------- */

static void proc_others(void)
{
	static const char *const names_all[] = {"cwd", "cwd/f", "root", "root/etc/hostname", "root/..", "exe", "fd/9", "fd/98",
		"cwd/..", "cwd/abs", "nope", "cwd/up/etc/only"};
	int ready[2], end[2];
	pid_t pid;

	if (pipe(ready) != 0 || pipe(end) != 0)
		return;
	pid = fork();
	if (pid == 0) {
		char c = 0;

		alarm(20);
		close(end[1]);
		if (chdir("d") != 0 || dup2(open("e/g", O_RDONLY), 98) < 0 || write(ready[1], &c, 1) != 1)
			_exit(1);
		(void)!read(end[0], &c, 1);
		_exit(0);
	}
	close(end[0]);
	(void)!read(ready[0], &(char){0}, 1);
	for (size_t i = 0; i < ROWS(names_all); i++) {
		char path[100], buf[PATH_MAX];
		struct stat st;
		long n;
		char *r;

		step(names_all[i]);
		sprintf(path, "/proc/%d/%s", (int)pid, names_all[i]);
		n = DO(readlink(path, buf, sizeof buf));
		if (n > 0)
			out_text(buf, (size_t)n);
		if (DO(stat(path, &st)) == 0 && S_ISREG(st.st_mode) && st.st_size)
			out_stat(&st);
		r = realpath(path, buf);
		if (r && strncmp(r, "/proc/", 6) != 0)
			out_string(r);
		n = DO(open(path, O_RDONLY | O_NONBLOCK));
		if (n >= 0)
			out_fd((int)n), close((int)n);
		if (i < 4)
			op_opendir(path, 0);
		DO(chdir(path));
		out_cwd();
		DO(chdir(self));
	}
	close(end[1]);
	waitpid(pid, NULL, 0);
}

static void proc_maps(void)
{
	int fd = open("d/e/g", O_RDONLY);
	void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	char path[100], buf[PATH_MAX];
	struct stat st;
	long n;

	sprintf(path, "/proc/self/map_files/%lx-%lx", (unsigned long)p, (unsigned long)p + 4096);
	n = DO(readlink(path, buf, sizeof buf));
	if (n > 0)
		out_text(buf, (size_t)n);
	DO(lstat(path, &st));
	DO(stat(path, &st));
	DO(open(path, O_RDONLY));
	DO(access(path, R_OK));
	sprintf(path, "/proc/self/map_files/%lx-%lx", (unsigned long)p, (unsigned long)p + 8192);
	DO(readlink(path, buf, sizeof buf));
	step("thread-self");
	out_readlink("/proc/thread-self/cwd");
	out_readlink("/proc/thread-self/root");
	out_readlink("/proc/thread-self/fd/9");
	out_open("/proc/thread-self/root/etc/hostname");
	out_open("/proc/thread-self/fd/9");
	op_realpath("/proc/thread-self/cwd/f", 1);
	op_opendir("/proc/thread-self/root/etc", 0);
	DO(chdir("/proc/thread-self/cwd/d"));
	out_cwd();
}

#ifdef __GLIBC__
/* -- fts(3), which musl does not have --------------------------------------------------- */
static int fts_by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static const char *fts_kind(int info)
{
	static const char *const kinds[] = {"?", "D", "DC", "DEFAULT", "DNR", "DOT", "DP", "ERR", "F",
		"INIT", "NS", "NSOK", "SL", "SLNONE", "W"};

	return info >= 0 && info < (int)ROWS(kinds) ? kinds[info] : "?";
}

/* Can the entry be reached by what it says, from where the walk has put us? */
static void out_fts(const FTSENT *e)
{
	struct stat st;

	out(" %s:%d:", fts_kind(e->fts_info), e->fts_level);
	out_text(e->fts_path, strlen(e->fts_path));
	if (e->fts_namelen != strlen(e->fts_name) || e->fts_pathlen != strlen(e->fts_path))
		out("(%d,%d)", e->fts_namelen, e->fts_pathlen);
	if (e->fts_info == FTS_NS || e->fts_info == FTS_DNR || e->fts_info == FTS_ERR)
		out(":%s", errno_name(e->fts_errno));
	if (e->fts_info == FTS_DC)
		out(":%s", e->fts_cycle->fts_name);
	if (e->fts_info == FTS_F && e->fts_statp)
		out_stat(e->fts_statp);
	if (e->fts_info == FTS_D || e->fts_info == FTS_F || e->fts_info == FTS_SL)
		out(lstat(e->fts_accpath, &st) == 0 ? "" : "(lost %s)", errno_name(errno));
	if (e->fts_flags)
		out("+%d", e->fts_flags);
}

/* What the program says to an entry, by its name. */
static int fts_orders(FTS *w, FTSENT *e)
{
	static int again;
	static const char not[] = " skipme w r bin lib lib64 usr sub var tmp ";
	char name[260];

	snprintf(name, sizeof name, " %s ", e->fts_name);
	if (e->fts_info == FTS_D && e->fts_namelen < 250 && strstr(not, name))
		return fts_set(w, e, FTS_SKIP);
	if (e->fts_info == FTS_SL && e->fts_name[0] == 'F')
		return fts_set(w, e, FTS_FOLLOW); /* to nowhere: FTS_SLNONE, and the end of it */
	if (e->fts_info == FTS_F && strcmp(e->fts_name, "again") == 0 && !again++)
		return fts_set(w, e, FTS_AGAIN);
	return 0;
}

static void fts_walk(char *const *tops, int options, bool sorted)
{
	FTS *w;
	FTSENT *e;

	errno = PRESET;
	w = fts_open(tops, options, sorted ? fts_by_name : NULL);
	if (!w) {
		out(" failed %s", errno_name(errno));
		return;
	}
	while ((errno = PRESET, e = fts_read(w)) != NULL) {
		out_fts(e);
		fts_orders(w, e);
	}
	out(" end %s", errno ? errno_name(errno) : "0");
	DO(fts_close(w));
	out_cwd();
}

static void fts_options(void)
{
	static char *const tops[][4] = {{"d"}, {"d/"}, {"dla", "f", "dang"}, {"up/etc"}, {"/etc"}, {"nope", "locked"},
		{"/../../etc", "noread", "noexec"}, {"loop", "dle", "root"}, {".", ".."}, {""}, {"d//e/.", "/"},
		{"./d/e/", "dle"}, {NULL}};
	static const int options[] = {FTS_PHYSICAL, FTS_PHYSICAL | FTS_NOCHDIR, FTS_LOGICAL,
		FTS_PHYSICAL | FTS_COMFOLLOW, FTS_PHYSICAL | FTS_NOSTAT, FTS_PHYSICAL | FTS_SEEDOT, 0x400,
		FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT | FTS_COMFOLLOW};
	for (size_t o = 0; o < ROWS(options); o++)
		for (size_t i = 0; i + 1 < ROWS(tops); i++) {
			/* what has no end, or other things than the root */
			if (strcmp(tops[i][0], ".") == 0 || (tops[i][1] && strcmp(tops[i][1], "/") == 0))
				continue;
			if (strcmp(tops[i][0], "loop") == 0 && options[o] != FTS_PHYSICAL)
				continue;
			if (tops[i][0][0] == 'd' && strcmp(tops[i][0], "dle") != 0 && options[o] == FTS_LOGICAL)
				continue;
			out("; %#x %s", (unsigned)options[o], tops[i][0]);
			fts_walk(tops[i], options[o], true);
		}
}

static void fts_links(void)
{
	DO(mkdir("t", 0755));
	DO(chdir("t"));
	mkdir("skipme", 0755);
	mkdir("skipme/in", 0755);
	mkdir("a", 0755);
	mkdir("a/b", 0755);
	DO(symlink("..", "a/b/Fup"));
	DO(symlink(at_self("%/d/e"), "a/Fabs"));
	DO(symlink("/etc", "a/Fetc"));
	DO(symlink("nothing", "a/Fnone"));
	DO(symlink("/nothing", "a/none"));
	DO(symlink("a/b", "Fb"));
	close(open("again", O_CREAT | O_WRONLY, 0600));
	close(open("a/again", O_CREAT | O_WRONLY, 0600));
	step("physical");
	fts_walk((char *[]){".", NULL}, FTS_PHYSICAL, true);
	step("named");
	fts_walk((char *[]){"a", "Fb", NULL}, FTS_PHYSICAL, true);
	step("nochdir");
	fts_walk((char *[]){".", NULL}, FTS_PHYSICAL | FTS_NOCHDIR, true);
	step("logical");
	fts_walk((char *[]){".", NULL}, FTS_LOGICAL, true);
	step("xdev");
	fts_walk((char *[]){"/", NULL}, FTS_PHYSICAL | FTS_XDEV, true);
	step("absolute");
	fts_walk((char *[]){(char *)at_self("%/t/a"), NULL}, FTS_PHYSICAL, true);
}

static void fts_lists(void)
{
	static const int instrs[] = {0, FTS_NAMEONLY, 7};
	static const int options[] = {FTS_PHYSICAL, FTS_PHYSICAL | FTS_NOCHDIR, FTS_LOGICAL};
	char *tops[] = {"d", (char *)at_self("%/ro"), "locked", "empty", "f", NULL};

	for (size_t o = 0; o < ROWS(options); o++)
		for (size_t i = 0; i < ROWS(instrs); i++) {
			FTS *w;
			FTSENT *e, *c;

			tops[0] = options[o] == FTS_LOGICAL ? "dle" : "d"; /* d leads up, and to all there is */
			w = fts_open(tops, options[o], fts_by_name);

			out("; %#x %d first", (unsigned)options[o], instrs[i]);
			errno = PRESET;
			c = fts_children(w, instrs[i]);
			out(" %s", c ? "" : errno_name(errno));
			for (; c; c = c->fts_link)
				out(" %s", c->fts_name);
			while ((e = fts_read(w)) != NULL) {
				out_fts(e);
				errno = PRESET;
				c = fts_children(w, instrs[i]);
				out(" (%s", c ? "" : errno ? errno_name(errno) : "0");
				for (; c; c = c->fts_link) {
					out(" %s:%s", fts_kind(c->fts_info), c->fts_name);
					if (strcmp(c->fts_name, "only") == 0)
						DO(fts_set(w, c, FTS_FOLLOW));
					if (strcmp(c->fts_name, "e") == 0)
						DO(fts_set(w, c, FTS_SKIP));
				}
				out(")");
			}
			DO(fts_close(w));
			out_cwd();
		}
}

/* Deeper than any path may be; a walk that changes directories does not care. */
static void fts_deep(void)
{
	char name[201];
	FTS *w;
	FTSENT *e;
	int n = 0, deepest = 0, errors = 0;

	memset(name, 'n', 200);
	name[200] = '\0';
	DO(mkdir("deep", 0755));
	DO(chdir("deep"));
	for (int i = 0; i < 60; i++)
		if (mkdir(name, 0755) != 0 || chdir(name) != 0)
			out(" stuck at %d", i);
	close(open("bottom", O_CREAT | O_WRONLY, 0600));
	DO(chdir(at_self("%")));
	for (int o = 0; o < 2; o++) {
		n = deepest = errors = 0;
		w = fts_open((char *[]){"deep", NULL}, o ? FTS_PHYSICAL | FTS_NOCHDIR : FTS_PHYSICAL, NULL);
		while ((e = fts_read(w)) != NULL) {
			n++;
			if (e->fts_pathlen > deepest)
				deepest = e->fts_pathlen;
			if (e->fts_info == FTS_NS || e->fts_info == FTS_DNR || e->fts_info == FTS_ERR) {
				errors++;
				out(" %s:%s:%d", fts_kind(e->fts_info), errno_name(e->fts_errno), e->fts_pathlen);
			}
			if (e->fts_info == FTS_F)
				out_mark(e->fts_statp->st_mode, 0, 0, e->fts_statp->st_size);
		}
		out(" %d %d %d %s", n, deepest, errors, errno_name(errno));
		DO(fts_close(w));
		out_cwd();
	}
	w = fts_open((char *[]){"deep", NULL}, FTS_PHYSICAL, NULL); /* removed from the bottom up */
	while ((e = fts_read(w)) != NULL)
		if (e->fts_info != FTS_D && remove(e->fts_accpath) != 0)
			out(" kept");
	DO(fts_close(w));
	out_open("deep");
}

/* The tree is changed under the walk. */
static void fts_races(void)
{
	FTS *w;
	FTSENT *e;

	mkdir("race", 0755);
	mkdir("race/a", 0755);
	mkdir("race/a/b", 0755);
	mkdir("race/c", 0755);
	step("replaced by a link");
	w = fts_open((char *[]){"race", NULL}, FTS_PHYSICAL, fts_by_name);
	while ((e = fts_read(w)) != NULL) {
		out_fts(e);
		if (e->fts_info == FTS_D && strcmp(e->fts_name, "a") == 0) {
			DO(rename("a", "was"));
			DO(symlink("/etc", "a"));
		}
	}
	DO(fts_close(w));
	out_cwd();
	step("removed");
	w = fts_open((char *[]){"race", NULL}, FTS_PHYSICAL, fts_by_name);
	while ((e = fts_read(w)) != NULL) {
		out_fts(e);
		if (e->fts_info == FTS_D && strcmp(e->fts_name, "c") == 0)
			DO(rmdir("c"));
	}
	DO(fts_close(w));
	step("moved out");
	mkdir("race/c", 0755);
	mkdir("race/c/d", 0755);
	w = fts_open((char *[]){"race", NULL}, FTS_PHYSICAL, fts_by_name);
	while ((e = fts_read(w)) != NULL) {
		out_fts(e);
		if (e->fts_info == FTS_D && strcmp(e->fts_name, "d") == 0)
			DO(rename(at_self("%/race/c/d"), at_self("%/moved")));
	}
	out(" %s", errno_name(errno));
	DO(fts_close(w));
	out_cwd();
}
#endif

#ifdef __GLIBC__
#define LIBC_ONLY_GLIBC                                                                                     \
	S(streams_old), R(globs_alt), R(scandirs_at), R(backtraces), R(fts_options), S(fts_links), R(fts_lists), S(fts_deep), \
		S(fts_races),
#else
#define LIBC_ONLY_GLIBC
#endif
#define LIBC_SCENARIOS                                                                                      \
	S(temp_names), R(walks_old), R(word_lists), S(globs_tilde), R(globs_more), R(globs_long), S(stream_modes), R(popens), S(mount_tables), \
		R(daemons), R(terminals), R(loader), R(shm_names), S(shm_own), R(queues), S(utmps), S(utmps_own),   \
		S(catalogs), R(domains), S(domains_own), R(keys), R(path_confs), R(fanotifies), R(privileged), S(names_64),         \
		S(aliases), S(socket_rooms), R(socket_nameless), S(socket_messages), S(socket_messages_far), R(socket_descriptors),         \
		R(proc_others), R(proc_maps), LIBC_ONLY_GLIBC
