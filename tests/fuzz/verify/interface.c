/* SPDX-License-Identifier: MIT
 * The interface that fuzzed programs are linked against: that of the case files, and what these do not have. Budgets are
 * small: a program that is within its budget at the longest has no checkpoints. */
#define ARIL_EXT_INTERFACE
#include "../../cases/ext/case.h"

ARIL_EXT_POINT(void, nothing_back, (u64 n), ARIL_EXT_CLASS(handler) ARIL_EXT_BUDGET(90))
ARIL_EXT_POINT(s64, signed_back, (s64 n ARIL_EXT_RANGE(-100, 100)),
	       ARIL_EXT_CLASS(handler) ARIL_EXT_BUDGET(300) ARIL_EXT_RETURNS(-3, 3))
ARIL_EXT_POINT(u64, both,
	       (const u8 *a ARIL_EXT_SIZE(2), u64 n ARIL_EXT_RANGE(0, 64),
		u8 *b ARIL_EXT_BYTES(24)),
	       ARIL_EXT_CLASS(handler) ARIL_EXT_BUDGET(200))
ARIL_EXT_POINT(u64, brief, (u8 * data ARIL_EXT_SIZE(2), u64 size),
	       ARIL_EXT_CLASS(handler) ARIL_EXT_BUDGET(150))
ARIL_EXT_POINT(u64, brief_number, (u64 n, u64 m), ARIL_EXT_CLASS(handler) ARIL_EXT_BUDGET(250))
ARIL_EXT_POINT(u64, brief_object, (struct object * o), ARIL_EXT_CLASS(handler) ARIL_EXT_BUDGET(150))

ARIL_EXT_FUNCTION(s64, forget, (const void *map ARIL_EXT_MAP_ARG, const void *key ARIL_EXT_KEY),
		  ARIL_EXT_SLOT(15) ARIL_EXT_COST(30))
ARIL_EXT_FUNCTION(void, discard, (void *record ARIL_EXT_VALUE ARIL_EXT_RELEASE), ARIL_EXT_SLOT(16))
ARIL_EXT_FUNCTION(struct inner *, find, (u64 n), ARIL_EXT_SLOT(17) ARIL_EXT_NULLABLE)
ARIL_EXT_FUNCTION(u64, copy,
		  (void *to ARIL_EXT_SIZE(2), u64 room ARIL_EXT_RANGE(0, 64),
		   const void *from ARIL_EXT_SIZE(4), u64 size ARIL_EXT_RANGE(0, 32)),
		  ARIL_EXT_SLOT(18) ARIL_EXT_COST(40))
ARIL_EXT_FUNCTION(u64, look_inside, (const struct inner *i ARIL_EXT_CONST ARIL_EXT_NULLABLE),
		  ARIL_EXT_SLOT(19) ARIL_EXT_PURE)
ARIL_EXT_FUNCTION(u64, slow, (void), ARIL_EXT_SLOT(20) ARIL_EXT_COST(700))
ARIL_EXT_FUNCTION(void *, consult, (const void *map ARIL_EXT_MAP_ARG, const void *key ARIL_EXT_KEY),
		  ARIL_EXT_SLOT(21) ARIL_EXT_COST(30) ARIL_EXT_NULLABLE ARIL_EXT_PURE)
