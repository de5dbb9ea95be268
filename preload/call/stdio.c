/* SPDX-License-Identifier: ISC
 *
 * Streams: what fopen(3)'s mode means as open(2) flags, and how a stream comes to sit on a
 * descriptor that the guest's kernel opened.  libc opens the files of its streams with internal
 * system calls, so in a root we open and libc adopts (fdopen); without a root libc opens, and an
 * 'e' in the mode is all that the descriptor policy needs.  Mount tables are here because they are
 * read through streams. */
#include "../config.h"
#include "../fdpolicy.h"
#include "../place.h"
#include "../state.h"
#include "../record.h"
#include "../guest/made.h"
#include "../wrap.h"
#include "temp.h"

enum { STREAM_MODE = 64 };

/* glibc looks at seven characters of the mode, musl at all (libio/fileops.c, __fmodeflags). */
static size_t stream_scanned(void)
{
	return config()->musl ? SIZE_MAX : 7;
}

static bool stream_has(const char *mode, char c)
{
	for (size_t i = 0; mode[i] && i < stream_scanned(); i++)
		if (i && mode[i] == c)
			return true;
	return false;
}

/* ",ccs=CHARSET", a glibc extension: its conversion is set up by glibc's fopen and freopen only. */
static const char *stream_charset(const char *mode)
{
	if (config()->musl)
		return NULL;
	for (; *mode; mode++)
		if (mem_after(mode, ",ccs="))
			return mode;
	return NULL;
}

/* The open(2) flags of a mode, or -EINVAL. */
static int stream_flags(const char *mode)
{
	int flags;

	switch (mode[0]) {
	case 'r':
		flags = 0;
		break;
	case 'w':
		flags = O_CREAT | O_TRUNC;
		break;
	case 'a':
		flags = O_CREAT | O_APPEND;
		break;
	case '\0': /* musl searches "rwa" with strchr(3), which finds the NUL */
		if (config()->musl)
			return O_WRONLY | O_CREAT;
		/* fall through */
	default:
		return -EINVAL;
	}
	flags |= stream_has(mode, '+') ? O_RDWR : mode[0] == 'r' ? O_RDONLY : O_WRONLY;
	return flags | (stream_has(mode, 'x') ? O_EXCL : 0) |
	       (stream_has(mode, 'e') ? O_CLOEXEC : 0);
}

/* The mode for a libc function whose file is already there: nothing that creates ('x'), letters
 * that fdopen(3) finds too (it looks at five), 'e' when asked for, the charset. */
static void stream_mode(struct str *s, const char *mode, bool e)
{
	static const char kept[] = "+mc";
	const char *charset = stream_charset(mode);

	str_put(s, *mode ? mode : "w", 1);
	for (size_t i = 0; kept[i]; i++)
		if (stream_has(mode, kept[i]))
			str_put(s, &kept[i], 1);
	if (e)
		str_puts(s, "e");
	if (charset)
		str_puts(s, charset);
}

/* The mode with an 'e' right after its first letter, in buf; NULL when the scan would then miss a
 * letter, or there is no room. */
static const char *stream_mode_e(const char *mode, char buf[STREAM_MODE])
{
	struct str s = {buf, buf + STREAM_MODE};
	size_t n = strlen(mode);

	if (n == 0 || (n >= stream_scanned() && mem_find("+xmc", mode[stream_scanned() - 1])))
		return NULL;
	str_put(&s, mode, 1);
	str_puts(&s, "e");
	str_puts(&s, mode + 1);
	return s.at ? buf : NULL;
}

/* fileno(3) without its EBADF in errno */
static int stream_number(FILE *f)
{
	int saved = *__errno_location(), fd = LIBC(fileno, int, (FILE *))(f);

	errno_set(saved);
	return fd;
}

/* fopen in glibc goes to the end for "a", not for "a+"; fdopen does not, and musl never does. */
static void stream_to_end(FILE *f, const char *mode)
{
	int saved;

	if (mode[0] != 'a' || stream_has(mode, '+') || config()->musl)
		return;
	saved = *__errno_location();
	LIBC(fseek, int, (FILE *, long, int))(f, 0, SEEK_END);
	errno_set(saved);
}

/* Moves fd out of the program's way: the number that it leaves is the next to be given. */
static int stream_aside(int fd)
{
	int high = sys_fcntl(fd, F_DUPFD_CLOEXEC, state_fd_min());

	if (high < 0)
		return fd;
	sys_close(fd);
	return high;
}

