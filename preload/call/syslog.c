/* SPDX-License-Identifier: ISC
 *
 * The system log: libc connects to /dev/log inside itself, past every wrapper, so in a root all
 * of syslog(3) is here.  What is special is the connection, which outlives calls, forks and changes
 * of the root, and what the two libcs write differently.  Where no root is set libc does it all. */
#include "process.h"
#include "glibc.h"
#include "../record.h"
#include "../sys/lock.h"
#include <sys/un.h>
#include <syslog.h>

extern char *program_invocation_short_name __attribute__((weak));

static struct log {
	int fd;             /* the connection: a low number, as libc's; -1: none */
	int type;           /* SOCK_DGRAM or SOCK_STREAM */
	bool libc_may;      /* libc may have a connection, made when no root was set */
	bool borrowed;      /* fd is that one: libc closes it */
	int option, facility;
	const char *ident;  /* openlog(3): the caller's string, which may change under us */
	char copy[32];      /* musl's idea of it: a copy, cut off */
} log = {.fd = -1, .type = SOCK_DGRAM, .facility = LOG_USER};

/* The text of one message; at is own or fresh pages. */
struct message {
	char own[1024];
	char *at;
	size_t len, body, pages; /* body: where what comes after the time begins */
};

/* -- the connection -------------------------------------------------------------------------- */

static const struct sockaddr_un dev_log = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};

static long log_connect(int fd)
{
	return guest_connect(fd, (const struct sockaddr *)&dev_log, sizeof dev_log, false);
}

/* libc's own connection: openlog(3), LOG_NDELAY is there for those who go on to chroot(2).  A log
 * has this name, or that of systemd-journald.socket(8), to which /dev/log is a symlink. */
static int log_of_libc(int *type)
{
	struct sockaddr_un peer;

	for (int fd = 0; fd < 1024; fd++) {
		socklen_t n = sizeof peer, size = sizeof *type;
		long r;

		memset(&peer, 0, sizeof peer);
		r = sys_call(SYS_getpeername, fd, &peer, &n);
		if (r < 0 || peer.sun_family != AF_UNIX || n >= sizeof peer || state_owns(fd))
			continue;
		if ((mem_equal(peer.sun_path, "/dev/log") ||
			    mem_equal(peer.sun_path, "/run/systemd/journal/dev-log")) &&
			sys_call(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, type, &size) == 0)
			return fd;
	}
	return -1;
}

/* A new connection, or -1; *type is the socket's.  A failure to connect leaves errno alone, as in glibc. */
static int log_made(int *type)
{
	const bool musl = config()->musl;
	int fd = -1;
	long r;

	for (int tries = 0; fd < 0 && tries < 2; tries++) {
		fd = (int)guest_socket(AF_UNIX, *type | SOCK_CLOEXEC, 0);
		if (fd < 0) {
			errno_set(-fd);
			break;
		}
		if (UNLIKELY(record_on))
			record_owner(fd, RECORD_OTHER);
		r = log_connect(fd);
		if (r == 0 || musl)
			break; /* musl keeps the socket in any case, and connects it later */
		guest_close(fd);
		fd = -1;
		if (r != -EPROTOTYPE)
			break; /* or else the log is a socket of the other type */
		*type = *type == SOCK_DGRAM ? SOCK_STREAM : SOCK_DGRAM;
	}
	return fd;
}

/* Makes a connection unless there is one. */
static void log_open(void)
{
	bool libc_may, borrowed = false, musl = config()->musl;
	int type, fd = -1;
	uint64_t signals;

	signals = lock_take(LOCK_SYSLOG);
	type = musl ? SOCK_DGRAM : log.type;
	libc_may = log.libc_may;
	log.libc_may = false;
	lock_give(LOCK_SYSLOG, signals);

	if (libc_may) {
		fd = log_of_libc(&type);
		borrowed = fd >= 0;
	}
	if (fd < 0)
		fd = log_made(&type);

	signals = lock_take(LOCK_SYSLOG);
	if (log.fd < 0) {
		log.type = type;
		log.borrowed = borrowed;
		log.fd = fd;
		fd = -1;
	}
	lock_give(LOCK_SYSLOG, signals);
	if (fd >= 0 && !borrowed)
		guest_close(fd); /* another thread was faster */
}

