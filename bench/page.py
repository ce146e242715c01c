# SPDX-License-Identifier: MIT
"""What the suites of one Linux program say: on the terminal, as a page, as bars."""
import json
import math
from xml.sax.saxutils import escape

import beside
import downloaded

RIVALS = {"linux_off": "mitigations off", "lean": "lean Linux"}  # beside Debian's Linux as it comes

NAMES = {"linux": "Debian's Linux", "linux_off": "Debian's Linux with mitigations off", "lean": "the lean Linux"}


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


def quotient(value):
    return "" if value is None else f"{value:.2f}"


def mean(ratios):
    ratios = [r for r in ratios if r]
    return math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else None


def rivals_of(document):
    """{side: label} of Linux's sides beside the plain one that have more than the instrument's figures here."""
    return {s: label for s, label in RIVALS.items() if s in document["versions"]
            and any(s in r for n, r in document["metrics"].items() if n not in beside.INSTRUMENT)}


def judged(document):
    return {n: r for n, r in document["metrics"].items() if beside.verdict(n, r)}


def losses(document):
    """Where Aril takes more than Linux's best form, be it Debian's, without mitigations or lean: (metric, which, ratio)."""
    found = []
    for name, row in judged(document).items():
        for rival, label in (("linux", "Linux"), *RIVALS.items()):
            r = beside.best_ratio(name, document["metrics"], rival)
            if r is not None and r < 0.995:
                form = beside.best(name, document["metrics"], rival)
                by = f" by `{form[1]}`" if form and form[1] != name else ""
                found.append((name, f"{label}{by}", r))
    return found


def summary(document):
    rows = judged(document)
    verdicts = [beside.verdict(n, r) for n, r in rows.items()]
    if not verdicts:
        return "nothing to compare with."
    said = (f"{verdicts.count('win')} wins, {verdicts.count('LOSS')} losses, {verdicts.count('even')} even; "
            f"geometric mean of the ratios {mean(beside.ratio(r) for r in rows.values()):.2f}")
    if any(beside.best(n, document["metrics"]) for n in rows):
        said += f", by Linux's best forms {mean(beside.best_ratio(n, document['metrics']) for n in rows):.2f}"
    for rival, label in rivals_of(document).items():
        said += f", {label} {quotient(mean(beside.best_ratio(n, document['metrics'], rival) for n in rows))}"
    return said + "."


def only_linux(document):
    """Forms that Linux has and Aril refuses: {form: [metrics that it competes with]}."""
    found = {}
    for name, forms in beside.FORMS.items():
        for form in forms:
            row = document["metrics"].get(form, {})
            if "refused" in row.get("aril", {}) and name in document["metrics"]:
                found.setdefault(form, []).append(name)
    return found


def columns(document, clock):
    """(headings, function of (name, row): cells) of a table's columns behind the first."""
    rows = document["metrics"]
    heads, parts = ["Aril", "Linux", "Linux / Aril"], [
        lambda n, r: outcome(r.get("aril")), lambda n, r: outcome(r.get("linux")), lambda n, r: quotient(beside.ratio(r))]
    if any(beside.best(n, rows) for n in rows):
        heads.append("best form / Aril")
        parts.append(lambda n, r: quotient(beside.best_ratio(n, rows)) if beside.best(n, rows) else "")
    for rival, label in rivals_of(document).items():
        heads += [label, "its best / Aril"]
        parts += [lambda n, r, rival=rival: outcome(r.get(rival)), lambda n, r, rival=rival: quotient(beside.best_ratio(n, rows, rival))]
    if any("guard" in r for r in rows.values()):
        heads.append("Aril, guarded")
        parts.append(lambda n, r: outcome(r.get("guard")))
    if clock:
        heads.append("by the clock")
        parts.append(lambda n, r: spread(clock["metrics"].get(n, {}).get("ratio")))
        if any("guarded" in r for r in clock["metrics"].values()):
            heads.append("guarded, by the clock")
            parts.append(lambda n, r: spread(clock["metrics"].get(n, {}).get("guarded")))
        heads.append("reflected")
        parts.append(lambda n, r: share(clock["metrics"].get(n, {}).get("calls")))
    return heads, lambda n, r: [part(n, r) for part in parts]


