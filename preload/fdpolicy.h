/* SPDX-License-Identifier: ISC
 *
 * Which descriptors are close-on-exec, and why: shared FDPOLICY.md as one table.  Pure, but for
 * the list of the descriptors whose flag we forced; async-signal-safe.
 *
 * What every call that makes a descriptor has to do stands here, to be inlined into it: on the way
 * back from the kernel the processor has forgotten who called whom, and each frame costs 6 ns. */
#ifndef JAIL_FDPOLICY_H
#define JAIL_FDPOLICY_H

#include <fcntl.h>
#include <stdint.h>
#include "mem.h"

enum fd_class {
	FD_OPEN,
	FD_PIPE,
	FD_DUP, /* dup(2) and F_DUPFD */
	FD_SOCKET,
	FD_PAIR,
	FD_ACCEPT,
	FD_RECV,   /* SCM_RIGHTS */
	FD_EVENT,  /* epoll, eventfd, timerfd, signalfd, inotify, fanotify */
	FD_MEMORY, /* memfd */
	FD_PTY,
	FD_STREAM, /* fopen, popen, tmpfile, mkstemp */
	FD_CLASSES,
};

/* What the policy says of a descriptor that is about to be made. */
enum fd_verdict {
	FD_FORCE,  /* to be close-on-exec (with --cloexec=report: it would be) */
	FD_SHELL,  /* left alone: a shell means it to be inherited */
	FD_SKIP,   /* left alone: its class is in --cloexec-skip */
	FD_RULE,   /* left alone by the rules file */
	FD_OFF,    /* --cloexec=off */
	FD_RULES_NONE, /* of the rules alone: they say nothing */
};
enum fd_verdict fdpolicy_verdict(enum fd_class class);

/* Of each class: FD_KNOWN, the verdict above it, and O_CLOEXEC where it is to be forced.  0: not
 * asked yet, or the rules want to know each time which module calls. */
enum { FD_KNOWN = 1, FD_KNOWN_VERDICT = 1 /* bits to the right of it */ };
extern int fdpolicy_known[FD_CLASSES];
int fdpolicy_find(enum fd_class class);

/* O_CLOEXEC when a descriptor of this class is to be forced in this process, else 0. */
static inline int fdpolicy_flag(enum fd_class class)
{
	const int known = __atomic_load_n(&fdpolicy_known[class], __ATOMIC_RELAXED);

	return (LIKELY(known) ? known : fdpolicy_find(class)) & O_CLOEXEC;
}

/* What is worth telling of the arguments of a call that makes a descriptor. */
enum fd_tell {
	FD_TELL_NOTHING,
	FD_TELL_PATH,   /* text: the guest path as given (NULL and bad pointers happen); a: dirfd; b: flags */
	FD_TELL_NAME,   /* text: a name that is no path: memfd_create, mq_open */
	FD_TELL_FROM,   /* a: the descriptor it was made from or came by: dup, accept, recvmsg */
	FD_TELL_SOCKET, /* a: domain, b: type, c: protocol */
	FD_TELL_NUMBER, /* a: eventfd's value, pidfd_open's pid ... */
};
struct fd_args {
	enum fd_tell tell;
	int a, b, c;
	const char *text;
};
#define FD_NOTHING ((struct fd_args){0})
#define FD_PATH(dirfd, path, flags) ((struct fd_args){FD_TELL_PATH, (dirfd), (flags), 0, (path)})
#define FD_NAME(name) ((struct fd_args){FD_TELL_NAME, 0, 0, 0, (name)})
#define FD_FROM(fd) ((struct fd_args){FD_TELL_FROM, (fd), 0, 0, NULL})
#define FD_SOCK(domain, type, protocol) ((struct fd_args){FD_TELL_SOCKET, (domain), (type), (protocol), NULL})
#define FD_NUMBER(n) ((struct fd_args){FD_TELL_NUMBER, (n), 0, 0, NULL})

extern bool record_on; /* record.h */
long record_made(long fd, enum fd_class class, bool asked, const struct fd_args *args);

/* What is remembered of each number, a byte.  Its low half is 0, or one more than the class of a
 * descriptor whose flag we forced.  Its high half tells of the ends of pipe(2) and socketpair(2) where the
 * other end is, see fdpolicy_pair().  Higher numbers are forced as well, but nobody remembers it, so
 * that no exec gives them back: they would cost memory in every process.  A byte and not a bit: it is
 * written without a locked instruction. */
enum { FD_FORCED_MAX = 65536, FD_CLASS = 0x0f, FD_END = 0xf0 };
extern uint8_t fdpolicy_list[FD_FORCED_MAX];
extern int fdpolicy_end; /* all from here on are 0 */
void fdpolicy_mark_rare(long fd, enum fd_class class, bool asked);

/* A call made fd, or failed (fd < 0).  asked: the program itself asked for close-on-exec, or libc did;
 * forced: what fdpolicy_flag said.  Descriptors 0-2 get the flag taken back.  Returns fd.  Every call
 * that hands a new descriptor to the program comes here, also where nothing is forced: the
 * number may have been closed past us, and what is remembered of it is another's. */
static inline long fdpolicy_mark(long fd, enum fd_class class, bool asked, int forced)
{
	if (LIKELY(fd > 2 && fd < __atomic_load_n(&fdpolicy_end, __ATOMIC_RELAXED))) {
		const uint8_t as = asked || !forced ? 0 : (uint8_t)(class + 1);

		if (__atomic_load_n(&fdpolicy_list[fd], __ATOMIC_RELAXED) != as)
			__atomic_store_n(&fdpolicy_list[fd], as, __ATOMIC_RELAXED);
	} else if (forced) {
		fdpolicy_mark_rare(fd, class, asked);
	}
	return fd;
}
static inline long fdpolicy_made(
	long fd, enum fd_class class, bool asked, int forced, struct fd_args args)
{
	fdpolicy_mark(fd, class, asked, forced);
	return UNLIKELY(record_on) ? record_made(fd, class, asked, &args) : fd;
}

