# SPDX-License-Identifier: MIT
"""gdb commands and printers for the kernel's nouns: env, frame, space, capability.

  aril-envs           every env that lives or lived last in its slot
  aril-frame N        one frame: state, guards, and every binding that names it
  aril-space N        the bindings of the space whose root is frame N
  aril-cap ADDRESS    a struct aril_cap in memory

They read the kernel's own books through its aliases, so that they work in whatever space the CPU is;
before the books are built they say so.
"""
import gdb

PAGE = 4096
PHYS_VA = 0xffff800000000000
ADDRESS = 0x000ffffffffff000
RIGHTS = ("READ", "WRITE", "EXEC", "OWN", "RUN", "CALL")


def value(expression):
    return gdb.parse_and_eval(expression)


def word(text):
    """A number given by the user, as gdb reads it."""
    return int(value(text)) & 0xffffffffffffffff


def book(name):
    """The kernel's pointer `name`, or an error that says why there is none."""
    try:
        pointer = value(name)
    except gdb.error as why:
        raise gdb.GdbError(f"no symbol {name}: is this the kernel? ({why})")
    try:
        there = int(pointer) != 0
    except gdb.MemoryError:  # not even its page tables are there
        there = False
    if not there:
        raise gdb.GdbError("the kernel has not built its books yet: continue to kernel_main's end")
    return pointer


def enum_name(kind, number, prefix):
    """The name of an enum's value without its prefix."""
    for field in gdb.lookup_type(f"enum {kind}").fields():
        if field.enumval == int(number):
            return field.name[len(prefix):].lower()
    return str(int(number))


def rights_text(rights):
    names = [name for bit, name in enumerate(RIGHTS) if int(rights) >> bit & 1]
    return "|".join(names) or "none"


def name_text(val):
    return bytes(int(val["name"][i]) for i in range(min(int(val["len"]), 32))).hex() or "(empty)"


class PrincipalPrinter:
    """struct aril_cap and struct aril_guard: name, rights, generation."""

    def __init__(self, val, noun):
        self.val, self.noun = val, noun

    def to_string(self):
        if self.noun == "guard" and int(self.val["rights"]) == 0:
            return "guard (unused)"
        return (f"{self.noun} {name_text(self.val)} {rights_text(self.val['rights'])}"
                f" generation {int(self.val['generation'])}")


class FramePrinter:
    """struct aril_frame, its guards on lines of their own."""

    def __init__(self, val):
        self.val = val

    def to_string(self):
        v = self.val
        state = enum_name("aril_frame_state", v["state"], "ARIL_FRAME_")
        level = f" level {int(v['level'])}" if state in ("table", "space") else ""
        lost = " lost" if int(v["flags"]) & 1 else ""
        return (f"frame {state}{level}{lost}: {int(v['refs'])} bindings, {int(v['pins'])} pins,"
                f" partner {int(v['partner']):#x}, tag {int(v['tag']):#x}")

    def children(self):
        for i in range(2):
            if int(self.val["guard"][i]["rights"]):
                yield f"guard[{i}]", self.val["guard"][i]


class EnvPrinter:
    """struct env: identity and where it enters."""

    def __init__(self, val):
        self.val = val

    def to_string(self):
        v = self.val
        return (f"env {int(v['id']):#x} in frame {int(v['frame']):#x}, space {int(v['space']):#x},"
                f" entry {int(v['entry']):#x}, gate {int(v['gate']):#x}")


def printer(val):
    tag = val.type.strip_typedefs().tag
    if tag == "aril_cap":
        return PrincipalPrinter(val, "capability")
    if tag == "aril_guard":
        return PrincipalPrinter(val, "guard")
    if tag == "aril_frame":
        return FramePrinter(val)
    if tag == "env":
        return EnvPrinter(val)
    return None


def read_word(physical):
    return int.from_bytes(gdb.selected_inferior().read_memory(PHYS_VA + physical, 8), "little")


