/* SPDX-License-Identifier: MIT
 * What System V's kinds share: numbers, keys, permissions. */
#include "caps.h"
#include "ipc.h"
#include "inode.h"
#include "ipc_calls.h"

s64 realtime_seconds(void)
{
	return realtime_ns() / 1000000000;
}

struct ipc *ipc_at(const struct ipc_table *t, u32 index, s64 *error)
{
	struct ipc *i = index < t->capacity ? t->slots[index] : NULL;
	*error = i ? 0 : -EINVAL;
	return i;
}

struct ipc *ipc_find(const struct ipc_table *t, s32 id, s64 *error)
{
	struct ipc *i = ipc_at(t, id < 0 ? ~0u : (u32)id % IPC_MOST, error);
	if (i && i->id != id) {
		*error = -EIDRM;
		return NULL;
	}
	return i;
}

static int in_group(u32 gid)
{
	const struct proc *p = current()->proc;
	int found = gid == p->egid;
	for (u32 i = 0; i < p->ngroups && !found; i++)
		found = p->groups[i] == gid;
	return found;
}

s64 ipc_permission(const struct ipc *i, u32 want)
{
	u32 euid = current()->proc->euid, granted = i->mode;
	if (euid == i->cuid || euid == i->uid)
		granted >>= 6;
	else if (in_group(i->cgid) || in_group(i->gid))
		granted >>= 3;
	want = (want >> 6 | want >> 3 | want) & 7;
	return (want & ~granted) && !capable(CAP_IPC_OWNER) ? -EACCES : 0;
}

s64 ipc_owner(const struct ipc *i)
{
	u32 euid = current()->proc->euid;
	return euid == i->cuid || euid == i->uid || capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

void ipc_perm_out(const struct ipc *i, struct linux_ipc_perm *to)
{
	*to = (struct linux_ipc_perm){.key = i->key,
				      .uid = i->uid,
				      .gid = i->gid,
				      .cuid = i->cuid,
				      .cgid = i->cgid,
				      .mode = i->mode,
				      .seq = (u16)((u32)i->id / IPC_MOST)};
}

void ipc_perm_set(struct ipc *i, const struct linux_ipc_perm *from)
{
	i->uid = from->uid;
	i->gid = from->gid;
	i->mode = (i->mode & ~0777u) | (from->mode & 0777);
	i->ctime = realtime_seconds();
}

/* A free place behind the last one that was given, else from the beginning: numbers come back late. -ENOSPC, -ENOMEM. */
static s64 place_take(struct ipc_table *t)
{
	if (t->count >= t->most)
		return -ENOSPC;
	if (t->count == t->capacity) {
		u32 capacity = max(t->capacity * 2, 64u);
		struct ipc **slots = kmalloc(capacity * sizeof(*slots));
		if (!slots)
			return -ENOMEM;
		if (t->capacity)
			__builtin_memcpy(slots, t->slots, t->capacity * sizeof(*slots));
		kfree(t->slots);
		t->slots = slots;
		t->capacity = capacity;
	}
	u32 at = (t->last + 1) % t->capacity;
	while (t->slots[at])
		at = (at + 1) % t->capacity;
	if (at <= t->last)
		t->sequence = (t->sequence + 1) % (0x7fffffff / IPC_MOST);
	t->last = at;
	return at;
}

static s64 ipc_create(struct ipc_table *t, const struct ipc_request *r)
{
	const struct proc *p = current()->proc;
	s64 error = 0;
	s64 at = place_take(t);
	if (at < 0)
		return at;
	struct ipc *i = r->create(r, &error);
	if (!i)
		return error;
	i->refs = 1;
	i->key = r->key;
	i->uid = i->cuid = p->euid;
	i->gid = i->cgid = p->egid;
	i->mode |= r->flags & 0777;
	i->ctime = realtime_seconds();
	i->id = (s32)(t->sequence * IPC_MOST + (u32)at);
	t->slots[at] = i;
	t->count++;
	return i->id;
}

static struct ipc *key_find(const struct ipc_table *t, s32 key)
{
	for (u32 at = 0; at < t->capacity; at++)
		if (t->slots[at] && t->slots[at]->key == key)
			return t->slots[at];
	return NULL;
}

s64 ipc_get(struct ipc_table *t, const struct ipc_request *r)
{
	struct ipc *i = r->key == IPC_PRIVATE ? NULL : key_find(t, r->key);
	if (!i && r->key != IPC_PRIVATE && !(r->flags & IPC_CREAT))
		return -ENOENT;
	if (!i)
		return ipc_create(t, r);
	if ((r->flags & IPC_CREAT) && (r->flags & IPC_EXCL))
		return -EEXIST;
	s64 error = r->fits(i, r);
	if (!error)
		error = ipc_permission(i, r->flags & 0777);
	return error ? error : i->id;
}

void ipc_put(struct ipc_table *t, struct ipc *i)
{
	if (--i->refs == 0)
		t->free(i);
}

void ipc_remove(struct ipc_table *t, struct ipc *i)
{
	t->slots[(u32)i->id % IPC_MOST] = NULL;
	t->count--;
	i->removed = 1;
	ipc_put(t, i);
}

s64 ipc_highest(const struct ipc_table *t)
{
	u32 at = t->capacity;
	while (at && !t->slots[at - 1])
		at--;
	return at ? (s64)at - 1 : 0;
}
