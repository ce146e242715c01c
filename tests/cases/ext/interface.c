/* SPDX-License-Identifier: MIT
 * The interface object of the cases: everything of case.h, defined. */
#define ARIL_EXT_INTERFACE
#include "case.h"
