/* SPDX-License-Identifier: MIT
 * Around every locked call, and the calls that belong to no noun. */
#include "call.h"
#include "call_handlers.h"
#include "arch.h"
#include "cap.h"
#include "env.h"
#include "lock.h"
#include "slice.h"
#include "util.h"

void call_abandon(void)
{
	slice_next();
}

s64 call_again(u32 index, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	arch_call_again((const u64[7]){a, b, c, d, e, f, ARIL_CALL_BASE + index});
	return 0;
}

s64 call_null(void)
{
	return 0;
}

#define LOG_BYTES 256

s64 call_log(const char *text, u64 bytes)
{
	char line[LOG_BYTES + 1];

	if (!(this_cpu()->env->flags & ARIL_ENV_LOG))
		return -ARIL_E_RIGHTS;
	if (bytes > LOG_BYTES)
		return -ARIL_E_RANGE;
	if (copy_from_user(line, text, bytes))
		return -ARIL_E_ADDR;
	for (u64 i = 0; i < bytes; i++) /* one line, and nothing a terminal obeys */
		if ((u8)line[i] < ' ' || line[i] == 0x7f)
			line[i] = line[i] == '\t' ? ' ' : '?';
	line[bytes] = '\n';
	kprint_bytes(line, bytes + 1);
	return 0;
}

s64 call_machine_end(u32 auth, u32 status)
{
	const struct auth *a = auth_get(this_cpu()->env, auth);

	if (!a)
		return -ARIL_E_CAP;
	if (a->len || !(a->rights & ARIL_OWN))
		return -ARIL_E_RIGHTS;
	arch_end(status);
}
