# SPDX-License-Identifier: MIT
"""Products and quotients of two unknowns are too much for a solver at 64 bits. So they are unknowns themselves, of which only
these lemmas are used. Each is written twice: as Z3 proves it (of all integers, or of all bit vectors), and as it is used
(for the products of a proof)."""
from term import *

LEMMAS = {}  # name: (what it says, text for Z3: unsat when it holds)


def lemma(name, says, text):
    LEMMAS[name] = (says, text)


INTEGER = '(set-logic ALL)\n'

lemma('product', 'products of numbers that are not negative grow with each factor',
      INTEGER + '''(declare-const x Int)(declare-const y Int)(declare-const a Int)(declare-const b Int)
(assert (and (<= 0 x) (<= x a) (<= 0 y) (<= y b)))
(assert (not (and (<= 0 (* x y)) (<= (* x y) (* a y)) (<= (* a y) (* a b)))))(check-sat)''')

lemma('corner', 'a product lies between those of the ends of its factors: one factor fixed (taken twice)',
      INTEGER + '''(declare-const x Int)(declare-const y Int)(declare-const a Int)(declare-const b Int)
(assert (and (<= a x) (<= x b)))
(assert (not (ite (<= 0 y) (and (<= (* a y) (* x y)) (<= (* x y) (* b y)))
                           (and (<= (* b y) (* x y)) (<= (* x y) (* a y))))))(check-sat)''')

lemma('long', 'x * y = (x odd ? y : 0) + (x / 2) * (2 y)',
      INTEGER + '''(declare-const h Int)(declare-const r Int)(declare-const y Int)
(assert (or (= r 0) (= r 1)))
(assert (not (= (* (+ (* 2 h) r) y) (+ (ite (= r 1) y 0) (* h (* 2 y))))))(check-sat)''')

lemma('congruent', 'a product changes by a multiple of m when a factor does (then the other)',
      INTEGER + '''(declare-const x Int)(declare-const y Int)(declare-const i Int)(declare-const m Int)
(assert (not (= (* (+ x (* i m)) y) (+ (* x y) (* m (* i y))))))(check-sat)''')

# Quotient q and remainder r of x by y, rounded towards zero.
UNSIGNED = '''(declare-const x{0} Int)(declare-const y{0} Int)(declare-const q{0} Int)(declare-const r{0} Int)
(assert (and (<= 0 x{0}) (< 0 y{0}) (= x{0} (+ (* q{0} y{0}) r{0})) (<= 0 r{0}) (< r{0} y{0})))
'''
SIGNED = '''(declare-const x{0} Int)(declare-const y{0} Int)(declare-const q{0} Int)(declare-const r{0} Int)
(assert (and (not (= y{0} 0)) (= x{0} (+ (* q{0} y{0}) r{0}))
 (ite (<= 0 x{0}) (<= 0 r{0}) (<= r{0} 0))
 (< (ite (< r{0} 0) (- r{0}) r{0}) (ite (< y{0} 0) (- y{0}) y{0}))))
'''

lemma('quotient', 'quotients grow with the dividend, fall with the divisor, and are not above the dividend',
      INTEGER + UNSIGNED.format(1) + UNSIGNED.format(2) + '''(assert (and (<= x1 x2) (>= y1 y2)))
(assert (not (and (<= q1 q2) (<= 0 q1) (<= q1 x1))))(check-sat)''')

lemma('remainder', 'below the divisor, not above the dividend, equal to it where it is below the divisor',
      INTEGER + UNSIGNED.format(1) + '''
(assert (not (and (< r1 y1) (<= r1 x1) (=> (< x1 y1) (= r1 x1)))))(check-sat)''')

lemma('remainders', 'of one divisor and quotient grow with the dividend',
      INTEGER + UNSIGNED.format(1) + UNSIGNED.format(2) + '''(assert (and (<= x1 x2) (= y1 y2) (= q1 q2)))
(assert (not (<= r1 r2)))(check-sat)''')

lemma('signed-dividend', 'signed quotients by one divisor: grow with the dividend if it is positive, fall if negative',
      INTEGER + SIGNED.format(1) + SIGNED.format(2) + '''(assert (and (<= x1 x2) (= y1 y2)))
(assert (not (ite (< 0 y1) (<= q1 q2) (<= q2 q1))))(check-sat)''')

lemma('signed-quotient', 'not farther from 0 than the dividend; by 1 or -1: as far; else nearer, '
      'but for 0',
      INTEGER + SIGNED.format(1) + '''
(define-fun far () Int (ite (<= 0 x1) x1 (- x1)))
(assert (not (and (<= q1 far) (<= (- far) q1) (=> (= y1 1) (= q1 x1)) (=> (= y1 (- 1)) (= q1 (- x1)))
 (=> (and (not (= y1 1)) (not (= y1 (- 1))) (not (= x1 0))) (and (< q1 far) (< (- far) q1))))))(check-sat)''')

