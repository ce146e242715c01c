/* SPDX-License-Identifier: MIT
 * What the kernels of this benchmark work on, the same each time: text and numbers, some of them in order, some as the kernels look for.
 * Included where u8, u32, u64, strcmp are there. */
#ifndef BENCH_EXT_DATA_H
#define BENCH_EXT_DATA_H

#define DATA 4096u

static void data_fill(u8 *data, const char *name)
{
	u64 state = 88172645463325252ul;

	for (u32 i = 0; i < DATA; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		data[i] = (u8)(state >> 24);
	}
	if (!strcmp(name, "search") || !strcmp(name, "fold"))
		for (u32 i = 0; i < DATA; i++)
			data[i] = i % 64 < 8 ? (u8) "Aril run"[i % 8] : (u8)('A' + data[i] % 58);
	if (!strcmp(name, "parse"))
		for (u32 i = 0; i < DATA; i += 64) {
			data[i + 12] = 8;
			data[i + 13] = 0;
			data[i + 14] = 0x45;
			data[i + 23] = i % 128 ? 17 : 6;
			data[i + 36] = 0;
			data[i + 37] = 53;
		}
	if (!strcmp(name, "hash"))
		for (u32 i = 0; i < 512; i++) {
			u32 *key = (u32 *)(void *)data, *table = key + 512;

			table[i] = i % 3 ? 0 : table[i];
			key[i] = i % 2 ? key[i] : table[(key[i] * 2654435761u) >> 23];
		}
}

#endif
