/* SPDX-License-Identifier: ISC
 *
 * Sockets that libc makes for the old network services: Sun RPC, which glibc keeps for programs linked
 * before 2.32, and the r commands.  They are inheritable, made by calls that no wrapper sees, and
 * come out in the places that this file knows: the result, an argument, the set that svc_run(3)
 * waits on.  Here they get their flag as soon as the program has them; libtirpc, which has the same
 * names, makes its own by the calls that are wrapped, and nothing is left to do. */
#include "../fdpolicy.h"
#include "../module.h"
#include "../record.h"
#include "../wrap.h"
#include <sys/un.h>
#include <netinet/in.h>

/* A descriptor that a libc has just made: inheritable, or else somebody has taken care of it. */
static void rpc_made(int fd)
{
	const int forced = fdpolicy_flag(FD_SOCKET), flags = fd < 0 ? -1 : sys_fcntl(fd, F_GETFD, 0);

	if (flags < 0 || flags & FD_CLOEXEC)
		return;
	if (forced && fd > 2)
		sys_fcntl(fd, F_SETFD, FD_CLOEXEC);
	fdpolicy_made(fd, FD_SOCKET, false, forced, FD_NOTHING);
}

/* What glibc's rpc/clnt.h and rpc/svc.h, and libtirpc's, agree on. */
struct rpc_client {
	void *auth;
	const struct {
		void *call, *abort, *geterr, *freeres, *destroy;
		int (*control)(struct rpc_client *, int, void *);
	} *ops;
};
struct rpc_server {
	int sock;
};

static void *rpc_absent(void)
{
	errno_set(ENOSYS);
	return NULL;
}

/* -- clients --------------------------------------------------------------------------------- */

/* *sock is the caller's socket, or negative: then one is made, and its number left there. */
static struct rpc_client *rpc_client_made(struct rpc_client *c, bool made, const int *sock)
{
	if (c && made)
		rpc_made(*sock);
	return c;
}

/* CLGET_FD of rpc/clnt.h */
static struct rpc_client *rpc_client_asked(struct rpc_client *c)
{
	int fd = -1;

	if (c && c->ops->control && c->ops->control(c, 6, &fd))
		rpc_made(fd);
	return c;
}

struct rpc_client *jail_clnttcp_create(void *addr, unsigned long prog, unsigned long vers, int *sock,
	unsigned send, unsigned recv)
{
	struct rpc_client *(*real)(void *, unsigned long, unsigned long, int *, unsigned, unsigned) =
		REAL(clnttcp_create);
	const bool made = *sock < 0;

	return real ? rpc_client_made(real(addr, prog, vers, sock, send, recv), made, sock) : rpc_absent();
}

struct rpc_client *jail_clntudp_create(
	void *addr, unsigned long prog, unsigned long vers, struct timeval wait, int *sock)
{
	struct rpc_client *(*real)(void *, unsigned long, unsigned long, struct timeval, int *) =
		REAL(clntudp_create);
	const bool made = *sock < 0;

	return real ? rpc_client_made(real(addr, prog, vers, wait, sock), made, sock) : rpc_absent();
}

struct rpc_client *jail_clntudp_bufcreate(void *addr, unsigned long prog, unsigned long vers,
	struct timeval wait, int *sock, unsigned send, unsigned recv)
{
	struct rpc_client *(*real)(void *, unsigned long, unsigned long, struct timeval, int *, unsigned,
		unsigned) = REAL(clntudp_bufcreate);
	const bool made = *sock < 0;

	return real ? rpc_client_made(real(addr, prog, vers, wait, sock, send, recv), made, sock)
		    : rpc_absent();
}

/* The host's name of a socket's guest path, which libc binds and connects to itself: one that leads
 * nowhere when there is none, or it is too long. */
static const char *rpc_path(const char *path, char *host, size_t n)
{
	return guest_host_name(path, host, n) < 0 ? "/proc/self/fd/-1/socket" : host;
}

struct rpc_client *jail_clntunix_create(void *addr, unsigned long prog, unsigned long vers, int *sock,
	unsigned send, unsigned recv)
{
	struct rpc_client *(*real)(void *, unsigned long, unsigned long, int *, unsigned, unsigned) =
		REAL(clntunix_create);
	const bool made = *sock < 0;
	struct sockaddr_un un;

	if (state_view() && addr && ((struct sockaddr *)addr)->sa_family == AF_UNIX) {
		char host[sizeof un.sun_path];
		const char *path = rpc_path(((struct sockaddr_un *)addr)->sun_path, host, sizeof host);

		un.sun_family = AF_UNIX;
		memcpy(un.sun_path, path, strlen(path) + 1);
		addr = &un;
	}
	return real ? rpc_client_made(real(addr, prog, vers, sock, send, recv), made, sock) : rpc_absent();
}