def spread(quartiles):
    return "" if not quartiles else "{1:.2f} ({0:.2f} to {2:.2f})".format(*quartiles)


def share(calls):
    if not calls or sum(calls) < 100:  # a metric of other things
        return ""
    part = 100 * calls[1] / sum(calls)
    return "0" if not calls[1] else f"{part:.0f} %" if part >= 1 else "under 1 %"


def slower(clock):
    """Losses by the clock, in sentences."""
    said = []
    for key, label in (("ratio", "slower by the clock"), ("guarded", "slower by the clock, guarded")):
        lost = [f"`{n}` {r[key][1]:.2f}" for n, r in clock["metrics"].items() if key in r and r[key][1] < 0.995 and n not in beside.CONTROL]
        if any(key in r for r in clock["metrics"].values()):
            said.append(f"{label}: {', '.join(lost) or 'none'}")
    return said


def by_the_clock():
    try:
        return json.loads((beside.RESULTS / "wall.json").read_text())
    except FileNotFoundError:
        return None


def show(document):
    only = only_linux(document)
    heads, cells = columns(document, None)
    rows = [("metric", *heads, "", "what")]
    for name, row in document["metrics"].items():
        against = f"against {', '.join(only[name])}" if name in only else beside.verdict(name, row)
        rows.append((name, *cells(name, row), against, row["what"]))
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    left = (0, len(heads) + 1, len(heads) + 2)
    for r in rows:
        print("  ".join(c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths))).rstrip())
    print(f"Instructions per operation, medians; {summary(document)}")
    for name, rival, r in losses(document):
        print(f"loss: {name}, {rival}: {r:.2f}")
    for note in document["notes"]:
        print(note)
    if document["apart"]:
        print("Linux is more than 3 % from bench/rivals.json (another program, musl in place of glibc): "
              + ", ".join(f"{n} {number(a['now'])} ({number(a['then'])} then)" for n, a in document["apart"].items()))


def said_losses(document):
    lost = losses(document)
    if not lost:
        return "**Losses: none** of what was measured here." if judged(document) else ""
    return "**Losses**, Linux / Aril below 1: " + "; ".join(f"`{n}`, {rival}: {r:.2f}" for n, rival, r in lost) + "."


def said_refused(document):
    return f"**Refused by Aril**: {', '.join(f'`{n}`' for n in refused(document))}." if refused(document) else ""


