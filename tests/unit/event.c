/* SPDX-License-Identifier: ISC
 *
 * Rows for the spelling of events, and for the places they go to: a line is whole JSON of at most
 * EVENT_SIZE bytes whatever goes into it, and no sink can hurt the program: not by a signal, not by
 * making it wait, not by another file under our descriptor's number.
 * links: mem.o sys/newer.o sys/lock.o sys/wiped.o */
#include "../../preload/event.c"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

/* -- what event.c asks of others ------------------------------------------------------------- */

static struct config now = {.program = "prog", .lib = "", .audit = ""};
const struct config *config_ready = &now;
static unsigned said;
static struct module modules[4];
static struct stack one;
static size_t blame = 1;
static bool mine = true;

const struct config *config_start(void)
{
	return &now;
}

void config_say(const char *const *parts)
{
	(void)parts;
	said++;
}

uint64_t report_run(void)
{
	return 0xabc;
}

int state_fd_min(void)
{
	return 40;
}

bool record_mine(void)
{
	return mine;
}

const struct stack *stack_at(uint32_t id)
{
	return id ? &one : NULL;
}

const char *stack_text_at(uint32_t id)
{
	return id ? "script.py" : "";
}

size_t stack_blame(const struct stack *s)
{
	(void)s;
	return blame;
}

const struct module *module_at(unsigned m)
{
	return &modules[m];
}

/* -- is it JSON? ----------------------------------------------------------------------------- */

static const char *value(const char *s);

static const char *text_end(const char *s)
{
	if (*s++ != '"')
		return NULL;
	while (*s != '"') {
		unsigned char c = (unsigned char)*s;
		size_t n = c < 0x80 ? 1 : utf8((const unsigned char *)s);

		if (c < 0x20 || !n)
			return NULL;
		if (c == '\\') {
			s++;
			if (*s == 'u') {
				for (int i = 1; i <= 4; i++)
					if (!*s || !strchr("0123456789abcdef", s[i]))
						return NULL;
				s += 4;
			} else if (*s != '"' && *s != '\\') {
				return NULL;
			}
		}
		s += n;
	}
	return s + 1;
}

static const char *list(const char *s, char close, bool named)
{
	if (*++s == close)
		return s + 1;
	for (;;) {
		if (named && (!(s = text_end(s)) || *s++ != ':'))
			return NULL;
		if (!(s = value(s)))
			return NULL;
		if (*s == close)
			return s + 1;
		if (*s++ != ',')
			return NULL;
	}
}

static const char *value(const char *s)
{
	static const char *const words[] = {"null", "true", "false"};
	const char *after;
	char *end;

	if (*s == '{' || *s == '[')
		return list(s, *s == '{' ? '}' : ']', *s == '{');
	if (*s == '"')
		return text_end(s);
	for (size_t i = 0; i < ROWS(words); i++)
		if ((after = mem_after(s, words[i])))
			return after;
	strtod(s, &end);
	return end == s ? NULL : end;
}

static char buf[EVENT_SIZE + 16];
static int sink_end; /* where what was sent can be read */
static char got[4 * EVENT_SIZE];

/* The line that was sent: checked, and in got. */
static const char *sent(void)
{
	ssize_t n = read(sink_end, got, sizeof got - 1);
	const char *end;

	assert_in_range(n, 2, EVENT_SIZE);
	got[n] = '\0';
	assert_int_equal(got[n - 1], '\n');
	assert_null(memchr(got, '\n', (size_t)n - 1));
	end = value(got);
	assert_non_null(end);
	assert_string_equal(end, "\n");
	return got;
}

static int to_pipe(void **state)
{
	int p[2];
	char where[20];

	(void)state;
	assert_int_equal(pipe(p), 0);
	snprintf(where, sizeof where, "fd:%d", p[1]);
	assert_int_equal(event_start(where, NULL), 0);
	close(p[1]);
	sink_end = p[0];
	said = 0;
	sink_said = false;
	return 0;
}

static int fresh(void **state)
{
	(void)state;
	said = 0;
	sink_said = false;
	return 0;
}

