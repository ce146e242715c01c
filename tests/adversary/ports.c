/* SPDX-License-Identifier: MIT
 * The edges of the port bitmap: accesses of 1, 2 and 4 bytes over each end of ranges that share a byte of it, at its last
 * bytes and beyond port 0xffff; ranges that come, go and move to another env while this one runs on two CPUs, sleeps on one,
 * or yields. What is let through is what is granted at that moment, byte for byte. */
// root: yes
// smp: 2
// expect: ports: [0-9]+ accesses as granted
// expect: ports: [0-9]+ changes under another CPU, [1-9][0-9]* let through, [1-9][0-9]* not
// expect: ports: asleep on the other CPU while they went
// expect: ports: [0-9]+ warm yields, closed to who has none
// expect: ports: done
// forbid: ports: WRONG
#include "../native/member.h"
#include <aril/ops.h>

/* Nothing answers there. */
#define LOW 0x9000u
#define CHANGES 60u
#define YIELDS 60u

static u32 root;
static u32 moving; /* port that is given and taken while others look */

/* A refused access goes on where rcx says. */
static int on_exception(struct core_frame *f)
{
	if (f->save.vector != 13 || f->save.error)
		return 0;
	f->save.rip = f->rcx;
	return 1;
}

#define ACCESS(instruction)                                                       \
	__asm__ volatile("leaq 9f(%%rip), %%rcx\n\txorl %k0, %k0\n\t" instruction \
			 "\n\tmovl $1, %k0\n9:"                                   \
			 : "=&r"(through), "+D"(memory), "+S"(from)               \
			 : "d"(port), "a"(0)                                      \
			 : "rcx", "memory")

/* Whether the access is let through. kind: in, out, ins, outs. */
static u32 reach(u32 port, u32 bytes, u32 kind)
{
	u32 through, buffer = 0;
	void *memory = &buffer, *from = &buffer;

	switch (kind * 8 + bytes) {
	case 1:
		ACCESS("inb %%dx, %%al");
		break;
	case 2:
		ACCESS("inw %%dx, %%ax");
		break;
	case 4:
		ACCESS("inl %%dx, %%eax");
		break;
	case 9:
		ACCESS("outb %%al, %%dx");
		break;
	case 10:
		ACCESS("outw %%ax, %%dx");
		break;
	case 12:
		ACCESS("outl %%eax, %%dx");
		break;
	case 17:
		ACCESS("insb");
		break;
	case 18:
		ACCESS("insw");
		break;
	case 20:
		ACCESS("insl");
		break;
	case 25:
		ACCESS("outsb");
		break;
	case 26:
		ACCESS("outsw");
		break;
	default:
		ACCESS("outsl");
	}
	return through;
}

/* --- on the other CPU: the same env */

static volatile u32 changes, granted; /* odd: about to change */
static volatile u32 let, kept, late, asleep, look;

void core_secondary(u32 cpu)
{
	(void)cpu;
	for (;;) {
		u32 before = changes, is = granted;

		if (asleep) {
			asleep = 2;
			while (asleep == 2)
				core_sleep(3000000);
			look = reach(moving, 1, 0) + 1;
			continue;
		}
		if (!moving)
			continue;
		u32 through = reach(moving, 1, 0);
		if (before & 1 || before != changes)
			continue;
		late += through != is;
		let += through;
		kept += !through;
	}
}

static s64 grant(u32 first, u32 count)
{
	struct aril_grant_desc desc = {
		.kind = ARIL_GRANT_PORTS, .env = CORE_DOMAIN->env, .first = first, .count = count};

	desc.guard.len = CORE_DOMAIN->cap.len;
	desc.guard.rights = ARIL_ALL;
	desc.guard.generation = CORE_DOMAIN->cap.generation;
	memcpy(desc.guard.name, CORE_DOMAIN->cap.name, sizeof(desc.guard.name));
	return aril_grant_create(root, &desc);
}

/* --- against what is granted, byte for byte */

static u8 open[0x10004];
static u32 accesses;

static void mark(u32 first, u32 count, u8 value)
{
	memset(open + first, value, count);
}

static void compare(u32 from, u32 to)
{
	for (u32 port = from; port <= to && port <= 0xffff; port++)
		for (u32 bytes = 1; bytes <= 4; bytes *= 2)
			for (u32 kind = 0; kind < 4; kind++) {
				u32 may = 1;

				for (u32 i = 0; i < bytes; i++)
					may &= open[port + i];
				accesses++;
				if (reach(port, bytes, kind) != may)
					core_log("%s: WRONG port %x, %u bytes, kind %u: not %u",
						 NAME, port, bytes, kind, may);
			}
}

static void everywhere(void)
{
	compare(LOW - 5, LOW + 72);
	compare(LOW + 0x1000 - 5, LOW + 0x1000 + 5);
	compare(0xffe0, 0xffff);
}

static const struct {
	u32 first, count;
} range[8] = {
	{LOW, 1},      {LOW + 2, 1},  {LOW + 7, 2}, {LOW + 15, 18},
	{LOW + 33, 1}, {LOW + 40, 8}, {0xfff6, 3},  {0xffff, 1},
};

