/* SPDX-License-Identifier: MIT
 * Loading a program: its ELF image, or a script's interpreter, and the stack it begins on. Family lock. */
#include "file.h"
#include "mm_internal.h"
#include "proc.h"
#include "proc_internal.h"
#include "profile.h"
#include "sched.h"
#include "vdso.h"
#include <aril/info.h>
#include <core/elf.h>
#include <core/string.h>

#define PIE_BASE 0x555555554000ul
#define STACK_TOP (PROGRAM_TOP - PAGE)
#define STACK_ROOM (128ul << 10) /* below the strings, mapped from the start */
#define STRINGS_MOST (2ul << 20) /* E2BIG beyond */
#define SCRIPT_DEPTH 5
#define SCRIPT_LINE 256
#define SIGFRAME_FIXED 712 /* frame, siginfo, alignment and red zone around the vector state */
#define CLOCK_TICKS 100

/* An ELF file that was opened for execution. */
struct image {
	struct inode *inode;
	char *path; /* absolute */
	u8 *head;   /* its first page */
	s64 head_bytes;
	struct core_elf elf;
	u64 bias;
};

/* What exec builds before it replaces anything. */
struct loading {
	struct mm *mm;
	struct image main, interp; /* interp.inode NULL: none */
	const char *name;	   /* AT_EXECFN */
	char **argv;		   /* of our own making where a script was met */
	u64 sp, entry;
	char script[SCRIPT_DEPTH][SCRIPT_LINE]; /* from here on nothing is set before it is used */
	char loader[SCRIPT_LINE];		/* PT_INTERP's path; argv may point into script */
};

static void image_close(struct image *image)
{
	if (image->inode)
		inode_put(image->inode);
	kfree(image->path);
	if (image->head)
		page_put(image->head);
	*image = (struct image){.inode = NULL};
}

/* Opens path and reads its first page. */
static s64 image_open(struct image *image, const char *path)
{
	s64 error = inode_lookup_exec(path, &image->inode, &image->path);

	if (error) {
		image->inode = NULL;
		image->path = NULL;
		return error;
	}
	image->head = page_alloc(0);
	if (!image->head)
		return -ENOMEM;
	image->head_bytes = inode_read_kernel(image->inode, image->head, PAGE, 0);
	if (image->head_bytes < 0)
		return image->head_bytes;
	memset(image->head + image->head_bytes, 0, PAGE - (u64)image->head_bytes);
	return 0;
}

static s64 image_parse(struct image *image)
{
	const char *why = core_elf_read(&image->elf, image->head, image->head_bytes,
					inode_size(image->inode));

	if (!why)
		return 0;
	exos_log_once("exos: %s: not a program: %s", image->path, why);
	return -ENOEXEC;
}

/* Splits a script's first line in place into interpreter and the one argument it may have. */
static s64 script_split(char *line, char **interp, char **arg)
{
	char *at = line + 2;

	line[SCRIPT_LINE - 1] = 0;
	char *end = strchr(line, '\n');
	if (end)
		*end = 0;
	else
		end = line + strlen(line);
	while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = 0;
	while (*at == ' ' || *at == '\t')
		at++;
	if (!*at)
		return -ENOEXEC;
	*interp = at;
	while (*at && *at != ' ' && *at != '\t')
		at++;
	if (at == line + SCRIPT_LINE - 1) /* a name that was cut off is another's */
		return -ENOEXEC;
	*arg = NULL;
	if (*at) {
		*at++ = 0;
		while (*at == ' ' || *at == '\t')
			at++;
		*arg = at;
	}
	return 0;
}

