# SPDX-License-Identifier: MIT
"""docs/results/literature.md: the tables of the papers, row by row, beside what bench/results holds. Their figures, and which of ours stands
beside each, are in bench/literature.json."""
import json
import os
import re
import subprocess

import beside
import guests
from page import number

ROOT = beside.ROOT
HEAD = """# The tables of the literature

Made by `./aril bench literature` from `bench/literature.json` (the papers' figures) and `bench/results/` (ours, by `./aril bench micro unix
control ext`). Theirs are times on machines of the nineties, ours instructions in QEMU: a ratio can be put beside a ratio, a figure beside a
figure cannot. An instruction count knows nothing of caches, TLB misses and mispredictions. Linux is Debian's, as packaged.

*Best* is Linux's cheapest form of the same (userfaultfd, io_uring, vfork: the [unix](unix.md) page names it) by Aril's figure. Figures marked *
were written down by people who know the paper and were not read again: a copy of it whose tables can be read was not to be had here. Those
without a mark are from the paper's or the project's own text.
"""


def figure(place, results):
    """A figure of bench/results: FILE, METRIC[, times] or FILE, KEY, KEY; None where there is none."""
    if not place:
        return None
    name, *keys = place
    times = keys.pop() if isinstance(keys[-1], (int, float)) else 1
    row = results.get(name, {})
    for key in keys:
        row = row.get(key) if isinstance(row, dict) else None
    if isinstance(row, dict):
        row = row.get("median", row.get("aril", {}).get("median"))
    return None if row is None else row * times


def load():
    """The files of results; of those with two sides, a file for each."""
    found = {}
    for path in sorted(beside.RESULTS.glob("*.json")):
        content = json.loads(path.read_text())
        found[path.stem] = content.get("metrics", content)
    found["rivals"] = json.loads((ROOT / "bench" / "rivals.json").read_text())
    return found


def of_linux(place, results):
    if place and place[0] in ("unix", "control"):
        return results.get(place[0], {}).get(place[1], {}).get("linux", {}).get("median")
    return figure(place, results)


def best_of_linux(place, results):
    """Its cheapest form, where it has more than the one."""
    form = beside.best(place[1], results["unix"]) if place and place[0] == "unix" and place[1] in results.get("unix", {}) else None
    return form[0] if form else None


def text(value, mark=""):
    return "" if value is None else f"{number(value)}{mark}"


def times(a, b):
    return "" if not a or not b else f"{a / b:.1f}"


def stride():
    """The section of the stride scheduler, its plot drawn anew where a guest can be had."""
    done = subprocess.run([str(ROOT / "aril"), "run", "--slice-us", "1000", "--timeout", "100", "--primary", "shares"], cwd=ROOT, capture_output=True,
                          stdin=subprocess.DEVNULL, text=True, timeout=200, check=False, env={**os.environ, "ARIL_ICOUNT": "1"})
    seen = [(int(c), int(t)) for c, t in re.findall(r"^share (\d) (\d+)$", done.stdout, re.M)]
    if done.returncode or not seen:
        raise guests.Unavailable("bench/shares.c did not run: no plot of the stride scheduler")
    (beside.REPORTS / "stride.svg").write_text(plot(seen))
    given = [sum(c == i for c, _ in seen) for i in range(3)]
    return ["## Stride scheduling", "", f"SOSP 1995: a stride scheduler as a library, three clients at 3:2:1. Here `libos/core/stride.c`, slices of 1 ms: "
            f"{given[0]}, {given[1]} and {given[2]} of {len(seen)} slices.", "", "![slices over time](stride.svg)", ""]


def plot(seen):
    """Slices that each client has had, over time."""
    width, height, left, top = 860, 360, 60, 50
    end, most = seen[-1][1], max(sum(c == i for c, _ in seen) for i in range(3))

    def at(t, n):
        return f"{left + (width - left - 120) * t / end:.1f},{height - 40 - (height - top - 40) * n / most:.1f}"

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">',
           "<title>Slices that three clients at 3:2:1 have had, over time</title>",
           "<style>text{font:12px sans-serif;fill:#24292f}.t{font-size:14px;font-weight:bold}.b{fill:#ffffff}polyline{fill:none;stroke-width:2}"
           ".c0{stroke:#2f81c7}.c1{stroke:#d1662a}.c2{stroke:#3a9a5b}.g{stroke:#8888}@media(prefers-color-scheme:dark){text{fill:#e6edf3}.b{fill:#0d1117}}</style>",
           f'<rect class="b" width="{width}" height="{height}"/>',
           '<text class="t" x="10" y="22">Slices that three clients at 3:2:1 have had, over time</text>']
    for part in range(5):
        t = end * part // 4
        x = at(t, 0).split(",")[0]
        out.append(f'<line class="g" x1="{x}" x2="{x}" y1="{top}" y2="{height - 40}"/><text x="{x}" y="{height - 22}" text-anchor="middle">{t / 1000:.0f} ms</text>')
    for client in range(3):
        points, had = [at(0, 0)], 0
        for c, t in seen:
            if c == client:
                points.append(at(t, had))
                had += 1
                points.append(at(t, had))
        points.append(at(end, had))
        x, y = points[-1].split(",")
        out.append(f'<polyline class="c{client}" points="{" ".join(points)}"/><text x="{float(x) + 6}" y="{float(y) + 4}">{3 - client} tickets: {had}</text>')
    return "\n".join([*out, "</svg>"]) + "\n"


def run():
    results = load()
    out, losses = [HEAD], 0
    for table in json.loads((ROOT / "bench" / "literature.json").read_text())["tables"]:
        rival, own = table["theirs"]
        out += [f"## {table['title']}", "", f"{table['paper'][0].upper() + table['paper'][1:]}.", "",
                f"| operation | {rival} | {own} | ratio | {' | '.join(table.get('columns', ['Linux', 'Aril']))} | ratio | best | what is and is not the same |",
                "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |"]
        for row in table["rows"]:
            recalled = row.get("recalled", table["recalled"])  # true, false, or which of the two
            marks = ["*" if recalled in (True, which) else "" for which in ("first", "second")]
            a, b = row["them"]
            linux, aril = of_linux(row["linux"], results), figure(row["aril"], results)
            best = best_of_linux(row["linux"], results)
            lost = "columns" not in table and bool(linux and aril and min(linux, best or linux) < 0.995 * aril)
            losses += lost
            out.append(f"| {row['what']} | {text(a, marks[0])} | {text(b, marks[1])} | {times(a, b)} | {text(linux)} | {text(aril)} | "
                       f"{times(linux, aril)}{' **loss**' if lost else ''} | {times(best, aril)} | {row['note']} |")
        out.append("")
    out += stride()
    missing = ["packets (DPF, ASH, SPIN's network): there is no network yet"]
    out += ["## Not here", "", *(f"- {m}" for m in missing)]
    (beside.REPORTS / "literature.md").write_text("\n".join(out) + "\n")
    print(f"docs/results/literature.md: {losses} losses")
    return 0
