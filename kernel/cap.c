/* SPDX-License-Identifier: MIT
 * Capabilities: plain bytes that carry their own proof, and the opened form that calls compare.
 *
 * Invariant: an opened slot's epoch is odd, and its words do not change while it is. A slot is written only
 * after every CPU that could have read it before it closed has passed a quiesce. */
#include "cap.h"
#include "account.h"
#include "arch.h"
#include "call_handlers.h"
#include "env.h"
#include "lock.h"
#include "util.h"

#define CAP_SIGNED 48 /* bytes under the MAC */
#define EPOCH_MAX \
	0x0fffffffu /* what an index can carry; a slot that used them all up stays closed */

const struct auth auth_root = {.generation = ~0ul, .rights = ARIL_ALL, .len = 0};

u64 authority_epoch = 1;
static u64 cap_key[2];

void cap_init(void)
{
	for (u32 i = 0; i < array_count(cap_key); i++) {
		int ok = 0;

		cap_key[i] = arch_random(&ok);
		if (!ok)
			panic("this machine gives no random numbers: capabilities could be forged");
	}
}

void cap_sign(struct aril_cap *cap)
{
	siphash128(cap_key, cap, CAP_SIGNED, cap->mac);
}

/* Whether a name of len bytes is padded with zeros, as is the length byte. */
static int name_valid(const u8 name[ARIL_NAME_MAX], u8 len, const u8 zero[3])
{
	if (len > ARIL_NAME_MAX)
		return 0;
	for (u32 i = len; i < ARIL_NAME_MAX; i++)
		if (name[i])
			return 0;
	return !(zero[0] | zero[1] | zero[2]);
}

int cap_valid(const struct aril_cap *cap)
{
	u64 mac[2];

	if (!name_valid(cap->name, cap->len, cap->zero))
		return 0;
	if (cap->rights & ~(u32)ARIL_ALL)
		return 0;
	siphash128(cap_key, cap, CAP_SIGNED, mac);
	/* Both words before one decision: time tells nothing about how much of a guess is right. */
	return !((mac[0] ^ cap->mac[0]) | (mac[1] ^ cap->mac[1]));
}

s64 cap_child(const struct aril_cap *parent, const u8 *suffix, u64 bytes, u32 rights,
	      u64 generation, struct aril_cap *child)
{
	if (bytes > (u64)ARIL_NAME_MAX - parent->len)
		return -ARIL_E_RANGE;
	if (!rights)
		return -ARIL_E_RANGE;
	if (rights & ~parent->rights)
		return -ARIL_E_RANGE;
	if (generation > parent->generation)
		return -ARIL_E_RANGE;
	*child = *parent;
	memcpy(child->name + parent->len, suffix, bytes);
	child->len = parent->len + bytes;
	child->rights = rights;
	child->generation = generation;
	cap_sign(child);
	return 0;
}

int cap_dominates(const u64 a[4], u8 alen, const struct aril_guard *g)
{
	const u64 *b = (const u64 *)g->name; /* aligned: generation is a u64 */
	u32 whole = alen / 8, rest = alen % 8;

	if (alen > g->len)
		return 0;
	for (u32 i = 0; i < whole; i++)
		if (a[i] != b[i])
			return 0;
	return !rest || !((a[whole] ^ b[whole]) << (64 - 8 * rest));
}

s64 guard_check(const struct aril_guard *g)
{
	if (!name_valid(g->name, g->len, g->zero))
		return -ARIL_E_RANGE;
	if (g->rights & ~(u32)ARIL_ALL)
		return -ARIL_E_RANGE;
	return 0;
}

s64 guard_flows(const struct aril_guard *g, const struct auth *a)
{
	if (!cap_dominates(a->name, a->len, g))
		return -ARIL_E_RIGHTS;
	if (g->generation > a->generation)
		return -ARIL_E_RIGHTS;
	return 0;
}

s64 guard_give(const struct aril_guard *g, const struct auth *a, u32 least)
{
	s64 error = guard_check(g);

	if (error)
		return error;
	if (least & ~g->rights)
		return -ARIL_E_RANGE;
	return guard_flows(g, a);
}

int guard_opens(const struct aril_guard *g, const struct auth *a, u32 rights)
{
	u32 granted = read_once(g->rights);

	if (!granted)
		return 0;
	if (rights & ~(granted & a->rights))
		return 0;
	if (a->generation < read_once(g->generation))
		return 0;
	if (!cap_dominates(a->name, a->len, g))
		return 0;
	/* Callers without the lock: a guard is unused while it changes (see guard_set), so what was
	 * compared belonged together if its rights are still there. */
	compiler_barrier();
	return read_once(g->rights) == granted;
}

const struct auth *auth_get(const struct env *env, u32 index)
{
	const struct auth *a = &env->auths[index % ARIL_AUTHS];
	u32 epoch = index / ARIL_AUTHS;

	if (!(epoch & 1))
		return NULL;
	if (__atomic_load_n(&a->epoch, __ATOMIC_ACQUIRE) != epoch)
		return NULL;
	return a;
}

s64 call_cap_derive(const struct aril_cap *parent, const u8 *suffix, u64 bytes, u32 rights,
		    u64 generation, struct aril_cap *out)
{
	struct aril_cap cap, child;
	u8 name[ARIL_NAME_MAX];

	if (copy_from_user(&cap, parent, sizeof(cap)))
		return -ARIL_E_ADDR;
	if (!cap_valid(&cap))
		return -ARIL_E_CAP;
	if (bytes > sizeof(name))
		return -ARIL_E_RANGE;
	if (copy_from_user(name, suffix, bytes))
		return -ARIL_E_ADDR;
	s64 error = cap_child(&cap, name, bytes, rights, generation, &child);
	if (error)
		return error;
	if (copy_to_user(out, &child, sizeof(child)))
		return -ARIL_E_ADDR;
	return 0;
}

s64 call_cap_open(const struct aril_cap *user)
{
	struct env *env = this_cpu()->env;
	struct aril_cap cap;

	if (copy_from_user(&cap, user, sizeof(cap)))
		return -ARIL_E_ADDR;
	if (!cap_valid(&cap))
		return -ARIL_E_CAP;
	for (u32 i = 0; i < ARIL_AUTHS; i++) {
		struct auth *a = &env->auths[i];

		if (a->epoch & 1 || a->epoch > EPOCH_MAX)
			continue;
		memcpy(a->name, cap.name, sizeof(a->name));
		a->len = cap.len;
		a->rights = cap.rights;
		a->generation = cap.generation;
		__atomic_store_n(&a->epoch, a->epoch + 1, __ATOMIC_RELEASE);
		return (s64)a->epoch * ARIL_AUTHS + i;
	}
	return -ARIL_E_QUOTA;
}

s64 call_cap_close(u32 index)
{
	struct cpu *cpu = this_cpu();
	struct env *env = cpu->env;

	if (!auth_get(env, index))
		return -ARIL_E_CAP;
	s64 error = account_flush();
	if (error)
		return error;
	struct auth *a = &env->auths[index % ARIL_AUTHS];
	__atomic_store_n(&a->epoch, a->epoch + 1, __ATOMIC_SEQ_CST);
	authority_changed();
	for (u32 i = 0; i < ncpus; i++)
		if (i != cpu->id && read_once(env->ctx[i].state) == CTX_RUNNING) {
			smp_quiesce(); /* a call there may be comparing with these words */
			break;
		}
	return 0;
}
