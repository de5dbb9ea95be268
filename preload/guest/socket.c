/* SPDX-License-Identifier: ISC
 *
 * Sockets: the descriptors they make, the descriptors that arrive over them, and the names of Unix
 * sockets.  unix(7): a name is a path in 108 bytes, which the kernel walks on the host and keeps as
 * text, to show it to whoever asks; so bind(2) chooses a text that leads to the guest's place and
 * still tells the guest's name, and everything that shows one takes the root off again. */
#include "guest.h"
#include "../config.h"
#include "../fdpolicy.h"
#include "../state.h"
#include "../sys.h"
#include <errno.h>
#include <linux/sched.h>
#include <stdint.h>
#include <sys/un.h>

enum {
	UNIX_AT = offsetof(struct sockaddr_un, sun_path), /* bytes before the path */
	UNIX_MAX = sizeof((struct sockaddr_un *)0)->sun_path,
	UNIX_TEXT = UNIX_MAX + 1, /* the path may fill it, without a NUL */
	VLEN_MAX = 1024,          /* recvmmsg(2): more are cut to UIO_MAXIOV */
	MUSL_CONTROL = 1040,      /* what musl's sendmsg has room for */
	CMSG_PIDFD = 4,           /* SCM_PIDFD, Linux 6.5 */
};

/* A name that the kernel keeps as another text than the guest gave. */
static struct shown {
	unsigned turn; /* odd while it is written */
	char host[UNIX_TEXT], guest[UNIX_TEXT];
} shown[32];
static unsigned shown_next;

/* -- names out ------------------------------------------------------------------------------- */

static void shown_keep(const char *host, const char *guest)
{
	unsigned at = __atomic_fetch_add(&shown_next, 1, __ATOMIC_RELAXED) % ROWS(shown);
	struct shown *s = &shown[at];

	__atomic_fetch_add(&s->turn, 1, __ATOMIC_ACQ_REL);
	memcpy(s->host, host, strlen(host) + 1);
	memcpy(s->guest, guest, strlen(guest) + 1);
	__atomic_fetch_add(&s->turn, 1, __ATOMIC_RELEASE);
}

/* The guest's text for host, newest first. */
static bool shown_find(const char *host, char guest[UNIX_TEXT])
{
	unsigned next = __atomic_load_n(&shown_next, __ATOMIC_ACQUIRE);

	for (unsigned i = 1; i <= ROWS(shown); i++) {
		const struct shown *s = &shown[(next - i) % ROWS(shown)];
		unsigned turn = __atomic_load_n(&s->turn, __ATOMIC_ACQUIRE);

		if (turn % 2 || !*s->host || !mem_equal(s->host, host))
			continue;
		memcpy(guest, s->guest, UNIX_TEXT);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (__atomic_load_n(&s->turn, __ATOMIC_RELAXED) == turn)
			return true;
	}
	return false;
}

/* Does the kernel's answer name a Unix socket by a path?  room: bytes of it that are at addr. */
static bool is_path(const struct sockaddr *addr, socklen_t len, socklen_t room)
{
	return len > UNIX_AT && room > UNIX_AT && addr->sa_family == AF_UNIX && addr->sa_data[0];
}

/* Puts the guest's name for the kernel's address `whole` (len bytes, all there) in its place;
 * returns its new length, which counts the NUL as the kernel's does. */
static socklen_t unix_show(const struct view *v, struct sockaddr_storage *whole, socklen_t len)
{
	char *path = (char *)whole + UNIX_AT, host[UNIX_TEXT], guest[UNIX_TEXT];
	struct str s = {guest, guest + sizeof guest};
	size_t n;

	if (!is_path((struct sockaddr *)whole, len, sizeof *whole))
		return len;
	n = len - UNIX_AT < UNIX_MAX ? len - UNIX_AT : UNIX_MAX;
	memcpy(host, path, n);
	host[n] = '\0';
	if (!shown_find(host, guest)) {
		/* A relative name is as the peer gave it; so is one outside, /run of the host. */
		if (*host != '/' || place_guest(v, host, &s) < 0 || !s.at)
			return len;
	}
	n = strlen(guest) + 1;
	memcpy(path, guest, n);
	return (socklen_t)(UNIX_AT + n);
}

