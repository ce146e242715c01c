# SPDX-License-Identifier: MIT
"""The unix benchmark by the clock: a guest of Aril, a guest of Linux, one after the other, at least seven times; nothing is counted there.
Ratios of each pair; their median and quartiles. The emulator's time: not a processor's. Behind it, by which way system calls came."""
import concurrent.futures
import json
import os
import re
import statistics
import subprocess
import time

import beside
import guests
import page

PAIRS, QUICK_PAIRS = 7, 2
IDLE, IDLE_SECONDS = 0.3, 3  # processors that others keep busy, above which the machine had other work; for how long that is looked at


def others():
    """How many processors others keep busy now, while nothing of ours runs. The load average would have the suites before this one in it."""
    def times():
        fields = [int(n) for n in open("/proc/stat").readline().split()[1:9]]
        return sum(fields), fields[3] + fields[4]  # all; idle, and waiting for a disk
    all_before, idle_before = times()
    time.sleep(IDLE_SECONDS)
    all_now, idle_now = times()
    return os.cpu_count() * (1 - (idle_now - idle_before) / max(1, all_now - all_before))


def names():
    """The metrics of unix and control that both can have: what only Linux does is left out, and what takes minutes."""
    only = {f for forms in beside.FORMS.values() for f in forms if f.startswith(("uring_", "uffd_"))}
    return [n for n in dict.fromkeys((*beside.suite("unix"), "matmul_150")) if n not in beside.INSTRUMENT and n not in only]


def quartiles(values):
    values = sorted(values)
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def figures_of(side, wanted):
    found = guests.measure(side, [n for n in wanted if n != beside.COMPILE])
    if beside.COMPILE in wanted:
        found.update(guests.measure(side, [beside.COMPILE], guests.toolchain()))
    return found


def ways(metric):
    """(calls by a jump, by the kernel) of the whole program when it measures that."""
    side = guests.Aril(wall=True)
    tree = guests.toolchain() if metric == beside.COMPILE else None
    command = side.command([metric], tree)
    command.insert(2, "--trace=summary")
    done = subprocess.run(command, cwd=guests.ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=guests.SILENCE, env=side.environment(),
                          check=False)
    counts = re.search(r"system calls: (\d+) by a jump, (\d+) by the kernel", done.stderr + done.stdout)
    return (int(counts[1]), int(counts[2])) if counts else None


def reflected(wanted):
    """{metric: (by a jump, by the kernel)}, less what the program does before it measures; two guests at a time: only calls are counted."""
    done = 0

    def one(metric):
        nonlocal done
        try:
            got = ways(metric)
        except subprocess.TimeoutExpired:
            got = None
        done += 1
        guests.progress(f"ways of system calls: {done} of {len(wanted)}")
        return got

    without = ways("rdtsc")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = dict(zip(wanted, pool.map(one, wanted)))
    guests.progress("")
    return {n: [max(0, a - b) for a, b in zip(w, without)] for n, w in found.items() if w and without}


def row_of(name, figures):
    """A metric's row: each pair's figures and what they give."""
    pairs = [(a, b) for a, b in zip(figures["aril"].get(name, []), figures["linux"].get(name, [])) if a and b]
    if not pairs:
        return None
    row = {"aril": [a for a, _ in pairs], "linux": [b for _, b in pairs], "ratio": [round(q, 3) for q in quartiles([b / a for a, b in pairs])]}
    guarded = [(a, b) for a, b in zip(figures.get("guard", {}).get(name, []), figures["linux"].get(name, [])) if a and b]
    if guarded:
        row.update({"guard": [a for a, _ in guarded], "guarded": [round(q, 3) for q in quartiles([b / a for a, b in guarded])]})
    return row


def measure(pairs, options):
    notes, load = [], others()
    sides = [s for s in beside.sides_of(options, notes, wall=True) if s.name in ("aril", "guard", "linux")]
    if not any(s.name == "linux" for s in sides):
        raise guests.Unavailable("the wall clock is read in pairs, and there is no Linux here")
    wanted = names()
    if "--quick" in options:
        wanted = [n for n in wanted if n not in beside.SLOW]
    figures, began = {s.name: {} for s in sides}, time.monotonic()
    for pair in range(pairs):
        for side in sides if pair % 2 == 0 else sides[::-1]:
            guests.progress(f"pair {pair + 1} of {pairs}, {time.monotonic() - began:.0f} s", "wall")
            found = figures_of(side, wanted if side.name != "guard" else [n for n in wanted if n != beside.COMPILE])
            for name in wanted:
                figures[side.name].setdefault(name, []).append(found.get(name, {}).get("median"))
    guests.progress("", "wall")
    rows = {n: r for n in wanted if (r := row_of(n, figures))}
    if "--quick" not in options:
        for name, calls in reflected(list(rows)).items():
            rows[name]["calls"] = calls
    control = rows.get("matmul_150", {}).get("ratio", (1, 1, 1))[1]
    if abs(control - 1) > 0.05:
        notes.append(f"matmul_150, which no kernel makes dearer, came out {control:.2f}: no ratio here is surer than that")
    if load > IDLE:
        notes.append(f"the machine had other work ({load:.1f} processors were busy before the run): these ratios are of little worth")
    qemu = guests.said("qemu-system-x86_64", "--version").splitlines()[0]
    return {"schema": 2, "unit": "ticks of the host's counter per operation, medians over batches, a figure a pair; ratio: quartiles of Linux / Aril",
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
    table = [("operation", "by the clock", "quartiles", "guarded", "by instructions", "reflected")]
    for name, row in document["metrics"].items():
        low, middle, high = row["ratio"]
        guarded = f"{row['guarded'][1]:.2f}" if "guarded" in row else ""
        table.append((name, f"{middle:.2f}", f"{low:.2f} to {high:.2f}", guarded, page.quotient(instructions.get(name)), page.share(row.get("calls"))))
    if "--json" in options:
        print(json.dumps(document, indent=1))
    else:
        widths = [max(len(r[i]) for r in table) for i in range(len(table[0]))]
        for r in table:
            print("  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths))).rstrip())
        print(f"Linux / Aril, {document['pairs']} pairs; geometric mean {page.mean(r['ratio'][1] for r in document['metrics'].values()):.2f}; {document['flags']}")
        for said in page.slower(document):
            print(said)
        for note in document["notes"]:
            print(note)
    if "--quick" in options:
        return 0
    (beside.RESULTS / "wall.json").write_text(json.dumps(document, indent=1) + "\n")
    page.again("unix")
    return 0
