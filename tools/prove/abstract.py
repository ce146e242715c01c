# SPDX-License-Identifier: MIT
"""Two ways to say a formula over bit vectors with less, for which Z3 is quicker where they are enough: as truth values
alone (each comparison an unknown), and with integers. Whatever makes the formula true makes these true, so that when they
have no model (unsat), the formula has none. Not the other way around: a model of theirs is no counterexample."""
from term import *


def refuted(assertions):
    """Whether what follows at once, from one truth value to the next, contradicts itself: the quickest of all."""
    above, values, queue = {}, {TRUE.number: True, FALSE.number: False}, [(a, True) for a in assertions]
    seen, stack = set(), list(assertions)
    while stack:
        t = stack.pop()
        if t.number not in seen and t.op in ('and', 'not'):
            seen.add(t.number)
            stack.extend(t.args)
            for a in t.args:
                above.setdefault(a.number, []).append(t)
    while queue:
        t, value = queue.pop()
        if t.number in values:
            if values[t.number] != value:
                return True
            continue
        values[t.number] = value
        for p in [t] + above.get(t.number, []):
            if p.op == 'not':
                if p is t:
                    queue.append((t.args[0], not value))
                else:
                    queue.append((p, not value))
            elif p.op == 'and':
                known = [values.get(a.number) for a in p.args]
                if False in known:
                    queue.append((p, False))
                elif values.get(p.number):
                    queue += [(a, True) for a in p.args]
                elif None not in known:
                    queue.append((p, True))
                elif values.get(p.number) is False and known.count(None) == 1:
                    queue.append((p.args[known.index(None)], False))
    return False


def truths(assertions):
    """Comparisons are unknowns."""
    lines, names = ['(set-logic QF_UF)'], {}
    stack, seen = list(assertions), {}
    while stack:
        t = stack.pop()
        if t.number not in seen:
            seen[t.number] = t
            if t.op in ('and', 'not'):
                stack.extend(t.args)
    for n in sorted(seen):
        t = seen[n]
        if t.op in ('true', 'false'):
            names[n] = t.op
        elif t.op in ('and', 'not'):
            names[n] = f'b{n}'
            lines.append(f'(define-fun b{n} () Bool ({t.op} {" ".join(names[a.number] for a in t.args)}))')
        else:
            names[n] = f'b{n}'
            lines.append(f'(declare-const b{n} Bool)')
    lines += [f'(assert {names[a.number]})' for a in assertions]
    return '\n'.join(lines + ['(check-sat)', ''])


