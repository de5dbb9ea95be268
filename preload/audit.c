/* SPDX-License-Identifier: ISC
 *
 * libjail-audit.so, the rtld-audit(7) module: what glibc's loader looks for is looked for in the
 * root.  The loader opens files with system calls of its own that no preload sees; it asks
 * la_objsearch() for every name first, so here each name becomes the host path of the file that a
 * loader under a real chroot would have found.
 *
 * The whole search of ld.so(8) for a name without a slash is done here, at LA_SER_ORIG.  The
 * loader's own search cannot be trusted with guest directories: open_path() (elf/dl-load.c) asks
 * the host whether a directory exists after the first miss in it, and never tries it again.
 *
 * The module lives in a name space of its own with no libc beside it: it imports nothing, and
 * shares place.c and mem.c with libjail.so.  The loader holds its lock while it calls us, and
 * copies what we return before it calls again (glibc 2.31 to 2.41: _dl_map_object_from_fd,
 * _dl_new_object, _dl_exception_create), so static buffers are enough. */
#include <errno.h>
#include <link.h>
#include <linux/limits.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include "mem.h"
#include "carry.h"
#include "config.h"
#include "path/page.h"
#include "place.h"
#include "state.h"
#include "sys.h"

#define EXPORT __attribute__((visibility("default")))

#if defined(__x86_64__)
enum { CACHE_ID = 0x0303 }; /* FLAG_ELF_LIBC6 | FLAG_X8664_LIB64, sysdeps/generic/ldconfig.h */
#define MULTIARCH "lib/x86_64-linux-gnu"
#elif defined(__aarch64__)
enum { CACHE_ID = 0x0a03 }; /* FLAG_ELF_LIBC6 | FLAG_AARCH64_LIB64 */
#define MULTIARCH "lib/aarch64-linux-gnu"
#endif

enum { AUDIT_VERSION = 2, FD_MIN = 900 };

/* For large texts, of which a start writes the beginning: in as few pages as that needs. */
#define PAGED __attribute__((aligned(4096)))

/* What the loader does not tell later: who asked for an object, and its names. */
struct object {
	struct object *next;
	const struct link_map *map;    /* NULL: free for reuse */
	const struct link_map *loader; /* whose DT_NEEDED brought it; NULL: dlopen(3) */
	char *host;                    /* l_name as the loader made it, and will free it */
	size_t room;
	char guest[];                  /* absolute; then, where that is another, l_name as it is now */
};

static struct {
	bool on;                       /* a root is set */
	const char *root, *bind;       /* LIBJAIL_ROOT, LIBJAIL_BIND */
	const char *lib;               /* our entry in LD_PRELOAD, text for text */
	const char *carry;             /* LIBJAIL_0_CARRY: other files of the host, carry.h */
	const char *exe;               /* the program, a guest path */
	const char *fn, *argv0;        /* the path that was executed; what the program is called */
	char **argv, *program;         /* the loader's argv and its first, while argv0 is there */
	const char *library_path;      /* LD_LIBRARY_PATH: guest directories */
	const char *note;              /* LIBJAIL_0_VIEW: the view that the exec handed over */
	const char *tunables, *own_tunables; /* GLIBC_TUNABLES, and the program's if we changed it */
	size_t tls;                    /* static TLS that the objects loaded so far need */
	bool complete;                 /* the program's libraries are there: what comes is dlopen(3)'s */
	bool first;                    /* and the next object is what was asked for */
	bool walk;
	bool trace;                    /* LD_TRACE_LOADED_OBJECTS: ldd(1) */
	bool borrowed;                 /* view's descriptors are libjail.so's, which starts after us */
	int error;                     /* the root cannot be entered: nothing is found */
	struct view view;
	const struct view *const *live; /* libjail.so's own view: it knows of chroot(2) */
	size_t size;                   /* of its struct state */
	bool strange;                  /* a copy of libjail.so is not of its build: it will not do */
	const struct link_map *main;
	struct link_map *rtld;         /* the loader itself */
	struct object *objects;
} audit = {.view.fd = -1};

static char host_text[2 * PATH_MAX] PAGED; /* what la_objsearch returns */
static char guest_text[PATH_MAX] PAGED;    /* the guest's name of the same file */
BESIDE static const char *shown;      /* its end, which a loader in the root would keep as l_name */
BESIDE static const struct link_map *asker; /* who asked for it; valid while asked is set */
BESIDE static bool asked;

/* page.h: what the loader passes can be read. */
bool page_good(uintptr_t page)
{
	(void)page;
	return true;
}

/* -- the root ------------------------------------------------------------------------------- */

/* A file of /proc in memory of ours: small, or pages once that is too small; two NULs at the end.
 * NULL when there is no /proc. */
static char *text_read(const char *path, char *small, size_t room, size_t *ret_n)
{
	char *text = small, *old;
	size_t n;
	ssize_t r;
	int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return NULL;
	for (n = 0; text; n += (size_t)r) {
		if (n + 2 >= room) {
			old = text;
			text = sys_pages(2 * room);
			if (text)
				memcpy(text, old, n);
			if (old != small)
				sys_call(SYS_munmap, old, room);
			room *= 2;
			if (!text)
				break;
		}
		r = sys_read(fd, text + n, room - n - 2);
		if (r == -EINTR)
			r = 0;
		else if (r <= 0 || (size_t)r < room - n - 2) { /* a short read is the last */
			n += r > 0 ? (size_t)r : 0;
			break;
		}
	}
	sys_close(fd);
	*ret_n = n;
	return text;
}

/* The initial environment, NAME=VALUE and NUL. */
static char *environ_read(size_t *ret_n)
{
	static char small[1 << 13] PAGED; /* enough for most, and no mapping of its own */

	return text_read("/proc/self/environ", small, sizeof small, ret_n);
}

static int fd_min(void)
{
	struct rlimit limit;

	if (sys_call(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, &limit) < 0 || limit.rlim_cur > FD_MIN + 64)
		return FD_MIN;
	return limit.rlim_cur > 128 ? (int)limit.rlim_cur - 64 : (int)limit.rlim_cur / 2;
}

/* Is fd still the file that we opened?  Programs close what they do not know (closefrom(3)), and
 * the number may belong to another file by now. */
