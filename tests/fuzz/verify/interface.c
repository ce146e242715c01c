/* SPDX-License-Identifier: MIT
 * The interface that fuzzed programs are linked against: that of the case files. */
#define ARIL_EXT_INTERFACE
#include "../../cases/ext/case.h"