class Integers:
    """A term of w bits is the integer from 0 to 2^w - 1 that it says unsigned; signed is that or 2^w less. Sums are
    brought back into the range, low bits are remainders. Bitwise operations and shifts by unknowns are unknowns of which
    a few bounds are told."""

    def __init__(self):
        self.lines, self.unsigned, self.signs, self.lows, self.truth = ['(set-logic ALL)'], {}, {}, {}, {}

    def define(self, name, value, sort='Int'):
        self.lines.append(f'(define-fun {name} () {sort} {value})')
        return name

    def unknown(self, name, most):
        self.lines.append(f'(declare-const {name} Int)(assert (and (<= 0 {name}) (<= {name} {most})))')
        return name

    def sign(self, t):
        if is_const(t):
            n = signed(t.value, t.width)
            return str(n) if n >= 0 else f'(- {-n})'
        if t.op == 'sext':
            return self.sign(t.args[0])
        if t.op == 'zext':
            return self.unsigned[t.args[0].number]
        if t.number not in self.signs:
            u = self.unsigned[t.number]
            self.signs[t.number] = self.define(f's{t.number}', f'(ite (< {u} {1 << t.width - 1}) {u} (- {u} {1 << t.width}))')
        return self.signs[t.number]

    def low(self, t, k):
        """The low k bits."""
        if is_const(t):
            return str(t.value & ((1 << k) - 1))
        if t.width <= k or (t.op == 'zext' and t.args[0].width <= k):
            return self.unsigned[t.number]
        if t.op in ('zext', 'sext') and k <= t.args[0].width:
            return self.low(t.args[0], k)
        if (t.number, k) not in self.lows:
            low = self.unknown(f'l{t.number}_{k}', (1 << k) - 1)
            high = self.unknown(f'h{t.number}_{k}', (1 << t.width - k) - 1)
            self.lines.append(f'(assert (= {self.unsigned[t.number]} (+ (* {1 << k} {high}) {low})))')
            self.lows[t.number, k] = low, high
        return self.lows[t.number, k][0]

    def high(self, t, k):
        """What lies above the low k bits, moved down."""
        if k >= t.width:
            return '0'
        if is_const(t):
            return str(t.value >> k)
        if t.op == 'zext' and t.args[0].width < t.width:
            return self.high(t.args[0], k)
        low = self.low(t, k)
        if (t.number, k) not in self.lows:
            high = self.unknown(f'h{t.number}_{k}', (1 << t.width - k) - 1)
            self.lines.append(f'(assert (= {self.unsigned[t.number]} (+ (* {1 << k} {high}) {low})))')
            self.lows[t.number, k] = low, high
        return self.lows[t.number, k][1]

    def value(self, t):
        w, full = t.width, 1 << t.width
        n = f'u{t.number}'
        a = [self.unsigned.get(p.number) for p in t.args]
        constant = t.args[1].value if len(t.args) == 2 and t.op != 'concat' and is_const(t.args[1]) else None
        if t.op == 'const':
            return str(t.value)
        if t.op == 'var':
            return self.unknown(n, full - 1)
        if t.op == 'ite':
            return self.define(n, f'(ite {self.truth[t.args[0].number]} {a[1]} {a[2]})')
        if t.op == 'bvadd':
            return self.define(n, f'(ite (< (+ {a[0]} {a[1]}) {full}) (+ {a[0]} {a[1]}) (- (+ {a[0]} {a[1]}) {full}))')
        if t.op == 'bvsub':
            return self.define(n, f'(ite (<= {a[1]} {a[0]}) (- {a[0]} {a[1]}) (+ (- {a[0]} {a[1]}) {full}))')
        if t.op == 'zext':
            return a[0]
        if t.op == 'sext':
            inner = 1 << t.args[0].width
            return self.define(n, f'(ite (< {a[0]} {inner >> 1}) {a[0]} (+ {a[0]} {full - inner}))')
        if t.op == 'concat':
            return self.define(n, f'(+ (* {1 << t.args[1].width} {a[0]}) {a[1]})')
        if t.op == 'extract':
            top, least = t.value
            if least == 0:
                return self.low(t.args[0], top + 1)
            above = self.high(t.args[0], least)
            if top + 1 == t.args[0].width:
                return above
            over = self.high(t.args[0], top + 1)
            return self.define(n, f'(- {above} (* {1 << top + 1 - least} {over}))')
        if constant is not None:
            if t.op == 'bvxor' and constant == full - 1:
                return self.define(n, f'(- {full - 1} {a[0]})')
            if t.op == 'bvxor' and constant == full >> 1:
                return self.define(n, f'(ite (< {a[0]} {full >> 1}) (+ {a[0]} {full >> 1}) (- {a[0]} {full >> 1}))')
            if t.op == 'bvand' and full - constant & full - constant - 1 == 0:  # all above the low k bits
                k = (full - constant).bit_length() - 1
                return self.define(n, f'(- {a[0]} {self.low(t.args[0], k)})')
            if t.op == 'bvshl' and constant < w:
                return self.define(n, f'(* {1 << constant} {self.low(t.args[0], w - constant)})')
            if t.op == 'bvlshr' and constant < w:
                return self.high(t.args[0], constant)
        self.unknown(n, full - 1)
        if t.op == 'bvand':
            self.lines.append(f'(assert (and (<= {n} {a[0]}) (<= {n} {a[1]})))')
        elif t.op == 'bvor':
            self.lines.append(f'(assert (and (<= {a[0]} {n}) (<= {a[1]} {n}) (<= {n} (+ {a[0]} {a[1]}))))')
        elif t.op == 'bvxor':
            self.lines.append(f'(assert (<= {n} (+ {a[0]} {a[1]})))')
        elif t.op == 'bvlshr':
            self.lines.append(f'(assert (<= {n} {a[0]}))')
        elif t.op == 'bvashr':
            half = full >> 1
            self.lines.append(f'(assert (ite (< {a[0]} {half}) (<= {n} {a[0]}) (<= {a[0]} {n})))')
        return n

    def boolean(self, t):
        if t.op in ('true', 'false'):
            return t.op
        n = f'b{t.number}'
        if t.op == 'var':
            self.lines.append(f'(declare-const {n} Bool)')
            return n
        if t.op in ('and', 'not'):
            return self.define(n, f'({t.op} {" ".join(self.truth[a.number] for a in t.args)})', 'Bool')
        if t.op in ('bvslt', 'bvsle'):
            a = [self.sign(p) for p in t.args]
        else:
            a = [self.unsigned[p.number] for p in t.args]
        return self.define(n, f'({"=" if t.op == "=" else "<" if t.op[3:] == "lt" else "<="} {a[0]} {a[1]})', 'Bool')

    def text(self, assertions):
        for t in reach(assertions):
            if t.width:
                self.unsigned[t.number] = self.value(t)
            else:
                self.truth[t.number] = self.boolean(t)
        self.lines += [f'(assert {self.truth[a.number]})' for a in assertions]
        return '\n'.join(self.lines + ['(check-sat)', ''])


def integers(assertions):
    return Integers().text(assertions)
