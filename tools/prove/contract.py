# SPDX-License-Identifier: MIT
"""What a function promises: for concrete values (ghosts) that its arguments contain, what its results contain. A contract is
proved once, of the function's body, for any arguments and ghosts; where another function calls it, the call gives anything that
keeps the promise for the ghosts that the caller's proof names (hints)."""
from ir import Refused
from term import *


def ones(w):
    return const((1 << w) - 1, 64)


class Bits:
    fields = (64, 64)

    def __init__(self, cells):
        self.cells = list(cells)
        self.value, self.unknown = cells

    def has(self, x, w=64):
        return eq(band(band(x, bnot(self.unknown)), ones(w)), band(self.value, ones(w)))


class Range:
    fields = (64,) * 4

    def __init__(self, cells):
        self.cells = list(cells)
        self.umin, self.umax, self.smin, self.smax = [zext(c, 64) for c in cells[:2]] + [sext(c, 64) for c in cells[2:]]

    def formed(self, w):
        """Its bounds are numbers of w bits."""
        return conj(*[eq(band(c, ones(w)), c) for c in (self.umin, self.umax)],
                    *[eq(sign_of(c, w), c) for c in (self.smin, self.smax)])

    def has(self, x, w):
        s = sign_of(x, w)
        return conj(ule(self.umin, x), ule(x, self.umax), sle(self.smin, s), sle(s, self.smax))

    def has_both(self, x, s):
        return conj(ule(self.umin, x), ule(x, self.umax), sle(self.smin, s), sle(s, self.smax))


class Num:
    fields = (64,) * 6 + (32,) * 4

    def __init__(self, cells):
        self.cells = list(cells)
        self.bits, self.full, self.half = Bits(cells[:2]), Range(cells[2:6]), Range(cells[6:])

    def has(self, x):
        return conj(self.bits.has(x), self.full.has(x, 64), self.half.has(low_of(x, 32), 32))


class Side:
    """Known bits and a range: struct operand, struct side."""
    fields = (64,) * 6

    def __init__(self, cells):
        self.cells = list(cells)
        self.bits, self.range = Bits(cells[:2]), Range(cells[2:])


class Long:
    fields = (64,)

    def __init__(self, cells):
        self.cells = list(cells)
        self.number, = cells


KINDS = {'bits': Bits, 'range': Range, 'num': Num, 'operand': Side, 'side': Side, 'long': Long}
ALL = {}  # contracts by name, in the order in which they are proved


class Values:
    pass


