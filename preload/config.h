/* SPDX-License-Identifier: ISC
 *
 * The environment, read once: what the user asked for, in a struct that never changes. */
#ifndef JAIL_CONFIG_H
#define JAIL_CONFIG_H

#include <stdint.h>
#include "mem.h"

struct rules;

enum config_cloexec {
	CONFIG_CLOEXEC_FORCE,
	CONFIG_CLOEXEC_STRICT, /* and nothing that is only mentioned is given back at exec */
	CONFIG_CLOEXEC_REPORT,
	CONFIG_CLOEXEC_REPORT_STRICT,
	CONFIG_CLOEXEC_OFF,
};
/* Where names come from (libjail.7, NAMES); in the order of the words below. */
enum config_names {
	CONFIG_NAMES_GUEST,   /* the root's own files */
	CONFIG_NAMES_FILE,    /* those that the user gives */
	CONFIG_NAMES_HOST,    /* what getent(1) said when jailrun started */
	CONFIG_NAMES_SELF,    /* the caller's own ids */
	CONFIG_NAMES_PATTERN, /* a name made of the number */
	CONFIG_NAMES_NUMERIC, /* nothing is known */
	CONFIG_NAMES_NSS,     /* the libc's own way */
	CONFIG_NAMES,
};
#define CONFIG_NAMES_WORDS "guest", "file", "host", "self", "pattern", "numeric", "nss"

enum config_static { CONFIG_STATIC_REFUSE, CONFIG_STATIC_RUN, CONFIG_STATIC_USERNS };

/* The variables a user may set: X(name, field, "what it does").  libjail.7 documents each. */
#define CONFIG_VARS(X)                                                              \
	X("LIBJAIL_ROOT", root, "the host directory that the program sees as /")    \
	X("LIBJAIL_BIND", bind, "what of the host shows inside the root")           \
	X("LIBJAIL_CLOEXEC", cloexec_word, "force, strict, report, report-strict or off") \
	X("LIBJAIL_CLOEXEC_SKIP", skip_word, "classes of descriptors to leave alone") \
	X("LIBJAIL_KEEP", keep_word, "descriptors to leave open in every program")  \
	X("LIBJAIL_RULES", rules_path, "a file of rules for descriptors, a host path") \
	X("LIBJAIL_REPORT", report, "where descriptors are reported: a host path, fd:N, unix:PATH") \
	X("LIBJAIL_SNAPSHOT", snapshot, "the signal that asks for the table of descriptors") \
	X("LIBJAIL_STATIC", static_word, "refuse, run or userns")                   \
	X("LIBJAIL_LIB", lib_word, "host path of libjail.so, where LD_PRELOAD cannot say it") \
	X("LIBJAIL_RESOLVER", resolver_word, "auto or walk")                        \
	X("LIBJAIL_CLEAN", clean_word, "on, off or always")                         \
	X("LIBJAIL_NAMES", names_word, "where names come from: sources, the first answer wins") \
	X("LIBJAIL_PASSWD", passwd_word, "passwd(5) file of the source file, a host path") \
	X("LIBJAIL_GROUP", group_word, "group(5) file of the source file, a host path") \
	X("LIBJAIL_USER", user_word, "NAME[:HOME[:SHELL]] of the source self")

/* Variables of other tools that mean something here: they are read, and never put back. */
#define CONFIG_FOREIGN(X)                                                           \
	X("NSS_WRAPPER_PASSWD", wrapper_passwd, "LIBJAIL_PASSWD, where that is not set") \
	X("NSS_WRAPPER_GROUP", wrapper_group, "LIBJAIL_GROUP, likewise")            \
	X("FAKECHROOT_DETECT", detect, "the status to exit with, for who asks for fakechroot")

