# SPDX-License-Identifier: MIT
"""What the functions of ext/num*.c promise: joins, instructions, jumps."""
import lemma
from contract import ALL, Contract
from machine import *
from promises import COMPOSED, LOW_WIDTHS, WIDTHS, small, yes
from term import *

# --- several numbers
same_num = lambda a, b: conj(*[eq(p, q) for p, q in zip(a.cells, b.cells)])
either = lambda v, g, c, ex: [(disj(v.a.has(g.x), v.b.has(g.x)), v.out_.has(g.x))]
OUT = ('out', 'out num*')
Contract('num_hull', [OUT, ('a', 'num*'), ('b', 'num*')], either, writes=('out',), ghosts='x',
         hints=lambda g, c: {'num_bits_join': [(g.x,)]})
Contract('num_join', [OUT, ('a', 'num*'), ('b', 'num*')], either, writes=('out',), ghosts='x', title='join',
         hints=lambda g, c: {'num_hull': [(g.x,)], 'num_normal': [(g.x,)]})
Contract('num_meet', [('a', 'num*'), ('b', 'num*'), ('out', 'out num*')], writes=('out',), returns='i32', ghosts='x',
         title='meet',
         hints=lambda g, c: {'num_bits_meet': [(g.x,)], 'num_normal': [(g.x,)],
                             'num_range_meet': [(g.x, g.x), (low_of(g.x, 32), sign_of(g.x, 32))]},
         relation=lambda v, g, c, ex: [(conj(v.a.has(g.x), v.b.has(g.x)), conj(yes(v.ret), v.out_.has(g.x)))])
Contract('num_within', [('a', 'num*'), ('b', 'num*')], returns='i32', ghosts='x', title='within',
         relation=lambda v, g, c, ex: [(conj(v.a.has(g.x), yes(v.ret)), v.b.has(g.x))])
Contract('num_equal', [('a', 'num*'), ('b', 'num*')], returns='i32', ghosts='x', title='equal',
         hints=lambda g, c: {'num_within': [(g.x,)]},
         relation=lambda v, g, c, ex: [(yes(v.ret), eq(v.a.has(g.x), v.b.has(g.x)))])


def wider(w, hull):
    return conj(*[le(getattr(p, n), getattr(q, n)) for r in ('full', 'half')
                  for p, q, least, most, le in (
                      (getattr(w, r), getattr(hull, r), 'umin', 'umax', ule),
                      (getattr(w, r), getattr(hull, r), 'smin', 'smax', sle))
                  for p, q, n in ((p, q, least), (q, p, most))])


Contract('num_widen_step', [('w', 'num*'), ('hull', 'num*'), ('t', 'i64')], writes=('w',),
         relation=lambda v, g, c, ex: [(wider(v.w, v.hull), wider(v.w_, v.hull))])