/* A descriptor that a stream owns; asked: also where libc itself makes it close-on-exec. */
static void stream_made(int fd, bool asked, int forced, const char *path)
{
	fdpolicy_made(fd, FD_STREAM, asked, forced, FD_PATH(AT_FDCWD, path, 0));
	if (UNLIKELY(record_on))
		record_owner(fd, RECORD_STREAM);
}

/* A stream that libc is about to close. */
static void stream_closing(FILE *f)
{
	if (f)
		guest_closed_inside(stream_number(f));
}

int jail_fclose(FILE *f)
{
	stream_closing(f);
	return REAL(fclose)(f);
}

/* What very old objects call. */
#define STREAM_CLOSER(name)                          \
	int jail_##name(FILE *f)                     \
	{                                            \
		int (*real)(FILE *) = REAL(name);    \
                                                     \
		stream_closing(f);                   \
		return real ? real(f) : EDGE(int, -ENOSYS); \
	}
STREAM_CLOSER(_IO_file_close)
STREAM_CLOSER(_IO_file_close_it)
STREAM_CLOSER(_IO_proc_close)

void jail__IO_file_finish(FILE *f, int unused)
{
	void (*real)(FILE *, int) = REAL(_IO_file_finish);

	stream_closing(f);
	if (real)
		real(f, unused);
}

FILE *jail_fdopen(int fd, const char *mode)
{
	FILE *f = REAL(fdopen)(fd, mode);

	if (f && config()->musl && stream_has(mode, 'e')) {
		fdpolicy_forget(fd); /* glibc's takes no notice of the letter */
		if (UNLIKELY(record_on))
			record_flag(fd, true);
	}
	if (f && UNLIKELY(record_on))
		record_owner(fd, RECORD_STREAM);
	return f;
}

static void stream_close(int fd)
{
	guest_closed_inside(fd);
	sys_close(fd);
}

/* A stream with a charset on the file of fd, which is closed. */
static FILE *stream_convert(int fd, const char *mode, bool e)
{
	char path[32], text[STREAM_MODE];
	struct str p = {path, path + sizeof path}, m = {text, text + sizeof text};
	FILE *f = NULL;
	int state;

	fd = stream_aside(fd);
	str_puts(&p, "/proc/self/fd/");
	str_num(&p, (unsigned long)fd);
	stream_mode(&m, mode, e);
	state = cancel_off();
	if (m.at)
		f = REAL(fopen)(path, text);
	else
		errno_set(EINVAL);
	sys_close(fd);
	cancel_on(state);
	return f;
}

/* fopen(3) is a cancellation point in glibc, unless the mode has a 'c', and in musl never. */
static bool stream_point(const char *mode)
{
	return !config()->musl && !stream_has(mode, 'c') && cancel_point();
}

/* fopen in a root; flags: more than the mode says. */
static FILE *stream_open(const char *path, const char *mode, int flags, bool point)
{
	int forced = fdpolicy_flag(FD_STREAM), how = stream_flags(mode);
	bool asked = (how | flags) & O_CLOEXEC, converts;
	char text[STREAM_MODE];
	struct str m = {text, text + sizeof text};
	int fd;
	FILE *f;
	long r;

	if (EDGE(int, how) < 0)
		return NULL;
	converts = stream_charset(mode) != NULL;
	r = converts ? guest_open_stream(AT_FDCWD, path, how | flags | O_CLOEXEC, 0666, point)
		     : guest_open_as(FD_STREAM, forced, AT_FDCWD, path, how | flags, 0666, point);
	fd = EDGE(int, r);
	if (fd < 0)
		return NULL;
	if (converts) {
		f = stream_convert(fd, mode, asked || forced);
		if (f)
			stream_made(stream_number(f), asked, forced, path);
		return f;
	}
	if (UNLIKELY(record_on))
		record_owner(fd, RECORD_STREAM);
	stream_mode(&m, mode, false);
	f = LIBC(fdopen, FILE *, (int, const char *))(fd, text);
	if (f)
		stream_to_end(f, mode);
	else
		stream_close(fd);
	return f;
}