struct rpc_client *jail_clnt_create(
	const char *host, unsigned long prog, unsigned long vers, const char *proto)
{
	struct rpc_client *(*real)(const char *, unsigned long, unsigned long, const char *) =
		REAL(clnt_create);

	return real ? rpc_client_asked(real(host, prog, vers, proto)) : rpc_absent();
}

/* -- servers --------------------------------------------------------------------------------- */

/* sock: the caller's socket, or negative */
static struct rpc_server *rpc_server_made(struct rpc_server *s, int sock)
{
	if (s && sock < 0)
		rpc_made(s->sock);
	return s;
}

struct rpc_server *jail_svctcp_create(int sock, unsigned send, unsigned recv)
{
	struct rpc_server *(*real)(int, unsigned, unsigned) = REAL(svctcp_create);

	return real ? rpc_server_made(real(sock, send, recv), sock) : rpc_absent();
}

struct rpc_server *jail_svcudp_create(int sock)
{
	struct rpc_server *(*real)(int) = REAL(svcudp_create);

	return real ? rpc_server_made(real(sock), sock) : rpc_absent();
}

struct rpc_server *jail_svcudp_bufcreate(int sock, unsigned send, unsigned recv)
{
	struct rpc_server *(*real)(int, unsigned, unsigned) = REAL(svcudp_bufcreate);

	return real ? rpc_server_made(real(sock, send, recv), sock) : rpc_absent();
}

struct rpc_server *jail_svcunix_create(int sock, unsigned send, unsigned recv, char *path)
{
	struct rpc_server *(*real)(int, unsigned, unsigned, char *) = REAL(svcunix_create);

	char host[sizeof((struct sockaddr_un *)0)->sun_path];

	if (state_view() && path)
		path = (char *)rpc_path(path, host, sizeof host);
	return real ? rpc_server_made(real(sock, send, recv, path), sock) : rpc_absent();
}

/* What a server waits on, before a call into libc that may accept connections. */
typedef fd_set *rpc_set(void);

static bool rpc_before(fd_set *was)
{
	rpc_set *get = LIBC(__rpc_thread_svc_fdset, fd_set *, (void));

	if (!get)
		return false;
	memcpy(was, get(), sizeof *was);
	return true;
}

static void rpc_after(const fd_set *was)
{
	const unsigned long *now = (const unsigned long *)LIBC(__rpc_thread_svc_fdset, fd_set *, (void))();
	const unsigned long *then = (const unsigned long *)was;
	const size_t bits = 8 * sizeof *now;

	for (size_t i = 0; i < FD_SETSIZE / bits; i++)
		for (unsigned long more = now[i] & ~then[i]; more; more &= more - 1)
			rpc_made((int)(i * bits) + __builtin_ctzl(more));
}

#define RPC_SERVE(call)                                                        \
	do {                                                                   \
		fd_set was;                                                    \
		bool known = rpc_before(&was);                                 \
                                                                               \
		if (real)                                                      \
			call;                                                  \
		if (known)                                                     \
			rpc_after(&was);                                       \
	} while (0)

void jail_svc_getreq(int set)
{
	void (*real)(int) = REAL(svc_getreq);

	RPC_SERVE(real(set));
}

void jail_svc_getreqset(fd_set *set)
{
	void (*real)(fd_set *) = REAL(svc_getreqset);

	RPC_SERVE(real(set));
}

void jail_svc_getreq_poll(struct pollfd *fds, int n)
{
	void (*real)(struct pollfd *, int) = REAL(svc_getreq_poll);

	RPC_SERVE(real(fds, n));
}

void jail_svc_getreq_common(int fd)
{
	void (*real)(int) = REAL(svc_getreq_common);

	RPC_SERVE(real(fd));
}

/* registerrpc(3) makes the one socket of all that it registers, when it is first called. */
int jail_registerrpc(unsigned long prog, unsigned long vers, unsigned long proc,
	char *(*serve)(char *), int (*in)(void), int (*out)(void))
{
	int (*real)(unsigned long, unsigned long, unsigned long, char *(*)(char *), int (*)(void),
		int (*)(void)) = REAL(registerrpc);
	int r = -1;

	RPC_SERVE(r = real(prog, vers, proc, serve, in, out));
	return real ? r : EDGE(int, -ENOSYS);
}

