// SPDX-License-Identifier: MIT
// aril-ext: loads extensions into the kernel, lists them with what they did, removes them. A native program; `./aril ext`
// starts it with the code authority and puts the objects into the boot archive. Its words are commands, done in order.
#include <aril/error.h>
#include <aril/info.h>
#include <aril/ops.h>
#include <aril_stubs.h>
#include <core/cpio.h>
#include <core/ext.h>
#include <core/native.h>
#include <core/print.h>
#include <core/string.h>
#include <core/time.h>
#include <core/upcall.h>

#define LOADED 16u
#define ARCHIVE_VA 0x550000000000ul
#define BOOK_VA 0x560000000000ul
#define TURNS 3u

static const char usage[] =
	"usage: ./aril ext COMMAND...\n"
	"  load FILE.o[:ENTRY]  verifies, compiles and seals an extension; says why not, in one "
	"line\n"
	"  use NAME[:ORDER[:GUARD]]  attaches it to this program, and makes it run a few times; a "
	"handler of faults\n"
	"                       as the one of that order (0..7), behind that guard\n"
	"  list                 what is loaded: runs, instructions of handlers, stops at the "
	"budget, guards' noes\n"
	"  rm NAME              removes it\n";
static struct loaded {
	char name[32];
	struct core_ext e;
} loaded[LOADED];
static u32 word_frame;
static volatile u32 *word_page;

static const char *const points[ARIL_POINTS] = {"", "predicate", "fault", "victim", "guard"};

/* A file of the boot archive. */
static const u8 *file_find(const char *path, u64 *bytes)
{
	const struct core_run run = CORE_DOMAIN->archive;
	struct core_cpio_entry entry;
	const u8 *archive = (const u8 *)ARCHIVE_VA;
	static int bound;
	u64 at = 0;

	if (!bound &&
	    (!run.count || core_map(&core_self, ARCHIVE_VA, run.first, run.count, 0, core_auth)))
		return NULL;
	bound = 1;
	while (*path == '/')
		path++;
	while (core_cpio_next(archive, CORE_DOMAIN->archive_bytes, &at, &entry) == 1)
		if (!strcmp(entry.name, path)) {
			*bytes = entry.bytes;
			return archive + entry.offset;
		}
	return NULL;
}

static struct loaded *find(const char *name)
{
	for (u32 i = 0; i < LOADED; i++)
		if (!strcmp(loaded[i].name, name))
			return &loaded[i];
	return NULL;
}

static int load(const char *word)
{
	char path[128], *entry;
	struct loaded *l = find("");
	u64 bytes = 0;

	core_copy_string(path, word, sizeof(path));
	entry = strchr(path, ':');
	if (entry)
		*entry++ = 0;
	const u8 *object = file_find(path, &bytes);
	if (!object || !l) {
		core_print("aril-ext: %s: %s\n", path,
			   object ? "16 are loaded already" : "no such file");
		return 2;
	}
	l->e = (struct core_ext){.auth = core_auth, .cap = CORE_DOMAIN->cap, .entry = entry};
	s64 error = core_ext_load(&l->e, object, bytes);
	if (error) {
		core_print("aril-ext: %s: %s\n", path,
			   l->e.refusal[0] ? l->e.refusal
			   : error == -ARIL_E_CLOSED
				   ? "the code authority is not there, or its instance died"
				   : "the kernel refused");
		return 1;
	}
	/* named by the book, as others see it */
	if (core_map(&core_self, BOOK_VA, l->e.code, 1, 0, core_auth))
		return 2;
	core_copy_string(l->name, ((const struct aril_code *)BOOK_VA)->name, sizeof(l->name));
	core_print("%s: %s, %u instructions, %u bytes, %u frames, worst case %lu\n", l->name,
		   points[l->e.point], l->e.insns, l->e.bytes,
		   1 + l->e.text + l->e.constants + l->e.data, l->e.worst);
	return 0;
}

/* What the book counts, and for guards the slots of uses that are not over. */
struct counted {
	u64 runs, spent, stops, noes;
};

static struct counted count(const volatile struct aril_code *book)
{
	struct counted n = {.runs = core_ext_runs(book)};

	for (u32 cpu = 0; cpu < ARIL_MAX_CPUS; cpu++) {
		n.stops += book->cpu[cpu].stops;
		n.spent += book->cpu[cpu].runs * book->budget - book->cpu[cpu].left;
	}
	if (book->worst) /* not counted one by one: what was proved of each */
		n.spent = n.runs * book->worst;
	if (book->point != ARIL_POINT_GUARD)
		return n;
	n.noes = n.stops;
	n.stops = 0;
	for (u32 i = 0; i < ARIL_CODE_SLOTS; i++)
		if (book->slot[i].point == ARIL_POINT_GUARD)
			n.noes += book->slot[i].count[0];
	return n;
}

