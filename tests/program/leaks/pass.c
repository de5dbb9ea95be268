/* SPDX-License-Identifier: ISC
 *
 * A descriptor goes to a child over a Unix socket, and one comes back; both then execute another
 * program, and what that has is this one's status: parent's * 4 + child's.  64 is added when what arrived
 * is not close-on-exec as the argument says (0 or 1). */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef FIXED
enum { FLAGS = MSG_CMSG_CLOEXEC };
#else
enum { FLAGS = 0 };
#endif

static struct {
	struct msghdr m;
	struct iovec v;
	char byte;
	_Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof(int))];
} letter;

static struct msghdr *empty(void)
{
	memset(&letter, 0, sizeof letter);
	letter.v = (struct iovec){&letter.byte, 1};
	letter.m = (struct msghdr){.msg_iov = &letter.v, .msg_iovlen = 1, .msg_control = letter.room,
		.msg_controllen = sizeof letter.room};
	return &letter.m;
}

static void give(int to, int fd)
{
	struct msghdr *m = empty();
	struct cmsghdr *c = CMSG_FIRSTHDR(m);

	*c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	if (sendmsg(to, m, 0) != 1)
		_exit(100);
}

static int in_letter(void)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(&letter.m);
	int fd;

	if (!c || c->cmsg_type != SCM_RIGHTS)
		_exit(101);
	memcpy(&fd, CMSG_DATA(c), sizeof fd);
	return fd;
}

static __attribute__((noinline)) int in_child(int from)
{
	if (recvmsg(from, empty(), FLAGS) != 1) /* LEAK child */
		_exit(102);
	return in_letter();
}

static __attribute__((noinline)) int in_parent(int from)
{
	struct mmsghdr one = {.msg_hdr = *empty()};

	if (recvmmsg(from, &one, 1, FLAGS, NULL) != 1) /* LEAK parent */
		_exit(103);
	letter.m = one.msg_hdr;
	return in_letter();
}

static int others(int fd, int want)
{
	int status, wrong = (fcntl(fd, F_GETFD) & FD_CLOEXEC) != want;
	pid_t pid = fork();

	if (pid == 0) {
		execl("./has", "has", (char *)NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status) | (wrong ? 64 : 0);
}

int main(int argc, char **argv)
{
	int sv[2], status, mine, want = argc > 1 && atoi(argv[1]) ? FD_CLOEXEC : 0;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, sv))
		return 104;
	pid = fork();
	if (pid == 0) {
		int fd = in_child(sv[1]);

		give(sv[1], 1);
		_exit(others(fd, want));
	}
	give(sv[0], 0);
	mine = others(in_parent(sv[0]), want);
	waitpid(pid, &status, 0);
	return (mine & 63) * 4 + (WEXITSTATUS(status) & 63) + ((mine | WEXITSTATUS(status)) & 64);
}
