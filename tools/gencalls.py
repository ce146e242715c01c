#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes everything that follows from abi/calls.tbl: numbers, stubs, dispatch table, reference page.

usage: gencalls.py TABLE [--errors error.h] [--out DIR] [--doc FILE]

Files are rewritten only where their content changes, so that make rebuilds no more than it must.
A malformed line ends the run with `TABLE:LINE: reason`, status 1, and nothing written.
"""
import argparse
import os
import re
import sys

BASE = 1 << 31
KINDS = {"fast": 0, "locked": 1, "switch": 2}
KEYS = ("rights", "returns", "errors", "cost", "source")
CALL = re.compile(r"call\s+(\d+)\s+([a-z][a-z0-9_]*)\s+([a-z]+)\s+\((.*)\)$")
ARG = re.compile(r"((?:const )?(?:struct [a-z_]\w*|char|[us](?:8|16|32|64)))( \*| )([a-z_]\w*)$")
REGISTERS = ("rdi", "rsi", "rdx", "r10", "r8", "r9")
MIT = "/* SPDX-License-Identifier: MIT\n * %s Generated from abi/calls.tbl. */\n"


class Bad(Exception):
    """A line of the table that cannot be used."""


class Call:
    """One declared call: number, name, kind, [(type, name)], prose lines, {key: text}."""

    def __init__(self, number, name, kind, args):
        self.number, self.name, self.kind, self.args = number, name, kind, args
        self.prose, self.keys = [], {}

    def params(self):
        return ", ".join(t + ("" if t.endswith("*") else " ") + n for t, n in self.args) or "void"


def parse_args(text):
    """Splits an argument list into (type, name) pairs."""
    args = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        m = ARG.match(part)
        if not m:
            raise Bad(f"argument '{part}' is not 'TYPE name' of a type that fits a register")
        star = m.group(2).strip()
        if not star and ("struct" in m.group(1) or "char" in m.group(1)):
            raise Bad(f"argument '{part}' does not fit a register: pass a pointer")
        if m.group(3) in (n for _, n in args):
            raise Bad(f"two arguments named '{m.group(3)}'")
        args.append((m.group(1) + (" *" if star else ""), m.group(3)))
    if len(args) > len(REGISTERS):
        raise Bad(f"{len(args)} arguments, but {len(REGISTERS)} registers carry them")
    return args


def parse_call(line, calls):
    """Reads one `call` line."""
    m = CALL.match(line)
    if not m:
        raise Bad("expected 'call NUMBER name kind (arguments)'")
    number, name, kind = int(m.group(1)), m.group(2), m.group(3)
    if kind not in KINDS:
        raise Bad(f"kind '{kind}' is none of {', '.join(KINDS)}")
    if calls and number <= calls[-1].number:
        raise Bad(f"number {number} does not follow {calls[-1].number}: numbers must rise")
    if number >= 1024:
        raise Bad(f"number {number} is too large: the table has at most 1024 slots")
    if name in (c.name for c in calls):
        raise Bad(f"a call named '{name}' is declared already")
    return Call(number, name, kind, parse_args(m.group(4)))


def check_errors(text, known):
    """Every item of an `errors:` line starts with an error's name."""
    text = re.sub(r"^\([^)]*\)\s*", "", text)
    for item in text.split(";"):
        word = item.split()[0] if item.split() else ""
        if word != "none" and word not in known:
            raise Bad(f"'{word}' is not an error of abi/include/aril/error.h")


def parse_contract(call, text, known):
    """Adds one indented line to the call's contract."""
    m = re.match(r"([a-z]+): (.*)$", text)
    if not m or m.group(1) not in KEYS:
        call.prose.append(text)
        return
    key, value = m.groups()
    if key in call.keys:
        raise Bad(f"call {call.name} has two '{key}:' lines")
    if key == "errors":
        check_errors(value, known)
    call.keys[key] = value


def parse(path, known):
    """Returns the calls of a table; Bad carries `path:line: reason`."""
    calls = []
    with open(path, encoding="utf-8") as table:
        for at, raw in enumerate(table, 1):
            line = raw.rstrip()
            if not line or line.startswith("#"):
                continue
            try:
                if not line[0].isspace():
                    calls.append(parse_call(line, calls))
                elif not calls:
                    raise Bad("contract line before the first call")
                else:
                    parse_contract(calls[-1], line.strip(), known)
            except Bad as why:
                raise Bad(f"{path}:{at}: {why}") from None
    if not calls:
        raise Bad(f"{path}:1: no call declared")
    for call in calls:
        if not call.prose:
            raise Bad(f"{path}:1: call {call.name} says nothing of what it does")
    return calls


def slots(calls):
    """Table size: a power of two, so that one mask tests a number."""
    return 1 << max(call.number for call in calls).bit_length()


