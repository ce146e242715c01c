/* SPDX-License-Identifier: MIT
 * Visible revocation: see revoke.h. */
#include "revoke.h"
#include "util.h"

u64 revoke_deadline = ~0ul;

s64 call_account_handler(u32 auth, u32 account, u32 env, u32 cpu, u32 frame)
{
	(void)auth, (void)account, (void)env, (void)cpu, (void)frame;
	return -ARIL_E_CALL;
}

s64 call_revoke(u32 auth, u32 account, const struct aril_revocation *want)
{
	(void)auth, (void)account, (void)want;
	return -ARIL_E_CALL;
}

void revoke_given(u32 slot, u32 kind, u32 what)
{
	(void)slot, (void)kind, (void)what;
}

void revoke_expire(u64 now)
{
	(void)now;
}

void revoke_env_gone(struct env *env)
{
	(void)env;
}

void revoke_frame_gone(u32 frame)
{
	(void)frame;
}

void revoke_account_gone(u32 slot)
{
	(void)slot;
}
