#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/44-linux-calls.md: what ExOS does with every system call of Linux on x86-64.

usage: gensyscalls.py libos/exos/syscalls.h tools/linux-x86_64.txt >docs/44-linux-calls.md
Made of the table of calls that ExOS dispatches by, of the notes behind it (what a call lacks, `NAME: text`), and of
the list of all calls (`NUMBER NAME`). Refuses a call that Linux has under another number, and a note of no call.
"""
import re
import sys

HEAD = """<!-- Made by tools/gensyscalls.py from libos/exos/syscalls.h: make docs. -->
# 44 Linux's system calls

What ExOS does with each of the {all} system calls of Linux on x86-64: {full} are there in full as far as ordinary programs use
them, {partial} in part, and {refused} are refused with ENOSYS, which the log says once for each, with the program's name; `--trace`
counts them. In part: what a call does not do, with the error that it gives instead; nothing reports an effect that it
did not have. `./aril test static` checks that this page is what the table says.

| no. | call | what ExOS does |
| ---: | --- | --- |
"""


def main():
    table = open(sys.argv[1], encoding="utf-8").read()
    linux = dict(line.split()[::-1] for line in open(sys.argv[2], encoding="utf-8"))
    here = {name: number for number, name in re.findall(r"CALL\((\d+), (\w+),", table)}
    notes = {}
    block = re.search(r"/\* What calls lack.*?\n((?: \*.*\n)*?) \*/", table + "\n */")
    for line in block[1].split(" *\n", 1)[1].splitlines():
        text = line[2:].strip()
        match = re.match(r"(\w+(?:, \w+)*): (.*)", text)
        if match:
            last = match[1].split(", ")
            for name in last:
                notes[name] = match[2]
        elif text:
            for name in last:
                notes[name] += " " + text
    for name, number in here.items():
        if linux.get(name) != number:
            sys.exit(f"{name}: is call {linux.get(name)} of Linux, not {number}")
    for name in notes:
        if name not in linux:
            sys.exit(f"a note of {name}, which is no call of Linux")
    rows, counts = [], {"full": 0, "partial": 0, "refused": 0}
    for name, number in sorted(linux.items(), key=lambda call: int(call[1])):
        kind = "refused" if name not in here else "partial" if name in notes else "full"
        counts[kind] += 1
        more = f": {notes[name]}" if name in notes else ""
        rows.append(f"| {number} | `{name}` | {kind}{more} |\n")
    sys.stdout.write(HEAD.format(all=len(linux), **counts) + "".join(rows))


main()
