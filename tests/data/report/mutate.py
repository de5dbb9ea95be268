#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
#
# Feeds jailreport mutated event files, documents and suppressions for some seconds: it must end with a
# status of its own, and write nothing that acts on a terminal or page, and JSON that is JSON.
# usage: mutate.py JAILREPORT SECONDS SEED DIRECTORY
import json
import os
import random
import subprocess
import sys
import time

report, seconds, seed, work = sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
here = os.path.dirname(os.path.abspath(__file__))
random.seed(seed)
env = dict(os.environ, JAILREPORT_ADDR2LINE="", ASAN_OPTIONS="detect_leaks=0:exitcode=99",
           UBSAN_OPTIONS="halt_on_error=1:exitcode=99")
source = b"".join(open(os.path.join(here, f), "rb").read()
                  for f in ("leaky.events", "hostile.events", "release.events"))
lines = source.split(b"\n")


def run(*args):
    return subprocess.run([report, *args], capture_output=True, env=env, timeout=60)


document = run("--json", os.path.join(here, "leaky.events")).stdout
known = run("--gen-suppressions", os.path.join(here, "leaky.events")).stdout
tokens = [b"null", b"-1", b"1e308", b'"\\u0000"', b"[]", b"{}", b"9" * 20, b"\xff", b"\x1b[31m", b'"\\ud800"',
          b"<script>", b"0x", b"{", b"}", b"[", b"]", b'"', b",", b":", b"\n", b"\0", b"true", b"1764000000.0",
          b"-0.0", b"1e-400", b'"0xffffffffffffffff"', b'"0xzz"', b"...\n", b"4294967296", b'\\u001b', b"what:",
          b"fun:*\n", b"\xc2\x9b", b"\xe2\x80\xae"]


def mutate(data, times):
    b = bytearray(data)
    for _ in range(times):
        kind, at = random.randrange(6), random.randrange(len(b) + 1)
        if kind == 0 and b:
            b[at % len(b)] = random.randrange(256)
        elif kind == 1:
            b[at:at] = random.choice(tokens)
        elif kind == 2:
            del b[at:at + random.randrange(1, 40)]
        elif kind == 3:
            other = random.randrange(len(b) + 1)
            b[at:at] = b[other:other + random.randrange(200)]
        elif kind == 4:
            colon = b.find(b":", at)
            if colon > 0:
                b[colon + 1:colon + random.randrange(1, 14)] = random.choice(tokens)
        elif random.random() < .05:
            del b[at:]
    return bytes(b)


def put(name, data):
    path = os.path.join(work, name)
    with open(path, "wb") as f:
        f.write(data)
    return path


def wrong(args, result):
    out = result.stdout
    if result.returncode not in (0, 1, 2):
        return "status %d: %s" % (result.returncode, result.stderr.decode(errors="replace")[-1500:])
    if any(c < 32 and c != 10 for c in out + result.stderr) or b"\xc2\x9b" in out or b"\xe2\x80\xae" in out:
        return "a control character in the output"
    if "--html" in args and b"<script" in out:
        return "markup in the page"
    if out and ("--json" in args or "--sarif" in args):
        try:
            json.loads(out)
        except ValueError as e:
            return "not JSON: %s" % e
    return None


forms = [[], ["--json"], ["--csv"], ["--sarif"], ["--gen-suppressions"], ["--html", "-"],
         ["--kept", "--inherited", "--tables", "-v", "--all"]]
end, n = time.time() + seconds, 0
while time.time() < end:
    some = b"\n".join(random.sample(lines, random.randrange(1, len(lines))))
    data = mutate(some, random.choice([1, 3, 10, 60])) if random.random() < .8 else \
        mutate(document, random.choice([1, 5, 20]))
    args = list(random.choice(forms))
    if random.random() < .3:
        args += ["--suppress", put("known", mutate(known, random.choice([0, 1, 3])))]
    if random.random() < .3:
        args += ["--diff", put("old", mutate(random.choice([document, source]), random.choice([0, 2, 10])))]
    args.append(put("events", data))
    what = wrong(args, run(*args))
    n += 1
    if what:
        print("input %d of seed %d, %s: %s" % (n, seed, " ".join(args), what))
        sys.exit(1)
print("%d inputs" % n)
