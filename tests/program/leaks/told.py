# SPDX-License-Identifier: ISC
#
# Events held against what a program of table.c did: told.py WHAT EVENTS OUTPUT.  Says what is different.
import json
import re
import subprocess
import sys

what, name, output = sys.argv[1:4]
events = [json.loads(line) for line in open(name, errors="replace")]
text = open(output, errors="replace").read()
source = sys.argv[4] if len(sys.argv) > 4 else ""
bad = []


def of(kind):
    return [e for e in events if e["ev"] == kind]


def line(site):
    """the line of table.c that a site blames"""
    if not site or not site.get("stack"):
        return None
    module, offset = site["stack"][site["blame"]]
    got = subprocess.run(["addr2line", "-e", site["modules"][module]["path"], offset], capture_output=True, text=True).stdout
    m = re.search(r":(\d+)", got)
    return int(m.group(1)) if m else None


def marked(mark):
    for n, text in enumerate(open(source), 1):
        if "/* %s */" % mark in text:
            return n


def is_at(site, mark):
    if line(site) != marked(mark):
        bad.append("%s: line %s, not %s: %s" % (mark, line(site), marked(mark), json.dumps(site)[:400]))


def table():
    fds, count = [], 0
    for e in of("table"):
        fds += [f["fd"] for f in e["fds"]]
        count += e["count"]
        if e["count"] != len(e["fds"]) and not e.get("cut"):
            bad.append("table: %d descriptors, %d shown" % (e["count"], len(e["fds"])))
    return fds, count


if what == "threads":
    is_open = {int(n) for n in re.search("^open(.*)", text, re.M).group(1).split()}
    fds, count = table()
    known = {n for n in fds if n > 2}
    if any(e.get("cut") for e in of("table")):
        bad.append("a table is cut")
    for word, which in ("lost", is_open - known), ("invented", known - is_open):
        if which:
            bad.append("%s: %s" % (word, sorted(which)))
    if len(fds) != len(set(fds)):
        bad.append("some are told twice")
    if any(e["site"] is None for e in of("table")):
        bad.append("a table without a maker")
    children = int(re.search(r"^children (\d+)", text, re.M).group(1))
    if children < 3:
        bad.append("only %d children" % children)
    if re.search(r"^with descriptors (\d+)", text, re.M).group(1) != "0":
        bad.append("children have descriptors: " + text)
    print("#", children, "children;", len(is_open), "open at the end")
elif what == "many":
    number = int(re.search(r"made (\d+)", text).group(1))
    if number < 900:
        bad.append("%d descriptors are not many" % number)
    fds, count = table()
    if count < number:
        bad.append("%d in the table, not %d" % (count, number))
    is_at(max(of("table"), key=lambda e: e["count"]), "MANY")
    print("# " + text.replace("\n", "; "))
elif what == "emfile":
    full = of("emfile")
    if len(full) != 1:
        bad.append("%d emfile events, not 1" % len(full))
    for e in full[:1]:
        is_at(e, "FULL")
        # (libjail's own is open too, above the limit that was set later)
        if (e["error"], e["call"], e["limit"], e["open"]) != ("EMFILE", "open", 82, 83):
            bad.append("emfile: %s" % {k: e[k] for k in ("error", "call", "limit", "open")})
    t = [e for e in of("table") if e["why"] == "emfile"]
    if [e["rank"] for e in t] != list(range(1, 11)) or [e["count"] for e in t] != list(range(12, 2, -1)):
        bad.append("ranks and counts: %s" % [(e["rank"], e["count"]) for e in t])
elif what == "closes":
    got = [(e["kind"], e) for e in of("bad-close")]
    kinds = [k for k, _ in got]
    if kinds != ["not-open", "double", "stream", "directory"]:
        bad.append("%s" % kinds)
    for kind, e in got:
        if kind == "not-open":
            is_at(e["closer"], "NOT OPEN")
            if e["fd"] != 17:
                bad.append("fd %s, not 17" % e["fd"])
        elif kind == "double":
            is_at(e["closer"], "SECOND")
            is_at(e.get("closed"), "FIRST")
            is_at(e.get("made"), "MADE")
        elif kind == "stream":
            is_at(e["closer"], "OF A FILE")
            is_at(e.get("made"), "FILE")
        elif kind == "directory":
            is_at(e["closer"], "OF A DIR")
            is_at(e.get("made"), "DIR")
elif what == "never":
    got = of("never-closed")
    if [e["count"] for e in got] != [3]:
        bad.append("%s" % [(e["count"], e["call"]) for e in got])
    for e in got[:1]:
        is_at(e, "NEVER")
    if [(e["made"], e["open"], e["status"]) for e in of("exit")] != [(4, 3, 0)]:
        bad.append("exit: %s" % [(e["made"], e["open"], e["status"]) for e in of("exit")])
for b in bad:
    print("#", b)
sys.exit(len(bad) > 0)