static int closed(void **state)
{
	(void)state;
	close(sink_end);
	if (event_fd >= 0)
		close(event_fd);
	event_fd = -1;
	return 0;
}

/* -- spelling -------------------------------------------------------------------------------- */

static const struct text_row {
	const char *why, *text, *want;
} texts[] = {
	{"plain text", "/etc/hosts", "\"x\":\"/etc/hosts\""},
	{"nothing is null", NULL, "\"x\":null"},
	{"a quote and a backslash", "a\"b\\c", "\"x\":\"a\\\"b\\\\c\""},
	{"a newline", "a\nb", "\"x\":\"a\\u000ab\""},
	{"other control characters", "\x01\x1f\x7f", "\"x\":\"\\u0001\\u001f\\u007f\""},
	{"UTF-8 stays", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\"x\":\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\""},
	{"a byte that is none", "a\xff", "\"x\":\"a\\u00ff\""},
	{"a sequence that is cut off", "\xe2\x82", "\"x\":\"\\u00e2\\u0082\""},
	{"a longer form than needed", "\xc0\xaf", "\"x\":\"\\u00c0\\u00af\""},
	{"half of a pair of UTF-16", "\xed\xa0\x80", "\"x\":\"\\u00ed\\u00a0\\u0080\""},
	{"beyond Unicode", "\xf4\x90\x80\x80", "\"x\":\"\\u00f4\\u0090\\u0080\\u0080\""},
};

static void text_test(void **state)
{
	const struct text_row *row = *state;
	struct event e;

	event_begin(&e, buf, "test");
	event_text(&e, "x", row->text);
	event_send(&e);
	assert_non_null(strstr(sent(), row->want));
	assert_null(strstr(got, "\"cut\""));
}

static void header_test(void **state)
{
	struct event e;

	(void)state;
	event_begin(&e, buf, "test");
	event_send(&e);
	assert_non_null(strstr(sent(), "{\"v\":1,\"ev\":\"test\",\"t\":"));
	assert_non_null(strstr(got, "\"run\":\"0000000000000abc\""));
	assert_non_null(strstr(got, "\"prog\":\"prog\"}"));
	assert_non_null(strstr(got, "\"host\":\""));
}

static void number_test(void **state)
{
	struct event e;

	(void)state;
	event_begin(&e, buf, "test");
	event_number(&e, "least", -__LONG_LONG_MAX__ - 1);
	event_number(&e, "zero", 0);
	event_time(&e, "time", 1764000000000001234);
	event_bool(&e, "yes", true);
	event_open(&e, "empty", '[');
	event_close(&e, ']');
	event_open(&e, "list", '[');
	event_number(&e, NULL, 1);
	event_number(&e, NULL, 2);
	event_close(&e, ']');
	event_send(&e);
	assert_non_null(strstr(sent(), "\"least\":-9223372036854775808,\"zero\":0,\"time\":1764000000.000001,"
				       "\"yes\":true,\"empty\":[],\"list\":[1,2]}"));
}

/* Anything in any order: whole JSON each time, and "cut" exactly when something is missing. */
static void random_test(void **state)
{
	static char text[3000];
	unsigned seed = 1;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		char open[8];
		unsigned depth = 0;
		struct event e;

		event_begin(&e, buf, "test");
		for (int i = rand_r(&seed) % 60; i; i--) {
			const char *name = depth && open[depth - 1] == ']' ? NULL : "name";
			int n = rand_r(&seed) % (rand_r(&seed) % 8 ? 60 : (int)sizeof text);

			switch (rand_r(&seed) % 5) {
			case 0:
			case 1:
				for (int k = 0; k < n; k++)
					text[k] = (char)(1 + rand_r(&seed) % 255);
				text[n] = '\0';
				event_text(&e, name, text);
				break;
			case 2:
				event_number(&e, name, rand_r(&seed));
				break;
			case 3:
				if (depth < sizeof open) {
					bool object = rand_r(&seed) % 2;

					event_open(&e, name, object ? '{' : '[');
					open[depth++] = object ? '}' : ']';
				}
				break;
			case 4:
				if (depth)
					event_close(&e, open[--depth]);
				break;
			}
		}
		while (depth)
			event_close(&e, open[--depth]);
		assert_true(e.at >= buf && e.at <= buf + EVENT_SIZE);
		event_send(&e);
		sent();
		assert_int_equal(strstr(got, "\"cut\":true}\n") != NULL, e.cut);
	}
}