def write(name, document):
    """docs/results/NAME.md; of unix its plot, too, and what the clock said the last time."""
    if not any("linux" in r for r in document["metrics"].values()):
        return
    beside.REPORTS.mkdir(parents=True, exist_ok=True)
    versions, only = document["versions"], only_linux(document)
    clock = by_the_clock() if name == "unix" else None
    heads, cells = columns(document, clock)
    text = [f"# `./aril bench {name}`", "",
            f"Instructions per operation, medians over batches, of one static Linux program on Aril and on Debian's Linux; {summary(document)}", "",
            f"{said_losses(document)} {said_refused(document)}".strip(), ""]
    if name == "unix":
        text += ["![ratios](unix.svg)", ""]
    text += [f"| operation | {' | '.join(heads)} |", f"| --- |{' ---: |' * len(heads)}"]
    for metric, row in document["metrics"].items():
        if metric not in only:
            mark = " **loss**" if beside.verdict(metric, row) == "LOSS" else ""
            text.append(f"| `{metric}`: {row['what']}{mark} | {' | '.join(cells(metric, row))} |")
    if only:
        text += ["", "Forms that Linux has and Aril refuses, beside Aril's plain form of the same; *best form* above takes them in:", "",
                 "| Linux's form | Linux | in place of | its own plain form | Aril | Linux's form / Aril |", "| --- | ---: | --- | ---: | ---: | ---: |"]
        for form, against in only.items():
            for metric in against:
                row, it = document["metrics"][metric], document["metrics"][form]
                text.append(f"| `{form}`: {it['what']} | {outcome(it.get('linux'))} | `{metric}` | {outcome(row.get('linux'))} | {outcome(row.get('aril'))} | "
                            f"{quotient(beside.ratio({'aril': row.get('aril', {}), 'linux': it.get('linux', {})}))} |")
    text += ["", *(f"{n}." for n in document["notes"])]
    if clock:
        text += ["", f"By the clock: Linux / Aril, median and quartiles of {clock['pairs']} pairs of guests one after the other, without counting, `{clock['flags']}` on "
                 "both sides (`./aril bench wall`); guarded: by `./aril run --guard`, which needs protection keys, so that Aril's CPU then has them, and QEMU clears its TLB whenever a program "
                 "changes its key register. TCG models no TLB, no caches, no PCID: this is the emulator's time, in which a write to CR3 is dear.",
                 *(f"**{n[0].upper() + n[1:]}.**" for n in [*slower(clock), *clock["notes"]]),
                 "Reflected: of the metric's system calls, those that came by the kernel and not by a jump of the rewritten program, by `--trace=summary` in a run of its own."]
    text += ["", f"Aril: commit {versions['aril'].get('commit', '?')}, {versions['aril']['image_bytes']:,} bytes of kernel, first program and library. "
             f"Linux: `{versions['linux']['package']}`, SHA-256 `{versions['linux']['sha256']}`, {versions['linux']['image_bytes']:,} bytes of kernel.",
             *(f"Lean: built from `{v['package']}` by bench/lean.config, {v['compiler']}, {v['image_bytes']:,} bytes." for v in [versions.get("lean")] if v),
             f"{versions['qemu']}; `{document['flags']}` on both sides; the program by `{versions['compile']}`, {versions['compiler']}.", "",
             "Each instruction counts as one. Page walks, cleared translations, caches and mispredictions cost nothing there: it says how long",
             "a path is, not how long it takes."]
    if document["apart"]:
        text += ["", "More than 3 % from what was measured before on the same kernel by another program, with musl in place of glibc (`bench/rivals.json`):",
                 ", ".join(f"`{n}` {number(a['now'])} (then {number(a['then'])})" for n, a in document["apart"].items()) + "."]
    (beside.REPORTS / f"{name}.md").write_text("\n".join(text) + "\n")
    if name == "unix":
        (beside.REPORTS / "unix.svg").write_text(draw(document))


def micro_losses(found):
    """Of the kernel's operations, where another system takes fewer (bench/rivals.json)."""
    rivals, out = json.loads((beside.ROOT / "bench" / "rivals.json").read_text()), []
    for name, row in found.items():
        for rival, label in (("debian", "Debian's Linux"), ("lean", "a lean Linux"), ("sel4", "seL4")):
            that, figure = rivals.get(name, {}).get(rival), row.get("median")
            if name not in ("loop", "rdtsc") and figure and that and that < 0.995 * figure:
                out.append(f"`{name}` beside {label}: {that / figure:.2f}")
    return out


def refused(document):
    """What Linux does and Aril does not, but for forms that stand for something else."""
    only = only_linux(document)
    return [n for n, r in document["metrics"].items() if n not in only and "median" in r.get("linux", {}) and "median" not in r.get("aril", {})]


