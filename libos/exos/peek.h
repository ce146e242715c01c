/* SPDX-License-Identifier: MIT
 * Reading memory that may be anything meanwhile, or nothing. Found by the search path: the unit tests have another, which lets
 * something happen before each such read (tests/host/include/peek.h). */
#ifndef EXOS_PEEK_H
#define EXOS_PEEK_H

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

#endif
