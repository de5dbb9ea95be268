/* SPDX-License-Identifier: ISC
 *
 * Who is logged in: utmpname(3), getutent(3), pututline(3), updwtmp(3), login(3).  glibc keeps the
 * name of its file and opens it with internal system calls; so in a root it is told the host's name
 * of the guest's file, each time before it opens it.  musl has stubs. */
#include "../record.h"
#include "../wrap.h"
#include <utmp.h>

static const char utmp_default[] = "/var/run/utmp", wtmp_default[] = "/var/log/wtmp";

/* getutent(3): "MT-Unsafe race:utent", what is here as what is in libc. */
static char utmp_file[PATH_MAX]; /* as the program named it; "": it has not */
static bool utmp_told;           /* libc has been told where that is, and may have it open */

static bool utmp_ours(void)
{
	return state_view() && !config()->musl;
}

/* The file of guest that glibc would take: in place of one of two names the same with an x, where
 * that is the one that is there (login/utmp_file.c). */
static const char *utmp_variant(const char *guest, char buf[sizeof utmp_default + 1])
{
	static const char *const names[] = {utmp_default, wtmp_default};

	for (size_t i = 0; i < ROWS(names); i++) {
		const char *rest = mem_after(guest, names[i]);
		bool there;

		if (!rest || !(mem_equal(rest, "") || mem_equal(rest, "x")))
			continue;
		memcpy(buf, names[i], sizeof utmp_default - 1);
		memcpy(buf + sizeof utmp_default - 1, "x", 2);
		there = guest_faccessat2(AT_FDCWD, buf, 0 /* F_OK */, 0) == 0;
		return there ? buf : names[i];
	}
	return guest;
}
_Static_assert(sizeof utmp_default == sizeof wtmp_default, "one buffer for both");

/* The host's name of the guest's file, for libc: one that leads nowhere when there is none. */
static const char *utmp_host(const char *guest, char host[PATH_MAX])
{
	char buf[sizeof utmp_default + 1];

	return guest_host_name(utmp_variant(guest, buf), host, PATH_MAX) < 0 ? "/proc/self/fd/-1/utmp" : host;
}

/* Before libc may open the file. */
static void utmp_ready(void)
{
	int (*real)(const char *) = REAL(utmpname);
	char host[PATH_MAX];
	int saved = *__errno_location();

	if (utmp_told || !real || !utmp_ours())
		return;
	real(utmp_host(*utmp_file ? utmp_file : utmp_default, host));
	utmp_told = true;
	errno_set(saved);
}

/* -- the descriptor --------------------------------------------------------------------------- */

/* glibc's first pututline(3) puts another descriptor onto the one that it keeps, by a dup2(2) that
 * takes its flag away (login/utmp_file.c, seen in 2.36).  No call of ours tells the number: it is one
 * on the file that is open without the flag now and was not before. */
enum { UTMP_FDS = 256 };
static int utmp_fd = -1;

struct utmp_fds {
	const char *file;
	struct stat st;
	bool open[UTMP_FDS]; /* on the file, and inheritable */
};

static void utmp_inheritable(struct utmp_fds *l)
{
	struct stat st;

	for (int fd = 3; fd < UTMP_FDS; fd++)
		l->open[fd] = sys_fcntl(fd, F_GETFD, 0) == 0 && sys_fstat(fd, &st) == 0 &&
			      st.st_dev == l->st.st_dev && st.st_ino == l->st.st_ino;
}

static bool utmp_before(struct utmp_fds *l, char buf[sizeof utmp_default + 1])
{
	if (config()->musl || (!fdpolicy_flag(FD_OPEN) && !record_on))
		return false;
	l->file = utmp_variant(*utmp_file ? utmp_file : utmp_default, buf);
	if (guest_newfstatat(AT_FDCWD, l->file, &l->st, 0) < 0)
		return false;
	utmp_inheritable(l);
	return true;
}

static void utmp_after(const struct utmp_fds *was)
{
	const int forced = fdpolicy_flag(FD_OPEN);
	struct utmp_fds now = {.st = was->st};

	utmp_inheritable(&now);
	for (int fd = 3; fd < UTMP_FDS; fd++) {
		if (!now.open[fd] || was->open[fd])
			continue;
		if (forced)
			sys_fcntl(fd, F_SETFD, FD_CLOEXEC);
		utmp_fd = (int)fdpolicy_made(
			fd, FD_OPEN, false, forced, FD_PATH(AT_FDCWD, was->file, O_RDWR));
	}
}

/* libc closes its file. */
static void utmp_closed(void)
{
	utmp_told = false; /* the name may lead elsewhere by then: a chroot, a rename */
	guest_closed_inside(utmp_fd);
	utmp_fd = -1;
}

/* -- the edge --------------------------------------------------------------------------------- */

int jail_utmpname(const char *file)
{
	int (*real)(const char *) = REAL(utmpname);
	size_t n = file ? strlen(file) : 0;

	utmp_closed();
	if (n < sizeof utmp_file)
		memcpy(utmp_file, file ? file : "", n + 1);
	utmp_told = n >= sizeof utmp_file; /* longer than any path: nothing to translate */
	return real ? real(file) : EDGE(int, -ENOSYS);
}

void jail_setutent(void)
{
	void (*real)(void) = REAL(setutent);

	utmp_ready();
	if (real)
		real();
}

void jail_endutent(void)
{
	void (*real)(void) = REAL(endutent);

	utmp_closed();
	if (real)
		real();
}

