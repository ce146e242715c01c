/* SPDX-License-Identifier: MIT
 * Kernels that are measured twice: compiled for BPF, verified and compiled again by ext/, and by clang for the machine. One
 * source: KERNEL(class, name) is the function's head, with `data`, 4096 bytes, and `n`, at most 4096. */
#ifndef BENCH_EXT_KERNEL_H
#define BENCH_EXT_KERNEL_H

#include <aril/extension.h>

#ifdef __BPF__
#define KERNEL(class, name) SEC(#class) u64 name(KERNEL_DATA_##class data, u64 n)
#else
#define KERNEL_NAME_(name, suffix) name##_##suffix
#define KERNEL_NAME(name, suffix) KERNEL_NAME_(name, suffix)
#define KERNEL(class, name)                                             \
	u64 KERNEL_NAME(name, SUFFIX)(KERNEL_DATA_##class data, u64 n); \
	u64 KERNEL_NAME(name, SUFFIX)(KERNEL_DATA_##class data, u64 n)
#endif
#define KERNEL_DATA_reader const u8 *
#define KERNEL_DATA_writer u8 *

#endif