static void full_test(void **state)
{
	static char text[EVENT_SIZE];
	struct event e;

	(void)state;
	/* each length on the way to full, then a list that may or may not fit */
	for (size_t n = EVENT_SIZE - 300; n < EVENT_SIZE; n++) {
		memset(text, 'x', n);
		text[n] = '\0';
		event_begin(&e, buf, "test");
		event_text(&e, "x", text);
		event_open(&e, "list", '[');
		event_open(&e, NULL, '{');
		event_number(&e, "n", 1);
		event_close(&e, '}');
		event_close(&e, ']');
		event_send(&e);
		sent();
	}
}

/* -- call sites ------------------------------------------------------------------------------ */

static void stack_is(const char *path, unsigned frames, uint64_t offset)
{
	memset(&one, 0, sizeof one);
	one.n = frames;
	for (unsigned i = 0; i < frames; i++)
		one.at[i] = (uint64_t)(i ? 1 + i % 3 : 0) << 48 | (offset + i);
	for (size_t i = 0; i < ROWS(modules); i++)
		modules[i] = (struct module){.path = path, .build_id = {1, 2, (unsigned char)i}, .build_id_size = 20};
}

static void stack_test(void **state)
{
	struct event e;

	(void)state;
	stack_is("/lib/x.so", 4, 0x1000);
	event_begin(&e, buf, "test");
	event_stack(&e, 1, 16);
	event_send(&e);
	assert_non_null(strstr(sent(), "\"modules\":[{\"path\":\"/lib/x.so\",\"id\":\"0102"));
	assert_non_null(strstr(got, "\"stack\":[[0,\"0x1001\"],[1,\"0x1002\"],[2,\"0x1003\"]],\"blame\":0}"));
	event_begin(&e, buf, "test");
	event_stack(&e, 1, 2);
	event_send(&e);
	assert_non_null(strstr(sent(), "\"stack\":[[0,\"0x1001\"],[1,\"0x1002\"]],\"blame\":0}"));
	event_begin(&e, buf, "test");
	event_stack(&e, 0, 2);
	event_send(&e);
	assert_non_null(strstr(sent(), "\"site\":null}"));
}

/* Modules and frames that do not fit go from the outer end; what is there fits together. */
static void stack_full_test(void **state)
{
	static char path[3000], filler[EVENT_SIZE];
	struct event e;

	(void)state;
	for (size_t n = 100; n < sizeof path; n += 97)
		for (size_t fill = 0; fill < EVENT_SIZE - 300; fill += 331) {
			memset(path, 'p', n);
			path[n] = '\0';
			memset(filler, 'f', fill);
			filler[fill] = '\0';
			stack_is(path, UNWIND_FRAMES, 0x7fffffff0000);
			event_begin(&e, buf, "test");
			event_text(&e, "fill", filler);
			event_stack(&e, 1, 16);
			event_send(&e);
			sent();
			for (int k = 0; k < 3; k++) {
				char frame[8];
				unsigned have = 0;

				snprintf(frame, sizeof frame, "[%d,\"", k);
				for (const char *s = got; (s = strstr(s, "\"path\"")); s++)
					have++;
				if (strstr(got, frame))
					assert_true(have > (unsigned)k);
			}
		}
}

static const struct site_row {
	const char *why;
	const char *path;
	unsigned id_size;
	uint64_t offset;
	unsigned line;
	bool same; /* as that of /usr/lib/x.so without a build id, offset 0x1001 */
} sites[] = {
	{"a module without build id goes by its name", "/other/x.so", 0, 0x1000, 0, true},
	{"another name is another site", "/other/y.so", 0, 0x1000, 0, false},
	{"another offset is another site", "/other/x.so", 0, 0x1001, 0, false},
	{"a build id is another site", "/other/x.so", 20, 0x1000, 0, false},
	{"a script's line is another site", "/other/x.so", 0, 0x1000, 12, false},
};

