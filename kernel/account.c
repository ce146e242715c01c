/* SPDX-License-Identifier: MIT
 * Accounts: see account.h. */
#include "account.h"
#include "arch.h"
#include "frame.h"
#include "util.h"

struct aril_account *accounts;

void account_init(void)
{
}

struct aril_account *account_get(u32 id)
{
	(void)id;
	return NULL;
}

s64 account_check(u32 id, const struct auth *a, u32 rights)
{
	(void)id, (void)a, (void)rights;
	return -ARIL_E_RANGE;
}

s64 account_room(u32 slot, u32 q, u32 n)
{
	(void)slot, (void)q, (void)n;
	return 0;
}

void account_charge(u32 slot, u32 q)
{
	(void)slot, (void)q;
}

void account_credit(u32 slot, u32 q, u32 what)
{
	(void)slot, (void)q, (void)what;
}

void account_move_frame(u32 frame, u32 slot)
{
	(void)frame, (void)slot;
}

s64 account_work(u32 pages)
{
	(void)pages;
	return 0;
}

s64 account_flush(void)
{
	return 0;
}

s64 call_account_create(u32 auth, u32 parent, const struct aril_account_desc *desc)
{
	(void)auth, (void)parent, (void)desc;
	return -ARIL_E_CALL;
}

s64 call_account_destroy(u32 auth, u32 account)
{
	(void)auth, (void)account;
	return -ARIL_E_CALL;
}

s64 call_account_set(u32 auth, u32 account, u32 quota, u32 limit)
{
	(void)auth, (void)account, (void)quota, (void)limit;
	return -ARIL_E_CALL;
}
