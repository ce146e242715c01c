/* SPDX-License-Identifier: MIT
 * A kernel of bench/ext for Linux's BPF: the same source, KERNEL_SOURCE, its data the value of an array map. Without one: a program that does
 * nothing but say yes. */
#include <linux/bpf.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;

#define BENCH_EXT_KERNEL_H /* in place of bench/ext/kernel.h, which is for Aril */
#define DATA_reader const u8 *
#define DATA_writer u8 *
#define KERNEL(class, name) \
	static inline __attribute__((always_inline)) u64 work(DATA_##class data, u64 n)

#ifdef KERNEL_SOURCE
#include KERNEL_SOURCE

struct {
	u32 type, key, value, entries;
} data_map __attribute__((section("maps"), used));

static void *(*const lookup)(void *map, const void *key) = (void *)BPF_FUNC_map_lookup_elem;

__attribute__((section("socket"), used)) int program(void *context)
{
	u32 zero = 0;
	u8 *data = lookup(&data_map, &zero);

	return data ? (int)work(data, 4096) : 0;
}
#else
__attribute__((section("socket"), used)) int program(void *context)
{
	return -1; /* a socket's filter: keep it all */
}
#endif
