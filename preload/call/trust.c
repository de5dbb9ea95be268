/* SPDX-License-Identifier: ISC
 *
 * Whom a host trusts, as the old network services ask: hosts.equiv(5) and ~/.rhosts for the r commands,
 * publickey(5) for secure RPC.  libc opens these files inside itself, on the host, and asks NSS for
 * the user; here they are the guest's, and the user is our table's.  Who is in a netgroup nobody knows,
 * because only NSS does: a line that trusts one is skipped, one that distrusts one ends the search. */
#include <netdb.h>
#include <netinet/in.h>
#include "glibc.h"
#include "../module.h"
#include "../source.h"
#include "../sys.h"

enum { TEXT_MAX = 1 << 20 }; /* of such a file; what comes after it trusts nobody */

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The file's text, with a NUL behind, in pages that munmap(*ret, *ret_room) gives back. */
static long text_read(int fd, char **ret, size_t *ret_room)
{
	const size_t room = TEXT_MAX + 1;
	char *text = sys_pages(room);
	size_t n = 0;
	long r = -ENOMEM;

	while (text && n < TEXT_MAX && (r = sys_read_again(fd, text + n, TEXT_MAX - n)) > 0)
		n += (size_t)r;
	*ret = text;
	*ret_room = room;
	return text ? 0 : r;
}

/* -- the r commands --------------------------------------------------------------------------- */

struct remote {
	const struct sockaddr *address;
	socklen_t len;
	const char *host, *user; /* theirs */
	const char *local;       /* the user here */
};

