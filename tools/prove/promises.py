# SPDX-License-Identifier: MIT
"""What the functions of ext/num*.c promise, from the smallest to num_alu and num_branch. In a promise, g.x is a concrete
value, v.a an argument before and v.a_ after the call."""
import lemma
from contract import ALL, Bits, Contract, ones
from machine import *
from term import *

WIDTHS = ({'w': 64}, {'w': 32})
LOW_WIDTHS = ({'w': 64}, {'w': 32}, {'w': 16}, {'w': 8})
COMPOSED = ('cases', 'integers', 'bits')  # functions whose promise follows from those that they call
yes = lambda ret: ne(ret, const(0, 32))

# --- known bits
Contract('num_bits_join', [('a', 'bits'), ('b', 'bits')], returns='bits', ghosts='x',
         relation=lambda v, g, c, ex: [(disj(v.a.has(g.x), v.b.has(g.x)), v.ret.has(g.x))])
Contract('num_bits_meet', [('a', 'bits*'), ('b', 'bits')], returns='i32', ghosts='x', writes=('a',),
         relation=lambda v, g, c, ex: [(conj(v.a.has(g.x), v.b.has(g.x)), conj(yes(v.ret), v.a_.has(g.x)))])


def bits_binary(name, result, hints=None, cuts=()):
    Contract('num_bits_' + name, [('a', 'bits'), ('b', 'bits')], returns='bits', ghosts='xy', hints=hints, cuts=cuts,
             relation=lambda v, g, c, ex: [(conj(v.a.has(g.x), v.b.has(g.y)), v.ret.has(result(g.x, g.y)))])


for name in ('add', 'sub', 'and', 'or', 'xor'):
    bits_binary(name, lambda x, y, name=name: alu(None, OPS[name], 0, x, y, 64))


def joins(shift):
    """Each stage joins what is shifted by 2^i with what is not."""
    def hints(g, case):
        x, seen = g.x, {}
        for i in range(6):
            x = ite(eq(extract(g.y, i, i), const(1, 1)), shift(x, number(1 << i)), x)
            seen[i + 1] = [(x,)]
        return {'num_bits_join': seen}
    return hints


for name, shift in (('lsh', shl), ('rsh', lshr), ('arsh', ashr)):
    bits_binary(name, lambda x, y, name=name: alu(None, OPS[name], 0, x, y, 64), joins(shift), ('num_bits_join',))

odd = lambda x, y: ite(eq(extract(x, 0, 0), const(1, 1)), y, number(0))
Contract('num_bits_mul_step', [('sum', 'bits*'), ('a', 'bits*'), ('b', 'bits*')], writes=('sum', 'a', 'b'), ghosts='pxy',
         hints=lambda g, c: {'num_bits_add': [(g.p, g.y)], 'num_bits_join': [(g.p,), (add(g.p, g.y),)]},
         relation=lambda v, g, c, ex: [(conj(v.sum.has(g.p), v.a.has(g.x), v.b.has(g.y)),
                                        conj(v.sum_.has(add(g.p, odd(g.x, g.y))), v.a_.has(lshr(g.x, number(1))),
                                             v.b_.has(shl(g.y, number(1)))))])