/* argv of an interpreter: itself, its argument, the script, and the script's arguments. */
static s64 script_argv(struct loading *l, char *interp, char *arg, const char *script,
		       char *const argv[])
{
	u32 argc = 0, n = 0;

	while (argv[argc])
		argc++;
	char **new = kmalloc((argc + 4) * sizeof(char *));
	if (!new)
		return -ENOMEM;
	new[n++] = interp;
	if (arg)
		new[n++] = arg;
	new[n++] = (char *)script;
	for (u32 i = 1; i < argc; i++)
		new[n++] = argv[i];
	kfree(l->argv);
	l->argv = new;
	return 0;
}

/* Opens the program that path stands for, through scripts. */
static s64 program_open(struct loading *l, const char *path, char *const argv[])
{
	char *interp, *arg;

	l->name = path;
	for (u32 depth = 0;; depth++) {
		s64 error = image_open(&l->main, path);

		if (error)
			return error;
		if (l->main.head_bytes < 2 || l->main.head[0] != '#' || l->main.head[1] != '!')
			return image_parse(&l->main);
		if (depth == SCRIPT_DEPTH)
			return -ELOOP;
		memcpy(l->script[depth], l->main.head, SCRIPT_LINE);
		error = script_split(l->script[depth], &interp, &arg);
		if (!error)
			error = script_argv(l, interp, arg, path, l->argv ? l->argv : argv);
		if (error)
			return error;
		image_close(&l->main);
		path = interp;
	}
}

static s64 interp_open(struct loading *l)
{
	const struct core_elf *elf = &l->main.elf;

	if (!elf->interp_bytes)
		return 0;
	if (elf->interp_bytes > SCRIPT_LINE)
		return -ENOEXEC;
	char *path = l->loader;
	s64 n = inode_read_kernel(l->main.inode, path, elf->interp_bytes, elf->interp_offset);
	if (n != (s64)elf->interp_bytes || path[n - 1])
		return -ENOEXEC;
	s64 error = image_open(&l->interp, path);
	return error ? error : image_parse(&l->interp);
}

static u32 segment_prot(const struct core_elf_segment *s)
{
	return (s->flags & CORE_ELF_READ ? PROT_READ : 0) |
	       (s->flags & CORE_ELF_WRITE ? PROT_WRITE : 0) |
	       (s->flags & CORE_ELF_EXEC ? PROT_EXEC : 0);
}

static u8 zeroes[PAGE]; /* never written */

static s64 segment_map(struct mm *mm, const struct image *image, const struct core_elf_segment *s)
{
	u64 start = page_down(image->bias + s->va), file_end = image->bias + s->va + s->file_bytes;
	u64 end = page_up(image->bias + s->va + s->bytes),
	    mapped = s->file_bytes ? page_up(file_end) : start;
	s64 error = 0;

	if ((s->va ^ s->offset) & (PAGE - 1) || end > PROGRAM_TOP || end < start)
		return -ENOEXEC;
	if (mapped > start)
		error = mm_map(mm, start, mapped - start, segment_prot(s), MAP_PRIVATE,
			       image->inode, page_down(s->offset));
	if (!error && end > mapped)
		error = mm_map(mm, mapped, end - mapped, segment_prot(s),
			       MAP_PRIVATE | MAP_ANONYMOUS, NULL, 0);
	/* The last page of the file's part goes on with zeroes. */
	if (!error && s->bytes > s->file_bytes && mapped > file_end && s->flags & CORE_ELF_WRITE)
		error = mm_poke(mm, file_end, zeroes, mapped - file_end);
	return error;
}

static s64 image_map(struct mm *mm, struct image *image, u64 base)
{
	s64 error = 0;

	image->bias = image->elf.type == 3 ? base - page_down(image->elf.low) : 0;
	for (u32 i = 0; !error && i < image->elf.nsegments; i++)
		error = segment_map(mm, image, &image->elf.segment[i]);
	return error;
}

