/* SPDX-License-Identifier: MIT
 * The audits of grants, rings and regions. */
#include "arch.h"
#include "check.h"
#include "util.h"

u64 grant_audit(u64 from, struct aril_check *out)
{
	(void)from, (void)out;
	return 0;
}

u64 ring_audit(u64 from, struct aril_check *out)
{
	(void)from, (void)out;
	return 0;
}

u64 region_audit(u64 from, struct aril_check *out)
{
	(void)from, (void)out;
	return 0;
}
