# SPDX-License-Identifier: MIT
"""gdb on a Linux program that ExOS runs: stops it where its main begins, with its own symbols and its libraries'.

  aril-program FILE FILES [SYSROOT]   FILE: the program, a file of the host; FILES: lines of a guest's path, a tab, the host's
                                      file; SYSROOT: a directory that is the guest's root

ExOS loads programs where the file says, or, where it can be anywhere, at one address (libos/exos/exec.c). Which libraries there are
says the program's own dynamic linker, in its memory."""
import os
import struct

import gdb

PIE_BASE = 0x555555554000
PT_DYNAMIC, DT_DEBUG, ET_DYN = 2, 21, 3


def elf(path):
    """(load bias, address of .dynamic or 0) of a program."""
    with open(path, "rb") as file:
        data = file.read(65536)
    if data[:5] != b"\x7fELF\x02":
        raise gdb.GdbError(f"{path} is no 64-bit ELF program")
    kind, phoff, phnum = struct.unpack_from("<H", data, 16)[0], struct.unpack_from("<Q", data, 32)[0], struct.unpack_from("<H", data, 56)[0]
    headers = [struct.unpack_from("<IIQQQQ", data, phoff + 56 * i) for i in range(phnum)]
    low = min((h[3] for h in headers if h[0] == 1), default=0) & ~0xfff
    bias = PIE_BASE - low if kind == ET_DYN else 0
    dynamic = [h[3] + bias for h in headers if h[0] == PT_DYNAMIC]
    return bias, dynamic[0] if dynamic else 0


def words(address, count):
    return struct.unpack(f"<{count}Q", bytes(gdb.selected_inferior().read_memory(address, 8 * count)))


def string(address):
    found = b""
    while not found.endswith(b"\0"):
        found += bytes(gdb.selected_inferior().read_memory(address + len(found), 1))
    return found[:-1].decode(errors="replace")


def libraries(dynamic):
    """(load bias, guest's path) of each object but the program, as its dynamic linker has them."""
    debug = 0
    for _ in range(256):
        tag, value = words(dynamic, 2)
        dynamic += 16
        if tag == DT_DEBUG:
            debug = value
        if not tag:
            break
    at = words(debug + 8, 1)[0] if debug else 0
    while at:
        bias, name, _, at = words(at, 4)
        name = string(name)
        if name:
            yield bias, name


def symbols(path, bias):
    gdb.execute(f"add-symbol-file {path} -o {bias:#x}", to_string=True)


class Program(gdb.Command):
    def __init__(self):
        super().__init__("aril-program", gdb.COMMAND_RUNNING)

    def invoke(self, argument, from_tty):
        path, files, *rest = gdb.string_to_argv(argument)
        bias, dynamic = elf(path)
        symbols(path, bias)
        try:
            gdb.parse_and_eval("&main")
        except gdb.error:
            raise gdb.GdbError(f"{path} has no symbol main: is it stripped?") from None
        # Behind what sets up its frame, for which gdb reads the code: it is not in memory yet. Kernel and ExOS have no such name.
        gdb.execute("set trust-readonly-sections on")
        point = gdb.Breakpoint("main", internal=True)
        gdb.execute("set trust-readonly-sections off")
        try:
            gdb.execute("continue", to_string=True)
            if not point.hit_count:
                raise gdb.GdbError("something else than the program's main stopped the machine")
        except gdb.error as why:
            raise gdb.GdbError(f"the program did not come to its main: {why}") from None
        finally:
            if point.is_valid():
                point.delete()
        with open(files, encoding="utf-8") as lines:
            known = dict(line.rstrip("\n").split("\t", 1) for line in lines)
        for where, name in libraries(dynamic) if dynamic else ():
            host = known.get(name) or (os.path.join(rest[0], name.lstrip("/")) if rest else "")
            if host and os.path.isfile(host):
                symbols(host, where)
        gdb.execute("frame")


Program()
