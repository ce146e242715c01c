# SPDX-License-Identifier: MIT
"""What the instructions do, written from RFC 9669 as formulas: nothing here is taken from ext/. x and y have 64 bits; at a
width of w they are the low w bits, zero-extended, and so is the result."""
from term import *

OPS = {'add': 0x00, 'sub': 0x10, 'mul': 0x20, 'div': 0x30, 'or': 0x40, 'and': 0x50, 'lsh': 0x60, 'rsh': 0x70, 'neg': 0x80,
       'mod': 0x90, 'xor': 0xa0, 'arsh': 0xc0}
NAME = {v: k for k, v in OPS.items()}
MOV, END = 0xb0, 0xd0
JUMPS = {'jeq': 0x10, 'jgt': 0x20, 'jge': 0x30, 'jset': 0x40, 'jne': 0x50, 'jsgt': 0x60, 'jsge': 0x70, 'jlt': 0xa0,
         'jle': 0xb0, 'jslt': 0xc0, 'jsle': 0xd0}
ALU, JMP, JMP32, ALU64 = 4, 5, 6, 7


def number(n):
    return const(n, 64)


def alu(ex, op, sign, x, y, w):
    name = NAME[op]
    if name in ('lsh', 'rsh', 'arsh'):
        count = band(y, number(w - 1))
        if name == 'arsh':
            return low_of(ashr(sign_of(x, w), count), w)
        return low_of((shl if name == 'lsh' else lshr)(x, count), w)
    if name == 'neg':
        return low_of(sub(number(0), x), w)
    if name == 'mul':
        return low_of(ex.product('mul', x, y), w)
    if name in ('div', 'mod'):
        zero = eq(y, number(0))
        by_zero = number(0) if name == 'div' else x
        if not sign:
            return ite(zero, by_zero, ex.product('udiv' if name == 'div' else 'urem', x, y))
        sx, sy = sign_of(x, w), sign_of(y, w)
        least = number(-1 << (w - 1))
        over = conj(eq(sx, least), eq(sy, number(-1)))
        normal = ex.product('sdiv' if name == 'div' else 'srem', sx, sy)
        return ite(zero, by_zero, low_of(ite(over, least if name == 'div' else number(0), normal), w))
    return low_of({'add': add, 'sub': sub, 'or': bor, 'and': band, 'xor': bxor}[name](x, y), w)


def extend(x, w, sign):
    return sign_of(x, w) if sign else low_of(x, w)


def swap(x, w):
    """The bytes of the low w bits in reverse order."""
    value = extract(x, 7, 0)
    for i in range(8, w, 8):
        value = concat(value, extract(x, i + 7, i))
    return zext(value, 64)


def jump(name, x, y, w):
    sx, sy = sign_of(x, w), sign_of(y, w)
    x, y = low_of(x, w), low_of(y, w)
    return {'jeq': eq(x, y), 'jne': ne(x, y), 'jgt': ult(y, x), 'jge': ule(y, x), 'jlt': ult(x, y), 'jle': ule(x, y),
            'jsgt': slt(sy, sx), 'jsge': sle(sy, sx), 'jslt': slt(sx, sy), 'jsle': sle(sx, sy),
            'jset': ne(band(x, y), number(0))}[name]
