/* SPDX-License-Identifier: ISC
 *
 * The loader's functions.  What they are given is a guest path, which on glibc the audit module
 * translates inside the loader and elsewhere this file does; what they tell is a host path, whose
 * front is cut off: the guest's name is a part of the same string and lives as long as it. */
#include "dl.h"
#include "../module.h"
#include "../wrap.h"
#include "glibc.h"
#include <sys/uio.h>

/* A loaded object's host path as the guest names it. */
static const char *dl_cut(const struct view *v, const char *name)
{
	const char *rest;

	if (!v || !name)
		return name;
	rest = mem_after(name, v->host);
	return rest && *rest == '/' ? rest : name;
}

/* The view whose root the loader's names have in front of the guest's, or NULL.  Where there is an
 * audit module they are the guest's already. */
static const struct view *dl_view(void)
{
	return libjail_audit_told.host_name ? NULL : state_view();
}

/* Under a root glibc's loader was executed by us, with a note of the program, and carries
 * libjail-audit.so, which follows chroot(2) as well.  A host program that called chroot(2), or
 * was started with a root in its environment, has no such module. */
static bool dl_audited(void)
{
	const struct config *c = config();

	return !c->musl && c->note_exe && c->audit[0];
}

/* Is file for us to translate, unless the audit module does?  Only what has a slash is a path
 * (dlopen(3)); what has a $ is for glibc's loader to expand. */
static bool dl_is_path(const char *file)
{
	return state_view() && file && place_strlen(file, PATH_MAX) >= 0 && mem_find(file, '/') &&
	       (config()->musl || !mem_find(file, '$'));
}

/* The host's name of a guest path: the root in front of it, or of a relative one itself, where that is
 * the same file, so that the program's own words come back from dladdr(3) and $ORIGIN is what it would be; else the
 * canonical name.  A file that is not there gets a name that fails in the same way, and
 * tells it (dlerror(3)): the guest's own, unless the host happens to have such a file, or that with the
 * root in front, or one that leads nowhere. */