static int list(void)
{
	core_print("%-16s %-10s %8s %6s %6s %8s %12s %6s %6s\n", "NAME", "POINT", "CODE", "FRAMES",
		   "USES", "RUNS", "INSTRUCTIONS", "STOPS", "NOES");
	for (u32 i = 0; i < LOADED; i++) {
		const struct core_ext *e = &loaded[i].e;
		const volatile struct aril_code *book = (const volatile struct aril_code *)BOOK_VA;

		if (!loaded[i].name[0])
			continue;
		if (core_map(&core_self, BOOK_VA, e->code, 1, 0, core_auth))
			return 2;
		struct counted n = count(book);
		core_print("%-16s %-10s %8u %6u %6u %8lu %12lu %6lu %6lu\n", loaded[i].name,
			   points[book->point], e->code,
			   1 + book->text + book->constants + book->data, book->uses, n.runs,
			   n.spent, n.stops, n.noes);
	}
	return 0;
}

/* A handler: three breakpoints; a predicate: a wait that its deadline ends; a chooser of frames: attached. */
static int use(const struct loaded *l, u32 order, const struct loaded *guard)
{
	s64 error = 0;

	if (l->e.point == ARIL_POINT_PREDICATE) {
		struct aril_code_wait w = {.code = l->e.code,
					   .auth = core_auth,
					   .page = {word_frame, 0, 0},
					   .word = {0, ARIL_CODE_NO_WORD, ARIL_CODE_NO_WORD},
					   .value = {0, 1},
					   .deadline = core_now() + 1000000};
		error = core_code_wait(&w);
		if (error == -ARIL_E_VALUE)
			error = 0;
	} else {
		error = core_ext_attach_at(&l->e,
					   l->e.point == ARIL_POINT_VICTIM ? CORE_DOMAIN->account
									   : CORE_DOMAIN->env,
					   core_auth, core_auth, order, guard ? &guard->e : NULL);
		for (u32 i = 0; i < TURNS && !error && l->e.point == ARIL_POINT_FAULT; i++)
			__asm__ volatile("int3" ::: "memory");
	}
	if (error < 0)
		core_print("aril-ext: %s: the kernel refused (error %ld)\n", l->name, -error);
	return error < 0;
}

/* NAME[:ORDER[:GUARD]] */
static int use_word(const char *given)
{
	const struct loaded *l, *guard = NULL;
	char word[96], *order, *by = NULL;
	u32 n = 0;

	core_copy_string(word, given, sizeof(word));
	order = strchr(word, ':');
	if (order) {
		*order++ = 0;
		by = strchr(order, ':');
	}
	if (by) {
		*by++ = 0;
		guard = find(by);
	}
	for (; order && *order >= '0' && *order <= '9' && n < 1000; order++)
		n = n * 10 + (u32)(*order - '0');
	l = find(word);
	if (l && word[0] && (!order || !*order) && (!by || (guard && *by)))
		return use(l, n, guard);
	core_print("aril-ext: use %s: nothing of that name is loaded, or that is no order\n",
		   given);
	return 2;
}

static int on_exception(struct core_frame *frame)
{
	return frame->save.vector == 3;
}

static int command(char **words, int *used)
{
	const char *what = words[0];
	struct loaded *l;

	*used = 1;
	if (!strcmp(what, "list"))
		return list();
	*used = 2;
	if (!words[1]) {
		core_print("aril-ext: %s: needs a name; or there is no such command\n%s", what,
			   usage);
		return 2;
	}
	if (!strcmp(what, "load"))
		return load(words[1]);
	if (!strcmp(what, "use"))
		return use_word(words[1]);
	l = find(words[1]);
	if (!l || !words[1][0] || strcmp(what, "rm") != 0) {
		core_print("aril-ext: %s %s: nothing of that name is loaded, or there is no such "
			   "command\n",
			   what, words[1]);
		return 2;
	}
	s64 error = core_ext_unload(&l->e);
	if (!error)
		l->name[0] = 0;
	return error != 0;
}

int main(int argc, char **argv, char **envp)
{
	int status = 0;

	(void)envp;
	core_handlers.exception = on_exception;
	if (argc < 2) {
		core_print("%s", usage);
		return 2;
	}
	word_page = core_pages(1, &word_frame);
	for (u64 until = core_now() + 2000000000ul; !core_ext_authority() && core_now() < until;)
		core_sleep(1000000);
	core_sleep(20000000); /* it may have begun just now */
	for (int i = 1, used; i < argc; i += used) {
		int result = command(argv + i, &used);

		status = result > status ? result : status;
	}
	return status;
}
