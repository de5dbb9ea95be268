/* SPDX-License-Identifier: ISC
 *
 * Rows for the descriptor policy: what is forced, which numbers argv and the environment mention,
 * what an exec gives back and what undo restores.  The config is the test's own: nothing but
 * fdpolicy.c is linked. */
#include "../../preload/fdpolicy.c"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
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
	const char *program, *target;
} asked_rules;
static enum fd_verdict says = FD_RULES_NONE;

enum fd_verdict rules_verdict(
	const struct rules *rules, enum fd_class class, const char *program, const char *target)
{
	assert_ptr_equal(rules, &ruled);
	asked_rules = (struct asked){class, program, target};
	return says;
}

static void config_is(bool shell, enum config_cloexec cloexec, const char *program, int pid)
{
	now = (struct config){.shell = shell,
		.cloexec = cloexec,
		.program = program,
		.pid = pid,
		.lib = "",
		.audit = ""};
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
} verdicts[] = {
	{"by default all is forced",      FD_EVENT,  false, CONFIG_CLOEXEC_FORCE,  0,                 FD_RULES_NONE, FD_FORCE, true },
	{"report would, but does not",    FD_EVENT,  false, CONFIG_CLOEXEC_REPORT, 0,                 FD_RULES_NONE, FD_FORCE, false},
	{"report knows shells",           FD_OPEN,   true,  CONFIG_CLOEXEC_REPORT, 0,                 FD_RULES_NONE, FD_SHELL, false},
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
	says = FD_RULES_NONE;
}

/* --keep and the rules for a target, as exec asks. */
static void configured_test(void **state)
{
	(void)state;
	config_is(false, CONFIG_CLOEXEC_FORCE, "x", 1);
	assert_false(fdpolicy_keep_number(7));
	now.keep_word = "7,12";
	assert_true(fdpolicy_keep_number(7) && fdpolicy_keep_number(12));
	assert_false(fdpolicy_keep_number(1) || fdpolicy_keep_number(2) || fdpolicy_keep_number(71));
	assert_int_equal(fdpolicy_keep_rule(FD_OPEN, "/bin/true"), FD_KEEP_NOT);
	now.rules = &ruled;
	says = FD_RULE;
	assert_int_equal(fdpolicy_keep_rule(FD_OPEN, "/bin/true"), FD_KEEP_RULE);
	assert_string_equal(asked_rules.target, "/bin/true");
	says = FD_FORCE;
	assert_int_equal(fdpolicy_keep_rule(FD_OPEN, "/bin/true"), FD_KEEP_NOT);
	says = FD_RULES_NONE;
}

/* -- who is mentioned ------------------------------------------------------------------------ */

static const struct mention_row {
	const char *why;
	const char *arg[3], *env;
	const char *want; /* the numbers, in order, each with a space behind; f: only as a fifo */
} mentions[] = {
	{"nobody",                 {"cmd", "-n", "7"},           "HOME=/7",               ""},
	{"/dev/fd/N",              {"cat", "/dev/fd/63"},        NULL,                    "63 "},
	{"/dev/fd/N inside",       {"-f/dev/fd/5,x"},            NULL,                    "5 "},
	{"/proc/self/fd/N",        {"/proc/self/fd/12"},         NULL,                    "12 "},
	{"a process in /proc",     {"/proc/17/fd/"},             NULL,                    ""},
	{"--*fd N",                {"dpkg", "--x-fd", "11"},     NULL,                    "11 "},
	{"-displayfd N",           {"Xvfb", "-displayfd", "4"},  NULL,                    "4 "},
	{"fd N without a dash",    {"x", "status-fd", "5"},      NULL,                    ""},
	{"--fd and no number",     {"x", "--fd", "11x"},         NULL,                    ""},
	{"fd=N",                   {"--sync-fd=9"},              NULL,                    "9 "},
	{"fd:N",                   {"openssl", "-pass", "fd:3"}, NULL,                    "3 "},
	{"pipe:N",                 {"ffmpeg", "pipe:3"},         NULL,                    "3 "},
	{"&N",                     {"gpg", "-&27"},              NULL,                    "27 "},
	{"&N in a shell's text",   {"sh", "-c", "cat <&7 2>&1"}, NULL,                    "7 1 "},
	{"A:B:C",                  {"java", "10:11:12"},         NULL,                    "10 11 12 "},
	{"A:B is a time",          {"at", "10:11"},              NULL,                    ""},
	{"A:B:C:D is none",        {"x", "1:2:3:4"},             NULL,                    ""},
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

	sprintf(s + strlen(s), "%d%s ", fd, why == FD_KEEP_FIFO ? "f" : "");
}

