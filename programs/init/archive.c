/* SPDX-License-Identifier: MIT
 * The boot archives, in module 0, bound read-only page by page as far as they are read. */
#include "init.h"

#define ARCHIVE_VA 0x200000000000ul
#define STEP (2ul << 20)
#define OWN_PREFIX ".aril" /* our files come first in the archive */

static u64 module_start(void)
{
	return ARIL_INFO->module[0].start;
}

struct core_run archive_frames(const struct archive *archive)
{
	u64 start = module_start() + archive->at, end = start + archive->bytes;

	return (struct core_run){.first = (u32)(start >> ARIL_PAGE_SHIFT),
				 .count = (u32)((end + ARIL_PAGE_SIZE - 1) / ARIL_PAGE_SIZE -
						start / ARIL_PAGE_SIZE)};
}

void archive_claim(void)
{
	struct aril_guard own = {.rights = ARIL_ALL};

	if (!ARIL_INFO->nmodules)
		fail("no boot archive: give it as the first module (QEMU: -initrd)");
	init.archive.bytes = ARIL_INFO->module[0].bytes;
	must(core_set_guard(init.root, archive_frames(&init.archive), 0, &own),
	     "guarding the boot archive", "");
}

void archives_divide(void)
{
	for (u32 i = init.ndomains; i--;) {
		struct domain *d = &init.domain[i];
		u64 bytes = (u64)d->plan.archive << ARIL_PAGE_SHIFT;

		if (!bytes)
			continue;
		if (bytes >= init.archive.bytes || module_start() % ARIL_PAGE_SIZE)
			fail("domain %s: its archive is not in the boot module, page by page",
			     d->plan.name);
		init.archive.bytes -= bytes;
		d->own = (struct archive){.at = init.archive.bytes, .bytes = bytes};
		d->archive = &d->own;
		if (d->own.at % ARIL_PAGE_SIZE)
			fail("domain %s: its archive does not begin with a page", d->plan.name);
	}
	init.domain[0].archive = &init.archive;
}

/* Binds the archive up to that byte at least. */
static const u8 *archive_until(struct archive *archive, u64 byte)
{
	u64 skew = module_start() % ARIL_PAGE_SIZE;
	struct core_run run = archive_frames(archive);
	u64 most = (u64)run.count << ARIL_PAGE_SHIFT, va = ARCHIVE_VA + archive->at;

	if (byte + skew > archive->mapped) {
		u64 to = (byte + skew + STEP - 1) & ~(STEP - 1);

		if (to > most)
			to = most;
		if (to > archive->mapped)
			must(core_map(&init.space, va + archive->mapped,
				      run.first + (u32)(archive->mapped >> ARIL_PAGE_SHIFT),
				      (to - archive->mapped) >> ARIL_PAGE_SHIFT, 0, init.root),
			     "binding the boot archive", "");
		archive->mapped = to;
	}
	return (const u8 *)va + skew;
}

int archive_file(struct archive *archive, const char *path, struct file *file)
{
	struct core_cpio_entry entry;
	u64 at = 0;

	for (;;) {
		const u8 *data = archive_until(archive, at + CORE_CPIO_WINDOW);
		u64 before = at;
		int got = core_cpio_next(data, archive->bytes, &at, &entry);

		if (got < 0)
			fail("the boot archive is malformed at byte %lu", archive->at + before);
		if (!got || strncmp(entry.name, OWN_PREFIX, sizeof(OWN_PREFIX) - 1))
			return 0;
		if (strcmp(entry.name, path))
			continue;
		archive_until(archive, entry.offset + entry.bytes);
		*file = (struct file){.data = data + entry.offset, .bytes = entry.bytes};
		return 1;
	}
}
