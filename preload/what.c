/* SPDX-License-Identifier: ISC
 *
 * How descriptors are called: the kernel's name of each, in the guest's terms, and for a socket, of
 * which the kernel has nothing to say but a number, its family and its addresses. */
#include "what.h"
#include "guest/guest.h"
#include "place.h"
#include "state.h"
#include "sys.h"
#include <errno.h>
#include <netinet/in.h>
#include <sys/un.h>

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
	struct sockaddr_storage room;
};

static int option(int fd, int name)
{
	int value = -1;
	socklen_t n = sizeof value;

	return sys_call(SYS_getsockopt, fd, SOL_SOCKET, name, &value, &n) < 0 ? -1 : value;
}

static void put_hex16(struct str *s, unsigned n)
{
	bool leading = true;

	for (int shift = 12; shift >= 0; shift -= 4) {
		if (leading && !(n >> shift & 15) && shift)
			continue;
		leading = false;
		str_put(s, &"0123456789abcdef"[n >> shift & 15], 1);
	}
}

/* RFC 5952: the longest run of zeros is "::" */
static void put_in6(struct str *s, const struct in6_addr *a)
{
	const unsigned char *b = a->s6_addr;
	int best = -1, most = 1;

	for (int i = 0; i < 8; i++) {
		int n = 0;

		while (i + n < 8 && !b[2 * (i + n)] && !b[2 * (i + n) + 1])
			n++;
		if (n > most) {
			best = i;
			most = n;
		}
		i += n;
	}
	str_puts(s, "[");
	for (int i = 0; i < 8; i++) {
		if (i == best) {
			str_puts(s, "::");
			i += most - 1;
			continue;
		}
		if (i && i != best + most)
			str_puts(s, ":");
		put_hex16(s, (unsigned)b[2 * i] << 8 | b[2 * i + 1]);
	}
	str_puts(s, "]");
}

static void put_port(struct str *s, const unsigned char *port)
{
	str_puts(s, ":");
	str_num(s, (unsigned long)port[0] << 8 | port[1]);
}

/* False: it has none. */
static bool put_address(struct str *s, const union address *a, socklen_t n)
{
	const size_t head = offsetof(struct sockaddr_un, sun_path);

	if (n < sizeof a->any.sa_family)
		return false;
	switch (a->any.sa_family) {
	case AF_INET:
		for (int i = 0; i < 4; i++) {
			if (i)
				str_puts(s, ".");
			str_num(s, ((const unsigned char *)&a->in.sin_addr)[i]);
		}
		put_port(s, (const unsigned char *)&a->in.sin_port);
		return true;
	case AF_INET6:
		put_in6(s, &a->in6.sin6_addr);
		put_port(s, (const unsigned char *)&a->in6.sin6_port);
		return true;
	case AF_UNIX:
		if (n <= head)
			return false;
		n -= head;
		if (!a->un.sun_path[0]) { /* unix(7): abstract */
			str_puts(s, "@");
			for (socklen_t i = 1; i < n; i++)
				str_put(s, a->un.sun_path[i] ? &a->un.sun_path[i] : "@", 1);
			return true;
		}
		for (socklen_t i = 0; i < n && a->un.sun_path[i]; i++)
			str_put(s, &a->un.sun_path[i], 1);
		return true;
	}
	return false;
}

static const char *family_name(int domain, int type, int protocol)
{
	switch (domain) {
	case AF_INET:
	case AF_INET6:
		return type == SOCK_STREAM && (protocol == IPPROTO_TCP || protocol <= 0) ? "tcp"
		       : type == SOCK_DGRAM && protocol == IPPROTO_UDP			 ? "udp"
		       : protocol == IPPROTO_SCTP					 ? "sctp"
		       : type == SOCK_DGRAM						 ? "ping"
											 : "raw";
	case AF_UNIX:
		return type == SOCK_DGRAM ? "unix dgram" : type == SOCK_SEQPACKET ? "unix seqpacket" : "unix";
	case AF_NETLINK:
		return "netlink";
	case AF_PACKET:
		return "packet";
	case 40:
		return "vsock";
	case 38:
		return "alg";
	}
	return NULL;
}

static NOINLINE void socket_is(int fd, const char *inode, struct str *s)
{
	const int domain = option(fd, SO_DOMAIN), type = option(fd, SO_TYPE);
	const char *family = family_name(domain, type, option(fd, SO_PROTOCOL));
	socklen_t n = sizeof(union address);
	union address a = {0};
	bool named = false, peer = false;
	char *at;

	str_puts(s, "socket:[");
	if (family) {
		str_puts(s, family);
	} else {
		str_puts(s, "family ");
		str_num(s, (unsigned)domain);
	}
	if (guest_getsockname(fd, &a.any, &n) >= 0) {
		at = s->at;
		str_puts(s, " ");
		named = put_address(s, &a, n);
		if (!named && s->at)
			s->at = at;
	}
	if (option(fd, SO_ACCEPTCONN) == 1) {
		str_puts(s, " listening");
	} else {
		n = sizeof a;
		at = s->at;
		if (guest_getpeername(fd, &a.any, &n) >= 0) {
			str_puts(s, " -> ");
			peer = put_address(s, &a, n);
			if (!peer && s->at)
				s->at = at;
		}
	}
	if (!named && !peer && domain != AF_INET && domain != AF_INET6) {
		str_puts(s, " ");
		str_puts(s, inode); /* "123]" */
		return;
	}
	str_puts(s, "]");
}

/* Where there is no /proc: the kind alone. */
static void kind_is(int fd, struct str *s)
{
	struct stat st;

	if (sys_fstat(fd, &st) < 0)
		return;
	str_puts(s, S_ISREG(st.st_mode)	   ? "file"
		    : S_ISDIR(st.st_mode)  ? "directory"
		    : S_ISFIFO(st.st_mode) ? "pipe"
		    : S_ISSOCK(st.st_mode) ? "socket"
		    : S_ISCHR(st.st_mode)  ? "device"
					   : "anon_inode");
	str_puts(s, ":[");
	str_num(s, st.st_ino);
	str_puts(s, "]");
}

void what_is(int fd, char *buf, size_t n, char *room)
{
	struct place at = {.dir = fd, .flags = AT_EMPTY_PATH};
	struct str s = {buf, buf + n};
	const struct view *v = state_view();
	char magic[PLACE_PATH];
	const char *inode;
	long r;

	*buf = '\0';
	r = fd < 0 ? -EBADF : sys_readlinkat(AT_FDCWD, place_path(&at, magic), room, WHAT_SIZE - 1);
	if (r < 0) {
		if (fd >= 0)
			kind_is(fd, &s);
		return;
	}
	room[r] = '\0';
	if ((inode = mem_after(room, "socket:["))) {
		socket_is(fd, inode, &s);
	} else if (!v || room[0] != '/' || place_guest(v, room, &s) < 0) {
		s.at = buf;
		str_puts(&s, room);
	}
	if (!s.at) /* its end tells more than its beginning */
		memcpy(buf, room + (size_t)r + 1 - (n < (size_t)r + 1 ? n : (size_t)r + 1),
			n < (size_t)r + 1 ? n : (size_t)r + 1);
}
