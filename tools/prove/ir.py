# SPDX-License-Identifier: MIT
"""Reads LLVM's intermediate language (text, version 14: typed pointers): the part that clang makes of ext/num*.c. What
it does not know it refuses."""
import re


class Refused(Exception):
    pass


TOKEN = re.compile(r'"[^"]*"|[%@!#][-\w.$]*|\.\.\.|[-\w.]+|[][(){},*=<>]')


class Scanner:
    def __init__(self, text):
        self.tokens, self.at = TOKEN.findall(text), 0

    def peek(self, ahead=0):
        i = self.at + ahead
        return self.tokens[i] if i < len(self.tokens) else ''

    def next(self):
        self.at += 1
        return self.tokens[self.at - 1] if self.at <= len(self.tokens) else ''

    def take(self, token):
        if self.peek() == token:
            self.at += 1
            return True
        return False

    def need(self, token):
        if not self.take(token):
            raise Refused(f'{token} expected in: {" ".join(self.tokens)}')

    def skip_group(self):
        self.need('(')
        depth = 1
        while depth:
            t = self.next()
            depth += (t == '(') - (t == ')')
            if not t:
                raise Refused('an open parenthesis')

    def type(self):
        t = self.next()
        if re.fullmatch(r'i\d+', t):
            kind = ('int', int(t[1:]))
        elif t == 'void':
            kind = ('void',)
        elif t.startswith('%'):
            kind = ('struct', t)
        elif t == '{':
            kind = ('tuple', tuple(self.list('}')))
        elif t == '[':
            n = int(self.next())
            self.need('x')
            kind = ('array', n, self.type())
            self.need(']')
        else:
            raise Refused(f'type {t} in: {" ".join(self.tokens)}')
        while self.take('*'):
            kind = ('pointer', kind)
        return kind

    def list(self, end):
        if self.take(end):
            return []
        out = [self.type()]
        while self.take(','):
            out.append(self.type())
        self.need(end)
        return out

    def value(self):
        """After attributes."""
        while True:
            t = self.peek()
            if t[:1] in '%@' and t or re.fullmatch(r'-?\d+|true|false|null|undef|poison', t):
                return self.next()
            if t == '{' or t == '<' or not re.fullmatch(r'[a-z_]+', t):
                raise Refused(f'value {t} in: {" ".join(self.tokens)}')
            self.next()
            if t == 'align':
                self.next()
            elif self.peek() == '(':
                self.skip_group()

    def typed(self):
        kind = self.type()
        return kind, self.value()


class Function:
    def __init__(self, name, result, parameters):
        self.name, self.result, self.parameters = name, result, parameters
        self.blocks, self.order = {}, []


SKIP_WORDS = {'nuw', 'nsw', 'exact', 'inbounds', 'tail', 'musttail', 'notail', 'volatile'}


def clean(line):
    line = line.split(';')[0].strip()
    return re.sub(r',\s*!\S.*$', '', line)


