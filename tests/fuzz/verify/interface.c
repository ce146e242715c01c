/* SPDX-License-Identifier: MIT
 * The interface that fuzzed programs are linked against: that of the case files, and rings. */
#define ARIL_EXT_INTERFACE
#include "../../cases/ext/case.h"

ARIL_EXT_FUNCTION(void *, reserve, (const void *ring ARIL_EXT_MAP_ARG),
		  ARIL_EXT_SLOT(13) ARIL_EXT_COST(10) ARIL_EXT_ACQUIRE ARIL_EXT_NULLABLE)
ARIL_EXT_FUNCTION(void, submit, (void *record ARIL_EXT_VALUE ARIL_EXT_RELEASE),
		  ARIL_EXT_SLOT(14) ARIL_EXT_COST(10))