#define UTMP_GET(name, params, args)                                           \
	struct utmp *jail_##name params                                        \
	{                                                                      \
		struct utmp *(*real) params = REAL(name);                      \
                                                                               \
		utmp_ready();                                                  \
		if (real)                                                      \
			return real args;                                      \
		errno_set(ENOSYS);                                             \
		return NULL;                                                   \
	}
UTMP_GET(getutent, (void), ())
UTMP_GET(getutid, (const struct utmp *id), (id))
UTMP_GET(getutline, (const struct utmp *line), (line))

struct utmp *jail_pututline(const struct utmp *ut)
{
	struct utmp *(*real)(const struct utmp *) = REAL(pututline), *r;
	char buf[sizeof utmp_default + 1];
	struct utmp_fds fds;
	int saved = *__errno_location(), e;
	bool look;

	if (!real) {
		errno_set(ENOSYS);
		return NULL;
	}
	utmp_ready();
	look = utmp_before(&fds, buf);
	errno_set(saved);
	r = real(ut);
	e = *__errno_location();
	if (look)
		utmp_after(&fds);
	errno_set(e);
	return r;
}

#define UTMP_GET_R(name, params, args)                                         \
	int jail_##name params                                                 \
	{                                                                      \
		int (*real) params = REAL(name);                               \
                                                                               \
		utmp_ready();                                                  \
		return real ? real args : EDGE(int, -ENOSYS);                  \
	}
UTMP_GET_R(getutent_r, (struct utmp *buf, struct utmp **ret), (buf, ret))
UTMP_GET_R(getutid_r, (const struct utmp *id, struct utmp *buf, struct utmp **ret), (id, buf, ret))
UTMP_GET_R(getutline_r, (const struct utmp *line, struct utmp *buf, struct utmp **ret), (line, buf, ret))

void jail_updwtmp(const char *file, const struct utmp *ut)
{
	void (*real)(const char *, const struct utmp *) = REAL(updwtmp);
	char host[PATH_MAX];

	if (real)
		real(file && utmp_ours() ? utmp_host(file, host) : file, ut);
}

/* -- login(3), which in glibc since 2.34 calls the above inside -------------------------------- */

static void utmp_text(char *to, size_t n, const char *from)
{
	size_t len = strlen(from);

	memset(to, 0, n);
	memcpy(to, from, len < n ? len : n); /* utmp(5): no NUL where it does not fit */
}

static void utmp_now(struct utmp *ut)
{
	struct timespec now = {0, 0};

	sys_call(SYS_clock_gettime, CLOCK_REALTIME, &now);
	ut->ut_tv.tv_sec = (__typeof__(ut->ut_tv.tv_sec))now.tv_sec;
	ut->ut_tv.tv_usec = (__typeof__(ut->ut_tv.tv_usec))(now.tv_nsec / 1000);
}

void jail_login(const struct utmp *given)
{
	void (*real)(const struct utmp *) = REAL(login);
	struct utmp ut;
	char tty[PATH_MAX] = "";
	const char *name;

	if (!utmp_ours()) {
		if (real)
			real(given);
		return;
	}
	ut = *given;
	ut.ut_type = USER_PROCESS;
	ut.ut_pid = sys_getpid();
	/* glibc takes every answer for a terminal's name, the error ENOTTY too: standard input's it is,
	 * and where that is none the line is empty (login/login.c) */
	if (jail_ttyname_r(0, tty, sizeof tty) != 0)
		*tty = '\0';
	name = mem_after(tty, "/dev/");
	utmp_text(ut.ut_line, sizeof ut.ut_line, name ? name : mem_base(tty));
	if (jail_utmpname(utmp_default) == 0) {
		jail_setutent();
		jail_pututline(&ut);
		jail_endutent();
	}
	jail_updwtmp(wtmp_default, &ut);
}

int jail_logout(const char *line)
{
	int (*real)(const char *) = REAL(logout);
	struct utmp ut, buf, *found;
	int r = 0;

	if (!utmp_ours())
		return real ? real(line) : 0;
	if (jail_utmpname(utmp_default) != 0)
		return 0;
	memset(&ut, 0, sizeof ut);
	ut.ut_type = USER_PROCESS;
	utmp_text(ut.ut_line, sizeof ut.ut_line, line);
	jail_setutent();
	if (jail_getutline_r(&ut, &buf, &found) >= 0) {
		memset(found->ut_user, 0, sizeof found->ut_user);
		memset(found->ut_host, 0, sizeof found->ut_host);
		utmp_now(found);
		found->ut_type = DEAD_PROCESS;
		r = jail_pututline(found) != NULL;
	}
	jail_endutent();
	return r;
}

void jail_logwtmp(const char *line, const char *name, const char *host)
{
	void (*real)(const char *, const char *, const char *) = REAL(logwtmp);
	struct utmp ut;

	if (!utmp_ours()) {
		if (real)
			real(line, name, host);
		return;
	}
	memset(&ut, 0, sizeof ut);
	ut.ut_pid = sys_getpid();
	ut.ut_type = *name ? USER_PROCESS : DEAD_PROCESS;
	utmp_text(ut.ut_line, sizeof ut.ut_line, line);
	utmp_text(ut.ut_user, sizeof ut.ut_user, name);
	utmp_text(ut.ut_host, sizeof ut.ut_host, host);
	utmp_now(&ut);
	jail_updwtmp(wtmp_default, &ut);
}
