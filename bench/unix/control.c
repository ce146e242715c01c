/* SPDX-License-Identifier: MIT
 * Work of the program alone, which no kernel should make dearer or cheaper: if these differ, nothing else counts. */
#define _GNU_SOURCE
#include "unix.h"
#include <sys/mman.h>

#define SIDE 150
#define HASHED (64ul << 20)

static s64 multiply(u64 n)
{
	static int a[SIDE][SIDE], b[SIDE][SIDE], c[SIDE][SIDE];

	for (int i = 0; i < SIDE; i++)
		for (int j = 0; j < SIDE; j++) {
			a[i][j] = i + j;
			b[i][j] = i - j;
			c[i][j] = 0;
		}
	s64 took = BENCH_LOOP(
		n, for (int x = 0; x < SIDE; x++) for (int y = 0; y < SIDE; y++) {
			int sum = 0;

			for (int k = 0; k < SIDE; k++)
				sum += a[x][k] * b[k][y];
			c[x][y] = sum;
		});

	/* row 1, column 0: the sum of (1 + k) * k, which is known */
	return c[1][0] == (SIDE - 1) * SIDE * (2 * SIDE - 1) / 6 + (SIDE - 1) * SIDE / 2 ? took
											 : -EPROTO;
}

/* FNV-1a over 8-byte words. */
static s64 hash(u64 n)
{
	static u64 *words;

	if (!words) {
		words = mmap(0, HASHED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (words == MAP_FAILED)
			return words = 0, -errno;
		for (u64 i = 0; i < HASHED / 8; i++)
			words[i] = i;
	}
	u64 sum = 14695981039346656037ul;
	s64 took = BENCH_LOOP(n, for (u64 j = 0; j < HASHED / 8; j++) sum =
					 (sum ^ words[j]) * 1099511628211ul);

	return sum ? took : -EPROTO;
}

const struct metric metrics_control[] = {
	{"matmul_150", multiply, 1, 3, "150 x 150 integers multiplied"},
	{"hash_64m", hash, 1, 1, "a hash over 64 MiB"},
	{0},
};