lemma('signed-divisor', 'signed quotients of one dividend by divisors of one sign: fall with the divisor if it is not '
      'negative, grow if it is',
      INTEGER + SIGNED.format(1) + SIGNED.format(2) + '''(assert (and (= x1 x2) (<= y1 y2) (or (< 0 y1) (< y2 0))))
(assert (not (ite (<= 0 x1) (<= q2 q1) (<= q1 q2))))(check-sat)''')

lemma('signed-remainder', 'below the divisor in magnitude, between zero and the dividend',
      INTEGER + SIGNED.format(1) + '''
(assert (not (and (ite (<= 0 x1) (and (<= 0 r1) (<= r1 x1)) (and (<= x1 r1) (<= r1 0)))
 (< (- (ite (< y1 0) (- y1) y1)) r1) (< r1 (ite (< y1 0) (- y1) y1)))))(check-sat)''')

lemma('signed-remainders', 'of one divisor and quotient grow with the dividend',
      INTEGER + SIGNED.format(1) + SIGNED.format(2) + '''(assert (and (<= x1 x2) (= y1 y2) (= q1 q2)))
(assert (not (<= r1 r2)))(check-sat)''')


# --- as they are used
ZERO, ONE = const(0, 64), const(1, 64)


def smallest(*t):
    out = t[0]
    for x in t[1:]:
        out = ite(slt(x, out), x, out)
    return out


def largest(*t):
    out = t[0]
    for x in t[1:]:
        out = ite(slt(out, x), x, out)
    return out


def arc(name, sign, *t):
    """The distance of x + y (x - y) from the sum of the ends, where both distances together do not go around."""
    x, a0, a1, y, b0, b1 = t
    le = sle if sign else ule
    when = conj(le(a0, x), le(x, a1), le(b0, y), le(y, b1), ule(sub(a1, a0), bnot(sub(b1, b0))))
    z = sub(add(x, y), add(a0, b0)) if name == 'add' else sub(sub(x, y), sub(a0, b1))
    return implies(when, ule(z, add(sub(a1, a0), sub(b1, b0))))


def distances(s, t, a, b):
    return implies(conj(ule(s, a), ule(t, b), ule(a, bnot(b))), ule(add(s, t), add(a, b)))


def arc_text(name, sign, w):
    x, a0, a1, y, b0, b1 = t = [fresh(w, n) for n in ('x', 'a0', 'a1', 'y', 'b0', 'b1')]
    by = distances(sub(x, a0), sub(y, b0) if name == 'add' else sub(b1, y), sub(a1, a0), sub(b1, b0))
    return smt([by, neg(arc(name, sign, *t))])


lemma('distances', 'a sum of two distances is not above the sum of their limits, when that is not above 2^64 - 1',
      smt([neg(distances(*[fresh(64, n) for n in 'stab']))]))
for name in ('add', 'sub'):
    for sign in (0, 1):
        for w in (64, 32):
            lemma(f'arc-{name}-{"us"[sign]}{w}', f'distances from the ends add up, {"signed" if sign else "unsigned"}, '
                  f'{w} bits, {name} (by distances)', arc_text(name, sign, w))


# --- shifts: proved for each pair of counts
def right(x1, k1, x2, k2, w=64):
    return implies(conj(ule(x1, x2), ule(k2, k1), ult(k1, const(w, 64))), ule(lshr(x1, k1), lshr(x2, k2)))


def right_signed(x1, k1, x2, k2, w=64):
    """Both not negative, both negative, or one of each."""
    counts = ite(slt(x2, ZERO), ule(k1, k2), ite(slt(x1, ZERO), TRUE, ule(k2, k1)))
    return implies(conj(sle(x1, x2), counts, ult(k1, const(w, 64)), ult(k2, const(w, 64))), sle(ashr(x1, k1), ashr(x2, k2)))


def left(x1, k1, x2, k2, w):
    """Where the greater does not lose bits."""
    most = const((1 << w) - 1, 64)
    return implies(conj(ule(x1, x2), ule(k1, k2), ult(k2, const(w, 64)), ule(x2, lshr(most, k2))),
                   conj(ule(shl(x1, k1), shl(x2, k2)), ule(shl(x2, k2), most), ule(x1, lshr(most, k1))))