/* fopen without a root: one call of libc's, the number recorded. */
static FILE *stream_real(
	FILE *(*open)(const char *, const char *), const char *path, const char *mode)
{
	int forced = fdpolicy_flag(FD_STREAM);
	bool asked = stream_has(mode, 'e');
	char text[STREAM_MODE];
	const char *with = forced && !asked ? stream_mode_e(mode, text) : mode;
	FILE *f = open(path, with ? with : mode);

	if (f) {
		int fd = stream_number(f);

		if (!with)
			sys_fcntl(fd, F_SETFD, FD_CLOEXEC);
		stream_made(fd, asked, forced, path);
	} else if (UNLIKELY(record_on)) {
		record_made(-*__errno_location(), FD_STREAM, asked, &FD_NOTHING);
	}
	return f;
}

FILE *jail_fopen(const char *path, const char *mode)
{
	return state_view() ? stream_open(path, mode, 0, stream_point(mode))
			    : stream_real(REAL(fopen), path, mode);
}

/* A stream that changes its file keeps its number, so what applies to the number decides: 0-2
 * stay inheritable.  NULL path: the file stays too, and with it what its flag was. */
static int stream_forced(int fd, const char *path)
{
	if (fd >= 0 && fd <= 2)
		return 0;
	if (!path && !(sys_fcntl(fd, F_GETFD, 0) & FD_CLOEXEC))
		return 0;
	return fdpolicy_flag(FD_STREAM);
}

static FILE *stream_reopen_real(const char *path, const char *mode, FILE *f)
{
	int old = stream_number(f), forced = stream_forced(old, path);
	bool asked = stream_has(mode, 'e');
	/* the program cleared the flag; glibc would set it again, for the 'e' that was ours */
	bool cleared = !path && !asked && !forced && old > 2 && fdpolicy_flag(FD_STREAM);
	char text[STREAM_MODE];
	const char *with = forced && !asked ? stream_mode_e(mode, text) : NULL;

	if (path) {
		fdpolicy_closed(old);
		epoch_closing(old);
	}
	f = REAL(freopen)(path, with ? with : mode, f);
	if (f && path) {
		int fd = stream_number(f);

		if (forced && !asked && !with)
			sys_fcntl(fd, F_SETFD, FD_CLOEXEC);
		if (fd != old)
			guest_closed_inside(old);
		stream_made(fd, asked, forced, path);
	} else if (!f) {
		guest_closed_inside(old); /* freopen(3p): closed all the same */
	} else if (asked) {
		fdpolicy_forget(old);
	}
	if (f && cleared)
		sys_fcntl(old, F_SETFD, 0);
	return f;
}

/* In a root the stream is first reopened on the host's /dev/null, which gives libc its mode and its
 * number, and then our descriptor takes that number: so the file is opened once, with the
 * program's flags, by the guest's kernel. */
FILE *jail_freopen(const char *path, const char *mode, FILE *f)
{
	int how = stream_flags(mode), forced, fd, to, old, state;
	bool asked = stream_has(mode, 'e');
	char text[STREAM_MODE];
	struct str m = {text, text + sizeof text};

	if (!path || !state_view() || how < 0)
		return stream_reopen_real(path, mode, f);
	old = stream_number(f);
	forced = stream_forced(old, path);
	fd = (int)guest_open_stream(AT_FDCWD, path, how | O_CLOEXEC, 0666, stream_point(mode));
	if (fd < 0) { /* freopen(3p): the stream is closed all the same */
		guest_closed_inside(old);
		REAL(freopen)("", "r", f);
		errno_set(-fd);
		return NULL;
	}
	state = cancel_off();
	fd = stream_aside(fd); /* its number may be the one that f believes to be its own */
	stream_mode(&m, mode, asked || forced);
	epoch_closing(old);
	f = REAL(freopen)("/dev/null", m.at ? text : "", f); /* "": fails with EINVAL, closes f */
	if (f) {
		to = stream_number(f);
		made_onto(fd, to, asked || forced ? O_CLOEXEC : 0);
		if (to != old)
			guest_closed_inside(old);
		stream_made(to, asked, forced, path);
		stream_to_end(f, mode);
	} else {
		guest_closed_inside(old);
	}
	sys_close(fd);
	cancel_on(state);
	return f;
}

/* tmpfile(3).  glibc's file never has a name where the file system lets it; musl's has one for a
 * moment, which the directory's time tells. */
