/* SPDX-License-Identifier: MIT
 * aril-bpf's command line. */
#include "bpf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"usage: aril-bpf verify [OPTION...] FILE.o          is it safe? Nothing is said where it "
	"is\n"
	"       aril-bpf run [OPTION...] FILE.o             verifies, runs, prints r0 in "
	"hexadecimal\n"
	"       aril-bpf run --raw [OPTION...] [MEMORY]     the same of a program in hexadecimal "
	"on standard input\n"
	"       aril-bpf disasm [--bpf|--jit] FILE.o        the program as text, or what it is "
	"compiled to (by objdump)\n"
	"       aril-bpf stats [OPTION...] FILE.o           what verification and compilation took "
	"and found\n"
	"\n"
	"  --section NAME       the entry, by its section's or function's name (default: the only "
	"one)\n"
	"  --attach NAME        the attach point it is for (default: what its section says; else "
	"any program that takes\n"
	"                       memory in r1 and its length in r2, and returns anything)\n"
	"  --interface FILE.o   link against this interface, too; Aril's own is built in\n"
	"  --class NAME         pure or handler (default: the attach point's; else handler)\n"
	"  --interp, --jit      run: interpreted, each access checked (default), or compiled\n"
	"  --memory HEX         run: the memory's bytes; with --raw, as an argument, too\n"
	"  --memory-file FILE   run: ... from a file\n"
	"  --args N,N...        run: numbers that are arguments, in order (default: the least that "
	"each may be)\n"
	"  --budget N           run: instructions after which a handler is stopped (default "
	"1000000000)\n"
	"  --unverified         run, disasm: without verification; only to be used on what one "
	"trusts\n"
	"  --steps N            instructions that the verifier may walk (default 10000000)\n"
	"  --arena MIB          memory of loader, verifier and compiler together (default 64)\n"
	"\n"
	"Status: 0; 1 refused (standard error says why); 2 wrong usage or a file that cannot be "
	"read; 3 the run did not\n"
	"come to its end.\n";

void fail(int status, const char *format, ...)
{
	va_list list;

	fflush(stdout);
	fputs("aril-bpf: ", stderr);
	va_start(list, format);
	vfprintf(stderr, format, list);
	va_end(list);
	fputc('\n', stderr);
	exit(status);
}

static u64 number(const char *option, const char *text)
{
	char *end;
	u64 n = strtoull(text, &end, 0);

	if (!*text || *end)
		fail(USAGE, "%s %s: give a number", option, text);
	return n;
}

static void scalars(struct options *o, const char *text)
{
	for (;;) {
		char *end;

		if (o->scalars == 5)
			fail(USAGE, "--args: more than 5 numbers");
		o->scalar[o->scalars++] = strtoull(text, &end, 0);
		if (end == text || (*end && *end != ','))
			fail(USAGE, "--args %s: give numbers with commas between them", text);
		if (!*end)
			return;
		text = end + 1;
	}
}

static void option(struct options *o, const char *name, const char *value)
{
	if (!strcmp(name, "--section"))
		o->entry = value;
	else if (!strcmp(name, "--attach"))
		o->attach = value;
	else if (!strcmp(name, "--interface"))
		o->interface = value;
	else if (!strcmp(name, "--memory"))
		o->memory = value;
	else if (!strcmp(name, "--memory-file"))
		o->memory_file = value;
	else if (!strcmp(name, "--args"))
		scalars(o, value);
	else if (!strcmp(name, "--budget"))
		o->budget = number(name, value);
	else if (!strcmp(name, "--steps"))
		o->steps = number(name, value);
	else if (!strcmp(name, "--arena"))
		o->arena = number(name, value) << 20;
	else if (strcmp(name, "--class") != 0)
		fail(USAGE, "unknown option %s: see aril-bpf --help", name);
	else if (!strcmp(value, "pure"))
		o->class = EXT_PURE;
	else if (!strcmp(value, "handler"))
		o->class = EXT_HANDLER;
	else
		fail(USAGE, "--class %s: give pure or handler", value);
}

static int flag(struct options *o, const char *name)
{
	if (!strcmp(name, "--raw"))
		o->raw = 1;
	else if (!strcmp(name, "--jit"))
		o->jit = 1;
	else if (!strcmp(name, "--interp") || !strcmp(name, "--bpf"))
		o->jit = 0;
	else if (!strcmp(name, "--unverified"))
		o->unverified = 1;
	else
		return 0;
	return 1;
}

static void parse(struct options *o, int count, char **word)
{
	for (int i = 0; i < count; i++) {
		if (strncmp(word[i], "--", 2) != 0) {
			if (o->raw && !o->memory)
				o->memory = word[i];
			else if (!o->raw && !o->file)
				o->file = word[i];
			else
				fail(USAGE, "unexpected word '%s': see aril-bpf --help", word[i]);
		} else if (!flag(o, word[i])) {
			if (i + 1 == count)
				fail(USAGE, "%s needs a value: see aril-bpf --help", word[i]);
			option(o, word[i], word[i + 1]);
			i++;
		}
	}
	if (!o->raw && !o->file)
		fail(USAGE, "no file given: see aril-bpf --help");
}

int main(int count, char **word)
{
	static const struct {
		const char *name;
		int (*run)(const struct options *o);
	} commands[] = {{"verify", command_verify},
			{"run", command_run},
			{"disasm", command_disasm},
			{"stats", command_stats}};
	struct options o = {.steps = 10000000, .arena = 64ull << 20, .budget = 1000000000};

	for (int i = 1; i < count; i++)
		if (!strcmp(word[i], "--help") || !strcmp(word[i], "-h")) {
			fputs(usage, stdout);
			return OK;
		}
	if (count < 2) {
		fputs(usage, stderr);
		return USAGE;
	}
	for (u32 c = 0; c < sizeof(commands) / sizeof(commands[0]); c++)
		if (!strcmp(word[1], commands[c].name)) {
			parse(&o, count - 2, word + 2);
			return commands[c].run(&o);
		}
	fail(USAGE, "unknown command %s: see aril-bpf --help", word[1]);
}
