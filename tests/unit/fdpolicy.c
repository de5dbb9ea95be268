/* SPDX-License-Identifier: ISC
 *
 * Rows for the descriptor policy: what is forced, which numbers argv and the environment mention,
 * what an exec gives back and what undo restores.  The config is the test's own: nothing but
 * fdpolicy.c is linked. */
#include "../../preload/fdpolicy.c"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <errno.h>
#include <cmocka.h>

static struct config now;
const struct config *config_ready = &now;

const struct config *config_start(void)
{
	return &now;
}

/* The rules are a test of their own (rules.c). */
static struct rules ruled;
static struct asked {
	enum fd_class class;
	const char *target;
	unsigned times;
} asked;
static enum fd_verdict says = FD_RULES_NONE;
static bool by_module;

enum fd_verdict rules_verdict(const struct rules *rules, enum fd_class class, const char *program,
	const char *file, const char *target)
{
	assert_ptr_equal(rules, &ruled);
	assert_string_equal(program, now.program);
	assert_string_equal(file, "exe");
	asked = (struct asked){class, target, asked.times + 1};
	return says;
}

bool rules_ask_module(const struct rules *rules, enum fd_class class)
{
	assert_ptr_equal(rules, &ruled);
	(void)class;
	return by_module;
}

/* Whose the bitmap is, is told by others. */
bool record_on;
static bool child;

bool record_mine(void)
{
	assert_true(record_on);
	return !child;
}

bool state_in_vfork(void)
{
	assert_false(record_on);
	return child;
}

static void config_is(bool shell, enum config_cloexec cloexec, const char *program, int pid)
{
	now = (struct config){.shell = shell,
		.cloexec = cloexec,
		.program = program,
		.file = "exe",
		.pid = pid,
		.lib = "",
		.audit = ""};
	memset(fdpolicy_known, 0, sizeof fdpolicy_known);
	says = FD_RULES_NONE;
	by_module = false;
}

/* -- which classes ------------------------------------------------------------------------- */

static const struct class_row {
	const char *why;
	enum fd_class class;
	bool shell, off, want;
} classes[] = {
	{"open is forced",                     FD_OPEN,   false, false, true },
	{"a received descriptor is forced",    FD_RECV,   false, false, true },
	{"a shell's open stays",               FD_OPEN,   true,  false, false},
	{"a shell's pipe stays",               FD_PIPE,   true,  false, false},
	{"a shell's dup stays",                FD_DUP,    true,  false, false},
	{"a shell's socket is forced",         FD_SOCKET, true,  false, true },
	{"a shell's temporary file is forced", FD_STREAM, true,  false, true },
	{"off forces nothing",                 FD_OPEN,   false, true,  false},
	{"off forces no socket",               FD_SOCKET, false, true,  false},
};

static const struct verdict_row {
	const char *why;
	enum fd_class class;
	bool shell;
	enum config_cloexec cloexec;
	unsigned skip;
	enum fd_verdict rule; /* FD_RULES_NONE: none */
	enum fd_verdict want;
	bool forced;
} words[] = {
	{"by default all is forced",      FD_EVENT,  false, CONFIG_CLOEXEC_FORCE,  0,                 FD_RULES_NONE, FD_FORCE, true },
	{"report would, but does not",    FD_EVENT,  false, CONFIG_CLOEXEC_REPORT, 0,                 FD_RULES_NONE, FD_FORCE, false},
	{"report knows shells",           FD_OPEN,   true,  CONFIG_CLOEXEC_REPORT, 0,                 FD_RULES_NONE, FD_SHELL, false},
	{"strict forces",                 FD_EVENT,  false, CONFIG_CLOEXEC_STRICT, 0,                 FD_RULES_NONE, FD_FORCE, true },
	{"strict knows shells",           FD_OPEN,   true,  CONFIG_CLOEXEC_STRICT, 0,                 FD_RULES_NONE, FD_SHELL, false},
	{"off is off",                    FD_OPEN,   false, CONFIG_CLOEXEC_OFF,    0,                 FD_RULES_NONE, FD_OFF,   false},
	{"a class that is skipped",       FD_PIPE,   false, CONFIG_CLOEXEC_FORCE,  1u << FD_PIPE,     FD_RULES_NONE, FD_SKIP,  false},
	{"another class is not",          FD_OPEN,   false, CONFIG_CLOEXEC_FORCE,  1u << FD_PIPE,     FD_RULES_NONE, FD_FORCE, true },
	{"a rule leaves it",              FD_OPEN,   false, CONFIG_CLOEXEC_FORCE,  0,                 FD_RULE,       FD_RULE,  false},
	{"a rule forces it in a shell",   FD_OPEN,   true,  CONFIG_CLOEXEC_FORCE,  0,                 FD_FORCE,      FD_FORCE, true },
	{"skip comes before a rule",      FD_PIPE,   false, CONFIG_CLOEXEC_FORCE,  1u << FD_PIPE,     FD_FORCE,      FD_SKIP,  false},
};