def make_numbers(calls):
    out = [MIT % "Numbers of the kernel's calls, for C and assembly."]
    out.append("#ifndef ARIL_CALLS_H\n#define ARIL_CALLS_H\n")
    out.append("/* eax = ARIL_CALL_BASE + index. Every index is below ARIL_CALL_SLOTS, a power of two. */")
    out.append(f"#define ARIL_CALL_BASE 0x{BASE:x}")
    out.append(f"#define ARIL_CALL_SLOTS {slots(calls)}")
    out.append(f"#define ARIL_CALL_INDICES {', '.join(str(call.number) for call in calls)}\n")
    for call in calls:
        upper = call.name.upper()
        out.append(f"#define ARIL_CALL_{upper}_INDEX {call.number}")
        out.append(f"#define ARIL_CALL_{upper} 0x{BASE + call.number:x}")
    return "\n".join(out) + "\n\n#endif\n"


def make_raw(count):
    """One inline `syscall` with count arguments; the kernel zeroes every argument register."""
    names = "abcdef"[:count]
    params = "".join(f", u64 {n}" for n in names)
    out = [f"static inline __attribute__((always_inline)) s64 aril_call{count}(u32 nr{params})\n{{"]
    for n, reg in list(zip(names, REGISTERS))[3:]:
        out.append(f'\tregister u64 {reg} __asm__("{reg}") = {n};')
    out.append("\ts64 result;\n")
    inout = [f'"+{c}"({n})' for n, c in zip(names, "DSd")]
    inout += [f'"+r"({reg})' for reg in REGISTERS[3:count]]
    lost = ", ".join(f'"{r}"' for r in ("rcx", "r11") + REGISTERS[count:] + ("memory", "cc"))
    outputs = ", ".join(['"=a"(result)'] + inout)
    out.append('\t__asm__ volatile("syscall"')
    out.append(f'\t\t\t : {outputs}\n\t\t\t : "a"(nr)\n\t\t\t : {lost});')
    out.append("\treturn result;\n}\n")
    return "\n".join(out)


def make_stubs(calls):
    out = [MIT % "The kernel's calls as C functions: result >= 0 or -ARIL_E_*."]
    out.append("#ifndef ARIL_STUBS_H\n#define ARIL_STUBS_H\n")
    out.append("#include <aril/calls.h>\n#include <aril/error.h>\n#include <aril/ops.h>\n")
    out += [make_raw(count) for count in range(len(REGISTERS) + 1)]
    for call in calls:
        note = {"switch": " Returns only to refuse, or where the call is documented to return."}
        out.append(f"/* {call.prose[0].split('. ')[0].rstrip('.')}.{note.get(call.kind, '')} */")
        passed = "".join(f", (u64){n}" for _, n in call.args)
        upper = call.name.upper()
        out.append(f"static inline s64 aril_{call.name}({call.params()})\n{{")
        out.append(f"\treturn aril_call{len(call.args)}(ARIL_CALL_{upper}{passed});\n}}\n")
    return "\n".join(out) + "\n#endif\n"


def make_handlers(calls):
    out = [MIT % "The handlers that the kernel must define, and the table that leads to them."]
    out.append("#ifndef CALL_HANDLERS_H\n#define CALL_HANDLERS_H\n\n#include <aril/calls.h>\n")
    for kind, value in KINDS.items():
        out.append(f"#define CALL_{kind.upper()} {value}")
    out.append("\n#ifndef __ASSEMBLER__\n#include <aril/ops.h>\n")
    out.append("/* Called by the entry code with the six argument registers as they came. A handler of")
    out.append(" * narrower arguments sees the low half of a register only (System V ABI). */")
    out.append("typedef s64 (*call_fn)(u64, u64, u64, u64, u64, u64);")
    out.append("extern const call_fn call_table[ARIL_CALL_SLOTS];")
    out.append("extern const u8 call_kind[ARIL_CALL_SLOTS];")
    out.append("extern const char *const call_name[ARIL_CALL_SLOTS]; /* 0: no such call */\n")
    out += [f"s64 call_{call.name}({call.params()});" for call in calls]
    return "\n".join(out) + "\n#endif\n\n#endif\n"


def make_table(calls):
    out = [MIT % "Dispatch by call index; unused indices refuse."]
    out.append('#include "call.h"\n#include "call_handlers.h"\n\n#include <aril/error.h>\n')
    out.append("static s64 call_unused(void)\n{\n\treturn -ARIL_E_CALL;\n}\n")
    out.append("/* Through void (*)(void): the entry code calls by the ABI, not by a C type. */")
    out.append("#define FN(name) (call_fn)(void (*)(void)) name\n")
    entry = {call.number: ("locked_" if call.kind == "locked" else "call_") + call.name for call in calls}
    for call in (c for c in calls if c.kind == "locked"):
        names = ", ".join(n for _, n in call.args)
        out.append(f"static s64 locked_{call.name}({call.params()})\n{{\n\tif (unlikely(!call_enter()))")
        given = [f"(u64){n}" for _, n in call.args] + ["0"] * (6 - len(call.args))
        out.append(f"\t\treturn call_again({call.number}, {', '.join(given)});")
        out.append(f"\ts64 result = call_{call.name}({names});\n\tcall_leave();\n\treturn result;\n}}\n")
    out.append("const call_fn call_table[ARIL_CALL_SLOTS] = {")
    for i in range(slots(calls)):
        out.append(f"\t[{i}] = FN({entry.get(i, 'call_unused')}),")
    out.append("};\n\nconst u8 call_kind[ARIL_CALL_SLOTS] = {")
    out += [f"\t[{c.number}] = CALL_{c.kind.upper()}," for c in calls]
    out.append("};\n\nconst char *const call_name[ARIL_CALL_SLOTS] = {")
    out += [f'\t[{c.number}] = "{c.name}",' for c in calls]
    return "\n".join(out) + "\n};\n"


