/* SPDX-License-Identifier: MIT
 * The verifier's states: what is known when control is at a place.
 *
 * A *symbol* names one 64-bit value that does not change while the name is in use: what a load gave, the length of a
 * memory, how often a loop went round. What registers and stack slots hold is told as linear *forms* over symbols, exact
 * modulo 2^64; so copies stay tied to one another, and to learn about one is to learn about all.
 * A *fact* is a form whose value, computed over the integers with every symbol taken as unsigned, is <= 0. Facts speak of
 * symbols, so they stay true for as long as these mean the same.
 *
 * 1. A state covers a machine's state if some values of the symbols satisfy every num and fact, and every register and
 *    slot then is what the state says. Whatever is forgotten makes a state cover more.
 * 2. Symbols' ids ascend in sym[]; one that is not there may have any value (or what ver->base says of it).
 * 3. An entry of slot[] is 4 bytes of a frame; keys ascend; a frame's bytes without an entry are unset. */
#ifndef EXT_STATE_H
#define EXT_STATE_H

#include <btf.h>
#include <ext.h>
#include <num.h>

#define FORM_TERMS 4u
#define COEF_MOST (1l << 40)

struct form {
	u64 c;
	u32 terms;
	u32 sym[FORM_TERMS];  /* ascending */
	s64 coef[FORM_TERMS]; /* not 0, |coef| <= COEF_MOST */
};

#define VAL_RELEASED 1u /* which, of what is unset since its reference went back */
enum val_type {
	VAL_UNSET,
	VAL_MIXED, /* something else on each path */
	VAL_SCALAR,
	VAL_STACK,  /* which: frame; offset from its lowest byte */
	VAL_REGION, /* which: region */
	VAL_MAP,    /* which: region, as an argument */
	VAL_VALUE,  /* which: region, one of its values */
	VAL_MEMORY, /* bytes, plus the symbol len */
	VAL_OBJECT, /* which: in ver->object[] */
};

struct val {
	u8 type;
	u8 may_null;
	u8 readonly;
	u8 sealed; /* memory or object: the same throughout the run (given with the entry's arguments) */
	u32 which;
	u32 id;	 /* may_null or a reference: copies share it; else 0 */
	u32 len; /* VAL_MEMORY: a symbol, or 0 */
	u64 bytes;
	struct form form; /* a scalar's value, a pointer's offset */
};

#define BYTE_UNSET 0u
#define BYTE_MISC 1u
#define BYTE_ZERO 2u
enum slot_kind { SLOT_BYTES, SLOT_VAL4, SLOT_VAL8, SLOT_HALF /* the upper half of a SLOT_VAL8 */ };

#define FRAME_KEYS 160u
#define FRAME_UNITS (EXT_FRAME_BYTES / 4)
#define KEY_SAVED 128u /* ... + 0..3: r6..r9 while the frame's function waits for a callee */
#define SLOTS_MOST (EXT_FRAMES * 132u)
#define SYMS_MOST 1400u
#define FACTS_MOST 24u
#define REFS_MOST 4u

struct slot {
	u16 key; /* frame * FRAME_KEYS + byte / 4 */
	u8 kind;
	u8 bytes; /* SLOT_BYTES: two bits each */
	struct val val;
};

struct known {
	u32 sym;
	struct num num;
};

struct state {
	struct state *next;
	u32 slots, syms, facts, refs, depth;
	u32 room; /* size class of a kept state */
	u32 ref[REFS_MOST];
	u64 cost; /* most instructions since the scope's begin */
	struct val reg[EXT_REGS];
	struct slot *slot;
	struct known *sym;
	struct form *fact;
};

struct verify;