static void verdict_test(void **state);

static void class_test(void **state)
{
	const struct class_row *row = *state;

	config_is(row->shell, row->off ? CONFIG_CLOEXEC_OFF : CONFIG_CLOEXEC_FORCE, "x", 1);
	assert_int_equal(fdpolicy_flag(row->class), row->want ? O_CLOEXEC : 0);
}

static void verdict_test(void **state)
{
	const struct verdict_row *row = *state;

	config_is(row->shell, row->cloexec, "x", 1);
	now.skip = row->skip;
	now.rules = row->rule == FD_RULES_NONE ? NULL : &ruled;
	says = row->rule;
	assert_int_equal(fdpolicy_verdict(row->class), row->want);
	assert_int_equal(fdpolicy_flag(row->class), row->forced ? O_CLOEXEC : 0);
	asked.times = 0;
	fdpolicy_verdict(row->class);
	assert_int_equal(asked.times, 0); /* once a class, and that is known now */
}

static void module_test(void **state)
{
	(void)state;
	config_is(false, CONFIG_CLOEXEC_FORCE, "x", 1);
	now.rules = &ruled;
	by_module = true;
	says = FD_RULE;
	assert_int_equal(fdpolicy_verdict(FD_OPEN), FD_RULE);
	says = FD_FORCE; /* the next caller is another */
	assert_int_equal(fdpolicy_verdict(FD_OPEN), FD_FORCE);
	assert_null(asked.target);
}

/* Which reason comes first. */
static const struct why_row {
	const char *why;
	int fd;
	enum fd_verdict rule; /* FD_RULES_NONE: they say nothing */
	enum fd_keep all, mentioned, want;
} whys[] = {
	{"nobody wants it",             7,  FD_RULES_NONE, FD_KEEP_NOT,     FD_KEEP_NOT,  FD_KEEP_NOT    },
	{"--keep",                      12, FD_RULES_NONE, FD_KEEP_NOT,     FD_KEEP_NOT,  FD_KEEP_NUMBER },
	{"--keep, not a part of it",    1,  FD_RULES_NONE, FD_KEEP_NOT,     FD_KEEP_NOT,  FD_KEEP_NOT    },
	{"--keep, the last one",        5,  FD_RULES_NONE, FD_KEEP_NOT,     FD_KEEP_NOT,  FD_KEEP_NUMBER },
	{"--keep before a rule",        12, FD_FORCE,      FD_KEEP_SAMEPID, FD_KEEP_ARGV, FD_KEEP_NUMBER },
	{"a rule leaves it",            7,  FD_RULE,       FD_KEEP_NOT,     FD_KEEP_NOT,  FD_KEEP_RULE   },
	{"a rule before other reasons", 7,  FD_RULE,       FD_KEEP_SAMEPID, FD_KEEP_ARGV, FD_KEEP_RULE   },
	{"a rule against all reasons",  7,  FD_FORCE,      FD_KEEP_SAMEPID, FD_KEEP_ARGV, FD_KEEP_NOT    },
	{"the reason for all",          7,  FD_RULES_NONE, FD_KEEP_SELFEXE, FD_KEEP_ARGV, FD_KEEP_SELFEXE},
	{"it is mentioned",             7,  FD_RULES_NONE, FD_KEEP_NOT,     FD_KEEP_ENV,  FD_KEEP_ENV    },
	{"mentioned, and no fifo",      -1, FD_RULES_NONE, FD_KEEP_NOT,     FD_KEEP_FIFO, FD_KEEP_NOT    },
};

