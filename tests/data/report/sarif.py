#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
#
# What SARIF 2.1.0's schema requires, and what it allows where we write something; on stdin.
import json
import sys

log = json.load(sys.stdin)
assert log["version"] == "2.1.0" and log["$schema"].startswith("https://"), "version"
assert set(log) <= {"$schema", "version", "runs", "properties"}, set(log)
for run in log["runs"]:
    driver = run["tool"]["driver"]
    assert driver["name"]
    rules = driver["rules"]
    assert len({r["id"] for r in rules}) == len(rules)
    for r in rules:
        assert r["shortDescription"]["text"] and r["help"]["text"]
        assert r["defaultConfiguration"]["level"] in ("none", "note", "warning", "error")
    for r in run["results"]:
        assert r["message"]["text"]
        assert rules[r["ruleIndex"]]["id"] == r["ruleId"]
        assert r["level"] in ("none", "note", "warning", "error")
        assert r["occurrenceCount"] >= 1
        assert r.get("baselineState", "new") in ("new", "unchanged", "updated", "absent")
        for s in r.get("suppressions", []):
            assert s["kind"] in ("inSource", "external")
        frames = [f["location"] for s in r.get("stacks", []) for f in s["frames"]]
        assert len(r["locations"]) == 1
        for where in r["locations"] + frames:
            place = where["physicalLocation"]
            artifact = place["artifactLocation"]
            assert artifact["uri"] and " " not in artifact["uri"], artifact
            assert artifact["uri"].startswith("file:///") or artifact["uriBaseId"] == "SRCROOT", artifact
            if "region" in place:
                assert place["region"]["startLine"] >= 1
            if "address" in place:
                assert place["address"]["relativeAddress"] >= 0
    print(len(run["results"]))