class Contract:
    """parameters: (name, kind): 'bits' by value, 'bits*' by address, 'out num*' written only, 'i32' and the like;
    writes: those whose target changes (later NAME_); returns: 'i32', 'bits' or None (later ret); cases: constant
    parameters, each case proved alone; ghosts: their names; relation(v, g, case, executor): pairs (when, promise);
    hints(g, case): for each function called, the ghosts to use, as a list of tuples."""

    def __init__(self, name, parameters, relation, writes=(), returns=None, cases=({},), ghosts='', hints=None,
                 loops=None, label=None, opaque=(), title=None, cuts=(), inline=(), order=('integers', 'bits')):
        self.name, self.parameters, self.relation, self.writes = name, parameters, relation, writes
        self.returns, self.cases, self.ghosts, self.loops, self.opaque = returns, cases, ghosts, loops, opaque
        self.hints = hints or (lambda g, case: {})
        self.label = label or (lambda case: ' '.join(f'{k} {v}' for k, v in case.items()))
        self.title, self.cuts, self.inline, self.order = title or name, cuts, inline, order
        ALL[name] = self

    def object_cells(self, ex, state, pointer, cls):
        cells, at = [], pointer[1]
        for width in cls.fields:
            cells.append(ex.load(state, (pointer[0], at), width // 8))
            at += width // 8
        return cells

    def write(self, ex, state, pointer, cells):
        at = pointer[1]
        for c in cells:
            ex.store(state, (pointer[0], at), c)
            at += c.width // 8

    def relate(self, v, ghosts, case, ex):
        g = Values()
        for n, x in zip(self.ghosts, ghosts):
            setattr(g, n, x)
        return self.relation(v, g, case, ex)

    # --- at a call
    def apply(self, ex, state, args):
        v, pointers, case, at = Values(), {}, {}, 0
        for name, kind in self.parameters:
            if kind == 'bits':
                setattr(v, name, Bits(args[at:at + 2]))
                at += 2
                continue
            arg = args[at]
            at += 1
            if kind.endswith('*'):
                pointers[name] = arg
                if not kind.startswith('out '):
                    cls = KINDS[kind[:-1]]
                    setattr(v, name, cls(self.object_cells(ex, state, arg, cls)))
            else:
                setattr(v, name, arg)
                case[name] = arg
        matches = [c for c in self.cases if all(case[k] is const(n, case[k].width) for k, n in c.items() if k in case)]
        if len(matches) != 1:
            raise Refused(f'{self.name} called as it was not proved: ' +
                          str({k: t.value for k, t in case.items() if is_const(t)}))
        first = count()
        self.results(ex, state, v, pointers)
        made = range(first + 1, count() + 1)
        hints = ex.hints.get(self.name, [()] if not self.ghosts else [])
        if isinstance(hints, dict):  # of the first call, the second, ...
            nth = ex.calls[self.name] = ex.calls.get(self.name, 0) + 1
            hints = hints[nth]
        for ghosts in hints:
            for i, (when, promise) in enumerate(self.relate(v, ghosts, matches[0], ex)):
                if i == 0 and self.name in ex.cuts:  # to be proved here, then used (see proof)
                    ex.steps.append((len(ex.assumptions), conj(*state.path), when, promise))
                    ex.assumptions.append((TRUE, made))
                else:
                    ex.assumptions.append((implies(when, promise), made))
        if self.returns == 'bits':
            return tuple(v.ret.cells)
        return v.ret if self.returns else None

    def results(self, ex, state, v, pointers):
        kinds = dict(self.parameters)
        for name in self.writes:
            cls = KINDS[kinds[name].replace('out ', '')[:-1]]
            after = cls([fresh(width, self.name) for width in cls.fields])
            setattr(v, name + '_', after)
            self.write(ex, state, pointers[name], after.cells)
        if self.returns == 'bits':
            v.ret = Bits([fresh(64, self.name), fresh(64, self.name)])
        elif self.returns:
            v.ret = fresh(int(self.returns[1:]), self.name)

    # --- of the body
    def proof(self, module, executor_class, state_class, case, bits=64):
        """The executor after the body, and what is to be shown of it: pairs (when, promise). bits: below 64, arguments and
        ghosts are sign-extended from so many only (at a width of w: to w)."""
        contracts = {n: c for n, c in ALL.items() if n != self.name and n not in self.inline}
        w = case.get('w', 64)

        def unknown(width, name, sign=0):
            if bits >= width:
                return fresh(width, name)
            narrow = sext(fresh(bits, name), width)
            return narrow if sign or width < 64 else low_of(narrow, w)

        def cells(cls, name):
            signs = [0] * len(cls.fields)
            for at in (2, 3) if cls is Range else (4, 5) if cls is Side else (4, 5, 8, 9) if cls is Num else ():
                signs[at] = 1
            return [unknown(width, name, sign) for width, sign in zip(cls.fields, signs)]

        ghosts = [unknown(64, n) for n in self.ghosts]
        g = Values()
        for n, x in zip(self.ghosts, ghosts):
            setattr(g, n, x)
        ex = g.ex = executor_class(module, contracts, self.loops and self.loops(g, case))
        ex.proves = self.name
        ex.hints = self.hints(g, case)
        ex.cuts = self.cuts
        state, v, pointers, args = state_class((), {}, {}), Values(), {}, []
        for name, kind in self.parameters:
            if kind == 'bits':
                value = Bits(cells(Bits, name))
                setattr(v, name, value)
                args += value.cells
            elif kind.endswith('*'):
                cls = KINDS[kind.replace('out ', '')[:-1]]
                pointer = ex.object(state, ('tuple', tuple(('int', n) for n in cls.fields)))
                pointers[name] = pointer
                if name in self.opaque:
                    ex.opaque.add(pointer[0])
                elif not kind.startswith('out '):
                    value = cls(cells(cls, name))
                    for i, number in case.get(name, {}).items():
                        value.cells[i] = const(number, cls.fields[i])
                    value = cls(value.cells)
                    self.write(ex, state, pointer, value.cells)
                    setattr(v, name, value)
                args.append(pointer)
            else:
                width = int(kind[1:])
                value = const(case[name], width) if name in case else unknown(width, name)
                setattr(v, name, value)
                args.append(value)
        ex.arguments = {p[0] for p in pointers.values()}
        ret, after = ex.run(self.name, args, state)
        if after is None:
            raise Refused(f'{self.name} does not return')
        path = conj(*after.path)
        if not ex.loops:
            ex.obligations.append(path)  # it always does
        for name in self.writes:
            cls = KINDS[dict(self.parameters)[name].replace('out ', '')[:-1]]
            setattr(v, name + '_', cls(self.object_cells(ex, after, pointers[name], cls)))
        # What is not said to be written is not.
        for name, kind in self.parameters:
            if kind.endswith('*') and name not in self.writes and name not in self.opaque:
                cells = self.object_cells(ex, after, pointers[name], KINDS[kind[:-1]])
                same = conj(*[eq(a, b) for a, b in zip(cells, getattr(v, name).cells)])
                ex.obligations.append(implies(path, same))
        if self.returns == 'bits':
            v.ret = Bits(ret)
        elif self.returns:
            v.ret = ret
        pairs = [(conj(path, when), promise) for when, promise in self.relate(v, ghosts, case, ex)]
        # What a call needs is shown from what was known before it; what follows knows only what the call promises.
        for at, way, when, promise in ex.steps:
            here = conj(way, pairs[0][0])
            ex.lemmas.append((implies(here, when), at))
            ex.assumptions[at] = (implies(here, promise), ex.assumptions[at][1])
        return ex, pairs
