#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""usage: core.py CORE   prints the files that the process had mapped, in order of their addresses, each once."""
import struct
import sys

NT_FILE = 0x46494C45


def notes(data):
    """(type, bytes) of each note."""
    phoff, phnum = struct.unpack_from("<Q", data, 32)[0], struct.unpack_from("<H", data, 56)[0]
    for i in range(phnum):
        kind, _, offset, _, _, size = struct.unpack_from("<IIQQQQ", data, phoff + 56 * i)
        at, end = offset, offset + size
        while kind == 4 and at < end:
            name, length, number = struct.unpack_from("<III", data, at)
            at += 12 + (name + 3 & ~3)
            yield number, data[at:at + length]
            at += length + 3 & ~3


def main():
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    for number, what in notes(data):
        if number == NT_FILE:
            count = struct.unpack_from("<Q", what)[0]
            names = what[16 + 24 * count:].split(b"\0")[:count]
            print("\n".join(dict.fromkeys(n.decode(errors="replace") for n in names)))


main()
