// SPDX-License-Identifier: MIT
// Sealed code under attack: sealing without the right to, of frames that are not the loader's or are in use, changing or
// reading what is sealed by every other use of frames, attaching without rights, code of one loader in another's hands.
// root: yes
// smp: 2
// expect: code_foreign: refused sealing
// expect: code_foreign: refused who may seal
// expect: code_foreign: sealed in use: 5 refused
// expect: code_foreign: other uses: 31 refused
// expect: code_foreign: attaching: 9 refused
// expect: code_foreign: guards: 11 refused
// expect: code_foreign: another loader's: 9 refused
// expect: code_foreign: done
// forbid: code_foreign: WRONG
#include "../native/code.h"

#define VA 0x512000000000ul

BLOB(blob, "xorl %eax, %eax\n\tret");
BLOB(yes, "movl $1, %eax\n\tret");

static u32 counted;

static void no(const char *what, s64 result, int error)
{
	counted += (u32)turned_down(what, result, error);
}

static void count(const char *what)
{
	core_log("code_foreign: %s: %u refused", what, counted);
	counted = 0;
}

static s64 bind(u32 auth, u32 frame, u32 flags)
{
	struct aril_space_op op = {.va = VA,
				   .frame = frame,
				   .count = 1,
				   .kind = ARIL_BIND,
				   .flags = (u16)flags,
				   .auth = auth};

	return aril_space_update(core_auth, CORE_DOMAIN->space, &op, 1);
}

static s64 unbind(void)
{
	return core_unmap(&core_self, VA, 1);
}

/* Before anybody is allowed to: only root may. */
static void sealing(void)
{
	u32 first = code_frames(blob, blob_end);
	struct aril_code_desc d = code_desc(first, ARIL_POINT_FAULT);
	struct aril_guard own = code_guard_of(ARIL_ALL);

	refused("sealing without the right to", aril_code_seal(core_auth, &d), ARIL_E_RIGHTS);
	refused("who may seal", aril_code_guard(core_auth, &own), ARIL_E_RIGHTS);
	refused("sealing by nothing", aril_code_seal(12345, &d), ARIL_E_CAP);
	/* the right to seal is not a right to frames, and none to give them to others */
	allowed("letting us", aril_code_guard(code_root, &own));
	for (u32 f = 1; f < ARIL_INFO->nframes; f++) /* the neighbour's */
		if (frame_info(f)->state == ARIL_FRAME_NORMAL && frame_info(f)->guard[0].len &&
		    frame_info(f)->guard[0].name[1] != CORE_DOMAIN->cap.name[1]) {
			d.first = f;
			break;
		}
	refused("sealing the neighbour's memory", aril_code_seal(core_auth, &d), 0);
	d.first = first;
	d.guard[0].name[1] ^= 1;
	refused("sealing for another", aril_code_seal(core_auth, &d), ARIL_E_RIGHTS);
	d.account = ARIL_ACCOUNT_ROOT;
	d.guard[0] = own;
	refused("sealing at another's cost", aril_code_seal(core_auth, &d), ARIL_E_RIGHTS);
}

static void in_use(void)
{
	u32 cpu = core_context()->cpu;

	for (u32 i = 0; i < 3; i++) {
		u32 first = code_frames(blob, blob_end);
		struct aril_code_desc d = code_desc(first, ARIL_POINT_FAULT);

		allowed("binding", bind(core_auth, first + i, i ? ARIL_BIND_WRITE : 0));
		no("sealing what is bound", aril_code_seal(core_auth, &d), ARIL_E_STATE);
		unbind();
		if (i == 1) {
			struct child c = {0};

			child_make(&c, 0, 0);
			aril_env_context(core_auth, c.env, cpu, 0, 0);
			allowed("pinning", aril_env_context(core_auth, c.env, cpu, first + 2, VA));
			no("sealing what is pinned", aril_code_seal(core_auth, &d), ARIL_E_STATE);
			aril_frame_reset(core_auth, c.frame);
		}
		allowed("sealing", aril_code_seal(core_auth, &d));
		if (i == 2)
			no("sealing twice", aril_code_seal(core_auth, &d), ARIL_E_STATE);
		allowed("taking back", aril_frame_reset(core_auth, first + i));
	}
	count("sealed in use");
}

