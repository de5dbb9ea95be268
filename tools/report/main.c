/* SPDX-License-Identifier: ISC
 *
 * jailreport: the options, and in which order things are done. */
#include "diff.h"
#include "live.h"
#include "process.h"
#include "read.h"
#include "show.h"
#include "suppress.h"
#include "symbol.h"
#include "watch.h"
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WIDTH_LEAST = 80, WIDTH_MOST = 100, TOP = 5 };

static const char usage_text[] =
	"usage: jailreport [options] FILE ...            event files, or - for stdin\n"
	"       jailreport [options] --diff OLD NEW ...  what is new since OLD\n"
	"       jailreport [options] --pid N [FILE]      what process N has open now\n"
	"  --json --csv --sarif       another form than the screen\n"
	"  --html FILE                a page with a timeline, besides\n"
	"  --suppress FILE            what is known and not told again (may be repeated)\n"
	"  --gen-suppressions         such a file, for what is told\n"
	"  --fail-on=KIND[,KIND]      status 1 for leak, emfile, never-closed, bad-close; none\n"
	"                             (leak,emfile)\n"
	"  --last                     only the run that began last, of those in the files\n"
	"  --all, --top N             all call sites; the N worst of each kind (5)\n"
	"  --kept --inherited         also what was kept for a reason; what programs found open\n"
	"  --tables                   also the tables of snapshots\n"
	"  -v, --verbose              all stacks, unused suppressions\n"
	"  --help --version\n";

enum form { FORM_SCREEN, FORM_JSON, FORM_CSV, FORM_SARIF, FORM_SUPPRESSIONS };

struct options {
	struct show show;
	enum form form;
	const char *html, *old;
	long pid;
	bool last;
	struct suppressions *suppress;
};

static int error(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int error(const char *format, ...)
{
	struct text plain = {0};
	char *raw = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&raw, format, args) < 0)
		raw = NULL;
	va_end(args);
	text_plain(&plain, raw ? raw : "out of memory");
	fprintf(stderr, "jailreport: %s\n", plain.at ? plain.at : "");
	text_free(&plain);
	free(raw);
	return 2;
}

static size_t screen_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size = {0};
	long n = columns ? strtol(columns, NULL, 10) : 0;

	if (n <= 0 && ioctl(1, TIOCGWINSZ, &size) == 0)
		n = size.ws_col;
	return n < WIDTH_LEAST ? WIDTH_LEAST : n > WIDTH_MOST ? WIDTH_MOST : (size_t)n;
}

static void screen_start(struct options *o)
{
	o->show.width = screen_width();
	o->show.colour = isatty(1) && !(getenv("NO_COLOR") && *getenv("NO_COLOR"));
}

static bool fail_on(struct show *show, const char *list)
{
	if (!*list)
		return false;
	memset(show->hit, 0, sizeof(show->hit));
	while (*list) {
		size_t n = strcspn(list, ",");
		int k = 0;

		if (n == 4 && memcmp(list, "none", 4) == 0) {
			memset(show->hit, 0, sizeof(show->hit));
		} else {
			while (k < KINDS && (k == KIND_HOLDER || strlen(kind_names[k]) != n ||
						    memcmp(list, kind_names[k], n) != 0))
				k++;
			if (k == KINDS)
				return false;
			show->hit[k] = true;
		}
		list += n + (list[n] == ',');
	}
	return true;
}

static bool number(const char *text, long least, long *ret)
{
	char *end;

	errno = 0;
	*ret = strtol(text, &end, 10);
	return errno == 0 && end != text && *end == 0 && *ret >= least && *ret <= 0x7fffffff;
}

