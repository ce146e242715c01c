# SPDX-License-Identifier: MIT
"""Executes functions of LLVM's language on terms: all paths at once, joined where they meet. Loops are unrolled as long as
they can go on, or cut at an invariant. A call of a function that has a contract gives anything that keeps the contract.

Memory is objects of cells (a scalar each); an address is an object and a distance, always known. A shift by too much, and
what was never written, are an unknown each time. Division where it would trap is an obligation: that it is not reached."""
from ir import Refused
from term import *

UNROLL = 70


class Choice:
    """An address that depends on data: one of several."""

    def __init__(self, pointers, conditions):
        self.pointers, self.conditions = pointers, conditions


class State:
    """What is known at a place: the conditions of the way there, registers, memory."""
    __slots__ = ('path', 'env', 'memory')

    def __init__(self, path, env, memory):
        self.path, self.env, self.memory = path, env, memory

    def fork(self, condition=TRUE):
        path = self.path
        if condition is not TRUE:
            path = path + ((condition,) if condition.op != 'and' else condition.args)
        return State(path, dict(self.env), {k: dict(v) for k, v in self.memory.items()})

    def dead(self):
        return conj(*self.path) is FALSE


class Executor:
    def __init__(self, module, contracts, loops=None):
        self.module, self.contracts, self.loops = module, contracts, loops or {}
        self.assumptions, self.obligations = [], []
        self.calls = {}
        self.cuts, self.steps, self.lemmas, self.facts = (), [], [], []
        self.layouts, self.products = [], {}
        self.proves = None  # the function whose promise it is for
        self.used = set()  # functions whose contracts were relied on
        self.opaque = set()  # objects of which every load gives an unknown

    def assume(self, fact):
        """Of whatever the goal is: not only of what a call made."""
        self.assumptions.append((fact, ()))

    # --- types and memory
    def flat(self, kind):
        """Distance, bytes of each scalar; then the size."""
        if kind[0] == 'int':
            size = max(1, kind[1] // 8)
            return [(0, size)], size
        if kind[0] == 'struct':
            return self.flat(self.module.structs[kind[1]])
        if kind[0] == 'array':
            cells, size = self.flat(kind[2])
            return [(i * size + at, n) for i in range(kind[1]) for at, n in cells], size * kind[1]
        if kind[0] == 'tuple':
            out, at, largest = [], 0, 1
            for part in kind[1]:
                cells, size = self.flat(part)
                align = max(n for _, n in cells)
                largest = max(largest, align)
                at = (at + align - 1) // align * align
                out += [(at + d, n) for d, n in cells]
                at += size
            return out, (at + largest - 1) // largest * largest
        raise Refused(f'memory of type {kind}')

    def object(self, state, kind):
        cells, _ = self.flat(kind)
        self.layouts.append(dict(cells))
        state.memory[len(self.layouts) - 1] = {}
        return (len(self.layouts) - 1, 0)

    def cell(self, state, object, at):
        cells = state.memory[object]
        if at not in cells:
            cells[at] = fresh(self.layouts[object][at] * 8, 'unwritten')
        return cells[at]

    def load(self, state, pointer, size):
        if isinstance(pointer, Choice):
            return self.join([self.load(state, p, size) for p in pointer.pointers], pointer.conditions)
        object, at = pointer
        if object in self.opaque:
            return fresh(size * 8, 'outside')
        layout = self.layouts[object]
        if at not in layout or layout[at] > size:
            raise Refused(f'a load of {size} at {at} of {layout}')
        value = self.cell(state, object, at)
        n = layout[at]
        while n < size:
            value = concat(self.cell(state, object, at + n), value)
            n += layout[at + n]
        if n != size:
            raise Refused('a load across cells')
        return value

    def store(self, state, pointer, value):
        object, at = pointer
        layout, n, bits = self.layouts[object], 0, value.width
        while n * 8 < bits:
            size = layout.get(at + n)
            if size is None or (n + size) * 8 > bits:
                raise Refused(f'a store of {bits} at {at} of {layout}')
            state.memory[object][at + n] = extract(value, (n + size) * 8 - 1, n * 8)
            n += size

    def moved(self, pointer, distance):
        if isinstance(pointer, Choice):
            return Choice([self.moved(p, distance) for p in pointer.pointers], pointer.conditions)
        return (pointer[0], pointer[1] + distance)

    def copy(self, state, to, source, size):
        values = [(d, self.load(state, self.moved(source, d - to[1]), self.layouts[to[0]][d])) for d in self.layouts[to[0]] if to[1] <= d < to[1] + size]
        for d, value in values:
            state.memory[to[0]][d] = value

    # --- values
    def value(self, state, text, kind):
        if text in state.env:
            return state.env[text]
        if text in ('true', 'false'):
            return truth(text == 'true')
        if text in ('undef', 'poison'):
            if kind[0] == 'tuple':
                return tuple(self.value(state, text, k) for k in kind[1])
            return fresh(kind[1] if kind[1] > 1 else 0, text)
        if text.lstrip('-').isdigit():
            return const(int(text), kind[1]) if kind[1] > 1 else truth(int(text))
        raise Refused(f'value {text}')

    def join(self, values, conditions):
        first = values[0]
        if all(v is first for v in values):
            return first
        if isinstance(first, tuple):
            if isinstance(first[0], Term):
                return tuple(self.join(list(parts), conditions) for parts in zip(*values))
            return first if all(v == first for v in values) else Choice(values, conditions)
        out = values[-1]
        for value, condition in zip(values[-2::-1], conditions[-2::-1]):
            out = ite(condition, value, out)
        return out

    def merge(self, edges, phis):
        """The state where these ways meet."""
        edges = [(source, s) for source, s in edges if not s.dead()]
        if not edges:
            return None
        states = [s for _, s in edges]
        common = tuple(c for c in states[0].path if all(c in s.path for s in states))
        rest = [conj(*[c for c in s.path if c not in common]) for s in states]
        either = disj(*rest)
        out = State(common + ((either,) if either is not TRUE else ()), {}, {})
        for name in states[0].env:
            if all(name in s.env for s in states):
                values = [s.env[name] for s in states]
                same = all(v is values[0] or (isinstance(v, tuple) and v == values[0]) for v in values)
                out.env[name] = values[0] if same else self.join(values, rest)
        for object in states[0].memory:
            if all(object in s.memory for s in states):
                out.memory[object] = {
                    at: self.join([self.cell(s, object, at) for s in states], rest)
                    for at in set().union(*[s.memory[object] for s in states])}
        for _, name, kind, pairs in phis:
            by = dict((block, value) for value, block in pairs)
            out.env[name] = self.join([self.value(s, by[source], kind) for source, s in edges], rest)
        return out

    # --- control flow
    def components(self, f, successors):
        """Strongly connected ones in an order in which each comes before what it leads to (Tarjan)."""
        index, low, stack, out = {}, {}, [], []

        def visit(b):
            index[b] = low[b] = len(index)
            stack.append(b)
            for c in successors[b]:
                if c not in index:
                    visit(c)
                    low[b] = min(low[b], low[c])
                elif c in stack:
                    low[b] = min(low[b], index[c])
            if low[b] == index[b]:
                part = []
                while not part or part[-1] != b:
                    part.append(stack.pop())
                out.append(part)

        visit(f.entry)
        return out[::-1]

    def successors(self, f):
        out = {}
        for name, block in f.blocks.items():
            last = block[-1]
            if last[0] == 'br':
                out[name] = [last[3]] + ([last[4]] if last[4] else [])
            elif last[0] == 'switch':
                out[name] = [last[4]] + [label for _, label in last[5]]
            else:
                out[name] = []
        return out

    def run(self, name, args, state):
        """Calls a function's body: its value, and the state after it (None: it does not return)."""
        f = self.module.functions[name]
        successors = self.successors(f)
        start = State(state.path, {v: a for (_, v), a in zip(f.parameters, args)}, state.memory)
        incoming = {b: [] for b in f.blocks}
        incoming[f.entry].append((None, start))
        returns = []
        for part in self.components(f, successors):
            if len(part) == 1 and part[0] not in successors[part[0]]:
                self.block(f, part[0], incoming, returns)
            else:
                self.loop(f, part, successors, incoming, returns)
        returns = [r for r in returns if not r[1].dead()]
        if not returns:
            return None, None
        value = None
        if f.result != ('void',):
            for v, s in returns:
                s.env['return'] = v
        after = self.merge([(None, s) for _, s in returns], [])
        if f.result != ('void',):
            value = after.env['return']
        after.env = state.env
        return value, after

    def block(self, f, name, incoming, returns):
        block = f.blocks[name]
        phis = [i for i in block if i[0] == 'phi']
        state = self.merge(incoming[name], phis)
        incoming[name] = []
        if state is None:
            return
        for i in block[len(phis):]:
            if i[0] == 'ret':
                value = None if i[3] is None else self.value(state, i[3], i[2])
                returns.append((value, state))
            elif i[0] == 'br':
                if i[4] is None:
                    incoming[i[3]].append((name, state))
                else:
                    c = self.value(state, i[2], ('int', 1))
                    incoming[i[3]].append((name, state.fork(c)))
                    incoming[i[4]].append((name, state.fork(neg(c))))
            elif i[0] == 'switch':
                value, to, others = self.value(state, i[3], i[2]), {}, []
                for case, label in i[5]:
                    c = eq(value, const(int(case), i[2][1]))
                    to.setdefault(label, []).append(c)
                    others.append(neg(c))
                to.setdefault(i[4], []).append(conj(*others))
                for label, cs in to.items():
                    incoming[label].append((name, state.fork(disj(*cs))))
            elif i[0] == 'unreachable':
                self.obligations.append(neg(conj(*state.path)))
            elif self.step(state, i) is False:
                return

    def loop(self, f, part, successors, incoming, returns):
        heads = [b for b in part if incoming[b]]
        if not heads:
            return
        if len(heads) != 1:
            raise Refused(f'a loop with several entries in {f.name}')
        head = heads[0]
        inner = {b: [c for c in successors[b] if c in part and c != head] for b in part}
        order, seen = [], set()

        def visit(b, above):
            if b in above:
                raise Refused(f'a loop within a loop in {f.name}')
            if b not in seen:
                for c in inner[b]:
                    visit(c, above | {b})
                seen.add(b)
                order.insert(0, b)

        visit(head, frozenset())
        if f.name in self.loops:
            self.cut(f, head, order, incoming, returns)
            return
        for _ in range(UNROLL):
            for b in order:
                self.block(f, b, incoming, returns)
            incoming[head] = [e for e in incoming[head] if not e[1].dead()]
            if not incoming[head]:
                return
        raise Refused(f'a loop in {f.name} that does not end')

    def cut(self, f, head, order, incoming, returns):
        """One turn of the loop stands for all: the invariant holds when it begins, so after each turn."""
        phis = [i for i in f.blocks[head] if i[0] == 'phi']
        state = self.merge(incoming[head], phis)
        if state is None:
            return
        invariant = self.loops[f.name](self)
        names = [i[1] for i in phis]
        self.obligations.append(implies(conj(*state.path), invariant.begins(state, [state.env[n] for n in names])))
        for name in names:
            if isinstance(state.env[name], Term):
                state.env[name] = fresh(state.env[name].width, 'turn')
        for object in invariant.changed(state):
            for at, size in self.layouts[object].items():
                state.memory[object][at] = fresh(size * 8, 'turn')
        self.assume(invariant.holds(state, [state.env[n] for n in names]))
        # The head's phis have their values now.
        incoming[head] = []
        block = f.blocks[head]
        f.blocks[head] = block[len(phis):]
        incoming[head].append((None, state))
        for b in order:
            self.block(f, b, incoming, returns)
        f.blocks[head] = block
        again = self.merge(incoming[head], phis)
        incoming[head] = []
        if again is not None:
            self.obligations.append(implies(conj(*again.path),
                                            invariant.stays(again, [again.env[n] for n in names])))

    # --- instructions
    def step(self, state, i):
        op, out = i[0], i[1]
        if op == 'icmp':
            _, _, how, kind, a, b = i
            if kind[0] == 'pointer':
                raise Refused('comparing addresses')
            a, b = self.value(state, a, kind), self.value(state, b, kind)
            table = {'eq': eq, 'ne': ne, 'ult': ult, 'ule': ule, 'slt': slt, 'sle': sle}
            if how in table:
                state.env[out] = table[how](a, b)
            else:
                state.env[out] = table[how.replace('g', 'l')](b, a)
        elif op in ('zext', 'sext', 'trunc'):
            a = self.value(state, i[3], i[2])
            width = i[4][1]
            if op == 'trunc':
                state.env[out] = extract(a, width - 1, 0) if width > 1 else eq(extract(a, 0, 0), const(1, 1))
            else:
                state.env[out] = (zext if op == 'zext' else sext)(a, width)
        elif op in ('bitcast', 'freeze'):
            state.env[out] = self.value(state, i[3], i[2])
        elif op == 'select':
            c = self.value(state, i[2], ('int', 1))
            state.env[out] = self.join([self.value(state, i[4], i[3]), self.value(state, i[5], i[3])], [c, neg(c)])
        elif op == 'alloca':
            state.env[out] = self.object(state, i[2])
        elif op == 'getelementptr':
            state.env[out] = self.element(state, i[2], i[3], i[4])
        elif op == 'load':
            state.env[out] = self.load(state, self.value(state, i[3], None), i[2][1] // 8)
        elif op == 'store':
            self.store(state, self.value(state, i[4], None), self.value(state, i[3], i[2]))
        elif op == 'extractvalue':
            state.env[out] = self.value(state, i[3], i[2])[i[4]]
        elif op == 'insertvalue':
            parts = list(self.value(state, i[3], i[2]))
            parts[i[6]] = self.value(state, i[5], i[4])
            state.env[out] = tuple(parts)
        elif op == 'call':
            return self.call(state, i)
        else:
            state.env[out] = self.arithmetic(state, op, i[2], i[3], i[4])

    def element(self, state, kind, base, index):
        object, at = self.value(state, base, None)
        for n, (index_kind, text) in enumerate(index):
            number = self.value(state, text, index_kind)
            if object in self.opaque:
                return (object, at)
            if not is_const(number):
                raise Refused('an address that depends on data')
            number = signed(number.value, number.width)
            if n == 0:
                at += number * self.flat(kind)[1]
                continue
            if kind[0] == 'struct':
                kind = self.module.structs[kind[1]]
            if kind[0] == 'array':
                kind = kind[2]
                at += number * self.flat(kind)[1]
                continue
            before = ('tuple', kind[1][:number + 1])
            part_size = self.flat(kind[1][number])[1]
            at += self.flat(before)[0][-1][0] + self.flat(before)[0][-1][1] - part_size if number else 0
            kind = kind[1][number]
        return (object, at)

    def arithmetic(self, state, op, kind, a, b):
        a, b = self.value(state, a, kind), self.value(state, b, kind)
        if kind[1] == 1:
            return {'and': conj, 'or': disj, 'xor': lambda p, q: neg(eq(p, q))}[op](a, b)
        if op in ('shl', 'lshr', 'ashr'):
            done = {'shl': shl, 'lshr': lshr, 'ashr': ashr}[op](a, b)
            return ite(ult(b, const(b.width, b.width)), done, fresh(a.width, 'shifted'))
        if op in ('udiv', 'urem', 'sdiv', 'srem'):
            trap = eq(b, const(0, b.width))
            if op[0] == 's':
                trap = disj(trap, conj(eq(b, const(-1, b.width)), eq(a, const(1 << (a.width - 1), a.width))))
            self.obligations.append(neg(conj(*state.path, trap)))
            return self.product(op, a, b)
        if op == 'mul' and not is_const(a) and not is_const(b):
            return self.product('mul', a, b)
        return {'add': add, 'sub': sub, 'and': band, 'or': bor, 'xor': bxor, 'mul': lambda p, q: binary('bvmul', p, q)}[
            op](a, b)

    def product(self, op, a, b):
        """A product or quotient, of which only lemmas say something; op may also be 'over' or 'signed_over': whether
        the product is too large."""
        if op in ('mul', 'over', 'signed_over') and a.number > b.number:
            a, b = b, a
        key = (op, a.number, b.number)
        if key not in self.products:
            self.products[key] = (op, a, b, fresh(0 if 'over' in op else a.width, op))
        return self.products[key][3]

    def call(self, state, i):
        _, out, kind, callee, args = i
        if callee.startswith('llvm.'):
            return self.intrinsic(state, out, callee, args)
        values = [self.value(state, text, k) for k, text in args]
        if callee in self.contracts:
            self.used.add(callee)
            result = self.contracts[callee].apply(self, state, values)
        elif callee in self.module.functions:
            result, after = self.run(callee, values, state)
            if after is None:
                return False
            state.path, state.memory = after.path, after.memory
        else:
            raise Refused(f'a call of {callee}')
        if out:
            state.env[out] = result

    def intrinsic(self, state, out, callee, args):
        what = callee.split('.')[1]
        if what in ('lifetime', 'experimental'):
            return
        v = [self.value(state, text, k) for k, text in args]
        if what == 'memcpy':
            self.copy(state, v[0], v[1], v[2].value)
        elif what == 'memset':
            if not is_const(v[1]) or v[1].value:
                raise Refused('memset of something else than 0')
            object, at = v[0]
            for d, size in self.layouts[object].items():
                if at <= d < at + v[2].value:
                    state.memory[object][d] = const(0, size * 8)
        elif what in ('umin', 'umax', 'smin', 'smax'):
            less = (ult if what[0] == 'u' else slt)(v[0], v[1])
            state.env[out] = ite(less, *(v[:2] if what.endswith('min') else v[1::-1]))
        elif what == 'abs':
            state.env[out] = ite(slt(v[0], const(0, v[0].width)), sub(const(0, v[0].width), v[0]), v[0])
        elif what in ('umul', 'smul') and 'overflow' in callee:
            over = self.product('over' if what == 'umul' else 'signed_over', v[0], v[1])
            state.env[out] = (self.product('mul', v[0], v[1]), over)
        elif what == 'fshl' and all(is_const(t) for t in v):
            both = concat(v[0], v[1])
            state.env[out] = extract(shl(both, zext(band(v[2], const(v[2].width - 1, v[2].width)), both.width)),
                                     both.width - 1, v[0].width)
        elif what == 'bswap':
            bytes_ = [extract(v[0], n * 8 + 7, n * 8) for n in range(v[0].width // 8)]
            value = bytes_[0]
            for b in bytes_[1:]:
                value = concat(value, b)
            state.env[out] = value
        else:
            raise Refused(f'a call of {callee}')