class LongMultiplication:
    """After i turns: sum contains p, the operands contain x0 >> i and y0 << i, and p plus their product is x0 * y0."""

    def __init__(self, g):
        self.x0, self.y0 = g.x, g.y

    def __call__(self, ex):
        self.ex, self.p, self.y = ex, fresh(64, 'p'), fresh(64, 'y')
        return self

    def objects(self, state):
        """sum, a and b, in the order of the function's allocas."""
        return sorted(o for o in state.memory)[-3:]

    changed = objects

    def says(self, state, i, p, x, y):
        bits = []
        for o in self.objects(state):
            bits.append([self.ex.load(state, (o, 0), 8), self.ex.load(state, (o, 8), 8)])
        s, a, b = [Bits(c) for c in bits]
        total = add(p, self.ex.product('mul', x, y))
        return conj(ult(i, const(64, 32)), s.has(p), a.has(x), b.has(y), eq(total, self.ex.product('mul', self.x0, self.y0)),
                    eq(x, lshr(self.x0, zext(i, 64))))

    def begins(self, state, phis):
        a, b = [Bits([self.ex.load(state, (o, 0), 8), self.ex.load(state, (o, 8), 8)]) for o in self.objects(state)[1:]]
        self.when = conj(a.has(self.x0), b.has(self.y0))
        return implies(self.when, self.says(state, phis[0], number(0), self.x0, self.y0))

    def holds(self, state, phis):
        x = lshr(self.x0, zext(phis[0], 64))
        self.x = x
        self.ex.hints['num_bits_mul_step'] = [(self.p, x, self.y)]
        m = self.ex.product
        # lemma long, and 0 * y = 0
        half, twice = lshr(x, number(1)), shl(self.y, number(1))
        self.ex.assume(eq(m('mul', x, self.y), add(odd(x, self.y), m('mul', half, twice))))
        for a, b in ((x, self.y), (half, twice)):
            self.ex.assume(implies(eq(a, number(0)), eq(m('mul', a, b), number(0))))
        return implies(self.when, self.says(state, phis[0], self.p, x, self.y))

    def stays(self, state, phis):
        return implies(self.when, self.says(state, phis[0], add(self.p, odd(self.x, self.y)), lshr(self.x, number(1)),
                                            shl(self.y, number(1))))


bits_binary('mul', lambda x, y: None)
ALL['num_bits_mul'].relation = lambda v, g, c, ex: [(conj(v.a.has(g.x), v.b.has(g.y)),
                                                     v.ret.has(ex.product('mul', g.x, g.y)))]
ALL['num_bits_mul'].loops = lambda g, c: {'num_bits_mul': LongMultiplication(g)}

for name, sign in (('zext', 0), ('sext', 1)):
    Contract('num_bits_' + name, [('a', 'bits'), ('w', 'i32')], returns='bits', ghosts='x', cases=LOW_WIDTHS,
             relation=lambda v, g, c, ex, sign=sign: [(v.a.has(g.x, c['w']), v.ret.has(extend(g.x, c['w'], sign)))])
Contract('num_bits_swap', [('a', 'bits'), ('w', 'i32')], returns='bits', ghosts='x',
         cases=({'w': 16}, {'w': 32}, {'w': 64}),
         relation=lambda v, g, c, ex: [(v.a.has(g.x, c['w']), v.ret.has(swap(g.x, c['w'])))])
Contract('num_bits_up', [('a', 'bits*'), ('x', 'i64'), ('y', 'out long*')], writes=('y',), returns='i32', ghosts='m',
         relation=lambda v, g, c, ex: [(conj(v.a.has(g.m), ule(v.x, g.m)),
                                        conj(yes(v.ret), ule(v.x, v.y_.number), ule(v.y_.number, g.m)))])
Contract('num_bits_down', [('a', 'bits*'), ('x', 'i64'), ('y', 'out long*')], writes=('y',), returns='i32', ghosts='m',
         hints=lambda g, c: {'num_bits_up': [(bnot(g.m),)]},
         relation=lambda v, g, c, ex: [(conj(v.a.has(g.m), ule(g.m, v.x)), conj(yes(v.ret), ule(g.m, v.y_.number), ule(v.y_.number, v.x)))])

# --- ranges
small = lambda x, w: eq(low_of(x, w), x)


def kept(v, g, w, z):
    """r still contains z, if it did."""
    return conj(v.r.formed(w), v.r.has(z, w)), conj(v.r_.formed(w), v.r_.has(z, w))


Contract('num_range_agree', [('r', 'range*'), ('w', 'i32')], writes=('r',), returns='i32', ghosts='x', cases=LOW_WIDTHS,
         relation=lambda v, g, c, ex: [(conj(v.r.formed(c['w']), small(g.x, c['w']), v.r.has(g.x, c['w'])),
                                        conj(yes(v.ret), v.r_.formed(c['w']), v.r_.has(g.x, c['w'])))])