/* 0 to go on, or the exit status + 1. */
static int parse(struct options *o, int argc, char **argv)
{
	enum {
		ALL = 256,
		TOP_N,
		LAST,
		KEPT,
		INHERITED,
		TABLES,
		JSON,
		CSV,
		SARIF,
		HTML,
		DIFF,
		SUPPRESS,
		GENERATE,
		PID,
		FAIL,
		VERSION,
		HELP
	};
	static const struct option options[] = {
		{"all",              no_argument, NULL, ALL},
                {"top",              required_argument, NULL, TOP_N},
		{"last",             no_argument, NULL, LAST},
		{"kept",                  no_argument, NULL, KEPT},
                {"inherited",no_argument, NULL, INHERITED},
		{"tables",             no_argument, NULL, TABLES},
                {"json",             no_argument, NULL, JSON},
		{"csv",              no_argument, NULL, CSV},
                {"sarif",                  no_argument, NULL, SARIF},
		{"html",                    required_argument, NULL, HTML},
                {"diff",         required_argument, NULL, DIFF},
		{"suppress",           required_argument, NULL, SUPPRESS},
		{"gen-suppressions",              no_argument, NULL, GENERATE},
		{"pid",                  required_argument, NULL, PID},
                {"fail-on",required_argument, NULL, FAIL},
		{"verbose",              no_argument, NULL, 'v'},
                {"version",              no_argument, NULL, VERSION},
		{"help",              no_argument, NULL, HELP},
                {0                 }
        };
	struct text wrong = {0};
	enum form form;
	int option;
	long n;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":v", options, NULL)) != -1) {
		form = FORM_SCREEN;
		switch (option) {
		case ALL:
			o->show.top = 0;
			break;
		case TOP_N:
			if (!number(optarg, 1, &n))
				return 1 + error("--top %s: it is a number from 1 on; --all shows all", optarg);
			o->show.top = (unsigned)n;
			break;
		case LAST:
			o->last = true;
			break;
		case KEPT:
			o->show.kept = true;
			break;
		case INHERITED:
			o->show.inherited = true;
			break;
		case TABLES:
			o->show.tables = true;
			break;
		case JSON:
			form = FORM_JSON;
			break;
		case CSV:
			form = FORM_CSV;
			break;
		case SARIF:
			form = FORM_SARIF;
			break;
		case GENERATE:
			form = FORM_SUPPRESSIONS;
			break;
		case HTML:
			o->html = optarg;
			break;
		case DIFF:
			o->old = optarg;
			break;
		case SUPPRESS:
			if (!suppress_read(&o->suppress, optarg, &wrong))
				return 1 + error("%s", wrong.at);
			break;
		case PID:
			if (!number(optarg, 1, &o->pid))
				return 1 + error("--pid %s: it is the number of a process", optarg);
			break;
		case FAIL:
			if (!fail_on(&o->show, optarg))
				return 1 + error("--fail-on=%s: it is leak, emfile, never-closed, "
						 "bad-close, kept, inherited, snapshot or none, "
						 "with commas between",
						   optarg);
			break;
		case 'v':
			o->show.verbose = true;
			break;
		case VERSION:
			puts("jailreport " LIBJAIL_VERSION);
			return 1;
		case HELP:
			fputs(usage_text, stdout);
			return 1;
		case ':':
			return 1 + error("%s needs an argument; try 'jailreport --help'",
					   argv[optind - 1]);
		default:
			if (optopt && optopt < ALL)
				return 1 + error("unknown option '-%c'; try 'jailreport --help'",
						   optopt);
			return 1 + error("%s option '%s'; try 'jailreport --help'",
					   optopt ? "misused" : "unknown", argv[optind - 1]);
		}
		if (form != FORM_SCREEN && o->form != FORM_SCREEN && o->form != form)
			return 1 +
			       error("only one of --json, --csv, --sarif and --gen-suppressions");
		if (form != FORM_SCREEN)
			o->form = form;
	}
	return 0;
}

static void finish(struct model *m)
{
	read_end(m);
	model_end(m);
	process_end(m);
	symbol_all(m);
	suppress_apply(m);
	model_merge(m);
}

static bool write_page(const struct model *m, const struct options *o)
{
	struct text page = {0};
	FILE *f = strcmp(o->html, "-") == 0 ? stdout : fopen(o->html, "we");
	bool good;

	if (!f)
		return false;
	show_html(&page, m, &o->show);
	good = fwrite(page.at, 1, page.n, f) == page.n;
	text_free(&page);
	return (f == stdout ? fflush(f) : fclose(f)) == 0 && good;
}

static int show(const struct model *m, const struct options *o)
{
	struct text out = {0}, unused = {0};
	int status = show_sums(m, &o->show).bad;

	if (o->html && !write_page(m, o))
		return error("--html %s: cannot be written: %s", o->html, strerror(errno));
	switch (o->form) {
	case FORM_SCREEN:
		if (!o->html || strcmp(o->html, "-") != 0)
			show_screen(&out, m, &o->show);
		break;
	case FORM_JSON:
		show_json(&out, m, &o->show);
		break;
	case FORM_CSV:
		show_csv(&out, m, &o->show);
		break;
	case FORM_SARIF:
		show_sarif(&out, m, &o->show);
		break;
	case FORM_SUPPRESSIONS:
		suppress_generate(m, &out);
		status = 0;
		break;
	}
	if (out.n)
		fwrite(out.at, 1, out.n, stdout);
	text_free(&out);
	if (fflush(stdout) != 0 || ferror(stdout))
		return error("stdout: %s", strerror(errno));
	if (o->show.verbose && m->suppress) {
		suppress_unused(m->suppress, &unused);
		if (unused.n)
			fputs(unused.at, stderr);
		text_free(&unused);
	}
	/* Where not a line could be used, nothing is known: that is no success. */
	if (o->form != FORM_SCREEN && m->malformed)
		error("%lu of %lu lines malformed, first %s", m->malformed, m->lines,
			m->malformed_at[0]);
	return m->lines > 0 && m->malformed == m->lines ? 2 : status;
}

