# SPDX-License-Identifier: MIT
"""ELF files as a profiler needs them: segments, names of functions, and how to unwind one frame (.eh_frame, .debug_frame)."""
import bisect
import struct

RBP, RSP, RIP = 6, 7, 16  # DWARF's numbers; 0 to 15 are rax rdx rcx rbx rsi rdi rbp rsp r8 to r15


def signed(value, bits=64):
    return value - (1 << bits) if value >> (bits - 1) else value


class Reader:
    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def take(self, form):
        value = struct.unpack_from("<" + form, self.data, self.at)[0]
        self.at += struct.calcsize("<" + form)
        return value

    def leb(self):
        """A number of seven bits a byte: its value, how many bits, its last byte."""
        value = shift = 0
        while True:
            byte = self.take("B")
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value, shift, byte

    def uleb(self):
        return self.leb()[0]

    def sleb(self):
        value, bits, last = self.leb()
        return value - (1 << bits) if last & 64 else value

    def string(self):
        end = self.data.index(b"\0", self.at)
        text, self.at = self.data[self.at:end], end + 1
        return text

    def encoded(self, how, va):
        """A pointer of .eh_frame; va: where data[0] is in memory."""
        if how == 0xff:
            return None
        here = va + self.at
        value = {0: lambda: self.take("Q"), 1: self.uleb, 2: lambda: self.take("H"), 3: lambda: self.take("I"), 4: lambda: self.take("Q"),
                 9: self.sleb, 10: lambda: self.take("h"), 11: lambda: self.take("i"), 12: lambda: self.take("q")}[how & 15]()
        return (value + (here if how & 0x70 == 0x10 else 0)) & (1 << 64) - 1