static s64 images_map(struct loading *l)
{
	struct mm *mm = l->mm;
	s64 error = image_map(mm, &l->main, PIE_BASE);

	if (error)
		return error;
	mm->brk_start = mm->brk = page_up(l->main.bias + l->main.elf.high);
	l->entry = l->main.bias + l->main.elf.entry;
	error = vdso_map(mm);
	if (error || !l->interp.inode)
		return error;
	u64 base = area_place(mm, 0, page_up(l->interp.elf.high) - page_down(l->interp.elf.low));
	if (!base)
		return -ENOMEM;
	error = image_map(mm, &l->interp, base);
	l->entry = l->interp.bias + l->interp.elf.entry;
	return error;
}

/* Puts a string below *sp. */
static s64 string_push(struct mm *mm, u64 *sp, const char *string)
{
	usize bytes = strlen(string) + 1;

	*sp -= bytes;
	return mm_poke(mm, *sp, string, bytes);
}

/* Strings of a vector below *sp, the last one highest; their addresses go to `to`. */
static s64 vector_push(struct mm *mm, u64 *sp, char *const vector[], u32 count, u64 *to)
{
	s64 error = 0;

	while (count-- && !error) {
		error = string_push(mm, sp, vector[count]);
		to[count] = *sp;
	}
	return error;
}

static void cpuid_features(u32 *edx)
{
	u32 a = 1, b, c;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(*edx));
}

/* Appends the auxiliary vector to `to`: words written. */
static u32 auxv_write(const struct loading *l, u64 *to, u64 random, u64 platform, u64 name)
{
	const struct proc *p = current()->proc;
	const struct image *main = &l->main;
	u32 hwcap, n = 0;

	cpuid_features(&hwcap);
	const u64 auxv[][2] = {
		{AT_HWCAP, hwcap},
		{AT_SYSINFO_EHDR, l->mm->vdso},
		{AT_PAGESZ, PAGE},
		{AT_CLKTCK, CLOCK_TICKS},
		{AT_PHDR, main->elf.headers_va ? main->bias + main->elf.headers_va : 0},
		{AT_PHENT, 56},
		{AT_PHNUM, main->elf.nheaders},
		{AT_BASE, l->interp.inode ? l->interp.bias : 0},
		{AT_FLAGS, 0},
		{AT_ENTRY, main->bias + main->elf.entry},
		{AT_UID, p->uid},
		{AT_EUID, p->euid},
		{AT_GID, p->gid},
		{AT_EGID, p->egid},
		{AT_SECURE, 0},
		{AT_RANDOM, random},
		{AT_HWCAP2, 0}, /* not FSGSBASE: GS is ours */
		{AT_EXECFN, name},
		{AT_PLATFORM, platform},
		{AT_MINSIGSTKSZ, (ARIL_INFO->xsave_bytes + SIGFRAME_FIXED + 15) & ~15ul},
		{AT_NULL, 0},
	};
	for (u32 i = 0; i < array_count(auxv); i++) {
		to[n++] = auxv[i][0];
		to[n++] = auxv[i][1];
	}
	return n;
}

#define AUXV_WORDS 42

static int random_bytes(u8 to[16])
{
	for (u32 i = 0; i < 16; i += 8) {
		u64 word;
		u8 ok;

		__asm__ volatile("rdrand %0; setc %1" : "=r"(word), "=qm"(ok));
		if (!ok)
			return 0;
		memcpy(to + i, &word, 8);
	}
	return 1;
}

