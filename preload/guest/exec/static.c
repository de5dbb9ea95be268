/* SPDX-License-Identifier: ISC
 *
 * Static programs in a root: refused, let out, or given the kernel's own chroot in a user namespace.
 * One of them, ldconfig(8), can keep to the root by itself. */
#include "exec.h"
#include "../../config.h"
#include "../../state.h"
#include <sched.h>
#include <sys/mount.h>

static long write_file(const char *path, const char *text)
{
	int fd = sys_openat(AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
	long r = fd;

	if (fd >= 0) {
		r = sys_write(fd, text, strlen(text));
		sys_close(fd);
	}
	return r < 0 ? r : 0;
}

/* The kernel's own chroot, which a user namespace grants (user_namespaces(7)); cwd is room.  What fails here
 * leaves the process in a namespace of its own, but with the same identity and files. */
static long userns_enter(const struct view *v, char cwd[PATH_MAX])
{
	char map[64];
	struct str s = {map, map + sizeof map};
	const unsigned long uid = (unsigned long)sys_call(SYS_geteuid),
			    gid = (unsigned long)sys_call(SYS_getegid);
	struct place to = {.flags = AT_EMPTY_PATH};
	struct view here;
	char onto[PLACE_PATH];
	static const struct open_how how = {.flags = O_PATH | O_CLOEXEC};
	long r = guest_getcwd(cwd, PATH_MAX);

	if (r < 0 || cwd[0] != '/')
		return r < 0 ? r : -ENOENT;
	r = sys_call(SYS_unshare, CLONE_NEWUSER | CLONE_NEWNS);
	if (r < 0)
		return r;
	str_num(&s, uid);
	str_puts(&s, " ");
	str_num(&s, uid);
	str_puts(&s, " 1");
	r = write_file("/proc/self/uid_map", map);
	if (r == 0)
		r = write_file("/proc/self/setgroups", "deny");
	s = (struct str){map, map + sizeof map};
	str_num(&s, gid);
	str_puts(&s, " ");
	str_num(&s, gid);
	str_puts(&s, " 1");
	if (r == 0)
		r = write_file("/proc/self/gid_map", map);
	/* our descriptors are of the old mount namespace: what is mounted here would not show there */
	if (r == 0)
		r = view_open(&here, v->host_len ? v->host : "/", state_fd_min());
	if (r == 0 && (here.dev != v->dev || here.ino != v->ino))
		r = -ENOENT;
	for (size_t i = 0; r == 0 && i < v->nbinds; i++) {
		int fd = place_open(&here, AT_FDCWD, v->binds[i].guest, &how);

		if (fd < 0)
			continue; /* lies in another bind, which brings it along */
		to.dir = fd;
		r = sys_call(SYS_mount, v->binds[i].host, place_path(&to, onto), 0, MS_BIND | MS_REC, 0);
		sys_close(fd);
	}
	if (r == 0)
		r = sys_fchdir(here.fd);
	if (r == 0)
		r = sys_call(SYS_chroot, ".");
	if (r == 0)
		r = sys_call(SYS_chdir, cwd);
	return r;
}

/* ldconfig(8) is static, and run by every installation of a library, by ctypes.util.find_library(),
 * and the like: but it knows how to stay in a root.  Its -r tries chroot(2), and else puts
 * the root in front of each name.  args: room for two more than argv.  Is it that, and called with
 * no file of the caller's? */
static bool ldconfig_args(const struct view *v, struct program *p, char *const argv[], char **args)
{
	static const struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC};
	size_t n = 0;
	int fd;

	if (!mem_equal(p->guest, "/usr/sbin/ldconfig") && !mem_equal(p->guest, "/sbin/ldconfig"))
		return false;
	args[n++] = argv[0];
	args[n++] = (char *)(uintptr_t) "-r";
	args[n++] = (char *)(uintptr_t)(v->host_len ? v->host : "/");
	for (size_t i = 1; argv[i]; i++) {
		const char *a = argv[i];

		if (mem_equal(a, "-r") && argv[i + 1]) { /* dpkg's way: -r "$DPKG_ROOT/" */
			fd = place_open(v, AT_FDCWD, argv[++i], &how);
			if (fd < 0)
				return false;
			sys_close(fd);
			elf_loader_target(v, argv[i], p->at);
			args[2] = p->at;
			continue;
		}
		if (*a == '-' && (mem_find(a, 'r') || mem_find(a, 'C') || mem_find(a, 'f') ||
					 mem_find(a, 'l') || (a[1] == '-' && a[2])) &&
			!mem_equal(a, "--print-cache") && !mem_equal(a, "--verbose"))
			return false;
		args[n++] = argv[i];
	}
	args[n] = NULL;
	return true;
}

long static_run(struct exec_plan *plan, const char *shown)
{
	struct program *p = &plan->program;
	const struct view *v = plan->call->view;
	struct exec_run *run = &plan->run;
	long r;

	run->path = p->host;
	run->argv = run->guest_argv = plan->argv;
	run->envp = run->guest_envp;
	run->program = p->guest;
	run->target = plan->fn;
	run->view = NULL;
	switch (config()->statics) {
	case CONFIG_STATIC_RUN:
		return exec_run(run);
	case CONFIG_STATIC_USERNS:
		if (p->nameless)
			return -ENOENT;
		r = userns_enter(v, p->at);
		if (r < 0)
			return exec_refuse(shown, p->go ? "made with Go, and no user namespace is to be had for it"
							: "statically linked, and no user namespace is to be had for it",
				-EPERM);
		run->path = p->guest;
		return exec_run(run);
	default:
		if (plan->argc > 0 && ldconfig_args(v, p, plan->argv, plan->loader_argv)) {
			run->argv = run->guest_argv = plan->loader_argv;
			return exec_run(run);
		}
#define REFUSED ", so libjail cannot keep it in the root; " \
		"--static=userns gives it a real chroot, --static=run lets it out"
		return exec_refuse(shown, p->go ? "made with Go, which makes system calls by itself" REFUSED
						: "statically linked" REFUSED,
			-EPERM);
#undef REFUSED
	}
}
