#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turns `nm -n` output (standard input) into an assembly symbol table for the kernel's backtraces.

usage: nm -n KERNEL | gensyms.py OUT.S        empty input makes an empty table
       nm -n KERNEL | gensyms.py --check OUT.S   fails unless OUT.S describes this very kernel

Layout, all in .rodata: u64 kernel_symbol_count; kernel_symbols = {u64 address, u32 offset of the
name, u32 zero}, by rising address; kernel_symbol_names = the names, each ended by a zero byte. Only
text symbols: text lies below .rodata, so that the table's own size cannot move what it describes.
"""
import re
import sys


def text_symbols(lines):
    """[(address, name)] of code, one name for each address, without local labels."""
    found = {}
    for line in lines:
        m = re.match(r"([0-9a-f]{8,16}) [tTwW] ([A-Za-z_][\w.$]*)$", line.strip())
        if m and int(m.group(1), 16) >= 0xffffffff80000000:
            found.setdefault(int(m.group(1), 16), m.group(2))
    return sorted(found.items())


def render(symbols):
    """The assembly source."""
    out = ["/* SPDX-License-Identifier: MIT", " * Names of the kernel's functions. Generated from the first link. */"]
    out += ["\t.section .rodata", "\t.globl kernel_symbol_count, kernel_symbols, kernel_symbol_names"]
    out += ["\t.balign 8", "kernel_symbol_count:", f"\t.quad {len(symbols)}", "kernel_symbols:"]
    offset = 0
    for address, name in symbols:
        out.append(f"\t.quad {address:#x}\n\t.long {offset}, 0")
        offset += len(name) + 1
    out.append("kernel_symbol_names:")
    out += [f'\t.asciz "{name}"' for _, name in symbols] or ["\t.byte 0"]
    out.append('\t.section .note.GNU-stack, "", @progbits')
    return "\n".join(out) + "\n"


def main():
    check = sys.argv[1:2] == ["--check"]
    if len(sys.argv) != (3 if check else 2):
        print(__doc__, file=sys.stderr)
        return 2
    text = render(text_symbols(sys.stdin))
    if not check:
        with open(sys.argv[1], "w", encoding="utf-8") as out:
            out.write(text)
        return 0
    with open(sys.argv[2], encoding="utf-8") as old:
        if old.read() == text:
            return 0
    print(f"gensyms: the last link moved code that {sys.argv[2]} describes: .rodata must follow .text", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
