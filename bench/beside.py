# SPDX-License-Identifier: MIT
"""The suites of one Linux program on two systems (unix, control, boot): measured, compared, written down, drawn."""
import concurrent.futures
import json
import re
import subprocess
import sys

import guests
import page

ROOT = guests.ROOT
RESULTS = ROOT / "bench" / "results"
REPORTS = ROOT / "docs" / "results"
SCHEMA = 1
INSTRUMENT = {"empty_loop": 3, "rdtsc": 4}
CONTROL = ("matmul_150", "hash_64m")
COMPILE = "c_compile"
LINUXES = ("linux", "linux_off", "lean")
NOT_GUARDED = ("boot_to_main", "least_memory")
SLOW = (*CONTROL, "sh_200", COMPILE)  # neither in --check nor in --quick
BOOT = {"boot_to_main": "from QEMU's start, firmware included, to the first program's main; waiting counts, 1 ns as one"}
MEMORY = {"least_memory": f"MiB of memory with which it comes that far (./aril gives Aril no less than 64): the least of {', '.join(map(str, guests.SIZES))}"}
# Of Linux: what does the same in another form, that it may be cheaper by. Each is a metric of the same program, and Aril is asked for it, too.
FORMS = {
    "clock_gettime_syscall": ("clock_gettime_vdso",),
    "mprotect_1": ("mprotect_1_solo_vma", "uffd_prot1"),
    "mprotect_1_solo_vma": ("uffd_prot1",),
    "prot100": ("uffd_prot100",),
    "unprot100": ("uffd_unprot100",),
    "wfault_upcall_unprot": ("wfault_upcall_unprot_solo_vma", "uffd_wfault_unprot"),
    "wfault_upcall_unprot_solo_vma": ("uffd_wfault_unprot",),
    "appel1_prot1_trap_unprot": ("uffd_appel1",),
    "appel2_protN_trap_unprot": ("uffd_appel2",),
    "anon_fault_per_page": ("populate_per_page",),
    "pipe_write_read_self": ("uring_pipe_self",),
    "pipe_rt": ("uring_pipe_rt",),
    "pread_1b": ("uring_pread_1b",),
    "pread_4k": ("uring_pread_4k",),
    "open_read4k_close": ("uring_open_read_close",),
    "fork_exit_wait": ("vfork_exit_wait",),
    "fork_exec_wait": ("vfork_exec_wait", "posix_spawn_wait"),
}
AGREES = 0.03  # how far Linux may be from what was measured before


def metrics():
    """{name: what it is}, as the program's tables have them, in order."""
    found = {}
    for part in ("calls", "memory", "processes", "files", "control", "uring", "userfault", "ebpf"):
        text = (ROOT / "bench" / "unix" / f"{part}.c").read_text()
        for name, what in re.findall(r'\{\s*"(\w+)",\s*\w+,\s*\d+,\s*\d+,\s*"([^"]*)"\s*\}', text):
            found[name] = what
    for kernel in guests.KERNELS:
        found[f"bpf_{kernel}"] = f"bench/ext/{kernel}.c as a BPF program of Linux's"
        found[f"bpf_load_{kernel}"] = "verifying and compiling it"
    return {"empty_loop": "an iteration of an empty loop", "rdtsc": "reading the counter", **BOOT, **MEMORY, **found}


def suite(name):
    """The metrics of a suite."""
    every = metrics()
    if name == "boot":
        return [*INSTRUMENT, *BOOT, *MEMORY]
    if name == "control":
        return [*INSTRUMENT, *CONTROL]
    return [n for n in every if n not in CONTROL and n not in BOOT and n not in MEMORY and not n.startswith("bpf_")]


def ratio(row, rival="linux"):
    """Linux / Aril: above 1, Aril takes fewer."""
    aril, linux = (row.get(s, {}).get("median") for s in ("aril", rival))
    return linux / aril if aril and linux else None


def best(name, rows, rival="linux"):
    """(figure, metric) of the cheapest form that Linux has of a metric; None where it has but the one."""
    forms = [(rows[n][rival]["median"], n) for n in (name, *FORMS.get(name, ())) if "median" in rows.get(n, {}).get(rival, {})]
    return min(forms) if len(forms) > 1 else None


def best_ratio(name, rows, rival="linux"):
    """Of Linux's best form and Aril's plain one."""
    form, aril = best(name, rows, rival), rows[name].get("aril", {}).get("median")
    return form[0] / aril if form and aril else ratio(rows[name], rival)


def verdict(name, row):
    r = ratio(row)
    if r is None or name in INSTRUMENT or name in CONTROL:
        return ""
    return "LOSS" if r < 0.995 else "win" if r > 1.005 else "even"


