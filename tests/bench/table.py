#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
#
# The raw rows of run.sh as tables: ratios to the first contender, each the median of the ratios taken
# round by round, so that a machine whose speed drifts does not spoil them; and what libjail promises.
#
#   table.py micro|macro RAW CONTENDER...
import sys
from statistics import median

PROMISED = {
    "open+close abs (5 comps)": 1.25, "open+close abs (10 comps)": 1.25,
    "stat abs (5 comps)": 2.0, "stat abs (10 comps)": 2.0,
    "stat relative (1 comp)": 1.15, "fstatat(dirfd)": 1.15,
    "stat ENOENT abs": 1.8, "open ENOENT abs": 1.8,
    "readlink abs": 2.7, "access abs": 2.7, "getcwd": 1.3, "fork+execve true+wait": 1.15,
    "findsize": 1.10, "tarnull": 1.10, "gitstatus": 1.10, "make": 1.10,
}


def main(what, path, contenders):
    unit = "ns" if what == "micro" else "s"
    value = (lambda f: float(f[0])) if what == "micro" else (lambda f: float(f[1]) + float(f[2]))
    got, failed, order = {}, {}, []
    for line in open(path):
        r, c, name, *f = line.rstrip("\n").split("\t")
        if name not in order:
            order.append(name)
        if f[0] == "FAIL" or (what == "macro" and f[3] != "0"):
            failed[name, c] = f[1] if f[0] == "FAIL" else "status " + f[3]
        else:
            got.setdefault((name, c), {})[r] = value(f)
    base = contenders[0]
    head = [f"{base} {unit}"] + [f"{c} ratio" for c in contenders[1:]] + ["promised"]
    print(f"{'CPU time of' if what == 'macro' else 'time of':32}" + "".join(f" {h:>17}" for h in head))
    short = 0
    for name in order:
        first = got.get((name, base), {})
        cells = [f"{median(first.values()):.{0 if what == 'micro' else 3}f}" if first else "failed"]
        ratio = {}
        for c in contenders[1:]:
            mine = got.get((name, c), {})
            pairs = [mine[r] / first[r] for r in mine if first.get(r)]
            ratio[c] = median(pairs) if pairs else None
            cells.append(f"{ratio[c]:.2f}" if pairs else failed.get((name, c), "-"))
        note = f"{PROMISED[name]:.2f}" if name in PROMISED else ""
        mine, theirs = ratio.get("jail"), ratio.get("fakechroot")
        if mine and name in PROMISED and mine > PROMISED[name]:
            note += " MISSED"
            short += 1
        if mine and theirs and mine > theirs * 1.05:
            note += " slower"
            short += 1
        print(f"{name:32}" + "".join(f" {x:>17}" for x in cells) + f" {note:>17}")
    print(f"{short} rows fall short" if short else "every row is as promised")


main(sys.argv[1], sys.argv[2], sys.argv[3:])
