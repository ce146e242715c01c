/* SPDX-License-Identifier: MIT
 * The boot archive: module 0, bound read-only page by page as far as it is read. */
#include "init.h"

#define ARCHIVE_VA 0x200000000000ul
#define STEP (2ul << 20)
#define OWN_PREFIX ".aril" /* our files come first in the archive */

static u64 mapped; /* bytes from the first frame's start */

struct core_run archive_frames(u64 *bytes)
{
	u64 start = ARIL_INFO->module[0].start, end = start + ARIL_INFO->module[0].bytes;

	*bytes = end - start;
	return (struct core_run){.first = (u32)(start >> ARIL_PAGE_SHIFT),
				 .count = (u32)((end + ARIL_PAGE_SIZE - 1) / ARIL_PAGE_SIZE -
						start / ARIL_PAGE_SIZE)};
}

void archive_claim(void)
{
	struct aril_guard own = {.rights = ARIL_ALL};
	u64 bytes;

	if (!ARIL_INFO->nmodules)
		fail("no boot archive: give it as the first module (QEMU: -initrd)");
	must(core_set_guard(init.root, archive_frames(&bytes), 0, &own),
	     "guarding the boot archive", "");
}

/* Binds the archive up to that byte at least. */
static const u8 *archive_until(u64 byte)
{
	u64 bytes, skew = ARIL_INFO->module[0].start % ARIL_PAGE_SIZE;
	struct core_run run = archive_frames(&bytes);
	u64 most = (u64)run.count << ARIL_PAGE_SHIFT;

	if (byte + skew > mapped) {
		u64 to = (byte + skew + STEP - 1) & ~(STEP - 1);

		if (to > most)
			to = most;
		if (to > mapped)
			must(core_map(&init.space, ARCHIVE_VA + mapped,
				      run.first + (u32)(mapped >> ARIL_PAGE_SHIFT),
				      (to - mapped) >> ARIL_PAGE_SHIFT, 0, init.root),
			     "binding the boot archive", "");
		mapped = to;
	}
	return (const u8 *)ARCHIVE_VA + skew;
}

int archive_file(const char *path, struct file *file)
{
	struct core_cpio_entry entry;
	u64 bytes, at = 0;

	archive_frames(&bytes);
	for (;;) {
		const u8 *archive = archive_until(at + CORE_CPIO_WINDOW);
		u64 before = at;
		int got = core_cpio_next(archive, bytes, &at, &entry);

		if (got < 0)
			fail("the boot archive is malformed at byte %lu", before);
		if (!got || strncmp(entry.name, OWN_PREFIX, sizeof(OWN_PREFIX) - 1))
			return 0;
		if (strcmp(entry.name, path))
			continue;
		archive_until(entry.offset + entry.bytes);
		*file = (struct file){.data = archive + entry.offset, .bytes = entry.bytes};
		return 1;
	}
}
