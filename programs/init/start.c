/* SPDX-License-Identifier: MIT
 * Builds a domain from its image: everything that it consists of lies in its own frames. */
#include "init.h"
#include <aril_stubs.h>
#include <core/elf.h>

#define FILL_VA 0x300000000000ul	     /* where init fills a domain's frames */
#define OWN_POSITION (ARIL_SLICES - 1)	     /* of CPU 0: init's */
#define AUTHORITY_POSITION (ARIL_SLICES - 2) /* on each CPU: to start in, and to give up then */

struct image {
	struct core_elf elf;
	struct file file;
};

static const char *name_of(const struct domain *d)
{
	return d->plan.name;
}

static u32 take(struct domain *d, u32 count)
{
	u32 first = core_pool_take(&d->pool, count);

	if (!first)
		fail("domain %s: its share of memory is too small", name_of(d));
	return first;
}

/* Frames of the domain as memory, zeroed, until fill_done. */
static u8 *fill(struct domain *d, u32 first, u64 count)
{
	must(core_map(&init.space, FILL_VA, first, count, ARIL_BIND_WRITE, init.root),
	     "filling frames", name_of(d));
	memset((void *)FILL_VA, 0, count << ARIL_PAGE_SHIFT);
	return (u8 *)FILL_VA;
}

static void fill_done(struct domain *d, u64 count)
{
	must(core_unmap(&init.space, FILL_VA, count), "filling frames", name_of(d));
}

static void bind(struct domain *d, u64 va, u32 first, u64 count, u32 flags)
{
	struct core_space space = {.root = d->root, .auth = init.root, .pool = &d->pool};

	must(core_map(&space, va, first, count, flags, init.root), "binding its pages", name_of(d));
}

static u64 page_down(u64 va)
{
	return va & ~(ARIL_PAGE_SIZE - 1ul);
}

/* Finds and checks the image. */
static void image_read(struct domain *d, struct image *image)
{
	struct core_elf *elf = &image->elf;
	const char *why;

	if (!archive_file(&init.archive, d->plan.image, &image->file))
		fail("domain %s: the boot archive has no %s", name_of(d), d->plan.image);
	why = core_elf_read(elf, image->file.data, image->file.bytes, image->file.bytes);
	if (!why && elf->type != 2)
		why = "not linked at fixed addresses";
	for (u32 i = 1; !why && i < elf->nsegments; i++)
		if (page_down(elf->segment[i].va) <
		    elf->segment[i - 1].va + elf->segment[i - 1].bytes)
			why = "two segments share a page";
	if (!why && elf->low < CORE_DOMAIN_VA + (1ul << 39) && elf->high > CORE_DOMAIN_VA)
		why = "it overlaps the domain page's part of the address space";
	if (!why && (elf->high - elf->low) >> ARIL_PAGE_SHIFT > d->run[0].count / 2)
		why = "it is too large for its share of memory";
	if (why)
		fail("domain %s: %s: %s", name_of(d), d->plan.image, why);
}

/* Copies the segments into fresh frames and binds them, writable or executable as they say. */
static void image_load(struct domain *d, const struct image *image)
{
	const struct core_elf *elf = &image->elf;

	for (u32 i = 0; i < elf->nsegments; i++) {
		const struct core_elf_segment *s = &elf->segment[i];
		u64 va = page_down(s->va);
		u64 count = (s->va + s->bytes - va + ARIL_PAGE_SIZE - 1) >> ARIL_PAGE_SHIFT;
		u32 first = take(d, (u32)count), flags = 0;

		u8 *memory = fill(d, first, count);
		memcpy(memory + (s->va - va), image->file.data + s->offset, s->file_bytes);
		fill_done(d, count);
		if (s->flags & CORE_ELF_WRITE)
			flags |= ARIL_BIND_WRITE;
		if (s->flags & CORE_ELF_EXEC)
			flags |= ARIL_BIND_EXEC;
		bind(d, va, first, count, flags);
	}
}

/* A context with its stack on each of its CPUs. */
static void make_contexts(struct domain *d)
{
	const u32 stack = (u32)((CORE_STACK_TOP(0) - CORE_STACK_LOW(0)) >> ARIL_PAGE_SHIFT);

	for (u32 cpu = 0; cpu < ARIL_INFO->ncpus; cpu++) {
		if (!(d->plan.cpus >> cpu & 1))
			continue;
		u32 first = take(d, stack + 1), page = first + stack;

		fill(d, first, stack + 1);
		fill_done(d, stack + 1);
		bind(d, CORE_STACK_LOW(cpu), first, stack, ARIL_BIND_WRITE);
		bind(d, CORE_CONTEXT_VA(cpu), page, 1, ARIL_BIND_WRITE);
		must(aril_env_context(init.root, d->env, cpu, page, CORE_CONTEXT_VA(cpu)),
		     "a context", name_of(d));
	}
}

