/* SPDX-License-Identifier: ISC
 *
 * What gshadow.sh runs in the kernel's chroot and under jailrun, to compare what they print.
 *
 *   gshadow list      every entry, by both functions, in the smallest buffer that does
 *   gshadow find      by name, in the smallest buffer at nine alignments
 *   gshadow trust     iruserok(3) for many hosts.equiv and ~al/.rhosts, which it writes
 *   gshadow keys      getpublickey(3) and its like, which glibc keeps for old programs */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <gshadow.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROWS(a) (sizeof(a) / sizeof *(a))

static char buf[1 << 16] __attribute__((aligned(16)));

static void show_list(char **list, const char *from)
{
	if (!list) {
		printf("(null)|");
		return;
	}
	if (from)
		printf("@%td", (char *)list - from);
	for (; *list; list++)
		printf("<%s>", *list);
	printf("|");
}

static void show(const struct sgrp *s, const char *from)
{
	printf("%s|%s|", s->sg_namp, s->sg_passwd ? s->sg_passwd : "(null)");
	show_list(s->sg_adm, from);
	show_list(s->sg_mem, from);
	printf("\n");
}

static void list(void)
{
	struct sgrp s, *r;
	int e = 0;

	errno = 0;
	setsgent();
	printf("setsgent: %d\n", errno);
	while ((r = getsgent()))
		show(r, NULL);
	endsgent();
	setsgent();
	while (e == 0) {
		size_t n = 0;

		while ((e = getsgent_r(&s, buf, n, &r)) == ERANGE && n < sizeof buf)
			n++;
		printf("%d, %zu bytes: ", e, n);
		if (e == 0)
			show(r, buf);
	}
	printf("\n");
	endsgent();
}

static void find(void)
{
	static const char *const names[] = {"a", "b", "c", "h", "i", "m", "o", "+", "+x", "-y", "#z", "spc", "last",
		"", "nosuch", "dup", "a:x", "cr"};
	struct sgrp s, *r;

	for (size_t i = 0; i < ROWS(names); i++) {
		errno = 0xdead;
		r = getsgnam(names[i]);
		printf("%s: errno %d, %s\n", names[i], errno, r ? r->sg_passwd : "none");
		for (int off = 0; off < 9; off++) {
			size_t n = 0;
			int e;

			while ((e = getsgnam_r(names[i], &s, buf + off, n, &r)) == ERANGE && n < 4096)
				n++;
			printf("  %d: %d, %zu bytes: ", off, e, n);
			if (r)
				show(r, buf + off);
			else
				printf("none\n");
		}
	}
}

static void put(const char *file, const char *text, mode_t mode, uid_t owner)
{
	int fd;

	unlink(file);
	fd = text ? open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0 || fchown(fd, owner, owner) < 0 || fchmod(fd, mode) < 0)
		perror(file);
	close(fd);
}

static void trust(void)
{
	static const char *const texts[] = {"127.0.0.1\n", "127.0.0.1 bob\n", "+\n", "+ bob\n", "+ +\n",
		"-127.0.0.1\n+\n", "+ -bob\n+\n", "# c\n\n  \n+\n", " 127.0.0.1\n+\n", "\t+\n",
		"10.0.0.1\n127.0.0.1 al", "127.0.0.1\tbob\r\n", "127.0.0.1 -bob\n127.0.0.1\n", "-@grp\n+\n", "+@grp\n",
		"127.0.0.1 +@grp\n", "127.0.0.1\r\n", "::1\n", "127.0.0.1   \n", "+\n-\n", "-\n+ +\n", "127.0.0.1 +\n",
		"", "127.1\n", "127.0.0.1 bob x\n"};
	static const char *const users[] = {"al", "bob", "x"};
	static const char equiv[] = "/etc/hosts.equiv", rhosts[] = "/home/al/.rhosts";
	const uint32_t here = htonl(0x7f000001), there = htonl(0x0a000001);
	struct in6_addr here6 = IN6ADDR_LOOPBACK_INIT;

	for (int own = 0; own < 2; own++)
		for (size_t i = 0; i < ROWS(texts); i++) {
			put(equiv, own ? NULL : texts[i], 0600, 0);
			put(rhosts, own ? texts[i] : NULL, 0600, 0);
			printf("%s %zu:", own ? rhosts : equiv, i);
			for (size_t k = 0; k < ROWS(users); k++)
				printf(" %s %d %d %d %d %d", users[k], iruserok(here, 0, users[k], "al"),
					iruserok(there, 0, users[k], "al"), iruserok(here, 1, users[k], "al"),
					iruserok_af(&here6, 0, users[k], "al", AF_INET6),
					ruserok("127.0.0.1", 0, users[k], "al"));
			printf("\n");
		}
	put(equiv, NULL, 0, 0);
	put(rhosts, "+ +\n", 0600, 1000);
	printf("al's own: %d, of nobody known: %d\n", iruserok(here, 0, "x", "al"), iruserok(here, 0, "x", "nosuch"));
	put(rhosts, "+ +\n", 0620, 1000);
	printf("writable: %d\n", iruserok(here, 0, "x", "al"));
	put(rhosts, "+ +\n", 0600, 5);
	printf("another's: %d\n", iruserok(here, 0, "x", "al"));
	put(rhosts, "+ +\n", 0600, 0);
	if (link(rhosts, "/home/al/other") == 0)
		printf("two names: %d\n", iruserok(here, 0, "x", "al"));
	unlink("/home/al/other");
	if (rename(rhosts, "/home/al/other") == 0 && symlink("other", rhosts) == 0)
		printf("a link: %d\n", iruserok(here, 0, "x", "al"));
	unlink("/home/al/other");
	put(rhosts, NULL, 0, 0);
}

static void *old(const char *name) /* no program can be linked to it any more */
{
	return getenv("LD_PRELOAD") ? dlsym(RTLD_DEFAULT, name) : dlvsym(RTLD_DEFAULT, name, "GLIBC_2.2.5");
}

static void keys(void)
{
	int (*public)(const char *, char *) = old("getpublickey");
	int (*secret)(const char *, char *, const char *) = old("getsecretkey");
	int (*user)(const char *, uid_t *, gid_t *, int *, gid_t *) = old("netname2user");
	gid_t gid, groups[16];
	uid_t uid;
	int n;

	if (!public || !secret || !user)
		return;
	for (int i = 0; i < 10; i++) {
		char name[32], a[256] = "-", b[256] = "-";

		snprintf(name, sizeof name, "unix.%d@d", i);
		printf("%s: %d", name, public(name, a));
		printf(" %s, %d", a, secret(name, b, "word"));
		printf(" %s, %d\n", b, user(name, &uid, &gid, &n, groups));
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "list") == 0)
		list();
	else if (strcmp(what, "find") == 0)
		find();
	else if (strcmp(what, "trust") == 0)
		trust();
	else if (strcmp(what, "keys") == 0)
		keys();
	else
		return 2;
	return 0;
}
