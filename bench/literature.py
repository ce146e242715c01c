# SPDX-License-Identifier: MIT
"""docs/results/literature.md: the tables of the papers, row by row, beside what bench/results holds. Their figures, and which of ours stands
beside each, are in bench/literature.json."""
import json

import beside
from beside import number

ROOT = beside.ROOT
HEAD = """# The tables of the literature

Made by `./aril bench literature` from `bench/literature.json` (the papers' figures) and `bench/results/` (ours, by `./aril bench micro unix
control ext`). Theirs are times on machines of the nineties, ours instructions in QEMU: a ratio can be put beside a ratio, a figure beside a
figure cannot. An instruction count knows nothing of caches, TLB misses and mispredictions. Linux is Debian's, as packaged.

Figures marked * were written down from memory of the paper, not read again.
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


def text(value, mark=""):
    return "" if value is None else f"{number(value)}{mark}"


def times(a, b):
    return "" if not a or not b else f"{a / b:.1f}"


def run():
    results = load()
    out, losses = [HEAD], 0
    for table in json.loads((ROOT / "bench" / "literature.json").read_text())["tables"]:
        rival, own = table["theirs"]
        out += [f"## {table['title']}", "", f"{table['paper'][0].upper() + table['paper'][1:]}.", "",
                f"| operation | {rival} | {own} | ratio | Linux | Aril | ratio | what is and is not the same |",
                "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |"]
        for row in table["rows"]:
            mark = "*" if row.get("recalled", table["recalled"]) else ""
            a, b = row["them"]
            linux, aril = of_linux(row["linux"], results), figure(row["aril"], results)
            lost = bool(linux and aril and linux < 0.995 * aril)
            losses += lost
            out.append(f"| {row['what']} | {text(a, mark)} | {text(b, mark)} | {times(a, b)} | {text(linux)} | {text(aril)} | "
                       f"{times(linux, aril)}{' **loss**' if lost else ''} | {row['note']} |")
        out.append("")
    missing = ["packets (DPF, ASH, SPIN's network): there is no network yet"]
    out += ["## Not here", "", *(f"- {m}" for m in missing)]
    (beside.REPORTS / "literature.md").write_text("\n".join(out) + "\n")
    print(f"docs/results/literature.md: {losses} losses")
    return 0
