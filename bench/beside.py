# SPDX-License-Identifier: MIT
"""The suites of one Linux program on two systems (unix, control, boot): measured, compared, written down, drawn."""
import json
import math
import re
import subprocess
import sys
from xml.sax.saxutils import escape

import guests

ROOT = guests.ROOT
RESULTS = ROOT / "bench" / "results"
REPORTS = ROOT / "docs" / "results"
SCHEMA = 1
INSTRUMENT = {"empty_loop": 3, "rdtsc": 4}
CONTROL = ("matmul_150", "hash_64m")
COMPILE = "c_compile"
SLOW = (*CONTROL, "sh_200", COMPILE)  # neither in --check nor in --quick
BOOT = {"boot_to_main": "from QEMU's start, firmware included, to the first program's main; waiting counts, 1 ns as one"}
MEMORY = {"least_memory": "MiB of memory with which it comes that far: the least of 512, 256, 192, 128, 96, 64"}
AGREES = 0.03  # how far Linux may be from what was measured before


def metrics():
    """{name: what it is}, as the program's tables have them, in order."""
    found = {}
    for part in ("calls", "memory", "processes", "files", "control"):
        text = (ROOT / "bench" / "unix" / f"{part}.c").read_text()
        for name, what in re.findall(r'\{\s*"(\w+)",\s*\w+,\s*\d+,\s*\d+,\s*"([^"]*)"\s*\}', text):
            found[name] = what
    return {"empty_loop": "an iteration of an empty loop", "rdtsc": "reading the counter", **BOOT, **MEMORY, **found}


def suite(name):
    """The metrics of a suite."""
    every = metrics()
    if name == "boot":
        return [*INSTRUMENT, *BOOT, *MEMORY]
    if name == "control":
        return [*INSTRUMENT, *CONTROL]
    return [n for n in every if n not in CONTROL and n not in BOOT and n not in MEMORY]


def number(value):
    return "" if value is None else f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.1f}"


def outcome(side):
    """A side's figure, or why there is none."""
    if side is None:
        return ""
    if "median" in side:
        return number(side["median"])
    if "refused" in side:
        return f"refused {side['refused']}"
    return f"died {side['died']}" if "died" in side else "hangs"


def ratio(row, rival="linux"):
    """Linux / Aril: above 1, Aril takes fewer."""
    aril, linux = (row.get(s, {}).get("median") for s in ("aril", rival))
    return linux / aril if aril and linux else None


def fraction(row, rival):
    r = ratio(row, rival)
    return "" if r is None else f"{r:.2f}"


def verdict(name, row):
    r = ratio(row)
    if r is None or name in INSTRUMENT or name in CONTROL:
        return ""
    return "LOSS" if r < 0.995 else "win" if r > 1.005 else "even"


def sides_of(options, notes, wall=False):
    """Aril, and what of Linux can be had and was asked for; why not is noted."""
    sides = [guests.Aril(wall)]
    wanted = [lambda: guests.Linux(wall)]
    if "--mitigations-off" in options:
        wanted.append(lambda: guests.Linux(wall, "mitigations=off"))
    if "--lean" in options:
        wanted.append(lambda: guests.Lean(wall))
    for make in wanted:
        try:
            sides.append(make())
        except guests.Unavailable as error:
            notes.append(f"{'Aril alone, no Linux beside it: ' if len(sides) == 1 else ''}{error}")
    return sides


def measured(side, names):
    """The figures of a side: c_compile in a guest that has a compiler."""
    found = guests.measure(side, [n for n in names if n != COMPILE and n not in MEMORY])
    if "least_memory" in names:
        least = guests.least_memory(side)
        found["least_memory"] = {"min": least, "median": least} if least else {"refused": 12}
    if COMPILE in names:
        found.update({n: f for n, f in guests.measure(side, [COMPILE], guests.toolchain()).items() if n == COMPILE})
    return found


def kept(names):
    """(rows, versions) of the other sides as they are committed: for --aril. Only of the same QEMU and the same flags."""
    rows, versions = {}, {}
    qemu = guests.said("qemu-system-x86_64", "--version").splitlines()[0]
    for name in ("unix", "control", "boot"):
        try:
            before = json.loads((RESULTS / f"{name}.json").read_text())
        except FileNotFoundError:
            continue
        if before["versions"]["qemu"] == qemu and before["flags"] == " ".join(guests.FLAGS):
            versions.update({n: v for n, v in before["versions"].items() if n in ("linux", *RIVALS)})
            rows.update({n: {s: f for s, f in r.items() if s in ("linux", *RIVALS)} for n, r in before["metrics"].items() if n in names})
    return rows, versions


