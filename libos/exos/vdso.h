/* SPDX-License-Identifier: MIT
 * The vDSO in a program's memory. */
#ifndef EXOS_VDSO_H
#define EXOS_VDSO_H

#include "mm.h"

/* Puts it into an image that is being built, wherever there is room: mm->vdso. 0 or -ENOMEM. Family lock. */
s64 vdso_map(struct mm *mm);

#endif
