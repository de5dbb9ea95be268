#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
#
# The raw rows of run.sh as tables: ratios to the first contender, each the median of the ratios taken
# turn by turn, so that a machine whose speed drifts does not spoil it; and what libjail promises.
#
#   table.py CALLS WORK CONTENDER...     CALLS and WORK are files of rows; an empty one is left out
#
# A contender NAME=TREE is another build of libjail: "jail/NAME" is what libjail takes of its time.
import os
import sys
import textwrap
from statistics import median

PROMISED = {
    "open+close abs (5 comps)": 1.25, "open+close abs (10 comps)": 1.25, "open ENOENT abs": 1.8,
    "stat abs (5 comps)": 1.15, "stat relative (1 comp)": 1.15, "fstatat(dirfd)": 1.15,
    "getcwd": 1.3, "fork+execve true+wait": 1.15,
    "ls-lR": 1.08, "find-size": 1.08, "find-stat": 1.08, "tar-null": 1.08, "git-status": 1.08, "git-log": 1.08,
    "cp-a": 1.15, "rm-r": 1.15, "make": 1.10,
}
for call in "stat", "lstat", "statx", "access", "readlink":
    for path in "abs (3 comps)", "abs (10 comps)", "relative (3 comps)", "relative (10 comps)", "ENOENT abs", "ENOENT relative (3 comps)":
        PROMISED[f"{call} {path}"] = 1.15
SAME = 1.05  # what differs by less is as fast


class Table:
    def __init__(self, path, value):
        self.times, self.failed, self.rows = {}, {}, []
        for line in open(path):
            turn, contender, name, *figures = line.rstrip("\n").split("\t")
            if name not in self.rows:
                self.rows.append(name)
            if figures[0] == "FAIL":
                self.failed[name, contender] = figures[1]
            elif len(figures) > 3 and figures[3] != "0":
                self.failed[name, contender] = "status " + figures[3]
            else:
                self.times.setdefault((name, contender), {})[turn] = value(figures)

    def ratio(self, name, one, other):
        a, b = self.times.get((name, one), {}), self.times.get((name, other), {})
        pairs = [a[turn] / b[turn] for turn in a if b.get(turn)]
        return median(pairs) if pairs and not {(name, one), (name, other)} & set(self.failed) else None

    def note(self, name):
        ours, theirs = self.ratio(name, "jail", base), self.ratio(name, "jail", "fakechroot")
        words = [f"{PROMISED[name]:.2f}"] if name in PROMISED else []
        if words and ours and ours > PROMISED[name]:
            words.append("MISSED")
        if theirs and theirs > SAME:
            words.append("slower than fakechroot")
        return " ".join(words)

    def show(self, title, digits, noted=True):
        columns = [(c, c, base) for c in names[1:]] + [(f"jail/{c}", "jail", c) for c in trees]
        print(f"{title:32} {base:>12}" + "".join(f" {head:>12}" for head, _, _ in columns) + ("  promised" if noted else ""))
        for name in self.rows:
            first = self.times.get((name, base))
            cells = [f"{median(first.values()):.{digits}f}" if first else "failed"]
            for _, one, other in columns:
                r = self.ratio(name, one, other)
                cells.append(f"{r:.2f}" if r else self.failed.get((name, one), "-")[:12])
            print(f"{name:32}" + "".join(f" {x:>12}" for x in cells) + ("  " + self.note(name) if noted else ""))
        print()


def verdict(contender, tables):
    slower, faster, failed, rows = 0, {}, 0, 0
    for table in tables:
        for name in table.rows:
            r = table.ratio(name, contender, "jail")
            rows += 1
            failed += (name, contender) in table.failed
            slower += r is not None and r > SAME
            if r and r < 1 / SAME:
                faster[name] = r
    text = f"{contender}: slower than libjail on {slower} of {rows} rows"
    if failed:
        text += f", fails on {failed}"
    if faster:
        shown = sorted(faster, key=faster.get)[:None if contender in trees else 6]
        text += f", faster on {len(faster)}: " + ", ".join(f"{name} {faster[name]:.2f}" for name in shown)
        text += ", ..." if len(shown) < len(faster) else ""
    print(textwrap.fill(text, 110, subsequent_indent="  "))


calls, work, *contenders = sys.argv[1:]
names = [c.split("=")[0] for c in contenders]
trees = [c.split("=")[0] for c in contenders if "=" in c]
base = names[0]
counted = []
if os.path.getsize(calls):
    counted.append(Table(calls, lambda f: float(f[0])))
    counted[-1].show("a call, ns", 0)
if os.path.getsize(work):
    counted.append(Table(work, lambda f: float(f[1]) + float(f[2])))
    counted[-1].show("work, CPU s (no tracer's)", 3)
    Table(work, lambda f: float(f[0])).show("work, elapsed s", 3, noted=False)
missed = sum(note.count("MISSED") + note.count("slower") for t in counted for note in map(t.note, t.rows))
print(f"{missed} times short of what is promised" if missed else "every row is as promised")
if "jail" in names:
    for c in names[1:]:
        if c != "jail":
            verdict(c, counted)
