#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
#
# Single calls, in turns: each contender has a process of micro.c, and after a batch of calls it is the next
# one's turn, so that whatever else the machine does meets all of them alike.  Only one process is ever at
# work.  Operations that start processes run alone: a contender has a process of its own for each of them,
# and no other contender has one meanwhile.
#
#   turns.py ROUND BATCHES MS BIN CONTENDER... <GROUPS-AND-NAMES
#
# BIN/in-CONTENDER runs a command inside a contender.  Prints ROUND.BATCH, contender, operation, and
# nanoseconds a call or FAIL and the error.
import subprocess
import sys

turn, batches, ms, where, *contenders = sys.argv[1:]


class Micro:
    def __init__(self, contender, ms):
        self.contender = contender
        self.process = subprocess.Popen(
            [f"{where}/in-{contender}", "/opt/jb/micro", "-t", ms],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, errors="replace")

    def ask(self, batch, name):
        try:
            print(name, file=self.process.stdin, flush=True)
            answer = self.process.stdout.readline().strip()
        except BrokenPipeError:
            answer = ""
        print(f"{turn}.{batch}", self.contender, name, answer or "FAIL\tended", sep="\t")
        if not answer:
            self.process.wait()

    def end(self):
        self.process.communicate()


rows = [line.rstrip("\n").split("\t") for line in sys.stdin]
together = {c: Micro(c, ms) for c in contenders}
for _, name in (r for r in rows if r[0] != "processes"):
    for batch in range(int(batches)):
        for c in contenders[batch % len(contenders):] + contenders[:batch % len(contenders)]:
            if together[c].process.poll() is not None:
                together[c] = Micro(c, ms)
            together[c].ask(batch, name)
for c in contenders:
    together[c].end()
for _, name in (r for r in rows if r[0] == "processes"):
    for c in contenders:
        alone = Micro(c, str(5 * float(ms)))
        for batch in range(int(batches)):
            alone.ask(batch, name)
        alone.end()