def claim():
    """The first paragraph of docs/results/README.md: what all of it comes to, losses first."""
    def of(name):
        try:
            return json.loads((beside.RESULTS / f"{name}.json").read_text())
        except FileNotFoundError:
            return None

    unix, boot, micro, ext, clock = of("unix"), of("boot"), of("micro"), of("ext"), by_the_clock()
    path = beside.REPORTS / "README.md"
    if not unix or not path.exists():
        return
    lost = [f"`{n}`, {rival}: {r:.2f}" for n, rival, r in losses(unix)] + micro_losses(micro or {}) + (downloaded.lost(ext) if ext else [])
    said = [f"**Losses**, Linux / Aril below 1: {'; '.join(lost)}." if lost else "**Losses: none** of what is measured here."]
    if refused(unix):
        said.append(f"Refused by Aril: {', '.join(f'`{n}`' for n in refused(unix))}.")
    said.append(f"An unmodified Linux program takes fewer instructions on Aril than on Linux: {summary(unix)}")
    if clock:
        kept = [r["guarded"][1] for r in clock["metrics"].values() if "guarded" in r]
        guarded = f"; with `--guard`, {sum(q < 0.995 for q in kept)} of {len(kept)}, as QEMU clears its TLB at each change of keys" if kept else ""
        said.append(f"By the emulator's clock the geometric mean is {mean(r['ratio'][1] for n, r in clock['metrics'].items() if n not in beside.CONTROL):.2f}"
                    f"{' (on a machine that had other work)' if clock['loaded'] else ''}; {slower(clock)[0]}{guarded}.")
    if boot and beside.ratio(boot["metrics"]["boot_to_main"]):
        least = boot["metrics"].get("least_memory", {})
        said.append(f"From QEMU's start to the first program: {beside.ratio(boot['metrics']['boot_to_main']):.0f} times sooner"
                    + (f", in {outcome(least.get('aril'))} MiB where Linux takes {outcome(least.get('linux'))}" if "aril" in least and "linux" in least else "") + ".")
    said.append("An instruction is counted as one; nothing here is a processor's time.")
    head, _, rest = path.read_text().partition("\n\n")
    path.write_text(f"{head}\n\n{' '.join(said)}\n\n{rest.partition(chr(10) * 2)[2]}")


def again(name):
    """The page anew from what is committed."""
    try:
        write(name, json.loads((beside.RESULTS / f"{name}.json").read_text()))
    except FileNotFoundError:
        pass


def draw(document):
    """Bars of the ratios on a log axis: to the right Aril takes fewer, to the left more; a tick where Linux's best form is."""
    bars = sorted(((beside.ratio(r), n) for n, r in judged(document).items()), reverse=True)
    best = {n: beside.best_ratio(n, document["metrics"]) for _, n in bars if beside.best(n, document["metrics"])}
    low = min(0.5, *(r for r, _ in bars), *best.values(), 1)
    high = max(2, *(r for r, _ in bars))
    left, width, step, top = 250, 520, 18, 54
    height = top + step * len(bars) + 30

    def x(value):
        return left + width * (math.log(value) - math.log(low)) / (math.log(high) - math.log(low))

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="860" height="{height}" viewBox="0 0 860 {height}" role="img">',
           "<title>Instructions on Linux / instructions on Aril</title>",
           "<style>text{font:12px sans-serif;fill:#24292f}.t{font-size:14px;font-weight:bold}.g{stroke:#8888;stroke-width:1}.win{fill:#2f81c7}"
           ".loss{fill:#d1662a}.even{fill:#888}.b{fill:#ffffff}.f{stroke:#24292f;stroke-width:2}"
           "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.b{fill:#0d1117}.f{stroke:#e6edf3}}</style>",
           f'<rect class="b" width="860" height="{height}"/>',
           '<text class="t" x="10" y="20">Instructions on Linux / on Aril (log axis; orange: Aril takes more; a tick: Linux\'s best form)</text>']
    for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100):
        if low <= tick <= high:
            out.append(f'<line class="g" x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{top - 8}" y2="{height - 24}"/>'
                       f'<text x="{x(tick):.1f}" y="{top - 12}" text-anchor="middle">{tick:g}</text>')
    for i, (r, name) in enumerate(bars):
        a, b, y = min(x(1), x(r)), max(x(1), x(r)), top + i * step
        kind = {"LOSS": "loss", "win": "win", "even": "even"}[beside.verdict(name, document["metrics"][name])]
        out.append(f'<text x="{left - 50 if low < 1 else left - 8}" y="{y + 11}" text-anchor="end">{escape(name)}</text>'
                   f'<rect class="{kind}" x="{a:.1f}" y="{y + 2}" width="{max(b - a, 1):.1f}" height="{step - 5}"/>'
                   + (f'<line class="f" x1="{x(best[name]):.1f}" x2="{x(best[name]):.1f}" y1="{y}" y2="{y + step - 1}"/>' if name in best else "")
                   + (f'<text x="{b + 4:.1f}" y="{y + 11}">{r:.2f}</text>' if r >= 1 else
                      f'<text x="{a - 4:.1f}" y="{y + 11}" text-anchor="end">{r:.2f}</text>'))
    return "\n".join([*out, "</svg>"]) + "\n"