/* The two ends of a pipe or of a socketpair have been made, and marked.  Each end remembers how far from
 * it the other is, until that is closed; then it remembers that (END_ALONE).  With a report this is
 * remembered of descriptors that are not forced, too. */
enum { FD_APART = 7 /* the largest distance */, FD_BELOW = 8, FD_END_SHIFT = 4, FD_END_ALONE = 0x80 };
void fdpolicy_pair_rare(const int fds[2]);
static inline void fdpolicy_pair(const int fds[2])
{
	const int apart = fds[1] - fds[0];

	if (fds[0] > 2 && apart > 0 && apart <= FD_APART &&
		fds[1] < __atomic_load_n(&fdpolicy_end, __ATOMIC_RELAXED)) {
		fdpolicy_list[fds[0]] |= (uint8_t)(apart << FD_END_SHIFT);
		fdpolicy_list[fds[1]] |= (uint8_t)((FD_BELOW | apart) << FD_END_SHIFT);
	} else {
		fdpolicy_pair_rare(fds);
	}
}

/* fork(2) is about to copy this process: a child is asked which ends it has closed itself. */
void fdpolicy_forking(void);

/* The program owns the flag of fd from now on (F_SETFD, FIOCLEX, dup2 target); of all in
 * [first, last] (close_range).  A vfork child's calls leave the parent's records alone. */
void fdpolicy_forget(int fd);
void fdpolicy_forget_range(unsigned first, unsigned last);

/* Did we force the flag of fd, as far as we know? */
static inline bool fdpolicy_forced(int fd)
{
	return fd > 2 && fd < __atomic_load_n(&fdpolicy_end, __ATOMIC_RELAXED) &&
	       __atomic_load_n(&fdpolicy_list[fd], __ATOMIC_RELAXED) & FD_CLASS;
}

/* fd is about to be closed, by the program or inside libc (fclose, closedir), or gets the flag from libc
 * (fdopendir).  Cheaper than fdpolicy_forget: where no report is made, it does not ask
 * whose records they are.  What a vfork child closes one by one there, its parent's later execs no
 * longer give back. */
bool record_mine(void); /* record.h */
void fdpolicy_end_closed(int fd);
static inline void fdpolicy_closed(int fd)
{
	uint8_t was;

	if (fd <= 2 || fd >= __atomic_load_n(&fdpolicy_end, __ATOMIC_RELAXED))
		return;
	was = __atomic_load_n(&fdpolicy_list[fd], __ATOMIC_RELAXED);
	if (was && (LIKELY(!record_on) || record_mine())) {
		if (UNLIKELY(was & FD_END))
			fdpolicy_end_closed(fd);
		__atomic_store_n(&fdpolicy_list[fd], 0, __ATOMIC_RELAXED);
	}
}

/* Is fd of the kind that descriptors of this class are?  Where a number was closed past us, by a
 * system call that no library made, and given to another file, this tells most of them apart. */
bool fdpolicy_is(int fd, enum fd_class class);

/* dup2(fd, fd): the program says that fd is meant for its children.  True: the flag was ours, and is gone. */
bool fdpolicy_take_back(int fd);

/* Before exec: the forced descriptors that the rules of FDPOLICY section 2.3 give back lose
 * the flag; those are written to undo (n slots; what is beyond them cannot be restored).
 * Returns how many; fdpolicy_undo() restores them when the exec failed.  program is the path as
 * the program gave it, argv and envp as given to exec; each may be NULL.  Reads our records, never
 * changes them: a vfork child may call it. */
size_t fdpolicy_exec(
	const char *program, char *const argv[], char *const envp[], int *undo, size_t n);
void fdpolicy_undo(const int *undo, size_t n);
/* Is there any descriptor that an exec may give back? */
bool fdpolicy_any(void);

/* Why an exec gives a forced descriptor back. */
enum fd_keep {
	FD_KEEP_NOT,
	FD_KEEP_SAMEPID, /* the process that was executed executes something else */
	FD_KEEP_SELFEXE, /* the program executes itself */
	FD_KEEP_TABLE,   /* a program known to pass descriptors on */
	FD_KEEP_ARGV,    /* its number is in argv */
	FD_KEEP_ENV,     /* or in the environment */
	FD_KEEP_FIFO,    /* likewise, and meant only when it is a pipe */
	FD_KEEP_END,     /* its number alone is in argv: meant only when it is an end, see fdpolicy_pair() */
	FD_KEEP_THREE,   /* such an end of a pipe, which is read from, with number 3: checkpassword */
	FD_KEEP_NUMBER,  /* --keep */
	FD_KEEP_RULE,    /* the rules file, for this target */
};

/* The reason that holds for all of them when program is executed, or FD_KEEP_NOT. */
enum fd_keep fdpolicy_keep(const char *program);

/* The reason that holds for fd, of this class: all and mentioned are what fdpolicy_keep() and
 * fdpolicy_mentions() say of it.  The one place that knows which reason comes first. */
enum fd_keep fdpolicy_keep_why(
	int fd, enum fd_class class, const char *program, enum fd_keep all, enum fd_keep mentioned);

/* Calls each(arg, number, why) for every number that argv or envp mention as a descriptor; for none
 * with --cloexec=strict. */
typedef void fd_mention(void *arg, int fd, enum fd_keep why);
void fdpolicy_mentions(char *const argv[], char *const envp[], fd_mention *each, void *arg);

#endif
