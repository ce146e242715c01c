# SPDX-License-Identifier: MIT
"""Formulas over bit vectors: made once each (equal ones are the same object), constants computed on the way, written as
SMT-LIB. A truth value has width 0."""


from functools import cache


class Term:
    __slots__ = ('op', 'args', 'width', 'value', 'number')
    made = {}

    def __init__(self, op, args, width, value):
        self.op, self.args, self.width, self.value = op, args, width, value
        self.number = len(Term.made)


def make(op, args, width, value=None):
    key = (op, tuple(a.number for a in args), width, value)
    term = Term.made.get(key)
    if term is None:
        term = Term.made[key] = Term(op, args, width, value)
    return term


def const(value, width):
    return make('const', (), width, value & ((1 << width) - 1))


TRUE = make('true', (), 0)
FALSE = make('false', (), 0)
fresh_count = 0


def fresh(width, hint='v'):
    """An unknown: one that nothing is said of yet."""
    global fresh_count
    fresh_count += 1
    return make('var', (), width, f'{hint}!{fresh_count}')


def count():
    """How many there are."""
    return fresh_count


unknowns_of = {}


def unknowns(t):
    """The numbers of those in t."""
    if t.number not in unknowns_of:
        for p in reach([t]):
            if p.number not in unknowns_of:
                unknowns_of[p.number] = frozenset([int(p.value.split('!')[1])]) if p.op == 'var' else \
                    frozenset().union(*[unknowns_of[a.number] for a in p.args])
    return unknowns_of[t.number]


def truth(b):
    return TRUE if b else FALSE


def signed(value, width):
    return value - (1 << width) if value >> (width - 1) else value


def is_const(t):
    return t.op == 'const'


FOLD = {
    'bvadd': lambda a, b, w: a + b, 'bvsub': lambda a, b, w: a - b, 'bvmul': lambda a, b, w: a * b,
    'bvand': lambda a, b, w: a & b, 'bvor': lambda a, b, w: a | b, 'bvxor': lambda a, b, w: a ^ b,
    'bvshl': lambda a, b, w: a << b if b < w else 0, 'bvlshr': lambda a, b, w: a >> b if b < w else 0,
    'bvashr': lambda a, b, w: signed(a, w) >> min(b, w - 1),
}


def binary(op, a, b):
    w = a.width
    assert w == b.width and w > 0, (op, a.width, b.width)
    if is_const(a) and is_const(b):
        return const(FOLD[op](a.value, b.value, w), w)
    ones = (1 << w) - 1
    for one, other in ((a, b), (b, a)):
        if is_const(other) and (op in ('bvadd', 'bvor', 'bvxor', 'bvand', 'bvmul') or other is b):
            if other.value == 0:
                if op in ('bvadd', 'bvor', 'bvxor', 'bvsub', 'bvshl', 'bvlshr', 'bvashr'):
                    return one
                if op in ('bvand', 'bvmul'):
                    return other
            if other.value == ones and op == 'bvand':
                return one
            if other.value == ones and op == 'bvor':
                return other
            if other.value == 1 and op == 'bvmul':
                return one
    if a is b:
        if op in ('bvand', 'bvor'):
            return a
        if op in ('bvxor', 'bvsub'):
            return const(0, w)
    # One form for what is said in several ways, so that equal terms are seen to be equal.
    if op in COMMUTE and (is_const(a) or (b.number < a.number and not is_const(b))):
        a, b = b, a
    if op == 'bvand' and is_const(b) and b.value & (b.value + 1) == 0:
        return zext(extract(a, b.value.bit_length() - 1, 0), w)
    if op in SHIFTS and b.op == 'ite':
        return ite(b.args[0], binary(op, a, b.args[1]), binary(op, a, b.args[2]))
    if op == 'bvashr' and is_const(b) and a.op == 'bvshl' and a.args[1] is b and b.value < w:
        return sext(extract(a.args[0], w - 1 - b.value, 0), w)
    if op == 'bvlshr' and is_const(b) and a.op == 'bvshl' and a.args[1] is b and b.value < w:
        return zext(extract(a.args[0], w - 1 - b.value, 0), w)
    return make(op, (a, b), w)


SHIFTS = ('bvshl', 'bvlshr', 'bvashr')
COMMUTE = ('bvadd', 'bvand', 'bvor', 'bvxor')