static void why_test(void **state)
{
	const struct why_row *row = *state;

	config_is(false, CONFIG_CLOEXEC_FORCE, "x", 1);
	now.keep_word = "12,10,5";
	if (row->rule != FD_RULES_NONE) {
		now.rules = &ruled;
		says = row->rule;
	}
	assert_int_equal(fdpolicy_keep_why(row->fd, FD_PTY, "/bin/true", row->all, row->mentioned), row->want);
	if (now.rules && row->want != FD_KEEP_NUMBER) {
		assert_string_equal(asked.target, "/bin/true");
		assert_int_equal(asked.class, FD_PTY);
	}
}

/* An exec asks the rules for the class that the descriptor was made as. */
static void class_remembered_test(void **state)
{
	int fd, undo[4];

	(void)state;
	config_is(false, CONFIG_CLOEXEC_FORCE, "x", 1);
	now.rules = &ruled;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	fdpolicy_mark(fd, FD_SOCKET, false, O_CLOEXEC);
	says = FD_RULE;
	assert_int_equal(fdpolicy_exec("/bin/ls", NULL, NULL, undo, 4), 1);
	assert_int_equal(asked.class, FD_SOCKET);
	fdpolicy_undo(undo, 1);
	says = FD_FORCE;
	now.pid = getpid();
	assert_int_equal(fdpolicy_exec("/bin/ls", NULL, NULL, undo, 4), 0);
	now.rules = NULL;
	assert_int_equal(fdpolicy_exec("/bin/ls", NULL, NULL, undo, 4), 1);
	fdpolicy_closed(fd);
	close(fd);
}

/* --cloexec=strict: what is only mentioned or usual stays forced, what the user says counts. */
static void strict_test(void **state)
{
	char arg[32], *argv[] = {"x", arg, NULL};
	int fd, undo[4];

	(void)state;
	config_is(false, CONFIG_CLOEXEC_STRICT, "flock", getpid());
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	fdpolicy_mark(fd, FD_OPEN, false, O_CLOEXEC);
	snprintf(arg, sizeof arg, "/dev/fd/%d", fd);
	assert_int_equal(fdpolicy_exec("/proc/self/exe", argv, NULL, undo, 4), 0);
	snprintf(arg, sizeof arg, "%d", fd);
	now.keep_word = arg;
	assert_int_equal(fdpolicy_exec("/proc/self/exe", argv, NULL, undo, 4), 1);
	fdpolicy_closed(fd);
	close(fd);
}

/* -- who is mentioned ------------------------------------------------------------------------ */