static void site_test(void **state)
{
	const struct site_row *row = *state;
	uint64_t want;

	stack_is("/usr/lib/x.so", 3, 0x1000);
	modules[2].build_id_size = 0;
	want = event_site(1);
	assert_true(want != 0);
	stack_is(row->path, 3, row->offset);
	modules[2].build_id_size = (unsigned char)row->id_size;
	one.script_line = row->line;
	one.script_file = row->line != 0;
	assert_int_equal(event_site(1) == want, row->same);
}

/* -- sinks ----------------------------------------------------------------------------------- */

static void send_one(void)
{
	struct event e;

	event_begin(&e, buf, "test");
	event_send(&e);
}

static char dir[] = "/tmp/libjail-event.XXXXXX";

static const char *in_dir(const char *name)
{
	static char paths[16][100]; /* event.c keeps what it was given */
	static unsigned next;
	char *path = paths[next++ % ROWS(paths)];

	snprintf(path, sizeof paths[0], "%s/%s", dir, name);
	return path;
}

static void file_test(void **state)
{
	int fd;

	(void)state;
	for (int i = 0; i < 2; i++) { /* appended to */
		assert_int_equal(event_start(in_dir("file"), NULL), 0);
		assert_in_range(event_fd, 40, 200);
		assert_int_equal(fcntl(event_fd, F_GETFD), FD_CLOEXEC);
		send_one();
		close(event_fd);
	}
	fd = open(in_dir("file"), O_RDONLY);
	assert_int_equal(read(fd, got, sizeof got) % 2, 0);
	assert_int_equal(lseek(fd, 0, SEEK_CUR) > 100, 1);
	close(fd);
	event_fd = -1;
}

static const struct bad_row {
	const char *why, *where;
	int want;
} bads[] = {
	{"a directory that is not there", "/nowhere/file", -ENOENT},
	{"a descriptor that is not open", "fd:77", -EBADF},
	{"fd: without a number", "fd:x", -EINVAL},
	{"fd: with more than a number", "fd:1x", -EINVAL},
	{"a socket that is not there", "unix:/nowhere/socket", -ENOENT},
};

static void bad_test(void **state)
{
	const struct bad_row *row = *state;

	assert_int_equal(event_start(row->where, NULL), row->want);
	assert_int_equal(said, 1);
	assert_int_equal(event_fd, -1);
	assert_int_equal(event_start(row->where, "q"), row->want); /* the program before has said so */
	assert_int_equal(said, 1);
}

static void fifo_test(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
	alarm(5);
	assert_int_equal(event_start(in_dir("fifo"), NULL), -ENXIO);
	alarm(0);
}

/* No SIGPIPE, no second complaint. */
static void gone_test(void **state)
{
	to_pipe(state);
	close(sink_end);
	send_one();
	send_one();
	assert_int_equal(said, 1);
	close(event_fd);
	event_fd = -1;
}

static void slow_test(void **state)
{
	struct timespec a, b;

	to_pipe(state);
	assert_true(fcntl(event_fd, F_SETPIPE_SZ, 4096) >= 4096);
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (int i = 0; i < 200; i++)
		send_one();
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert_in_range(b.tv_sec - a.tv_sec, 0, 2);
	assert_int_equal(said, 1);
	assert_true(read(sink_end, got, sizeof got) > 0);
	send_one(); /* goes on when it can */
	sent();
	closed(state);
}

/* No SIGXFSZ. */
static void large_test(void **state)
{
	struct rlimit old, lim = {10, RLIM_INFINITY};

	(void)state;
	getrlimit(RLIMIT_FSIZE, &old);
	lim.rlim_max = old.rlim_max;
	assert_int_equal(event_start(in_dir("large"), NULL), 0);
	setrlimit(RLIMIT_FSIZE, &lim);
	send_one();
	send_one();
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(said, 1);
	close(event_fd);
	event_fd = -1;
}

