# SPDX-License-Identifier: MIT
"""./aril bench ext: downloaded code. What verifying and compiling take; ten kernels, compiled from BPF and by clang from the
same source; what it costs where the kernel runs it, beside the same policy in the library; the same kernels by Linux's BPF.
Instructions, counted by QEMU."""
import concurrent.futures
import json
import os
import re
import subprocess
import sys

import beside
import guests
import page

ROOT = guests.ROOT
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
        raise guests.Unavailable(f"ext: no trace of an event: {last_line(done)}")
    return sum(int(n) for n in counts[:2]) - 3 + 4


def last_line(done):
    return ((done.stderr + done.stdout).strip().splitlines() or ["nothing said"])[-1]


def guest(*words):
    done = subprocess.run([str(ROOT / "aril"), "run", "-v", "--timeout", "120", *words], cwd=ROOT, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=200, env={**os.environ, "ARIL_ICOUNT": "1"}, check=False)
    if done.returncode or "WRONG" in done.stdout or "refused" in done.stdout:
        wrong = re.search(r"^.*(WRONG|refused).*$", done.stdout, re.M)
        raise guests.Unavailable(f"ext: status {done.returncode}: {wrong[0] if wrong else last_line(done)}")
    return done.stdout


IDLE = "i=0; while [ $i -lt 100 ]; do echo line; usleep 3000; i=$((i + 1)); done; cat /proc/exos_idle"


def idle(*words):
    """What /proc/exos_idle says after a hundred lines, written and slept after."""
    said = guest("--smp", "1", *words, "--", "busybox", "sh", "-c", IDLE)
    return {name: int(n) for name, n in re.findall(r"^(\w+) (\d+)$", said, re.M)}


def idle_report(found, library, downloaded):
    """An ExOS processor with nothing to run: woken by each event, or by those for which the predicate holds."""
    each = library["cycles"] // max(library["vain"], 1)
    found["idle"] = {"library": library["vain"], "pass": each, "predicate": downloaded["vain"], "kept": downloaded["kept"]}
    return (f"ExOS with nothing to run, a hundred lines written: {library['vain']} passes for nothing, {each} instructions each; where it waits "
            f"by a predicate {downloaded['vain']} before that was there, {downloaded['kept']} not made: the predicate ran "
            f"{downloaded['runs']} times, in its {downloaded['waits']} waits")


def linux(notes):
    """{metric: figure} of the same kernels as programs of Linux's BPF; empty where there is no Linux."""
    try:
        side = guests.Linux()
        return guests.measure(side, [n for n in beside.metrics() if n.startswith("bpf_")])
    except guests.Unavailable as error:
        notes.append(f"no Linux beside it: {error}")
        return {}


def measured():
    """Everything, guests two at a time: they are counted, so neither hurts the other."""
    notes = []
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        runs = {"points": pool.submit(guest, "--primary", "ext_points", "--native", "authority"), "linux": pool.submit(linux, notes),
                "kernels": pool.submit(guest, "--primary", "ext"), "dispatch": pool.submit(dispatch), "library": pool.submit(idle),
                "predicate": pool.submit(idle, "--native", "authority")}
    got = {name: run.result() for name, run in runs.items()}
    found = {"kernels": {}, "points": {}, "loads": [], "linux": got["linux"], "notes": notes}
    counted = {name: int(n) for name, n in re.findall(r"^counted (\w+) (\d+)$", got["kernels"], re.M)}
    for match in re.finditer(r"^verify (\w+) (\d+) (\d+) (\d+) (\d+) \d+\nkernel \1 (\d+) (\d+) (\d+)$", got["kernels"], re.M):
        name, (insns, verify, took, size, jit, scalar, plain) = match[1], map(int, match.groups()[1:])
        found["kernels"][name] = {"insns": insns, "verify": verify, "compile": took, "bytes": size, "compiled": jit,
                                  "scalar": scalar, "plain": plain, "counted": counted.get(name, jit)}
    if len(found["kernels"]) != 10:
        raise guests.Unavailable("ext: not all kernels were measured")
    for name, _, median in re.findall(r"^bench (\w+) (\d+) (\d+)$", got["points"], re.M):
        found["points"][name] = int(median) / 10
    found["points"]["dispatch"] = got["dispatch"]
    found["loads"] = [int(n) for n in re.findall(r"^load \d+ (\d+) \d+$", got["points"], re.M)]
    return found, got["library"], got["predicate"]


