/* SPDX-License-Identifier: MIT
 * The audit of regions. */
#include "check.h"

u64 region_audit(u64 from, struct aril_check *out)
{
	(void)from, (void)out;
	return 0;
}