def flips(g, c):
    w = c['w']
    low, mirror = low_of(g.x, w), bxor(low_of(g.x, w), number(1 << (w - 1)))
    return {'num_bits_zext': [(g.x,)], 'num_bits_up': [(low,), (mirror,)], 'num_bits_down': [(low,), (mirror,)]}


Contract('num_range_known', [('r', 'range*'), ('bits', 'bits*'), ('w', 'i32')], writes=('r',), returns='i32', ghosts='x',
         cases=LOW_WIDTHS, hints=flips,
         relation=lambda v, g, c, ex: [
             (conj(v.r.formed(c['w']), small(g.x, c['w']), v.r.has(g.x, c['w']), v.bits.has(g.x, c['w'])),
              conj(yes(v.ret), v.r_.formed(c['w']), v.r_.has(g.x, c['w'])))])
Contract('num_range_arc', [('r', 'range*'), ('start', 'i64'), ('len', 'i64'), ('w', 'i32')], writes=('r',), ghosts='x',
         cases=LOW_WIDTHS,
         relation=lambda v, g, c, ex: [
             (conj(v.r.formed(c['w']), small(g.x, c['w']), v.r.has(g.x, c['w']), ule(v.len, ones(c['w'])),
                   ule(low_of(sub(g.x, v.start), c['w']), v.len)),
              conj(v.r_.formed(c['w']), v.r_.has(g.x, c['w'])))])
Contract('num_range_meet', [('r', 'range*'), ('b', 'range*')], writes=('r',), returns='i32', ghosts='us',
         relation=lambda v, g, c, ex: [(conj(v.r.has_both(g.u, g.s), v.b.has_both(g.u, g.s)),
                                        conj(yes(v.ret), v.r_.has_both(g.u, g.s))),
                                       (conj(v.r.formed(32), v.b.formed(32)), v.r_.formed(32))])


def range_binary(name, op, sign=0, hints=None, cuts=()):
    def relation(v, g, c, ex):
        w = c['w']
        z = alu(ex, op, sign, g.x, g.y, w)
        before, after = kept(v, g, w, z)
        return [(conj(before, v.a.formed(w), v.b.formed(w), small(g.x, w), small(g.y, w), v.a.has(g.x, w),
                      v.b.has(g.y, w)), after)]
    Contract('num_range_' + name, [('r', 'range*'), ('a', 'range*'), ('b', 'range*'), ('w', 'i32')], relation,
             writes=('r',), ghosts='xy', cases=WIDTHS, hints=hints, cuts=cuts)


def arcs(relation, name):
    """What is added are distances from the ends."""
    def out(v, g, c, ex):
        for least, most in (('umin', 'umax'), ('smin', 'smax')):
            a0, a1, b0, b1 = [getattr(r, n) for r in (v.a, v.b) for n in (least, most)]
            x, y = (sign_of(g.x, c['w']), sign_of(g.y, c['w'])) if least == 'smin' else (g.x, g.y)
            if ex.proves == 'num_range_' + name:
                ex.facts.append(lemma.arc(name, least == 'smin', *[extract(t, c['w'] - 1, 0) for t in (x, a0, a1, y, b0, b1)]))
        return relation(v, g, c, ex)
    return out


for name in ('add', 'sub'):
    range_binary(name, OPS[name], cuts=('num_range_arc',), hints=lambda g, c, name=name: {
        'num_range_arc': [(alu(None, OPS[name], 0, g.x, g.y, c['w']),)]})
    ALL['num_range_' + name].relation = arcs(ALL['num_range_' + name].relation, name)
for name in ('and', 'or', 'xor', 'div', 'mod'):
    range_binary(name, OPS[name])
range_binary('sdiv', OPS['div'], 1)
range_binary('smod', OPS['mod'], 1)
range_binary('mul', OPS['mul'])