class Envs(gdb.Command):
    """Lists the env table: id, state, parent, space, how it ended."""

    def __init__(self):
        super().__init__("aril-envs", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        table = book("env_infos")
        print("id        state  parent    space     upcalls   end")
        for slot in range(int(book("info")["nenvs"])):
            e = table[slot]
            if int(e["id"]) == 0:
                continue
            state = enum_name("aril_env_state", e["state"], "ARIL_ENV_")
            end = ""
            if state == "dead":
                end = f"{enum_name('aril_end', e['end'], 'ARIL_END_')} {int(e['status'])}"
                if int(e["end"]) == 3:
                    end = f"fault {int(e['end_vector'])} at {int(e['end_rip']):#x}"
            print(f"{int(e['id']):<#9x} {state:6} {int(e['parent']):<#9x} {int(e['space']):<#9x}"
                  f" {int(e['upcalls']):<9} {end}")


class Frame(gdb.Command):
    """aril-frame N: one frame and every binding that names it."""

    def __init__(self):
        super().__init__("aril-frame", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        if not argument:
            raise gdb.GdbError("aril-frame needs a frame number")
        number, table = word(argument), book("frames")
        if number >= int(book("info")["nframes"]):
            raise gdb.GdbError(f"no frame {number:#x}: there are {int(book('info')['nframes']):#x}")
        f = table[number]
        print(f"{number:#x}: {f.format_string()}")
        at, left = int(f["head"]), 64
        while at and left:
            holder, index = at >> 9, at & 511
            entry = read_word(holder * PAGE + index * 8)
            print(f"  bound by table {holder:#x}[{index}], entry {entry:#018x}")
            at = read_word(int(table[holder]["partner"]) * PAGE + index * 8) & 0xffffffff
            left -= 1
        if at:
            print("  ... and more")


class Space(gdb.Command):
    """aril-space N: runs of user pages bound in the space whose root is frame N."""

    def __init__(self):
        super().__init__("aril-space", gdb.COMMAND_DATA)
        self.run = None

    def flush(self):
        if self.run:
            va, frame, count, flags = self.run
            print(f"{va:#014x} {count:6} pages  frames {frame:#x}..  {flags}")
        self.run = None

    def leaf(self, va, entry):
        flags = "r" + ("w" if entry & 2 else "-") + ("-" if entry >> 63 else "x")
        frame = (entry & ADDRESS) // PAGE
        if self.run:
            start, first, count, old = self.run
            if va == start + count * PAGE and frame == first + count and flags == old:
                self.run = (start, first, count + 1, old)
                return
        self.flush()
        self.run = (va, frame, 1, flags)

    def walk(self, table, level, base):
        memory = gdb.selected_inferior().read_memory(PHYS_VA + table * PAGE, PAGE)
        for index in range(256 if level == 4 else 512):
            entry = int.from_bytes(memory[index * 8:index * 8 + 8], "little")
            if not entry & 1:
                continue
            va = base + (index << 12 + 9 * (level - 1))
            if level == 1:
                self.leaf(va, entry)
            else:
                self.walk((entry & ADDRESS) // PAGE, level - 1, va)

    def invoke(self, argument, from_tty):
        if not argument:
            raise gdb.GdbError("aril-space needs the number of a root frame")
        root = word(argument)
        state = enum_name("aril_frame_state", book("frames")[root]["state"], "ARIL_FRAME_")
        if state != "space":
            raise gdb.GdbError(f"frame {root:#x} is no space: its state is {state}")
        self.walk(root, 4, 0)
        self.flush()


class Cap(gdb.Command):
    """aril-cap ADDRESS: a capability in memory."""

    def __init__(self):
        super().__init__("aril-cap", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        if not argument:
            raise gdb.GdbError("aril-cap needs an address")
        kind = gdb.lookup_type("struct aril_cap").pointer()
        print(gdb.Value(word(argument)).cast(kind).dereference().format_string())


gdb.pretty_printers.append(printer)
Envs()
Frame()
Space()
Cap()


def aril_disconnect():
    """Without letting the machine go on; there may be none any more."""
    try:
        gdb.execute("disconnect", to_string=True)
    except gdb.error:
        pass
