/* SPDX-License-Identifier: MIT
 * Guards, tables and bindings on the host: bytes are decoded into calls, and after each the books must balance.
 * links: tests/host/fake.c kernel/cap.c kernel/siphash.c kernel/frame.c kernel/large.c kernel/account.c kernel/space.c kernel/narrow.c kernel/table.c */
#include "fuzz.h"

#define PAGES 16

int LLVMFuzzerTestOneInput(const u8 *data, usize bytes)
{
	static const char *const names[4] = {"a", "a/b", "a/c", "z"};
	u32 pages[PAGES], auth[4], leaf;

	fake_reset();
	u32 root = fake_open("", ARIL_ALL, ~0ul);
	for (u32 i = 0; i < 4; i++)
		auth[i] = fake_open(names[i], ARIL_ALL, 1);
	u32 space = fake_space(root, 0x40000000, &leaf);
	for (u32 i = 0; i < PAGES; i++) {
		pages[i] = fake_frame();
		fake_set_guard(root, pages[i], 0, fake_guard(names[i & 3], ARIL_ALL, 0));
	}
	for (; bytes >= 6; bytes -= 6, data += 6) {
		u32 who = data[1] & 4 ? root : auth[data[1] & 3], page = pages[data[2] % PAGES];
		u64 va = 0x40000000 + ((u64)(data[3] & 31) << 12);

		switch (data[0] % 6) {
		case 0:
			fake_set_guard(who, page, data[3] & 1,
				       fake_guard(names[data[4] & 3], data[5] & 63, 0));
			break;
		case 1:
			call_frame_reset(who, page);
			break;
		case 2:
			call_space_create(who, page, pages[data[3] % PAGES]);
			break;
		case 3:
			call_space_table(who, data[4] & 1 ? space : page, va, 1 + data[5] % 3,
					 pages[data[4] % PAGES], pages[data[5] % PAGES]);
			break;
		default:
			fake_op(root, space, 1 + data[4] % 3, va, page, 1 + (data[4] >> 6),
				data[5] & 3, who);
		}
		if (books_check())
			__builtin_trap();
	}
	return 0;
}