/* What one libjail tells the next across an exec; never seen by the program. */
#define CONFIG_NOTES(X)                                                             \
	X("LIBJAIL_0_ARGV0", note_argv0, "argv[0] as the caller gave it")           \
	X("LIBJAIL_0_EXE", note_exe, "the program, a canonical guest path")         \
	X("LIBJAIL_0_FN", note_fn, "the path that was given to execve")             \
	X("LIBJAIL_0_LIB", note_lib, "our entry in LD_PRELOAD, as it stands there") \
	X("LIBJAIL_0_FD", note_fd, "descriptors that the loader needed: close them") \
	X("LIBJAIL_0_VIEW", note_view, "the root and its binds, held by descriptors") \
	X("LIBJAIL_0_PRELOAD", note_preload, "the program's own LD_PRELOAD")        \
	X("LIBJAIL_0_CARRY", note_carry, "libraries of the host that are preloaded in the root") \
	X("LIBJAIL_0_LAZY", note_lazy, "LD_BIND_NOW is ours, not the program's")     \
	X("LIBJAIL_0_AUDIT", note_audit, "the program's own LD_AUDIT")              \
	X("LIBJAIL_0_TUNABLES", note_tunables, "the program's own GLIBC_TUNABLES")    \
	X("LIBJAIL_0_TRACE", note_trace, "the run, and whose the open descriptors are") \
	X("LIBJAIL_0_NAMES", note_names, "the descriptor of the host's names")          \
	X("LIBJAIL_0_LAUNCH", note_launch, "jailrun's wishes: start its command")

struct config {
#define X(name, field, what) const char *field; /* a copy, or NULL when unset */
	CONFIG_VARS(X)
	CONFIG_FOREIGN(X)
	CONFIG_NOTES(X)
#undef X
	enum config_cloexec cloexec;
	enum config_static statics;
	unsigned skip;         /* one bit an fd_class */
	const struct rules *rules; /* or NULL: there are none */
	bool word_error;       /* a line on stderr was written: a variable has a value that is not known */
	long rules_error;      /* -errno, and a line on stderr was written: they could not be read */
	bool walk;             /* LIBJAIL_RESOLVER=walk: never openat2 */
	uint8_t clean;         /* LIBJAIL_CLEAN, enum view_clean: lookups may remember directories (path/clean.h) */
	bool musl;             /* the libc of this process is musl */
	bool shell;            /* the program is a shell (FDPOLICY section 2, rule 4) */
	bool by_fd;            /* the program was executed by its descriptor: its file tells what it is called */
	const char *lib;       /* host path of libjail.so; never NULL, "" when unknown */
	const char *audit;     /* host path of libjail-audit.so beside it, likewise */
	const char *program;   /* basename of the program, for messages and policy; never NULL */
	const char *file;      /* basename of what is executed: a script's interpreter; likewise */
	const char *passwd, *group; /* what file asks, absolute host paths; NULL: nothing */
	uint8_t names[CONFIG_NAMES], nnames; /* enum config_names: whom to ask for a name, in order */
	bool hide;             /* the program does not see our variables in its environment */
	int pid;               /* of the process that was executed, not of a forked child */
};

extern const struct config *config_ready; /* NULL until config_start() has published it */

/* Reads the environment and publishes the config; racing first callers publish equal values.
 * Async-signal-safe.  Never NULL. */
const struct config *config_start(void);

static inline const struct config *config(void)
{
	const struct config *c = __atomic_load_n(&config_ready, __ATOMIC_ACQUIRE);

	return LIKELY(c) ? c : config_start();
}

/* --cloexec=strict, in force or to be reported: nothing that is only mentioned is given back. */
static inline bool config_strict(const struct config *c)
{
	return c->cloexec == CONFIG_CLOEXEC_STRICT || c->cloexec == CONFIG_CLOEXEC_REPORT_STRICT;
}

/* Is nothing forced, and what would have been is reported? */
static inline bool config_reports_only(const struct config *c)
{
	return c->cloexec == CONFIG_CLOEXEC_REPORT || c->cloexec == CONFIG_CLOEXEC_REPORT_STRICT;
}

/* The process's environment as it is now: environ, may be NULL after clearenv(3). */
char **config_environ(void);
/* What a constructor got as environment, for as long as environ is not set. */
void config_envp(char **envp);

/* One line on stderr, "libjail: PROGRAM: " and the parts up to a NULL.  Async-signal-safe. */
void config_say(const char *const *parts);
extern unsigned config_lines; /* how many so far */
#define SAY(...) config_say((const char *const[]){__VA_ARGS__, NULL})

#endif