static void edges(void)
{
	s64 number[8];

	everywhere();
	for (u32 i = 0; i < 8; i++) {
		number[i] = grant(range[i].first, range[i].count);
		allowed("a range", number[i]);
		mark(range[i].first, range[i].count, 1);
		everywhere();
	}
	refused("a ninth range", grant(LOW + 60, 1), ARIL_E_QUOTA);
	refused("a port that is granted", grant(LOW + 14, 2), ARIL_E_STATE);
	refused("a port beyond the last", grant(0xffff, 2), ARIL_E_RANGE);
	refused("ports from beyond the last", grant(0x10000, 1), ARIL_E_RANGE);
	refused("ports around all", grant(~0u, 2), ARIL_E_RANGE);
	for (u32 i = 0; i < 8; i++) { /* every other one first: their neighbours stay */
		u32 n = i < 4 ? i * 2 : i * 2 - 7;

		allowed("giving back", aril_grant_destroy(core_auth, (u32)number[n]));
		mark(range[n].first, range[n].count, 0);
		everywhere();
	}
	s64 all = grant(LOW, 0x10000 - LOW);
	allowed("all to the end", all);
	mark(LOW, 0x10000 - LOW, 1);
	everywhere();
	allowed("giving back", aril_grant_destroy(core_auth, (u32)all));
	mark(LOW, 0x10000 - LOW, 0);
	everywhere();
	refused("port 0xcf8", grant(0xcf8, 1), ARIL_E_RIGHTS);
	refused("a range with port 0xcf9 in it", grant(0xcf0, 16), ARIL_E_RIGHTS);
	core_log("%s: %u accesses as granted", NAME, accesses);
}

/* --- while the other CPU is in this env */

static void changing(void)
{
	s64 number = -1;

	moving = LOW + 7;
	for (u32 n = 0; n < CHANGES; n++) {
		u32 seen = let + kept;
		u64 until = core_now() + 2000000000;

		changes++;
		if (n & 1)
			allowed("taking", aril_grant_destroy(core_auth, (u32)number));
		else
			allowed("giving", number = grant(moving - n % 3, 3));
		granted = !(n & 1);
		changes++;
		while (let + kept < seen + 3 && core_now() < until)
			core_sleep(20000);
	}
	if (late)
		wrong("late accesses, or early ones", late);
	core_log("%s: %u changes under another CPU, %u let through, %u not", NAME, CHANGES, let,
		 kept);
	/* and while it sleeps, with the ports still in its bitmap */
	allowed("giving", number = grant(moving, 1));
	for (u32 n = 0; n < 8; n++) {
		look = 0;
		asleep = 1;
		while (asleep != 2)
			core_sleep(100000);
		core_sleep(2000000);
		if (n & 1)
			allowed("giving", number = grant(moving, 1));
		else
			allowed("taking", aril_grant_destroy(core_auth, (u32)number));
		asleep = 0;
		while (!look)
			core_sleep(100000);
		if (look - 1 != (n & 1))
			wrong("an access after sleep", look);
	}
	core_log("%s: asleep on the other CPU while they went", NAME);
	allowed("taking", aril_grant_destroy(core_auth, (u32)number));
	moving = 0;
}

/* --- and who gets the CPU by a yield */

static volatile u32 member_through, turns;

static void member_run(void)
{
	member_begin();
	for (;;) {
		member_through = reach(LOW, 1, 0);
		turns++;
		core_yield(member_self()->auth, CORE_DOMAIN->env);
	}
}

static u32 member_turn(struct member *m)
{
	u32 before = turns;

	while (turns == before)
		core_yield(core_auth, m->env);
	return member_through;
}

static void yields(void)
{
	static struct member m;
	u32 cpu;

	core_async_off();
	cpu = core_context()->cpu;
	core_async_on();
	allowed("a member", member_make(&m, cpu, 0, member_run, 0));
	for (u32 n = 0; n < YIELDS; n++) /* warm, by the short way */
		if (member_turn(&m))
			wrong("a port before it was granted", n);
	s64 number = grant(LOW, 1);
	allowed("giving", number);
	for (u32 n = 0; n < YIELDS; n++) {
		if (!reach(LOW, 1, 0))
			wrong("our own port after a yield", n);
		if (member_turn(&m))
			wrong("a port of another env", n);
	}
	for (u32 n = 0; n < YIELDS; n++) {
		u32 ours = n & 1;

		allowed("moving", aril_grant_move(core_auth, (u32)number,
						  ours ? CORE_DOMAIN->env : m.env, 0));
		if (reach(LOW, 1, 0) != ours)
			wrong("a port that was moved, here", n);
		if (member_turn(&m) != !ours)
			wrong("a port that was moved, there", n);
		if (reach(LOW, 1, 0) != ours)
			wrong("a port that was moved, here again", n);
	}
	/* it goes with the env that had it */
	allowed("moving", aril_grant_move(core_auth, (u32)number, m.env, 0));
	allowed("ending it", member_end(&m));
	if (reach(LOW, 1, 0))
		wrong("a port whose env is gone", 1);
	refused("the grant of an env that is gone", aril_grant_destroy(core_auth, (u32)number),
		ARIL_E_RANGE);
	core_log("%s: %u warm yields, closed to who has none", NAME, YIELDS);
}

int main(int argc, char **argv, char **envp)
{
	(void)argc, (void)argv, (void)envp;
	core_handlers.exception = on_exception;
	root = (u32)aril_cap_open(&CORE_DOMAIN->root_cap);
	edges();
	changing();
	yields();
	return done();
}
