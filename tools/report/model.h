/* SPDX-License-Identifier: ISC
 *
 * What the events come to: call sites, and per call site one group of each kind of finding.  Memory
 * grows with the call sites, not with the events: names, examples and times are kept in tallies
 * and histograms of bounded size. */
#ifndef REPORT_MODEL_H
#define REPORT_MODEL_H

#include "json.h"
#include "text.h"

/* -- call sites ------------------------------------------------------------------------------ */

struct module {
	char *path;        /* on its host, as the events have it */
	char *id;          /* build id, hex; "" when it has none */
	const char *shown; /* the guest's name of it where it lies in a root */
	bool here;         /* seen in an event of this host, or of no known host */
	bool none;         /* for what is no file: [vdso], an address in no module */
	int64_t last;      /* the last event that names it */
	struct spot *spots;
	size_t n;
	char *note; /* why it has no symbols, for the reader */
	bool found; /* its file, or its debuginfo, is here */
};

/* A function as the symbols have it; several for one address where calls were inlined, innermost
 * first. */
struct line {
	char *function; /* or NULL */
	char *file;     /* or NULL */
	unsigned line;  /* 0: unknown */
	uint64_t plus;  /* how far behind the function's beginning, where the line is not known */
};

/* An address in a module. */
struct spot {
	struct module *module;
	uint64_t offset;
	struct line *lines;
	size_t n;
	struct spot *next; /* of the module's */
	bool innermost;    /* of a stack: here somebody made the call that is reported */
	/* The function that is called here, where it is of this module: it ended in the reported call, a
	 * tail call, and left no frame.  Or NULL. */
	struct spot *via;
};

enum { SITE_FRAMES = 16 };

struct site {
	char hash[17]; /* "" when it is not known who called */
	char *call;    /* or NULL */
	char *script;  /* or NULL */
	unsigned script_line;
	struct spot *at[SITE_FRAMES];
	size_t n, blame; /* blame < n where n > 0 */
	/* The same place reached on another way: kept apart only while suppressions look at stacks.
	 */
	struct site *head, *next;
	uint64_t way;
	struct site *also; /* of a head: another call at the same place, a script's line */
	/* Of a head: the first with the same call on the same line, whose code may be at several
	 * addresses (an unrolled loop, an inlined function); itself where none is known. */
	struct site *same;
};

/* The blamed frame's innermost function, or NULL. */
const struct line *site_line(const struct site *);
const struct spot *site_spot(const struct site *);
/* The function that made the call and left no frame, which the blamed frame has called; or NULL. */
const struct spot *site_via(const struct site *);

/* -- bounded sums ---------------------------------------------------------------------------- */

/* How often each name was seen; the first TALLY different ones. */
enum { TALLY = 24 };
struct tally {
	struct counted {
		char *name;
		unsigned long n;
	} * at;
	unsigned n;
	unsigned long others; /* of further names */
};
void tally_add(struct tally *, const char *name, unsigned long n);
void tally_free(struct tally *);
void tally_sort(struct tally *); /* most frequent first */

/* How many different things: exact up to DISTINCT, then an estimate (the k smallest hashes). */
enum { DISTINCT = 256 };
struct distinct {
	uint64_t *at;
	unsigned n, room;
	uint64_t most;
};
void distinct_add(struct distinct *, uint64_t hash);
unsigned long distinct_count(const struct distinct *);

/* A histogram over time, in TIMELINE buckets of 2^shift microseconds each, as fine as the span
 * allows. */
enum { TIMELINE = 64 };
struct timeline {
	int shift;
	int64_t base; /* bucket 0 begins at base << shift */
	unsigned long n[TIMELINE];
};
void timeline_add(struct timeline **, int64_t us, unsigned long n);
/* An empty one whose buckets begin at us and are step wide. */
void timeline_begin(struct timeline **, int64_t us, int64_t step);
void timeline_merge(struct timeline **, const struct timeline *);

/* -- findings -------------------------------------------------------------------------------- */

