/* SPDX-License-Identifier: MIT
 * What a native program gets: main on its first CPU, its authority, memory, the console where it has it. */
#ifndef CORE_NATIVE_H
#define CORE_NATIVE_H

#include <aril/types.h>
#include <core/domain.h>
#include <core/map.h>

/* The program. Its result, or core_exit's argument, is the env's exit status and, where it has the console,
 * the status that the host's command ends with. */
int main(int argc, char **argv, char **envp);
/* Where the image defines it: runs on each further CPU, with everything unmasked; when it returns, or is not
 * defined, that CPU waits for ever. */
void core_secondary(u32 cpu);

extern u32 core_auth; /* the domain's capability, opened */
extern struct core_pool
	core_pool; /* its free frames; take under core_async_off when several CPUs run */
extern struct core_space core_self;

/* The number of the grant of that kind (enum aril_grant_kind) to this env that has `first` in it (a port, a line as the
 * controllers number it, a device frame), by the exposed table; -1: none. first ~0u: any. */
s64 core_grant(u32 kind, u32 first);
/* count consecutive frames of zeroed memory, bound writable; NULL: none left. *frame: the first's number. */
void *core_pages(u32 count, u32 *frame);
/* Writes to the host's standard output, waiting for room; without a console, lines to the kernel's log. */
void core_write(const void *from, u32 bytes);
void core_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void core_exit(s64 status);

#endif
