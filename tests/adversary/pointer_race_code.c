/* SPDX-License-Identifier: MIT
 * As pointer_race, for the calls of downloaded code: what they do is what they checked. */
// root: yes
// with:
// smp: 2
// expect: pointer_race_code: code_guard: .* calls
// expect: pointer_race_code: code_seal: .* calls
// expect: pointer_race_code: code_attach: .* calls
// expect: pointer_race_code: code_wait: .* calls
// expect: pointer_race_code: done
// forbid: pointer_race_code: WRONG
#include "../native/code.h"
#include "race.h"

#define MARK 0x600dc0deu

/* Holds where the page begins with the mark: so not to hold is to have seen another. */
BLOB(marked, "xorl %eax, %eax\n\t"
	     "cmpl $0x600dc0de, (%rdi)\n\t"
	     "sete %al\n\t"
	     "ret");
BLOB(handler, "xorl %eax, %eax\n\tret");

static struct aril_guard own;
static struct code fault, predicate;
static u32 first, foreign, victim;
static u8 foreign_state;

static int refusal(s64 result, int error)
{
	return result == -ARIL_E_ADDR || result == -error;
}

static s64 guard_call(void)
{
	return aril_code_guard(core_auth, (const struct aril_guard *)ALIAS);
}

/* It is ours, or we could not change it. */
static int guarded(s64 result)
{
	if (result && !refusal(result, ARIL_E_RIGHTS))
		return 0;
	return !aril_code_guard(core_auth, &own);
}

static s64 seal_call(void)
{
	return aril_code_seal(core_auth, (const struct aril_code_desc *)ALIAS);
}

static int sealed(s64 result)
{
	if (frame_info(foreign)->state != foreign_state)
		return 0;
	if (result)
		return refusal(result, ARIL_E_RIGHTS) || result == -ARIL_E_QUOTA;
	return frame_info(first)->state == ARIL_FRAME_CODE && !aril_frame_reset(core_auth, first);
}

static s64 attach_call(void)
{
	return aril_code_attach(core_auth, (const struct aril_code_attach *)ALIAS);
}

static int attached(s64 result)
{
	if (env_info(victim)->fault)
		return 0;
	return !result || refusal(result, ARIL_E_RIGHTS);
}

static s64 wait_call(void)
{
	return core_code_wait((const struct aril_code_wait *)ALIAS);
}

static int waited(s64 result)
{
	return result == -ARIL_E_VALUE || refusal(result, ARIL_E_RIGHTS);
}

int main(int argc, char **argv, char **envp)
{
	u32 mine;
	u32 *words = core_pages(1, &mine);

	(void)argc, (void)argv, (void)envp;
	race_begin();
	own = our_guard();
	victim = env_info(CORE_DOMAIN->env)->parent;
	foreign = env_info(victim)->frame;
	foreign_state = frame_info(foreign)->state;
	allowed("sealing", code_make(&fault, ARIL_POINT_FAULT, handler, handler_end));
	allowed("sealing", code_make(&predicate, ARIL_POINT_PREDICATE, marked, marked_end));
	first = code_frames(handler, handler_end);
	allowed("the right to seal", aril_code_guard(code_root, &own));
	race(&own, sizeof(own), 0, *(u32 *)own.name ^ 0x300);
	many("code_guard", guard_call, guarded);
	struct aril_code_desc desc = code_desc(first, ARIL_POINT_FAULT);
	race(&desc, sizeof(desc), 0, foreign);
	many("code_seal", seal_call, sealed);
	struct aril_code_attach a = {.code = fault.first,
				     .point = ARIL_POINT_FAULT,
				     .target = CORE_DOMAIN->env,
				     .space = core_auth,
				     .frames = core_auth};
	race(&a, sizeof(a), __builtin_offsetof(struct aril_code_attach, target), victim);
	many("code_attach", attach_call, attached);
	words[0] = MARK;
	struct aril_code_wait w = {.code = predicate.first,
				   .auth = core_auth,
				   .page = {mine, 0, 0},
				   .word = {0, ARIL_CODE_NO_WORD, ARIL_CODE_NO_WORD},
				   .deadline = 1};
	race(&w, sizeof(w), __builtin_offsetof(struct aril_code_wait, page), foreign);
	many("code_wait", wait_call, waited);
	race_end();
	return done();
}
