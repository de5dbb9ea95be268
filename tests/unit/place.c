/* SPDX-License-Identifier: ISC
 *
 * links: place.o path/page.o mem.o sys/peek.o sys/lock.o sys/wiped.o sys/newer.o
 *
 * A guest path to a place, by both resolvers, in a small root of our own with two binds; and the
 * way back, and what travels across an exec.  Expectations are the kernel's (path_resolution(7)). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../../preload/place.h"

static char base[64];
static struct view views[2]; /* openat2, the walker */
static struct bind binds[2][4];

static void at(char *path, const char *name)
{
	snprintf(path, PATH_MAX, "%s/%s", base, name);
}

static void file(const char *name)
{
	char path[PATH_MAX];
	int fd;

	at(path, name);
	fd = open(path, O_WRONLY | O_CREAT, 0644);
	assert_true(fd >= 0 && write(fd, name, strlen(name)) > 0 && close(fd) == 0);
}

static void dir(const char *name)
{
	char path[PATH_MAX];

	at(path, name);
	assert_int_equal(mkdir(path, 0755), 0);
}

static void sym(const char *target, const char *name)
{
	char path[PATH_MAX];

	at(path, name);
	assert_int_equal(symlink(target, path), 0);
}

static int setup(void **state)
{
	char path[PATH_MAX];
	const char *what;

	(void)state;
	strcpy(base, "/tmp/libjail-place-XXXXXX");
	assert_non_null(mkdtemp(base));
	dir("r");
	dir("r/etc");
	dir("r/d");
	dir("r/d/e");
	dir("r/data");
	dir("r/d/in");
	dir("h");
	dir("h/sub");
	file("r/etc/passwd");
	file("r/d/f");
	file("r/d/e/g");
	file("r/data/under");
	file("r/one");
	file("h/shown");
	file("h/sub/x");
	file("h/single");
	sym("/etc/passwd", "r/abs");
	sym("etc/passwd", "r/rel");
	sym("../../../../etc/passwd", "r/up");
	sym("/d", "r/dlink");
	sym("nowhere", "r/dangling");
	sym("loop", "r/loop");
	sym("/data/shown", "r/tobind");
	sym("/data", "r/bindlink");
	sym("../d/f", "h/back");
	for (int i = 0; i < 2; i++) {
		at(path, "r");
		assert_int_equal(view_open(&views[i], path, 100), 0);
		views[i].binds = binds[i];
		views[i].walk |= i == 1;
		at(path, "h");
		assert_int_equal(view_bind(&views[i], path, "/data", 100, &what), 0);
		at(path, "h/single");
		assert_int_equal(view_bind(&views[i], path, "/one", 100, &what), 0);
	}
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", base);
	return system(command);
}

