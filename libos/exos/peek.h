/* SPDX-License-Identifier: MIT
 * Reading memory that may be anything meanwhile, or nothing. Found by the search path: the unit tests have another, which lets
 * something happen before each such read (tests/host/include/peek.h). */
#ifndef EXOS_PEEK_H
#define EXOS_PEEK_H

#include <aril/types.h>

/* Reads the word at `from` (a lvalue of ExOS's memory or the program's), or goes to the label where it cannot be read. In the
 * order in which they stand: x86 keeps that of loads. */
#define PEEK(to, from, label)                                  \
	__asm__ goto("1: mov %1, %0\n\t"                       \
		     ".pushsection .exos_extable, \"a\"\n\t"   \
		     ".quad 1b, %l[" #label "]\n\t.popsection" \
		     : "=r"(to)                                \
		     : "m"(from)                               \
		     :                                         \
		     : label)

/* Two words, aligned by 16: the first becomes `to` if they still are what is said, at once; whether. Of memory that stays. */
static inline int peek_swap(u64 *words, u64 first, u64 second, u64 to)
{
	u8 done;
	__asm__ volatile("lock cmpxchg16b %1"
			 : "=@ccz"(done), "+m"(*(u64(*)[2])words), "+a"(first), "+d"(second)
			 : "b"(to), "c"(second)
			 : "memory");
	return done;
}

#endif