FILE *jail_tmpfile(void)
{
	const bool musl = config()->musl;
	char name[] = P_tmpdir "/tmpfile_XXXXXX";
	struct stat st;
	FILE *f;
	long fd = -1;

	if (!musl) {
		fd = guest_open_as(FD_STREAM, fdpolicy_flag(FD_STREAM), AT_FDCWD, P_tmpdir,
			O_RDWR | O_TMPFILE | O_EXCL, 0600, false);
		memcpy(name, P_tmpdir "/tmpfXXXXXX", sizeof P_tmpdir "/tmpfXXXXXX");
	}
	if (fd < 0) {
		long r = musl ? 0 : guest_newfstatat(AT_FDCWD, P_tmpdir, &st, 0);

		/* glibc's __path_search(): without such a directory all is ENOENT, but a stat that ours
		 * alone could not make */
		if (r == -EACCES || r == -ENOTDIR || r == -ELOOP || (!musl && r == 0 && !S_ISDIR(st.st_mode)))
			r = -ENOENT;
		fd = r < 0 ? r : temp_open(name, 0, 0);
		if (fd >= 0)
			guest_unlinkat(AT_FDCWD, name, 0);
	}
	if (EDGE(int, fd) < 0)
		return NULL;
	if (UNLIKELY(record_on))
		record_owner((int)fd, RECORD_STREAM);
	f = LIBC(fdopen, FILE *, (int, const char *))((int)fd, "w+");
	if (!f)
		stream_close((int)fd);
	return f;
}

/* -- inside glibc's streams ------------------------------------------------------------------ */

/* f, or NULL: its number, made with `with`, or with mode where no 'e' found room */
static FILE *stream_inner(FILE *f, const char *path, bool asked, bool with, int forced)
{
	if (f) {
		if (forced && !asked && !with)
			sys_fcntl(stream_number(f), F_SETFD, FD_CLOEXEC);
		stream_made(stream_number(f), asked, forced, path);
	}
	return f;
}

/* A stream that libc must open itself: the magic link of the guest's file, which is held open, and made
 * where flags say so, until stream_held_done; no cancellation until then.  NULL and errno when there is none. */
struct held {
	int fd, state;
	char link[PLACE_PATH];
};

static const char *stream_held(const char *path, int flags, struct held *h)
{
	struct str s = {h->link, h->link + PLACE_PATH};
	const int makes = flags & O_CREAT ? flags & (O_CREAT | O_EXCL | O_ACCMODE) : O_PATH;

	h->fd = EDGE(int, guest_open_own(AT_FDCWD, path, makes | O_CLOEXEC, 0666));
	if (h->fd < 0)
		return NULL;
	h->state = cancel_off();
	str_puts(&s, "/proc/self/fd/");
	str_num(&s, (unsigned long)h->fd);
	return h->link;
}

static FILE *stream_held_done(FILE *f, const struct held *h)
{
	if (h->fd >= 0) {
		sys_close(h->fd);
		cancel_on(h->state);
	}
	return f;
}

FILE *jail__IO_file_fopen(FILE *f, const char *path, const char *mode, int is32)
{
	FILE *(*real)(FILE *, const char *, const char *, int) = REAL(_IO_file_fopen);
	const int forced = fdpolicy_flag(FD_STREAM);
	const bool asked = stream_has(mode, 'e');
	char text[STREAM_MODE];
	const char *with = forced && !asked ? stream_mode_e(mode, text) : NULL;

	if (!real) {
		errno_set(ENOSYS);
		return NULL;
	}
	if (state_view()) {
		struct str s = {text, text + sizeof text};
		const int flags = stream_flags(mode);
		struct held h = {.fd = -1};
		const char *held = flags < 0 ? path : stream_held(path, flags, &h);

		if (!held)
			return NULL;
		if (flags >= 0) { /* what has been made is not to be made again */
			stream_mode(&s, mode, asked || forced);
			with = s.at ? text : mode;
		}
		return stream_held_done(stream_inner(real(f, held, with ? with : mode, is32), path, asked, with,
						forced), &h);
	}
	return stream_inner(real(f, path, with ? with : mode, is32), path, asked, with, forced);
}

FILE *jail__IO_file_open(FILE *f, const char *path, int flags, int mode, int how, int is32)
{
	FILE *(*real)(FILE *, const char *, int, int, int, int) = REAL(_IO_file_open);
	const int forced = fdpolicy_flag(FD_STREAM);

	if (!real) {
		errno_set(ENOSYS);
		return NULL;
	}
	if (state_view()) {
		struct held h;
		const char *held = stream_held(path, flags, &h);

		if (!held)
			return NULL;
		return stream_held_done(stream_inner(real(f, held, (flags & ~(O_CREAT | O_EXCL)) | forced, mode, how,
							     is32), path, flags & O_CLOEXEC, true, forced), &h);
	}
	return stream_inner(real(f, path, flags | forced, mode, how, is32), path, flags & O_CLOEXEC, true,
		forced);
}

