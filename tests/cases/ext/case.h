/* SPDX-License-Identifier: MIT
 * The interface that case files are linked against: one function for each sort of contract. */
#define ARIL_POINTS_H /* the macros alone: nothing of Aril's own points */
#include <aril/extension.h>

struct inner {
	u32 first, second;
};
struct object {
	u64 number;
	u32 writable ARIL_EXT_WRITE;
	u32 small;
	s32 negative;
	u32 low : 4, high : 28;
	struct inner inner;
	u32 array[4];
	u32 length;
	const void *data ARIL_EXT_SIZE_IN(length);
	u32 room;
	void *buffer ARIL_EXT_SIZE_IN(room);
	struct inner *other;
	struct inner *maybe ARIL_EXT_NULLABLE;
	void *wild;
	u32 changing ARIL_EXT_WRITE;
	void *unstable ARIL_EXT_SIZE_IN(changing);
	double real;
};
struct chain {
	struct chain *next;
};
struct lock {
	u64 word;
	struct inner *owner;
};

ARIL_EXT_POINT(u64, memory, (const u8 *data ARIL_EXT_SIZE(2), u64 size),
	       ARIL_EXT_CLASS(pure) ARIL_EXT_WORST(100000000))
ARIL_EXT_POINT(u64, writable, (u8 * data ARIL_EXT_SIZE(2), u64 size),
	       ARIL_EXT_CLASS(handler) ARIL_EXT_BUDGET(1000000))
ARIL_EXT_POINT(u64, object, (struct object * o), ARIL_EXT_CLASS(handler) ARIL_EXT_BUDGET(1000000))
ARIL_EXT_POINT(u64, number, (u64 n, u64 small ARIL_EXT_RANGE(0, 15)),
	       ARIL_EXT_CLASS(handler) ARIL_EXT_BUDGET(100000))
ARIL_EXT_POINT(u64, pure, (u64 n, u64 m), ARIL_EXT_CLASS(pure) ARIL_EXT_WORST(1000))
ARIL_EXT_POINT(u64, choice, (u64 n),
	       ARIL_EXT_CLASS(pure) ARIL_EXT_WORST(1000) ARIL_EXT_RETURNS(0, 1))
ARIL_EXT_POINT(u64, maybe, (const u8 *data ARIL_EXT_BYTES(16) ARIL_EXT_NULLABLE),
	       ARIL_EXT_CLASS(handler) ARIL_EXT_BUDGET(1000))
ARIL_EXT_POINT(u64, little, (u64 n), ARIL_EXT_CLASS(handler) ARIL_EXT_BUDGET(20))

ARIL_EXT_POINT(u64, constant, (const struct object *o ARIL_EXT_CONST),
	       ARIL_EXT_CLASS(handler) ARIL_EXT_BUDGET(1000))
ARIL_EXT_POINT(u64, perhaps_object, (struct object * o ARIL_EXT_NULLABLE),
	       ARIL_EXT_CLASS(handler) ARIL_EXT_BUDGET(1000))
ARIL_EXT_POINT(u64, chain, (struct chain * o), ARIL_EXT_CLASS(handler) ARIL_EXT_BUDGET(1000))
ARIL_EXT_POINT(u64, pure_object, (struct object * o), ARIL_EXT_CLASS(pure) ARIL_EXT_WORST(1000))

ARIL_EXT_FUNCTION(u64, now, (void), ARIL_EXT_SLOT(0) ARIL_EXT_COST(10) ARIL_EXT_PURE)
ARIL_EXT_FUNCTION(u64, digest, (const void *data ARIL_EXT_SIZE(2), u64 size ARIL_EXT_RANGE(1, 64)),
		  ARIL_EXT_SLOT(1) ARIL_EXT_COST(20) ARIL_EXT_PURE)
ARIL_EXT_FUNCTION(u64, fill, (void *data ARIL_EXT_SIZE(2), u64 size),
		  ARIL_EXT_SLOT(2) ARIL_EXT_COST(20))
ARIL_EXT_FUNCTION(struct lock *, lock, (void), ARIL_EXT_SLOT(3) ARIL_EXT_COST(5) ARIL_EXT_ACQUIRE)
ARIL_EXT_FUNCTION(struct lock *, try_lock, (void),
		  ARIL_EXT_SLOT(4) ARIL_EXT_COST(5) ARIL_EXT_ACQUIRE ARIL_EXT_NULLABLE)
ARIL_EXT_FUNCTION(void, unlock, (struct lock * l ARIL_EXT_RELEASE),
		  ARIL_EXT_SLOT(5) ARIL_EXT_COST(5))
ARIL_EXT_FUNCTION(void *, look_up, (const void *map ARIL_EXT_MAP_ARG, const void *key ARIL_EXT_KEY),
		  ARIL_EXT_SLOT(6) ARIL_EXT_COST(30) ARIL_EXT_NULLABLE)
ARIL_EXT_FUNCTION(u64, update,
		  (const void *map ARIL_EXT_MAP_ARG, const void *key ARIL_EXT_KEY,
		   const void *value ARIL_EXT_VALUE),
		  ARIL_EXT_SLOT(7) ARIL_EXT_COST(30))
ARIL_EXT_FUNCTION(u64, choose, (u64 n ARIL_EXT_RANGE(0, 7)),
		  ARIL_EXT_SLOT(8) ARIL_EXT_RETURNS(0, 7))
ARIL_EXT_FUNCTION(u64, signed_choose, (s64 n ARIL_EXT_RANGE(-4, 4)),
		  ARIL_EXT_SLOT(9) ARIL_EXT_RETURNS(-4, 4))
ARIL_EXT_FUNCTION(u64, look_at, (struct object * o), ARIL_EXT_SLOT(10))
ARIL_EXT_FUNCTION(u64, perhaps, (const void *data ARIL_EXT_BYTES(8) ARIL_EXT_NULLABLE),
		  ARIL_EXT_SLOT(11))
ARIL_EXT_FUNCTION(void *, reserve, (const void *map ARIL_EXT_MAP_ARG),
		  ARIL_EXT_SLOT(13) ARIL_EXT_ACQUIRE ARIL_EXT_NULLABLE)
ARIL_EXT_FUNCTION(void, submit, (void *record ARIL_EXT_VALUE ARIL_EXT_RELEASE), ARIL_EXT_SLOT(14))
ARIL_EXT_FUNCTION(void, nothing, (void), ARIL_EXT_SLOT(12))

/* A program in assembly, for what compilers do not emit: RAW(point, parameters, text). What it calls has a type in the
 * object if something in C calls it, too. */
#define RAW(point, parameters, text)                                                           \
	SEC(#point) __attribute__((naked)) u64 f parameters                                    \
	{                                                                                      \
		asm volatile(text);                                                            \
	}                                                                                      \
	SEC("uses") u64 calls_all(struct object *o, u64 n)                                     \
	{                                                                                      \
		struct lock *l = n ? lock() : try_lock();                                      \
                                                                                               \
		nothing();                                                                     \
		look_up(o, o);                                                                 \
		update(o, o, o);                                                               \
		fill(o, n);                                                                    \
		n += now() + digest(o, n) + choose(n) + look_at(o) + perhaps((const void *)o); \
		unlock(l);                                                                     \
		return n + signed_choose((s64)n);                                              \
	}
