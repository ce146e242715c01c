/* SPDX-License-Identifier: MIT
 * What the vDSO knows of ExOS, asserted in libos/exos/vdso.c. */
#ifndef VDSO_H
#define VDSO_H

#include <aril/types.h>

#define VDSO_BYTES 4096	   /* the image: a page */
#define VDSO_REALTIME 4088 /* where in it: the address of the time of day's offset, in ns */
#define VDSO_CONTEXT 24	   /* bytes from gs: the address of the context */
#define VDSO_CPU 32	   /* in a context: its processor's number */

#endif