def add(a, b): return binary('bvadd', a, b)
def sub(a, b): return binary('bvsub', a, b)
def band(a, b): return binary('bvand', a, b)
def bor(a, b): return binary('bvor', a, b)
def bxor(a, b): return binary('bvxor', a, b)
def shl(a, b): return binary('bvshl', a, b)
def lshr(a, b): return binary('bvlshr', a, b)
def ashr(a, b): return binary('bvashr', a, b)
def bnot(a): return bxor(a, const(-1, a.width))


COMPARE = {
    '=': lambda a, b, w: a == b, 'bvult': lambda a, b, w: a < b, 'bvule': lambda a, b, w: a <= b,
    'bvslt': lambda a, b, w: signed(a, w) < signed(b, w), 'bvsle': lambda a, b, w: signed(a, w) <= signed(b, w),
}


def compare(op, a, b):
    assert a.width == b.width, (op, a.width, b.width)
    if a.width and is_const(a) and is_const(b):
        return truth(COMPARE[op](a.value, b.value, a.width))
    if a is b:
        return truth(op in ('=', 'bvule', 'bvsle'))
    if a.width == 0:
        return disj(conj(a, b), conj(neg(a), neg(b)))
    if op in ('bvule', 'bvsle'):
        return neg(compare(op[:3] + 'lt', b, a))
    if op == '=':
        for one, other in ((a, b), (b, a)):
            if one.op == 'ite' and is_const(other) and is_const(one.args[1]) and is_const(one.args[2]):
                return ite(one.args[0], compare(op, one.args[1], other), compare(op, one.args[2], other))
        if b.number < a.number:
            a, b = b, a
    return make(op, (a, b), 0)


def eq(a, b): return compare('=', a, b)
def ne(a, b): return neg(compare('=', a, b))
def ult(a, b): return compare('bvult', a, b)
def ule(a, b): return compare('bvule', a, b)
def slt(a, b): return compare('bvslt', a, b)
def sle(a, b): return compare('bvsle', a, b)


def neg(a):
    if a is TRUE:
        return FALSE
    if a is FALSE:
        return TRUE
    return a.args[0] if a.op == 'not' else make('not', (a,), 0)


def conj(*parts):
    kept = []
    for p in parts:
        if p is FALSE:
            return FALSE
        if p is not TRUE and p not in kept:
            kept.append(p)
    if not kept:
        return TRUE
    if any(neg(p) in kept for p in kept):
        return FALSE
    return kept[0] if len(kept) == 1 else make('and', tuple(kept), 0)


def disj(*parts):
    return neg(conj(*[neg(p) for p in parts]))


def implies(a, b):
    return disj(neg(a), b)


def ite(c, a, b):
    assert c.width == 0 and a.width == b.width
    if c is TRUE or a is b:
        return a
    if c is FALSE:
        return b
    if a.width == 0:
        return conj(implies(c, a), implies(neg(c), b))
    return make('ite', (c, a, b), a.width)


@cache
def extract(a, high, low):
    width = high - low + 1
    if width == a.width:
        return a
    if is_const(a):
        return const(a.value >> low, width)
    if a.op in ('zext', 'sext') and high < a.args[0].width:
        return extract(a.args[0], high, low)
    if a.op == 'extract':
        return extract(a.args[0], high + a.value[1], low + a.value[1])
    if a.op == 'ite':
        return ite(a.args[0], extract(a.args[1], high, low), extract(a.args[2], high, low))
    if a.op == 'concat' and (high < a.args[1].width or low >= a.args[1].width):
        cut = a.args[1].width
        return extract(a.args[1], high, low) if high < cut else extract(a.args[0], high - cut, low - cut)
    if a.op in ('bvand', 'bvor', 'bvxor') or (low == 0 and a.op in ('bvadd', 'bvsub')):
        return binary(a.op, *[extract(p, high, low) for p in a.args])
    return make('extract', (a,), width, (high, low))


@cache
def zext(a, width):
    if a.width == 0:
        return ite(a, const(1, width), const(0, width))
    if a.width == width:
        return a
    if a.op == 'zext':
        return zext(a.args[0], width)
    if a.op == 'ite':
        return ite(a.args[0], zext(a.args[1], width), zext(a.args[2], width))
    return const(a.value, width) if is_const(a) else make('zext', (a,), width)