def of_linux(found, metric):
    return found["linux"].get(metric, {}).get("median")


def kernels_table(found):
    """Rows: a kernel, ours, Linux's, and what clang makes of it."""
    rows = [("kernel", "BPF", "verify", "compile", "load", "Linux's", "ratio", "bytes", "run", "counted", "Linux's", "ratio", "clang, scalar", "-O2")]
    for name, k in found["kernels"].items():
        load, run = of_linux(found, f"bpf_load_{name}"), of_linux(found, f"bpf_{name}")
        refused = page.outcome(found["linux"].get(f"bpf_{name}"))
        rows.append((name, str(k["insns"]), f"{k['verify']:,}", f"{k['compile']:,}", f"{k['verify'] + k['compile']:,}",
                     page.outcome(found["linux"].get(f"bpf_load_{name}")), page.quotient(load and load / (k["verify"] + k["compile"])), str(k["bytes"]),
                     f"{k['compiled']:,}", f"{k['counted']:,}", refused, page.quotient(run and run / k["compiled"]), f"{k['scalar']:,}", f"{k['plain']:,}"))
    return rows


def points_table(found):
    rows = [("", "by the library", "downloaded", "aim", "")]
    for what, library, downloaded, aim in POINTS:
        a, b = found["points"][library], found["points"][downloaded]
        rows.append((what, f"{a:,.0f}", f"{b:,.0f}", "" if aim is None else str(aim), "" if aim is None else "ok" if b <= aim else "missed"))
    event, behind = found["points"]["event_by_handler"], found["points"]["event_behind_guards"]
    each = (behind - event) / GUARDS
    rows.append(("a guard that says no, its own instructions included", "", f"{each:,.1f}", str(GUARD), "ok" if each <= GUARD else "missed"))
    above = found["points"]["dispatch"]
    rows.append(("a handler that does nothing, above a direct call", "", f"{above:,}", str(DISPATCH), "ok" if above <= DISPATCH else "missed"))
    return rows


def sentences(found, library, downloaded):
    out, rows = [], found["kernels"].values()
    for other in ("scalar", "plain"):
        mean = page.mean(r["compiled"] / r[other] for r in rows)
        aim = f" (aim {AIM}: {'ok' if mean <= AIM else 'missed'})" if other == "scalar" else ""
        out.append(f"compiled to {other}, geometric mean: {mean:.2f}{aim}")
    out.append(f"with writers counted, since their budget does not cover their longest run: {page.mean(r['counted'] / r['scalar'] for r in rows):.2f}")
    insns = sum(r["insns"] for r in rows)
    out.append(f"verified: {sum(r['verify'] for r in rows) * 1000 // insns:,} instructions for 1,000 of a program; "
               f"compiled: {sum(r['compile'] for r in rows) * 1000 // insns:,}")
    out.append("scalar: clang -O2 -fno-vectorize -fno-slp-vectorize; counted: under a budget that may be spent")
    both = [(of_linux(found, f"bpf_{n}"), k) for n, k in found["kernels"].items() if of_linux(found, f"bpf_{n}")]
    if both:
        out.append(f"Linux's BPF to ours, of the {len(both)} kernels that its verifier takes: running {page.mean(a / k['compiled'] for a, k in both):.2f}, loading "
                   f"{page.mean(of_linux(found, f'bpf_load_{n}') / (k['verify'] + k['compile']) for n, k in found['kernels'].items() if of_linux(found, f'bpf_load_{n}')):.2f}")
        out.append(f"Linux, a program that does nothing: {page.outcome(found['linux'].get('bpf_nothing'))} in the loop that tests programs, its loop included; "
                   f"on a socket it adds {page.outcome(found['linux'].get('bpf_filtered'))} to a datagram")
    extra = found["points"]["wake_in_vain_by_predicate"] - found["points"]["wake_none"]
    out.append(f"a predicate that says no, within its wake: {extra:.0f} instructions")
    out.append("loading, from the object to sealed code: " + ", ".join(f"{n:,}" for n in found["loads"]))
    out.append(idle_report(found, library, downloaded))
    return out + found["notes"]


