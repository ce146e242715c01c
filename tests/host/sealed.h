/* SPDX-License-Identifier: MIT
 * Sealed code on the fake machine: blobs of the host's own instructions, really run where they lie. */
#ifndef HOST_SEALED_H
#define HOST_SEALED_H

#include "fake.h"

#include "account.h"
#include "audit_stubs.h"
#include "boot.h"
#include "code_wait.h"
#include "lock.h"
#include "slice.h"
#include <aril/points.h>

/* A blob `name`, to `name`_end; DATA: bytes of its data, a page behind its first. */
#define BLOB(name, code)                                                                     \
	extern const u8 name[], name##_end[];                                                \
	__asm__(".section .rodata\n\t.balign 16\n" #name ":\n\t" code "\n" #name "_end:\n\t" \
		".byte 0\n\t.text")
#define DATA(name, n) #name " + 4096 + " #n "(%rip)"
/* Calls function n, with the run in r9. */
#define CALL(n) "pushq %r9\n\tcall *64 + 8 * " #n "(%r9)\n\tpopq %r9\n\t"

extern u32 root, loader, user, first;

/* As after boot: root; "load", which owns three frames from first on, and may charge the root account; "user". */
void code_start(void);
/* What seals them with that blob in them. */
struct aril_code_desc code_blob(u32 point, const u8 *blob, const u8 *end);
/* And seals them: the first frame. */
u32 code_sealed(u32 point, const u8 *blob, const u8 *end);
/* The same in three other frames. */
u32 code_more(u32 point, const u8 *blob, const u8 *end);
static inline u64 *code_data(u32 of)
{
	return frame_memory(of + 2);
}

#endif
