#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""./aril bench ext: downloaded code. What verifying and compiling take; ten kernels, compiled from BPF and by clang from the
same source; what it costs where the kernel runs it, beside the same policy in the library. Instructions, counted by QEMU."""
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
RESULTS = ROOT / "bench" / "results" / "ext.json"
AIM = 1.4
POINTS = (  # what, by the library, by downloaded code, aim
    ("page fault served, frame bound", "fault_by_upcall", "fault_by_handler", 100),
    ("exception that only goes on", "event_by_upcall", "event_by_handler", None),
    ("exception that the handler leaves to the library", "event_by_upcall", "event_declined", None),
    ("wake of one who waits for something else", "wake_in_vain_by_library", "wake_in_vain_by_predicate", None),
    ("a frame is asked for and given", "victim_by_upcall", "victim_by_handler", None),
)


GUARDS, GUARD, DISPATCH = 4, 10, 15  # guards measured at once; aims


def dispatch():
    """Instructions of an event with one handler that does nothing above a direct call. Counted one by one in a trace:
    those of arch_event_handler, less the call and the two that look at its answer, and four outside (docs/64-code.md)."""
    done = subprocess.run([str(ROOT / "bench" / "run"), "--explain", "event_by_handler"], cwd=ROOT, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=250, check=False)
    counts = re.findall(r"^ +(\d+) +arch_event_handler \(kernel\)$", done.stdout, re.M)
    if done.returncode or not counts:
        print(f"aril bench: no trace of an event\n{done.stdout[-1500:]}{done.stderr[-1500:]}", file=sys.stderr)
        sys.exit(2)
    return sum(int(n) for n in counts[:2]) - 3 + 4


def guest(*words):
    done = subprocess.run([str(ROOT / "aril"), "run", "-v", "--timeout", "120", *words], cwd=ROOT, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=200, env={**os.environ, "ARIL_ICOUNT": "1"}, check=False)
    if done.returncode or "WRONG" in done.stdout or "refused" in done.stdout:
        print(f"aril bench: status {done.returncode}\n{done.stdout[-1500:]}{done.stderr[-1500:]}", file=sys.stderr)
        sys.exit(2)
    return done.stdout


IDLE = "i=0; while [ $i -lt 100 ]; do echo line; usleep 3000; i=$((i + 1)); done; cat /proc/exos_idle"


def idle(*words):
    """What /proc/exos_idle says after a hundred lines, written and slept after."""
    said = guest("--smp", "1", *words, "--", "busybox", "sh", "-c", IDLE)
    return {name: int(n) for name, n in re.findall(r"^(\w+) (\d+)$", said, re.M)}


def idle_report():
    """An ExOS processor with nothing to run: woken by each event, or by those for which the predicate holds."""
    library, downloaded = idle(), idle("--native", "authority")
    each = library["cycles"] // max(library["vain"], 1)
    print(f"ExOS with nothing to run, a hundred lines written: {library['vain']} passes for nothing, {each} instructions each; where it waits "
          f"by a predicate\n{downloaded['vain']} before that was there, {downloaded['kept']} not made: the predicate ran "
          f"{downloaded['runs']} times, in its {downloaded['waits']} waits")
    return {"library": library["vain"], "pass": each, "predicate": downloaded["vain"], "kept": downloaded["kept"]}


def main():
    kernels = guest("--primary", "ext")
    points = guest("--primary", "ext_points", "--native", "authority")
    found = {"kernels": {}, "points": {}, "loads": []}
    print(f"{'kernel':10} {'BPF':>5} {'verify':>12} {'compile':>10} {'bytes':>6} {'compiled':>9} {'scalar':>9} {'-O2':>9} {'ratio':>6} {'counted':>8}")
    counted = {name: int(n) for name, n in re.findall(r"^counted (\w+) (\d+)$", kernels, re.M)}
    for match in re.finditer(r"^verify (\w+) (\d+) (\d+) (\d+) (\d+) \d+\nkernel \1 (\d+) (\d+) (\d+)$", kernels, re.M):
        name, (insns, verify, took, size, jit, scalar, plain) = match[1], map(int, match.groups()[1:])
        found["kernels"][name] = {"insns": insns, "verify": verify, "compile": took, "bytes": size, "compiled": jit,
                                  "scalar": scalar, "plain": plain, "counted": counted.get(name, jit)}
        more = f" {counted[name]:8,}" if name in counted else ""
        print(f"{name:10} {insns:5} {verify:12,} {took:10,} {size:6} {jit:9,} {scalar:9,} {plain:9,} {jit / scalar:6.2f}{more}")
    rows = found["kernels"].values()
    if len(rows) != 10:
        print("aril bench: not all kernels were measured", file=sys.stderr)
        return 2
    for other in ("scalar", "plain"):
        mean = math.exp(sum(math.log(r["compiled"] / r[other]) for r in rows) / len(rows))
        aim = f" (aim {AIM}: {'ok' if mean <= AIM else 'missed'})" if other == "scalar" else ""
        print(f"compiled to {other}, geometric mean: {mean:.2f}{aim}")
    mean = math.exp(sum(math.log(r["counted"] / r["scalar"]) for r in rows) / len(rows))
    print(f"with writers counted, since their budget does not cover their longest run: {mean:.2f}")
    insns = sum(r["insns"] for r in rows)
    print(f"verified: {sum(r['verify'] for r in rows) * 1000 // insns:,} instructions for 1,000 of a program; "
          f"compiled: {sum(r['compile'] for r in rows) * 1000 // insns:,}")
    print("scalar: clang -O2 -fno-vectorize -fno-slp-vectorize; counted: under a budget that may be spent.\n")
    for name, _, median in re.findall(r"^bench (\w+) (\d+) (\d+)$", points, re.M):
        found["points"][name] = int(median) / 10
    found["loads"] = [int(n) for n in re.findall(r"^load \d+ (\d+) \d+$", points, re.M)]
    print(f"{'':50} {'library':>9} {'downloaded':>11} {'aim':>5}")
    for what, library, downloaded, aim in POINTS:
        a, b = found["points"][library], found["points"][downloaded]
        said = "" if aim is None else f"{aim:5} {'ok' if b <= aim else 'missed'}"
        print(f"{what:50} {a:9,.0f} {b:11,.0f} {said}".rstrip())
    event, behind = found["points"]["event_by_handler"], found["points"]["event_behind_guards"]
    each = (behind - event) / GUARDS
    print(f"{'a guard that says no, its own instructions included':72} {each:9,.1f} {GUARD:5} {'ok' if each <= GUARD else 'missed'}")
    found["points"]["dispatch"] = above = dispatch()
    print(f"{'a handler that does nothing, above a direct call':72} {above:9,} {DISPATCH:5} {'ok' if above <= DISPATCH else 'missed'}")
    extra = found["points"]["wake_in_vain_by_predicate"] - found["points"]["wake_none"]
    print(f"a predicate that says no, within its wake: {extra:.0f} instructions")
    print("loading, from the object to sealed code: " + ", ".join(f"{n:,}" for n in found["loads"]))
    found["idle"] = idle_report()
    RESULTS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
