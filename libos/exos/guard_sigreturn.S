/* SPDX-License-Identifier: MIT
 * The way back from handlers once more, for families with the guard. */
#include "guarded.inc"
#include "sigreturn.S"
