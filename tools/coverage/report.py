#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Branch coverage of kernel/ from runs in QEMU and on the host together.

usage: report.py BUILD COUNTS HOST [--lines]   BUILD: of the counting kernel; COUNTS: *.counts of its runs;
                                               HOST: objects of the host's tests; --lines: lists what was not reached
A line of several builds has the branches of the build that has most of them taken, or, where the builds agree on how many
there are, a branch is taken if it is in any. Branches of lines with assert( or panic( do not count. The lines with
branches that nothing takes have their reasons in tests/uncovered.txt; those without are listed.
"""
import collections
import gzip
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

LEAST = 90  # per cent of branches, below which this fails

def unpack(counts, to):
    """The .gcda files of one run under `to`, by their path."""
    data, at, name, files = counts.read_bytes(), 0, None, collections.defaultdict(bytes)
    while at + 3 <= len(data):
        size = int.from_bytes(data[at + 1:at + 3], "little")
        body = data[at + 3:at + 3 + size]
        if data[at:at + 1] == b"F":
            name = body.decode()
        else:
            files[name] += body
        at += 3 + size
    for path, body in files.items():
        target = to / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)


def merged(runs, work):
    """All runs' counters in one tree."""
    total = None
    for i, counts in enumerate(runs):
        one = work / f"run{i}"
        unpack(counts, one)
        if not one.exists():
            continue
        if total:
            both = work / f"total{i}"
            if subprocess.run(["gcov-tool", "merge", total, one, "-o", both], capture_output=True, check=False).returncode:
                print(f"coverage: {counts.name} does not merge", file=sys.stderr)
                continue
            total = both
        else:
            total = one
    return total


def gcov(gcda, gcno, lines):
    """Adds the lines and branches of one object."""
    with tempfile.TemporaryDirectory() as d:
        shutil.copy(gcda, d + "/x.gcda")
        shutil.copy(gcno, d + "/x.gcno")
        out = subprocess.run(["gcov", "-b", "--json-format", "-t", "x.gcda"], cwd=d, capture_output=True, check=False).stdout
    for text in out.splitlines():
        for file in json.loads(gzip.decompress(text) if text[:2] == b"\x1f\x8b" else text)["files"]:
            path = file["file"]
            if "kernel/" not in path or "gen/" in path:
                continue
            path = path[path.index("kernel/"):]
            here = collections.defaultdict(lambda: [0, []])
            for line in file["lines"]:
                entry = here[line["line_number"]]
                taken = [b["count"] > 0 for b in line["branches"]]
                same = len(entry[1]) == len(taken)
                entry[0] += line["count"]
                entry[1] = [a or b for a, b in zip(entry[1], taken)] if same else max(entry[1], taken, key=sum)
            for number, (count, taken) in here.items():
                entry = lines[path].setdefault(number, [0, taken])
                entry[0] += count
                same = len(entry[1]) == len(taken)
                entry[1] = [a or b for a, b in zip(entry[1], taken)] if same else max(
                    entry[1], taken, key=lambda t: sum(t) / max(len(t), 1))


def explained():
    """The reasons of tests/uncovered.txt: (file, a line's text or "*" for the whole file) to reason."""
    found = {}
    for line in Path("tests/uncovered.txt").read_text().splitlines():
        match = re.match(r"(kernel/\S+): (.*?) :: (.+)$", line)
        if match:
            found[match[1], match[2]] = match[3]
    return found


def main():
    build, counts, host = (Path(a).resolve() for a in sys.argv[1:4])
    lines = collections.defaultdict(dict)
    with tempfile.TemporaryDirectory() as d:
        total = merged(sorted(counts.glob("*.counts")), Path(d))
        for gcda in sorted(total.rglob("*.gcda")) if total else []:
            gcno = Path("/", gcda.relative_to(total)).with_suffix(".gcno")
            if gcno.exists():
                gcov(gcda, gcno, lines)
        for gcda in sorted(host.glob("*.gcda")) if host.exists() else []:
            gcov(gcda, gcda.with_suffix(".gcno"), lines)
    reasons, sums, unexplained = explained(), [0, 0, 0, 0], []
    for path in sorted(lines):
        source, row, missing = Path(path).read_text().splitlines(), [0, 0, 0, 0], []
        for number, (count, taken) in sorted(lines[path].items()):
            text = source[number - 1].strip() if number <= len(source) else ""
            row[0] += count > 0
            row[1] += 1
            if not re.search(r"\b(assert|panic)\(", text):
                row[2] += sum(taken)
                row[3] += len(taken)
                if not count or not all(taken):
                    why = reasons.get((path, text)) or reasons.get((path, "*"))
                    missing.append(f"{path}:{number}: {sum(taken)} of {len(taken)} branches: {text}"
                                   + (f"  ({why})" if why else ""))
                    if not why and taken:
                        unexplained.append(missing[-1])
        print(f"{path:36} lines {row[0]:5} of {row[1]:5}   branches {row[2]:5} of {row[3]:5}")
        sums = [a + b for a, b in zip(sums, row)]
        if "--lines" in sys.argv:
            print("".join(f"{m}\n" for m in missing), end="")
    if not sums[1]:
        print("coverage: no counters found", file=sys.stderr)
        return 1
    if "--lines" not in sys.argv:
        print("".join(f"no reason: {m}\n" for m in unexplained), end="")
    percent = 100 * sums[2] / max(sums[3], 1)
    print(f"kernel: {100 * sums[0] // sums[1]} % of {sums[1]} lines, {percent:.1f} % of {sums[3]} branches; "
          f"{len(unexplained)} lines with a branch not taken and no reason in tests/uncovered.txt")
    return percent < LEAST


if __name__ == "__main__":
    sys.exit(main())
