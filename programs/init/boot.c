/* SPDX-License-Identifier: MIT
 * Reads .aril/boot: a line for each domain, `domain IMAGE key=value... -- ARGUMENT...`, the primary first; and a line
 * `audit` where the machine is to be checked when the primary has ended; `audit=MILLISECONDS`: while it runs, too. */
#include "init.h"

#define SHARE_MAX 1000
#define SLICES_MAX 32
#define SWAP_MAX 256		   /* MiB: what one grant of memory covers */
#define MEM_MAX 32768		   /* MiB */
#define ARCHIVE_MAX (MEM_MAX << 8) /* pages */
#define AUDIT_EVERY_MAX 3600000

static int is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next word of *at before end, which moves behind it; its length, 0 at the end. */
static u32 word(const char **at, const char *end, const char **start)
{
	while (*at < end && is_space(**at))
		(*at)++;
	*start = *at;
	while (*at < end && !is_space(**at))
		(*at)++;
	return (u32)(*at - *start);
}

static int same(const char *text, u32 bytes, const char *other)
{
	return strlen(other) == bytes && !memcmp(text, other, bytes);
}

/* A decimal number up to most, moving *at; -1 if there is none. */
static s32 number(const char **at, const char *end, u32 most)
{
	u32 value = 0;
	const char *start = *at;

	for (; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
		value = value * 10 + (u32)(**at - '0');
		if (value > most)
			return -1;
	}
	return *at == start ? -1 : (s32)value;
}

/* "all", or numbers and ranges as in 0,2-3. Returns 0 where it is malformed or names no CPU of ours. */
static u32 cpu_list(const char *at, const char *end, u32 ncpus)
{
	u32 all = (u32)((1ul << ncpus) - 1), mask = 0;

	if (same(at, (u32)(end - at), "all"))
		return all;
	for (;;) {
		s32 first = number(&at, end, ARIL_MAX_CPUS - 1), last = first;

		if (first >= 0 && at < end && *at == '-') {
			at++;
			last = number(&at, end, ARIL_MAX_CPUS - 1);
		}
		if (first < 0 || last < first)
			return 0;
		for (s32 cpu = first; cpu <= last; cpu++)
			mask |= 1u << cpu;
		if (at == end)
			return mask & all;
		if (*at++ != ',')
			return 0;
	}
}

static const char *yes_or_no(const char *value, u32 bytes, u32 *to)
{
	*to = same(value, bytes, "yes") || same(value, bytes, "1");
	return *to || same(value, bytes, "no") || same(value, bytes, "0")
		       ? NULL
		       : "a value is neither yes nor no";
}

/* "rtc,hpet": a bit each, DEVICE_*; 0 where a name is none of them. */
static u32 device_list(const char *at, const char *end)
{
	u32 mask = 0;

	for (;;) {
		const char *from = at;

		while (at < end && *at != ',')
			at++;
		if (same(from, (u32)(at - from), "rtc"))
			mask |= DEVICE_RTC;
		else if (same(from, (u32)(at - from), "hpet"))
			mask |= DEVICE_HPET;
		else
			return 0;
		if (at++ == end)
			return mask;
	}
}

/* A number from 1 to most, and nothing behind it but `unit`. NULL, or `why`. */
static const char *whole(const char *value, const char *end, const char *unit, u32 most,
			 const char *why, u32 *to)
{
	s32 n = number(&value, end, most);

	*to = (u32)n;
	return n > 0 && same(value, (u32)(end - value), unit) ? NULL : why;
}

/* The keys of a domain that has a file system of its own, or takes its part in another way than by share. */
static const char *family_value(const char *key, u32 bytes, const char *value, const char *end,
				struct plan *plan)
{
	if (same(key, bytes, "name")) {
		u32 n = (u32)(end - value);

		if (!n || n >= sizeof(plan->name))
			return "name is not of 1 to 31 characters";
		memcpy(plan->name, value, n);
		plan->name[n] = 0;
		return NULL;
	}
	if (same(key, bytes, "mem"))
		return whole(value, end, "M", MEM_MAX, "mem is not a number from 1 to 32768 and M",
			     &plan->mem);
	if (same(key, bytes, "slices"))
		return whole(value, end, "", SLICES_MAX, "slices is not a number from 1 to 32",
			     &plan->slices);
	if (same(key, bytes, "archive"))
		return whole(value, end, "", ARCHIVE_MAX, "archive is not a number of pages",
			     &plan->archive);
	if (same(key, bytes, "wait"))
		return yes_or_no(value, (u32)(end - value), &plan->wait);
	if (same(key, bytes, "guard"))
		return yes_or_no(value, (u32)(end - value), &plan->guard);
	return "a key is none of share, console, log, cpus, trace, core, root, code, swap, "
	       "devices, "
	       "name, mem, slices, archive, wait, guard";
}

