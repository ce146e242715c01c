/* SPDX-License-Identifier: MIT
 * Loads, stores, atomic operations, and LDDW. */
#include <jit.h>

/* --- loads and stores */
static struct mem address(struct jit *j, u32 reg, s32 off)
{
	struct value v = value_address(j, reg, off);

	return value_mem(&v);
}

static void load(struct jit *j, const struct ext_insn *i)
{
	u32 dst = ext_dst(i), to = machine(dst);
	struct value v;
	struct mem m;

	value_free(j, dst, j->next);
	v = value_address(j, ext_src(i), i->off);
	m = value_mem(&v);

	v.bytes = (u8)ext_bytes(i->code);
	if (EXT_MODE(i->code) == EXT_MEM) { /* it waits */
		v.rip = v.kind == ADDRESS;
		v.kind = LOAD;
		value_set(j, dst, &v);
		return;
	}
	value_define(j, dst);
	emit_rm(j, 1, v.bytes == 1 ? 0x1be : v.bytes == 2 ? 0x1bf : 0x63, to, &m);
}

static void store_imm(struct jit *j, const struct mem *m, u32 bytes, s32 imm)
{
	emit_mem(j, bytes == 2 ? 0x66 : 0, bytes == 8, bytes == 1 ? 0xc6 : 0xc7, 0, m, 0,
		 bytes < 4 ? bytes : 4);
	if (bytes >= 4)
		emit_word(j, (u32)imm);
	else
		for (u32 n = 0; n < bytes; n++)
			emit_byte(j, (u32)imm >> 8 * n);
}

static void store(struct jit *j, const struct ext_insn *i)
{
	u32 bytes = ext_bytes(i->code), from;
	s32 imm = i->imm;
	struct mem m;
	int known;

	value_loads(j);
	if (EXT_CLASS(i->code) == EXT_ST || value_is_imm(j, ext_src(i), bytes == 8, &imm)) {
		m = address(j, ext_dst(i), i->off);
		known = j->flags_at == j->at;
		store_imm(j, &m, bytes, imm);
		if (known) /* stores leave the flags alone */
			j->flags_at = j->at;
		return;
	}
	/* to read the one may put it into its place, over what the other refers to: only then is the other's place known */
	value_read(j, ext_src(i), bytes == 8);
	m = address(j, ext_dst(i), i->off);
	from = value_read(j, ext_src(i), bytes == 8);
	known = j->flags_at == j->at;
	emit_mem(j, bytes == 2 ? 0x66 : 0, bytes == 8, bytes == 1 ? 0x88 : 0x89, from, &m,
		 bytes == 1, 0);
	if (known)
		j->flags_at = j->at;
}

/* --- load, operation, store of the same place, and the register is not needed: one instruction */
static int is_plain(const struct jit *j, u32 pc)
{
	return !(j->mark[pc] & MARK_TARGET) && (!j->fact || j->fact[pc].flags == EXT_FACT_LIVE);
}

static int is_modify(const struct jit *j, const struct ext_insn *i)
{
	u32 op = EXT_OP(i[1].code), class = EXT_CLASS(i[1].code), dst = ext_dst(i);

	if (j->pc + 2 >= j->p->insns || !is_plain(j, j->pc + 1) || !is_plain(j, j->pc + 2))
		return 0;
	if (class != EXT_ALU64 && (class != EXT_ALU || ext_bytes(i->code) == 8))
		return 0;
	if (op != EXT_ADD && op != EXT_SUB && op != EXT_OR && op != EXT_AND && op != EXT_XOR)
		return 0;
	if (i[1].off || ext_dst(&i[1]) != dst || (i[1].code & EXT_X && ext_src(&i[1]) == dst))
		return 0;
	if (i[2].code != (EXT_STX | EXT_MEM | EXT_SIZE(i->code)) || i[2].off != i->off)
		return 0;
	return ext_dst(&i[2]) == ext_src(i) && ext_src(&i[2]) == dst && ext_src(i) != dst &&
	       !(j->live[j->pc + 3] >> dst & 1);
}

static void modify(struct jit *j, const struct ext_insn *i)
{
	u32 bytes = ext_bytes(i->code), group = jit_group(EXT_OP(i[1].code)), src = ext_src(&i[1]);
	u32 prefix = bytes == 2 ? 0x66 : 0, from;
	s32 imm = i[1].imm;
	struct mem m;

	j->next = j->live[j->pc + 3];
	value_loads(j);
	if (!(i[1].code & EXT_X) || value_is_imm(j, src, bytes == 8, &imm)) {
		u32 size = imm == (s8)imm || bytes == 1 ? 1 : bytes == 2 ? 2 : 4;

		m = address(j, ext_src(i), i->off);
		emit_mem(j, prefix, bytes == 8,
			 bytes == 1  ? 0x80
			 : size == 1 ? 0x83
				     : 0x81,
			 group, &m, 0, size);
		for (u32 n = 0; n < size; n++)
			emit_byte(j, (u32)imm >> 8 * n);
		return;
	}
	value_read(j, src, bytes == 8); /* twice: as in store() */
	m = address(j, ext_src(i), i->off);
	from = value_read(j, src, bytes == 8);
	emit_mem(j, prefix, bytes == 8, group * 8 + (bytes > 1), from, &m, bytes == 1, 0);
}