def measure(names, options=()):
    """The document of a run: see docs/results/README.md."""
    rows, notes, void = {n: {"what": w} for n, w in metrics().items() if n in names}, [], []
    versions, sides = {}, sides_of(options, notes) if "--aril" not in options else [guests.Aril()]
    if "--aril" in options:
        others_rows, versions = kept(names)
        for name, row in others_rows.items():
            rows[name].update(row)
        notes.append("only Aril was measured anew: the others' figures are of an earlier run, by the same QEMU with the same flags")
    for side in sides:
        try:
            for name, figure in measured(side, names).items():
                rows[name][side.name] = figure
            versions[side.name] = {**side.version(), "image_bytes": side.image_bytes()}
        except guests.Unavailable as error:
            if side.name == "aril":
                raise
            notes.append(str(error))
    for name, want in INSTRUMENT.items():
        for side in versions:
            got = rows.get(name, {}).get(side, {}).get("median")
            if got not in (None, want):
                void.append(f"{name} is {number(got)} on {side}, not {want}")
    for name in CONTROL:
        r = ratio(rows.get(name, {}))
        if r is not None and abs(r - 1) > 0.02:
            void.append(f"{name}: ratio {r:.3f}, not 1.00")
    notes += [f"void: {v}" for v in void]
    return {"schema": SCHEMA, "unit": "instructions per operation", "flags": " ".join(guests.FLAGS), "metrics": rows,
            "versions": {**versions, "qemu": guests.said("qemu-system-x86_64", "--version").splitlines()[0],
                         "compiler": guests.said("gcc", "--version").splitlines()[0], "compile": " ".join(guests.COMPILE)},
            "notes": notes, "void": bool(void), "apart": apart(rows)}


def apart(rows):
    """Where Linux is more than 3 % from bench/rivals.json: that was another program, with another C library."""
    before = json.loads((ROOT / "bench" / "rivals.json").read_text())["unix"]
    found = {}
    for name, row in rows.items():
        now, then = row.get("linux", {}).get("median"), before.get(name, {}).get("debian")
        if now and then and abs(now / then - 1) > AGREES:
            found[name] = {"then": then, "now": now}
    return found


RIVALS = {"linux_off": "mitigations off", "lean": "lean"}  # beside Debian's Linux as it comes


def others(document):
    return [n for n in RIVALS if n in document["versions"]]


def show(document):
    more = others(document)
    rows = [("metric", "Aril", "Linux", "Linux / Aril", "", *(w for n in more for w in (RIVALS[n], "/ Aril")), "what")]
    for name, row in document["metrics"].items():
        r = ratio(row)
        rows.append((name, outcome(row.get("aril")), outcome(row.get("linux")), "" if r is None else f"{r:.2f}",
                     verdict(name, row), *(w for n in more for w in (outcome(row.get(n)), fraction(row, n))), row["what"]))
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    left = (0, 4, len(rows[0]) - 1)
    for r in rows:
        print("  ".join(c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths))).rstrip())
    print(f"Instructions per operation, medians; {summary(document)}")
    for note in document["notes"]:
        print(note)
    if document["apart"]:
        print("Linux is more than 3 % from bench/rivals.json (another program, musl in place of glibc): "
              + ", ".join(f"{n} {number(a['now'])} ({number(a['then'])} then)" for n, a in document["apart"].items()))


def summary(document):
    verdicts = [verdict(n, r) for n, r in document["metrics"].items()]
    ratios = [ratio(r) for n, r in document["metrics"].items() if verdict(n, r)]
    if not ratios:
        return "nothing to compare with."
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    return f"{verdicts.count('win')} wins, {verdicts.count('LOSS')} losses, {verdicts.count('even')} even; geometric mean of the ratios {mean:.2f}."


def write(name, document):
    RESULTS.mkdir(exist_ok=True)
    REPORTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n")
    if not any("linux" in r for r in document["metrics"].values()):
        return
    versions = document["versions"]
    text = [f"# `./aril bench {name}`", "",
            f"Instructions per operation, medians over batches, of one static Linux program on Aril and on Debian's Linux; {summary(document)}", ""]
    if name == "unix":
        text += ["![ratios](unix.svg)", ""]
    more = others(document)
    text += ["| operation | Aril | Linux | Linux / Aril | |" + "".join(f" {RIVALS[n]} | / Aril |" for n in more),
             "| --- | ---: | ---: | ---: | --- |" + " ---: | ---: |" * len(more)]
    for metric, row in document["metrics"].items():
        r, v = ratio(row), verdict(metric, row)
        mark = "**loss**" if v == "LOSS" else ""
        text.append(f"| `{metric}`: {row['what']} | {outcome(row.get('aril'))} | {outcome(row.get('linux'))} | "
                    f"{'' if r is None else f'{r:.2f}'} | {mark} |" + "".join(f" {outcome(row.get(n))} | {fraction(row, n)} |" for n in more))
    text += ["", *(f"{n}." for n in document["notes"])]
    text += [f"Aril: commit {versions['aril'].get('commit', '?')}, {versions['aril']['image_bytes']:,} bytes of kernel, first program and library. "
             f"Linux: `{versions['linux']['package']}`, SHA-256 `{versions['linux']['sha256']}`, {versions['linux']['image_bytes']:,} bytes of kernel.",
             *(f"Lean: built from `{v['package']}` by bench/lean.config, {v['compiler']}, {v['image_bytes']:,} bytes." for v in [versions.get("lean")] if v),
             f"{versions['qemu']}; `{document['flags']}` on both sides; the program by `{versions['compile']}`, {versions['compiler']}.", "",
             "Each instruction counts as one. Page walks, cleared translations, caches and mispredictions cost nothing there: it says how long",
             "a path is, not how long it takes."]
    if document["apart"]:
        text += ["", "More than 3 % from what was measured before on the same kernel by another program, with musl in place of glibc (`bench/rivals.json`):",
                 ", ".join(f"`{n}` {number(a['now'])} (then {number(a['then'])})" for n, a in document["apart"].items()) + "."]
    (REPORTS / f"{name}.md").write_text("\n".join(text) + "\n")
    if name == "unix":
        (REPORTS / "unix.svg").write_text(draw(document))