/* Gives the connection up, provided that it is still fd. */
static void log_drop(int fd)
{
	bool mine, borrowed;
	const char *ident;
	int option, facility;
	uint64_t signals;

	signals = lock_take(LOCK_SYSLOG);
	mine = fd >= 0 && log.fd == fd;
	borrowed = log.borrowed;
	ident = log.ident;
	option = log.option;
	facility = log.facility;
	if (mine) {
		log.fd = -1;
		log.borrowed = false;
	}
	lock_give(LOCK_SYSLOG, signals);
	if (mine && borrowed) {
		REAL(closelog)();
		REAL(openlog)(ident, option & ~LOG_NDELAY, facility);
	} else if (mine) {
		guest_close(fd);
	}
}

/* A second descriptor of the connection, which is made if need be: the first may be closed by
 * another thread and its number go to a file of the program before we have sent.  -errno: none. */
static int log_hold(int *fd, int *type)
{
	int held, min = state_fd_min();
	uint64_t signals;

	if (UNLIKELY(state_in_vfork())) { /* one for this message: what is kept is the parent's */
		*fd = -1;
		*type = SOCK_DGRAM;
		held = log_made(type);
		return held < 0 ? -ENOTCONN : held;
	}

	for (int tries = 0;; tries++) {
		signals = lock_take(LOCK_SYSLOG);
		*fd = log.fd;
		*type = log.type;
		held = *fd < 0 ? -ENOTCONN : sys_fcntl(*fd, F_DUPFD_CLOEXEC, min);
		lock_give(LOCK_SYSLOG, signals);
		if (*fd >= 0 || tries)
			return held == -EMFILE || held == -EINVAL ? *fd : held;
		log_open();
	}
}

static void log_let(int held, int fd)
{
	if (held >= 0 && held != fd)
		sys_close(held);
}

/* Sends m; when the connection went down, over a new one.  0, or -1 with errno. */
static int log_send(const struct message *m)
{
	size_t n = 0;

	for (int tries = 0; tries < 2; tries++) {
		int fd, type, held = log_hold(&fd, &type);
		long r = held;

		if (!n) /* the first connection decides: a NUL ends a record in a stream */
			n = m->len + (type == SOCK_STREAM);
		if (held >= 0)
			r = guest_sendto(held, m->at, n, MSG_NOSIGNAL, NULL, 0, false);
		log_let(held, fd);
		if (r >= 0)
			return 0;
		if (fd < 0)
			return -1;
		errno_set((int)-r);
		log_drop(fd);
	}
	return -1;
}

/* musl connects the same socket again, and only where the log has gone. */
static int log_send_musl(const struct message *m)
{
	int fd, type, held = log_hold(&fd, &type);
	long r = held;

	if (held >= 0)
		r = guest_sendto(held, m->at, m->len, MSG_NOSIGNAL, NULL, 0, false);
	if (r < 0)
		errno_set((int)-r); /* it stays, whatever comes of the next try */
	if (r == -ECONNREFUSED || r == -ECONNRESET || r == -ENOTCONN || r == -EPIPE) {
		r = held < 0 ? -EBADF : log_connect(held);
		if (r == 0)
			r = guest_sendto(held, m->at, m->len, MSG_NOSIGNAL, NULL, 0, false);
	}
	log_let(held, fd);
	if (r < 0)
		errno_set((int)-r);
	return r < 0 ? -1 : 0;
}

/* -- the text -------------------------------------------------------------------------------- */

/* "<pri>Mmm dd hh:mm:ss ", in any locale: strftime(3), "%h %e %T" in the C locale. */
static void put_head(struct str *s, int pri)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct timespec now = {0};
	struct tm tm, *at;

	str_puts(s, "<");
	str_num(s, (unsigned long)pri);
	str_puts(s, ">");
	sys_call(SYS_clock_gettime, CLOCK_REALTIME_COARSE, &now);
	if (config()->musl)
		at = LIBC(gmtime_r, struct tm *, (const time_t *, struct tm *))(&now.tv_sec, &tm);
	else
		at = LIBC(localtime_r, struct tm *, (const time_t *, struct tm *))(&now.tv_sec, &tm);
	if (!at)
		return;
	str_put(s, months + 3 * (at->tm_mon % 12), 3);
	str_puts(s, at->tm_mday < 10 ? "  " : " ");
	str_num(s, (unsigned long)at->tm_mday);
	for (int i = 0; i < 3; i++) {
		int two = i == 0 ? at->tm_hour : i == 1 ? at->tm_min : at->tm_sec;

		str_puts(s, i == 0 ? " " : ":");
		str_puts(s, two < 10 ? "0" : "");
		str_num(s, (unsigned long)two);
	}
	str_puts(s, " ");
}

