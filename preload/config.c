/* SPDX-License-Identifier: ISC
 *
 * How the environment becomes the configuration: read once, copied (programs overwrite argv and
 * environ to set their title), published whole. */
#include "config.h"
#include "env.h"
#include "rules.h"
#include "state.h"
#include "sys.h"
#include <sys/auxv.h>

extern char **environ;
extern const char *gnu_get_libc_version(void) __attribute__((weak));
extern void *__libc_stack_end __attribute__((weak));

BESIDE const struct config *config_ready;
unsigned config_lines;

BESIDE static char **initial;

/* A library of the program that is linked with -z initfirst runs before us and before glibc has set
 * environ.  But its loader says where the kernel put argc, argv and the environment (elf(5)). */
static char **stack_envp(void)
{
	long *argc = &__libc_stack_end ? __libc_stack_end : NULL;

	return argc ? (char **)(argc + 1 + *argc + 1) : NULL;
}

char **config_environ(void)
{
	char **envp = environ ? environ : __atomic_load_n(&initial, __ATOMIC_RELAXED);

	return envp || __atomic_load_n(&config_ready, __ATOMIC_RELAXED) ? envp : stack_envp();
}

/* A library that is initialised first (ld -z initfirst) runs before glibc has set environ. */
void config_envp(char **envp)
{
	__atomic_store_n(&initial, envp, __ATOMIC_RELAXED);
}

static void say(const struct config *c, const char *const *parts)
{
	char line[PIPE_BUF];
	struct str s = {line, line + sizeof line - 1};

	str_puts(&s, c && c->note_launch ? "jailrun: " : "libjail: ");
	for (; *parts && s.at; parts++)
		str_put(&s, *parts, strlen(*parts) < 1500 ? strlen(*parts) : 1500);
	if (!s.at)
		s.at = s.end;
	*s.at++ = '\n';
	config_lines++;
	sys_write(2, line, (size_t)(s.at - line));
}

void config_say(const char *const *parts)
{
	say(__atomic_load_n(&config_ready, __ATOMIC_ACQUIRE), parts);
}

static const char *keep(const char *s)
{
	return s ? mem_keep(s, strlen(s)) : NULL;
}

/* Our own file, by the mapping that holds this very function: for a library that came by
 * /etc/ld.so.preload, or under a name that LD_PRELOAD does not show. */