class Elf:
    """data: the file's bytes. Raises ValueError where it is none for this machine."""

    def __init__(self, data):
        if data[:6] != b"\x7fELF\2\1":
            raise ValueError("no 64-bit ELF file")
        self.data = data
        (_, _, _, _, phoff, shoff, _, _, phsize, phnum, shsize, shnum, shstr) = struct.unpack_from("<HHIQQQIHHHHHH", data, 16)
        self.loads = []  # (va, offset, bytes)
        for i in range(phnum):
            kind, _, offset, va, _, size, _, _ = struct.unpack_from("<IIQQQQQQ", data, phoff + i * phsize)
            if kind == 1:
                self.loads.append((va, offset, size))
        sections = [struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * shsize) for i in range(shnum)]
        self.sections = {}
        for s in sections:
            at = sections[shstr][4] + s[0]
            self.sections[data[at:data.index(b"\0", at)].decode()] = s
        self.starts, self.names = self._symbols(sections)
        self._frames = None

    def va_of(self, offset):
        """The address that a place in the file is linked at, or None."""
        for va, at, size in self.loads:
            if at <= offset < at + size:
                return va + offset - at
        return None

    def _symbols(self, sections):
        found = {}
        for wanted in (11, 2):  # .dynsym, .symtab
            for s in sections:
                if s[1] != wanted:
                    continue
                strings = sections[s[6]][4]
                for at in range(s[4], s[4] + s[5], 24):
                    name, info, _, section, value, size = struct.unpack_from("<IBBHQQ", self.data, at)
                    if info & 15 in (0, 2, 10) and section and section < 0xff00 and sections[section][2] & 4 and name:
                        text = self.data[strings + name:self.data.index(b"\0", strings + name)].decode(errors="replace")
                        if value not in found or size and not found[value][1]:
                            found[value] = (text, size)
        starts = sorted(found)
        return starts, [found[a] for a in starts]

    def function(self, va):
        """(name, start) of the function at an address; (None, start or None) where there is no name."""
        i = bisect.bisect_right(self.starts, va) - 1
        if i >= 0:
            name, size = self.names[i]
            if not size or va < self.starts[i] + size:
                return name, self.starts[i]
        frame = self.frame(va)
        return None, frame[0] if frame else None

    # --- unwinding
    def frame(self, va):
        """The (start, end, CIE, instructions) that describes an address, or None."""
        if self._frames is None:
            self._frames = []
            for name in (".eh_frame", ".debug_frame"):
                if name in self.sections and self.sections[name][1] != 8:
                    self._frames += self._read_frames(name)
            self._frames.sort(key=lambda f: f[0])
        i = bisect.bisect_right(self._frames, va, key=lambda f: f[0]) - 1
        return self._frames[i] if i >= 0 and va < self._frames[i][1] else None

    def _read_frames(self, name):
        section, eh = self.sections[name], name == ".eh_frame"
        data = self.data[section[4]:section[4] + section[5]]
        va, cies, found, r = section[3], {}, [], Reader(data)
        while r.at + 4 < len(data):
            began = r.at
            size = r.take("I")
            if not size:
                continue
            end = r.at + size
            id_at = r.at
            ident = r.take("I")
            if ident == (0 if eh else 0xffffffff):
                cies[began] = self._read_cie(r, end, va)
            else:
                cie = cies.get(id_at - ident if eh else ident)
                if cie:
                    start = r.encoded(cie["how"], va) if eh else r.take("Q")
                    length = r.encoded(cie["how"] & 15, va) if eh else r.take("Q")
                    if cie["augmented"]:
                        skip = r.uleb()
                        r.at += skip
                    found.append((start, start + length, cie, data[r.at:end]))
            r.at = end
        return found

    @staticmethod
    def _read_cie(r, end, va):
        version, text = r.take("B"), r.string()
        if version == 4:
            r.take("H")
        code, scale = r.uleb(), r.sleb()
        r.take("B") if version == 1 else r.uleb()
        cie = {"code": code, "data": scale, "how": 0, "augmented": text[:1] == b"z", "signal": b"S" in text}
        if cie["augmented"]:
            size = r.uleb()
            after = r.at + size
            for letter in text[1:].decode():
                if letter == "R":
                    cie["how"] = r.take("B")
                elif letter == "P":
                    r.encoded(r.take("B"), va)
                elif letter == "L":
                    r.take("B")
            r.at = after
        cie["first"] = r.data[r.at:end]
        return cie

    def unwind(self, va, registers, read):
        """The caller's registers {DWARF number: value}, or None where the file does not say. va: the address as linked; read(address) gives
        8 bytes of memory."""
        frame = self.frame(va)
        if not frame:
            return None
        start, _, cie, text = frame
        state = {"cfa": (RSP, 8), "rules": {}}
        self._run(cie["first"], cie, start, va, state, {}, None)
        self._run(text, cie, start, va, state, dict(state["rules"]), [])
        cfa = state["cfa"]
        if isinstance(cfa, bytes):
            cfa = evaluate(cfa, registers, read, [])
        else:
            if cfa[0] not in registers:
                return None
            cfa = registers[cfa[0]] + cfa[1] & (1 << 64) - 1
        caller = {n: v for n, v in registers.items() if n in (3, 6, 12, 13, 14, 15)}
        for n, (kind, value) in state["rules"].items():
            if kind == "at":
                caller[n] = read(cfa + value)
            elif kind == "expression":
                caller[n] = read(evaluate(value, registers, read, [cfa]))
            elif kind == "same" and n in registers:
                caller[n] = registers[n]
            elif kind == "register" and value in registers:
                caller[n] = registers[value]
            elif kind == "undefined":
                caller.pop(n, None)
        caller.setdefault(RSP, cfa)
        if RIP not in caller:
            return None
        return caller

    @staticmethod
    def _run(text, cie, at, va, state, first, saved):
        r, rules = Reader(text), state["rules"]
        while r.at < len(text):
            op = r.take("B")
            high, low = op >> 6, op & 63
            if high == 1:
                at += low * cie["code"]
            elif high == 2:
                rules[low] = ("at", r.uleb() * cie["data"])
            elif high == 3:
                rules.pop(low, None)
                if low in first:
                    rules[low] = first[low]
            elif op == 1:
                at = r.take("Q")
            elif op in (2, 3, 4):
                at += r.take({2: "B", 3: "H", 4: "I"}[op]) * cie["code"]
            elif op == 5:
                n = r.uleb()
                rules[n] = ("at", r.uleb() * cie["data"])
            elif op == 6:
                n = r.uleb()
                rules.pop(n, None)
                if n in first:
                    rules[n] = first[n]
            elif op == 7:
                rules[r.uleb()] = ("undefined", 0)
            elif op == 8:
                rules[r.uleb()] = ("same", 0)
            elif op == 9:
                n = r.uleb()
                rules[n] = ("register", r.uleb())
            elif op == 10:
                saved.append((state["cfa"], dict(rules)))
            elif op == 11 and saved:
                state["cfa"], kept = saved.pop()
                rules.clear()
                rules.update(kept)
            elif op == 12:
                n = r.uleb()
                state["cfa"] = (n, r.uleb())
            elif op == 13:
                state["cfa"] = (r.uleb(), state["cfa"][1])
            elif op == 14:
                state["cfa"] = (state["cfa"][0], r.uleb())
            elif op == 15:
                size = r.uleb()
                state["cfa"] = r.data[r.at:r.at + size]
                r.at += size
            elif op in (16, 22):
                n, size = r.uleb(), r.uleb()
                rules[n] = ("expression", r.data[r.at:r.at + size])
                r.at += size
            elif op == 17:
                n = r.uleb()
                rules[n] = ("at", r.sleb() * cie["data"])
            elif op == 18:
                n = r.uleb()
                state["cfa"] = (n, r.sleb() * cie["data"])
            elif op == 19:
                state["cfa"] = (state["cfa"][0], r.sleb() * cie["data"])
            elif op == 0x2e:
                r.uleb()
            elif op != 0:
                raise ValueError(f"call frame instruction {op:#x}")
            if at > va:
                return


def evaluate(text, registers, read, stack):
    """A DWARF expression, as linkers and compilers write them for frames."""
    r, mask = Reader(text), (1 << 64) - 1
    while r.at < len(text):
        op = r.take("B")
        if 0x30 <= op <= 0x4f:
            stack.append(op - 0x30)
        elif 0x70 <= op <= 0x8f:
            stack.append(registers[op - 0x70] + r.sleb() & mask)
        elif op in (8, 9, 10, 11, 12, 13, 14, 15):
            stack.append(r.take("BbHhIiQq"[op - 8]) & mask)
        elif op == 0x10:
            stack.append(r.uleb())
        elif op == 0x11:
            stack.append(r.sleb() & mask)
        elif op == 0x06:
            stack.append(read(stack.pop()))
        elif op == 0x12:
            stack.append(stack[-1])
        elif op == 0x23:
            stack.append(stack.pop() + r.uleb() & mask)
        elif op in (0x1a, 0x1c, 0x21, 0x22, 0x24, 0x25, 0x2a):
            b, a = stack.pop(), stack.pop()
            stack.append({0x1a: a & b, 0x1c: a - b, 0x21: a | b, 0x22: a + b, 0x24: a << b, 0x25: a >> b,
                          0x2a: int(signed(a) >= signed(b))}[op] & mask)
        else:
            raise ValueError(f"expression {op:#x}")
    return stack[-1]