/* Every other use of a frame: none gives a way to write, run or read instructions. */
static void other_uses(const struct code *c)
{
	u32 spare = core_pool_take(&core_pool, 1), cpu = core_context()->cpu;
	struct aril_region_field field = {.bytes = 8, .guard = code_guard_of(ARIL_ALL)};
	struct aril_env_desc desc = {.space = CORE_DOMAIN->space, .entry = (u64)other_uses};

	for (u32 i = 0; i < 3; i++) {
		u32 f = c->first + i;
		struct aril_frame_op op = {.first = f, .count = 1, .kind = ARIL_FRAME_TAG};

		no("running it", bind(code_root, f, ARIL_BIND_EXEC), ARIL_E_STATE);
		if (i < 2)
			no("writing it", bind(code_root, f, ARIL_BIND_WRITE), ARIL_E_STATE);
		if (i == 1)
			no("reading it", bind(code_root, f, 0), ARIL_E_STATE);
		no("a space of it", aril_space_create(code_root, f, spare), ARIL_E_STATE);
		no("a shadow of it", aril_space_create(code_root, spare, f), ARIL_E_STATE);
		no("an env of it", aril_env_create(code_root, f, &desc), ARIL_E_STATE);
		no("a region of it", aril_region_create(code_root, f, spare, &field, 1),
		   ARIL_E_STATE);
		no("a context of it", aril_env_context(code_root, CORE_DOMAIN->env, cpu ^ 1, f, VA),
		   ARIL_E_STATE);
		no("its tag", aril_frame_update(code_root, &op, 1), ARIL_E_STATE);
		op.kind = ARIL_FRAME_GUARD;
		op.guard = code_guard_of(ARIL_ALL & ~ARIL_EXEC);
		no("its guard", aril_frame_update(code_root, &op, 1), ARIL_E_STATE);
		no("a wait on it", core_wait(code_root, f, 0, 1, 1),
		   i == 2 ? ARIL_E_VALUE : ARIL_E_STATE);
		if (i == 2)
			no("a cache's table of it",
			   aril_space_table(code_root, CORE_DOMAIN->space, VA + (1ul << 39), 3, f,
					    spare),
			   ARIL_E_STATE);
	}
	count("other uses");
}

static void attaching(const struct code *c)
{
	struct aril_code_attach a = {.code = c->first,
				     .point = ARIL_POINT_FAULT,
				     .target = victim_env(),
				     .space = core_auth,
				     .frames = core_auth};
	struct aril_code_wait w = {.code = c->first,
				   .auth = core_auth,
				   .page = {c->first + 2, 0, 0},
				   .word = {0, ARIL_CODE_NO_WORD, ARIL_CODE_NO_WORD}};

	no("a handler for the neighbour", aril_code_attach(core_auth, &a), ARIL_E_RIGHTS);
	no("none for the neighbour", aril_code_detach(core_auth, ARIL_POINT_FAULT, a.target, 0),
	   ARIL_E_RIGHTS);
	a.point = ARIL_POINT_VICTIM;
	a.target = ARIL_ACCOUNT_ROOT;
	no("choosing root's frames", aril_code_attach(core_auth, &a), ARIL_E_RIGHTS);
	a.target = CORE_DOMAIN->account;
	no("a handler of faults that chooses", aril_code_attach(core_auth, &a), ARIL_E_RANGE);
	a.point = ARIL_POINT_FAULT;
	a.target = CORE_DOMAIN->env;
	a.code = c->first + 1;
	no("instructions as code", aril_code_attach(core_auth, &a), ARIL_E_STATE);
	a.code = c->first + 2;
	no("data as code", aril_code_attach(core_auth, &a), ARIL_E_STATE);
	a.code = ~0u;
	no("no frame as code", aril_code_attach(core_auth, &a), ARIL_E_FRAME);
	a.code = CORE_DOMAIN->env_frame;
	no("an env as code", aril_code_attach(core_auth, &a), ARIL_E_STATE);
	no("a wait by a handler", core_code_wait(&w), ARIL_E_RANGE);
	count("attaching");
}

