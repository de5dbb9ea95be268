/* SPDX-License-Identifier: ISC
 *
 * execve in parts: what the files of this folder share.  A call goes through plan.c, which opens the program
 * and fills a plan (elf.c, musl.c, environ.c, static.c, script.c help), and ends in run.c.
 *
 * The caller's stack may be 16 KiB small and its argument list megabytes long, and between vfork(2) and
 * exec its heap and locks are another process's: everything large is in the plan, which is one mapping
 * of known size.  What is found out lies packed at its beginning, so that a usual exec touches two pages of it.  All functions here are async-signal-safe and usable between vfork and exec. */
#ifndef JAIL_EXEC_H
#define JAIL_EXEC_H

#include "../guest.h"
#include "../../config.h"
#include "../../place.h"
#include "../../sys.h"
#include <elf.h>

enum {
	EXEC_HEAD = 256,        /* include/uapi/linux/binfmts.h, BINPRM_BUF_SIZE */
	EXEC_SCRIPTS = 5,       /* fs/exec.c, exec_binprm: so many scripts may stand in front of each other's program */
	EXEC_WORDS = 32,        /* more than all that scripts and a loader's command line add to argv */
	EXEC_PHDRS = 65536,     /* bytes; fs/binfmt_elf.c, load_elf_phdrs */
	EXEC_MUSL = 1024,       /* a list of musl's directories */
	/* All that struct program finds room for: a name, heads, four paths and the headers of two files, musl's lists. */
	EXEC_ROOM = 6 * PATH_MAX + (EXEC_SCRIPTS + 2) * EXEC_HEAD + 2 * EXEC_PHDRS + 2 * EXEC_MUSL,
};

/* -- what was asked ---------------------------------------------------------------------------- */

/* The limit of descriptors, lifted for the time of planning. */
struct lift {
	struct rlimit was;
	bool on;
};

/* One call of execveat(2). */
struct exec_call {
	const struct view *view;  /* NULL: no root */
	int dirfd;
	const char *path;
	char *const *argv, *const *envp; /* may be NULL: empty */
	int flags;
	const char *script;       /* the argument that takes the place of argv[0], behind the path; or NULL */
	bool give;                /* dirfd is close-on-exec by our doing, and the next program may have it */
	struct lift *lift;
	/* measured: */
	size_t used, room;        /* bytes of both lists, and how many there may be */
	size_t argc, envc;
	size_t longest;           /* bytes of the longest argument, its NUL included */
	size_t ours;              /* bytes of the entries LD_* and LIBJAIL_* of envp */
};

/* Counts and measures both lists as the kernel does before it copies them (fs/exec.c,
 * do_execveat_common): 0, -EFAULT, or -E2BIG; filename is the first string to be copied. */
long exec_measure(struct exec_call *c, const char *filename) MUST_CHECK;

/* -- the program ------------------------------------------------------------------------------- */

enum kind { KIND_DYNAMIC, KIND_STATIC, KIND_LOADER };

/* A program found in the root, open, and the first bytes of it. */
struct opened {
	int fd;                       /* read-only, close-on-exec */
	struct stat st;
	char head[EXEC_HEAD];
};

/* One that is no script. */
struct program {
	int fd;
	enum kind kind;
	char *host;                   /* canonical host path, or /proc/self/fd/N for what has none */
	char *guest;                  /* canonical guest path */
	char *guest_interp;           /* PT_INTERP */
	char *interp;                 /* and the host path of that loader */
	bool interp_musl;
	bool go;                      /* dynamic, but made with Go: as good as static */
	bool nameless;                /* host is /proc/self/fd/N: fd must stay open across the exec */
	unsigned nphdrs;
	const Elf64_Phdr *phdrs;
	char *at;                     /* free room, of EXEC_ROOM in all: texts and headers are written here, and at moves on */
};

/* The free room, aligned for headers. */
static inline void *exec_room(struct program *p)
{
	p->at = (char *)(((uintptr_t)p->at + 15) & ~(uintptr_t)15);
	return p->at;
}

/* The string that has been written at p->at: it stays, and the room behind it is free. */
static inline char *exec_keep(struct program *p)
{
	char *const text = p->at;

	p->at += strlen(text) + 1;
	return text;
}

/* One line on stderr about a program of the guest; returns error. */
long exec_refuse(const char *guest, const char *why, long error);

/* Reads the headers of p->fd, whose first bytes are head (EXEC_HEAD bytes): what kind, which loader.  0 or the kernel's -errno. */
long elf_program(struct program *p, const struct view *v, const char *head, const char *shown) MUST_CHECK;

/* The first bytes of a file, which mostly have all of its headers. */
struct elf_start {
	size_t have;
	char text[1024] __attribute__((aligned(8)));
};

/* pread(2), without a system call where start (may be NULL) has the bytes. */
long elf_read_some(int fd, const struct elf_start *start, void *to, size_t n, uint64_t at);

/* Does this PT_NOTE of the open file say that it was made with Go?  start may be NULL. */
bool elf_is_go(int fd, const struct elf_start *start, const Elf64_Phdr *ph);

/* Is a file of this name with these headers a loader? */
bool elf_is_loader(const Elf64_Ehdr *e, const char *base);

/* ld.so's own command line: the place of the program in argv, 0 when there is none. */
size_t elf_loader_program(char *const argv[]);