static const struct mention_row {
	const char *why;
	const char *arg[3], *env;
	const char *want; /* the numbers, in order, each with a space behind; f: only as a fifo, e: only as an end */
} mentions[] = {
	{"nobody",                 {"cmd", "-n7x", "a/7"},       "HOME=/7",               ""},
	{"/dev/fd/N",              {"cat", "/dev/fd/63"},        NULL,                    "63 "},
	{"/dev/fd/N inside",       {"-f/dev/fd/5,x"},            NULL,                    "5 "},
	{"/proc/self/fd/N",        {"/proc/self/fd/12"},         NULL,                    "12 "},
	{"a process in /proc",     {"/proc/17/fd/"},             NULL,                    ""},
	{"--*fd N",                {"dpkg", "--x-fd", "11"},     NULL,                    "11e 11 "},
	{"-displayfd N",           {"Xvfb", "-displayfd", "4"},  NULL,                    "4e 4 "},
	{"fd N without a dash",    {"x", "status-fd", "5"},      NULL,                    "5e "},
	{"--fd and no number",     {"x", "--fd", "11x"},         NULL,                    ""},
	{"fd=N",                   {"--sync-fd=9"},              NULL,                    "9 9e "},
	{"fd:N",                   {"openssl", "-pass", "fd:3"}, NULL,                    "3 3e "},
	{"pipe:N",                 {"ffmpeg", "pipe:3"},         NULL,                    "3 3e "},
	{"&N",                     {"gpg", "-&27"},              NULL,                    "27 "},
	{"&N in a shell's text",   {"sh", "-c", "cat <&7 2>&1"}, NULL,                    "7 1 "},
	{"A:B:C",                  {"java", "10:11:12"},         NULL,                    "10e 11e 12e 10 11 12 "},
	{"A:B is a time",          {"at", "10:11"},              NULL,                    "10e 11e "},
	{"A:B:C:D is none",        {"x", "1:2:3:4"},             NULL,                    "1e 2e 3e 4e "},
	{"/proc/thread-self/fd/N", {"/proc/thread-self/fd/7"},   NULL,                    "7 "},
	{"fd://N",                 {"x", "fd://7"},              NULL,                    "7 "},
	{"FD:N",                   {"socat", "FD:7,x"},          NULL,                    "7 7e "},
	{"fd@N",                   {"x", "fd@7"},                NULL,                    "7 7e "},
	{"file-descriptor:N",      {"x", "file-descriptor:7"},   NULL,                    "7 7e "},
	{"--print-address N",      {"--print-address", "7"},     NULL,                    "7e 7 "},
	{"--print-pid=N",          {"--print-pid=7"},            NULL,                    "7 7e "},
	{"an option's value",      {"x", "-w", "7"},             NULL,                    "7e "},
	{"an option's letter",     {"x", "-d7"},                 NULL,                    "7e "},
	{"a letter that is none",  {"x", "-17"},                 NULL,                    ""},
	{"a word's value",         {"--ready=7", "handle=8"},    NULL,                    "7e 8e "},
	{"a part of a word",       {"x7", "7x", "7.5"},          NULL,                    ""},
	{"an option and a letter", {"-O2", "-j4k", "-U3"},       NULL,                    "2e 3e "},
	{"a huge number",          {"/dev/fd/9999999999"},       NULL,                    ""},
	{"name with FD",           {"x"},                        "NOTIFY_FD=8",           "8 "},
	{"name with SOCK",         {"x"},                        "FOO_SOCKETS=3:4",       "3 4 "},
	{"NGINX",                  {"x"},                        "NGINX=4;5;",            "4 5 "},
	{"GIT_TRACE2",             {"x"},                        "GIT_TRACE2=3",          "3 "},
	{"TRACE to a path",        {"x"},                        "GIT_TRACE=/tmp/3",      ""},
	{"an agent's number",      {"x"},                        "SSH_AUTH_SOCK=/a/b.12", ""},
	{"/dev/fd in the value",   {"x"},                        "BASH_PIPE=/dev/fd/6",   "6 "},
	{"LISTEN_FDS is a count",  {"x"},                        "LISTEN_FDS=3",          "5 4 3 "},
	{"LISTEN_PID is none",     {"x"},                        "LISTEN_PID=4",          ""},
	{"MAKEFLAGS needs a fifo", {"x"},                        "MAKEFLAGS=j --a=3,4",   "3f 4f "},
	{"other names",            {"x"},                        "COUNT=5",               ""},
	{"libjail's own",          {"x"},                        "LIBJAIL_0_FD=5",        ""},
	{"no = at all",            {"x"},                        "LISTEN_FDS",            ""},
};

static void mention_note(void *arg, int fd, enum fd_keep why)
{
	char *s = arg;

	sprintf(s + strlen(s), "%d%s ", fd, why == FD_KEEP_FIFO ? "f" : why == FD_KEEP_END ? "e" : "");
}

static void mention_test(void **state)
{
	const struct mention_row *row = *state;
	char *argv[4] = {(char *)row->arg[0], (char *)row->arg[1], (char *)row->arg[2], NULL};
	char *envp[2] = {(char *)row->env, NULL}, got[200] = "";

	config_is(false, CONFIG_CLOEXEC_FORCE, "x", 1);
	fdpolicy_mentions(argv, envp, mention_note, got);
	assert_string_equal(got, row->want);
	got[0] = '\0';
	fdpolicy_mentions(NULL, NULL, mention_note, got);
	assert_string_equal(got, "");
}