def argument(kind, name):
    """What an argument is, as one word: by its name, or by what it points to."""
    if kind.endswith("*"):
        kind = re.sub(r"^const |^struct |aril_| \*$", "", kind.replace("const ", ""))
        return "P_" + re.sub(r"struct |aril_", "", kind).upper()
    return name.upper()


def make_desc(calls):
    """The table by which programs/fuzz makes calls."""
    kinds = sorted({argument(t, n) for call in calls for t, n in call.args})
    out = [MIT % "What each call takes, for who makes calls at random."]
    out.append("#ifndef ARIL_CALL_DESC_H\n#define ARIL_CALL_DESC_H\n\n#include <aril/types.h>\n")
    out.append("enum aril_arg {\n\tARIL_ARG_NONE,")
    out += [f"\tARIL_ARG_{kind}," for kind in kinds]
    out.append("};\n\nstruct aril_call_desc {\n\tconst char *name;\n\tu16 number;\n\tu8 kind; /* 0 fast, 1 locked, 2 switch */")
    out.append("\tu8 nargs;\n\tu8 arg[6];")
    out.append("\tu8 pointers; /* a bit for each argument that is one */\n};\n")
    out.append(f"#define ARIL_CALLS {len(calls)}")
    out.append("static const struct aril_call_desc aril_call_desc[ARIL_CALLS] = {")
    for call in calls:
        args = ", ".join("ARIL_ARG_" + argument(t, n) for t, n in call.args) or "0"
        pointers = sum(1 << i for i, (t, _) in enumerate(call.args) if t.endswith("*"))
        out.append(f'\t{{"{call.name}", {call.number}, {KINDS[call.kind]}, {len(call.args)}, {{{args}}}, {pointers}}},')
    return "\n".join(out) + "\n};\n\n#endif\n"


def make_doc(calls, head):
    """The reference page: head is the table's own leading comment."""
    out = ["# The kernel's calls\n"]
    out.append("Generated from `abi/calls.tbl` by `make docs`: change the table, not this page.\n")
    out.append("\n".join(head) + "\n")
    out.append("A `u32` argument is the low half of its register; the upper half is ignored.\n")
    out.append("| number | call | kind |\n| ---: | --- | --- |")
    out += [f"| {c.number} | [{c.name}](#{c.name}) | {c.kind} |" for c in calls]
    for call in calls:
        out.append(f"\n## {call.name}\n\n```c")
        out.append(f"s64 aril_{call.name}({call.params()}); /* {call.number}, {call.kind} */\n```\n")
        out.append("\n\n".join(call.prose) + "\n")
        out += [f"- **{key}**: {call.keys[key]}" for key in KEYS if key in call.keys]
    return "\n".join(out) + "\n"


def write(path, text):
    """Writes text unless the file holds it already."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    if os.path.exists(path):
        with open(path, encoding="utf-8") as old:
            if old.read() == text:
                return
    with open(path, "w", encoding="utf-8") as new:
        new.write(text)


def leading_comment(path):
    """The table's opening comment, without the licence line, as a literal block."""
    lines = []
    with open(path, encoding="utf-8") as table:
        for line in table:
            if not line.startswith("#"):
                break
            if "SPDX" not in line:
                lines.append(line[1:].rstrip().removeprefix(" "))
    text = "\n".join(lines)
    return ["```text", text, "```"]


def main():
    opts = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    opts.add_argument("table")
    opts.add_argument("--errors", default="abi/include/aril/error.h")
    opts.add_argument("--out")
    opts.add_argument("--doc")
    opts = opts.parse_args()
    try:
        with open(opts.errors, encoding="utf-8") as header:
            known = set(re.findall(r"\bARIL_E_([A-Z]+) =", header.read()))
        calls = parse(opts.table, known)
    except (Bad, OSError) as why:
        print(why, file=sys.stderr)
        return 1
    if opts.out:
        write(f"{opts.out}/aril/calls.h", make_numbers(calls))
        write(f"{opts.out}/aril_stubs.h", make_stubs(calls))
        write(f"{opts.out}/aril_call_desc.h", make_desc(calls))
        write(f"{opts.out}/call_handlers.h", make_handlers(calls))
        write(f"{opts.out}/call_table.c", make_table(calls))
    if opts.doc:
        write(opts.doc, make_doc(calls, leading_comment(opts.table)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
