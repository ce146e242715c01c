/* SPDX-License-Identifier: MIT
 * What the verifier takes for granted of an entry's arguments, checked for one run. */
#include <ext.h>

#define MEMORY_END (~0ul - (1ul << 34)) /* memory ends below: see EXT_MEMORY_MOST */

static const char *number_wrong(const struct ext_arg *a, u64 value)
{
	int is_signed = a->least > a->most;

	if (is_signed && ((s64)value < (s64)a->least || (s64)value > (s64)a->most))
		return "not within its range";
	if (!is_signed && (value < a->least || value > a->most))
		return "not within its range";
	return 0;
}

static const char *memory_wrong(const struct ext_attach *t, const struct ext_arg *a, u64 at,
				const u64 arg[5])
{
	u64 bytes = a->size_arg < t->args ? arg[a->size_arg] : a->bytes;

	if (!at)
		return a->flags & EXT_ARG_NULLABLE ? 0 : "null";
	if (a->kind != EXT_ARG_MEM)
		bytes = 0;
	if (bytes > EXT_MEMORY_MOST)
		return "more than 1 GiB of memory";
	if (at > MEMORY_END - bytes)
		return "memory at the end of all addresses";
	return 0;
}

const char *ext_entry_wrong(const struct ext_attach *t, const u64 arg[5], u32 *which)
{
	for (u32 n = 0; n < t->args; n++) {
		const struct ext_arg *a = &t->arg[n];
		int is_number = a->kind == EXT_ARG_SCALAR || a->kind == EXT_ARG_SIZE;
		const char *wrong =
			is_number ? number_wrong(a, arg[n]) : memory_wrong(t, a, arg[n], arg);

		*which = n;
		if (wrong)
			return wrong;
	}
	return 0;
}