/* As the kernel's move_addr_to_user: what fits is copied, the whole length is told. */
static void addr_out(const struct sockaddr_storage *whole, socklen_t n, void *addr, socklen_t room)
{
	memcpy(addr, whole, n < room ? n : room);
}

/* The kernel writes its own, longer text first: where that goes beyond the guest's, what was there
 * before is put back. */
struct addr_was {
	struct sockaddr_storage bytes;
	socklen_t n;
};

static void addr_keep(struct addr_was *was, const void *addr, socklen_t room)
{
	was->n = room < sizeof was->bytes ? room : sizeof was->bytes;
	if (was->n <= UNIX_AT || !addr || !place_readable(addr, was->n))
		was->n = 0;
	else
		memcpy(&was->bytes, addr, was->n);
}

static void addr_restore(const struct addr_was *was, void *addr, socklen_t from)
{
	if (from < was->n)
		memcpy((char *)addr + from, (const char *)&was->bytes + from, was->n - from);
}

/* The kernel wrote an address of *len bytes to addr, all of which fit in room. */
static void show_there(const struct view *v, struct sockaddr *addr, socklen_t *len, socklen_t room,
	const struct addr_was *was)
{
	struct sockaddr_storage whole;

	if (!is_path(addr, *len, room))
		return;
	memset(&whole, 0, sizeof whole);
	memcpy(&whole, addr, *len < room ? *len : room);
	*len = unix_show(v, &whole, *len);
	if (was)
		addr_restore(was, addr, *len);
	addr_out(&whole, *len, addr, room);
}

/* nr is getsockname or getpeername, which answer as often as they are asked. */
static long named(long nr, int fd, struct sockaddr *addr, socklen_t *len)
{
	const struct view *v = state_view();
	struct sockaddr_storage whole;
	socklen_t room, n = sizeof whole;
	struct addr_was was;
	long r;

	if (!v || !place_readable(len, sizeof *len))
		return sys_call(nr, fd, addr, len);
	room = *len;
	addr_keep(&was, addr, room);
	r = sys_call(nr, fd, addr, len);
	if (r < 0 || *len <= UNIX_AT || (room > UNIX_AT && !is_path(addr, *len, room)))
		return r;
	if (sys_call(nr, fd, &whole, &n) < 0) /* again, and the whole of it */
		return r;
	*len = unix_show(v, &whole, n);
	addr_restore(&was, addr, *len);
	addr_out(&whole, *len, addr, room);
	return r;
}

long guest_getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
	return named(SYS_getsockname, fd, addr, len);
}

long guest_getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
	return named(SYS_getpeername, fd, addr, len);
}

/* -- names in -------------------------------------------------------------------------------- */

/* What the kernel gets in place of the program's address. */
struct unix_at {
	const struct sockaddr *addr;
	socklen_t len;
	struct sockaddr_un un;
	struct place at;
	long error; /* the name leads nowhere: -errno */
};

/* unix(7), "Address format": is it a path?  Then the text of it.  Anything else the kernel
 * judges: an abstract name, an autobind, a wrong length, a bad pointer. */
static bool unix_text(const struct sockaddr *addr, socklen_t len, char text[UNIX_TEXT])
{
	if (len <= UNIX_AT || len > sizeof(struct sockaddr_un) || !place_readable(addr, len) ||
		addr->sa_family != AF_UNIX)
		return false;
	memcpy(text, (const char *)addr + UNIX_AT, len - UNIX_AT);
	text[len - UNIX_AT] = '\0';
	return *text != '\0';
}

static void unix_put(struct unix_at *to, const char *path)
{
	size_t n = strlen(path);

	to->un.sun_family = AF_UNIX;
	memcpy(to->un.sun_path, path, n);
	to->addr = (const struct sockaddr *)&to->un;
	to->len = (socklen_t)(UNIX_AT + n);
}