/* --- forms */
struct form form_const(u64 c);
struct form form_sym(u32 sym);
/* a + k * b; 0 when it has no room. */
int form_add(const struct form *a, const struct form *b, s64 k, struct form *out);
int form_equal(const struct form *a, const struct form *b);
/* The same but for the constant: then *difference = a - b. */
int form_parallel(const struct form *a, const struct form *b, u64 *difference);
s64 form_coef(const struct form *f, u32 sym);
/* The same over the integers, for facts: 0 also when the constant would leave +-FACT_MOST. */
#define FACT_MOST (1l << 61)
int fact_add(const struct form *a, const struct form *b, s64 k, struct form *out);
int fact_replace(const struct form *f, u32 sym, const struct form *by, struct form *out);
/* f = 2^bits * out. */
int form_shifted(const struct form *f, u32 bits, struct form *out);

/* --- symbols and facts of a state */
u32 state_fresh(struct verify *ver, struct state *s, const struct num *num);
struct num state_sym(const struct verify *ver, const struct state *s, u32 sym);
/* Narrows; 0 when nothing is left. */
int state_narrow(struct verify *ver, struct state *s, u32 sym, const struct num *num);
struct num state_num(struct verify *ver, const struct state *s, const struct form *f);
/* The form's value over the integers lies in [0, 2^63), so it is the machine's value. */
int state_exact(struct verify *ver, const struct state *s, const struct form *f);
/* ... in [0, 2^64): so it is the machine's value as an unsigned number. */
int state_whole(struct verify *ver, const struct state *s, const struct form *f);
/* f <= 0 follows. */
int state_proves(struct verify *ver, const struct state *s, const struct form *f);
/* f <= 0 holds from now on; 0 when that cannot be. */
int state_learn(struct verify *ver, struct state *s, const struct form *f);
/* The form's value is within num: 0 when that cannot be. May replace the form everywhere by a fresh symbol. */
int state_refine(struct verify *ver, struct state *s, const struct form *f, const struct num *num);
/* Gives the form's value a name of its own, in all that holds it. */
void state_rename(struct verify *ver, struct state *s, const struct form *f);
/* Forgets symbols that nothing speaks of. */
void state_sweep(struct verify *ver, struct state *s);

/* --- registers and stack */
struct val val_scalar(const struct form *f);
struct val val_unset(void);
static inline int val_is_pointer(const struct val *v)
{
	return v->type >= VAL_STACK;
}
static inline int val_is_set(const struct val *v)
{
	return v->type >= VAL_SCALAR;
}
int val_shape_equal(const struct val *a, const struct val *b);
struct slot *state_slot(const struct state *s, u32 key);
/* The slot, made with unset bytes if it is not there. */
struct slot *state_slot_make(struct state *s, u32 key);
void state_slot_drop(struct state *s, u32 key);
void state_drop_frame(struct state *s, u32 frame);
/* What the slot's byte 0..3 is: BYTE_..., or BYTE_POINTER */
#define BYTE_POINTER 3u
u32 slot_byte(const struct verify *ver, const struct state *s, const struct slot *slot, u32 byte);
/* Makes plain bytes of a slot (and of its other half). */
void state_slot_plain(struct verify *ver, struct state *s, u32 key);
/* All values with the id: not null any more (null 0), the constant 0 (null 1), or unset (null 2). */
void state_resolve(struct state *s, u32 id, int null);
int state_has_ref(const struct state *s, u32 id);
void state_drop_ref(struct state *s, u32 id);
/* every value that the state holds: f(context, value) */
void state_each(struct state *s, void (*f)(void *context, struct val *v), void *context);

/* --- keeping */
void state_copy(struct state *to, const struct state *from);
struct state *state_keep(struct verify *ver, const struct state *s);
void state_free(struct verify *ver, struct state *s);
struct state *state_new(struct verify *ver); /* with the most room */

/* --- joining */
/* live: registers that matter. */
int state_shape_equal(const struct state *a, const struct state *b, u32 live);
/* Why two states of one place cannot become one even with loss: 0 if they can. */
int state_refs_equal(const struct state *a, const struct state *b);
/* out = a joined with b: what differs in type becomes VAL_MIXED. */
void state_join(struct verify *ver, struct state *out, const struct state *a, const struct state *b,
		u32 live);
/* Adds a copy of s to a list of states of one place. 0, or -1 after a refusal. */
int state_merge(struct verify *ver, struct state **list, const struct state *s, u32 live, u32 insn);

#endif