/* glibc's svc_run calls its svc_getreq_poll inside, so its loop is here as well (sunrpc/svc_run.c). */
static void rpc_run(void)
{
	struct pollfd **fds, *mine = NULL;
	struct pollfd **(*get_fds)(void) = LIBC(__rpc_thread_svc_pollfd, struct pollfd **, (void));
	int *(*get_max)(void) = LIBC(__rpc_thread_svc_max_pollfd, int *, (void));
	int (*wait)(struct pollfd *, unsigned long, int) =
		LIBC(poll, int, (struct pollfd *, unsigned long, int));
	void (*say)(const char *) = LIBC(perror, void, (const char *));

	for (int room = 0;;) {
		const int n = *get_max();

		fds = get_fds();
		if (n == 0 && !*fds)
			break;
		if (n > room) {
			struct pollfd *more = HEAP(realloc, void *, (void *, size_t))(
				mine, (size_t)n * sizeof *mine);

			if (!more) {
				say("svc_run: - out of memory");
				break;
			}
			mine = more;
			room = n;
		}
		for (int i = 0; i < n; i++)
			mine[i] = (struct pollfd){(*fds)[i].fd, (*fds)[i].events, 0};
		const int ready = wait(mine, (unsigned long)n, -1);

		if (ready > 0) {
			jail_svc_getreq_poll(mine, ready);
		} else if (ready < 0 && *__errno_location() != EINTR) {
			say("svc_run: - poll failed");
			break;
		}
	}
	HEAP(free, void, (void *))(mine);
}

void jail_svc_run(void)
{
	void (*real)(void) = REAL(svc_run);
	rpc_set *get = LIBC(__rpc_thread_svc_fdset, fd_set *, (void));

	if (real && get && module_find((uintptr_t)real) == module_find((uintptr_t)get))
		rpc_run();
	else if (real)
		real();
}

/* -- the r commands -------------------------------------------------------------------------- */

/* rcmd(3): a socket of this family on a privileged port, counted down from *port.  As in glibc
 * (inet/rcmd.c), but for how the socket is made. */
int jail_rresvport_af(int *port, sa_family_t family)
{
	enum { FIRST = IPPORT_RESERVED / 2, END = IPPORT_RESERVED };
	struct sockaddr_in6 addr = {.sin6_family = family}; /* both keep the port in the same place */
	const socklen_t n = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof addr;
	int start;
	long fd, r;

	_Static_assert(offsetof(struct sockaddr_in, sin_port) == offsetof(struct sockaddr_in6, sin6_port),
		"the port of both");
	if (family != AF_INET && family != AF_INET6)
		return EDGE(int, -EAFNOSUPPORT);
	fd = guest_socket(family, SOCK_STREAM, 0);
	if (fd < 0)
		return EDGE(int, fd);
	*port = *port < FIRST ? FIRST : *port >= END ? END - 1 : *port;
	start = *port;
	do {
		addr.sin6_port = (in_port_t)(*port >> 8 | (*port & 255) << 8);
		r = sys_call(SYS_bind, fd, &addr, n);
		if (r == 0)
			return (int)fd;
		if (r != -EADDRINUSE)
			break;
		if ((*port)-- == FIRST)
			*port = END - 1;
		r = -EAGAIN;
	} while (*port != start);
	guest_close((int)fd);
	return EDGE(int, r);
}

int jail_rresvport(int *port)
{
	return jail_rresvport_af(port, AF_INET);
}

/* The connection is the result; the one for errors, when it is wanted, is left in *error. */
static int rpc_command(int fd, const int *error)
{
	rpc_made(fd);
	if (fd >= 0 && error)
		rpc_made(*error);
	return fd;
}

int jail_rcmd_af(char **host, unsigned short port, const char *local, const char *remote,
	const char *command, int *error, sa_family_t family)
{
	int (*real)(char **, unsigned short, const char *, const char *, const char *, int *,
		sa_family_t) = REAL(rcmd_af);

	return real ? rpc_command(real(host, port, local, remote, command, error, family), error)
		    : EDGE(int, -ENOSYS);
}

int jail_rcmd(char **host, unsigned short port, const char *local, const char *remote,
	const char *command, int *error)
{
	int (*real)(char **, unsigned short, const char *, const char *, const char *, int *) = REAL(rcmd);

	return real ? rpc_command(real(host, port, local, remote, command, error), error)
		    : EDGE(int, -ENOSYS);
}

int jail_rexec_af(char **host, int port, const char *user, const char *password, const char *command,
	int *error, sa_family_t family)
{
	int (*real)(char **, int, const char *, const char *, const char *, int *, sa_family_t) =
		REAL(rexec_af);

	return real ? rpc_command(real(host, port, user, password, command, error, family), error)
		    : EDGE(int, -ENOSYS);
}

int jail_rexec(
	char **host, int port, const char *user, const char *password, const char *command, int *error)
{
	int (*real)(char **, int, const char *, const char *, const char *, int *) = REAL(rexec);

	return real ? rpc_command(real(host, port, user, password, command, error), error)
		    : EDGE(int, -ENOSYS);
}
