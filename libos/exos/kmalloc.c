/* SPDX-License-Identifier: MIT
 * Small pieces of memory: pages cut into equal objects, one size to a page. Family lock.
 *
 * A slab is one page, its header at the front. Larger pieces are whole blocks of pages, whose address is a
 * multiple of the page size: an object in a slab never is. */
#include "exos.h"
#include <core/string.h>

struct slab {
	struct list link; /* in its class's list while it has a free object */
	void *free;	  /* chain through the objects' first words */
	u32 used;
	u32 class;
};

static const u16 sizes[] = {16, 32, 48, 64, 96, 128, 192, 256, 400, 576, 800, 1344, 2016};
#define UNIT 16ul
/* The class of so many units. */
static const u8 classes[] = {
	[0 ... 1] = 0,	  [2] = 1,	    [3] = 2,	       [4] = 3,		[5 ... 6] = 4,
	[7 ... 8] = 5,	  [9 ... 12] = 6,   [13 ... 16] = 7,   [17 ... 25] = 8, [26 ... 36] = 9,
	[37 ... 50] = 10, [51 ... 84] = 11, [85 ... 126] = 12,
};
#define FIRST 64ul /* of the objects in a slab: they are 16-byte aligned */
static struct list partial[array_count(sizes)];

static u32 class_of(usize bytes)
{
	usize units = (bytes + UNIT - 1) / UNIT;

	return units < array_count(classes) ? classes[units] : array_count(sizes);
}

static struct slab *slab_create(u32 class)
{
	struct slab *slab = page_alloc(0);

	if (!slab)
		return NULL;
	slab->free = NULL;
	slab->used = 0;
	slab->class = class;
	for (usize at = FIRST; at + sizes[class] <= PAGE; at += sizes[class]) {
		void **object = (void **)((u8 *)slab + at);

		*object = slab->free;
		slab->free = object;
	}
	if (!partial[class].next)
		list_init(&partial[class]);
	list_add_tail(&partial[class], &slab->link);
	return slab;
}

void *kmalloc(usize bytes)
{
	void *object = kmalloc_raw(bytes);

	if (object)
		memset(object, 0, (bytes + 15) & ~15ul);
	return object;
}

void *kmalloc_raw(usize bytes)
{
	u32 class = class_of(bytes);

	if (class == array_count(sizes)) {
		u32 order = 0;

		while (PAGE << order < bytes)
			order++;
		return page_alloc(order);
	}
	struct slab *slab;
	if (!partial[class].next || list_empty(&partial[class])) {
		slab = slab_create(class);
		if (!slab)
			return NULL;
	} else {
		slab = container_of(partial[class].next, struct slab, link);
	}
	void *object = slab->free;
	slab->free = *(void **)object;
	slab->used++;
	if (!slab->free)
		list_del(&slab->link);
	return object;
}

void kfree(void *p)
{
	if (!p)
		return;
	if (((u64)p & (PAGE - 1)) == 0) {
		page_put(p);
		return;
	}
	struct slab *slab = (struct slab *)((u64)p & ~(PAGE - 1));
#ifdef KFREE_POISON
	memset(p, 0x5a,
	       sizes[slab->class]); /* whoever uses it still, is seen (tests/system/poison.sh) */
#endif
	if (!slab->free)
		list_add_tail(&partial[slab->class], &slab->link);
	*(void **)p = slab->free;
	slab->free = p;
	if (--slab->used == 0 && partial[slab->class].next != partial[slab->class].prev) {
		list_del(&slab->link);
		page_put(slab);
	}
}
