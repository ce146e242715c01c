/* SPDX-License-Identifier: MIT
 * Types: any bytes are refused with a reason, or read so that all questions can be asked; what was read equals itself.
 * links: ext/btf.c ext/btf_check.c ext/btf_look.c ext/btf_equal.c ext/btf_print.c ext/order.c ext/refusal.c
 * seeds: types */
#include "loader.h"

int LLVMFuzzerTestOneInput(const u8 *data, usize bytes)
{
	struct ext_arena arena = {.size = 1 << 22};
	struct ext_btf_pairs pairs;
	struct ext_refusal why;
	struct ext_btf b;
	int got;

	got = ext_btf_read(&arena, data, bytes, 0, &b, &why);
	if (got) {
		refusal_check(&why, got, bytes);
	} else {
		types_walk(&b);
		if (!ext_btf_pairs_make(&arena, &b, &b, &pairs))
			for (u32 id = 0; id < b.types; id++) {
				enum ext_btf_kind kind = b.type[id].kind;

				if (kind != EXT_BTF_VAR && kind != EXT_BTF_DATASEC &&
				    kind != EXT_BTF_DECL_TAG)
					MUST(!ext_btf_equal(&pairs, id, id, id & 1));
			}
	}
	pieces_free(0);
	return 0;
}