/* -- what exec gives back -------------------------------------------------------------------- */

static const struct exec_row {
	const char *why;
	bool forked; /* not the process that was executed */
	const char *caller, *note_exe, *target, *arg, *env; /* %d: the number */
	bool fifo, back;
} execs[] = {
	{"the executed process gives back", .back = true},
	{"a forked child gives nothing back", .forked = true},
	{"the program itself", .forked = true, .target = "/proc/self/exe", .back = true},
	{"a root's program", .forked = true, .note_exe = "/s/ng", .target = "/s/ng", .back = true},
	{"another program in a root", .forked = true, .note_exe = "/s/ng", .target = "/s/sh"},
	{"mentioned in argv", .forked = true, .arg = "--a-fd=%d", .back = true},
	{"mentioned in the environment", .forked = true, .env = "MY_FD=%d", .back = true},
	{"the jobserver", .forked = true, .env = "MAKEFLAGS=a=%d", .fifo = true, .back = true},
	{"no jobserver", .forked = true, .env = "MAKEFLAGS=a=%d"},
	{"flock passes its lock on", .forked = true, .caller = "flock", .back = true},
	{"fghack leaks on purpose", .forked = true, .caller = "fghack", .back = true},
	{"java's helper", .forked = true, .target = "/j/jspawnhelper", .back = true},
};

static bool has_flag(int fd)
{
	return fcntl(fd, F_GETFD) == FD_CLOEXEC;
}