/* Strings and vectors, from the stack's top down, as the ABI has them. words: room for all vectors. */
static s64 stack_fill(struct loading *l, char *const argv[], u32 argc, char *const envp[], u32 envc,
		      u64 *words)
{
	struct mm *mm = l->mm;
	u64 sp = STACK_TOP - 8, *args = words + 1, *envs = args + argc + 1, name, platform;
	u8 random[16];
	u32 tries = 0;

	s64 error = string_push(mm, &sp, l->name);
	name = sp;
	mm->env_end = sp;
	if (!error)
		error = vector_push(mm, &sp, envp, envc, envs);
	mm->env_start = mm->arg_end = sp;
	if (!error)
		error = vector_push(mm, &sp, argv, argc, args);
	mm->arg_start = sp;
	if (!error)
		error = string_push(mm, &sp, "x86_64");
	platform = sp;
	while (!random_bytes(random) && tries++ < 100)
		;
	sp = (sp - sizeof(random)) & ~15ul;
	if (!error)
		error = mm_poke(mm, sp, random, sizeof(random));
	words[0] = argc;
	args[argc] = envs[envc] = 0;
	u64 vectors = argc + envc + 3;
	u64 before = vectors;
	vectors += auxv_write(l, words + vectors, sp, platform, name);
	sp = (sp - vectors * 8) & ~15ul;
	l->sp = sp;
	mm->auxv = sp + before * 8;
	return error ? error : mm_poke(mm, sp, words, vectors * 8);
}

static s64 stack_build(struct loading *l, char *const argv[], char *const envp[])
{
	u64 bytes = strlen(l->name) + 64;
	u32 argc = 0, envc = 0;

	for (; argv[argc]; argc++)
		bytes += strlen(argv[argc]) + 1;
	for (; envp && envp[envc]; envc++)
		bytes += strlen(envp[envc]) + 1;
	u64 words_bytes = (argc + envc + 3 + AUXV_WORDS) * 8;
	bytes += words_bytes;
	if (bytes > STRINGS_MOST)
		return -E2BIG;
	u64 room = page_up(bytes) + STACK_ROOM;
	s64 error = mm_map(l->mm, STACK_TOP - room, room, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, NULL, 0);
	if (error)
		return error;
	l->mm->stack_top = STACK_TOP;
	u64 *words = kmalloc(words_bytes);
	if (!words)
		return -ENOMEM;
	error = stack_fill(l, argv, argc, envp, envc, words);
	kfree(words);
	return error;
}

/* The point of no return: the process is the new program. */
static void exec_commit(struct loading *l)
{
	struct thread *t = current();
	struct proc *p = t->proc;
	struct user_regs *regs = t->regs;
	struct mm *old = p->mm;
	u64 segment;

	thread_leave_memory(); /* by the number that its locks have */
	thread_renumber(t);
	p->maxrss_pages = proc_peak(p);
	p->mm = l->mm;
	proc_env_respace(p, old);
	mm_put(old);
	kfree(p->exe);
	p->exe = l->main.path;
	l->main.path = NULL;
	profile_program(p->mm, p->exe);
	memset(regs, 0, sizeof(*regs));
	regs->rip = l->entry;
	regs->rsp = l->sp;
	regs->rflags = 0x202;
	regs->orig_rax = ~0ul;
	__asm__ volatile("movl %%cs, %k0" : "=r"(segment));
	regs->cs = segment;
	__asm__ volatile("movl %%ss, %k0" : "=r"(segment));
	regs->ss = segment;
	__asm__ volatile("wrfsbase %0" : : "r"(0ul));
	vector_load(vector_initial);
}

s64 exec_load(const char *path, char *const argv[], char *const envp[])
{
	struct loading *l = kmalloc_raw(sizeof(*l));

	if (!l)
		return -ENOMEM;
	memset(l, 0, __builtin_offsetof(struct loading, script));
	s64 error = program_open(l, path, argv);
	if (!error)
		error = interp_open(l);
	if (!error) {
		l->mm = mm_create(l->main.inode, 0);
		error = l->mm ? images_map(l) : -ENOMEM;
	}
	if (!error)
		error = stack_build(l, l->argv ? l->argv : argv, envp);
	if (!error)
		pool_settle(l->mm, 1);
	if (!error)
		error = threads_end_others();
	if (!error)
		exec_commit(l);
	else if (l->mm)
		mm_put(l->mm);
	image_close(&l->main);
	image_close(&l->interp);
	kfree(l->argv);
	kfree(l);
	return error;
}
