/* SPDX-License-Identifier: MIT
 * The three clients of shares.h at 3:2:1 under the stride scheduler, in a fresh slice. */
#ifndef SHARES_STRIDE_H
#define SHARES_STRIDE_H

#include "shares.h"
#include <core/stride.h>

static void shares_stride(struct core_stride *s, void (*trace)(u32 env, u64 ns))
{
	shares_make();
	s->auth = core_auth;
	s->trace = trace;
	for (u32 i = 0; i < 3; i++)
		allowed("a client", core_stride_set(s, shares_client[i].env, 3 - i));
	core_yield(0, 0); /* a fresh slice */
}

#endif
