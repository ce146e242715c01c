/* SPDX-License-Identifier: MIT
 * Capabilities: signing, deriving, and the opened form that hot calls compare. */
#ifndef KERNEL_CAP_H
#define KERNEL_CAP_H

#include <aril/cap.h>

/* A capability whose MAC was checked, in an env's table. epoch is in the index that names it; even:
 * closed. */
struct auth {
	u64 name[4];
	u64 generation;
	u32 rights;
	u32 epoch;
	u8 len;
};

/* Draws the boot key. Panics if the CPU gives no randomness: no entropy source, no boot. */
void cap_init(void);
/* Signs cap's first 48 bytes. */
void cap_sign(struct aril_cap *cap);
/* Whether cap is well-formed (len <= 32, zero padding, known rights) and its MAC is right. */
int cap_valid(const struct aril_cap *cap);
/* parent (already valid) -> child; the rules of cap_derive. 0 or -ARIL_E_RANGE. */
s64 cap_child(const struct aril_cap *parent, const u8 *suffix, u64 bytes, u32 rights,
	      u64 generation, struct aril_cap *child);
/* Whether name a[0..alen) is a prefix of guard g's name. Pure. */
int cap_dominates(const u64 a[4], u8 alen, const struct aril_guard *g);
/* Well-formedness of a guard given by a user: 0 or -ARIL_E_RANGE. */
s64 guard_check(const struct aril_guard *g);
/* Whether a may set this well-formed guard: it dominates the name, and the generation is not newer than its own. So
 * authority flows down only. 0 or -ARIL_E_RIGHTS. */
s64 guard_flows(const struct aril_guard *g, const struct auth *a);
/* Both, for a guard that must grant at least these rights (so that somebody can take it back): 0 or -E. */
s64 guard_give(const struct aril_guard *g, const struct auth *a, u32 least);
/* Whether auth opens guard g for rights. */
int guard_opens(const struct aril_guard *g, const struct auth *a, u32 rights);
/* The root's opened form, for the kernel's own use at boot. */
extern const struct auth auth_root;

/* Counts what may make an earlier permission untrue: a guard of an env that changes, an env that dies, an index
 * that is closed, a gate's address, ports that come or go. Starts at 1. */
extern u64 authority_epoch;
/* Called when the change is visible to whoever looks, and before the quiesce after which it is in force: so a permit
 * that was used before is of a call that is over by then, and none made before is used after. */
static inline void authority_changed(void)
{
	__atomic_add_fetch(&authority_epoch, 1, __ATOMIC_SEQ_CST);
}

struct env;
/* The current env's opened capability for an index, or NULL (E_CAP). No lock: an index is only closed
 * by its own env under object_lock, and slots are never freed while the env lives. */
const struct auth *auth_get(const struct env *env, u32 index);

/* SipHash-2-4 with 128-bit output (Aumasson and Bernstein 2012; reference variant with two finals). */
void siphash128(const u64 key[2], const void *data, usize bytes, u64 out[2]);

#endif