static const char *lib_mapped(void)
{
	char buf[PATH_MAX + 128], *line, *p;
	size_t have = 0;
	long n;
	int fd = sys_openat(AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
	const char *found = NULL;

	while (fd >= 0 && !found && (n = sys_read(fd, buf + have, sizeof buf - 1 - have)) > 0) {
		have += (size_t)n;
		buf[have] = '\0';
		for (line = buf; (p = (char *)mem_find(line, '\n')); line = p + 1) {
			unsigned long range[2] = {0, 0};
			const char *c = line;

			*p = '\0';
			for (int i = 0; i < 2; i++, c++)
				for (; *c && *c != '-' && *c != ' '; c++)
					range[i] = range[i] * 16 +
						   (unsigned long)(*c <= '9' ? *c - '0' : *c - 'a' + 10);
			if ((unsigned long)&lib_mapped >= range[0] &&
				(unsigned long)&lib_mapped < range[1] && mem_find(c, '/')) {
				found = keep(mem_find(c, '/'));
				break;
			}
		}
		if (found)
			break;
		have -= (size_t)(line - buf);
		memmove(buf, line, have);
		if (have >= sizeof buf - 1)
			have = 0;
	}
	if (fd >= 0)
		sys_close(fd);
	return found ? found : "";
}

/* The entry of LD_PRELOAD that is this library: the last one that ends in its name. */
static const char *lib_entry(const char *list)
{
	const char *found = NULL, *e, *after;
	size_t n = 0;

	for (; list && *list; list = *e ? e + 1 : e) {
		for (e = list; *e && *e != ':' && *e != ' '; e++)
			;
		for (after = e; after > list && after[-1] != '/'; after--)
			;
		if (mem_after(after, "libjail.so") && (size_t)(e - after) == 10) {
			found = list;
			n = (size_t)(e - list);
		}
	}
	return found ? mem_keep(found, n) : NULL;
}

static const char *absolute(const char *path)
{
	char text[PATH_MAX];
	struct str s = {text, text + sizeof text};
	long n;

	if (!path || !*path || *path == '/')
		return path;
	n = sys_getcwd(text, sizeof text);
	if (n <= 1 || text[0] != '/')
		return path;
	s.at = text + n - 1;
	if (n > 2)
		str_puts(&s, "/");
	str_puts(&s, path);
	return s.at ? keep(text) : path;
}

/* FDPOLICY section 2, rule 4. */
static bool is_shell(const char *name)
{
	static const char shells[][8] = {"bash", "dash", "sh", "ash", "hush", "rbash", "mksh", "lksh",
		"zsh", "yash", "posh"};

	for (size_t i = 0; i < ROWS(shells); i++)
		if (mem_equal(name, shells[i]))
			return true;
	return mem_after(name, "ksh") || mem_after(name, "zsh-");
}

/* The base name of what is executed, which is not what it was called by: AT_EXECFN of a script is the
 * script's name.  text: PATH_MAX bytes. */
static const char *executed(const struct config *c, char *text)
{
	ssize_t n;

	if (c->note_exe)
		return mem_base(c->note_exe);
	n = sys_readlinkat(AT_FDCWD, "/proc/self/exe", text, PATH_MAX - 1);
	text[n > 0 ? n : 0] = '\0';
	return mem_base(text);
}

/* A shell by its own name, or as one of the programs that busybox is, whichever its arguments say. */
static bool runs_shell(const struct config *c)
{
	static const char *const many[] = {"busybox", "toybox"};
	char text[PATH_MAX], args[512];
	const char *exe, *applet = args, *end;
	ssize_t n;
	int fd;

	if (is_shell(c->program))
		return true;
	exe = executed(c, text);
	if (!mem_equal(exe, many[0]) && !mem_equal(exe, many[1]))
		return is_shell(exe);
	fd = sys_openat(AT_FDCWD, "/proc/self/cmdline", O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return false;
	n = sys_read(fd, args, sizeof args - 2);
	sys_close(fd);
	if (n <= 0)
		return false;
	args[n] = args[n + 1] = '\0';
	end = args + n;
	for (size_t i = 0; i < ROWS(many); i++)
		if (mem_equal(mem_base(applet), many[i])) {
			applet += strlen(applet) + 1; /* busybox sh; without an argument: no applet */
			break;
		}
	if (applet > end)
		return false;
	applet = mem_base(applet);
	return is_shell(*applet == '-' ? applet + 1 : applet);
}

/* A variable has a value that is none of those known.  jailrun does not start its command then, and the line
 * names its option; other programs start without it. */
static void word_bad(struct config *c, const char *name, const char *option, const char *value, const char *known)
{
	if (c->note_launch)
		say(c, (const char *const[]){option, "=", value, ": it is ", known, NULL});
	else
		say(c, (const char *const[]){name, "=", value, ": not known, ignored; use ", known, NULL});
	c->word_error = true;
}

/* jailrun begins anew: of the notes in the environment its own count, and not what an earlier libjail left. */
static void notes_forget(struct config *c)
{
	const char *const launch = c->note_launch, *const fd = c->note_fd, *const names = c->note_names;

#define X(name, field, what) c->field = NULL;
	CONFIG_NOTES(X)
#undef X
	c->note_launch = launch;
	c->note_fd = fd;
	c->note_names = names;
}

/* One pass: most of an environment is none of ours. */
static void config_read(struct config *c, char *const envp[])
{
	const char *rest;

	for (; envp && *envp; envp++) {
		if (!(rest = mem_after(*envp, "LIBJAIL_"))) {
#define X(name, field, what)                                           \
	if ((rest = mem_after(*envp, name "=")) && !c->field)          \
		c->field = keep(rest);
			CONFIG_FOREIGN(X)
#undef X
			continue;
		}
#define X(name, field, what)                                                      \
	{                                                                         \
		const char *value = mem_after(rest, (name) + sizeof "LIBJAIL_" - 1); \
		if (value && *value == '=' && !c->field)                          \
			c->field = keep(value + 1);                               \
	}
		CONFIG_VARS(X)
		CONFIG_NOTES(X)
#undef X
	}
	if (c->note_launch)
		notes_forget(c);
}

static NOINLINE void rules_start(struct config *c)
{
	char text[PATH_MAX];

	c->rules_path = absolute(c->rules_path); /* programs to come may start elsewhere */
	c->rules_error = rules_load(c->rules_path, &c->rules);
	if (c->rules)
		c->file = keep(executed(c, text));
	if (!c->file)
		c->file = c->program;
}

/* -- names ------------------------------------------------------------------------------------ */

static bool names_has(const struct config *c, enum config_names which)
{
	for (size_t i = 0; i < c->nnames; i++)
		if (c->names[i] == which)
			return true;
	return false;
}

/* One more source, or one in front of the others; each is asked once. */
static void names_add(struct config *c, enum config_names which, bool in_front)
{
	if (names_has(c, which))
		return;
	memmove(&c->names[in_front], &c->names[0], in_front ? c->nnames : 0);
	c->names[in_front ? 0 : c->nnames] = (uint8_t)which;
	c->nnames++;
}

/* A name that would not make one field of a passwd(5) line is none; nor is that of the superuser for
 * somebody else: sudo(8), su(1) and setpriv(1) leave USER behind. */
static const char *own_name(const char *name, uid_t uid)
{
	return name && *name && !mem_find(name, ':') && !mem_find(name, '\n') &&
			       !(uid && mem_equal(name, "root"))
		       ? name
		       : NULL;
}

static const char *own_path(const char *path)
{
	return path && *path == '/' && !mem_find(path, ':') && !mem_find(path, '\n') ? path : NULL;
}

/* NAME:HOME:SHELL, whole: what the user did not give is in the environment now, and may not be in that
 * of the next program. */
static NOINLINE void self_start(struct config *c)
{
	char *const *envp = config_environ();
	const uid_t uid = (uid_t)sys_call(SYS_geteuid);
	const char *word = c->user_word ? c->user_word : "", *part[3] = {word, NULL, NULL}, *name, *path;
	char text[PATH_MAX + 512];
	struct str s = {text, text + sizeof text};
	size_t len[3] = {0, 0, 0}, i = 0;

	for (const char *p = word; *p; p++)
		if (*p == ':' && i < 2)
			part[++i] = p + 1;
		else
			len[i]++;
	name = own_name(env_get(envp, "USER"), uid);
	if (!name)
		name = own_name(env_get(envp, "LOGNAME"), uid);
	if (len[0]) {
		str_put(&s, part[0], len[0]);
	} else if (name) {
		str_puts(&s, name);
	} else if (!uid) {
		str_puts(&s, "root");
	} else {
		str_puts(&s, "u");
		str_num(&s, uid);
	}
	str_puts(&s, ":");
	path = own_path(env_get(envp, "HOME"));
	if (len[1])
		str_put(&s, part[1], len[1]);
	else
		str_puts(&s, path ? path : "/");
	str_puts(&s, ":");
	path = own_path(env_get(envp, "SHELL"));
	if (len[2])
		str_put(&s, part[2], len[2]);
	else
		str_puts(&s, path ? path : "/bin/sh");
	c->user_word = s.at ? keep(text) : "u:/:/bin/sh";
}

static const char *file_given(const char *own, const char *wrapper)
{
	if (own && *own)
		return absolute(own);
	return wrapper && *wrapper ? absolute(wrapper) : NULL; /* nss_wrapper(1) */
}

static void names_start(struct config *c)
{
	static const char words[][8] = {CONFIG_NAMES_WORDS};

	c->passwd = file_given(c->passwd_word, c->wrapper_passwd);
	c->group = file_given(c->group_word, c->wrapper_group);
	if (c->passwd_word) /* programs to come may start elsewhere */
		c->passwd_word = c->passwd;
	if (c->group_word)
		c->group_word = c->group;
	for (const char *s = c->names_word, *e; s && *s; s = *e ? e + 1 : e) {
		size_t i = 0;

		for (e = s; *e && *e != ','; e++)
			;
		while (i < ROWS(words) && (strlen(words[i]) != (size_t)(e - s) || memcmp(s, words[i], (size_t)(e - s))))
			i++;
		if (i == ROWS(words))
			word_bad(c, "LIBJAIL_NAMES", "--names", c->names_word,
				"guest, file, host, self, pattern, numeric or nss, with commas between");
		else
			names_add(c, (enum config_names)i, false);
	}
	if (!c->nnames)
		names_add(c, CONFIG_NAMES_GUEST, false);
	if (c->passwd || c->group)
		names_add(c, CONFIG_NAMES_FILE, true);
	if (c->user_word)
		names_add(c, CONFIG_NAMES_SELF, true);
	if (names_has(c, CONFIG_NAMES_SELF))
		self_start(c);
}

const struct config *config_start(void)
{
	BESIDE static struct config first;
	static struct config bare;
	BESIDE static int claimed;
	struct config *c = __atomic_exchange_n(&claimed, 1, __ATOMIC_ACQ_REL) ? sys_pages(sizeof *c) : &first;
	const struct config *none = NULL;
	const char *entry, *slash;
	size_t fn;

	if (!c) {
		bare.lib = bare.audit = "";
		bare.program = bare.file = "?";
		return &bare;
	}
	if (UNLIKELY(state_apart())) {
		__atomic_store_n(&config_ready, state->config(), __ATOMIC_RELEASE);
		return config_ready;
	}
	config_read(c, config_environ());
	if (c->root && !*c->root)
		c->root = NULL;
	c->musl = !gnu_get_libc_version;
	c->pid = sys_getpid();
	c->hide = c->root != NULL;
	fn = c->note_fn ? strlen(c->note_fn) : 0;
	if (fn > 1 && c->note_fn[fn - 1] == '/') {
		c->by_fd = true;
		c->note_fn = mem_keep(c->note_fn, fn - 1);
	}
	c->program = c->note_fn ? c->note_fn : keep((const char *)getauxval(AT_EXECFN));
	c->program = c->program ? mem_base(c->program) : "?";
	c->file = c->program;
	c->shell = runs_shell(c);

	c->lib = c->lib_word;
	entry = c->note_lib ? c->note_lib : lib_entry(env_get(config_environ(), "LD_PRELOAD"));
	if (!c->note_lib)
		c->note_lib = entry;
	if (!c->lib)
		c->lib = entry && mem_find(entry, '/') ? absolute(entry) : lib_mapped();
	slash = mem_base(c->lib);
	if (slash != c->lib) {
		char text[PATH_MAX];
		struct str s = {text, text + sizeof text};

		str_put(&s, c->lib, (size_t)(slash - c->lib));
		str_puts(&s, "libjail-audit.so");
		c->audit = s.at ? keep(text) : "";
	} else {
		c->audit = "";
	}

	if (c->cloexec_word && mem_equal(c->cloexec_word, "off"))
		c->cloexec = CONFIG_CLOEXEC_OFF;
	else if (c->cloexec_word && mem_equal(c->cloexec_word, "report"))
		c->cloexec = CONFIG_CLOEXEC_REPORT;
	else if (c->cloexec_word && mem_equal(c->cloexec_word, "report-strict"))
		c->cloexec = CONFIG_CLOEXEC_REPORT_STRICT;
	else if (c->cloexec_word && mem_equal(c->cloexec_word, "strict"))
		c->cloexec = CONFIG_CLOEXEC_STRICT;
	else if (c->cloexec_word && !mem_equal(c->cloexec_word, "force"))
		word_bad(c, "LIBJAIL_CLOEXEC", "--cloexec", c->cloexec_word, "force, strict, report, report-strict or off");
	if (c->skip_word && !rules_classes(c->skip_word, strlen(c->skip_word), &c->skip))
		word_bad(c, "LIBJAIL_CLOEXEC_SKIP", "--cloexec-skip", c->skip_word,
			RULES_CLASSES ", or several with commas between");
	if (c->rules_path && *c->rules_path)
		rules_start(c);
	if (c->static_word && mem_equal(c->static_word, "run"))
		c->statics = CONFIG_STATIC_RUN;
	else if (c->static_word && mem_equal(c->static_word, "userns"))
		c->statics = CONFIG_STATIC_USERNS;
	else if (c->static_word && !mem_equal(c->static_word, "refuse"))
		word_bad(c, "LIBJAIL_STATIC", "--static", c->static_word, "refuse, run or userns");
	if (c->resolver_word && mem_equal(c->resolver_word, "walk"))
		c->walk = true;
	else if (c->resolver_word && !mem_equal(c->resolver_word, "auto"))
		word_bad(c, "LIBJAIL_RESOLVER", "LIBJAIL_RESOLVER", c->resolver_word, "auto or walk");
	c->clean = VIEW_CLEAN_ON;
	if (c->clean_word && mem_equal(c->clean_word, "off"))
		c->clean = VIEW_CLEAN_OFF;
	else if (c->clean_word && mem_equal(c->clean_word, "always"))
		c->clean = VIEW_CLEAN_ALWAYS;
	else if (c->clean_word && !mem_equal(c->clean_word, "on"))
		word_bad(c, "LIBJAIL_CLEAN", "LIBJAIL_CLEAN", c->clean_word, "on, off or always");

	names_start(c);

	/* a racing first caller has read the same environment: either's copy will do */
	__atomic_compare_exchange_n(&config_ready, &none, c, false,
		__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
	return __atomic_load_n(&config_ready, __ATOMIC_ACQUIRE);
}
