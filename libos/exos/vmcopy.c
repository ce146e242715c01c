/* SPDX-License-Identifier: MIT
 * process_vm_readv, process_vm_writev: copies between the caller's memory and another process's. */
#include "inode.h"
#include "linux.h"
#include "mm.h"
#include "mm_internal.h"
#include "pidfd.h"
#include "proc.h"
#include "splice.h"

/* The other's page at an address, there for reading or writing. NULL: the other could not do that itself. */
static u8 *other_page(struct mm *mm, u64 at, int writing)
{
	int code;
	u64 *word = pages_word(mm, page_down(at), 0);
	u64 want = writing ? MAPPED | MAPPED_WRITE : MAPPED;
	if (!word || (*word & want) != want || *word & MAPPED_NOREAD)
		if (mm_fault_in(mm, at, writing ? FAULT_WRITE : 0, &code))
			return NULL;
	word = pages_word(mm, page_down(at), 0);
	return word && *word & MAPPED ? (u8 *)mapped_page(*word) + at % PAGE : NULL;
}

/* A walk along a vector. */
struct vector {
	struct linux_iovec *vec;
	u64 count, at, done; /* done: bytes of vec[at] */
};

static u64 vector_left(struct vector *v)
{
	while (v->at < v->count && v->done == v->vec[v->at].len) {
		v->at++;
		v->done = 0;
	}
	return v->at < v->count ? v->vec[v->at].len - v->done : 0;
}

/* The other may lose the page meanwhile, for want of memory. 0 or -EFAULT. */
static int page_copy(u8 *page, u64 here, u64 n, int writing)
{
	page_get(page);
	int error = writing ? copy_in(page, here, n) : copy_out(here, page, n);
	page_put(page);
	return error;
}

static s64 copy_vectors(struct mm *mm, struct vector *own, struct vector *other, int writing)
{
	s64 done = 0;
	for (;;) {
		u64 n = min(vector_left(own), vector_left(other));
		if (!n)
			return done;
		u64 there = other->vec[other->at].base + other->done;
		u64 here = own->vec[own->at].base + own->done;
		n = min(n, PAGE - there % PAGE);
		u8 *page = other_page(mm, there, writing);
		if (!page || page_copy(page, here, n, writing))
			return done ? done : -EFAULT;
		own->done += n;
		other->done += n;
		done += (s64)n;
	}
}

static s64 vector_in(struct vector *v, u64 from, u64 count)
{
	*v = (struct vector){.count = count};
	if (count > IOV_MAX)
		return -EINVAL;
	v->vec = kmalloc(max(count, 1ul) * sizeof(*v->vec));
	if (!v->vec)
		return -ENOMEM;
	s64 sum = iovec_in(from, count, v->vec);
	return min(sum, 0l);
}

static s64 vm_copy(u64 pid, u64 own, u64 own_count, u64 other, u64 other_count, u64 flags,
		   int writing)
{
	struct vector here = {.vec = NULL}, there = {.vec = NULL};
	if (flags)
		return -EINVAL;
	s64 error = vector_in(&here, own, own_count);
	if (!error)
		error = vector_in(&there, other, other_count);
	struct proc *p = thread_find((u32)pid) ? thread_find((u32)pid)->proc : proc_find((u32)pid);
	if (!error && (!p || !p->mm))
		error = -ESRCH;
	if (!error && !proc_may_look(p))
		error = -EPERM;
	if (!error)
		error = copy_vectors(p->mm, &here, &there, writing);
	kfree(here.vec);
	kfree(there.vec);
	return error;
}

s64 sys_process_vm_readv(u64 pid, u64 own, u64 own_count, u64 other, u64 other_count, u64 flags)
{
	return vm_copy(pid, own, own_count, other, other_count, flags, 0);
}

s64 sys_process_vm_writev(u64 pid, u64 own, u64 own_count, u64 other, u64 other_count, u64 flags)
{
	return vm_copy(pid, own, own_count, other, other_count, flags, 1);
}