/* Handlers behind guards: code that is none, or not ours, or at no such order; a guard that its owner takes away. */
static void guards(const struct code *c)
{
	struct aril_code_attach a = {.code = c->first,
				     .point = ARIL_POINT_FAULT,
				     .target = CORE_DOMAIN->env,
				     .space = core_auth,
				     .frames = core_auth};
	struct aril_code_desc d;
	struct aril_cap cap;
	struct code guard;
	u8 one = 1;

	a.guard = c->first;
	no("a handler as a guard", aril_code_attach(core_auth, &a), ARIL_E_RANGE);
	a.guard = c->first + 1;
	no("instructions as a guard", aril_code_attach(core_auth, &a), ARIL_E_STATE);
	a.guard = CORE_DOMAIN->env_frame;
	no("an env as a guard", aril_code_attach(core_auth, &a), ARIL_E_STATE);
	a.guard = ~0u;
	no("no frame as a guard", aril_code_attach(core_auth, &a), ARIL_E_FRAME);
	allowed("sealing", code_make(&guard, ARIL_POINT_PREDICATE, yes, yes_end));
	a.guard = guard.first;
	no("a predicate as a guard", aril_code_attach(core_auth, &a), ARIL_E_RANGE);
	a.code = guard.first;
	no("a predicate as a handler", aril_code_attach(core_auth, &a), ARIL_E_RANGE);
	/* another's, who lets nobody run it */
	aril_cap_derive(&CORE_DOMAIN->cap, &one, 1, ARIL_ALL, ~0ul, &cap);
	u32 theirs = (u32)aril_cap_open(&cap);
	guard = (struct code){.first = code_frames(yes, yes_end)};
	d = code_desc(guard.first, ARIL_POINT_GUARD);
	d.worst = 100;
	d.guard[0] = code_guard_of(ARIL_ALL & ~ARIL_EXEC);
	d.guard[1] = code_guard_of(ARIL_EXEC);
	d.guard[1].name[d.guard[1].len++] = 7; /* for a third one */
	allowed("sealing for another", aril_code_seal(core_auth, &d));
	a.code = c->first;
	a.guard = guard.first;
	no("another's guard", aril_code_attach(theirs, &a), ARIL_E_RIGHTS);
	a.code = guard.first;
	a.guard = 0;
	no("a guard as a handler", aril_code_attach(core_auth, &a), 0);
	allowed("taking back", aril_frame_reset(core_auth, guard.first));
	/* orders there are, and no others */
	a.code = c->first;
	for (a.order = 0; a.order < ARIL_CODE_ENTRIES; a.order++)
		allowed("attaching", aril_code_attach(core_auth, &a));
	expect("uses", ARIL_CODE_ENTRIES, env_info(CORE_DOMAIN->env)->faults == 0xff ? 8 : 0);
	no("one too many", aril_code_attach(core_auth, &a), ARIL_E_RANGE);
	a.order = ~0u;
	no("an order that is none", aril_code_attach(core_auth, &a), ARIL_E_RANGE);
	no("an end of none", aril_code_detach(core_auth, ARIL_POINT_FAULT, a.target, 8),
	   ARIL_E_RANGE);
	for (u32 i = 1; i < ARIL_CODE_ENTRIES; i++)
		allowed("detaching",
			aril_code_detach(core_auth, ARIL_POINT_FAULT, CORE_DOMAIN->env, i));
	/* a guard's owner takes it back: what was to run behind it does not run without */
	allowed("sealing", code_make(&guard, ARIL_POINT_GUARD, yes, yes_end));
	a.order = 0;
	a.guard = guard.first;
	allowed("attaching", aril_code_attach(core_auth, &a));
	expect("attached", c->first, env_info(CORE_DOMAIN->env)->fault);
	allowed("taking back", aril_frame_reset(core_auth, guard.first + 1));
	expect("attached", 0, env_info(CORE_DOMAIN->env)->fault);
	count("guards");
}

/* A loader beside us: it may do with our code what its guard says, which is nothing, or to run it. */
static void another(void)
{
	struct aril_cap cap;
	u8 one = 1, two = 2;
	struct code c;
	struct aril_code_desc d;

	aril_cap_derive(&CORE_DOMAIN->cap, &one, 1, ARIL_ALL, ~0ul, &cap);
	u32 theirs = (u32)aril_cap_open(&cap);
	aril_cap_derive(&CORE_DOMAIN->cap, &two, 1, ARIL_ALL, ~0ul, &cap);
	u32 other = (u32)aril_cap_open(&cap);
	c = (struct code){.first = code_frames(blob, blob_end)};
	d = code_desc(c.first, ARIL_POINT_FAULT);
	d.guard[0].name[d.guard[0].len++] = one;
	d.guard[1] = d.guard[0];
	d.guard[1].name[d.guard[1].len - 1] = two;
	d.guard[1].rights = ARIL_EXEC;
	allowed("sealing for one", aril_code_seal(core_auth, &d));
	for (u32 i = 0; i < 3; i++) {
		no("reading another's", bind(other, c.first + i, 0), 0);
		no("taking another's", aril_frame_reset(other, c.first + i), ARIL_E_RIGHTS);
		no("freeing another's", aril_frame_free(other, c.first + i, 1), ARIL_E_RIGHTS);
	}
	allowed("reading one's own data", bind(theirs, c.first + 2, ARIL_BIND_WRITE));
	count("another loader's");
	allowed("taking back", aril_frame_reset(theirs, c.first));
}

int main(int argc, char **argv, char **envp)
{
	struct code c;

	(void)argc, (void)argv, (void)envp;
	code_root = (u32)aril_cap_open(&CORE_DOMAIN->root_cap);
	core_add_tables(&core_self, VA);
	sealing();
	in_use();
	allowed("sealing", code_make(&c, ARIL_POINT_FAULT, blob, blob_end));
	core_unmap(&core_self, (u64)c.book, 2);
	other_uses(&c);
	attaching(&c);
	guards(&c);
	another();
	allowed("taking back", aril_frame_free(core_auth, c.first, 1));
	return done();
}