static void taken_test(void **state)
{
	struct stat st;
	int fd, was;

	(void)state;
	unlink(in_dir("events"));
	assert_int_equal(event_start(in_dir("events"), NULL), 0);
	was = event_fd;
	fd = open(in_dir("other"), O_RDWR | O_CREAT, 0600);
	assert_int_equal(dup2(fd, was), was); /* past us */
	send_one();
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_not_equal(event_fd, was);
	assert_int_equal(stat(in_dir("events"), &st), 0);
	assert_int_not_equal(st.st_size, 0);
	close(fd);
	close(was);
	close(event_fd);
	event_fd = -1;
}

static int listener(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	strcpy(a.sun_path, path);
	unlink(path);
	assert_int_equal(bind(fd, (void *)&a, sizeof a), 0);
	return fd;
}

static void socket_test(void **state)
{
	char where[120];
	int fd = listener(in_dir("sock"));

	(void)state;
	snprintf(where, sizeof where, "unix:%s", in_dir("sock"));
	assert_int_equal(event_start(where, NULL), 0);
	sink_end = fd;
	send_one();
	sent();
	close(fd); /* the collector goes away */
	send_one();
	send_one();
	assert_int_equal(said, 1);
	sink_end = listener(in_dir("sock")); /* and comes back */
	send_one();
	sent();
	closed(state);
}

static void note_test(void **state)
{
	char note[EVENT_NOTE];
	int fd;

	(void)state;
	assert_int_equal(event_start(in_dir("note"), NULL), 0);
	assert_false(event_note(note)); /* by its name */
	assert_string_equal(note, "");
	start_uid++; /* another identity by now */
	assert_true(event_note(note));
	event_keep(true);
	assert_int_equal(fcntl(event_fd, F_GETFD), 0);
	fd = event_fd;
	event_fd = -1;
	assert_int_equal(event_start("/nowhere/x", note), 0);
	assert_int_equal(event_fd, fd);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	event_fd = -1;
	assert_int_equal(event_start("/nowhere/x", note), -ENOENT); /* no longer open */
	assert_int_equal(said, 1);
}

int main(void)
{
	static struct CMUnitTest t[64];
	size_t n = 0;

	if (!mkdtemp(dir))
		return 1;
	for (size_t i = 0; i < ROWS(texts); i++)
		t[n++] = (struct CMUnitTest){texts[i].why, text_test, to_pipe, closed, (void *)&texts[i]};
#define PIPED(name, test) t[n++] = (struct CMUnitTest){name, test, to_pipe, closed, NULL}
#define ALONE(name, test) t[n++] = (struct CMUnitTest){name, test, fresh, NULL, NULL}
	PIPED("what every line has", header_test);
	PIPED("numbers, times, lists", number_test);
	PIPED("anything at random is whole JSON", random_test);
	PIPED("a line at every length up to its end", full_test);
	PIPED("a call stack", stack_test);
	PIPED("a call stack where there is no room", stack_full_test);
	for (size_t i = 0; i < ROWS(sites); i++)
		t[n++] = (struct CMUnitTest){sites[i].why, site_test, NULL, NULL, (void *)&sites[i]};
	ALONE("a file is appended to", file_test);
	for (size_t i = 0; i < ROWS(bads); i++)
		t[n++] = (struct CMUnitTest){bads[i].why, bad_test, fresh, NULL, (void *)&bads[i]};
	ALONE("a FIFO without a reader does not wait", fifo_test);
	ALONE("a pipe without a reader is no SIGPIPE", gone_test);
	ALONE("a slow reader costs events, not time", slow_test);
	ALONE("the limit of a file's size is no SIGXFSZ", large_test);
	ALONE("another file under our number stays clean", taken_test);
	ALONE("a collector on a socket may come and go", socket_test);
	ALONE("a descriptor is handed over", note_test);
	n = (size_t)_cmocka_run_group_tests("event", t, n, NULL, NULL);
	(void)!system((snprintf(got, sizeof got, "rm -rf %s", dir), got));
	return (int)n;
}
