/* SPDX-License-Identifier: ISC
 *
 * The report in each of its forms, and what they share: how a call site is called. */
#ifndef REPORT_SHOW_H
#define REPORT_SHOW_H

#include "model.h"

struct show {
	size_t width; /* columns */
	bool colour, kept, inherited, tables, verbose;
	bool watched;    /* jailrun says what still runs */
	bool left;       /* something still runs, whether the events tell of it or not */
	bool diff;       /* what differs, alone */
	unsigned top;    /* groups of a kind; 0: all */
	bool hit[KINDS]; /* the kinds that make the exit status 1 */
	bool once;       /* the events cannot be read again: no option of ours is named */
	bool hints;      /* the summary names the options that would tell more */
};

/* -- names, raw: to be escaped for where they go ---------------------------------------------- */

/* "script:line", "function (file:line)", "function+0x12 (module)" or "module+0x1234". */
void show_site(struct text *, const struct site *);
/* A frame likewise; the first of its functions, or the i-th where calls were inlined. */
void show_frame(struct text *, const struct spot *, size_t i);
/* The same, and "call in" a site, in at most so many columns where these are enough: without what is
 * in the brackets of C++'s names ("n::f<...>(...) (dir/file:line)"), then without the names around
 * them and the directory ("f<...>(...) (file:line)"), which may still be too long. */
void show_frame_fit(struct text *, const struct spot *, size_t i, size_t width);
void show_call_fit(struct text *, const struct site *, size_t width);
/* Relative where it lies below the working directory. */
const char *show_path(const char *path);
const char *show_base(const char *path);
/* The file and line to look at: the script's, else the blamed frame's; false when unknown. */
bool show_source(const struct site *, const char **ret_file, unsigned *ret_line);
void show_count(struct text *, unsigned long n, const char *one, const char *many);

/* -- sums -------------------------------------------------------------------------------------- */

struct sums {
	unsigned long groups[KINDS], count[KINDS], suppressed, stopped, leaked;
	unsigned long diff[DIFF_GONE + 1];
	bool bad; /* exit status 1 */
};
struct sums show_sums(const struct model *, const struct show *);
/* Is a group part of the report? */
bool show_wanted(const struct show *, const struct group *);

/* Calls each module that has something to say (a note), in order of path: those blamed; with
 * verbose all. */
typedef void show_note(void *arg, const struct module *);
void show_notes(const struct model *, const struct show *, show_note *, void *arg);

/* What the events cannot tell: programs that were not watched, and why; processes that still run. */
void show_processes(struct text *unwatched, struct text *running, const struct model *);
void show_summary(struct text *, const struct model *, const struct show *);
void show_screen(struct text *, const struct model *, const struct show *);
void show_json(struct text *, const struct model *, const struct show *);
void show_csv(struct text *, const struct model *, const struct show *);
void show_sarif(struct text *, const struct model *, const struct show *);
void show_html(struct text *, const struct model *, const struct show *);

#endif