static bool ours(int fd, dev_t dev, ino_t ino)
{
	struct stat st;

	return sys_fstat(fd, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

static int reopen(const char *host, dev_t dev, ino_t ino)
{
	int high, fd = sys_openat(AT_FDCWD, *host ? host : "/", O_PATH | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	high = sys_fcntl(fd, F_DUPFD_CLOEXEC, fd_min());
	sys_close(fd);
	if (high >= 0 && !ours(high, dev, ino)) { /* another directory has its name now */
		sys_close(high);
		return -ENOENT;
	}
	return high;
}

/* By name: jailrun's first program, or a note that does not fit.  A large frame, kept out of the
 * usual way: fresh pages of the stack are a good part of what a start costs. */
static NOINLINE int view_make_named(struct view *v, const char *list, struct bind *binds)
{
	char host[PATH_MAX], guest[PATH_MAX];
	const char *what;
	int r = view_open(v, audit.root, fd_min());

	if (r < 0)
		return r;
	v->binds = binds;
	v->walk |= audit.walk;
	v->exe = audit.exe;
	if (!list)
		return 0;
	for (;;) {
		struct str h = {host, host + sizeof host}, g = {guest, guest + sizeof guest};

		if (!view_binds_next(&list, &h, &g))
			return 0;
		/* one that fails is libjail.so's to report: it has the words */
		if (h.at && g.at && *host && *guest)
			(void)!view_bind(v, host, guest, fd_min(), &what);
	}
}

static int view_make(struct view *v)
{
	size_t n = 1;
	const char *list = audit.bind;
	BESIDE static struct bind few[8];

	for (const char *p = list; p && *p; p++)
		n += *p == ',';
	v->binds = n <= ROWS(few) ? few : sys_pages(n * sizeof *v->binds);
	if (!v->binds)
		return -ENOMEM;
	if (audit.note && view_note_take(v, audit.note, audit.root, list ? list : "", n) == 0) {
		audit.borrowed = true;
		v->exe = audit.exe;
		return 0;
	}
	return view_make_named(v, list, n <= ROWS(few) ? few : v->binds);
}

static void view_drop(void)
{
	struct view *v = &audit.view;

	if (v->fd < 0)
		return;
	if (audit.borrowed) {
		v->fd = -1;
		return;
	}
	if (ours(v->fd, v->dev, v->ino))
		sys_close(v->fd);
	v->fd = -1;
	for (size_t i = 0; i < v->nbinds; i++) {
		struct bind *b = &v->binds[i];

		if (b->fd >= 0 && ours(b->fd, b->src_dev, b->src_ino))
			sys_close(b->fd);
		b->fd = -1;
	}
}

/* The view to search in, its descriptors good; NULL: broken, see audit.error. */
static const struct view *view_now(void)
{
	struct view *v = &audit.view;
	const struct view *live = audit.live ? __atomic_load_n(audit.live, __ATOMIC_ACQUIRE) : NULL;

	if (live) {
		view_drop();
		audit.error = live->error;
		return live->fd < 0 ? NULL : live;
	}
	if (!v->host) {
		audit.error = -view_make(v);
		if (audit.error)
			return NULL;
	}
	if (audit.borrowed && v->fd >= 0)
		return v; /* nothing has run yet that could close them */
	audit.borrowed = false;
	if (v->fd < 0 || !ours(v->fd, v->dev, v->ino))
		v->fd = reopen(v->host, v->dev, v->ino);
	for (size_t i = 0; i < v->nbinds; i++) {
		struct bind *b = &v->binds[i];

		if (b->fd < 0 || !ours(b->fd, b->src_dev, b->src_ino))
			b->fd = reopen(b->host, b->src_dev, b->src_ino);
	}
	audit.error = v->fd < 0 ? -v->fd : 0;
	return v->fd < 0 ? NULL : v;
}

/* -- from a guest path to a host path ------------------------------------------------------- */

/* The guest path with the root (or a bind's host path) put in front, to host_text: where a walk on
 * the host begins.  A relative path stays. */
static bool host_plain(const struct view *v, const char *guest)
{
	struct str s = {host_text, host_text + sizeof host_text};
	const char *front = v->host, *rest = guest;
	size_t best = 0;

	for (size_t i = 0; i < v->nbinds; i++) {
		const struct bind *b = &v->binds[i];
		const char *r = b->guest_len > best ? mem_below(guest, b->guest) : NULL;

		if (r) {
			best = b->guest_len;
			front = mem_equal(b->host, "/") ? "" : b->host;
			rest = r;
		}
	}
	if (*guest == '/')
		str_puts(&s, front);
	str_puts(&s, rest);
	return s.at && s.at - host_text < PATH_MAX;
}

/* An object that this machine does not run: the loader's search passes over it (open_verify). */
static bool is_foreign(int fd)
{
	Elf64_Ehdr h; /* both classes have the same fields up to e_machine */

	if (sys_pread(fd, &h, sizeof h, 0) < (ssize_t)(offsetof(Elf64_Ehdr, e_machine) + 2) ||
		memcmp(h.e_ident, ELFMAG, SELFMAG) != 0)
		return false;
	return h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_machine != SYS_ARCH_MACHINE;
}

/* Opens the guest path as the loader would: 0 and the host path of that file in host_text, or
 * -errno. */
static int host_find(const struct view *v, const char *guest, bool searching)
{
	const struct open_how how = {.flags = O_RDONLY | O_CLOEXEC};
	struct place at = {.flags = AT_EMPTY_PATH};
	struct stat in, out;
	char magic[PLACE_PATH];
	ssize_t n;
	int fd = place_open(v, AT_FDCWD, guest, &how), r = 0;

	if (fd < 0)
		return fd;
	if (searching && is_foreign(fd)) {
		r = -ENOENT;
		goto out;
	}
	r = sys_fstat(fd, &in);
	if (r < 0)
		goto out;
	/* The text that a reader takes the root from and has the guest's own spelling left: right
	 * whenever the host's walk ends at the same file.  It does not where an absolute symlink
	 * (all of /etc/alternatives) or a ".." above the root is on the way. */
	if (host_plain(v, guest) && sys_fstatat(AT_FDCWD, host_text, &out, 0) == 0 &&
		in.st_dev == out.st_dev && in.st_ino == out.st_ino)
		goto out;
	at.dir = fd;
	n = sys_readlinkat(AT_FDCWD, place_path(&at, magic), host_text, PATH_MAX - 1);
	if (n < 0)
		r = (int)n;
	else
		host_text[n] = '\0';
out:
	sys_close(fd);
	return r;
}

/* The guest has no such file, so the loader must not find one on the host: a text that fails, if it
 * can be with the guest's errno and under the name that the program gave.  Tokens in it are replaced
 * once more, after us: what they make of it is not known, so it leads nowhere by its front, which
 * libjail.so takes out of dlerror(3). */
static const char *host_none(const struct view *v, const char *name, int error)
{
	struct str s = {host_text, host_text + sizeof host_text};

	if (mem_find(name, '$')) {
		str_puts(&s, DL_NOWHERE);
		str_puts(&s, name);
		return s.at ? host_text : NULL;
	}
	if (sys_call(SYS_faccessat, AT_FDCWD, name, R_OK) == error)
		return name;
	if (!v || !host_plain(v, name)) {
		s = (struct str){host_text, host_text + sizeof host_text};
		str_puts(&s, audit.root);
		if (*name != '/')
			str_puts(&s, "/");
		str_puts(&s, name);
		if (!s.at)
			return NULL;
	}
	if (sys_call(SYS_faccessat, AT_FDCWD, host_text, R_OK) == 0) {
		s = (struct str){host_text + strlen(host_text), host_text + sizeof host_text};
		str_puts(&s, "/"); /* ENOTDIR */
	}
	return host_text;
}

/* -- objects: who loaded whom, and what their dynamic sections say -------------------------- */

static struct object *object_of(const struct link_map *map)
{
	for (struct object *o = audit.objects; o; o = o->next)
		if (o->map == map)
			return o;
	return NULL;
}

/* guest: absolute; name: what a loader in the root would call it.  The object's l_name becomes that
 * one: dlinfo(3), dladdr(3), debuggers and the loader's messages have it from there. */
static void object_add(struct link_map *map, const struct link_map *loader, const char *guest, const char *name)
{
	BESIDE static char first[1024] __attribute__((aligned(16)));
	BESIDE static struct { char *at, *end; } pages;
	const size_t n = strlen(guest) + 1, more = mem_equal(guest, name) ? 0 : strlen(name) + 1;
	struct object *o = audit.objects;
	size_t size;

	while (o && (o->map || o->room < n + more))
		o = o->next;
	if (!o) {
		size = (sizeof *o + n + more + 127) & ~(size_t)127;
		if (!pages.at) {
			pages.at = first;
			pages.end = first + sizeof first;
		}
		if (size > (size_t)(pages.end - pages.at)) {
			pages.at = sys_pages(1 << 14);
			if (!pages.at)
				return;
			pages.end = pages.at + (1 << 14);
		}
		o = (struct object *)(void *)pages.at;
		pages.at += size;
		o->room = size - sizeof *o;
		o->next = audit.objects;
		audit.objects = o;
	}
	memcpy(o->guest, guest, n);
	memcpy(o->guest + n, name, more);
	o->loader = loader;
	o->host = map->l_name;
	map->l_name = o->guest + (more ? n : 0);
	__atomic_store_n(&o->map, map, __ATOMIC_RELEASE);
}

/* The loader's own name of an object, by which it is found on the host. */
static const char *object_host(const struct link_map *map)
{
	const struct object *o = object_of(map);

	return o ? o->host : map->l_name;
}

/* An object's absolute name in the guest, or NULL. */
static const char *object_guest(const struct link_map *map)
{
	const struct object *o = object_of(map);

	return o ? o->guest : NULL;
}

static const ElfW(Dyn) *dynamic(const struct link_map *map, ElfW(Sxword) tag)
{
	for (const ElfW(Dyn) *d = map->l_ld; d && d->d_tag != DT_NULL; d++)
		if (d->d_tag == tag)
			return d;
	return NULL;
}

/* glibc relocates the pointers of a dynamic section in place where it can write to it. */
static const void *dynamic_pointer(const struct link_map *map, ElfW(Sxword) tag)
{
	const ElfW(Dyn) *d = dynamic(map, tag);

	if (!d)
		return NULL;
	return (const void *)(d->d_un.d_ptr < map->l_addr ? d->d_un.d_ptr + map->l_addr : d->d_un.d_ptr);
}

static const char *dynamic_string(const struct link_map *map, ElfW(Sxword) tag)
{
	const ElfW(Dyn) *d = dynamic(map, tag);
	const char *strings = dynamic_pointer(map, DT_STRTAB);

	return d && strings ? strings + d->d_un.d_val : NULL;
}

static bool needs(const struct link_map *map, const char *name)
{
	const char *strings = dynamic_pointer(map, DT_STRTAB);

	for (const ElfW(Dyn) *d = map->l_ld; strings && d && d->d_tag != DT_NULL; d++)
		if (d->d_tag == DT_NEEDED && mem_equal(strings + d->d_un.d_val, name))
			return true;
	return false;
}

/* The address of a data symbol that map defines, or NULL. */
static const void *symbol(const struct link_map *map, const char *name)
{
	const uint32_t *hash = dynamic_pointer(map, DT_HASH); /* nbucket, nchain, ... */
	const ElfW(Sym) *s = dynamic_pointer(map, DT_SYMTAB);
	const char *strings = dynamic_pointer(map, DT_STRTAB);

	if (!hash || !s || !strings)
		return NULL;
	for (uint32_t i = 1; i < hash[1]; i++)
		if (s[i].st_shndx != SHN_UNDEF && mem_equal(strings + s[i].st_name, name))
			return (const char *)map->l_addr + s[i].st_value;
	return NULL;
}

/* -- libjail.so's copies --------------------------------------------------------------------- */

/* What dlmopen(3) opens in a name space of its own has a libc of its own there, and so a libjail.so:
 * a copy that uses the first one's root and settings, which the environment no longer has.  Each is
 * told what only the module knows. */
static void libjail_open(struct link_map *map, Lmid_t lmid)
{
	struct state_told *told = (struct state_told *)(uintptr_t)symbol(map, "libjail_audit_told");

	if (lmid == LM_ID_BASE && !audit.live) {
		audit.live = symbol(map, "libjail_audit_view");
		audit.size = told ? told->size : 0;
	} else if (told && told->size == audit.size) {
		told->first = (struct state *)(uintptr_t)audit.live;
		told->map = map;
	} else {
		audit.strange = true;
		return;
	}
	if (told) {
		told->host_name = object_host;
		told->guest_name = object_guest;
	}
}

/* The file of libjail.so, later on of one of them: LD_PRELOAD may name it by a descriptor, which is
 * closed when the program runs. */
static const char *libjail_file(void)
{
	const struct state *first = (const struct state *)(uintptr_t)audit.live;

	return audit.complete && audit.size && mem_after(audit.lib, "/proc/self/fd/") ? first->config()->lib
										      : audit.lib;
}

/* -- dynamic string tokens ------------------------------------------------------------------ */

/* Does the guest's glibc follow Debian's multiarch?  Its loader knows, and does not say. */
static bool is_multiarch(const struct view *v)
{
	const struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC};
	int fd = place_open(v, AT_FDCWD, "/" MULTIARCH, &how);

	if (fd >= 0)
		sys_close(fd);
	return fd >= 0;
}

/* $ORIGIN in guest terms: the directory that the object was found in. */
static bool origin(const struct view *v, const struct link_map *map, struct str *out)
{
	const struct object *o = object_of(map);
	const char *path = o ? o->guest : map->l_name, *rest;

	if (map == audit.main || !*path)
		path = audit.exe;
	else if (!o && (rest = mem_below(path, v->host)))
		path = rest;
	if (!path || *path != '/')
		return false;
	rest = mem_base(path) - 1;
	str_put(out, path, rest > path ? (size_t)(rest - path) : 1);
	return true;
}

/* Does text begin with $NAME or ${NAME}?  The bytes of it, or 0. */
static size_t token(const char *text, size_t n, const char *name)
{
	size_t len = strlen(name), brace = n > 1 && text[1] == '{';

	if (n < 1 + brace + len + brace || memcmp(text + 1 + brace, name, len) != 0)
		return 0;
	if (brace)
		return text[2 + len] == '}' ? len + 3 : 0;
	return len + 1;
}

/* A path of n bytes, its tokens replaced, to out; false when $ORIGIN is not known. */
static bool expand(const struct view *v, const struct link_map *map, const char *text, size_t n,
	struct str *out)
{
	size_t len;

	while (n) {
		len = 1;
		if (*text != '$') {
			str_put(out, text, 1);
		} else if ((len = token(text, n, "ORIGIN"))) {
			if (!map || !origin(v, map, out))
				return false;
		} else if ((len = token(text, n, "LIB"))) {
			str_puts(out, is_multiarch(v) ? MULTIARCH : "lib64");
		} else if ((len = token(text, n, "PLATFORM"))) {
			str_puts(out, SYS_ARCH_NAME);
		} else {
			str_put(out, text, len = 1);
		}
		text += len;
		n -= len;
	}
	return true;
}

/* -- /etc/ld.so.cache ----------------------------------------------------------------------- */

/* sysdeps/generic/dl-cache.h: the file as ldconfig(8) writes it */
struct cache_old {
	char magic[11]; /* "ld.so-1.7.0" */
	uint32_t n;
	struct { int32_t flags; uint32_t key, value; } libs[];
};
struct cache_entry {
	int32_t flags;
	uint32_t key, value, os;
	uint64_t hwcap;
};
struct cache_new {
	char magic[20]; /* "glibc-ld.so.cache1.1" */
	uint32_t n, strings, unused[5];
	struct cache_entry libs[];
};
_Static_assert(sizeof(struct cache_new) == 48 && sizeof(struct cache_entry) == 24, "on disk");

/* Kept from the first search of a dlopen(3) to its end, as the loader keeps its own: the next one
 * sees what ldconfig wrote meanwhile. */
BESIDE static struct {
	bool tried;
	char *text;
	size_t size;
	const struct cache_new *head; /* NULL: no cache */
} cache;

static void cache_load(const struct view *v)
{
	const struct open_how how = {.flags = O_RDONLY | O_CLOEXEC};
	const struct cache_old *old;
	struct stat st;
	size_t at = 0;
	ssize_t n = 0;
	int fd;

	cache.tried = true;
	fd = place_open(v, AT_FDCWD, "/etc/ld.so.cache", &how);
	if (fd < 0)
		return;
	if (sys_fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > (off_t)sizeof *old &&
		st.st_size < 1 << 28) {
		cache.size = (size_t)st.st_size;
		/* it must end with a NUL whatever the file says: as the last page of a mapping does,
		 * unless the file fills it */
		if (cache.size % 4096) {
			long map = sys_call(SYS_mmap, 0, cache.size, PROT_READ, MAP_PRIVATE, fd, 0);

			cache.text = map < 0 && map > -4096 ? NULL : (char *)map;
			n = st.st_size;
		} else if ((cache.text = sys_pages(cache.size + 1))) {
			n = sys_pread(fd, cache.text, cache.size, 0);
		}
	}
	sys_close(fd);
	if (!cache.text || n != (ssize_t)cache.size)
		return;
	old = (const void *)cache.text;
	if (memcmp(old->magic, "ld.so-1.7.0", sizeof old->magic) == 0)
		at = (sizeof *old + (size_t)old->n * sizeof old->libs[0] + 7) & ~(size_t)7;
	if (at + sizeof *cache.head > cache.size)
		return;
	cache.head = (const void *)(cache.text + at);
	if (memcmp(cache.head->magic, "glibc-ld.so.cache1.1", sizeof cache.head->magic) != 0 ||
		cache.head->n > (cache.size - at - sizeof *cache.head) / sizeof cache.head->libs[0])
		cache.head = NULL;
}

static void cache_drop(void)
{
	if (cache.text)
		sys_call(SYS_munmap, cache.text, cache.size + 1);
	memset(&cache, 0, sizeof cache);
}

/* A string of the cache; offsets count from the new format's head also behind an old one. */
static const char *cache_string(uint32_t offset)
{
	size_t at = (size_t)((const char *)cache.head - cache.text) + offset;

	return at < cache.size ? cache.text + at : "";
}

/* The order of the entries: runs of digits compare as numbers, the highest name comes first. */
static int cache_order(const char *a, const char *b)
{
	while (*a) {
		bool da = *a >= '0' && *a <= '9', db = *b >= '0' && *b <= '9';

		if (da != db)
			return da ? 1 : -1;
		if (da) {
			unsigned na = 0, nb = 0;

			for (; *a >= '0' && *a <= '9'; a++)
				na = na * 10 + (unsigned)(*a - '0');
			for (; *b >= '0' && *b <= '9'; b++)
				nb = nb * 10 + (unsigned)(*b - '0');
			if (na != nb)
				return na < nb ? -1 : 1;
		} else if (*a != *b) {
			return (signed char)*a < (signed char)*b ? -1 : 1;
		} else {
			a++, b++;
		}
	}
	return *b ? -1 : 0;
}

/* The guest path that the cache has for a name, or NULL.  An entry that asks for a processor
 * (hwcap, glibc-hwcaps) has a plain twin; the plain one runs everywhere. */
static const char *cache_find(const struct view *v, const char *name)
{
	const struct cache_entry *e;
	uint32_t low = 0, high, mid;

	if (!cache.tried)
		cache_load(v);
	if (!cache.head)
		return NULL;
	for (high = cache.head->n; low < high;) { /* the first entry not above name */
		mid = low + (high - low) / 2;
		if (cache_order(cache_string(cache.head->libs[mid].key), name) > 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < cache.head->n; low++) {
		e = &cache.head->libs[low];
		if (cache_order(cache_string(e->key), name) != 0)
			break;
		if (e->flags == CACHE_ID && !e->hwcap)
			return cache_string(e->value);
	}
	return NULL;
}

/* -- the search of ld.so(8) ----------------------------------------------------------------- */

/* dir/name in guest_text, found and in host_text? */
static bool search_dir(const struct view *v, const char *dir, size_t n, const char *name)
{
	struct str s = {guest_text, guest_text + sizeof guest_text};

	while (n > 1 && dir[n - 1] == '/')
		n--;
	if (!n) /* ld.so(8): an empty element is the working directory */
		str_puts(&s, ".");
	else if (n > 1 || *dir != '/')
		str_put(&s, dir, n);
	shown = guest_text + (n ? 0 : 2);
	str_puts(&s, "/");
	str_puts(&s, name);
	return s.at && host_find(v, guest_text, true) == 0;
}

/* A list of directories, tokens and all; map is the object that $ORIGIN speaks of. */
static bool search_list(const struct view *v, const char *list, const char *stops,
	const struct link_map *map, const char *name)
{
	char dir[PATH_MAX];
	size_t n;

	for (;; list += n + 1) {
		struct str s = {dir, dir + sizeof dir};

		for (n = 0; list[n] && !mem_find(stops, list[n]); n++)
			;
		*dir = '\0';
		if (expand(v, map, list, n, &s) && s.at && search_dir(v, dir, strlen(dir), name))
			return true;
		if (!list[n])
			return false;
	}
}

/* DT_RPATH of an object; where there is a DT_RUNPATH it does not count (elf_get_dynamic_info). */
static bool search_rpath(const struct view *v, const struct link_map *map, const char *name)
{
	const char *list = dynamic(map, DT_RUNPATH) ? NULL : dynamic_string(map, DT_RPATH);

	return list && *list && search_list(v, list, ":", map, name);
}

static bool search_rpaths(const struct view *v, const struct link_map *map, const char *name)
{
	const struct object *o;
	bool did_main = false;

	if (map && dynamic(map, DT_RUNPATH))
		return false;
	while (map) {
		if (search_rpath(v, map, name))
			return true;
		did_main |= map == audit.main;
		o = object_of(map);
		map = o ? o->loader : NULL;
	}
	return !did_main && audit.main && search_rpath(v, audit.main, name);
}

/* The directories that the guest's glibc was configured with; where this guess is wrong the loader
 * goes on with its own after us. */
static const char *const *default_dirs(const struct view *v)
{
	static const char *const debian[] = {
		"/" MULTIARCH, "/usr/" MULTIARCH, "/lib", "/usr/lib", NULL};
	static const char *const plain[] = {"/lib64", "/usr/lib64", "/lib", "/usr/lib", NULL};

	return is_multiarch(v) ? debian : plain;
}

static bool search_defaults(const struct view *v, const char *name)
{
	for (const char *const *dir = default_dirs(v); *dir; dir++)
		if (search_dir(v, *dir, strlen(*dir), name))
			return true;
	return false;
}

static bool search_cache(const struct view *v, const char *name, bool no_defaults)
{
	const char *found = cache_find(v, name);
	struct str s = {guest_text, guest_text + sizeof guest_text};

	if (!found)
		return false;
	if (no_defaults)
		for (const char *const *dir = default_dirs(v); *dir; dir++)
			if (mem_below(found, *dir))
				return false;
	str_puts(&s, found);
	shown = guest_text;
	return s.at && host_find(v, guest_text, true) == 0;
}

/* ld.so(8), "a slash-less name", step by step as _dl_map_object() does it. */
static bool search(const struct view *v, const struct link_map *map, const char *name)
{
	const ElfW(Dyn) *flags = map ? dynamic(map, DT_FLAGS_1) : NULL;
	const bool no_defaults = flags && (flags->d_un.d_val & DF_1_NODEFLIB);
	const char *runpath = map ? dynamic_string(map, DT_RUNPATH) : NULL;

	return search_rpaths(v, map, name) ||
	       (audit.library_path && *audit.library_path &&
		       search_list(v, audit.library_path, ":;", audit.main, name)) ||
	       (runpath && *runpath && search_list(v, runpath, ":", map, name)) ||
	       search_cache(v, name, no_defaults) || (!no_defaults && search_defaults(v, name));
}

/* What the loader put in the place of $ORIGIN in a DT_NEEDED before it asks: the directory of the
 * host path.  Its guest name goes to out, with the rest of the name. */
static bool from_origin(const struct view *v, const struct link_map *map, const char *name,
	struct str *out)
{
	const char *strings, *const host = object_host(map), *at = host;
	bool has_token = false;

	if (map != audit.main) {
		while (*at && *at == *name)
			at++, name++;
		while (at > host && at[-1] != '/') /* back to the end of what both share */
			at--, name--;
		if (at == host || mem_find(at, '/') || !origin(v, map, out))
			return false;
		str_puts(out, "/");
		str_puts(out, name);
		return out->at;
	}
	/* The program's own object has no name to compare with. */
	strings = dynamic_pointer(map, DT_STRTAB);
	for (const ElfW(Dyn) *d = map->l_ld; strings && d && d->d_tag != DT_NULL; d++)
		has_token |= d->d_tag == DT_NEEDED && mem_find(strings + d->d_un.d_val, '$');
	return has_token && *name == '/' && place_guest(v, name, out) == 0;
}

/* A name with a slash: a guest path, or one that already is the host's: what we returned before,
 * or $ORIGIN.  What LD_LIBRARY_PATH has is the guest's alone: mmdebstrap(1) lists directories there by
 * their host's names, which no program inside can mean. */
static const char *slashed(const struct view *v, const struct link_map *map, const char *name, unsigned flag)
{
	const bool ours = flag != LA_SER_LIBPATH;
	const char *const roots[] = {ours ? v->host : NULL, v == &audit.view || !ours ? NULL : audit.view.host};
	const struct str empty = {guest_text, guest_text + sizeof guest_text};
	struct str s = empty;
	const char *rest;
	int r = -ENOENT;

	if (map && from_origin(v, map, name, &s) && host_find(v, guest_text, false) == 0)
		return host_text;
	for (size_t i = 0; i < ROWS(roots); i++) {
		rest = roots[i] && *roots[i] ? mem_below(name, roots[i]) : NULL;
		s = empty;
		if (rest && *rest)
			str_puts(&s, rest);
		if (rest && *rest && s.at && host_find(v, guest_text, false) == 0)
			return host_text;
	}
	s = empty;
	if (expand(v, map, name, strlen(name), &s) && s.at) {
		r = host_find(v, guest_text, false);
		if (r == 0)
			return host_text;
	}
	return host_none(v, name, r);
}

/* -- thread-local storage -------------------------------------------------------------------- */

/* Because of us glibc lays out the static TLS block before it has loaded the program's libraries
 * (elf/rtld.c, dl_main): those that need room in it at once (DF_STATIC_TLS: jemalloc, 2632 bytes)
 * must do with the surplus that is meant for dlopen(3), and with 2632 bytes do not.  For such a
 * program the loader is started once more with a larger surplus, by a tunable that glibc 2.32 has and
 * Debian's 2.31; every thread's stack pays for it, so not for all programs. */
#define TLS_TUNABLE "glibc.rtld.optional_static_tls="

enum { TLS_USUAL = 512, /* the surplus beyond what libc itself needs, sysdeps/nptl/dl-tunables.list */
	TLS_STEP = 1024 };

static size_t tls_size(const struct link_map *map)
{
	const ElfW(Dyn) *flags = dynamic(map, DT_FLAGS);
	const ElfW(Ehdr) *e = (const void *)map->l_addr;
	const ElfW(Phdr) *ph;

	if (!e || !flags || !(flags->d_un.d_val & DF_STATIC_TLS) || memcmp(e->e_ident, ELFMAG, SELFMAG) != 0)
		return 0;
	ph = (const void *)((const char *)e + e->e_phoff);
	for (unsigned i = 0; i < e->e_phnum; i++)
		if (ph[i].p_type == PT_TLS)
			return ph[i].p_memsz + ph[i].p_align;
	return 0;
}

/* The largest that is asked for: what was not enough is not tried again. */
static size_t tls_surplus(void)
{
	size_t most = TLS_USUAL, n;
	const char *value;

	for (const char *t = audit.tunables; t && *t; t++)
		if ((value = mem_after(t, TLS_TUNABLE))) {
			for (n = 0; *value >= '0' && *value <= '9'; value++)
				n = n * 10 + (size_t)(*value - '0');
			if (n > most)
				most = n;
		}
	return most;
}

static void tls_restart(size_t surplus)
{
	static char arg_text[1 << 12], env_text[1 << 13];
	size_t args = 0, envs = 0, count = 5;
	char *arg = text_read("/proc/self/cmdline", arg_text, sizeof arg_text, &args);
	char *env = text_read("/proc/self/environ", env_text, sizeof env_text, &envs);
	char **argv, **envp, *made, *note;
	struct str tunables, own;

	if (!arg || !env)
		return;
	for (size_t i = 0; i < args; i++)
		count += !arg[i];
	for (size_t i = 0; i < envs; i++)
		count += !env[i];
	argv = sys_pages(count * sizeof *argv);
	made = sys_pages(2 * envs + 256);
	if (!argv || !made)
		return;
	note = made + envs + 128;
	envp = argv;
	for (char *e = arg; e < arg + args; e += strlen(e) + 1)
		*envp++ = e;
	*envp++ = NULL;
	count = 0;
	own = (struct str){note, note + envs + 128};
	str_puts(&own, "LIBJAIL_0_TUNABLES=");
	if (audit.own_tunables)
		str_puts(&own, audit.own_tunables);
	for (char *e = env; e < env + envs; e += strlen(e) + 1) {
		const char *value = mem_after(e, "GLIBC_TUNABLES=");

		/* glibc before 2.39 puts a NUL behind each of the tunables, here in the environment */
		if (!value && mem_after(e, "glibc."))
			value = e;
		if (value && *value && !audit.own_tunables) {
			if (value == e)
				str_puts(&own, ":");
			str_puts(&own, value);
		}
		if (!value && !mem_after(e, "LIBJAIL_0_TUNABLES="))
			envp[count++] = e;
	}
	/* Ours is the first, and so the one that is left to tls_surplus() when they are cut. */
	tunables = (struct str){made, note};
	str_puts(&tunables, "GLIBC_TUNABLES=" TLS_TUNABLE);
	str_num(&tunables, surplus);
	if (note[sizeof "LIBJAIL_0_TUNABLES=" - 1]) {
		str_puts(&tunables, ":");
		str_puts(&tunables, note + sizeof "LIBJAIL_0_TUNABLES=" - 1);
		str_puts(&tunables, ":" TLS_TUNABLE); /* the last one counts */
		str_num(&tunables, surplus);
	}
	if (!own.at || !tunables.at)
		return;
	envp[count++] = made;
	envp[count++] = note;
	envp[count] = NULL;
	sys_call(SYS_execve, "/proc/self/exe", argv, envp);
	/* here again: the loader says what it lacks */
}

static void tls_count(const struct link_map *map)
{
	audit.tls += tls_size(map);
	if (audit.tls > tls_surplus())
		tls_restart((audit.tls + TLS_USUAL + TLS_STEP - 1) / TLS_STEP * TLS_STEP);
}

/* -- libjail.so in front of libc ------------------------------------------------------------ */

/* With RTLD_DEEPBIND an object is bound to what it needs itself, and only then to what the program
 * has loaded, libjail.so being a part of that: first comes the breadth-first list of its DT_NEEDED.
 * libjail.so belongs there, right in front of libc: then its functions stand for libc's and for no
 * others, and the object still prefers its own and those of its other libraries.  What dlsym(3)
 * finds by the handle is libjail.so's then, too, as it is where the program itself refers to it.
 *
 * So what dlopen(3) opens gets one more DT_NEEDED.  The loader reads these from l_ld, and all else
 * from notes that it has made of the section before la_objopen() (_dl_map_object_deps(), l_info;
 * 2.31 to 2.41): until all the libraries are there, l_ld is a copy of the section.
 *
 * la_symbind64(), which may change a binding, is asked about calls through the PLT, but not about
 * tables of functions or -fno-plt (elf/do-rel.h), nor, before 2.35, where all is bound at once. */
BESIDE static struct {
	struct link_map *map; /* whose l_ld is a copy, or NULL */
	ElfW(Dyn) *own, *copy;
	size_t size;          /* of the copy's pages; 0: it has none of its own */
} lent;

static bool is_libc(const char *soname)
{
	static const char *const parts[] = {
		"libc.so.", "libpthread.so.", "libdl.so.", "librt.so.", "libutil.so."};

	for (size_t i = 0; i < ROWS(parts); i++)
		if (mem_after(soname, parts[i]))
			return true;
	return false;
}

static void needed_add(struct link_map *map)
{
	static ElfW(Dyn) few[96];
	const char *strings = dynamic_pointer(map, DT_STRTAB);
	const ElfW(Dyn) *own = map->l_ld;
	ElfW(Dyn) *to = few;
	size_t n = 0, at = 0;

	if (!strings || lent.map)
		return;
	for (; own[n].d_tag != DT_NULL; n++)
		if (!at && own[n].d_tag == DT_NEEDED && is_libc(strings + own[n].d_un.d_val))
			at = n + 1;
	at = at ? at - 1 : n;
	if (n + 2 > ROWS(few)) {
		lent.size = (n + 2) * sizeof *to;
		to = sys_pages(lent.size);
		if (!to) {
			lent.size = 0;
			return;
		}
	}
	memcpy(to, own, at * sizeof *to);
	/* the loader adds the two, and does not ask how far they are apart */
	to[at] = (ElfW(Dyn)){.d_tag = DT_NEEDED, .d_un.d_val = (uintptr_t)audit.lib - (uintptr_t)strings};
	memcpy(to + at + 1, own + at, (n + 1 - at) * sizeof *to);
	lent.map = map;
	lent.own = map->l_ld;
	lent.copy = map->l_ld = to;
}

static void needed_restore(void)
{
	if (!lent.map)
		return;
	lent.map->l_ld = lent.own;
	if (lent.size)
		sys_call(SYS_munmap, lent.copy, lent.size);
	memset(&lent, 0, sizeof lent);
}

/* -- what the loader calls: rtld-audit(7) --------------------------------------------------- */

EXPORT unsigned la_version(unsigned version);
EXPORT char *la_objsearch(const char *name, uintptr_t *cookie, unsigned flag);
EXPORT unsigned la_objopen(struct link_map *map, Lmid_t lmid, uintptr_t *cookie);
EXPORT unsigned la_objclose(uintptr_t *cookie);
EXPORT void la_activity(uintptr_t *cookie, unsigned flag);
EXPORT void la_preinit(uintptr_t *cookie);

unsigned la_version(unsigned version)
{
	static const struct { const char *name; const char **value; } rows[] = {
		{"LIBJAIL_ROOT=", &audit.root}, {"LIBJAIL_BIND=", &audit.bind},
		{"LIBJAIL_0_LIB=", &audit.lib}, {"LIBJAIL_0_CARRY=", &audit.carry}, {"LIBJAIL_0_EXE=", &audit.exe},
		{"LIBJAIL_0_FN=", &audit.fn}, {"LIBJAIL_0_ARGV0=", &audit.argv0},
		{"LD_LIBRARY_PATH=", &audit.library_path}, {"LIBJAIL_0_VIEW=", &audit.note},
		{"GLIBC_TUNABLES=", &audit.tunables}, {"LIBJAIL_0_TUNABLES=", &audit.own_tunables},
	};
	const char *value;
	size_t n;

	for (char *e = environ_read(&n); e && *e; e += strlen(e) + 1) {
		for (size_t i = 0; i < ROWS(rows); i++)
			if ((value = mem_after(e, rows[i].name)) && !*rows[i].value)
				*rows[i].value = value;
		audit.walk |= mem_equal(e, "LIBJAIL_RESOLVER=walk");
		audit.trace |= mem_after(e, "LD_TRACE_LOADED_OBJECTS=") != NULL;
	}
	audit.on = audit.root && *audit.root;
	if (!audit.on)
		return 0; /* the loader forgets the module */
	return version < AUDIT_VERSION ? version : AUDIT_VERSION;
}

/* The cookie is the asking object's link_map, as it is when nobody changes it (2.31 to 2.41); 2.31
 * gives the address of a field of NULL where nobody asks. */
static const struct link_map *cookie_map(const uintptr_t *cookie)
{
	return (uintptr_t)cookie < 1 << 16 ? NULL : (const struct link_map *)*cookie;
}

/* Is the loader itself asked for?  Only a name space that dlmopen(3) made does: in the program's
 * own the loader is there from the beginning. */
static bool is_loader(const char *name)
{
	const char *soname = audit.rtld ? dynamic_string(audit.rtld, DT_SONAME) : NULL;

	return soname && mem_equal(name, soname);
}

/* ldd(1) shows the name that was asked for and the path that the loader made of it, so there the
 * loader may search again, as for itself: in guest directories, each of which comes back here.
 * Only where that surely finds what we have found in guest_text: see open_path() above. */
static bool trace_search(const struct view *v)
{
	const char *rest;

	for (const char *const *dir = default_dirs(v); audit.trace && *dir; dir++) {
		rest = mem_below(guest_text, *dir);
		if (rest && mem_base(guest_text) == rest + 1)
			return sys_call(SYS_faccessat, AT_FDCWD, *dir, X_OK) == 0;
	}
	return false;
}

/* The loader by the name that the program has for it, its PT_INTERP.  Where the loader was executed to
 * load a library, ldd(1), by that; ldd shows a name whose text is in the same place. */
static void name_loader(void)
{
	const ElfW(Ehdr) *e = (const void *)audit.main->l_addr;
	char *const text = audit.rtld->l_name;
	const char *name = mem_below(text, audit.root);
	const ElfW(Phdr) *ph;

	if (!name || !*name)
		name = text;
	if (e && memcmp(e->e_ident, ELFMAG, SELFMAG) == 0) { /* else one that is not position independent */
		if (audit.fn && *audit.fn == '/')
			name = audit.fn;
		ph = (const void *)((const char *)e + e->e_phoff);
		for (unsigned i = 0; i < e->e_phnum; i++)
			if (ph[i].p_type == PT_INTERP) {
				audit.rtld->l_name = (char *)(audit.main->l_addr + ph[i].p_vaddr);
				return;
			}
	}
	if (audit.trace && strlen(name) <= strlen(text))
		memmove(text, name, strlen(name) + 1);
	else
		audit.rtld->l_name = (char *)(uintptr_t)name;
}

/* What the loader complains about before the program runs, it says of argv[0]. */
static void name_program(void)
{
	char *const *const *argv = symbol(audit.rtld, "_dl_argv"); /* GLIBC_PRIVATE, 2.31 to 2.41 */

	if (!argv || !*argv || !audit.argv0)
		return;
	audit.argv = (char **)(uintptr_t)*argv;
	audit.program = audit.argv[0];
	audit.argv[0] = (char *)(uintptr_t)audit.argv0;
}

char *la_objsearch(const char *name, uintptr_t *cookie, unsigned flag)
{
	const struct link_map *map;
	const struct view *v;
	const char *rest, *found = name;

	asked = false;
	shown = guest_text;
	if (audit.strange) {
		struct str s = {host_text, host_text + sizeof host_text};

		str_puts(&s, libjail_file());
		str_puts(&s, " (another than at the start)"); /* the loader says that it cannot open this */
		return s.at ? host_text : NULL;
	}
	if (audit.on && audit.lib && mem_equal(name, audit.lib))
		return (char *)libjail_file();
	if (!audit.on || carry_has(audit.carry, name))
		return (char *)name;
	rest = mem_after(name, "/proc/self/fd/");
	if (rest && *rest >= '0' && *rest <= '9' && !mem_find(rest, '/'))
		return (char *)name;
	v = view_now();
	if (!v)
		return (char *)host_none(NULL, name, -audit.error);
	map = cookie_map(cookie);
	if (mem_find(name, '/'))
		found = slashed(v, map, name, flag);
	else if (is_loader(name))
		/* There is one in all name spaces: _dl_map_object_from_fd() and find_needed() know it
		 * by this name alone, and a second copy would crash.  The loader's own search comes
		 * back here with the directories that it tries. */
		found = name;
	else if (flag == LA_SER_ORIG && search(v, map, name))
		found = trace_search(v) ? name : host_text;
	else
		cache_drop(); /* a dlopen(3) that ends here is not announced to la_activity() */
	asked = found == host_text;
	/* dlopen(3) lends its caller's search path, but the caller is not the loader (RTLD_CALLMAP) */
	asker = map && needs(map, name) ? map : NULL;
	return (char *)found;
}

/* $ORIGIN of an object found by a relative name is of now, not of a later chdir(2). */
static NOINLINE void object_add_relative(struct link_map *map)
{
	char text[PATH_MAX];
	struct str s = {text, text + sizeof text};

	if (place_guest_fd(view_now(), AT_FDCWD, text, sizeof text) < 0)
		return;
	if (text[1]) {
		s.at += strlen(text);
		str_puts(&s, "/");
	} else {
		s.at++;
	}
	str_puts(&s, guest_text);
	if (s.at)
		object_add(map, asker, text, shown);
}

unsigned la_objopen(struct link_map *map, Lmid_t lmid, uintptr_t *cookie)
{
	const struct view *v;
	const char *rest;

	(void)cookie;
	if (!audit.on)
		return 0;
	if (!audit.main && lmid == LM_ID_BASE)
		audit.main = map;
	else if (!audit.rtld && lmid == LM_ID_BASE) { /* load_audit_modules(): the second */
		audit.rtld = map;
		name_loader();
		name_program();
	}
	else if (!audit.complete && lmid == LM_ID_BASE)
		tls_count(map);
	if (audit.lib && mem_equal(map->l_name, libjail_file()))
		libjail_open(map, lmid);
	else if (asked && (mem_equal(map->l_name, host_text) ||
			     (audit.trace && mem_equal(map->l_name, guest_text)))) {
		if (*guest_text == '/')
			object_add(map, asker, guest_text, shown);
		else
			object_add_relative(map);
	}
	else if (audit.complete && (v = view_now()) && (rest = mem_below(map->l_name, v->host)) && *rest)
		object_add(map, NULL, rest, rest); /* dlmopen(3) of a path, which call/dl.c has made the host's */
	asked = false;
	if (audit.first && audit.live)
		needed_add(map);
	audit.first = false;
	return 0; /* neither la_symbind nor PLT hooks */
}

unsigned la_objclose(uintptr_t *cookie)
{
	const struct link_map *map = cookie_map(cookie);

	if (map && map == lent.map) /* one of its libraries was not found */
		needed_restore();
	for (struct object *o = audit.objects; o; o = o->next) {
		if (o->map == map) { /* the loader frees what it has made */
			((struct link_map *)(uintptr_t)map)->l_name = o->host;
			o->map = NULL;
		}
		if (o->loader == map)
			o->loader = NULL;
	}
	return 0;
}

void la_activity(uintptr_t *cookie, unsigned flag)
{
	(void)cookie;
	needed_restore();
	audit.strange = false;
	audit.first = flag == LA_ACT_ADD && audit.complete;
	if (flag == LA_ACT_CONSISTENT) {
		if (audit.argv) /* from here on libjail.so sees to it (start.c) */
			audit.argv[0] = audit.program;
		audit.argv = NULL;
		audit.complete = true;
		cache_drop();
	}
}

/* The program starts: from here on libjail.so keeps a view, and the descriptors with it. */
void la_preinit(uintptr_t *cookie)
{
	(void)cookie;
	if (audit.live)
		view_drop();
}
