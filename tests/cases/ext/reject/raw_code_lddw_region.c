// No such region.
// why: code
// insn: 0
#include "case.h"
RAW(pure, (u64 n, u64 m),
    ".quad 0x6300001018\n"
    ".quad 0x0\n"
    "r0 = 0\n"
    "exit\n")