/* What the loader itself is to load: path in the guest -> host, PATH_MAX bytes. */
void elf_loader_target(const struct view *v, const char *path, char *host);

/* Splits a script's first line in place (EXEC_HEAD bytes): *ret_arg is NULL without an argument.  0, -ENOEXEC, or
 * -EACCES where the interpreter's name is empty. */
long script_split(char *head, char **ret_interp, char **ret_arg) MUST_CHECK;

/* The directories that musl's loader searches: as /etc/ld-musl-ARCH.path says, or as it is built; EXEC_MUSL bytes. */
void musl_list(const struct view *v, char *list);

/* Where a program asks musl's loader to look before that, in the guest's terms (EXEC_MUSL bytes); "" for none. */
void musl_rpath(const struct program *p, char *list);

/* -- the environment --------------------------------------------------------------------------- */

/* Text that the new environment or argument list points at. */
struct made {
	struct str s;
	char **envp;
	size_t n;
	long error; /* why the program must not run: -errno, or 0 */
};

/* What a rooted program needs beside its own environment. */
struct extra {
	const char *argv0, *fn, *exe; /* notes; NULL: none */
	const char *fds;              /* descriptors that the loader needs */
	const char *lib, *audit;      /* our entries of LD_PRELOAD and LD_AUDIT */
	bool by_fd;                   /* fn ends with a slash, which no program's path does */
	bool musl;
	bool eager;                   /* bind all symbols at start */
	const char *interp;           /* the program's loader, a host path */
	char *trace;                  /* an entry that exec_run() completes; NULL: none */
};

/* How many entries env_make adds at most. */
enum {
#define X(name, field, what) +1
	ENV_OWN = CONFIG_VARS(X) CONFIG_NOTES(X) + 4 /* LD_PRELOAD, LD_AUDIT, LD_BIND_NOW, NULL */
#undef X
};

/* Does the text bear what ld.so(8) takes for more than a name in LD_PRELOAD and LD_AUDIT? */
bool env_unlistable(const char *path);

/* Is envp complete already: our entry in LD_PRELOAD, and the user's settings as they were read?  Almost
 * always it is, without a root, and nothing is copied. */
bool env_complete(char *const envp[]);

/* Upper bound for the text that env_make() writes for this call, whatever the program turns out to be. */
size_t env_room(const struct exec_call *c);

/* Writes the environment for the next program to m, whose s and envp have room.  Overflow is sticky in m->s. */
void env_make(struct made *m, const struct view *v, char *const envp[], const struct extra *x);

/* Appends a list with colons, blanks or newlines to the one that starts at start, each absolute entry below
 * prefix, as a host path: for musl's loader, which has no audit modules.  And the room for that. */
void env_put_prefixed(struct str *s, const char *start, const char *prefix, const char *list);
size_t env_room_prefixed(const char *prefix, const char *list);

/* -- the run ----------------------------------------------------------------------------------- */

#define EXEC_TRACE "LIBJAIL_0_TRACE="

/* What the kernel is to execute in place of what the program asked for, and what to say about it. */
struct exec_run {
	int dirfd;                /* AT_FDCWD unless execveat's own, without a root */
	const char *path;         /* host path */
	char *const *argv, *const *envp;
	int flags;                /* execveat's, likewise 0 */
	const char *program;      /* what the policy goes by */
	const char *target;       /* what reports call it */
	char *const *guest_argv, *const *guest_envp;
	char *trace;              /* room for EXEC_TRACE and its value, or NULL */
	const struct view *view;  /* whose descriptors the next libjail inherits, or NULL */
	int held[3];              /* descriptors of ours that the next program's loader needs, -1: none */
	int given;                /* one of the program's that is to be inherited, -1: none */
	struct lift *lift;
};

/* Executes, or returns the kernel's -errno with everything as it was.  What is to be inherited loses its
 * close-on-exec flag for no other thread: not even a child that one of them makes meanwhile has it. */
long exec_run(const struct exec_run *r);

/* Why a report does not tell what the program will do, a word of the event "unwatched" (libjail.7), or NULL: it will, or its
 * file cannot be read. */
const char *exec_unwatched(const struct exec_run *r);

/* The lifted limit goes back. */
void exec_lift_end(struct lift *l);

/* -- the plan ---------------------------------------------------------------------------------- */

struct exec_plan {
	const struct exec_call *call;
	size_t size;              /* of the mapping that begins here */
	const char *fn;           /* what execve got: AT_EXECFN */
	bool by_fd;               /* the program is what a descriptor holds */
	char *const *argv;        /* the call's, or as scripts have made it */
	size_t argc;
	char **script_argv;       /* room for it: EXEC_WORDS before, argc behind */
	char **loader_argv;       /* room for the loader's: EXEC_WORDS and argc */
	struct made env;          /* its text begins where the program's room ends */
	char *trace;              /* room for an entry, or NULL */
	char *library_path;       /* room for musl's; its end is that of the mapping */
	struct exec_run run;
	char fds[64], entries[3][PLACE_PATH];
	struct program program;
};

/* A static program of the plan: runs it, or refuses it. */
long static_run(struct exec_plan *p, const char *shown);

/* Memory for a plan: at least n bytes of any content, or NULL.  The memory of a vfork child that has executed stays mapped
 * in its parent: it is used again by the next exec of the same thread. */
void *area_take(size_t n);
/* Gives it back, where the exec failed. */
void area_give(void *area, size_t n);

#endif
