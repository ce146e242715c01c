# SPDX-License-Identifier: MIT
"""For gdb: counts how often the kernel is entered with AC set, and how often it is still set where it may not be."""
import gdb

AC = 1 << 18
CLAC = b"\x0f\x01\xca"
entered, inside = {}, {}


def flags():
    """RFLAGS, which gdb takes for a set of names."""
    return int(gdb.parse_and_eval("$eflags").format_string(format="x"), 16)


class Count(gdb.Breakpoint):
    """Counts, in a table, how often AC is set here; never stops."""

    def __init__(self, where, name, table):
        super().__init__(where, internal=True)
        self.name, self.table = name, table
        table.setdefault(name, [0, 0])

    def stop(self):
        self.table[self.name][0] += 1
        self.table[self.name][1] += bool(flags() & AC)
        return False


def sites():
    """(address, function) of each CLAC."""
    first = int(gdb.parse_and_eval("(unsigned long)&smap_sites_start"))
    last = int(gdb.parse_and_eval("(unsigned long)&smap_sites_end"))
    for at in range(first, last, 8):
        site = int(gdb.parse_and_eval(f"*(unsigned long *){at}"))
        code = bytes(int(gdb.parse_and_eval(f"*(unsigned char *){site + i}")) for i in range(3))
        if code == CLAC:
            yield site, gdb.execute(f"info symbol {site}", to_string=True).split()[0]


gdb.execute("hbreak kernel_main")  # until then the kernel's addresses lead nowhere
gdb.execute("continue")
gdb.execute("delete")
for site, function in sites():
    Count(f"*{site}", function, entered)
    Count(f"*{site + 3}", f"{function}, after CLAC", inside)
# swapgs, movq, movq: after `syscall`, which clears what SFMASK says
for name in ("syscall_entry", "trap_dispatch", "trap_paranoid", "call_gate_frame", "call_null", "call_cap_derive", "call_log",
             "gate_short", "yield_short", "protect_short", "syscall_other", "user_copy", "arch_save_forced"):
    Count(f"*&{name}", name, inside)
try:
    gdb.execute("continue")
except gdb.error as why:
    print("gdb:", why)
for name, (times, ac) in sorted(entered.items()):
    print(f"entered {name}: {times} times, {ac} with AC")
for name, (times, ac) in sorted(inside.items()):
    print(f"inside {name}: {times} times, {ac} with AC")
gdb.execute("quit 0")