static const char *dl_host(const char *file, char *buf, size_t size)
{
	const struct view *v = state_view();
	struct str s = {buf, buf + size}, l;
	long fd = guest_open_own(AT_FDCWD, file, O_PATH | O_CLOEXEC, 0), n;
	struct stat want, got;
	char link[PLACE_PATH];

	if (fd < 0) {
		if (sys_faccessat2(AT_FDCWD, file, 0 /* F_OK */, 0) == fd)
			return file;
		if (v && file[0] == '/')
			str_puts(&s, v->host);
		str_puts(&s, file);
		if (s.at && sys_faccessat2(AT_FDCWD, buf, 0 /* F_OK */, 0) == fd)
			return buf;
		s = (struct str){buf, buf + size};
		str_puts(&s, DL_NOWHERE);
		str_puts(&s, file);
		return s.at ? buf : DL_NOWHERE;
	}
	if (v) {
		if (file[0] == '/')
			str_puts(&s, v->host);
		str_puts(&s, file);
		if (s.at && sys_fstat((int)fd, &want) == 0 &&
			sys_fstatat(AT_FDCWD, buf, &got, 0) == 0 && got.st_dev == want.st_dev &&
			got.st_ino == want.st_ino) {
			sys_close((int)fd);
			return buf;
		}
	}
	l = (struct str){link, link + sizeof link};
	str_puts(&l, "/proc/self/fd/");
	str_num(&l, (unsigned long)fd);
	n = sys_readlinkat(AT_FDCWD, link, buf, size - 1);
	sys_close((int)fd);
	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

/* Does musl have to know by the program's name what $ORIGIN is (ldso/dynlink.c, fixup_rpath())? */
static bool dl_has_origin(const struct link_map *m)
{
	unsigned long strings = 0, rpath = 0;

	for (const ElfW(Dyn) *d = m->l_ld; d && d->d_tag != DT_NULL; d++)
		if (d->d_tag == DT_STRTAB)
			strings = m->l_addr + d->d_un.d_ptr;
		else if (d->d_tag == DT_RPATH || d->d_tag == DT_RUNPATH)
			rpath = d->d_un.d_val;
	return rpath && mem_find((const char *)(strings + rpath), '$');
}

/* musl has no audit modules, and keeps the names that its loader has found objects by: they become the
 * guest's when all is loaded.  The program's is what was executed (__dls3()). */
static void dl_rename(const struct view *v)
{
	const struct config *c = config();
	struct link_map *m = (struct link_map *)(uintptr_t)real_objects();

	for (; m; m = m->l_next) {
		const char *name = dl_cut(v, m->l_name);

		if (name == m->l_name || (!m->l_prev && dl_has_origin(m)))
			continue;
		if (!m->l_prev && c->note_fn)
			name = mem_after(c->note_fn, "/proc/") && c->note_argv0 ? c->note_argv0 : c->note_fn;
		__atomic_store_n(&m->l_name, (char *)(uintptr_t)name, __ATOMIC_RELEASE);
	}
}

void dl_start(void)
{
	const struct view *v = config()->musl ? state_view() : NULL;

	if (UNLIKELY(v != NULL))
		dl_rename(v);
}

static void *dl_open_ours(const char *file, int mode)
{
	const struct view *v = state_view();
	char buf[PATH_MAX];
	const char *host = dl_is_path(file) ? dl_host(file, buf, sizeof buf) : file;
	struct link_map *m = REAL(dlopen)(host, mode); /* with musl */
	char *name;

	if (m && v && config()->musl) {
		/* by the name that led here, where that is not the end of the host's */
		if (host == buf && mem_equal(m->l_name, host) && !mem_equal(dl_cut(v, host), file) &&
			(name = mem_keep(file, strlen(file))))
			__atomic_store_n(&m->l_name, name, __ATOMIC_RELEASE);
		dl_rename(v);
	}
	return m;
}

static void *dl_mopen_ours(long space, const char *file, int mode)
{
	char host[PATH_MAX];

	return REAL(dlmopen)(space, dl_host(file, host, sizeof host), mode);
}

/* _dl_map_object_from_fd() before 2.35 (seen in 2.31) asks the first object of a name space whether
 * it is an audit module, and a new one has none yet.  An error is better than that crash. */
static void *dl_mopen_refused(long space, const char *file, int mode)
{
	enum { NO_SUCH_SPACE = 15 }; /* the last of DL_NNS */

	(void)space;
	return REAL(dlmopen)(NO_SUCH_SPACE, file, mode);
}

static void *dl_missing(void)
{
	errno_set(ENOSYS);
	return NULL;
}

/* An object that is opened with RTLD_DEEPBIND gets libc's functions, and the host's files, unless the
 * audit module puts us in front of libc.  Where there is none and a root, that its other symbols are its
 * own as well counts for less.  Without a root it is opened as the program says. */
static long dl_mode(long mode)
{
	return state_view() && !dl_audited() ? mode & ~(long)RTLD_DEEPBIND : mode;
}

/* Where dlopen and dlmopen jump, with these arguments, which may be changed, and the program's own
 * return address still on the stack: the loader finds the caller's RUNPATH and name space by it. */
__attribute__((used)) real_fn *dl_open_next(long *arg)
{
	real_fn *real = (real_fn *)REAL(dlopen);

	if (!real)
		return (real_fn *)dl_missing;
	arg[1] = dl_mode(arg[1]);
	module_changed();
	return (config()->musl ? state_view() && arg[0] : dl_is_path((const char *)arg[0]) && !dl_audited())
		       ? (real_fn *)dl_open_ours
		       : real;
}

__attribute__((used)) real_fn *dl_mopen_next(long *arg)
{
	real_fn *real = (real_fn *)REAL(dlmopen);

	if (!real)
		return (real_fn *)dl_missing;
	if (arg[0] == LM_ID_NEWLM && dl_audited() && glibc_before(35))
		return (real_fn *)dl_mopen_refused;
	arg[2] = dl_mode(arg[2]);
	module_changed();
	/* dl_open_worker() looks for no caller when it has a name space and a path, and without one
	 * _dl_map_object() asks no audit module */
	return dl_is_path((const char *)arg[1]) ? (real_fn *)dl_mopen_ours : real;
}

/* Our definition of name, where the process has no other: a libc without that function (kqueue,
 * pidfd_spawn), of which a program asks whether it is there; else NULL. */
static void *dl_only_ours(const char *name)
{
	real_fn *own = real_own(name);

	return own && !real_find(name) ? (void *)(uintptr_t)own : NULL;
}

/* What dlsym says, and dlerror(3) after it, of a function that this libc lacks. */
static void *dl_sym_absent(void *handle, const char *name)
{
	void *libc = REAL(dlopen)("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);

	(void)handle;
	return libc ? REAL(dlsym)(libc, name) : NULL;
}

/* By the handle of libc, or of what was loaded with the program, the loader finds libc's functions past
 * us: Python's ctypes.CDLL("libc.so.6").  Where that is just what ours stands for, it is ours. */
static void *dl_sym_ours(void *handle, const char *name)
{
	void *found = REAL(dlsym)(handle, name);
	real_fn *own = found ? real_own(name) : NULL;

	if (own && found == dl_only_ours(name))
		return dl_sym_absent(handle, name);
	return own && (real_fn *)(uintptr_t)found == real_find(name) ? (void *)(uintptr_t)own : found;
}

/* RTLD_NEXT and RTLD_DEFAULT depend on who asks, and find us where they should. */
__attribute__((used)) real_fn *dl_sym_next(const long *arg)
{
	real_fn *real = (real_fn *)REAL(dlsym);

	if (!real)
		return (real_fn *)dl_missing;
	if (arg[0] != (long)RTLD_NEXT && arg[0] != (long)RTLD_DEFAULT)
		return (real_fn *)dl_sym_ours;
	return dl_only_ours((const char *)arg[1]) ? (real_fn *)dl_sym_absent : real;
}

#define DL_HEAD(name)                                     \
	".pushsection .text." #name ",\"ax\"\n\t"         \
	".globl " #name "\n\t"                            \
	".type " #name ", %function\n"                    \
	#name ":\n\t"                                     \
	".cfi_startproc\n\t"
#define DL_TAIL(name)                                     \
	".cfi_endproc\n\t"                                \
	".size " #name ", . - " #name "\n\t"              \
	".popsection\n"

/* name: puts the three arguments into memory, asks next where to go with them, goes there. */
#if defined(__x86_64__)
#define DL_JUMP(name, next)                               \
	__asm__(DL_HEAD(name)                             \
		"push %rdx\n\t"                           \
		".cfi_adjust_cfa_offset 8\n\t"            \
		"push %rsi\n\t"                           \
		".cfi_adjust_cfa_offset 8\n\t"            \
		"push %rdi\n\t"                           \
		".cfi_adjust_cfa_offset 8\n\t"            \
		"mov %rsp, %rdi\n\t"                      \
		"call " #next "\n\t"                      \
		"pop %rdi\n\t"                            \
		".cfi_adjust_cfa_offset -8\n\t"           \
		"pop %rsi\n\t"                            \
		".cfi_adjust_cfa_offset -8\n\t"           \
		"pop %rdx\n\t"                            \
		".cfi_adjust_cfa_offset -8\n\t"           \
		"jmp *%rax\n\t"                           \
		DL_TAIL(name));
#elif defined(__aarch64__)
#define DL_JUMP(name, next)                               \
	__asm__(DL_HEAD(name)                             \
		"stp x29, x30, [sp, -48]!\n\t"            \
		".cfi_def_cfa_offset 48\n\t"              \
		".cfi_offset 29, -48\n\t"                 \
		".cfi_offset 30, -40\n\t"                 \
		"stp x0, x1, [sp, 16]\n\t"                \
		"str x2, [sp, 32]\n\t"                    \
		"add x0, sp, 16\n\t"                      \
		"bl " #next "\n\t"                        \
		"mov x16, x0\n\t"                         \
		"ldr x2, [sp, 32]\n\t"                    \
		"ldp x0, x1, [sp, 16]\n\t"                \
		"ldp x29, x30, [sp], 48\n\t"              \
		".cfi_restore 30\n\t"                     \
		".cfi_restore 29\n\t"                     \
		".cfi_def_cfa_offset 0\n\t"               \
		"br x16\n\t"                              \
		DL_TAIL(name));
#endif
DL_JUMP(dlopen, dl_open_next)
DL_JUMP(dlmopen, dl_mopen_next)
DL_JUMP(dlsym, dl_sym_next)

/* What is learnt while the object's own functions run at its end is forgotten with the rest. */
int jail_dlclose(void *handle)
{
	int (*real)(void *) = REAL(dlclose);
	int r;

	if (!real)
		return EDGE(int, -ENOSYS);
	module_changed();
	r = real(handle);
	module_changed();
	return r;
}

int jail_dladdr(const void *addr, Dl_info *info)
{
	int (*real)(const void *, Dl_info *) = REAL(dladdr);
	int r = real ? real(addr, info) : 0;

	if (r)
		info->dli_fname = dl_cut(dl_view(), info->dli_fname);
	return r;
}

int jail_dladdr1(const void *addr, Dl_info *info, void **extra, int flags)
{
	int (*real)(const void *, Dl_info *, void **, int) = REAL(dladdr1);
	int r = real ? real(addr, info, extra, flags) : 0;

	if (r)
		info->dli_fname = dl_cut(dl_view(), info->dli_fname);
	return r;
}

/* The directory of an object as the guest names it, to a buffer that was wide enough for the host's. */
static void dl_origin(void *handle, char *text)
{
	int (*real)(void *, int, void *) = REAL(dlinfo);
	const struct view *v = state_view();
	struct link_map *map = NULL;
	const char *guest = NULL, *end;

	if (libjail_audit_told.guest_name && real(handle, RTLD_DI_LINKMAP, &map) == 0)
		guest = libjail_audit_told.guest_name(map);
	end = guest ? mem_base(guest) - 1 : NULL;
	if (!guest) {
		guest = dl_cut(v, text); /* the root itself stays: it ends in no slash */
		end = guest + strlen(guest);
	} else if (end == guest) {
		end++;
	}
	if (guest != text && (size_t)(end - guest) <= strlen(text) + 1) {
		memmove(text, guest, (size_t)(end - guest));
		text[end - guest] = '\0';
	}
}

int jail_dlinfo(void *handle, int request, void *arg)
{
	int (*real)(void *, int, void *) = REAL(dlinfo);
	int r = real ? real(handle, request, arg) : EDGE(int, -ENOSYS);
	Dl_serinfo *list = arg;

	if (r == 0 && request == RTLD_DI_ORIGIN)
		dl_origin(handle, arg);
	else if (r == 0 && request == RTLD_DI_SERINFO)
		for (unsigned i = 0; i < list->dls_cnt; i++) /* where $ORIGIN was */
			list->dls_serpath[i].dls_name = (char *)(uintptr_t)dl_cut(state_view(), list->dls_serpath[i].dls_name);
	return r;
}

/* dlerror(3): the loader's message names files as it found them, on the host.  A message that has a
 * path in it was put together for this thread, which owns it until it asks again. */
char *jail_dlerror(void)
{
	char *(*real)(void) = REAL(dlerror);
	char *text = real ? real() : NULL;
	const struct view *v = state_view();
	const char *const fronts[] = {v ? v->host : "", DL_NOWHERE};

	if (!text || !v)
		return text;
	for (size_t i = 0; i < ROWS(fronts); i++) {
		const size_t n = strlen(fronts[i]);

		for (char *p = text; n && *p; p++) {
			const char *rest = mem_after(p, fronts[i]);

			if (rest && (i || *rest == '/') && (p == text || p[-1] == ' '))
				memmove(p, rest, strlen(rest) + 1);
		}
	}
	return text;
}

/* -- backtrace_symbols(3) -------------------------------------------------------------------- */

/* The strings and the pointers to them are one block, which is freed by its first byte: a string
 * that begins with the root is shown from behind it. */
char **jail_backtrace_symbols(void *const *frames, int n)
{
	char **(*real)(void *const *, int) = REAL(backtrace_symbols);
	char **lines = real ? real(frames, n) : NULL;

	for (int i = 0; lines && i < n; i++)
		lines[i] = (char *)dl_cut(dl_view(), lines[i]);
	return lines;
}

/* backtrace_symbols_fd(3) is for signal handlers: no heap, and little of a small stack.  libc's own asks its loader,
 * past us. */

static void dl_hex(struct str *s, unsigned long n)
{
	char digits[16], *d = digits + sizeof digits;

	do
		*--d = "0123456789abcdef"[n % 16];
	while (n /= 16);
	str_put(s, d, (size_t)(digits + sizeof digits - d));
}

/* Does this glibc put a space in front of an address?  Some release began to: it shows by itself, of a
 * frame of its own, at the end of the line. */
static bool backtrace_spaced(void (*real)(void *const *, int, int))
{
	static int known; /* 1: no, 2: yes */
	int is = __atomic_load_n(&known, __ATOMIC_RELAXED);
	void *frame[] = {(void *)(uintptr_t)real};
	char end[32];
	long n;
	int fd;

	if (is)
		return is == 2;
	fd = (int)sys_call(SYS_memfd_create, "libjail", 1 /* MFD_CLOEXEC */);
	if (fd < 0)
		return false;
	real(frame, 1, fd);
	n = sys_call(SYS_lseek, fd, 0, SEEK_END);
	n = sys_pread(fd, end, sizeof end, n > (long)sizeof end ? n - (long)sizeof end : 0);
	sys_close(fd);
	while (n > 1 && end[n - 1] != '[')
		n--;
	if (n > 1) {
		is = end[n - 2] == ' ' ? 2 : 1;
		__atomic_store_n(&known, is, __ATOMIC_RELAXED);
	}
	return is == 2;
}

/* The parts of a line, most of which are the loader's own texts. */
struct backtrace_line {
	struct iovec part[6];
	int n;
};

static void backtrace_put(struct backtrace_line *l, const char *text)
{
	l->part[l->n++] = (struct iovec){(void *)(uintptr_t)text, strlen(text)};
}

static NOINLINE void backtrace_rooted(void *const *frames, int n, int fd, bool spaced)
{
	for (int i = 0; i < n; i++) {
		char offset[24], address[28];
		struct str o = {offset, offset + sizeof offset}, a = {address, address + sizeof address};
		struct backtrace_line l = {.n = 0};
		struct link_map *map = NULL;
		Dl_info info;
		unsigned long at = (unsigned long)frames[i], from;
		const bool named = jail_dladdr1(frames[i], &info, (void **)&map, RTLD_DL_LINKMAP) && info.dli_fname &&
				   *info.dli_fname;

		if (named) {
			backtrace_put(&l, info.dli_fname);
			from = info.dli_sname ? (unsigned long)info.dli_saddr : map ? map->l_addr : 0;
			if (info.dli_sname || from) {
				backtrace_put(&l, "(");
				backtrace_put(&l, info.dli_sname ? info.dli_sname : "");
				str_puts(&o, at >= from ? "+0x" : "-0x");
				dl_hex(&o, at >= from ? at - from : from - at);
				str_puts(&o, ")");
				backtrace_put(&l, offset);
			}
		}
		str_puts(&a, named && spaced ? " [0x" : "[0x");
		dl_hex(&a, at);
		str_puts(&a, "]\n");
		backtrace_put(&l, address);
		sys_call(SYS_writev, fd, l.part, l.n);
	}
}

void jail_backtrace_symbols_fd(void *const *frames, int n, int fd)
{
	void (*real)(void *const *, int, int) = REAL(backtrace_symbols_fd);
	int saved = *__errno_location();

	if (!real || !dl_view()) {
		if (real)
			real(frames, n, fd);
		return;
	}
	backtrace_rooted(frames, n, fd, backtrace_spaced(real));
	errno_set(saved);
}

/* dl_iterate_phdr(3): every C++ throw comes here, so without a root it is the libc's at once. */
struct dl_walk {
	int (*each)(struct dl_phdr_info *, size_t, void *);
	void *data;
	const struct view *view;
};

static int dl_walk_one(struct dl_phdr_info *info, size_t size, void *data)
{
	const struct dl_walk *w = data;
	struct dl_phdr_info own; /* the callback's copy: the loader's may be read by others */

	if (size > sizeof own)
		size = sizeof own;
	memcpy(&own, info, size);
	own.dlpi_name = dl_cut(w->view, own.dlpi_name);
	return w->each(&own, size, w->data);
}

int jail_dl_iterate_phdr(int (*each)(struct dl_phdr_info *, size_t, void *), void *data)
{
	int (*real)(int (*)(struct dl_phdr_info *, size_t, void *), void *) = REAL(dl_iterate_phdr);
	struct dl_walk w = {each, data, dl_view()};

	if (UNLIKELY(!real))
		return 0;
	return w.view ? real(dl_walk_one, &w) : real(each, data);
}

/* AddressSanitizer's run time, where it is a library (gcc -fsanitize=address), ends every program that has another
 * library in front of it.  It asks the program for its defaults by this function (sanitizer/asan_interface.h),
 * and finds ours where the program has none.  ASAN_OPTIONS of the environment counts more. */
const char *jail___asan_default_options(void)
{
	return "verify_asan_link_order=0";
}
