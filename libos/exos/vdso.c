/* SPDX-License-Identifier: MIT
 * Gives each program the vDSO (libos/vdso): one page of the family, bound in all, read-only. Family lock. */
#include "vdso.h"
#include "../vdso/vdso.h"
#include "mm_internal.h"
#include "sched.h"
#include <core/string.h>

ARIL_ASSERT_OFFSET(struct aril_context, cpu, VDSO_CPU);
_Static_assert(VDSO_CONTEXT == THREAD_CONTEXT && VDSO_BYTES == PAGE, "libos/vdso/vdso.h");

extern const u8 vdso_image[], vdso_image_end[];
static u8 *vdso; /* NULL: not made yet */

static u8 *vdso_make(void)
{
	u8 *page = page_zalloc(0);

	if (!page)
		return NULL;
	memcpy(page, vdso_image, (usize)(vdso_image_end - vdso_image));
	*(const s64 **)(page + VDSO_REALTIME) = &family.realtime_offset;
	return page;
}

s64 vdso_map(struct mm *mm)
{
	if (!vdso)
		vdso = vdso_make();
	u64 va = vdso ? area_place(mm, 0, PAGE) : 0;
	if (!va)
		return -ENOMEM;
	s64 error = mm_map(mm, va, PAGE, PROT_READ | PROT_EXEC,
			   MAP_PRIVATE | MAP_ANONYMOUS | AREA_VDSO, NULL, 0);
	if (error)
		return error;
	u64 *word = pages_word(mm, va, 1);
	if (!word)
		return -ENOMEM; /* who asked gives the mm back, and its areas with it */
	mm->vdso = va;
	if (*word & MAPPED_TEXT) /* the space's last process left it there */
		return 0;
	page_get(vdso);
	pages_bind(mm, va, word, vdso, MAPPED_EXEC | MAPPED_OWN | MAPPED_TEXT);
	pages_flush();
	return 0;
}