def left_signed(x1, k1, x2, k2, w):
    """Where the one that is farther from 0 does not lose bits, the other does not."""
    fits = lambda x, k: eq(ashr(sign_of(shl(x, k), w), k), x)
    whole = lambda x, k: eq(sign_of(shl(x, k), w), shl(x, k))
    z1, z2 = shl(x1, k1), shl(x2, k2)
    return implies(conj(ule(k1, k2), ult(k2, const(w, 64)), fits(x2, k2),
                        ite(slt(x2, ZERO), conj(sle(x2, x1), slt(x1, ZERO)), conj(sle(ZERO, x1), sle(x1, x2)))),
                   conj(fits(x1, k1), whole(x1, k1), whole(x2, k2),
                        ite(slt(x2, ZERO), conj(slt(z1, ZERO), sle(z2, z1)), conj(sle(ZERO, z1), sle(z1, z2)))))


def low_left(x, k, w):
    """The low bits of what is shifted left are a function of its low bits."""
    return implies(ult(k, const(w, 64)), eq(low_of(shl(x, k), w), low_of(shl(sign_of(x, w), k), w)))


def for_counts(fact, w, counts):
    """A text for each first count, which asks for all second ones at once."""
    x1, x2 = fresh(64, 'x'), fresh(64, 'y')
    for k in range(w):
        all_ = [fact(x1, const(k, 64), x2, const(j, 64), w) if counts == 2 else fact(x1, const(k, 64), w)
                for j in range(w if counts == 2 else 1)]
        yield smt([neg(conj(*all_))])


def shift_lemma(name, says, fact, w, counts=2):
    lemma(name, says, Texts(lambda: for_counts(fact, w, counts)))


class Texts:
    """Made when they are asked for."""

    def __init__(self, make):
        self.make = make

    def __iter__(self):
        return self.make()


shift_lemma('right', 'x >> k grows with x and falls with k', right, 64)
shift_lemma('right-signed', 'signed, too, but that it grows with k where x is negative', right_signed, 64)
for w in (64, 32):
    shift_lemma(f'left{w}', f'x << k grows with both where it stays below 2^{w}', left, w)
    shift_lemma(f'left-signed{w}', f'signed, {w} bits: away from 0, where it keeps its sign', left_signed, w)
shift_lemma('low-left', 'the low 32 bits of a shift left are one of the low bits', low_left, 32, 1)


def boxes(keys):
    """Ends of two factors of which all four products are there."""
    firsts = list(dict.fromkeys(a for a, _ in keys))
    seconds = list(dict.fromkeys(b for _, b in keys))
    for a1 in firsts:
        for a2 in firsts:
            for b1 in seconds:
                for b2 in seconds:
                    if a1 is not a2 and b1 is not b2 and {(a1, b1), (a1, b2), (a2, b1), (a2, b2)} <= set(keys):
                        yield a1, a2, b1, b2


def inside(keys, ends):
    """The products that are not ends of a box themselves."""
    corners = {(a, b) for a1, a2, b1, b2 in boxes(ends) for a in (a1, a2) for b in (b1, b2)}
    return [k for k in keys if k not in corners]