def sides_of(options, notes, wall=False):
    """Aril, and what of Linux can be had and was asked for; why not is noted."""
    sides = [guests.Aril(wall)]
    if guests.Aril.has_guard():
        sides.append(guests.Aril(wall, guard=True))
    if "--aril" in options:
        return sides
    wanted = [lambda: guests.Linux(wall)]
    if "--mitigations-off" in options:
        wanted.append(lambda: guests.Linux(wall, "mitigations=off"))
    if "--lean" in options:
        wanted.append(lambda: guests.Lean(wall))
    for make in wanted:
        try:
            sides.append(make())
        except guests.Unavailable as error:
            notes.append(f"{'' if any(isinstance(s, guests.Linux) for s in sides) else 'Aril alone, no Linux beside it: '}{error}")
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


def kept(names, sides):
    """(rows, versions) of Linux's sides as they are committed, of those that are not measured now; only of the same program, by the same QEMU,
    with the same flags."""
    rows, versions = {}, {}
    qemu = guests.said("qemu-system-x86_64", "--version").splitlines()[0]
    there = [n for n in LINUXES if n not in sides]
    for name in ("unix", "control", "boot"):
        try:
            before = json.loads((RESULTS / f"{name}.json").read_text())
        except FileNotFoundError:
            continue
        same = (before["versions"]["qemu"], before["flags"], before["versions"].get("program")) == (qemu, " ".join(guests.FLAGS), guests.program_sha256())
        for metric, row in before["metrics"].items() if same else ():
            if metric in names:
                rows.setdefault(metric, {}).update({s: f for s, f in row.items() if s in there})
                versions.update({n: v for n, v in before["versions"].items() if n in there and n in row and metric not in INSTRUMENT})
    return rows, versions


def measure(names, options=()):
    """The document of a run: see docs/results/README.md."""
    rows, notes, void = {n: {"what": w} for n, w in metrics().items() if n in names}, [], []
    sides = sides_of(options, notes)
    others_rows, versions = kept(names, [s.name for s in sides])
    for name, row in others_rows.items():
        rows[name].update(row)
    if versions:
        notes.append(f"not measured anew: {', '.join(page.NAMES[n] for n in versions)}; these figures are of an earlier run of the same program, by the same "
                     "QEMU with the same flags")
    guests.program()
    # Two at a time: instructions are counted, so neither hurts the other.
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        runs = [(side, pool.submit(measured, side, [n for n in names if side.name != "guard" or n not in SLOW + NOT_GUARDED])) for side in sides]
    for side, measuring in runs:
        try:
            for name, figure in measuring.result().items():
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
                void.append(f"{name} is {page.number(got)} on {side}, not {want}")
    for name in CONTROL:
        r = ratio(rows.get(name, {}))
        if r is not None and abs(r - 1) > 0.02:
            void.append(f"{name}: ratio {r:.3f}, not 1.00")
    notes += [f"void: {v}" for v in void]
    return {"schema": SCHEMA, "unit": "instructions per operation", "flags": " ".join(guests.FLAGS), "metrics": rows,
            "versions": {**versions, "program": guests.program_sha256(), "qemu": guests.said("qemu-system-x86_64", "--version").splitlines()[0],
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


def run(suites, words=(), options=()):
    """Suites, measured together; or some metrics. The status: 1 where the run is void."""
    quick, as_json = "--quick" in options, "--json" in options
    parts = {s: [n for n in suite(s) if not quick or n not in SLOW] for s in suites} or {"": [*words]}
    document = measure([n for n in metrics() if any(n in names for names in parts.values())], options)
    for name, names in parts.items():
        part = {**document, "metrics": {n: r for n, r in document["metrics"].items() if n in names},
                "apart": {n: a for n, a in document["apart"].items() if n in names}}
        if name and not quick:
            RESULTS.mkdir(exist_ok=True)
            (RESULTS / f"{name}.json").write_text(json.dumps(part, indent=1) + "\n")
            page.write(name, part)
        if as_json:
            print(json.dumps(part, indent=1))
        else:
            print(f"{name}: " * bool(name) + "one Linux program on both systems")
            page.show(part)
    return 1 if document["void"] else 0


def check():
    """Aril's side, as it is, beside what is committed: how many are more than 5 % (and one instruction) worse, of how many."""
    try:
        before = json.loads((RESULTS / "unix.json").read_text())["metrics"]
    except FileNotFoundError:
        print("no bench/results/unix.json: run ./aril bench unix first", file=sys.stderr)
        sys.exit(2)
    asked = [n for n in before if n not in SLOW]  # refused ones, too: what a metric costs may depend on those before it
    names = [n for n in asked if "median" in before[n].get("aril", {})]
    found = guests.measure(guests.Aril(), asked)
    worse = 0
    for name in names:
        then, now = before[name]["aril"]["median"], found.get(name, {}).get("median")
        if now is None:
            print(f"{name}: was {page.number(then)}, is not measured any more")
        elif now > then * 1.05 + 1:
            print(f"{name}: was {page.number(then)}, is {page.number(now)}")
        else:
            continue
        worse += 1
    return worse, len(names)


def symbols():
    """(address, name) of the benchmark's own functions."""
    text = subprocess.run(["nm", str(guests.program())], capture_output=True, text=True, check=True).stdout
    return [(int(a, 16), n) for a, k, n in re.findall(r"^([0-9a-f]+) ([tTwWi]) (\S+)$", text, re.M)]