static const struct row {
	const char *why, *guest;
	int want;         /* 0 or -errno */
	const char *host; /* what is found, below base */
} rows[] = {
	{"plain", "/etc/passwd", 0, "r/etc/passwd"},
	{"the root", "/", 0, "r"},
	{"slashes", "//etc///passwd", 0, "r/etc/passwd"},
	{"dots", "/./etc/./passwd", 0, "r/etc/passwd"},
	{".. at the root is the root", "/../../etc", 0, "r/etc"},
	{".. inside", "/d/e/../f", 0, "r/d/f"},
	{"absolute link stays inside", "/abs", 0, "r/etc/passwd"},
	{"relative link", "/rel", 0, "r/etc/passwd"},
	{"link above the root ends at it", "/up", 0, "r/etc/passwd"},
	{"directory link, then ..", "/dlink/../etc/passwd", 0, "r/etc/passwd"},
	{"directory link", "/dlink/e/g", 0, "r/d/e/g"},
	{"dangling", "/dangling", -ENOENT, NULL},
	{"loop", "/loop", -ELOOP, NULL},
	{"empty", "", -ENOENT, NULL},
	{"missing", "/nope", -ENOENT, NULL},
	{"file as directory", "/d/f/x", -ENOTDIR, NULL},
	{"trailing slash on a file", "/d/f/", -ENOTDIR, NULL},
	{"trailing slash on a directory", "/d/", 0, "r/d"},
	{"name too long",
		"/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		-ENAMETOOLONG, NULL},
	{"bind", "/data", 0, "h"},
	{"below a bind", "/data/sub/x", 0, "h/sub/x"},
	{"what a bind hides", "/data/under", -ENOENT, NULL},
	{"bind by a link", "/tobind", 0, "h/shown"},
	{"bind by a directory link", "/bindlink/sub/x", 0, "h/sub/x"},
	{"a bind's .. is its bind point's", "/data/../etc/passwd", 0, "r/etc/passwd"},
	{"out of a bind by a link in it", "/data/back", 0, "r/d/f"},
	{"bound file", "/one", 0, "h/single"},
	{"bound file as directory", "/one/x", -ENOTDIR, NULL},
	{"bound file with a slash", "/one/", -ENOTDIR, NULL},
	{"name like a bind's, elsewhere", "/d/data", -ENOENT, NULL},
	{"NULL", NULL, -EFAULT, NULL},
	{"bad pointer", (const char *)1, -EFAULT, NULL},
	{"kernel address", (const char *)-1, -EFAULT, NULL},
};

static void same(int fd, const char *host)
{
	char path[PATH_MAX];
	struct stat a, b;

	at(path, host);
	assert_int_equal(fstat(fd, &a), 0);
	assert_int_equal(lstat(path, &b), 0);
	assert_true(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
}

static void resolves(void **state)
{
	const struct open_how how = {.flags = O_PATH | O_CLOEXEC};
	const struct row *row = *state;

	for (int i = 0; i < 2; i++) {
		int fd = place_open(&views[i], AT_FDCWD, row->guest, &how);

		if (row->want < 0) {
			assert_int_equal(fd, row->want);
		} else {
			assert_true(fd >= 0);
			same(fd, row->host);
			close(fd);
		}
	}
}

static void lowest_number(void **state)
{
	const struct open_how how = {.flags = O_RDONLY | O_CLOEXEC};
	int low = open("/", O_PATH);

	(void)state;
	close(low);
	for (int i = 0; i < 2; i++) {
		int fd = place_open(&views[i], AT_FDCWD, "/dlink/../bindlink/sub/x", &how);

		assert_int_equal(fd, low);
		assert_int_equal(fcntl(fd, F_GETFL) & O_NOFOLLOW, 0);
		close(fd);
	}
}

static void relative_to(void **state)
{
	struct place p;
	char path[PATH_MAX];
	int d;

	(void)state;
	at(path, "r/d");
	d = open(path, O_RDONLY | O_DIRECTORY);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(place_find(&p, &views[i], d, "f", PLACE_NAME), 0);
		assert_true(p.dir == d && !p.owned); /* passed through */
		assert_int_equal(place_find(&p, &views[i], d, "e/g", PLACE_OBJECT), 0);
		same(p.dir, "r/d/e/g");
		place_done(&p, 0);
		assert_int_equal(place_find(&p, &views[i], d, "../../../etc/passwd", PLACE_OBJECT), 0);
		same(p.dir, "r/etc/passwd");
		place_done(&p, 0);
		assert_int_equal(place_find(&p, &views[i], d, "../data/shown", PLACE_OBJECT), 0);
		same(p.dir, "h/shown");
		place_done(&p, 0);
		assert_int_equal(place_find(&p, &views[i], d, "../data", PLACE_NAME | PLACE_BOUND), -EBUSY);
		assert_int_equal(place_find(&p, &views[i], d, "../abs", PLACE_NAME), 0);
		assert_string_equal(p.name, "abs");
		same(p.dir, "r");
		place_done(&p, 0);
	}
	close(d);
}

static const struct guest_row {
	const char *why, *host, *guest; /* guest NULL: outside */
} guest_rows[] = {
	{"the root is /", "r", "/"},
	{"below it", "r/etc/passwd", "/etc/passwd"},
	{"a name that only begins like it", "rx", NULL},
	{"a bind", "h", "/data"},
	{"below a bind", "h/sub/x", "/data/sub/x"},
	{"a bound file, by its own bind", "h/single", "/one"},
	{"outside", "", NULL},
};

static void named(void **state)
{
	const struct guest_row *row = *state;
	char host[PATH_MAX], guest[PATH_MAX];
	struct str s = {guest, guest + sizeof guest};

	at(host, row->host);
	if (!*row->host)
		*strrchr(host, '/') = '\0';
	assert_int_equal(place_guest(&views[0], host, &s), row->guest ? 0 : -ENOENT);
	if (row->guest)
		assert_string_equal(guest, row->guest);
}

static void bind_list(void **state)
{
	const char *list = "default,/a\\:b:/c\\,d,/n\\nl:/e\\\\f";
	static const char *const want[][2] = {{"default", ""}, {"/a:b", "/c,d"}, {"/n\nl", "/e\\f"}};
	char host[64], guest[64];

	(void)state;
	for (size_t i = 0; i < ROWS(want); i++) {
		struct str h = {host, host + sizeof host}, g = {guest, guest + sizeof guest};

		assert_true(view_binds_next(&list, &h, &g));
		assert_string_equal(host, want[i][0]);
		assert_string_equal(guest, want[i][1]);
	}
	struct str h = {host, host + sizeof host}, g = {guest, guest + sizeof guest};
	assert_false(view_binds_next(&list, &h, &g));
}

static void note(void **state)
{
	char text[4096], list[2 * PATH_MAX];
	struct str s = {text, text + sizeof text};
	struct bind got[4];
	struct view v = {.binds = got};

	(void)state;
	view_note_put(&views[0], &s);
	assert_non_null(s.at);
	snprintf(list, sizeof list, "none,%s/h:/data,%s/h/single:/one", base, base);
	assert_int_equal(view_note_take(&v, text, views[0].host, list, ROWS(got)), 0);
	assert_int_equal(v.nbinds, 2);
	assert_string_equal(v.binds[0].guest, "/data");
	assert_true(v.fd == views[0].fd && v.binds[1].fd == views[0].binds[1].fd);
	assert_int_equal(v.binds[0].nhidden, views[0].binds[0].nhidden);
	/* a number that is another file by now is not believed */
	assert_int_equal(view_note_take(&v, "0 1 2 0 0 ", views[0].host, "", ROWS(got)), -EINVAL);
	assert_int_equal(view_note_take(&v, "rubbish", views[0].host, "", ROWS(got)), -EINVAL);
}

static void root_moves(void **state)
{
	char from[PATH_MAX], to[PATH_MAX], guest[PATH_MAX];
	struct str s = {guest, guest + sizeof guest};

	(void)state;
	at(from, "r");
	at(to, "moved");
	assert_int_equal(rename(from, to), 0);
	at(from, "moved/etc/passwd");
	assert_int_equal(place_guest(&views[0], from, &s), 0);
	assert_string_equal(guest, "/etc/passwd");
	at(from, "r");
	assert_int_equal(rename(to, from), 0);
}

/* ".." of a bind asks for search permission in what it shows, as any directory's does. */
static void unsearchable(void **state)
{
	static const struct open_how how = {.flags = O_PATH};
	static const struct {
		const char *path;
		int want;
	} paths[] = {{"/data/..", -EACCES}, {"/data/../etc/passwd", -EACCES}, {"/data/../data/..", -EACCES}, {"/data/", 0},
		{"/data/shown", -EACCES}, {"/data", 0}, {"/etc/../one", 0}};
	char h[PATH_MAX];
	int status;

	(void)state;
	at(h, "h");
	assert_int_equal(chmod(h, 0644), 0);
	if (fork() == 0) {
		if (getuid() == 0 && setresuid(65533, 65533, 65533) != 0)
			_exit(99);
		for (int i = 0; i < 2; i++)
			for (size_t k = 0; k < ROWS(paths); k++) {
				const int fd = place_open(&views[i], AT_FDCWD, paths[k].path, &how);

				if (fd < 0 ? fd != paths[k].want : paths[k].want != 0)
					_exit((int)(i * 10 + k + 1));
			}
		_exit(0);
	}
	assert_true(wait(&status) > 0);
	assert_int_equal(chmod(h, 0755), 0);
	assert_int_equal(status, 0);
}

int main(void)
{
	static const struct CMUnitTest own[] = {
		cmocka_unit_test(lowest_number),
		cmocka_unit_test(relative_to),
		cmocka_unit_test(bind_list),
		cmocka_unit_test(note),
		cmocka_unit_test(unsearchable),
		cmocka_unit_test(root_moves),
	};
	struct CMUnitTest t[ROWS(rows) + ROWS(guest_rows) + ROWS(own)];
	size_t n = 0;

	for (size_t i = 0; i < ROWS(rows); i++)
		t[n++] = (struct CMUnitTest){rows[i].why, resolves, NULL, NULL, (void *)(uintptr_t)&rows[i]};
	for (size_t i = 0; i < ROWS(guest_rows); i++)
		t[n++] = (struct CMUnitTest){guest_rows[i].why, named, NULL, NULL,
			(void *)(uintptr_t)&guest_rows[i]};
	for (size_t i = 0; i < ROWS(own); i++)
		t[n++] = own[i];
	return _cmocka_run_group_tests("place", t, n, setup, teardown);
}