static const char *key_value(const char *text, u32 bytes, u32 ncpus, struct plan *plan)
{
	const char *end = text + bytes, *value = text;

	while (value < end && *value != '=')
		value++;
	if (value == end)
		return "a word is not key=value";
	u32 key = (u32)(value++ - text), rest = (u32)(end - value);
	if (same(text, key, "share")) {
		s32 share = number(&value, end, SHARE_MAX);

		plan->share = (u32)share;
		return share > 0 && value == end ? NULL : "share is not a number from 1 to 1000";
	}
	if (same(text, key, "console"))
		return yes_or_no(value, rest, &plan->console);
	if (same(text, key, "log"))
		return yes_or_no(value, rest, &plan->log);
	if (same(text, key, "trace")) {
		plan->summary = same(value, rest, "summary");
		return plan->summary ? NULL : yes_or_no(value, rest, &plan->trace);
	}
	if (same(text, key, "profile"))
		return yes_or_no(value, rest, &plan->profile);
	if (same(text, key, "core"))
		return yes_or_no(value, rest, &plan->core);
	if (same(text, key, "root"))
		return yes_or_no(value, rest, &plan->root);
	if (same(text, key, "code"))
		return yes_or_no(value, rest, &plan->code);
	if (same(text, key, "swap")) {
		s32 mib = number(&value, end, SWAP_MAX);

		plan->swap = (u32)mib;
		return mib > 0 && end - value == 1 && *value == 'M'
			       ? NULL
			       : "swap is not a number from 1 to 256 and M";
	}
	if (same(text, key, "devices")) {
		plan->devices = device_list(value, end);
		return plan->devices ? NULL : "devices are not of rtc, hpet";
	}
	if (!same(text, key, "cpus"))
		return family_value(text, key, value, end, plan);
	plan->cpus = cpu_list(value, end, ncpus);
	return plan->cpus ? NULL : "cpus names no CPU of this machine";
}

const char *boot_line(const char *line, u32 bytes, u32 ncpus, struct plan *plan)
{
	const char *at = line, *end = line + bytes, *text, *why;
	u32 n = word(&at, end, &text);

	*plan = (struct plan){.share = 1, .slices = 1, .cpus = (u32)((1ul << ncpus) - 1)};
	if (!same(text, n, "domain"))
		return "it does not begin with \"domain\"";
	n = word(&at, end, &text);
	if (!n || n >= sizeof(plan->image))
		return "it names no image";
	memcpy(plan->image, text, n);
	plan->image[n] = 0;
	const char *base = strrchr(plan->image, '/');
	core_copy_string(plan->name, base ? base + 1 : plan->image, sizeof(plan->name));
	while ((n = word(&at, end, &text))) {
		if (same(text, n, "--")) {
			plan->args = at;
			plan->args_bytes = (u32)(end - at);
			return NULL;
		}
		why = key_value(text, n, ncpus, plan);
		if (why)
			return why;
	}
	return NULL;
}

/* The rest of a line `audit` or `audit=MILLISECONDS`. */
static int audit_line(const char *at, const char *end)
{
	s32 every = 0;

	if (at != end && *at++ == '=')
		every = number(&at, end, AUDIT_EVERY_MAX);
	init.audit = 1;
	init.audit_every = (u64)every * 1000000;
	return at != end || every < 0;
}

void boot_read(void)
{
	struct file file;
	u32 number = 0;

	if (!archive_file(&init.archive, ".aril/boot", &file))
		fail("the boot archive has no .aril/boot");
	for (u64 at = 0; at < file.bytes;) {
		const char *line = (const char *)file.data + at;
		u32 bytes = 0, i = 0;

		while (at + bytes < file.bytes && line[bytes] != '\n')
			bytes++;
		at += bytes + 1ul;
		number++;
		while (i < bytes && is_space(line[i]))
			i++;
		if (i == bytes || line[i] == '#')
			continue;
		if (bytes - i >= 5 && same(line + i, 5, "audit")) {
			if (audit_line(line + i + 5, line + bytes))
				fail(".aril/boot line %u: audit takes =MILLISECONDS, or nothing",
				     number);
			continue;
		}
		if (init.ndomains == DOMAINS)
			fail(".aril/boot line %u: more than %u domains", number, DOMAINS);
		struct domain *domain = &init.domain[init.ndomains];
		const char *why = boot_line(line, bytes, ARIL_INFO->ncpus, &domain->plan);
		if (why)
			fail(".aril/boot line %u: %s", number, why);
		domain->index = init.ndomains++;
		if (!domain->plan.code)
			init.nsharing++;
		else if (init.authority || !domain->index)
			fail(".aril/boot line %u: one domain is the code authority, not the first",
			     number);
		else
			init.authority = domain->index;
	}
	if (!init.ndomains)
		fail(".aril/boot names no domain");
	archives_divide();
}
