// No such call.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0x100005085\n"
    "r0 = 0\n"
    "exit\n")
