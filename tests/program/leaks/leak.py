# SPDX-License-Identifier: ISC
# Leaks in Python: what is made by Python itself is close-on-exec, unless it says otherwise; what a C
# library makes is not.
import ctypes
import os
import sys

libc = ctypes.CDLL(None)
fixed = "fixed" in sys.argv


class Seeds:
    def memfd(self):
        return os.memfd_create("seed", os.MFD_CLOEXEC if fixed else 0)  # LEAK memfd

    def ctypes(self):
        flags = os.O_CLOEXEC if fixed else 0
        return libc.open(b"/etc/passwd", flags)  # LEAK ctypes

    def deep(self):
        def inner(names):
            return [
                os.memfd_create(name, os.MFD_CLOEXEC if fixed else 0)  # LEAK deep
                for name in names
            ]

        return inner(["seed"])


for name in sys.argv[1:]:
    if name != "fixed":
        getattr(Seeds(), name)()
sys.exit(os.spawnl(os.P_WAIT, "./has", "has"))