enum kind {
	KIND_LEAK,   /* exec-leak, stopped */
	KIND_EMFILE, /* the failing call */
	KIND_HOLDER, /* who held the descriptors of that full table */
	KIND_NEVER,
	KIND_BAD_CLOSE, /* site: the closer */
	KIND_KEPT,
	KIND_INHERITED,
	KIND_SNAPSHOT,
	KINDS,
};
extern const char *const kind_names[KINDS];

/* What of a group came from one call site, where several are on its line. */
struct part {
	struct site *site, *made, *closed;
	unsigned long count;
};

/* How many descriptors of a group the fullest tables had. */
enum { FULLEST = 8 };
struct full {
	uint64_t table; /* 0: none */
	unsigned long n;
};

struct group {
	enum kind kind;
	struct site *site;          /* never NULL */
	struct site *made, *closed; /* of a bad close; or NULL */
	char *why;    /* kept: the reason; bad close: its kind; emfile: the error; else "" */
	unsigned set; /* the suppressions that the events of it may fall under (suppress.h) */
	unsigned long count; /* descriptors times programs; of a table: the most in one */
	unsigned long leaked, stopped, events, missed;
	long limit, open; /* emfile: the most seen; -1 unknown */
	int64_t first, last;
	struct tally targets, programs, hosts, whats, classes, heirs;
	struct distinct fds;
	struct timeline *line;
	/* of a table: what the present event adds up to, which counts where it is the most so far
	 */
	unsigned long now;
	struct timeline *line_now;
	struct full fullest[FULLEST];
	struct part *parts; /* or NULL: all are of site */
	size_t parts_n;
	char *chain; /* one example, "a(12) < b(3)" */
	unsigned long serial;
	unsigned long descriptors; /* where another report counted them; 0 */
	/* --diff */
	enum { DIFF_NONE, DIFF_NEW, DIFF_GROWN, DIFF_SAME, DIFF_GONE } diff;
	unsigned long before;
	const char *suppressed; /* by the suppression of this name */
};
unsigned long group_descriptors(const struct group *); /* different ones, about */

enum { MALFORMED = 5 };

struct suppressions;
struct model {
	struct table modules, spots, sites, groups;
	struct group **all;
	size_t n, room;
	struct tally roots;
	struct tally hosts;
	struct table alive;              /* processes, see process.h */
	bool alive_full;
	struct tally running, unwatched; /* "name (pid)"; "/path is statically linked" */
	struct distinct every_run, every_host;
	unsigned long serial, lines, events, unknown, failed_execs;
	unsigned long processes, exits, made, kept, inherited, snapshots;
	int64_t first, last;
	unsigned long malformed;
	char *malformed_at[MALFORMED]; /* "file:line: why" */
	struct suppressions *suppress; /* or NULL */
	const char *host;              /* this machine's name */
	long pid;                      /* only this process's events count; 0: all */
	bool last_run;                 /* only the events of the run that began last count: */
	uint64_t run;                  /* this one, */
	int64_t run_first;             /* whose first event has this time */
	struct table runs;             /* those that were seen */
};

struct model *model_new(void);
/* One event; false with *wrong (static) when it is none. */
bool model_event(struct model *, const struct json *, const char **wrong);
/* Does an event of that time count, of the run whose id has this mark?  With last_run only those of one run
 * do; what was counted of an earlier one is forgotten where a later one begins. */
bool model_run(struct model *, uint64_t mark, int64_t t);
bool model_looks(const struct json *, const char **wrong); /* is it one? */
void model_malformed(struct model *, const char *file, unsigned long line, const char *why);
/* The parts, for what is no event. */
struct site *model_site(struct model *, const char *hash, const char *call);
struct spot *model_spot(struct model *, const char *path, const char *id, uint64_t offset);
struct group *model_group(struct model *, enum kind, struct site *, const char *why,
	struct site *made, struct site *closed); /* a new one, which model_merge adds to its like */
void group_part(struct group *, struct part);
void model_add(struct model *, struct group *);                 /* at the end, as it is */
int64_t json_time(const struct json *object, const char *name); /* microseconds */

/* When all is read: paths in guest terms, examples sorted; the groups of one site that were kept
 * apart for suppressions are still apart. */
void model_end(struct model *);
/* After names were found and suppressions applied: one group for each kind and line, and in order:
 * worst first. */
void model_merge(struct model *);

#endif
