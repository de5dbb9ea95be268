# SPDX-License-Identifier: ISC
# The same as pass.c, in Python, which leaves what it receives inheritable.
import fcntl
import os
import socket
import sys

want = int(sys.argv[1])
flags = socket.MSG_CMSG_CLOEXEC if "fixed" in sys.argv else 0


def others(fd):
    wrong = (fcntl.fcntl(fd, fcntl.F_GETFD) & fcntl.FD_CLOEXEC) != want
    return os.spawnl(os.P_WAIT, "./has", "has") | (64 if wrong else 0)


def number(control):
    return int.from_bytes(control[0][2], sys.byteorder)


a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
pid = os.fork()
if pid == 0:
    data, control, _, _ = b.recvmsg(1, socket.CMSG_SPACE(4), flags)  # LEAK child
    socket.send_fds(b, [b"x"], [1])
    os._exit(others(number(control)))
socket.send_fds(a, [b"x"], [0])
data, control, _, _ = a.recvmsg(1, socket.CMSG_SPACE(4), flags)  # LEAK parent
mine = others(number(control))
theirs = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.exit((mine & 63) * 4 + (theirs & 63) + ((mine | theirs) & 64))