@cache
def sext(a, width):
    if a.width == width:
        return a
    if a.width == 0:
        return ite(a, const(-1, width), const(0, width))
    if a.op in ('zext', 'sext'):
        return (zext if a.op == 'zext' else sext)(a.args[0], width)
    if a.op == 'ite':
        return ite(a.args[0], sext(a.args[1], width), sext(a.args[2], width))
    return const(signed(a.value, a.width), width) if is_const(a) else make('sext', (a,), width)


def concat(high, low):
    if is_const(high) and is_const(low):
        return const(high.value << low.width | low.value, high.width + low.width)
    return make('concat', (high, low), high.width + low.width)


def low_of(a, w):
    """The low w bits, zero-extended to a's width."""
    return zext(extract(a, w - 1, 0), a.width)


def sign_of(a, w):
    """The low w bits, sign-extended."""
    return sext(extract(a, w - 1, 0), a.width)


def rebuilt(t, args):
    """t with other arguments."""
    if t.op in FOLD:
        return binary(t.op, *args)
    if t.op in COMPARE:
        return compare(t.op, *args)
    if t.op in ('zext', 'sext'):
        return (zext if t.op == 'zext' else sext)(args[0], t.width)
    if t.op == 'extract':
        return extract(args[0], *t.value)
    return {'and': conj, 'not': neg, 'ite': ite, 'concat': concat}[t.op](*args) if args else t


def reach(terms):
    """These and all within them, what is within before what it is in."""
    seen, stack = {}, list(terms)
    while stack:
        t = stack.pop()
        if t.number not in seen:
            seen[t.number] = t
            stack.extend(t.args)
    return [seen[n] for n in sorted(seen)]


def given(terms, facts):
    """The terms where these are true."""
    new = {}
    for f in facts:
        stack = [(f, TRUE)]
        while stack:
            t, value = stack.pop()
            if t.op == 'not':
                stack.append((t.args[0], neg(value)))
                continue
            new[t.number] = value
            if t.op == 'and' and value is TRUE:
                stack += [(a, TRUE) for a in t.args]
    for t in reach(terms):
        if t.number not in new:
            args = [new[a.number] for a in t.args]
            new[t.number] = t if all(a is b for a, b in zip(args, t.args)) else rebuilt(t, args)
    return [new[t.number] for t in terms]


def parts(goal):
    """Goals that together say the same: a conjunction's, also behind a condition."""
    if goal.op == 'and':
        return [p for a in goal.args for p in parts(a)]
    if goal.op == 'not' and goal.args[0].op == 'and':
        nested = [a for a in goal.args[0].args if a.op == 'not' and a.args[0].op == 'and']
        if nested:
            rest = [a for a in goal.args[0].args if a is not nested[-1]]
            return [neg(conj(*rest, neg(p))) for p in parts(nested[-1].args[0])]
    return [goal]


def smt(assertions, model=False):
    """The text that asks whether all of them can be."""
    lines, names, stack = ['(set-logic QF_BV)'], {}, list(assertions)

    def name(t):
        return names[t.number]

    while stack:
        t = stack[-1]
        if t.number in names:
            stack.pop()
            continue
        wait = [a for a in t.args if a.number not in names]
        if wait:
            stack.extend(wait)
            continue
        stack.pop()
        args = ' '.join(name(a) for a in t.args)
        sort = f'(_ BitVec {t.width})' if t.width else 'Bool'
        if t.op == 'const':
            names[t.number] = f'(_ bv{t.value} {t.width})'
            continue
        if t.op in ('true', 'false'):
            names[t.number] = t.op
            continue
        names[t.number] = f't{len(names)}'
        if t.op == 'var':
            names[t.number] = f'|{t.value}|'
            lines.append(f'(declare-const |{t.value}| {sort})')
            continue
        if t.op == 'extract':
            text = f'((_ extract {t.value[0]} {t.value[1]}) {args})'
        elif t.op in ('zext', 'sext'):
            kind = 'zero' if t.op == 'zext' else 'sign'
            text = f'((_ {kind}_extend {t.width - t.args[0].width}) {args})'
        else:
            text = f'({t.op} {args})'
        lines.append(f'(define-fun {names[t.number]} () {sort} {text})')
    lines += [f'(assert {name(a)})' for a in assertions]
    lines.append('(check-sat)')
    if model:
        lines.append('(get-model)')
    return '\n'.join(lines) + '\n'