def signed_too(relation):
    """The product of the signed numbers is a term, too."""
    def out(v, g, c, ex):
        ex.product('mul', sign_of(g.x, c['w']), sign_of(g.y, c['w']))
        return relation(v, g, c, ex)
    return out


ALL['num_range_mul'].relation = signed_too(ALL['num_range_mul'].relation)


def shift_facts(name, v, x, k, w):
    """What the lemmas on shifts say of the ends and x."""
    least, most, sx = zext(v.least, 64), zext(v.most, 64), sign_of(x, w)
    if name == 'rsh':
        return [lemma.right(v.a.umin, most, x, k), lemma.right(x, k, v.a.umax, least)]
    if name == 'arsh':
        return [f for n in (least, most) for f in (lemma.right_signed(v.a.smin, n, sx, k),
                                                   lemma.right_signed(sx, k, v.a.smax, n))]
    out = [lemma.left(v.a.umin, least, x, k, w), lemma.left(x, k, v.a.umax, most, w), lemma.low_left(x, k, w)]
    for end in (v.a.smin, v.a.smax):
        out += [lemma.left_signed(sx, k, end, most, w), lemma.left_signed(end, least, sx, k, w),
                lemma.left_signed(end, most, end, most, w)]
    return out


def range_shift(name):
    def relation(v, g, c, ex):
        w = c['w']
        before, after = kept(v, g, w, alu(ex, OPS[name], 0, g.x, g.k, w))
        least, most = zext(v.least, 64), zext(v.most, 64)
        if ex.proves == 'num_range_' + name:
            ex.facts += shift_facts(name, v, g.x, band(g.k, number(w - 1)), w)
        return [(conj(before, v.a.formed(w), small(g.x, w), v.a.has(g.x, w), ule(least, g.k), ule(g.k, most),
                      ult(most, number(w))), after)]
    Contract('num_range_' + name, [('r', 'range*'), ('a', 'range*'), ('least', 'i32'), ('most', 'i32'), ('w', 'i32')],
             relation, writes=('r',), ghosts='xk', cases=WIDTHS)


for name in ('lsh', 'rsh', 'arsh'):
    range_shift(name)

# --- numbers: the normal form
Contract('num_contains', [('a', 'num*'), ('x', 'i64')], returns='i32',
         relation=lambda v, g, c, ex: [(TRUE, eq(yes(v.ret), v.a.has(v.x)))])


def narrowing(name, hints, cuts=()):
    Contract(name, [('a', 'num*')], writes=('a',), returns='i32', ghosts='x', hints=hints, cuts=cuts,
             relation=lambda v, g, c, ex: [(v.a.has(g.x), conj(yes(v.ret), v.a_.has(g.x)))])


both = lambda name: lambda g, c: {name: [(g.x,), (low_of(g.x, 32),)]}
narrowing('num_normal_cut', lambda g, c: {'num_range_arc': [(low_of(g.x, 32),)]}, ('num_range_arc',))
narrowing('num_normal_lift', None)
narrowing('num_normal_prefix', both('num_bits_meet'))
narrowing('num_normal_known', both('num_range_known'))
narrowing('num_normal_agree', both('num_range_agree'))
STEPS = ('cut', 'lift', 'prefix', 'known', 'agree')
narrowing('num_normal', lambda g, c: {'num_contains': [()], **{
    'num_normal_' + step: [(g.x,)] for step in STEPS}}, ['num_normal_' + step for step in STEPS])
ALL['num_normal'].order = COMPOSED
Contract('num_low', [('a', 'num*'), ('w', 'i32'), ('out', 'out range*')], writes=('out',), ghosts='x', cases=LOW_WIDTHS,
         cuts=('num_range_arc', 'num_range_known', 'num_range_agree'), order=COMPOSED,
         hints=lambda g, c: {n: [(low_of(g.x, c['w']),)] for n in
                             ('num_range_arc', 'num_range_known', 'num_range_agree')},
         relation=lambda v, g, c, ex: [(v.a.has(g.x), conj(v.out_.formed(c['w']),
                                                           v.out_.has(low_of(g.x, c['w']), c['w'])))])
