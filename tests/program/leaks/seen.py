# SPDX-License-Identifier: ISC
#
# What jailreport --json says of leaks, held against what was seeded:
#   seen.py none FILE          no leak
#   seen.py MODE FILE <SEEDS   each seed, and nothing else; MODE is report or force
# A seed is a line "NAME CALL WHERE [FUNCTION]": exactly one call site, by this call, at WHERE (file:line;
# module+0x: no line is known), in a function whose name this expression finds.  Prints for each seed
# 0 (as it should be) or 1, and its name; why not goes before it.
import json
import re
import sys

mode, name = sys.argv[1:3]
with open(name) as f:
    groups = [g for g in json.load(f)["groups"] if g["kind"] == "leak"]


def look(group):
    """(where, function, stopped or leaked as it should be)"""
    blamed = [f for f in group.get("stack", []) if f.get("blamed")]
    frame = blamed[0] if blamed else {}
    at = group.get("script") or frame
    if at.get("file"):
        where = "%s:%s" % (re.sub(".*/", "", at["file"]), at.get("line"))
    else:
        where = "%s+%s" % (re.sub(".*/", "", frame.get("module", "?")), frame.get("offset"))
    return where, frame.get("function") or "", group.get("stopped" if mode == "force" else "leaked", 0) > 0


def say(word, group):
    where, function, right = look(group)
    print("#", word, group.get("call"), where, function, "" if right else "(not %s)" % mode, json.dumps(group.get("stack", [])[:4]))


if mode == "none":
    for g in groups:
        say("found", g)
    sys.exit(len(groups) > 0)

taken = set()
for line in sys.stdin:
    seed, call, where, function = (line.split() + [""])[:4]
    mine = []
    for i, g in enumerate(groups):
        at, inside, right = look(g)
        if right and g.get("call") == call and i not in taken and re.search(function, inside):
            if at == where or where.endswith("+0x") and at.startswith(where):
                mine.append(i)
    taken |= set(mine)
    if len(mine) != 1:
        print("# %s: %d such call sites: %s %s %s" % (seed, len(mine), call, where, function))
    print(int(len(mine) != 1), seed)
for i, g in enumerate(groups):
    if i not in taken:
        say("besides:", g)
print(int(len(taken) != len(groups)), "and nothing else")
