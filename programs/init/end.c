/* SPDX-License-Identifier: MIT
 * What a domain leaves behind. */
#include "init.h"
#include <aril_stubs.h>
#include <core/print.h>

/* Whether an account, by its slot, is the domain's or below it. */
static int account_is_of(const struct domain *d, u32 slot)
{
	for (u32 i = 0; i < ARIL_MAX_ACCOUNTS && slot; i++) {
		if (slot == (d->account & 0xffff))
			return 1;
		slot = account_of(slot)->parent & 0xffff;
	}
	return 0;
}

int frame_is_of(const struct domain *domain, u32 frame)
{
	const volatile struct aril_frame *f = frame_of(frame);

	if (f->state == ARIL_FRAME_KERNEL || f->state == ARIL_FRAME_ABSENT ||
	    f->account == (ARIL_ACCOUNT_ROOT & 0xffff))
		return 0;
	if (domain)
		return account_is_of(domain, f->account);
	return f->account || f->state || f->guard[0].rights | f->guard[1].rights || f->refs ||
	       f->pins;
}

u32 envs_end(const struct domain *domain)
{
	u32 n = 0;

	for (u32 i = 1; i < ARIL_MAX_ENVS; i++) {
		const volatile struct aril_env_info *e = env_of(i);
		u32 id = e->id; /* its frame may be another domain's when it is named */

		if (e->state != ARIL_ENV_ALIVE || id == init.env ||
		    (domain && !account_is_of(domain, e->account & 0xffff)))
			continue;
		if (!aril_env_destroy(init.root, id))
			n++;
	}
	return n;
}

/* Runs of frames, as long as they are. */
u32 frames_free(const struct domain *domain)
{
	u32 n = 0, nframes = ARIL_INFO->nframes;

	for (u32 f = 0; f < nframes;) {
		u32 count = 0;
		s64 done;

		while (count < ARIL_BATCH_PAGES && f + count < nframes &&
		       frame_is_of(domain, f + count))
			count++;
		if (!count) {
			f++;
			continue;
		}
		do
			done = aril_frame_free(init.root, f, count);
		while (done == -ARIL_E_AGAIN);
		n += done > 0 ? (u32)done : 0;
		f += done > 0 ? (u32)done : 1; /* what is refused, the audit counts */
	}
	return n;
}

void grants_end(const struct domain *domain)
{
	const volatile struct aril_grant *grants =
		(const volatile struct aril_grant *)ARIL_INFO->grants_va;

	for (u32 i = 0; i < ARIL_MAX_GRANTS; i++) {
		if (!grants[i].env || grants[i].account == (ARIL_ACCOUNT_ROOT & 0xffff) ||
		    (domain && !account_is_of(domain, grants[i].account)))
			continue;
		while (aril_grant_destroy(init.root, i) == -ARIL_E_AGAIN)
			;
	}
}

void domain_clear(struct domain *d)
{
	u32 envs = envs_end(d);
	s64 error = d->has_device ? aril_device_close(init.root, d->device) : 0;

	d->has_device &= error != 0;
	u32 frames = frames_free(d);
	grants_end(d);
	core_log("init: domain %s: %u processes' envs ended, %u frames are free", d->plan.name,
		 envs, frames);
}