/* --- atomic operations; x86's locked instructions are sequentially consistent */
static void locked(struct jit *j, int wide, u32 opcode, u32 reg, const struct mem *m)
{
	emit_mem(j, 0xf0, wide, opcode, reg, m, 0, 0);
}

/* There is no fetch-and-or: compare and swap until nobody came between. RAX is kept in RCX meanwhile. */
static void fetch_loop(struct jit *j, int wide, u32 opcode, u32 base, u32 src, s32 off)
{
	u32 value = src == RAX ? RCX : src;
	struct mem m = {(u8)(base == RAX ? RCX : base), NONE, 0, 0, off};
	u64 again;

	emit_move(j, 1, RCX, RAX);
	emit_rm(j, wide, 0x8b, RAX, &m);
	again = j->at;
	emit_move(j, wide, R11, RAX);
	emit_rr(j, wide, opcode, value, R11);
	locked(j, wide, 0x1b1, R11, &m);
	emit_byte(j, 0x70 | CC_NE);
	emit_byte(j, (u32)(again - (j->at + 1)));
	if (src == RAX)
		return;
	emit_move(j, wide, src, RAX);
	emit_move(j, 1, RAX, RCX);
}

static void atomic(struct jit *j, const struct ext_insn *i)
{
	int wide = EXT_SIZE(i->code) == EXT_DW;
	u32 base, src;
	struct mem m;

	value_flush(j, j->in | j->next);
	base = machine(ext_dst(i));
	src = machine(ext_src(i));
	m = (struct mem){(u8)base, NONE, 0, 0, i->off};
	if (ext_bytes(i->code) < 4)
		jit_refuse(j, EXT_WHY_CODE, "no such atomic operation");
	switch (i->imm) {
	case EXT_ADD:
		locked(j, wide, 0x01, src, &m);
		return;
	case EXT_OR:
		locked(j, wide, 0x09, src, &m);
		return;
	case EXT_AND:
		locked(j, wide, 0x21, src, &m);
		return;
	case EXT_XOR:
		locked(j, wide, 0x31, src, &m);
		return;
	case EXT_ADD | EXT_FETCH:
		locked(j, wide, 0x1c1, src, &m);
		return;
	case EXT_OR | EXT_FETCH:
		fetch_loop(j, wide, 0x09, base, src, i->off);
		return;
	case EXT_AND | EXT_FETCH:
		fetch_loop(j, wide, 0x21, base, src, i->off);
		return;
	case EXT_XOR | EXT_FETCH:
		fetch_loop(j, wide, 0x31, base, src, i->off);
		return;
	case EXT_XCHG:
		emit_rm(j, wide, 0x87, src, &m);
		return;
	case EXT_CMPXCHG:
		locked(j, wide, 0x1b1, src, &m);
		if (!wide) /* where they were equal, RAX was not written */
			emit_move(j, 0, RAX, RAX);
		return;
	}
	jit_refuse(j, EXT_WHY_CODE, "no such atomic operation");
}

/* --- LDDW */
static u32 wide_const(struct jit *j, const struct ext_insn *i)
{
	struct value v = {.kind = CONST, .base = NONE, .index = NONE};
	u32 low = (u32)i->imm;

	if (i->code != EXT_LDDW || j->pc + 1 >= j->p->insns || ext_src(i) > EXT_LD_MAP) {
		jit_refuse(j, EXT_WHY_CODE, "no such instruction");
		return 1;
	}
	if (ext_src(i) == 0) {
		v.number = (s64)((u64)low | (u64)(u32)i[1].imm << 32);
	} else if (low >= j->p->regions) {
		jit_refuse(j, EXT_WHY_CODE, "no such region");
	} else {
		v.kind = ADDRESS;
		v.number = ext_src(i) == EXT_LD_MAP ? (s64)low * 64
						    : (s64)j->p->region[low].offset + i[1].imm;
	}
	value_set(j, ext_dst(i), &v);
	return 2;
}

u32 jit_memory(struct jit *j, const struct ext_insn *i)
{
	u32 mode = EXT_MODE(i->code), class = EXT_CLASS(i->code);

	if (class == EXT_LD)
		return wide_const(j, i);
	if (class == EXT_LDX && mode == EXT_MEM && is_modify(j, i)) {
		modify(j, i);
		return 3;
	}
	if (class == EXT_LDX && (mode == EXT_MEM || (mode == EXT_MEMSX && ext_bytes(i->code) < 8)))
		load(j, i);
	else if (class == EXT_STX && mode == EXT_ATOMIC)
		atomic(j, i);
	else if (class != EXT_LDX && mode == EXT_MEM)
		store(j, i);
	else
		jit_refuse(j, EXT_WHY_CODE, "no such instruction");
	return 1;
}