def lost(found):
    """Kernels where Linux's BPF takes fewer."""
    out = [f"`{n}` {what}: {a / b:.2f}" for n, k in found["kernels"].items()
           for what, a, b in (("run", of_linux(found, f"bpf_{n}"), k["compiled"]), ("load", of_linux(found, f"bpf_load_{n}"), k["verify"] + k["compile"]))
           if a and a < 0.995 * b]
    return out


def missed(found):
    return [f"{r[0]}: {r[2]}, aim {r[3]}" for r in points_table(found) if r[4] == "missed"]


def shown(rows):
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    for r in rows:
        print("  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths))).rstrip())


def marked(rows):
    return [f"| {' | '.join(rows[0])} |", f"| --- |{' ---: |' * (len(rows[0]) - 1)}", *(f"| {' | '.join(r)} |" for r in rows[1:])]


def check():
    """As beside.check: instructions of kernels, points and loads that are more than 5 % (and one) above what is committed."""
    try:
        before = json.loads(RESULTS.read_text())
    except FileNotFoundError:
        print("no bench/results/ext.json: run ./aril bench ext first", file=sys.stderr)
        sys.exit(2)
    kernels = guest("--primary", "ext")
    now = {f"{m[1]}, compiled": int(m[2]) for m in re.finditer(r"^kernel (\w+) (\d+) \d+ \d+$", kernels, re.M)}
    now.update({f"{m[1]}, verified": int(m[2]) for m in re.finditer(r"^verify (\w+) \d+ (\d+) ", kernels, re.M)})
    points = guest("--primary", "ext_points", "--native", "authority")
    now.update({n: int(median) / 10 for n, median in re.findall(r"^bench (\w+) \d+ (\d+)$", points, re.M)})
    then = {**{f"{n}, compiled": k["compiled"] for n, k in before["kernels"].items()}, **{f"{n}, verified": k["verify"] for n, k in before["kernels"].items()},
            **{n: v for n, v in before["points"].items() if n != "dispatch"}}
    worse = 0
    for name, was in then.items():
        if name not in now:
            print(f"ext: {name}: was {page.number(was)}, is not measured any more")
        elif now[name] > was * 1.05 + 1:
            print(f"ext: {name}: was {page.number(was)}, is {page.number(now[name])}")
        else:
            continue
        worse += 1
    return worse, len(then)


def run(options=()):
    found, library, downloaded = measured()
    said = sentences(found, library, downloaded)
    if "--json" in options:
        print(json.dumps(found, indent=1, sort_keys=True))
    else:
        shown(kernels_table(found))
        print()
        shown(points_table(found))
        print("\n".join(said))
        for loss in lost(found):
            print(f"loss: {loss}")
        for aim in missed(found):
            print(f"missed: {aim}")
    RESULTS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    losses = "; ".join(lost(found))
    text = ["# `./aril bench ext`", "", "Downloaded code, instructions as QEMU counts them. *Load* is verifying and compiling, from the same source compiled by clang for BPF; Linux's is its "
            "`BPF_PROG_LOAD` of the same, and its *run* one of `BPF_PROG_TEST_RUN` less that of a program that does nothing. Where Linux's verifier takes no such "
            "program, the error is shown. Ratios are Linux / Aril.", "", f"**Losses**, Linux / Aril below 1: {losses}." if losses else "**Losses: none.**",
            *(f"**Aim missed**: {aim}." for aim in missed(found)), "",
            *marked(kernels_table(found)), "", *marked(points_table(found)), "", *(f"- {s}" for s in said)]
    (beside.REPORTS / "ext.md").write_text("\n".join(text) + "\n")
    return 0
