# SPDX-License-Identifier: MIT
"""Removes each check of ext/ in turn, for tests/mutate.

A check is what leads to a refusal: an `if` whose branch begins with one (then the condition is taken as false), or else
the refusing call itself (then it is left out and counts as 0). All of them are built into one set of objects and a
variable says which one is out, so that no mutant has to be compiled. A run of each test with nothing removed tells which
checks it meets; a mutant is tried with the tests that meet it alone: the cases of tests/cases/ext, then unit tests, the
quickest first. It is dead when a case comes out otherwise, or a unit test fails."""
import concurrent.futures
import os
import re
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / os.environ.get("BUILD", "build")
OUT = BUILD / "mutants"
CASES = BUILD / "cases"
HELPER = r"(?:(?!ext_refusal_)\w*refus\w*|give_up|too_long|say_\w+)"
SITE = re.compile(rf"\b(?P<call>{HELPER})\s*\(|\breturn (?P<why>EXT_WHY_\w+);")
TEXT = re.compile(r'(?:\breturn |\? 0\s+: )(?P<text>"[^"]*")')  # here a text is a refusal
FLAGS = ("-std=gnu11 -O1 -w -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-strict-aliasing "
         "-fno-builtin -Itests/host/include -Itests/host -Iabi/include -Ikernel -Iext -Ilibos/core/include -Ilibos/core "
         "-Ilibos/exos").split() + [f"-I{BUILD / 'gen'}"]
HEADER = """extern unsigned mutant_out;
extern unsigned char mutant_met[65536];
static inline int mutant(unsigned n) { mutant_met[n] = 1; return n != mutant_out; }
"""
RUNTIME = """#include <stdio.h>
#include <stdlib.h>
unsigned mutant_out;
unsigned char mutant_met[65536];
static void say(void)
{
	FILE *f = fopen(getenv("MUTANT_LOG"), "w");
	for (unsigned n = 0; f && n < sizeof(mutant_met); n++)
		if (mutant_met[n]) fprintf(f, "%u\\n", n);
	if (f) fclose(f);
}
__attribute__((constructor)) static void begin(void)
{
	if (getenv("MUTANT")) mutant_out = (unsigned)atoi(getenv("MUTANT"));
	if (getenv("MUTANT_LOG")) atexit(say);
}
"""


# --- finding checks
def blank(text):
    """The same length, with comments and the insides of strings blanked out."""
    def spaces(match):
        found = match[0]
        if found[0] in "\"'":
            return found[0] + "_" * (len(found) - 2) + found[0]
        return re.sub(r"[^\n]", " ", found)
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'', spaces, text, flags=re.S)


def closing(text, at):
    """The index behind what closes the parenthesis or brace at `at`."""
    depth = 0
    for n in range(at, len(text)):
        depth += (text[n] in "({") - (text[n] in ")}")
        if not depth:
            return n + 1
    raise ValueError("nothing closes it")


def statement_end(text, at):
    at += len(text[at:]) - len(text[at:].lstrip())
    if text[at] == "{":
        return closing(text, at)
    control = re.match(r"(if|for|while|switch)\s*\(", text[at:])
    if not control:
        while text[at] != ";":
            at = closing(text, at) if text[at] in "({" else at + 1
        return at + 1
    end = statement_end(text, closing(text, at + control.end() - 1))
    other = re.match(r"\s*else\b", text[end:])
    return statement_end(text, end + other.end()) if control[1] == "if" and other else end


def functions(text):
    """(name, begin, end) of each function's body."""
    for match in re.finditer(r"^(?:[A-Za-z_][\w \*]*?)\b(\w+)\((?:[^;{}]*)\)\n\{", text, re.M):
        yield match[1], match.end() - 1, closing(text, match.end() - 1)


def sites(path):
    """(line, shown, [(at, inserted)...]) of each check of a file; %d stands for the mutant's number."""
    source = path.read_text()
    text = blank(source)
    seen = set()
    for name, begin, end in functions(text):
        if re.fullmatch(HELPER, name):
            continue
        ifs = []
        for match in re.finditer(r"\bif \(", text[begin:end]):
            start = begin + match.end() - 1
            behind = closing(text, start)
            ifs.append((start, behind, statement_end(text, behind)))
        found = [(m, m.start(), None) for m in SITE.finditer(text, begin, end)]
        if path.name in ("flow_code.c", "entry.c"):
            found += [(m, m.start("text"), m.end("text")) for m in TEXT.finditer(text, begin, end)]
        for match, at, behind in found:
            inner = None
            for start, middle, last in ifs:
                way = text[middle:at] if middle <= at < last else None
                if way is not None and way.count(";") < 3 and not re.search(r"\b(case|default|for|while|else)\b", way):
                    inner = (start, middle)
                elif start <= at < last:
                    inner = None
                if start <= at < middle:
                    seen.add(start)  # the call in the condition is the check
            if inner:
                start, middle = inner
                if start in seen:
                    continue
                seen.add(start)
                shown = "if " + " ".join(source[start:middle].split())
                edits = [(start + 1, "("), (middle - 1, ") && mutant(%d)")]
            else:
                groups = match.groupdict()
                if groups.get("why"):
                    at, behind = match.start("why"), match.end("why")
                elif behind is None:
                    behind = closing(text, match.end() - 1)
                shown = " ".join(source[at:behind].split())
                edits = [(at, "(mutant(%d) ? "), (behind, " : 0)")]
            yield source.count("\n", 0, edits[0][0]) + 1, shown, edits