def instances(ex):
    """What the lemmas say of a proof's products."""
    terms = {}
    for op, a, b, _ in list(ex.products.values()):
        terms.setdefault(op, []).append((a, b))
        # A remainder's lemma speaks of its quotient.
        if op in ('urem', 'srem'):
            quotient = 'udiv' if op == 'urem' else 'sdiv'
            ex.product(quotient, a, b)
    for op in ('udiv', 'sdiv'):
        terms[op] = [(a, b) for o, a, b, _ in ex.products.values() if o == op]
    for op in ('mul', 'over', 'signed_over'):  # the same in either order
        terms[op] = list(dict.fromkeys(t for a, b in terms.get(op, []) for t in ((a, b), (b, a))))
    p, out = ex.product, []
    mul = terms['mul']
    for a, b in terms['over']:
        plain = inside(mul, terms['signed_over'])
        for x1, y1 in plain:
            for x2, y2 in plain:  # product
                out.append(implies(conj(neg(p('over', a, b)), ule(x1, x2), ule(x2, a), ule(y1, y2), ule(y2, b)),
                                   conj(ule(p('mul', x1, y1), p('mul', x2, y2)), ule(p('mul', x2, y2), p('mul', a, b)))))
    for a1, a2, b1, b2 in boxes(terms['signed_over']):  # corner, for either factor
        corners = [p('mul', a, b) for a in (a1, a2) for b in (b1, b2)]
        fit = conj(*[neg(p('signed_over', a, b)) for a in (a1, a2) for b in (b1, b2)])
        for x, y in inside(mul, terms['signed_over']):
            out.append(implies(conj(fit, sle(a1, x), sle(x, a2), sle(b1, y), sle(y, b2)),
                               conj(sle(smallest(*corners), p('mul', x, y)), sle(p('mul', x, y), largest(*corners)))))
    for i, (x1, y1) in enumerate(mul):  # congruent
        for x2, y2 in mul[:i]:
            same = conj(eq(low_of(x1, 32), low_of(x2, 32)), eq(low_of(y1, 32), low_of(y2, 32)))
            out.append(implies(same, eq(low_of(p('mul', x1, y1), 32), low_of(p('mul', x2, y2), 32))))
            out.append(implies(conj(eq(x1, x2), eq(y1, y2)), eq(p('mul', x1, y1), p('mul', x2, y2))))
    for x1, y1 in terms['udiv']:
        q = p('udiv', x1, y1)
        out.append(implies(ult(ZERO, y1), ule(q, x1)))
        for x2, y2 in terms['udiv']:  # quotient
            out.append(implies(conj(ule(x1, x2), ule(y2, y1), ult(ZERO, y2)), ule(q, p('udiv', x2, y2))))
    for x1, y1 in terms.get('urem', []):
        r = p('urem', x1, y1)
        out.append(implies(ult(ZERO, y1), conj(ult(r, y1), ule(r, x1), implies(ult(x1, y1), eq(r, x1)))))
        for x2, y2 in terms['urem']:  # remainders
            out.append(implies(conj(ule(x1, x2), eq(y1, y2), ult(ZERO, y1), eq(p('udiv', x1, y1), p('udiv', x2, y2))),
                               ule(r, p('urem', x2, y2))))

    def fine(x, y):
        return conj(ne(y, ZERO), neg(conj(eq(x, const(1 << 63, 64)), eq(y, const(-1, 64)))))

    for x1, y1 in terms['sdiv']:  # signed-quotient
        q, away = p('sdiv', x1, y1), ite(slt(x1, ZERO), x1, sub(ZERO, x1))  # -|x|, which is always a number
        far, least = sub(ZERO, away), eq(x1, const(1 << 63, 64))
        nearer = conj(ne(y1, ONE), ne(y1, const(-1, 64)), ne(x1, ZERO))
        out.append(implies(fine(x1, y1), conj(
            sle(away, q), disj(least, sle(q, far)), implies(eq(y1, ONE), eq(q, x1)),
            implies(eq(y1, const(-1, 64)), eq(q, sub(ZERO, x1))),
            implies(nearer, conj(slt(away, q), disj(least, slt(q, far)))))))
    pairs = terms['sdiv'] if terms.get('srem') else []
    for x1, y1 in pairs:
        for x2, y2 in pairs:  # signed-dividend
            q1, q2 = p('sdiv', x1, y1), p('sdiv', x2, y2)
            out.append(implies(conj(fine(x1, y1), fine(x2, y2), sle(x1, x2), eq(y1, y2)),
                               ite(slt(ZERO, y1), sle(q1, q2), sle(q2, q1))))
    for a1, a2, b1, b2 in boxes(terms['sdiv']):  # signed-dividend and signed-divisor
        corners = [p('sdiv', a, b) for a in (a1, a2) for b in (b1, b2)]
        over = conj(eq(a1, const(1 << 63, 64)), sle(b1, const(-1, 64)), sle(const(-1, 64), b2))
        for x, y in inside(terms['sdiv'], terms['sdiv']):
            out.append(implies(conj(neg(over), disj(slt(ZERO, b1), slt(b2, ZERO)), sle(a1, x), sle(x, a2), sle(b1, y),
                                    sle(y, b2)),
                               conj(sle(smallest(*corners), p('sdiv', x, y)), sle(p('sdiv', x, y), largest(*corners)))))
    for x1, y1 in terms.get('srem', []):
        r = p('srem', x1, y1)
        size = ite(slt(y1, ZERO), sub(ZERO, y1), y1)  # as an unsigned number
        out.append(implies(fine(x1, y1),
                           conj(ite(sle(ZERO, x1), conj(sle(ZERO, r), sle(r, x1)), conj(sle(x1, r), sle(r, ZERO))),
                                ult(ite(slt(r, ZERO), sub(ZERO, r), r), size))))
        for x2, y2 in terms['srem']:  # signed-remainders
            out.append(implies(conj(fine(x1, y1), fine(x2, y2), sle(x1, x2), eq(y1, y2),
                                    eq(p('sdiv', x1, y1), p('sdiv', x2, y2))), sle(r, p('srem', x2, y2))))
    return [t for t in out if t is not TRUE]
