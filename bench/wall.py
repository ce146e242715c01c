# SPDX-License-Identifier: MIT
"""The unix benchmark by the clock: a guest of Aril, a guest of Linux, one after the other, at least seven times; nothing is counted there.
Ratios of each pair; their median and quartiles. The emulator's time: not a processor's."""
import json
import os
import statistics
import time

import beside
import guests

PAIRS, QUICK_PAIRS = 7, 2
NAMES = ("getpid", "clock_gettime_syscall", "pread_1b", "pread_4k", "pipe_write_read_self", "pipe_rt", "unix_stream_rt", "futex_rt_2thread",
         "thread_create_join", "trap_sigsegv_skip", "signal_self", "appel1_prot1_trap_unprot", "appel2_protN_trap_unprot", "mmap_touch_munmap",
         "open_read4k_close", "stat", "fork_exit_wait", "fork_exec_wait", "sh_200", "matmul_150")
IDLE = 0.6  # load, above which the machine had other work


def quartiles(values):
    values = sorted(values)
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def measure(pairs, options):
    notes, load = [], os.getloadavg()[0]
    sides = [s for s in beside.sides_of(options, notes, wall=True) if s.name in ("aril", "linux")]
    if len(sides) < 2:
        raise guests.Unavailable("the wall clock is read in pairs, and there is no Linux here")
    figures, began = {s.name: {} for s in sides}, time.monotonic()
    for pair in range(pairs):
        for side in sides if pair % 2 == 0 else sides[::-1]:
            guests.progress(f"wall: pair {pair + 1} of {pairs}, {side.name}, {time.monotonic() - began:.0f} s")
            for name, figure in guests.measure(side, NAMES).items():
                figures[side.name].setdefault(name, []).append(figure.get("median"))
    rows = {}
    for name in NAMES:
        got = [(a, b) for a, b in zip(*(figures[s].get(name, []) for s in ("aril", "linux"))) if a and b]
        if got:
            rows[name] = {"aril": [a for a, _ in got], "linux": [b for _, b in got], "ratio": [round(q, 3) for q in quartiles([b / a for a, b in got])]}
    load = max(load, 0)
    if load > IDLE:
        notes.append(f"the machine had other work (load {load:.1f} before the run): these ratios are of little worth")
    qemu = guests.said("qemu-system-x86_64", "--version").splitlines()[0]
    return {"schema": 1, "unit": "ticks of the host's counter per operation, medians over batches, a figure a pair; ratio: quartiles of Linux / Aril",
            "flags": " ".join(guests.WALL), "pairs": pairs, "load": round(load, 2), "loaded": load > IDLE, "metrics": rows,
            "versions": {**{s.name: s.version() for s in sides}, "qemu": qemu}, "notes": notes}


def counted():
    """Ratios by instructions, as committed."""
    found = {}
    for name in ("unix", "control"):
        try:
            rows = json.loads((beside.RESULTS / f"{name}.json").read_text())["metrics"]
        except FileNotFoundError:
            continue
        found.update({n: beside.ratio(r) for n, r in rows.items()})
    return found


def run(options=()):
    document = measure(QUICK_PAIRS if "--quick" in options else PAIRS, options)
    instructions = counted()
    table = [("operation", "by the clock", "quartiles", "by instructions")]
    for name, row in document["metrics"].items():
        low, middle, high = row["ratio"]
        other = instructions.get(name)
        table.append((name, f"{middle:.2f}", f"{low:.2f} to {high:.2f}", "" if other is None else f"{other:.2f}"))
    if "--json" in options:
        print(json.dumps(document, indent=1))
    else:
        widths = [max(len(r[i]) for r in table) for i in range(4)]
        for r in table:
            print("  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths))).rstrip())
        print(f"Linux / Aril, {document['pairs']} pairs; {document['flags']}")
        for note in document["notes"]:
            print(note)
    if "--quick" in options:
        return 0
    (beside.RESULTS / "wall.json").write_text(json.dumps(document, indent=1) + "\n")
    text = ["# `./aril bench wall`", "", f"Linux / Aril by the host's clock, {document['pairs']} pairs of guests one after the other; `{document['flags']}` on both sides. "
            "Beside it the ratio of instructions. TCG models no TLB, no caches, no PCID: this is the emulator's time, in which a write to CR3 is dear.", ""]
    text += [f"**{n[0].upper() + n[1:]}.**" for n in document["notes"]]
    text += ["", "| " + " | ".join(table[0]) + " |", "| --- | ---: | ---: | ---: |", *(f"| `{a}` | {b} | {c} | {d} |" for a, b, c, d in table[1:])]
    (beside.REPORTS / "wall.md").write_text("\n".join(text) + "\n")
    return 0