static void exec_test(void **state)
{
	const struct exec_row *row = *state;
	int fds[2], undo[4], other = open("/dev/null", O_RDONLY | O_CLOEXEC), fd;
	char arg[64], env[64], *argv[] = {"x", arg, NULL}, *envp[] = {env, NULL};
	size_t n;

	config_is(false, CONFIG_CLOEXEC_FORCE, row->caller ? row->caller : "x",
		row->forked ? 1 : getpid());
	now.note_exe = row->note_exe;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	if (!row->fifo) {
		close(fds[0]);
		fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
	fd = (int)fdpolicy_mark(fds[0], FD_OPEN, false, O_CLOEXEC);
	fdpolicy_mark(other, FD_OPEN, true, O_CLOEXEC); /* the program's own flag is never given back */
	snprintf(arg, sizeof arg, row->arg ? row->arg : "-l", fd);
	snprintf(env, sizeof env, row->env ? row->env : "A=b", fd);
	n = fdpolicy_exec(row->target ? row->target : "/bin/ls", argv, envp, undo, 4);
	assert_int_equal(n, row->back);
	assert_int_equal(has_flag(fd), !row->back);
	assert_true(has_flag(other));
	fdpolicy_undo(undo, row->back);
	assert_true(has_flag(fd));
	assert_true(fdpolicy_forced(fd)); /* exec reads the records only */
	fdpolicy_closed(fd);
	close(fd);
	close(fds[1]);
	close(other);
}

/* -- records --------------------------------------------------------------------------------- */

static void low_numbers_test(void **state)
{
	int saved = dup(0);

	(void)state;
	config_is(false, CONFIG_CLOEXEC_FORCE, "x", getpid());
	assert_int_equal(dup3(saved, 0, O_CLOEXEC), 0);
	assert_int_equal(fdpolicy_mark(0, FD_OPEN, false, O_CLOEXEC), 0);
	assert_false(has_flag(0));
	assert_int_equal(dup3(saved, 0, O_CLOEXEC), 0);
	fdpolicy_mark(0, FD_OPEN, true, O_CLOEXEC); /* asked for */
	assert_true(has_flag(0));
	dup2(saved, 0);
	close(saved);
	assert_int_equal(fdpolicy_mark(-EMFILE, FD_OPEN, false, O_CLOEXEC), -EMFILE);
}

static void records_test(void **state)
{
	(void)state;
	config_is(false, CONFIG_CLOEXEC_FORCE, "x", getpid());
	fdpolicy_mark(40, FD_OPEN, false, O_CLOEXEC);
	fdpolicy_mark(41, FD_OPEN, false, O_CLOEXEC);
	fdpolicy_mark(63, FD_OPEN, false, O_CLOEXEC);
	fdpolicy_mark(64, FD_OPEN, false, O_CLOEXEC);
	fdpolicy_mark(65535, FD_OPEN, false, O_CLOEXEC);
	fdpolicy_mark(65536, FD_OPEN, false, O_CLOEXEC); /* forced, forgotten */
	assert_true(fdpolicy_forced(40) && fdpolicy_forced(63) && fdpolicy_forced(65535));
	assert_false(fdpolicy_forced(65536) || fdpolicy_forced(42) || fdpolicy_forced(-1));
	fdpolicy_forget(40); /* F_SETFD */
	assert_false(fdpolicy_forced(40));
	fdpolicy_mark(41, FD_OPEN, true, O_CLOEXEC); /* the number came back unseen */
	assert_false(fdpolicy_forced(41));
	fdpolicy_forget_range(64, ~0u);
	assert_true(fdpolicy_forced(63));
	assert_false(fdpolicy_forced(64) || fdpolicy_forced(65535));
	fdpolicy_closed(63);
	assert_false(fdpolicy_forced(63));
	fdpolicy_forget_range(0, ~0u);
}

static void vfork_test(void **state)
{
	(void)state;
	config_is(false, CONFIG_CLOEXEC_FORCE, "x", getpid());
	for (int i = 0; i < 2; i++) {
		record_on = i;
		fdpolicy_mark(50, FD_OPEN, false, O_CLOEXEC);
		fdpolicy_mark(51, FD_OPEN, false, O_CLOEXEC);
		child = true; /* its close_range is not its parent's */
		fdpolicy_forget(50);
		fdpolicy_forget_range(3, ~0u);
		assert_true(fdpolicy_forced(50) && fdpolicy_forced(51));
		fdpolicy_closed(51);
		assert_int_equal(fdpolicy_forced(51), record_on); /* else a close would cost more */
		child = false;
		fdpolicy_forget_range(3, ~0u);
		assert_false(fdpolicy_forced(50) || fdpolicy_forced(51));
	}
	record_on = false;
}

/* Is fd, an end of a pipe, given back because its number stands somewhere in argv? */
static bool end_given(int fd)
{
	return fdpolicy_keep_why(fd, FD_PIPE, "/bin/ls", FD_KEEP_NOT, FD_KEEP_END) == FD_KEEP_ARGV;
}

static void ends_test(void **state)
{
	int p[2], other, copy;

	(void)state;
	config_is(false, CONFIG_CLOEXEC_FORCE, "x", 1); /* a forked child */
	for (int end = 0; end < 2; end++) {
		assert_int_equal(pipe2(p, O_CLOEXEC), 0);
		fdpolicy_mark(p[0], FD_PIPE, false, O_CLOEXEC);
		fdpolicy_mark(p[1], FD_PIPE, false, O_CLOEXEC);
		fdpolicy_pair(p);
		other = p[!end];
		assert_false(end_given(p[end])); /* it has both */
		fdpolicy_closed(other);
		close(other);
		assert_true(end_given(p[end]));
		assert_true(fdpolicy_forced(p[end]));
		assert_false(fdpolicy_forced(other));
		now.pid = getpid(); /* the process that was executed has other reasons */
		assert_false(end_given(p[end]));
		now.pid = 1;
		child = true;
		assert_false(end_given(p[end]));
		child = false;
		copy = dup(p[end]); /* in place of the other end, too */
		assert_false(end_given(p[end]));
		close(copy);
		assert_true(end_given(p[end]));
		fdpolicy_forking(); /* that was the parent */
		assert_false(end_given(p[end]));
		assert_true(fdpolicy_forced(p[end]));
		fdpolicy_closed(p[end]);
		close(p[end]);
	}
	/* The other end is gone already, and its number another pipe's. */
	fdpolicy_mark(40, FD_PIPE, false, O_CLOEXEC);
	fdpolicy_mark(41, FD_PIPE, false, O_CLOEXEC);
	fdpolicy_pair((int[]){40, 41});
	fdpolicy_forget(40);
	fdpolicy_mark(40, FD_PIPE, false, O_CLOEXEC);
	fdpolicy_mark(42, FD_PIPE, false, O_CLOEXEC);
	fdpolicy_pair((int[]){40, 42});
	fdpolicy_closed(41);
	assert_int_equal(fdpolicy_list[40], (FD_PIPE + 1) | 2 << FD_END_SHIFT);
	fdpolicy_closed(40);
	assert_int_equal(fdpolicy_list[42], (FD_PIPE + 1) | FD_END_ALONE);
	fdpolicy_forget_range(3, ~0u);
}

/* What is open at a number that was closed past us is given back only where it could be the same. */
static void another_kind_test(void **state)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), undo[4];

	(void)state;
	config_is(false, CONFIG_CLOEXEC_FORCE, "x", getpid());
	fdpolicy_mark(fd, FD_OPEN, false, O_CLOEXEC);
	assert_int_equal(fdpolicy_exec("/bin/ls", NULL, NULL, undo, 4), 0);
	assert_false(fdpolicy_take_back(fd));
	assert_true(has_flag(fd));
	fdpolicy_mark(fd, FD_ACCEPT, false, O_CLOEXEC);
	assert_int_equal(fdpolicy_exec("/bin/ls", NULL, NULL, undo, 4), 1);
	assert_false(fdpolicy_take_back(fd)); /* it has no flag now */
	fdpolicy_undo(undo, 1);
	assert_true(fdpolicy_take_back(fd));
	assert_false(has_flag(fd) || fdpolicy_forced(fd));
	close(fd);
}

