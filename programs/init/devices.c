/* SPDX-License-Identifier: MIT
 * The devices that a domain drives itself: it gets them as grants under its own guard, finds them in the exposed table,
 * and may hand them on. */
#include "init.h"
#include <aril_stubs.h>
#include <core/hpet.h>
#include <core/print.h>
#include <core/rtc.h>

/* The grants of a device, to an env of the domain on its first CPU. */
static s64 give(const struct domain *d, struct aril_grant_desc area, struct aril_grant_desc line)
{
	area.env = line.env = d->env;
	area.guard = line.guard = d->guard;
	line.cpu = (u32)__builtin_ctz(d->plan.cpus);
	s64 error = aril_grant_create(init.root, &area);
	if (error < 0)
		return error;
	return aril_grant_create(init.root, &line);
}

static void say(const struct domain *d, const char *what, s64 result)
{
	if (result < 0)
		core_log("init: domain %s: no %s (error %ld)", d->plan.name, what, -result);
}

void devices_give(const struct domain *d)
{
	if (d->plan.devices & DEVICE_RTC)
		say(d, "real-time clock",
		    give(d,
			 (struct aril_grant_desc){
				 .kind = ARIL_GRANT_PORTS, .first = RTC_PORT, .count = RTC_PORTS},
			 (struct aril_grant_desc){.kind = ARIL_GRANT_LINE,
						  .first = RTC_LINE,
						  .count = 1,
						  .flags = ARIL_LINE_ISA}));
	if (d->plan.devices & DEVICE_HPET)
		say(d, "high precision timer",
		    give(d,
			 (struct aril_grant_desc){
				 .kind = ARIL_GRANT_MEMORY, .first = HPET_FRAME, .count = 1},
			 (struct aril_grant_desc){
				 .kind = ARIL_GRANT_LINE, .first = HPET_LINE, .count = 1}));
}
