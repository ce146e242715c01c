/* SPDX-License-Identifier: MIT
 * What the generated dispatch wraps around calls of kind `locked`. */
#ifndef KERNEL_CALL_H
#define KERNEL_CALL_H

/* Takes the object lock for the current env; does not return if the env was ended meanwhile. */
void call_enter(void);
/* Drops it; does not return if the call ended its caller. */
void call_leave(void);

#endif
