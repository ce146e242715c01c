/* SPDX-License-Identifier: MIT
 * Where ExOS's own accesses to the program's memory may fault. */
#ifndef EXOS_USERMEM_H
#define EXOS_USERMEM_H

#include "exos.h"

/* Where code that faulted at rip goes on; 0: it must not fault. */
u64 fixup_find(u64 rip);
/* usermem.S: copies between any two places. 0, or -1 at a fault that nothing resolves: part may be copied then. */
int user_copy(void *to, const void *from, u64 bytes);

/* For asm goto: an instruction at `local` that may touch the program's memory. What no page fault resolves, and any other
 * exception there, goes on at the label, with the registers as they were. The caller has seen that the address is
 * in the program's half. */
#define USER_FAULT(local, label)              \
	".pushsection .exos_extable, \"a\"\n" \
	".quad " local ", %l[" label "]\n"    \
	".popsection\n"
/* One word of 8 bytes, to or from the program's memory. */
#define USER_PUT(to, value, fault)                                                           \
	asm goto("1: movq %1, %0\n" USER_FAULT("1b", #fault)::"m"(*(to)), "er"((u64)(value)) \
		 : "memory"                                                                  \
		 : fault)
#define USER_GET(value, from, fault)                                 \
	do {                                                         \
		u64 got_;                                            \
		asm goto("1: movq %1, %0\n" USER_FAULT("1b", #fault) \
			 : "=r"(got_)                                \
			 : "m"(*(from))                              \
			 :                                           \
			 : fault);                                   \
		(value) = got_;                                      \
	} while (0)

/* Bytes that are few, in line; single ones and words of 8, which most of them are, by one instruction. 0, or -1 at a fault that
 * nothing resolves: part may be copied then. */
static inline __attribute__((always_inline)) int user_few_any(void *to, const void *from, u64 bytes)
{
	u64 words = bytes >> 3;

	asm volatile goto("1: rep movsq\n"
			  "movl %k3, %%ecx\n"
			  "2: rep movsb\n" USER_FAULT("1b", "fault") USER_FAULT("2b", "fault")
			  : "+&D"(to), "+&S"(from), "+&c"(words)
			  : "r"(bytes & 7)
			  : "memory"
			  : fault);
	return 0;
fault:
	return -1;
}
static inline __attribute__((always_inline)) int user_few_out(u64 to, const void *from, u64 bytes)
{
	if (bytes == 1)
		asm goto("1: movb %1, %0\n" USER_FAULT("1b", "fault")::"m"(*(u8 *)to),
			 "q"(*(const u8 *)from)
			 : "memory"
			 : fault);
	else if (bytes == 8)
		USER_PUT((u64 *)to, *(const u64 *)from, fault);
	else
		return user_few_any((void *)to, from, bytes);
	return 0;
fault:
	return -1;
}
static inline __attribute__((always_inline)) int user_few_in(void *to, u64 from, u64 bytes)
{
	u32 byte;

	if (bytes == 1) {
		asm goto("1: movzbl %1, %0\n" USER_FAULT("1b", "fault")
			 : "=r"(byte)
			 : "m"(*(const u8 *)from)
			 :
			 : fault);
		*(u8 *)to = (u8)byte;
	} else if (bytes == 8) {
		USER_GET(*(u64 *)to, (const u64 *)from, fault);
	} else {
		return user_few_any(to, (const void *)from, bytes);
	}
	return 0;
fault:
	return -1;
}

#endif