def find():
    """{number: (file, line, shown)} of all checks, and {file: text with all of them switchable}."""
    mutants, texts = {}, {}
    for base, path in enumerate(sorted((ROOT / "ext").glob("*.c"))):
        name, source, edits = f"ext/{path.name}", path.read_text(), []
        if path.name != "refusal.c":
            for number, (line, shown, parts) in enumerate(sites(path), base * 256 + 1):
                mutants[number] = (name, line, shown)
                edits += [(at, part.replace("%d", str(number))) for at, part in parts]
        for at, part in sorted(edits, key=lambda edit: -edit[0]):
            source = source[:at] + part + source[at:]
        texts[name] = source
    return mutants, texts


# --- building
def write(path, text):
    """Writes what is not there already."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def compile_all(texts, jobs):
    """{source: object}"""
    sources = {"mutant": OUT / "mutant.c"}
    OUT.mkdir(parents=True, exist_ok=True)
    write(OUT / "mutant.h", HEADER)
    write(OUT / "mutant.c", RUNTIME)
    for name, text in texts.items():
        sources[name] = OUT / name.replace("/", "_")
        write(sources[name], text)
    units = {}
    for path in sorted((ROOT / "tests" / "host").glob("*_test.c")):
        links = re.search(r"^ \* links: *(.*?)(?: \*/)?$", path.read_text(), re.M)
        if links and "ext/" in links[1] and "kernel/" not in links[1]:
            units[path.name.removesuffix("_test.c")] = [f"tests/host/{path.name}", "tests/host/test.c",
                                                        *links[1].split()]
    units["case"] = ["tests/ext/case.c", *texts]
    for name in {source for unit in units.values() for source in unit} - set(texts):
        sources[name] = ROOT / name

    headers = max(p.stat().st_mtime for p in [OUT / "mutant.h", *(ROOT / "tests/host").glob("*.h"),
                                              *(ROOT / "ext").glob("*.h")])

    def one(item):
        name, source = item
        into = OUT / (name.replace("/", "_") + ".o")
        if into.exists() and into.stat().st_mtime > max(headers, source.stat().st_mtime):
            return name, str(into)
        subprocess.run(["gcc", *FLAGS, "-include", str(OUT / "mutant.h"), "-c", "-o", str(into), str(source)],
                       check=True, cwd=ROOT)
        return name, str(into)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        objects = dict(pool.map(one, sources.items()))
        list(pool.map(lambda unit: subprocess.run(
            ["gcc", "-fsanitize=address,undefined", "-o", str(OUT / unit[0]), objects["mutant"],
             *(objects[source] for source in unit[1])], check=True, cwd=ROOT), units.items()))
    return units


# --- running
def environment(**more):
    return {**os.environ, "ASAN_OPTIONS": "detect_leaks=0", "VERIFY_TURNS": "300", **more}


def run(unit, number, seconds, *arguments, log=None):
    """(status, output) of a test with that check removed; 0: none."""
    more = {"MUTANT": str(number)} | ({"MUTANT_LOG": str(log)} if log else {})
    try:
        done = subprocess.run([str(OUT / unit), *arguments], cwd=ROOT, env=environment(**more), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds)
        return done.returncode, done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired:
        return -1, ""


def answers(output):
    """What the cases' answers say: reason, line, instruction."""
    return [" ".join(line.split()[1:3] + re.findall(r"\(instruction \d+\)", line)) for line in output.splitlines()]


def judge_all(options):
    """Yields (file, line, shown, by whom or None) of each check that options.only names."""
    mutants, texts = find()
    wanted = {n: m for n, m in mutants.items() if options.only in f"{m[0]}:{m[1]} {m[2]}"}
    if options.list:
        for name, line, shown in wanted.values():
            print(f"{name}:{line} {shown}")
        return
    subprocess.run([str(ROOT / "tests" / "ext" / "run"), "--compile"], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    units = compile_all(texts, options.j)
    objects = sorted(str(p) for kind in ("accept", "reject") for p in (CASES / "v3").glob(f"{kind}_*.o")
                     if (ROOT / "tests/cases/ext" / kind / p.name.removeprefix(kind + "_").removesuffix(".o")).exists())
    interface = str(CASES / "interface.o")

    def plain(job):
        unit, arguments = job
        log = OUT / f"{unit}{'-' + Path(arguments[1]).name if arguments else ''}.met"
        began = time.monotonic()
        status, output = run(unit, 0, 300, *arguments, log=log)
        if status:
            raise SystemExit(f"{unit} {' '.join(arguments)} fails with nothing removed\n{output[-2000:]}")
        return job, time.monotonic() - began, {int(n) for n in log.read_text().split()}, answers(output)

    jobs = [("case", (interface, o)) for o in objects] + [(u, ()) for u in units if u != "case"]
    with concurrent.futures.ThreadPoolExecutor(options.j) as pool:
        known = list(pool.map(plain, jobs))
        cases = {job[1][1]: (met, said) for job, _, met, said in known if job[0] == "case"}
        slow = sorted((seconds, job[0], met) for job, seconds, met, _ in known if job[0] != "case")

        def judge(number):
            mine = [o for o in objects if number in cases[o][0]]
            if mine:
                status, output = run("case", number, 60, interface, *mine)
                expected = [line for o in mine for line in cases[o][1]]
                if status or answers(output) != expected:
                    return "a case"
            for seconds, unit, met in slow:
                if number in met and run(unit, number, 20 + 10 * seconds)[0]:
                    return f"host/{unit}"
            return None

        for (name, line, shown), by in zip(wanted.values(), pool.map(judge, wanted)):
            yield name, line, shown, by
