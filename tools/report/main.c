/* SPDX-License-Identifier: ISC
 *
 * jailreport: the options, and in which order things are done. */
#include "read.h"
#include "show.h"
#include "suppress.h"
#include "symbol.h"
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH_LEAST = 80, WIDTH_MOST = 100, TOP = 5 };

static const char usage_text[] =
	"usage: jailreport [options] FILE ...   (- for stdin)\n"
	"  --all, --top N        all groups; the N worst of each kind (5)\n"
	"  --kept --inherited    also what was kept for a reason; what programs found open\n"
	"  --tables              also the tables of snapshots\n"
	"  --version --help\n";

static size_t screen_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size = {0};
	long n = columns ? strtol(columns, NULL, 10) : 0;

	if (n <= 0 && ioctl(1, TIOCGWINSZ, &size) == 0)
		n = size.ws_col;
	return n < WIDTH_LEAST ? WIDTH_LEAST : n > WIDTH_MOST ? WIDTH_MOST : (size_t)n;
}

static int usage(void)
{
	fputs(usage_text, stderr);
	return 2;
}

int main(int argc, char **argv)
{
	enum { ALL = 256, TOP_N, KEPT, INHERITED, TABLES, VERSION, HELP };
	static const struct option options[] = {
		{"all",       no_argument,       NULL, ALL      },
		{"top",       required_argument, NULL, TOP_N    },
		{"kept",      no_argument,       NULL, KEPT     },
		{"inherited", no_argument,       NULL, INHERITED},
		{"tables",    no_argument,       NULL, TABLES   },
		{"verbose",   no_argument,       NULL, 'v'      },
		{"version",   no_argument,       NULL, VERSION  },
		{"help",      no_argument,       NULL, HELP     },
		{0}
        };
	struct show show = {.top = TOP, .hit = {[KIND_LEAK] = true, [KIND_EMFILE] = true}};
	struct model *m = model_new();
	struct text out = {0};
	int option;

	while ((option = getopt_long(argc, argv, "v", options, NULL)) != -1)
		switch (option) {
		case ALL:
			show.top = 0;
			break;
		case TOP_N:
			show.top = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case KEPT:
			show.kept = true;
			break;
		case INHERITED:
			show.inherited = true;
			break;
		case TABLES:
			show.tables = true;
			break;
		case 'v':
			show.verbose = true;
			break;
		case VERSION:
			puts("jailreport " LIBJAIL_VERSION);
			return 0;
		case HELP:
			fputs(usage_text, stdout);
			return 0;
		default:
			return usage();
		}
	if (optind == argc)
		return usage();
	show.width = screen_width();
	show.colour = isatty(1) && !(getenv("NO_COLOR") && *getenv("NO_COLOR"));
	for (int i = optind; i < argc; i++)
		if (!read_file(m, argv[i])) {
			fprintf(stderr, "jailreport: %s: %s\n", argv[i], strerror(errno));
			return 2;
		}
	read_end(m);
	model_end(m);
	symbol_all(m);
	suppress_apply(m);
	model_merge(m);
	show_screen(&out, m, &show);
	fwrite(out.at, 1, out.n, stdout);
	if (fflush(stdout) != 0) {
		fprintf(stderr, "jailreport: stdout: %s\n", strerror(errno));
		return 2;
	}
	return show_sums(m, &show).bad;
}