FILE *jail__IO_proc_open(FILE *f, const char *command, const char *mode)
{
	FILE *(*real)(FILE *, const char *, const char *) = REAL(_IO_proc_open);
	const int forced = fdpolicy_flag(FD_STREAM);
	const bool asked = stream_has(mode, 'e');
	char text[STREAM_MODE];
	const char *with = forced && !asked ? stream_mode_e(mode, text) : NULL;

	if (!real || state_view()) { /* libc would run the host's shell: better none than that one */
		errno_set(ENOSYS);
		return NULL;
	}
	return stream_inner(real(f, command, with ? with : mode), command, asked, with, forced);
}

/* -- mount tables -------------------------------------------------------------------------- */

/* glibc asks for close-on-exec itself, musl does not. */
FILE *jail_setmntent(const char *path, const char *mode)
{
	FILE *f;

	if (state_view())
		return stream_open(path, mode, config()->musl ? 0 : O_CLOEXEC, false);
	if (config()->musl)
		return stream_real(REAL(setmntent), path, mode);
	f = REAL(setmntent)(path, mode);
	if (f)
		stream_made(stream_number(f), true, 0, path);
	else if (UNLIKELY(record_on))
		record_made(-*__errno_location(), FD_STREAM, true, &FD_NOTHING);
	return f;
}

/* Is f the kernel's table (proc(5), mounts)?  A file such as /etc/fstab has guest paths in it. */
static bool mounts_kernel(FILE *f)
{
	struct statfs sf;

	return sys_call(SYS_fstatfs, stream_number(f), &sf) == 0 &&
	       (unsigned long)sf.f_type == 0x9fa0; /* PROC_SUPER_MAGIC, linux/magic.h */
}

/* fs/proc_namespace.c, show_vfsmnt: a process sees mount points as paths from its root, and does
 * not see those that lie outside.  False: outside, or too long for buf. */
static bool mounts_guest(struct mntent *m, char *buf, size_t n)
{
	struct str s = {buf, buf + n};

	if (!m->mnt_dir || m->mnt_dir[0] != '/')
		return true;
	if (place_guest(state_view(), m->mnt_dir, &s) < 0 || !s.at)
		return false;
	m->mnt_dir = buf;
	return true;
}

int jail_endmntent(FILE *f)
{
	stream_closing(f);
	return REAL(endmntent)(f);
}

struct mntent *jail_getmntent(FILE *f)
{
	static char dir[PATH_MAX]; /* getmntent(3): one buffer, which the next call overwrites */
	struct mntent *m = REAL(getmntent)(f);

	if (m && state_view() && mounts_kernel(f))
		while (m && !mounts_guest(m, dir, sizeof dir))
			m = REAL(getmntent)(f);
	return m;
}

struct mntent *jail_getmntent_r(FILE *f, struct mntent *m, char *buf, int n)
{
	struct mntent *ret = REAL(getmntent_r)(f, m, buf, n);
	char dir[PATH_MAX];

	if (!ret || !state_view() || !mounts_kernel(f))
		return ret;
	for (; ret; ret = REAL(getmntent_r)(f, m, buf, n)) {
		char *host = ret->mnt_dir, *free = buf, *ends[4];

		if (!mounts_guest(ret, dir, sizeof dir))
			continue;
		if (ret->mnt_dir == host)
			break;
		if (strlen(dir) <= strlen(host)) {
			ret->mnt_dir = memcpy(host, dir, strlen(dir) + 1);
			break;
		}
		/* A bind with a longer name in the guest: behind the other strings, if it fits. */
		ends[0] = ret->mnt_fsname, ends[1] = host;
		ends[2] = ret->mnt_type, ends[3] = ret->mnt_opts;
		for (size_t i = 0; i < ROWS(ends); i++)
			if (ends[i] >= free && ends[i] < buf + n)
				free = ends[i] + strlen(ends[i]) + 1;
		if (strlen(dir) < (size_t)(buf + n - free)) {
			ret->mnt_dir = memcpy(free, dir, strlen(dir) + 1);
			break;
		}
	}
	return ret;
}