def draw(document):
    """Bars of the ratios on a log axis: to the right Aril takes fewer, to the left more."""
    bars = sorted(((ratio(r), n) for n, r in document["metrics"].items() if verdict(n, r)), reverse=True)
    low = min(0.5, *(r for r, _ in bars))
    high = max(2, *(r for r, _ in bars))
    left, width, step, top = 250, 520, 18, 54
    height = top + step * len(bars) + 30

    def x(value):
        return left + width * (math.log(value) - math.log(low)) / (math.log(high) - math.log(low))

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="860" height="{height}" viewBox="0 0 860 {height}" role="img">',
           "<title>Instructions on Linux / instructions on Aril</title>",
           "<style>text{font:12px sans-serif;fill:#24292f}.t{font-size:14px;font-weight:bold}.g{stroke:#8888;stroke-width:1}.win{fill:#2f81c7}"
           ".loss{fill:#d1662a}.even{fill:#888}.b{fill:#ffffff}@media(prefers-color-scheme:dark){text{fill:#e6edf3}.b{fill:#0d1117}}</style>",
           f'<rect class="b" width="860" height="{height}"/>',
           '<text class="t" x="10" y="20">Instructions on Linux / instructions on Aril (log axis; orange: Aril takes more)</text>']
    for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100):
        if low <= tick <= high:
            out.append(f'<line class="g" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{top - 8}" y2="{height - 24}"/>'
                       f'<text x="{x(tick):.1f}" y="{top - 12}" text-anchor="middle">{tick:g}</text>')
    for i, (r, name) in enumerate(bars):
        a, b, y = min(x(1), x(r)), max(x(1), x(r)), top + i * step
        kind = {"LOSS": "loss", "win": "win", "even": "even"}[verdict(name, document["metrics"][name])]
        out.append(f'<text x="{left - 50 if low < 1 else left - 8}" y="{y + 11}" text-anchor="end">{escape(name)}</text>'
                   f'<rect class="{kind}" x="{a:.1f}" y="{y + 2}" width="{max(b - a, 1):.1f}" height="{step - 5}"/>'
                   + (f'<text x="{b + 4:.1f}" y="{y + 11}">{r:.2f}</text>' if r >= 1 else
                      f'<text x="{a - 4:.1f}" y="{y + 11}" text-anchor="end">{r:.2f}</text>'))
    return "\n".join([*out, "</svg>"]) + "\n"


def run(suites, words=(), options=()):
    """Suites, measured together; or some metrics. The status: 1 where the run is void."""
    quick, as_json = "--quick" in options, "--json" in options
    parts = {s: [n for n in suite(s) if not quick or n not in SLOW] for s in suites} or {"": [*words]}
    document = measure([n for n in metrics() if any(n in names for names in parts.values())], options)
    for name, names in parts.items():
        part = {**document, "metrics": {n: r for n, r in document["metrics"].items() if n in names},
                "apart": {n: a for n, a in document["apart"].items() if n in names}}
        if name and not quick:
            write(name, part)
        if as_json:
            print(json.dumps(part, indent=1))
        else:
            print(f"{name}: " * bool(name) + "one Linux program on both systems")
            show(part)
    return 1 if document["void"] else 0


def check():
    """Aril's side, as it is, beside what is committed: how many are more than 5 % (and one instruction) worse, of how many."""
    try:
        before = json.loads((RESULTS / "unix.json").read_text())["metrics"]
    except FileNotFoundError:
        print("no bench/results/unix.json: run ./aril bench unix first", file=sys.stderr)
        sys.exit(2)
    names = [n for n, r in before.items() if "median" in r.get("aril", {}) and n not in SLOW]
    found = guests.measure(guests.Aril(), names)
    worse = 0
    for name in names:
        then, now = before[name]["aril"]["median"], found.get(name, {}).get("median")
        if now is None:
            print(f"{name}: was {number(then)}, is not measured any more")
        elif now > then * 1.05 + 1:
            print(f"{name}: was {number(then)}, is {number(now)}")
        else:
            continue
        worse += 1
    return worse, len(names)


def symbols():
    """(address, name) of the benchmark's own functions."""
    text = subprocess.run(["nm", str(guests.program())], capture_output=True, text=True, check=True).stdout
    return [(int(a, 16), n) for a, k, n in re.findall(r"^([0-9a-f]+) ([tTwWi]) (\S+)$", text, re.M)]