/* Words to strings, each ended. Returns bytes written. */
static u64 words(char *to, const char *from, u32 bytes)
{
	char *start = to;

	for (u32 i = 0; i < bytes; i++) {
		if (from[i] != ' ' && from[i] != '\t' && from[i] != '\r')
			*to++ = from[i];
		else if (to != start && to[-1])
			*to++ = 0;
	}
	if (to != start && to[-1])
		*to++ = 0;
	return (u64)(to - start);
}

static int is_native(const struct domain *d)
{
	return !strncmp(d->plan.image, ".aril/native/", 13);
}

/* Arguments and environment: from the archive of who has one, others' from their line. A native program's
 * first argument is its name: the primary's is in the archive already. */
static void make_args(struct domain *d, struct core_domain *page)
{
	struct file args = {0}, env = {0};
	u64 bytes = 64 + d->plan.args_bytes + 1;

	if (d->archive) {
		archive_file(d->archive, ".aril/args", &args);
		archive_file(d->archive, ".aril/env", &env);
	}
	bytes += args.bytes + env.bytes;
	if (bytes > CORE_ARGS_MAX)
		fail("domain %s: %lu bytes of arguments and environment, at most %lu", name_of(d),
		     bytes, CORE_ARGS_MAX);
	u32 count = (u32)((bytes + ARIL_PAGE_SIZE - 1) >> ARIL_PAGE_SHIFT), first = take(d, count);
	char *start = (char *)fill(d, first, count), *to = start;
	if (is_native(d) && !args.bytes)
		to += core_copy_string(to, name_of(d), 64) + 1;
	to += words(to, d->plan.args, d->plan.args_bytes);
	memcpy(to, args.data, args.bytes);
	page->args_va = CORE_ARGS_VA;
	page->args_bytes = (u64)(to - start) + args.bytes;
	memcpy(to + args.bytes, env.data, env.bytes);
	page->env_va = page->args_va + page->args_bytes;
	page->env_bytes = env.bytes;
	fill_done(d, count);
	bind(d, CORE_ARGS_VA, first, count, 0);
}

/* It may read its archive's frames: nobody else may but init. */
static void give_archive(struct domain *d, struct core_domain *page)
{
	struct aril_guard guard = d->guard;

	page->archive = archive_frames(d->archive);
	page->archive_bytes = d->archive->bytes;
	guard.rights = ARIL_READ | ARIL_EXEC;
	must(core_set_guard(init.root, page->archive, 1, &guard), "guarding the boot archive",
	     name_of(d));
}

static u32 flags_of(const struct domain *d)
{
	return (d->index == 0 ? CORE_DOMAIN_PRIMARY : 0) | (d->plan.log ? CORE_DOMAIN_LOG : 0) |
	       (d->plan.trace ? CORE_DOMAIN_TRACE : 0) |
	       (d->plan.summary ? CORE_DOMAIN_SUMMARY : 0) |
	       (d->plan.code ? CORE_DOMAIN_AUTHORITY : 0) |
	       (d->plan.profile ? CORE_DOMAIN_PROFILE : 0) | (d->plan.core ? CORE_DOMAIN_CORE : 0) |
	       (d->plan.guard ? CORE_DOMAIN_GUARD : 0);
}

static u32 bits(u32 mask)
{
	u32 n = 0;

	for (; mask; mask &= mask - 1)
		n++;
	return n;
}

/* All of the page that does not change with what is taken from the pool. */
static void describe(const struct domain *d, const struct core_elf *elf, struct core_domain *page)
{
	page->magic = CORE_DOMAIN_MAGIC;
	page->version = CORE_DOMAIN_VERSION;
	page->bytes = sizeof(*page);
	page->cap = d->cap;
	core_copy_string(page->name, name_of(d), sizeof(page->name));
	page->flags = flags_of(d);
	page->index = d->index;
	page->account = d->account;
	page->env = d->env;
	page->env_frame = d->env_frame;
	page->space = d->root;
	page->cpus = d->plan.cpus;
	page->ncpus = ARIL_INFO->ncpus;
	page->nslices = d->plan.code ? 0 : d->nslices / bits(d->plan.cpus);
	page->realtime_offset = init.realtime_offset;
	page->image_low = elf->low;
	page->image_high = elf->high;
	page->entry = elf->entry;
	if (d->plan.root)
		page->root_cap = *FIRST_CAP;
	authority_tell(d, page);
}