/* Is there what is needed, and no more?  0, or the exit status. */
static int files(const struct options *o, int argc, char **argv)
{
	struct stat page, in;

	if (o->pid && o->old)
		return error("--pid and --diff do not go together: keep what --pid --json says, "
			     "and give that to --diff");
	if (o->pid && argc > 1)
		return error("--pid %ld: one event file at most, that of the process", o->pid);
	if (!o->pid && argc == 0 && o->old)
		return error("--diff %s: name the new events, too: --diff OLD NEW", o->old);
	if (!o->pid && argc == 0)
		return error("no event file: name what 'jailrun --report=FILE' wrote, or - for "
			     "the standard input; try 'jailreport --help'");
	for (int i = 0, input = o->old && strcmp(o->old, "-") == 0; i < argc; i++)
		if (strcmp(argv[i], "-") == 0 && input++)
			return error("-: the standard input can be read once; name a file");
	if (!o->html)
		return 0;
	if (strcmp(o->html, "-") == 0 && o->form != FORM_SCREEN)
		return error("--html -: the standard output cannot have two forms; name a file");
	for (int i = 0; i < argc; i++)
		if (stat(o->html, &page) == 0 && stat(argv[i], &in) == 0 && S_ISREG(in.st_mode) &&
			page.st_dev == in.st_dev && page.st_ino == in.st_ino)
			return error("--html %s: this is the file to be read; name another for the "
				     "page",
				o->html);
	return 0;
}

/* Is there more to know of m than the screen shows by default? */
static bool is_more(const struct model *m, const struct show *show)
{
	const struct sums s = show_sums(m, show);

	for (int k = 0; k < KINDS; k++)
		if (k != KIND_KEPT && k != KIND_INHERITED && s.groups[k] > show->top)
			return true;
	return s.groups[KIND_NEVER] > 1 || m->kept || m->inherited || m->snapshots;
}

/* Shows what watch_run() has recorded.  The file of events is removed afterwards, unless processes still
 * write to it: so options of jailreport are named only where they can be used. */
static void watch_show(const struct watch *w, struct options *o, long grace)
{
	struct model *m = model_new();
	const bool bad = WIFEXITED(w->status) && WEXITSTATUS(w->status) >= 125 && WEXITSTATUS(w->status) <= 127;
	struct stat st;

	if (bad && stat(w->file, &st) == 0 && st.st_size == 0)
		return; /* nothing was run, and why has been said */
	dup2(2, 1);
	screen_start(o);
	o->show.left = w->left > 0;
	o->show.once = !o->show.left;
	o->show.watched = true;
	if (read_file(m, w->file)) {
		finish(m);
		show(m, o);
		if (o->show.once && is_more(m, &o->show))
			fprintf(stderr,
				"for the rest keep the events: jailrun --report=FILE, then jailreport "
				"--all --kept --inherited%s FILE\n",
				m->snapshots ? " --tables" : "");
	} else {
		error("%s: cannot be read: %s", w->file, strerror(errno));
	}
	if (w->left)
		fprintf(stderr,
			"jailrun: still running after %ld second%s (--report-wait): %s; the events go on to %s: see them "
			"later with jailreport %s\n",
			grace, grace == 1 ? "" : "s", w->who.at, w->file, w->file);
}

/* For jailrun --report: --watch SECONDS PRELOAD CMD [ARG...] runs CMD under libjail, and shows on stderr what
 * was found.  Ends as CMD ends, or with 125. */
static int watch(struct options *o, int argc, char **argv)
{
	struct watch w;
	long grace;
	int r;

	if (argc < 3 || !number(argv[0], 0, &grace))
		return error("--watch is for jailrun: use jailrun --report");
	r = watch_start(&w);
	if (r < 0) {
		fprintf(stderr, "jailrun: --report: no temporary file can be made in %s: %s; set TMPDIR, or use --report=FILE\n",
			getenv("TMPDIR") && *getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", strerror(-r));
		return 125;
	}
	r = watch_run(&w, argv[1], argv + 2, grace);
	if (r == 0)
		watch_show(&w, o, grace);
	else
		fprintf(stderr, "jailrun: %s: %s\n", argv[2], strerror(-r));
	watch_end(&w, w.left > 0);
	if (r < 0)
		return 125;
	watch_exit(&w);
}

int main(int argc, char **argv)
{
	struct options o = {
		.show = {.top = TOP, .hit = {[KIND_LEAK] = true, [KIND_EMFILE] = true}}
        };
	struct model *m = model_new(), *before = NULL;
	struct text wrong = {0};
	int status;

	if (argc > 1 && strcmp(argv[1], "--watch") == 0)
		return watch(&o, argc - 2, argv + 2);
	status = parse(&o, argc, argv);
	if (status)
		return status - 1;
	screen_start(&o);
	m->suppress = o.suppress;
	m->last_run = o.last;
	argc -= optind;
	argv += optind;
	status = files(&o, argc, argv);
	if (status)
		return status;
	if (o.pid) {
		o.show.tables = true;
		if (!live_snapshot(m, o.pid, argc ? argv[0] : NULL, &wrong))
			return error("%s", wrong.at);
	}
	if (o.old) {
		before = model_new();
		before->suppress = o.suppress;
		before->last_run = o.last;
		if (!read_file(before, o.old))
			return error("--diff %s: cannot be read: %s", o.old, strerror(errno));
		finish(before);
	}
	for (int i = 0; i < argc && !o.pid; i++)
		if (!read_file(m, argv[i]))
			return error("%s: cannot be read: %s", argv[i], strerror(errno));
	finish(m);
	if (before) {
		o.show.diff = true;
		diff_apply(m, before);
	}
	return show(m, &o);
}
