/* SPDX-License-Identifier: MIT
 * Calls that do not exist, with wild arguments; and the numbers of other systems, which are its own library's
 * business. */
// expect: numbers: done
// forbid: numbers: WRONG
#include "adversary.h"

static const u32 known[] = {ARIL_CALL_INDICES};
static volatile u32 reflected;

static int is_known(u32 number)
{
	for (u32 i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i] == number)
			return 1;
	return 0;
}

static int on_exception(struct core_frame *frame)
{
	if (frame->save.vector != ARIL_VECTOR_SYSCALL)
		return 0;
	reflected++;
	frame->rax = 4711;
	return 1;
}

int main(int argc, char **argv, char **envp)
{
	static const u32 wild[] = {0x80000080, 0x80000100, 0x800000ff, 0x80010000,
				   0xffffffff, 0xfffffffe, 0xc0000000};
	u32 good = 0;

	(void)argc;
	(void)argv;
	(void)envp;
	for (u32 i = 0; i < 128; i++)
		if (!is_known(i))
			good += turned_down(
				"an unused number",
				aril_call6(0x80000000 + i, ~0ul, ~0ul, ~0ul, ~0ul, ~0ul, ~0ul),
				ARIL_E_CALL);
	for (u32 i = 0; i < sizeof(wild) / sizeof(wild[0]); i++)
		good += turned_down("a wild number", aril_call6(wild[i], 1, 2, 3, 4, 5, 6),
				    ARIL_E_CALL);
	core_log("%s: refused %u numbers", NAME, good);
	core_handlers.exception = on_exception;
	for (u32 i = 0; i < 1000; i++)
		if (aril_call3(i, 1, 2, 3) != 4711)
			wrong("a foreign call", i);
	if (aril_call3(0x7fffffff, 1, 2, 3) != 4711 || reflected != 1001)
		wrong("foreign calls reflected", reflected);
	/* every call with all arguments wild: none may succeed; left out are null, env_exit, and closing its own capability */
	for (u32 i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		u32 n = known[i];

		if (n == 0 || n == 3 || n == 32)
			continue;
		turned_down("wild arguments",
			    aril_call6(0x80000000 + n, ~0ul, ~0ul, ~0ul, ~0ul, ~0ul, ~0ul), 0);
		turned_down("wild arguments with authority",
			    aril_call6(0x80000000 + n,
				       n == 1 || n == 2 || n == 33 ? ~0ul : core_auth, ~0ul, ~0ul,
				       ~0ul, ~0ul, ~0ul),
			    0);
	}
	return done();
}