/* The name leads nowhere.  Which error comes first is the kernel's to say (EBADF, EISCONN,
 * EMSGSIZE ...): it gets an address that surely is ENOENT, and unix_done knows what that means. */
static void unix_nowhere(struct unix_at *to, long error)
{
	unix_put(to, "/proc/self/fd/x/x");
	to->error = error;
}

static long unix_done(struct unix_at *to, long r)
{
	return place_done(&to->at, r == -ENOENT && to->error ? to->error : r);
}

static void unix_undo(void *to)
{
	place_done(&((struct unix_at *)to)->at, 0);
}

/* The call with the address in *to, and with it unix_done(). */
static long unix_call(struct unix_at *to, bool point, long nr, const long a[6])
{
	const bool holds = UNLIKELY(point) && to->at.owned;
	struct cancel_undo u;
	long r;

	if (holds)
		cancel_push(&u, unix_undo, to);
	r = cancel_call(point, nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (holds)
		cancel_pop(&u);
	return unix_done(to, r);
}

/* The address of a peer.  Through the magic link of an O_PATH descriptor: no length limit but the
 * guest's own, and no second walk that could end elsewhere. */
static void unix_peer(
	struct unix_at *to, const struct view *v, const struct sockaddr *addr, socklen_t len)
{
	char text[UNIX_TEXT], magic[PLACE_PATH];
	int r;

	to->addr = addr;
	to->len = len;
	to->error = 0;
	to->at.owned = false;
	if (!unix_text(addr, len, text))
		return;
	r = place_find(&to->at, v, AT_FDCWD, text, PLACE_OBJECT);
	if (r < 0)
		unix_nowhere(to, r);
	else
		unix_put(to, place_path(&to->at, magic));
}

/* Does the host's walk of path lead to the directory dir? */
static bool leads_to(const char *path, int dir)
{
	struct stat a, b;

	return sys_fstatat(AT_FDCWD, path, &a, 0) == 0 &&
	       sys_fstatat(dir, "", &b, AT_EMPTY_PATH) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/* The guest's own text, below the root when it is absolute: right unless a symlink or a bind is on
 * the way, and then it shows every reader exactly what the guest gave. */
static bool name_by_text(
	const struct view *v, const struct place *at, const char *text, char path[UNIX_TEXT])
{
	struct str s = {path, path + UNIX_TEXT};
	char *last;
	bool right;

	if (*text == '/')
		str_puts(&s, v->host);
	str_puts(&s, text);
	if (!s.at)
		return false;
	last = (char *)mem_base(path);
	if (last == path || !mem_equal(last, at->name))
		return false; /* a trailing slash */
	last[-1] = '\0';
	right = leads_to(last == path + 1 ? "/" : path, at->dir);
	last[-1] = '/';
	return right;
}

/* The directory's name on the host: what place_guest turns back into the guest's. */
static bool name_by_dir(const struct place *at, char path[UNIX_TEXT])
{
	struct str s = {path, path + UNIX_TEXT};
	char magic[PLACE_PATH];
	struct place dir = {.dir = at->dir, .flags = AT_EMPTY_PATH};
	long n = sys_readlinkat(AT_FDCWD, place_path(&dir, magic), path, UNIX_MAX);

	if (n <= 0 || n >= UNIX_MAX || path[0] != '/')
		return false;
	path[n] = '\0';
	if (!leads_to(path, at->dir))
		return false;
	s.at += n > 1 ? n : 0;
	str_puts(&s, "/");
	str_puts(&s, at->name);
	return s.at != NULL;
}

/* The directory's magic link: of any depth, but the text says nothing.  Slashes, which mean
 * nothing either, keep the texts of this process apart. */
static bool name_by_fd(const struct place *at, char path[UNIX_TEXT])
{
	char ignored[UNIX_TEXT], magic[PLACE_PATH];
	struct place dir = {.dir = at->dir, .flags = AT_EMPTY_PATH};
	struct str s = {path, path + UNIX_TEXT};
	size_t link;

	str_puts(&s, place_path(&dir, magic));
	link = strlen(magic);
	str_puts(&s, "/");
	str_puts(&s, at->name);
	while (s.at && s.at + 1 < s.end && shown_find(path, ignored)) {
		memmove(path + link + 1, path + link, (size_t)(s.at + 1 - (path + link)));
		path[link] = '/';
		s.at++;
	}
	return s.at != NULL;
}

/* The name as seen from its directory, for names that fill sun_path alone.  The dot and the
 * slashes, as far as there is room, keep the texts of this process apart. */
static void name_by_itself(const struct place *at, char path[UNIX_TEXT])
{
	char ignored[UNIX_TEXT];
	const size_t n = strlen(at->name);

	memcpy(path, at->name, n + 1);
	if (n + 2 > UNIX_MAX)
		return;
	memcpy(path, "./", 2);
	for (size_t slashes = 1; slashes + 1 + n <= UNIX_MAX; slashes++) {
		path[slashes] = '/';
		memcpy(path + 1 + slashes, at->name, n + 1);
		if (!shown_find(path, ignored))
			return;
	}
}

/* bind(2) in another directory, for a thread that lives only for that. */
struct bind_order {
	int fd, dir;
	const struct sockaddr *addr;
	socklen_t len;
	long r;
};

__attribute__((noreturn)) static void bind_thread(void *arg)
{
	struct bind_order *o = arg;

	o->r = sys_fchdir(o->dir);
	if (o->r == 0)
		o->r = sys_call(SYS_bind, o->fd, o->addr, o->len);
	for (;;)
		sys_call(SYS_exit, 0);
}

/* A relative name has no length but its own; the working directory, however, is that of all our
 * threads.  A thread made without CLONE_FS has one of its own.  We wait in the kernel until it is
 * gone, all signals blocked, for it runs with our thread's identity. */
static NOINLINE long bind_in(int fd, int dir, const struct sockaddr *addr, socklen_t len)
{
	char stack[8192] __attribute__((aligned(16)));
	struct bind_order o = {fd, dir, addr, len, -ENAMETOOLONG};
	unsigned long all = ~0UL, mask;

	sys_call(SYS_rt_sigprocmask, SIG_BLOCK, &all, &mask, sizeof mask);
	sys_clone_stack(SYS_clone,
		CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM,
		(long)(stack + sizeof stack), 0, bind_thread, &o);
	sys_call(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof mask);
	return o.r; /* no thread to be had: the name is too long for us */
}

/* Where bind(2) is to make the name.  True: as seen from the directory to->at.dir. */
static bool unix_local(
	struct unix_at *to, const struct view *v, const char *text, char path[UNIX_TEXT])
{
	int r = place_find(&to->at, v, AT_FDCWD, text, PLACE_NAME | PLACE_BOUND);
	bool there = false;

	if (r == -EEXIST || r == -EBUSY)
		r = -EADDRINUSE; /* a bind point is there already */
	if (r < 0) {
		unix_nowhere(to, r);
		return false;
	}
	if (to->at.dir == AT_FDCWD) { /* one component: it stays as it is */
		memcpy(path, text, strlen(text) + 1);
		return false;
	}
	if (!name_by_text(v, &to->at, text, path) && !name_by_dir(&to->at, path) &&
		!name_by_fd(&to->at, path)) {
		name_by_itself(&to->at, path);
		there = true;
	}
	unix_put(to, path);
	return there;
}

long guest_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	const struct view *v = state_view();
	struct unix_at to = {.addr = addr, .len = len};
	char text[UNIX_TEXT], path[UNIX_TEXT];
	bool there;
	long r;

	if (!v || !unix_text(addr, len, text))
		return sys_call(SYS_bind, fd, addr, len);
	there = unix_local(&to, v, text, path);
	r = there ? bind_in(fd, to.at.dir, to.addr, to.len) : sys_call(SYS_bind, fd, to.addr, to.len);
	r = unix_done(&to, r);
	if (r == 0 && !mem_equal(path, text))
		shown_keep(path, text);
	return r;
}

long guest_connect(int fd, const struct sockaddr *addr, socklen_t len, bool point)
{
	const struct view *v = state_view();
	struct unix_at to;

	if (!v)
		return cancel_call(point, SYS_connect, fd, addr, len);
	unix_peer(&to, v, addr, len);
	return unix_call(&to, point, SYS_connect, (const long[6]){fd, (long)to.addr, to.len});
}

/* -- sent ------------------------------------------------------------------------------------ */

long guest_sendto(
	int fd, const void *buf, size_t n, int flags, const struct sockaddr *addr, socklen_t len, bool point)
{
	const struct view *v = addr ? state_view() : NULL;
	struct unix_at to;

	if (!v)
		return cancel_call(point, SYS_sendto, fd, buf, n, flags, addr, len);
	unix_peer(&to, v, addr, len);
	return unix_call(&to, point, SYS_sendto,
		(const long[6]){fd, (long)buf, (long)n, flags, (long)to.addr, to.len});
}

/* musl's msghdr and cmsghdr have 32-bit lengths with padding beside them where the kernel has
 * 64 bits, and a program may leave anything there: musl's own calls clear it in a copy. */
static void msg_unpad(struct msghdr *msg)
{
	msg->msg_iovlen = (uint32_t)msg->msg_iovlen;
	msg->msg_controllen = (uint32_t)msg->msg_controllen;
}

/* The message after c among the n bytes at control, or NULL.  c NULL: the first. */
static struct cmsghdr *cmsg_next(void *control, size_t n, struct cmsghdr *c)
{
	size_t at = 0;

	if (c) {
		if (c->cmsg_len < sizeof *c)
			return NULL;
		at = (size_t)((char *)c - (char *)control) + CMSG_ALIGN(c->cmsg_len);
	}
	return at > n || n - at < sizeof *c ? NULL : (struct cmsghdr *)((char *)control + at);
}

/* Clears the padding of a musl program's control messages, in the copy at buf. */
static long control_unpad(struct msghdr *msg, char buf[MUSL_CONTROL])
{
	struct cmsghdr *c = NULL;

	if (!msg->msg_controllen)
		return 0;
	if (msg->msg_controllen > MUSL_CONTROL)
		return -ENOMEM; /* as musl */
	memcpy(buf, msg->msg_control, msg->msg_controllen);
	msg->msg_control = buf;
	for (;;) {
		c = cmsg_next(buf, msg->msg_controllen, c);
		if (!c)
			return 0;
		c->cmsg_len = (uint32_t)c->cmsg_len;
	}
}

static long sendmsg_musl(struct unix_at *to, int fd, struct msghdr *msg, int flags, bool point)
{
	char control[MUSL_CONTROL] __attribute__((aligned(8)));
	long r;

	msg_unpad(msg);
	r = control_unpad(msg, control);
	return r < 0 ? unix_done(to, r) : unix_call(to, point, SYS_sendmsg, (const long[6]){fd, (long)msg, flags});
}

long guest_sendmsg(int fd, const struct msghdr *msg, int flags, bool point)
{
	const struct view *v = state_view();
	bool musl = config()->musl;
	struct unix_at to = {.addr = NULL};
	struct msghdr m;

	if ((!v && !musl) || !place_readable(msg, sizeof *msg))
		return cancel_call(point && !musl, SYS_sendmsg, fd, msg, flags); /* musl's reads the message */
	m = *msg;
	if (v && m.msg_name) {
		unix_peer(&to, v, m.msg_name, m.msg_namelen);
		m.msg_name = (void *)(uintptr_t)to.addr;
		m.msg_namelen = to.len;
	}
	return musl ? sendmsg_musl(&to, fd, &m, flags, point)
		    : unix_call(&to, point, SYS_sendmsg, (const long[6]){fd, (long)&m, flags});
}

/* Is any of the messages for a path? */
static bool any_path(const struct mmsghdr *msgs, unsigned n)
{
	char text[UNIX_TEXT];

	for (unsigned i = 0; i < n && place_readable(&msgs[i], sizeof *msgs); i++)
		if (unix_text(msgs[i].msg_hdr.msg_name, msgs[i].msg_hdr.msg_namelen, text))
			return true;
	return false;
}

/* One by one, as the kernel does it: an error counts only when nothing was sent. */
long guest_sendmmsg(int fd, struct mmsghdr *msgs, unsigned n, int flags, bool point)
{
	unsigned i;
	long r = 0;

	if (n > VLEN_MAX)
		n = VLEN_MAX;
	if (!n || (!config()->musl && !(state_view() && any_path(msgs, n))))
		return cancel_call(point, SYS_sendmmsg, fd, msgs, n, flags);
	for (i = 0; i < n; i++) {
		r = place_readable(&msgs[i], sizeof *msgs)
			    ? guest_sendmsg(fd, &msgs[i].msg_hdr, flags, point)
			    : sys_call(SYS_sendmsg, fd, &msgs[i], flags);
		if (r < 0)
			break;
		msgs[i].msg_len = (unsigned)r;
	}
	return i ? (long)i : r;
}

/* -- received -------------------------------------------------------------------------------- */

/* A name buffer that may be too small for a host path: the kernel fills ours instead. */
static bool too_small(const struct sockaddr *addr, socklen_t room)
{
	return addr && room < sizeof(struct sockaddr_un) && place_readable(addr, room);
}

long guest_recvfrom(
	int fd, void *buf, size_t n, int flags, struct sockaddr *addr, socklen_t *len, bool point)
{
	const struct view *v = addr ? state_view() : NULL;
	struct sockaddr_storage whole;
	socklen_t room, size = sizeof whole;
	struct addr_was was;
	long r;

	if (!v || !place_readable(len, sizeof *len))
		return cancel_call(point, SYS_recvfrom, fd, buf, n, flags, addr, len);
	room = *len;
	if (!too_small(addr, room)) {
		addr_keep(&was, addr, room);
		r = cancel_call(point, SYS_recvfrom, fd, buf, n, flags, addr, len);
		if (r >= 0)
			show_there(v, addr, len, room, &was);
		return r;
	}
	r = cancel_call(point, SYS_recvfrom, fd, buf, n, flags, &whole, &size);
	if (r >= 0) {
		*len = unix_show(v, &whole, size);
		addr_out(&whole, *len, addr, room);
	}
	return r;
}

/* recvmsg or recvmmsg with SCM_RIGHTS forced: MSG_CMSG_CLOEXEC.  Some protocols (packet, phonet)
 * call a flag that they do not know an error, before they look for anything to receive. */
static long receive(
	long nr, int fd, void *msg, unsigned n, int flags, struct timespec *timeout, bool point)
{
	int all = flags | (fdpolicy_flag(FD_RECV) ? MSG_CMSG_CLOEXEC : 0);
	long r;

	for (;; all = flags) {
		r = nr == SYS_recvmsg ? cancel_call(point, nr, fd, msg, all)
				      : cancel_call(point, nr, fd, msg, n, all, timeout);
		if (all == flags || (r != -EINVAL && r != -EOPNOTSUPP))
			return r;
	}
}

/* The descriptors that came with msg. */
static void rights(int from, struct msghdr *msg, int flags)
{
	bool asked = (flags & MSG_CMSG_CLOEXEC) != 0;
	int force = fdpolicy_flag(FD_RECV);
	struct cmsghdr *c = NULL;

	if (!asked)
		msg->msg_flags &= ~MSG_CMSG_CLOEXEC; /* the kernel tells it back */
	if (!msg->msg_control)
		return;
	while ((c = cmsg_next(msg->msg_control, msg->msg_controllen, c))) {
		const char *data = (const char *)(c + 1);
		size_t n = c->cmsg_len < sizeof *c ? 0 : (c->cmsg_len - sizeof *c) / sizeof(int);

		const bool pidfd = c->cmsg_type == CMSG_PIDFD; /* the kernel gives it the flag */

		if (c->cmsg_level != SOL_SOCKET || (c->cmsg_type != SCM_RIGHTS && !pidfd))
			continue;
		for (; n; n--, data += sizeof(int)) {
			int fd;

			memcpy(&fd, data, sizeof fd);
			fdpolicy_made(fd, FD_RECV, asked || pidfd, force, FD_FROM(from));
		}
	}
}

long guest_recvmsg(int fd, struct msghdr *msg, int flags, bool point)
{
	const struct view *v = state_view();
	bool musl = config()->musl, small;
	struct sockaddr_storage whole;
	struct addr_was was;
	struct msghdr m;
	long r;

	if ((!v && !musl) || !place_readable(msg, sizeof *msg)) {
		r = receive(SYS_recvmsg, fd, msg, 1, flags, NULL, point && !musl);
		if (r >= 0)
			rights(fd, msg, flags);
		return r;
	}
	m = *msg;
	if (musl)
		msg_unpad(&m);
	small = v && too_small(m.msg_name, m.msg_namelen);
	if (small) {
		m.msg_name = &whole;
		m.msg_namelen = sizeof whole;
	} else if (v) {
		addr_keep(&was, m.msg_name, m.msg_namelen);
	}
	r = receive(SYS_recvmsg, fd, &m, 1, flags, NULL, point);
	if (r < 0)
		return r;
	rights(fd, &m, flags);
	if (small) {
		m.msg_namelen = unix_show(v, &whole, m.msg_namelen);
		addr_out(&whole, m.msg_namelen, msg->msg_name, msg->msg_namelen);
	} else if (v && m.msg_name) {
		show_there(v, m.msg_name, &m.msg_namelen, msg->msg_namelen, &was);
	}
	msg->msg_namelen = m.msg_namelen;
	msg->msg_controllen = m.msg_controllen;
	msg->msg_flags = m.msg_flags;
	return r;
}

static bool is_unix(int fd)
{
	enum { DOMAIN = 39 }; /* SO_DOMAIN */
	int domain = 0;
	socklen_t n = sizeof domain;

	return sys_call(SYS_getsockopt, fd, SOL_SOCKET, DOMAIN, &domain, &n) == 0 && domain == AF_UNIX;
}

/* Can the name that the kernel gives this message be put there by us?  A bad buffer is the kernel's to
 * judge, when it comes to it. */
static bool has_room(const struct msghdr *m)
{
	const socklen_t most = sizeof(struct sockaddr_storage);

	return m->msg_name && m->msg_namelen <= INT32_MAX &&
	       place_readable(m->msg_name, m->msg_namelen < most ? m->msg_namelen : most);
}

/* The first n messages, MSG_BLOCK at most, with names in our own buffers: the host's may be longer than
 * the guest's, and what lies behind a name is not the kernel's to change. */
enum { MSG_BLOCK = 16 };
struct msg_was {
	struct mmsghdr *msgs;
	unsigned n;
	struct {
		void *name;
		socklen_t room;
		bool ours;
	} at[MSG_BLOCK];
};

static void msg_undo(void *arg)
{
	const struct msg_was *was = arg;

	for (unsigned i = 0; i < was->n; i++) {
		was->msgs[i].msg_hdr.msg_name = was->at[i].name;
		was->msgs[i].msg_hdr.msg_namelen = was->at[i].room;
	}
}

static NOINLINE long recvmmsg_block(const struct view *v, int fd, struct mmsghdr *msgs, unsigned n,
	int flags, struct timespec *timeout, bool point)
{
	struct sockaddr_storage whole[MSG_BLOCK];
	struct msg_was was = {.msgs = msgs, .n = n};
	struct cancel_undo u;
	long r;

	for (unsigned i = 0; i < n; i++) {
		struct msghdr *m = &msgs[i].msg_hdr;

		was.at[i].name = m->msg_name;
		was.at[i].room = m->msg_namelen;
		was.at[i].ours = has_room(m);
		if (was.at[i].ours) {
			m->msg_name = &whole[i];
			m->msg_namelen = sizeof whole[i];
		}
	}
	if (UNLIKELY(point))
		cancel_push(&u, msg_undo, &was);
	r = receive(SYS_recvmmsg, fd, msgs, n, flags, timeout, point);
	if (UNLIKELY(point))
		cancel_pop(&u);
	for (unsigned i = 0; i < n; i++) {
		struct msghdr *m = &msgs[i].msg_hdr;

		m->msg_name = was.at[i].name;
		if ((long)i < r)
			rights(fd, m, flags);
		else if (was.at[i].ours)
			m->msg_namelen = was.at[i].room;
		if ((long)i < r && was.at[i].ours) {
			m->msg_namelen = unix_show(v, &whole[i], m->msg_namelen);
			addr_out(&whole[i], m->msg_namelen, m->msg_name, was.at[i].room);
		}
	}
	return r;
}

/* Block by block, as recvmmsg(2) goes on message by message: after the first one MSG_WAITFORONE waits
 * no more, and an error behind a message is not told. */
static long recvmmsg_blocks(const struct view *v, int fd, struct mmsghdr *msgs, unsigned n, int flags,
	struct timespec *timeout, bool point)
{
	unsigned done = 0;

	while (done < n) {
		const unsigned block = n - done < MSG_BLOCK ? n - done : MSG_BLOCK;
		long r = recvmmsg_block(v, fd, msgs + done, block,
			flags | (done && flags & MSG_WAITFORONE ? MSG_DONTWAIT : 0), timeout, point && !done);

		if (r < 0)
			return done ? (long)done : r;
		done += (unsigned)r;
		if ((unsigned)r < block || (timeout && !timeout->tv_sec && !timeout->tv_nsec))
			break;
	}
	return done;
}

long guest_recvmmsg(
	int fd, struct mmsghdr *msgs, unsigned n, int flags, struct timespec *timeout, bool point)
{
	const struct view *v = state_view();
	bool musl = config()->musl, named = false;
	unsigned known = 0; /* messages that can be read */
	long r;

	if (n > VLEN_MAX)
		n = VLEN_MAX;
	for (; (v || musl) && known < n && place_readable(&msgs[known], sizeof *msgs); known++) {
		named |= msgs[known].msg_hdr.msg_name != NULL;
		if (musl)
			msg_unpad(&msgs[known].msg_hdr);
	}
	/* where the array runs into a bad address, what is in front of it is received first */
	if (v && named && is_unix(fd))
		return recvmmsg_blocks(v, fd, msgs, known, flags, timeout, point);
	r = receive(SYS_recvmmsg, fd, msgs, n, flags, timeout, point && (!musl || known == n));
	for (long i = 0; i < r; i++)
		rights(fd, &msgs[i].msg_hdr, flags);
	return r;
}

/* -- made ------------------------------------------------------------------------------------ */

/* SO_PEERPIDFD, socket(7): the value is a descriptor, close-on-exec by the kernel's doing. */
long guest_getsockopt(int fd, int level, int name, void *value, socklen_t *n)
{
	enum { PEERPIDFD = 77 };
	long r = sys_call(SYS_getsockopt, fd, level, name, value, n);
	int got;

	if (UNLIKELY(level == SOL_SOCKET && name == PEERPIDFD) && r == 0 && *n == sizeof got) {
		memcpy(&got, value, sizeof got);
		fdpolicy_made(got, FD_EVENT, true, 0, FD_FROM(fd));
	}
	return r;
}

long made_accept_in(
	const struct view *v, int fd, struct sockaddr *addr, socklen_t *len, int flags, bool point)
{
	struct sockaddr_storage whole;
	struct addr_was was;
	socklen_t room = 0, n = sizeof whole;
	long r;

	if (place_readable(len, sizeof *len))
		room = *len;
	if (room)
		addr_keep(&was, addr, room);
	r = made_accept(fd, addr, len, flags, point);
	if (r < 0 || !room)
		return r;
	if (*len <= room || room >= sizeof(struct sockaddr_un)) {
		show_there(v, addr, len, room, &was);
	} else if ((room <= UNIX_AT || is_path(addr, *len, room)) &&
		   sys_call(SYS_getpeername, r, &whole, &n) == 0) { /* cut off: once more */
		*len = unix_show(v, &whole, n);
		addr_restore(&was, addr, *len);
		addr_out(&whole, *len, addr, room);
	}
	return r;
}