static void mention_test(void **state)
{
	const struct mention_row *row = *state;
	char *argv[4] = {(char *)row->arg[0], (char *)row->arg[1], (char *)row->arg[2], NULL};
	char *envp[2] = {(char *)row->env, NULL}, got[200] = "";

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
	fd = (int)fdpolicy_mark(fds[0], false, O_CLOEXEC);
	fdpolicy_mark(other, true, O_CLOEXEC); /* the program's own flag is never given back */
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
	assert_int_equal(fdpolicy_mark(0, false, O_CLOEXEC), 0);
	assert_false(has_flag(0));
	assert_int_equal(dup3(saved, 0, O_CLOEXEC), 0);
	fdpolicy_mark(0, true, O_CLOEXEC); /* asked for */
	assert_true(has_flag(0));
	dup2(saved, 0);
	close(saved);
	assert_int_equal(fdpolicy_mark(-EMFILE, false, O_CLOEXEC), -EMFILE);
}

static void records_test(void **state)
{
	(void)state;
	config_is(false, CONFIG_CLOEXEC_FORCE, "x", getpid());
	fdpolicy_mark(40, false, O_CLOEXEC);
	fdpolicy_mark(41, false, O_CLOEXEC);
	fdpolicy_mark(63, false, O_CLOEXEC);
	fdpolicy_mark(64, false, O_CLOEXEC);
	fdpolicy_mark(65535, false, O_CLOEXEC);
	fdpolicy_mark(65536, false, O_CLOEXEC); /* forced, forgotten */
	assert_true(fdpolicy_forced(40) && fdpolicy_forced(63) && fdpolicy_forced(65535));
	assert_false(fdpolicy_forced(65536) || fdpolicy_forced(42) || fdpolicy_forced(-1));
	fdpolicy_forget(40); /* F_SETFD */
	assert_false(fdpolicy_forced(40));
	fdpolicy_mark(41, true, O_CLOEXEC); /* the number came back unseen */
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
	int status;

	(void)state;
	config_is(false, CONFIG_CLOEXEC_FORCE, "x", getpid());
	fdpolicy_mark(50, false, O_CLOEXEC);
	if (vfork() == 0) { /* its close_range is not its parent's */
		fdpolicy_forget(50);
		fdpolicy_forget_range(3, ~0u);
		_exit(0);
	}
	assert_true(fdpolicy_forced(50));
	if (fork() == 0) {
		fdpolicy_forget_range(3, ~0u);
		_exit(fdpolicy_forced(50));
	}
	while (wait(&status) > 0)
		assert_int_equal(status, 0);
	assert_true(fdpolicy_forced(50));
	fdpolicy_forget(50);
}

int main(void)
{
	struct CMUnitTest t[ROWS(classes) + ROWS(mentions) + ROWS(execs) + ROWS(verdicts) + 4];
	size_t n = 0;

	for (size_t i = 0; i < ROWS(classes); i++)
		t[n++] = (struct CMUnitTest){
			classes[i].why, class_test, NULL, NULL, (void *)&classes[i]};
	for (size_t i = 0; i < ROWS(verdicts); i++)
		t[n++] = (struct CMUnitTest){
			verdicts[i].why, verdict_test, NULL, NULL, (void *)&verdicts[i]};
	t[n++] = (struct CMUnitTest){"--keep and rules for a target", configured_test, NULL, NULL, NULL};
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
	return _cmocka_run_group_tests("fdpolicy", t, n, NULL, NULL);
}