int main(void)
{
	struct CMUnitTest t[ROWS(classes) + ROWS(mentions) + ROWS(execs) + ROWS(words) + ROWS(whys) + 8];
	size_t n = 0;

	for (size_t i = 0; i < ROWS(classes); i++)
		t[n++] = (struct CMUnitTest){
			classes[i].why, class_test, NULL, NULL, (void *)&classes[i]};
	for (size_t i = 0; i < ROWS(words); i++)
		t[n++] = (struct CMUnitTest){
			words[i].why, verdict_test, NULL, NULL, (void *)&words[i]};
	for (size_t i = 0; i < ROWS(whys); i++)
		t[n++] = (struct CMUnitTest){whys[i].why, why_test, NULL, NULL, (void *)&whys[i]};
	t[n++] = (struct CMUnitTest){"rules by module ask each time", module_test, NULL, NULL, NULL};
	t[n++] = (struct CMUnitTest){
		"an exec's rules know the class", class_remembered_test, NULL, NULL, NULL};
	t[n++] = (struct CMUnitTest){"strict", strict_test, NULL, NULL, NULL};
	for (size_t i = 0; i < ROWS(mentions); i++)
		t[n++] = (struct CMUnitTest){
			mentions[i].why, mention_test, NULL, NULL, (void *)&mentions[i]};
	for (size_t i = 0; i < ROWS(execs); i++)
		t[n++] =
			(struct CMUnitTest){execs[i].why, exec_test, NULL, NULL, (void *)&execs[i]};
	t[n++] = (struct CMUnitTest){
		"0, 1 and 2 are never forced", low_numbers_test, NULL, NULL, NULL};
	t[n++] = (struct CMUnitTest){"the records", records_test, NULL, NULL, NULL};
	t[n++] = (struct CMUnitTest){"a vfork child's records", vfork_test, NULL, NULL, NULL};
	t[n++] = (struct CMUnitTest){"ends that a child keeps", ends_test, NULL, NULL, NULL};
	t[n++] = (struct CMUnitTest){"another kind of file", another_kind_test, NULL, NULL, NULL};
	return _cmocka_run_group_tests("fdpolicy", t, n, NULL, NULL);
}