/* Binds the domain page and writes it last, when nothing more is taken. */
static void publish(struct domain *d, const struct core_domain *page)
{
	u32 first = take(d, 1);

	bind(d, CORE_DOMAIN_VA, first, 1, 0);
	struct core_domain *to = (struct core_domain *)fill(d, first, 1);
	*to = *page;
	for (u32 i = 0; i < d->pool.nruns; i++) {
		if (!d->run[i].count)
			continue;
		to->run[to->nruns++] = d->run[i];
		to->free_frames += d->run[i].count;
	}
	to->spent = (struct core_run){.first = d->spent.first,
				      .count = d->run[0].first - d->spent.first};
	fill_done(d, 1);
}

void domain_build(struct domain *d)
{
	static struct image image;
	static struct core_domain page;

	memset(&page, 0, sizeof(page));
	image_read(d, &image);
	d->root = take(d, 2);
	must(aril_space_create(init.root, d->root, d->root + 1), "a space", name_of(d));
	image_load(d, &image);
	struct aril_env_desc desc = {.space = d->root,
				     .flags = d->plan.log ? ARIL_ENV_LOG : 0,
				     .entry = image.elf.entry,
				     .account = d->account};
	d->env_frame = take(d, 1);
	d->env = (u32)must(aril_env_create(init.root, d->env_frame, &desc), "an env", name_of(d));
	make_contexts(d);
	make_args(d, &page);
	describe(d, &image.elf, &page);
	if (d->plan.console)
		console_give(d, &page);
	if (d->plan.swap)
		swap_give(d, &page);
	devices_give(d);
	if (d->archive)
		give_archive(d, &page);
	if (d->plan.code)
		authority_open(d);
	publish(d, &page);
}

/* The next domain on that CPU; NULL: none runs there. In any stretch of the vector each has as much as its weight is of
 * theirs: with each position all get their weight, and who has most pays for all. */
static struct domain *next_on(u32 cpu, s32 credit[DOMAINS])
{
	struct domain *best = NULL;
	s32 all = 0;

	for (u32 i = 0; i < init.ndomains; i++) {
		struct domain *d = &init.domain[i];

		if (!(d->plan.cpus >> cpu & 1) || d->plan.code)
			continue;
		all += (s32)d->plan.slices;
		credit[i] += (s32)d->plan.slices;
		if (!best || credit[i] > credit[best->index])
			best = d;
	}
	if (best)
		credit[best->index] -= all;
	return best;
}

/* Calls one for each position of the slice vectors and the domain that gets it, NULL: nobody. */
static void for_positions(void (*one)(u32 cpu, u32 position, struct domain *d))
{
	for (u32 cpu = ARIL_INFO->ncpus; cpu--;) {
		s32 credit[DOMAINS] = {0};

		for (u32 position = 0; position < ARIL_SLICES; position++) {
			struct domain *d = position == AUTHORITY_POSITION && init.authority
						   ? &init.domain[init.authority]
						   : next_on(cpu, credit);

			if (cpu != 0 || position != OWN_POSITION)
				one(cpu, position, d);
		}
	}
}

static void free_slice(u32 cpu, u32 position, struct domain *d)
{
	must(aril_slice_free(init.root, cpu, position), "freeing a slice", "");
	if (d)
		d->nslices++;
}

void slices_divide(void)
{
	for_positions(free_slice);
}

/* Before any domain runs: one could take what is another's meanwhile. */
static void take_slice(u32 cpu, u32 position, struct domain *d)
{
	if (d)
		must(aril_slice_alloc(init.root, d->account, cpu, position, &d->guard), "a slice",
		     name_of(d));
}

/* A domain that has run and ended meanwhile gets no more. */
static void give_slice(u32 cpu, u32 position, struct domain *d)
{
	s64 result = d ? aril_slice_set(init.root, cpu, position, d->env, 0) : 0;

	if (result != -ARIL_E_ENV)
		must(result, "a slice", name_of(d));
}

static struct domain *only;

static void give_only(u32 cpu, u32 position, struct domain *d)
{
	if (d == only)
		give_slice(cpu, position, d);
}

void slices_give(struct domain *domain)
{
	only = domain;
	for_positions(give_only);
}

void domains_start(void)
{
	for_positions(take_slice);
	for_positions(give_slice);
}