class Module:
    def __init__(self):
        self.structs, self.functions = {}, {}

    def read(self, text):
        lines = text.split('\n')
        i = 0
        while i < len(lines):
            line = lines[i]
            if line.startswith('%'):
                s = Scanner(line)
                name = s.next()
                s.need('=')
                s.need('type')
                s.need('{')
                self.structs[name] = ('tuple', tuple(s.list('}')))
            elif line.startswith('define'):
                i = self.function(lines, i)
            i += 1

    def function(self, lines, i):
        s = Scanner(lines[i])
        while s.peek(1)[:1] != '@':  # linkage, attributes of the result, its type
            if s.peek() == '{':
                break
            if re.fullmatch(r'i\d+|void|%.*', s.peek()):
                break
            s.next()
        result = s.type()
        name = s.next()[1:]
        s.need('(')
        parameters = []
        while not s.take(')'):
            parameters.append(s.typed())
            s.take(',')
        f = Function(name, result, parameters)
        f.entry = block = '%' + str(len(parameters))
        f.blocks[block] = []
        f.order.append(block)
        i += 1
        while lines[i] != '}':
            label = re.match(r'([-\w.]+):', lines[i])
            line = clean(lines[i])
            if label:
                block = '%' + label.group(1)
                f.blocks[block] = []
                f.order.append(block)
            elif line:
                if line.endswith('['):  # a switch over several lines
                    while not lines[i].strip().startswith(']'):
                        i += 1
                        line += ' ' + clean(lines[i])
                f.blocks[block].append(self.instruction(line))
            i += 1
        self.functions[name] = f
        return i

    def instruction(self, line):
        s = Scanner(line)
        out = None
        if s.peek(1) == '=':
            out = s.next()
            s.next()
        op = s.next()
        while op in SKIP_WORDS:
            op = s.next()
        while s.peek() in SKIP_WORDS:
            s.next()
        if op in ('add', 'sub', 'mul', 'udiv', 'sdiv', 'urem', 'srem', 'and', 'or', 'xor', 'shl', 'lshr', 'ashr'):
            kind, a = s.typed()
            s.need(',')
            return (op, out, kind, a, s.value())
        if op == 'icmp':
            how = s.next()
            kind, a = s.typed()
            s.need(',')
            return (op, out, how, kind, a, s.value())
        if op in ('zext', 'sext', 'trunc', 'bitcast', 'freeze'):
            kind, a = s.typed()
            return (op, out, kind, a, s.type() if s.take('to') else kind)
        if op == 'select':
            _, c = s.typed()
            s.need(',')
            kind, a = s.typed()
            s.need(',')
            _, b = s.typed()
            return (op, out, c, kind, a, b)
        if op == 'phi':
            kind, pairs = s.type(), []
            while s.take('['):
                value = s.value()
                s.need(',')
                pairs.append((value, s.next()))
                s.need(']')
                s.take(',')
            return (op, out, kind, pairs)
        if op == 'alloca':
            return (op, out, s.type())
        if op == 'getelementptr':
            kind = s.type()
            s.need(',')
            _, base = s.typed()
            index = []
            while s.take(','):
                index.append(s.typed())
            return (op, out, kind, base, index)
        if op == 'load':
            kind = s.type()
            s.need(',')
            return (op, out, kind, s.typed()[1])
        if op == 'store':
            kind, value = s.typed()
            s.need(',')
            return (op, None, kind, value, s.typed()[1])
        if op == 'br':
            if s.take('label'):
                return (op, None, None, s.next(), None)
            _, c = s.typed()
            s.need(',')
            s.need('label')
            yes = s.next()
            s.need(',')
            s.need('label')
            return (op, None, c, yes, s.next())
        if op == 'switch':
            kind, value = s.typed()
            s.need(',')
            s.need('label')
            default, cases = s.next(), []
            s.need('[')
            while not s.take(']'):
                _, case = s.typed()
                s.need(',')
                s.need('label')
                cases.append((case, s.next()))
            return (op, None, kind, value, default, cases)
        if op == 'ret':
            kind = s.type()
            return (op, None, kind, None if kind == ('void',) else s.value())
        if op == 'call':
            while s.peek() in ('noundef', 'zeroext', 'signext', 'fastcc'):
                s.next()
            kind, callee, args = s.type(), s.next(), []
            s.need('(')
            if 'noalias.scope' in callee:
                return (op, None, kind, callee[1:], [])
            while not s.take(')'):
                args.append(s.typed())
                s.take(',')
            return (op, out, kind, callee[1:], args)
        if op == 'extractvalue':
            kind, a = s.typed()
            s.need(',')
            return (op, out, kind, a, int(s.next()))
        if op == 'insertvalue':
            kind, a = s.typed()
            s.need(',')
            part, b = s.typed()
            s.need(',')
            return (op, out, kind, a, part, b, int(s.next()))
        if op == 'unreachable':
            return (op, None)
        raise Refused(f'{op} in: {line}')
