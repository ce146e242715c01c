/* SPDX-License-Identifier: MIT
 * What compiled code finds in its sixth argument, on each CPU. */
#ifndef KERNEL_CODE_FUNCTIONS_H
#define KERNEL_CODE_FUNCTIONS_H

#include <aril/layout.h>
#include <aril/points.h>
#include <ext.h>

/* What a run's functions know of it: ext_run.env */
enum { RUN_USE = 0 /* the address of its slot */ };

/* One run at a time: runs do not nest. */
struct code_run {
	union {
		struct ext_run run;
		struct {
			u8 words[__builtin_offsetof(struct ext_run, function)];
			void *function[ARIL_FUNCTIONS]; /* run.function */
		};
	};
};
extern struct code_run code_runs[ARIL_MAX_CPUS];

/* aril_bind, the long way. */
u64 code_bind(u64 va, u64 frame, u64 flags, u64 d, u64 e, struct ext_run *run);

#endif