class Widening:
    """w's ranges contain hull's."""

    def __call__(self, ex):
        self.ex = ex
        return self

    def objects(self, state):
        """hull and w: those that have cells of a number when the loop begins, in the order of the allocas."""
        from contract import Num
        return [(o, Num) for o in sorted(state.memory) if len(self.ex.layouts[o]) == 10 and o not in self.ex.arguments]

    def says(self, state):
        found = self.objects(state)
        hull, w = [cls([self.ex.load(state, (o, at), width // 8) for at, width in
                        zip((0, 8, 16, 24, 32, 40, 48, 52, 56, 60), cls.fields)]) for o, cls in found[:2]]
        return wider(w, hull)

    def changed(self, state):
        return [self.objects(state)[1][0]]

    def begins(self, state, phis):
        return self.says(state)

    def holds(self, state, phis):
        return self.says(state)

    def stays(self, state, phis):
        return self.says(state)


Contract('num_widen', [OUT, ('a', 'num*'), ('b', 'num*'), ('threshold', 'long*'), ('n', 'i32')], either, writes=('out',),
         ghosts='x', opaque=('threshold',), title='widen', loops=lambda g, c: {'num_widen': Widening()},
         hints=lambda g, c: {'num_hull': [(g.x,)], 'num_normal': [(g.x,)], 'num_widen_step': [()]})

# --- making them
Contract('num_any', [OUT], lambda v, g, c, ex: [(TRUE, v.out_.has(g.x))], writes=('out',), ghosts='x', title='any')
Contract('num_const', [OUT, ('x', 'i64')], lambda v, g, c, ex: [(TRUE, v.out_.has(v.x))], writes=('out',), title='const')
normal = lambda g, c: {'num_normal': [(g.x,)], 'num_unsigned': [(g.x,)]}
Contract('num_unsigned', [OUT, ('least', 'i64'), ('most', 'i64')], writes=('out',), ghosts='x', hints=normal,
         title='unsigned',
         relation=lambda v, g, c, ex: [(conj(ule(v.least, g.x), ule(g.x, v.most)), v.out_.has(g.x))])
Contract('num_signed', [OUT, ('least', 'i64'), ('most', 'i64')], writes=('out',), ghosts='x', hints=normal, title='signed',
         relation=lambda v, g, c, ex: [(conj(sle(v.least, g.x), sle(g.x, v.most)), v.out_.has(g.x))])
Contract('num_bytes', [OUT, ('bytes', 'i32')], writes=('out',), ghosts='x', hints=normal, title='bytes',
         cases=({'bytes': 1}, {'bytes': 2}, {'bytes': 4}, {'bytes': 8}),
         relation=lambda v, g, c, ex: [(small(g.x, c['bytes'] * 8), v.out_.has(g.x))])

# --- instructions
SHIFTS = ('lsh', 'rsh', 'arsh')


def arith(v, g, c, ex):
    w = c['w']
    z = alu(ex, c['op'], c.get('sign', 0), g.x, g.y, w)
    return [(conj(small(g.x, w), small(g.y, w), v.a.bits.has(g.x), v.a.range.has(g.x, w), v.a.range.formed(w),
                  v.b.bits.has(g.y), v.b.range.has(g.y, w), v.b.range.formed(w), v.range.has(z, w), v.range.formed(w)),
             conj(v.bits_.has(z, w), v.range_.has(z, w), v.range_.formed(w)))]


def shift_hints(g, c):
    k = band(g.y, number(c['w'] - 1))
    x = sign_of(g.x, c['w'])
    return {'num_bits_lsh': [(g.x, k)], 'num_bits_rsh': [(g.x, k)],
            'num_bits_sext': [(g.x,)], 'num_bits_arsh': [(x, k)],
            **{'num_range_' + n: [(g.x, k)] for n in SHIFTS}}


Contract('num_shift', [('op', 'i32'), ('a', 'operand*'), ('b', 'operand*'), ('w', 'i32'), ('bits', 'out bits*'),
                       ('range', 'range*')], arith, writes=('bits', 'range'), ghosts='xy', hints=shift_hints,
         inline=('num_bits_and',),
         cases=[{'op': OPS[n], 'w': w} for n in SHIFTS for w in (64, 32)],
         label=lambda c: f'{NAME[c["op"]]} w {c["w"]}')


def arith_hints(g, c):
    pairs = [(g.x, g.y)]
    if NAME[c['op']] == 'neg':
        pairs = [(number(0), g.x)]
    hints = {'num_shift': pairs}
    for n in ('add', 'sub', 'mul', 'and', 'or', 'xor', 'div', 'mod', 'sdiv', 'smod'):
        hints['num_bits_' + n] = hints['num_range_' + n] = pairs
    return hints


ARITH = [{'op': op, 'sign': sign, 'w': w} for op in OPS.values() for w in (64, 32) for sign in (0, 1)
         if not sign or NAME[op] in ('div', 'mod')]
form = lambda c: ('s' if c['sign'] else '') + NAME[c['op']]
Contract('num_arith', [('op', 'i32'), ('sign', 'i32'), ('a', 'operand*'), ('b', 'operand*'), ('w', 'i32'),
                       ('bits', 'out bits*'), ('range', 'range*')], arith, writes=('bits', 'range'), ghosts='xy',
         hints=arith_hints, cases=ARITH, label=lambda c: f'{form(c)} w {c["w"]}')
Contract('num_lsh_low', [('range', 'range*'), ('a', 'num*'), ('by', 'i32')], writes=('range',), ghosts='xk',
         hints=lambda g, c: {'num_range_lsh': {1: [(low_of(g.x, 32), g.k)], 2: [(sign_of(g.x, 32), g.k)]}},
         relation=lambda v, g, c, ex: [
             (conj(v.a.has(g.x), v.range.has(shl(g.x, g.k), 64), eq(g.k, zext(v.by, 64)), ule(number(32), g.k), ult(g.k, number(64))),
              v.range_.has(shl(g.x, g.k), 64))])
Contract('num_from', [OUT, ('bits', 'bits*'), ('range', 'range*'), ('w', 'i32'), ('sign', 'i32')], writes=('out',),
         ghosts='x', cases=[{'w': w, 'sign': s} for w in (64, 32, 16, 8) for s in (0, 1)],
         hints=lambda g, c: {'num_any': [(extend(g.x, c['w'], c['sign']),)], 'num_bits_sext': [(g.x,)],
                             'num_bits_zext': [(g.x,)], 'num_normal': [(extend(g.x, c['w'], c['sign']),)]},
         relation=lambda v, g, c, ex: [
             (conj(v.bits.has(g.x, c['w']), v.range.has(low_of(g.x, c['w']), c['w']), v.range.formed(c['w'])),
              v.out_.has(extend(g.x, c['w'], c['sign'])))])
Contract('num_extend', [OUT, ('a', 'num*'), ('w', 'i32'), ('sign', 'i32')], writes=('out',), ghosts='x',
         cases=[{'w': w, 'sign': s} for w in (64, 32, 16, 8) for s in (0, 1)],
         hints=lambda g, c: {'num_low': [(g.x,)], 'num_from': [(g.x,)]},
         relation=lambda v, g, c, ex: [(v.a.has(g.x), v.out_.has(extend(g.x, c['w'], c['sign'])))])
Contract('num_swap', [OUT, ('a', 'num*'), ('w', 'i32')], writes=('out',), ghosts='x',
         cases=({'w': 16}, {'w': 32}, {'w': 64}),
         hints=lambda g, c: {'num_bits_swap': [(g.x,)], 'num_from': [(swap(g.x, c['w']),)]},
         relation=lambda v, g, c, ex: [(v.a.has(g.x), v.out_.has(swap(g.x, c['w'])))])


def instruction(g, c, ex):
    """What the instruction gives for x and y."""
    code, off, full = c['code'], c['off'], c['code'] & 7 == ALU64
    op, w = code & 0xf0, 64 if c['code'] & 7 == ALU64 else 32
    if op == MOV:
        return low_of(sign_of(g.y, off) if off else g.y, w)
    if op == END:
        return low_of(g.x, c['b'][2]) if not full and not code & 8 else swap(g.x, c['b'][2])
    return alu(ex, op, off, low_of(g.x, w), low_of(g.y, w), w)


def alu_hints(g, c):
    op, full = c['code'] & 0xf0, c['code'] & 7 == ALU64
    low = (low_of(g.x, 32), low_of(g.y, 32))
    if op == MOV:
        return {'num_extend': {1: [(g.y,)], 2: [(sign_of(g.y, c['off'] or 64),)]}}
    if op == END:
        return {'num_extend': [(g.x,)], 'num_swap': [(g.x,)]}
    z = instruction(g, c, g.ex)
    return {'num_arith': {1: [(g.x, g.y) if full else low], 2: [low]}, 'num_bits_zext': {1: [(g.x,)], 2: [(g.y,)]}, 
            'num_lsh_low': [(g.x, band(g.y, number(63)))],
            'num_normal': [(z,)], 'num_from': [(z,)], 'num_any': [(z,)]}


CODES = []
for full in (1, 0):
    for name, op in OPS.items():
        for off in (0, 1) if name in ('div', 'mod') else (0,):
            CODES.append({'code': op | (ALU64 if full else ALU), 'off': off, 'title': ('s' if off else '') + name +
                          ('' if full else '32')})
    for off in (0, 8, 16, 32)[:4 if full else 3]:
        CODES.append({'code': MOV | (ALU64 if full else ALU), 'off': off, 'title': ('movsx' + str(off) if off else 'mov') +
                      ('' if full else '32')})
for kind, code in (('le', END | ALU), ('be', END | ALU | 8), ('bswap', END | ALU64)):
    for w in (16, 32, 64):
        CODES.append({'code': code, 'off': 0, 'b': {2: w, 3: w}, 'title': f'{kind}{w}'})
Contract('num_alu', [OUT, ('code', 'i8'), ('off', 'i16'), ('a', 'num*'), ('b', 'num*')], writes=('out',), ghosts='xy',
         cuts=('num_arith', 'num_normal', 'num_lsh_low', 'num_from', 'num_extend', 'num_swap', 'num_bits_zext'),
         cases=CODES, hints=alu_hints, label=lambda c: c['title'], title='',
         relation=lambda v, g, c, ex: [(conj(v.a.has(g.x), TRUE if 'b' in c else v.b.has(g.y)),
                                        v.out_.has(instruction(g, c, ex)))])

# --- jumps: u and s are the number of a side as it is compared without and with sign; t and r those of the other
side = lambda s, u, sign: conj(s.bits.has(u), s.range.has_both(u, sign))


def sides_have(v, g, c, says):
    return conj(side(v.a, g.u, g.s), side(v.b, g.t, g.r), says(g, c))


def sides(name, says, more=()):
    Contract('num_side_' + name, [('a', 'side*'), ('b', 'side*')] + list(more), writes=('a', 'b'), returns='i32',
             ghosts='ustr', cases=({'strict': 0}, {'strict': 1}) if more else ({},),
             hints=lambda g, c: {'num_bits_meet': [(g.u,)], 'num_range_meet': [(g.u, g.s)]},
             relation=lambda v, g, c, ex: [
                 (sides_have(v, g, c, says), conj(yes(v.ret), side(v.a_, g.u, g.s), side(v.b_, g.t, g.r))),
                 # Numbers of 32 bits remain so.
                 (conj(sides_have(v, g, c, says), v.a.range.formed(32), v.b.range.formed(32)),
                  conj(v.a_.range.formed(32), v.b_.range.formed(32)))])


sides('equal', lambda g, c: conj(eq(g.u, g.t), eq(g.s, g.r)))
sides('differ', lambda g, c: conj(ne(g.u, g.t), ne(g.s, g.r)))
sides('below', lambda g, c: ult(g.u, g.t) if c['strict'] else ule(g.u, g.t), [('strict', 'i64')])
sides('less', lambda g, c: slt(g.s, g.r) if c['strict'] else sle(g.s, g.r), [('strict', 'i64')])
sides('set', lambda g, c: ne(band(g.u, g.t), number(0)))
sides('clear', lambda g, c: eq(band(g.u, g.t), number(0)))
Contract('num_side_put', [('a', 'num*'), ('s', 'side*'), ('full', 'i32')], writes=('a',), returns='i32', ghosts='x',
         cases=({'full': 0}, {'full': 1}), hints=lambda g, c: {'num_normal': [(g.x,)]},
         relation=lambda v, g, c, ex: [
             (conj(v.a.has(g.x), side(v.s, *((g.x, g.x) if c['full'] else (low_of(g.x, 32), sign_of(g.x, 32)))),
                   TRUE if c['full'] else v.s.range.formed(32)),
              conj(yes(v.ret), v.a_.has(g.x)))])


SIDES = ('equal', 'differ', 'below', 'less', 'set', 'clear')


def branch_hints(g, c):
    w = 64 if c['code'] & 7 == JMP else 32
    x, y = [(low_of(t, w), sign_of(t, w)) for t in (g.x, g.y)]
    greater = c['name'] in ('jgt', 'jge', 'jsgt', 'jsge')
    less = c['name'] in ('jlt', 'jle', 'jslt', 'jsle')
    pair = y + x if (greater and c['taken']) or (less and not c['taken']) else x + y
    return {'num_bits_zext': {1: [(g.x,)], 2: [(g.y,)]}, 'num_side_put': {1: [(g.x,)], 2: [(g.y,)]},
            **{'num_side_' + n: [pair] for n in SIDES}}


def branch(v, g, c, ex):
    w = 64 if c['code'] & 7 == JMP else 32
    goes = jump(c['name'], g.x, g.y, w)
    return [(conj(v.a.has(g.x), v.b.has(g.y), goes if c['taken'] else neg(goes)),
             conj(yes(v.ret), v.a_.has(g.x), v.b_.has(g.y))),
            (neg(yes(v.ret)), conj(same_num(v.a, v.a_), same_num(v.b, v.b_)))]


Contract('num_branch', [('code', 'i8'), ('taken', 'i32'), ('a', 'num*'), ('b', 'num*')], branch, writes=('a', 'b'),
         returns='i32', ghosts='xy', hints=branch_hints, title='', cuts=['num_side_' + n for n in SIDES + ('put',)], label=lambda c: c['title'],
         cases=[{'code': op | cls, 'taken': taken, 'name': name, 'title': name + ('32' if cls == JMP32 else '') +
                 (' taken' if taken else ' not taken')}
                for name, op in JUMPS.items() for cls in (JMP, JMP32) for taken in (1, 0)])

for name in ('num_join', 'num_meet', 'num_widen', 'num_unsigned', 'num_signed', 'num_bytes', 'num_from', 'num_extend',
             'num_swap', 'num_alu', 'num_shift', 'num_arith', 'num_side_put', 'num_branch'):
    ALL[name].order = COMPOSED

# Of each of these calls it is shown first that it is as promised; then only the promise is used.
for name, cuts in (('num_join', ('hull', 'normal')), ('num_widen', ('hull', 'normal')), ('num_unsigned', ('normal',)),
                   ('num_signed', ('normal',)), ('num_bytes', ('unsigned',)), ('num_from', ('normal',)),
                   ('num_extend', ('low', 'from')), ('num_swap', ('bits_swap', 'from')), ('num_lsh_low', ('range_lsh',)),
                   ('num_side_put', ('normal',))):
    ALL[name].cuts = ['num_' + n for n in cuts]

# What takes long: left out by --quick.
SLOW = {'num_bits_lsh', 'num_bits_rsh', 'num_bits_arsh', 'num_range_lsh', 'num_range_mul', 'num_range_sdiv', 'num_normal_cut',
        'num_normal', 'num_low'}


def slow(title, name):
    return name in SLOW or title.startswith(('lemma arc', 'lemma right', 'lemma left', 'lemma low'))