/* What follows the time, in n bytes at to; its whole length, or -1.  error: errno for %m. */
static int put_body(char *to, size_t n, const struct log *l, int error, int flag, const char *fmt,
	va_list ap)
{
	int (*fortified)(char *, size_t, int, size_t, const char *, va_list) = NULL;
	const char *ident = l->ident;
	int pid = l->option & LOG_PID ? sys_getpid() : 0, head, r;
	va_list aq;

	if (config()->musl)
		ident = l->copy;
	else if (!ident && &program_invocation_short_name)
		ident = program_invocation_short_name;
	head = LIBC(snprintf, int, (char *, size_t, const char *, ...))(to, n, "%s%s%.0d%s: ",
		ident ? ident : "", pid ? "[" : "", pid, pid ? "]" : "");
	if (head < 0)
		return -1;
	to += (size_t)head < n ? (size_t)head : n;
	n -= (size_t)head < n ? (size_t)head : n;
	errno_set(error);
	va_copy(aq, ap);
	if (flag > 0)
		fortified = LIBC(__vsnprintf_chk, int,
			(char *, size_t, int, size_t, const char *, va_list));
	if (fortified)
		r = fortified(to, n, flag, n, fmt, aq);
	else
		r = LIBC(vsnprintf, int, (char *, size_t, const char *, va_list))(to, n, fmt, aq);
	va_end(aq);
	return r < 0 || r > INT_MAX - head - 64 ? -1 : head + r;
}

static int message_make(struct message *m, const struct log *l, int pri, int error, int flag,
	const char *fmt, va_list ap)
{
	struct str s = {m->own, m->own + sizeof m->own};
	bool musl = config()->musl;
	size_t room;
	int r;

	m->at = m->own;
	m->pages = 0;
	put_head(&s, pri);
	m->body = (size_t)(s.at - m->own);
	room = sizeof m->own - m->body;
	r = put_body(s.at, room, l, error, flag, fmt, ap);
	if (r < 0)
		return -1;
	if (musl) { /* in 1024 bytes, always with a newline */
		m->len = m->body + ((size_t)r < room ? (size_t)r : room - 1);
		if (m->at[m->len - 1] != '\n')
			m->at[m->len++] = '\n';
		return 0;
	}
	m->len = m->body + (size_t)r;
	if ((size_t)r >= room) {
		m->at = sys_pages(m->len + 1);
		if (m->at) {
			m->pages = m->len + 1;
			memcpy(m->at, m->own, m->body);
			r = put_body(m->at + m->body, (size_t)r + 1, l, error, flag, fmt, ap);
		} else { /* glibc's words */
			s = (struct str){m->at = m->own, m->own + sizeof m->own};
			str_puts(&s, "out of memory[");
			str_num(&s, (unsigned long)sys_getpid());
			str_puts(&s, "]");
			m->body = 0;
			m->len = (size_t)(s.at - m->own);
		}
	}
	return r < 0 ? -1 : 0;
}

/* In one write, as libc's dprintf(3). */
static void message_show(const struct message *m, int fd, const char *end)
{
	const struct {
		const void *at;
		size_t n;
	} iov[] = {{m->at + m->body, m->len - m->body}, {end, strlen(end)}};
	long r = sys_call(SYS_writev, fd, iov, ROWS(iov));

	if (r < 0)
		errno_set((int)-r);
}

/* -- syslog ---------------------------------------------------------------------------------- */

static void log_format(int pri, int flag, const char *fmt, va_list ap);

static void log_print(int pri, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_format(pri, 0, fmt, ap);
	va_end(ap);
}

