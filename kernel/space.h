/* SPDX-License-Identifier: MIT
 * Spaces: page tables that only the kernel writes, and the books behind each binding.
 *
 * A binding is a present leaf entry, or a table entry that names the table below. Its shadow word links it
 * into its frame's list, a ring: next in bits 0..31, previous in bits 32..63. From the head on, those under
 * guard[0] come first, those under guard[1] last: so each kind is broken from its end, without a search.
 * Device memory has no frame entry: all bindings of one grant of it are one list (see grant.h). */
#ifndef KERNEL_SPACE_H
#define KERNEL_SPACE_H

#include "frame.h"

#define PTE_P 0x1ul
#define PTE_W 0x2ul
#define PTE_U 0x4ul
#define PTE_PWT 0x8ul
#define PTE_PCD 0x10ul
#define PTE_A 0x20ul
#define PTE_D 0x40ul
#define PTE_PS 0x80ul
#define PTE_G 0x100ul
#define PTE_GUARD1 0x200ul
#define PTE_POOL 0x400ul /* in a level 2 table: names a table that a cache fills, without books */
#define PTE_MAY 0x800ul	 /* ARIL_BIND_MAY_WRITE: its guard grants WRITE */
#define PTE_KEY 0x7800000000000000ul
#define PTE_NX 0x8000000000000000ul
#define PTE_ADDR 0x000ffffffffff000ul
#define PTE_SOFT 0x03f0000000000000ul

/* How many protection keys bindings can have (aril_info.keys): the port sets it at boot. */
extern u32 space_keys;

/* Fills a new root's upper half: the kernel's entries and the self map. arch gives the entries. */
void space_kernel_half(u32 root);

/* Breaks bindings of frame made under guard `which` (0, 1) or all (-1), at most *budget of them, counting
 * them down. Returns 1 when none is left. Sets *stale when a translation was removed: the caller shoots
 * down before it returns to anyone. */
int space_break(u32 frame, int which, u32 *budget, int *stale);
/* All, and it is BREAKING from then on: or who still has the right would bind it as fast as it is unbound. 1 when done:
 * the caller makes it another frame, or ends its BREAKING. */
int space_break_all(u32 frame, u32 *budget, int *stale);
/* As space_break, for the bindings in the list that begins at *head. */
int space_break_list(const u32 *head, int which, u32 *budget, int *stale);
/* Empties a table or root: unbinds entries below (leaf or sub-table), bounded by *budget; 1 when done. */
int space_empty(u32 table, u32 *budget, int *stale);
/* Binds without checks, at boot: the tables on the way must exist. */
void space_bind_raw(u32 root, u64 va, u32 frame, u64 flags);
/* Puts an empty table (retyped already, with its shadow) in the way to va, without checks, at boot. */
void space_table_raw(u32 root, u64 va, u32 level, u32 table);
/* Takes the table of that level, which must be there, out of the way to va. The caller shoots down. */
void space_unlink(u32 root, u64 va, u32 level);
/* The address of the entry for va in the table of that level (1: leaf of pages), or NULL if a table is
 * missing on the way. So space_entry(root, va, n) != NULL says that the level n table is there. */
u64 *space_entry(u32 root, u64 va, u32 level);

/* For cache.c. Enters a binding (its entry is written by the caller) into its frame's list or takes it out; guard: the
 * one that opened the frame. */
void space_books(u32 id, u32 frame, int add, u32 guard);
/* Decoding: which guard of frame lets a bind it with these flags: 0, 1 or -E_FRAME, -E_RIGHTS, -E_STATE, -E_RANGE.
 * Device memory: 0 if the current env has a grant. */
s64 space_frame_decode(u32 frame, const struct auth *a, u32 flags);

/* Does a checked PROTECT of 4 KiB pages that lies in one table, if it only takes rights away (narrow.c): whether a
 * translation was narrowed, or -1: it is another, and nothing was done. *shared: a table on the way is elsewhere too. */
/* Whether the current env's index `auth` opens the space for changes: 0 or -E. Then this CPU's permit says so. */
s64 space_allowed(u32 auth, u32 space);
/* Whether a table on the way to va has another place too: then other spaces may have walked it. */
int space_path_shared(u32 root, u64 va);
/* What flags make of an entry, but for the frame. */
u64 space_entry_bits(u32 flags);
/* One op of one page, on a space that may be changed: -E, or the number of the guard that opened what was bound. */
s64 space_change(u32 space, const struct aril_space_op *op);
/* The entry code's, for the calls of those names: what a permit covers; the rest goes to call_table. */
s64 page_bind_short(u32 auth, u32 space, u64 va, u32 frame, u32 flags, u32 opener);
s64 page_unbind_short(u32 auth, u32 space, u64 va);
s64 call_page_bind(u32 auth, u32 space, u64 va, u32 frame, u32 flags, u32 opener);
s64 call_page_unbind(u32 auth, u32 space, u64 va);
/* page_bind for who has object_lock already: by this CPU's permit, or as the call. */
s64 space_bind_page(u32 auth, u32 space, u64 va, u32 frame, u32 flags, u32 opener);
/* aril_bind, from handlers: by this CPU's permit, where one of the same use was done so before; else code_bind. */
struct ext_run;
u64 page_bind_handler(u64 va, u64 frame, u64 flags, u64 d, u64 e, struct ext_run *run);
s64 call_page_protect(u32 auth, u32 space, u64 va, u32 flags);
int space_narrow(u32 root, const struct aril_space_op *op, u32 *shared);

s64 call_space_create(u32 auth, u32 root, u32 shadow);
s64 call_space_table(u32 auth, u32 space, u64 va, u32 level, u32 table, u32 shadow);
s64 call_space_link(u32 auth, u32 space, u64 va, u32 level, u32 table);
s64 call_space_unlink(u32 auth, u32 space, u64 va, u32 level);
s64 call_space_update(u32 auth, u32 space, const struct aril_space_op *ops, u64 n);

#endif
