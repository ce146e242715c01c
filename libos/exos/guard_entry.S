/* SPDX-License-Identifier: MIT
 * The ways in and out once more, for families with the guard. */
#include "guarded.inc"
#include "entry.S"