static void log_format(int pri, int flag, const char *fmt, va_list ap)
{
	const int error = *__errno_location();
	const bool musl = config()->musl;
	int (*mask)(int) = LIBC(setlogmask, int, (int));
	struct message m;
	struct log now;
	uint64_t signals;
	long fd;

	if (pri & ~(LOG_PRIMASK | LOG_FACMASK)) {
		if (musl)
			return;
		/* options for a facility: glibc's slip, which makes <35> of it */
		log_print(LOG_ERR | LOG_CONS | LOG_PERROR | LOG_PID,
			"syslog: unknown facility/priority: %x", pri);
		pri &= LOG_PRIMASK | LOG_FACMASK;
	}
	if (mask && !(mask(0) & LOG_MASK(LOG_PRI(pri))))
		return;
	signals = lock_take(LOCK_SYSLOG);
	now = log;
	lock_give(LOCK_SYSLOG, signals);
	if (!(pri & LOG_FACMASK))
		pri |= now.facility;
	if (message_make(&m, &now, pri, error, flag, fmt, ap) == 0) {
		const char *end = musl || m.at[m.len - 1] == '\n' ? "" : "\n";

		if (!musl && now.option & LOG_PERROR)
			message_show(&m, STDERR_FILENO, end);
		if ((musl ? log_send_musl(&m) : log_send(&m)) < 0 && now.option & LOG_CONS) {
			fd = guest_open_own(AT_FDCWD, "/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC, 0);
			if (fd < 0) {
				errno_set((int)-fd);
			} else {
				message_show(&m, (int)fd, musl ? "" : "\r\n");
				sys_close((int)fd);
			}
		}
		if (musl && now.option & LOG_PERROR)
			message_show(&m, STDERR_FILENO, end);
	}
	if (m.pages)
		sys_call(SYS_munmap, m.at, m.pages);
}

/* flag: what _FORTIFY_SOURCE calls carry; -1: none */
static void log_any(int pri, int flag, const char *fmt, va_list ap)
{
	void (*fortified)(int, int, const char *, va_list) = NULL;
	void (*real)(int, const char *, va_list);

	if (state_view()) {
		log_format(pri, flag, fmt, ap);
		return;
	}
	__atomic_store_n(&log.libc_may, true, __ATOMIC_RELAXED);
	if (flag >= 0)
		fortified = REAL(__vsyslog_chk);
	real = REAL(vsyslog);
	if (fortified)
		fortified(pri, flag, fmt, ap);
	else if (real)
		real(pri, fmt, ap);
}

void jail_vsyslog(int pri, const char *fmt, va_list ap)
{
	log_any(pri, -1, fmt, ap);
}

void jail_syslog(int pri, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_any(pri, -1, fmt, ap);
	va_end(ap);
}

void jail___vsyslog_chk(int pri, int flag, const char *fmt, va_list ap)
{
	log_any(pri, flag < 0 ? 0 : flag, fmt, ap);
}

void jail___syslog_chk(int pri, int flag, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_any(pri, flag < 0 ? 0 : flag, fmt, ap);
	va_end(ap);
}

/* What is set holds for libc's own as well, which is in use until the program enters a root, but
 * for the connection. */
void jail_openlog(const char *ident, int option, int facility)
{
	const bool in_root = state_view() != NULL, musl = config()->musl;
	/* to older ones 0 is no facility, and not LOG_KERN */
	const bool knows_kern = !glibc_before(36);
	void (*real)(const char *, int, int) = REAL(openlog);
	uint64_t signals;
	bool opens;

	if (real)
		real(ident, in_root ? option & ~LOG_NDELAY : option, facility);
	signals = lock_take(LOCK_SYSLOG);
	if (musl) {
		struct str s = {log.copy, log.copy + sizeof log.copy};
		size_t n = ident ? strlen(ident) : 0;

		str_put(&s, ident, n < sizeof log.copy ? n : sizeof log.copy - 1);
	}
	if (ident || musl)
		log.ident = ident;
	log.option = option;
	if (musl || (!(facility & ~LOG_FACMASK) && (facility || knows_kern)))
		log.facility = facility;
	if (!in_root && option & LOG_NDELAY)
		log.libc_may = true;
	opens = in_root && option & LOG_NDELAY && log.fd < 0;
	lock_give(LOCK_SYSLOG, signals);
	if (opens && !state_in_vfork())
		log_open();
}

void jail_closelog(void)
{
	void (*real)(void) = REAL(closelog);
	bool borrowed, musl = config()->musl;
	uint64_t signals;
	int fd;

	if (UNLIKELY(state_in_vfork()))
		return; /* the connection is the parent's */
	signals = lock_take(LOCK_SYSLOG);
	fd = log.fd;
	borrowed = log.borrowed;
	log.fd = -1;
	log.borrowed = log.libc_may = false;
	log.type = SOCK_DGRAM;
	if (!musl)
		log.ident = NULL;
	lock_give(LOCK_SYSLOG, signals);
	if (fd >= 0 && !borrowed)
		guest_close(fd);
	if (real)
		real();
}