typedef int addrinfo(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static bool address_of(const struct remote *from, const char *host)
{
	struct addrinfo *all, want = {.ai_family = from->address->sa_family};
	addrinfo *get = LIBC(getaddrinfo, int, (const char *, const char *, const struct addrinfo *, struct addrinfo **));
	void (*done)(struct addrinfo *) = LIBC(freeaddrinfo, void, (struct addrinfo *));
	bool same = false;

	if (!get || !done || get(host, NULL, &want, &all) != 0)
		return false;
	for (const struct addrinfo *a = all; a && !same; a = a->ai_next)
		same = a->ai_family == want.ai_family && memcmp(a->ai_addr, from->address, a->ai_addrlen) == 0;
	done(all);
	return same;
}

/* What a field says that is about a netgroup: where the guest has some, we do not know whether they are
 * in it. */
static int netgroup_says(const char *field)
{
	struct stat st;

	return *field == '-' && guest_newfstatat(AT_FDCWD, "/etc/netgroup", &st, 0) == 0 ? -1 : 0;
}

/* 1: the host field trusts this host, -1: it does not, 0: it is about others. */
static int host_says(const struct remote *from, const char *field)
{
	const int yes = *field == '-' ? -1 : 1;

	if (mem_equal(field, "+"))
		return 1;
	if ((*field == '+' || *field == '-') && field[1] == '@')
		return netgroup_says(field);
	return address_of(from, field + (yes < 0)) ? yes : 0;
}

static int user_says(const struct remote *from, const char *field)
{
	if (mem_equal(field, "+"))
		return 1;
	if ((*field == '+' || *field == '-') && field[1] == '@')
		return netgroup_says(field);
	if (*field == '-')
		return mem_equal(field + 1, from->user) ? -1 : 0;
	return mem_equal(field, from->user) ? 1 : 0;
}

/* One line, "HOST [USER]", which is cut into its fields. */
static int line_says(const struct remote *from, char *line)
{
	char *p = line;
	const char *user;
	int u, h;

	while (is_space(*p))
		p++;
	if (!*p || *p == '#')
		return 0;
	for (p = line; *p && !is_space(*p); p++)
		if (*p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
	if (*p == ' ' || *p == '\t') {
		for (*p++ = '\0'; is_space(*p); p++)
			;
		user = p;
		while (*p && !is_space(*p))
			p++;
	} else {
		user = p;
	}
	*p = '\0';
	if (!*line)
		return -1;
	/* the user first: that saves asking for most hosts */
	u = user_says(from, *user ? user : from->local);
	h = u ? host_says(from, line) : 0;
	return h == 0 ? 0 : u < 0 || h < 0 ? -1 : 1;
}

/* Does this file, of user `owner`, trust them?  Nobody but the owner may have been able to write it. */
static bool file_trusts(const struct remote *from, const char *path, uid_t owner)
{
	struct stat st;
	char *text, *line, *end;
	size_t room;
	int says = 0;
	long fd;

	if (guest_newfstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return false;
	fd = guest_open_own(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
	if (fd < 0)
		return false;
	if (sys_fstat((int)fd, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_uid && st.st_uid != owner) ||
		st.st_mode & (S_IWGRP | S_IWOTH) || st.st_nlink > 1 || text_read((int)fd, &text, &room) < 0) {
		sys_close((int)fd);
		return false;
	}
	sys_close((int)fd);
	for (line = text; *line && says == 0; line = end) {
		for (end = line; *end && *end != '\n'; end++)
			;
		if (*end)
			*end++ = '\0';
		says = line_says(from, line);
	}
	sys_call(SYS_munmap, text, room);
	return says > 0;
}

static bool home_trusts(const struct remote *from)
{
	int (*set)(uid_t) = LIBC(seteuid, int, (uid_t)), *check = (int *)(uintptr_t)real_global("__check_rhosts_file");
	const uid_t was = (uid_t)sys_call(SYS_geteuid);
	const size_t size = 1 << 16;
	char *buf = check && !*check ? NULL : sys_pages(size), path[PATH_MAX];
	struct str s = {path, path + sizeof path};
	struct passwd pw;
	bool yes = false;

	if (!buf)
		return false;
	if (source_find(NAMES_PASSWD, from->local, 0, &pw, buf, size) > 0) {
		str_puts(&s, pw.pw_dir);
		str_puts(&s, "/.rhosts");
		/* as that user: root may not read it where it is a file of NFS */
		if (s.at && set) {
			set(pw.pw_uid);
			yes = file_trusts(from, path, pw.pw_uid);
			set(was);
		}
	}
	sys_call(SYS_munmap, buf, size);
	return yes;
}

static int trusts(const struct remote *from, int superuser)
{
	if (!superuser && file_trusts(from, "/etc/hosts.equiv", 0))
		return 0;
	return home_trusts(from) ? 0 : -1;
}

int jail_iruserok_af(const void *raddr, int superuser, const char *ruser, const char *luser, sa_family_t family)
{
	int (*real)(const void *, int, const char *, const char *, sa_family_t);
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	const bool six = family == AF_INET6;
	const struct remote from = {six ? (struct sockaddr *)&in6 : (struct sockaddr *)&in,
		six ? sizeof in6 : sizeof in, "-", ruser, luser};

	if (source_is_nss()) {
		real = REAL(iruserok_af);
		return real ? real(raddr, superuser, ruser, luser, family) : -1;
	}
	if (!raddr || !ruser || !luser || (family != AF_INET && !six))
		return -1;
	if (six)
		memcpy(&in6.sin6_addr, raddr, sizeof in6.sin6_addr);
	else
		memcpy(&in.sin_addr, raddr, sizeof in.sin_addr);
	return trusts(&from, superuser);
}

int jail_iruserok(uint32_t raddr, int superuser, const char *ruser, const char *luser)
{
	return jail_iruserok_af(&raddr, superuser, ruser, luser, AF_INET);
}

int jail_ruserok_af(const char *rhost, int superuser, const char *ruser, const char *luser, sa_family_t family)
{
	int (*real)(const char *, int, const char *, const char *, sa_family_t), r = -1;
	struct addrinfo *all, want = {.ai_family = family};
	addrinfo *get = LIBC(getaddrinfo, int, (const char *, const char *, const struct addrinfo *, struct addrinfo **));
	void (*done)(struct addrinfo *) = LIBC(freeaddrinfo, void, (struct addrinfo *));

	if (source_is_nss()) {
		real = REAL(ruserok_af);
		return real ? real(rhost, superuser, ruser, luser, family) : -1;
	}
	if (!rhost || !ruser || !luser || !get || !done || get(rhost, NULL, &want, &all) != 0)
		return -1;
	for (const struct addrinfo *a = all; a && r != 0; a = a->ai_next) {
		const struct remote from = {a->ai_addr, a->ai_addrlen, rhost, ruser, luser};

		r = trusts(&from, superuser);
	}
	done(all);
	return r;
}

int jail_ruserok(const char *rhost, int superuser, const char *ruser, const char *luser)
{
	return jail_ruserok_af(rhost, superuser, ruser, luser, AF_INET);
}

/* -- secure RPC ------------------------------------------------------------------------------- */

enum { KEY = 48, CHECKSUM = 16, NETNAME = 255 }; /* <rpc/key_prot.h>: hexadecimal digits, bytes */

/* From this glibc on its files have no keys, and only NIS has. */
enum { KEYLESS = 34 };

/* libtirpc has functions of these names that open files and ask for users by the calls that are
 * wrapped: where it is loaded, it answers. */
static bool is_libc(real_fn *f)
{
	return !f || module_find((uintptr_t)f) == module_find((uintptr_t)__errno_location);
}

/* The next word of the line at *at, in front of one of the characters in ends; NULL: none. */
static char *word(char **at, const char *ends)
{
	char *from = *at, *to;

	while (*from && mem_find(ends, *from))
		from++;
	for (to = from; *to && !mem_find(ends, *to); to++)
		;
	*at = to + (*to != '\0');
	*to = '\0';
	return to > from ? from : NULL;
}

/* The public or secret key of netname in the guest's file, publickey(5), to out: is it there? */
static bool key_find(const char *netname, bool secret, char *out, size_t room)
{
	const long fd = guest_open_own(AT_FDCWD, "/etc/publickey", O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
	char *text, *line, *end;
	bool found = false;
	size_t size;

	if (fd < 0 || text_read((int)fd, &text, &size) < 0) {
		if (fd >= 0)
			sys_close((int)fd);
		return false;
	}
	sys_close((int)fd);
	for (line = text; *line && !found; line = end) {
		char *at = line, *name, *key;

		for (end = line; *end && *end != '\n'; end++)
			;
		if (*end)
			*end++ = '\0';
		if ((size_t)(end - line) >= 2 * KEY + CHECKSUM + NETNAME + 17)
			continue; /* longer than glibc's buffer */
		name = word(&at, "# \t:");
		if (!name || !mem_equal(name, netname))
			continue;
		key = word(&at, ":");
		if (key && secret)
			key = word(&at, ":");
		if (!key || strlen(key) >= room)
			continue;
		memcpy(out, key, strlen(key) + 1);
		found = true;
	}
	sys_call(SYS_munmap, text, size);
	return found;
}

int jail_getpublickey(const char *netname, char *key)
{
	int (*real)(const char *, char *) = REAL(getpublickey);

	if (source_is_nss() || !is_libc((real_fn *)real))
		return real ? real(netname, key) : 0;
	if (!netname || !key || !glibc_before(KEYLESS))
		return 0;
	return key_find(netname, false, key, KEY + 1); /* rpc/key_prot.h: the caller's buffer */
}

int jail_getsecretkey(const char *netname, char *key, const char *passwd)
{
	int (*real)(const char *, char *, const char *) = REAL(getsecretkey);
	int (*decrypt)(char *, const char *) = LIBC(xdecrypt, int, (char *, const char *));
	char text[KEY + CHECKSUM + NETNAME + 1] = "";

	if (source_is_nss() || !is_libc((real_fn *)real))
		return real ? real(netname, key, passwd) : 0;
	if (!netname || !key || !passwd || !decrypt || !glibc_before(KEYLESS))
		return 0;
	*key = '\0';
	if (!key_find(netname, true, text, sizeof text))
		return 0;
	/* A wrong password is success with an empty key. */
	if (decrypt(text, passwd) && memcmp(text, text + KEY, CHECKSUM) == 0) {
		memcpy(key, text, KEY);
		key[KEY] = '\0';
	}
	return 1;
}

/* The files know no netnames, only NIS does; so authdes_getucred(3), which asks for one, fails too. */
int jail_netname2user(const char *netname, uid_t *uid, gid_t *gid, int *n, gid_t *groups)
{
	int (*real)(const char *, uid_t *, gid_t *, int *, gid_t *) = REAL(netname2user);

	if (source_is_nss() || !is_libc((real_fn *)real))
		return real ? real(netname, uid, gid, n, groups) : 0;
	return 0;
}

int jail_authdes_getucred(const void *adc, uid_t *uid, gid_t *gid, short *n, gid_t *groups)
{
	int (*real)(const void *, uid_t *, gid_t *, short *, gid_t *) = REAL(authdes_getucred);

	if (source_is_nss() || !is_libc((real_fn *)real))
		return real ? real(adc, uid, gid, n, groups) : 0;
	return 0;
}
