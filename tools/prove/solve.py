# SPDX-License-Identifier: MIT
"""Asks Z3 whether a goal follows from what is known, by one way after another until one answers: truth values alone,
integers, bit vectors, and then case by case of the conditions on which the goal's terms depend. Only what speaks of the goal's
unknowns is asked about: to leave something known away can lose a proof, never make one."""
import hashlib
import os
import re
import select
import subprocess

import abstract
import term
from term import given, neg, unknowns

DEPTH = 10  # cases within cases


def relevant(known, goal):
    """What is known of the goal's unknowns: of results of calls, what the call promises; and so on of what that needs.
    known: (formula, numbers of the unknowns that it is about; none: always)."""
    chosen, needed, rest = [], set(unknowns(goal)), list(known)
    grown = True
    while grown:
        grown, left = False, []
        for formula, about in rest:
            if about == () or not needed.isdisjoint(about):
                chosen.append(formula)
                needed |= unknowns(formula)
                grown = True
            else:
                left.append((formula, about))
        rest = left
    return [f for f in chosen if f is not term.TRUE]


def condition(goal):
    """One on which a term of the goal depends: the earliest made that is no combination."""
    for t in term.reach([goal]):
        if t.op == 'ite':
            c = t.args[0]
            while c.op in ('and', 'not'):
                c = c.args[0]
            return c
    return None


class Z3:
    """One process, asked again and again: each question ends with a mark that it repeats, and with forgetting everything."""
    SERVES = 300  # questions

    def __init__(self):
        self.process, self.asked = None, 0

    def seconds(self):
        """Of the processor."""
        with open(f'/proc/{self.process.pid}/stat') as stat:
            fields = stat.read().rsplit(')', 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def ask(self, text, limit):
        """What it says, and the seconds that it took; '' if more than limit."""
        if self.asked % self.SERVES == 0:
            self.stop()
        self.asked += 1
        if not self.process:
            self.process = subprocess.Popen(['z3', '-in'], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=subprocess.STDOUT)
        z3, begun, mark, said = self.process, self.seconds(), f'asked {self.asked}\n', ''
        z3.stdin.write(f'{text}(reset)\n(echo "{mark[:-1]}")\n'.encode())
        z3.stdin.flush()
        while not said.endswith(mark):
            if select.select([z3.stdout], [], [], 0.1)[0]:
                part = os.read(z3.stdout.fileno(), 1 << 16).decode()
                if not part:
                    raise ValueError(f'z3 ended: {said}')
                said += part
            elif self.seconds() - begun > limit:
                self.stop()
                return '', limit
        return said[:-len(mark)], self.seconds() - begun


Z3_HERE = Z3()  # of this process


class Solver:
    def __init__(self, known=None):
        self.known, self.spent, self.ways = known, 0.0, {}
        if known:
            os.makedirs(known, exist_ok=True)

    def ask(self, text, seconds):
        """unsat, sat, or unknown; seconds of the processor, so that a loaded machine proves as much."""
        mark = self.known and os.path.join(self.known, hashlib.sha256(text.encode()).hexdigest())
        if mark and os.path.exists(mark):
            return 'unsat'
        said, used = Z3_HERE.ask(text, seconds)
        self.spent += used
        answer = said.split('\n')[0]
        if '(error' in answer:
            raise ValueError(f'z3: {answer}')
        if answer == 'unsat' and mark:
            open(mark, 'w').close()
        return answer if answer in ('unsat', 'sat') else 'unknown'

    def won(self, way):
        self.ways[way] = self.ways.get(way, 0) + 1
        return 'unsat', None

    def prove(self, known, goal, until, order, depth=0, first=3):
        """('unsat', None) when the goal follows, ('sat', formulas), or ('unknown', formulas). until: what may have been
        spent then, in seconds. order: the ways to try first."""
        if goal is term.TRUE:
            return self.won('plain')
        formulas = relevant(known, neg(goal)) + [neg(goal)]
        if abstract.refuted(formulas) or ('cases' not in order and self.ask(abstract.truths(formulas), 5) == 'unsat'):
            return self.won('truth')
        c = condition(goal) if depth < DEPTH else None
        if c is not None and 'cases' in order:
            if self.leaves(known, goal, until, first):
                return self.won('cases')
        order = [w for w in order if w != 'cases']
        rounds = [(first, w) for w in order] + ([(0, 'cases')] if c is not None else []) + \
            [(seconds, w) for seconds in (20, 1000) for w in order]
        for seconds, way in rounds:
            left = until - self.spent
            if left <= 0:
                break
            if way == 'cases':
                return self.cases(known, goal, c, until, order, depth)
            text = (abstract.integers if way == 'integers' else term.smt)(formulas)
            answer = self.ask(text, min(seconds, left))
            if answer == 'unsat':
                return self.won(way)
            if answer == 'sat' and way == 'bits':
                return 'sat', formulas
        return 'unknown', formulas

    def leaves(self, known, goal, until, first):
        """Whether truth values are enough in each case of each condition of the goal's terms, or the rest is soon seen."""
        formulas = relevant(known, neg(goal)) + [neg(goal)]
        if abstract.refuted(formulas):
            return True
        if self.spent >= until:
            return False
        c = condition(goal)
        if c is None:
            return any(self.ask(text(formulas), seconds) == 'unsat' for text, seconds in (
                (abstract.integers, 1), (term.smt, first), (abstract.integers, first)))
        return all(self.leaves(*self.case(known, goal, k), until, first) for k in (c, neg(c)))

    def case(self, known, goal, c):
        """What is known, and the goal, where c is so."""
        terms = given([f for f, _ in known] + [goal], [c])
        # The case itself stays known: as a condition of the goal, so that what it speaks of is, too.
        return ([(f, about) for f, (_, about) in zip(terms, known)],
                term.implies(c, terms[-1]) if terms[-1] is not term.TRUE else term.TRUE)

    def cases(self, known, goal, c, until, order, depth):
        for case in (c, neg(c)):
            answer = self.prove(*self.case(known, goal, case), until, order, depth + 1)
            if answer[0] != 'unsat':
                return answer
        return 'unsat', None


def model(asked):
    """Arguments and ghosts for which a promise is broken."""
    out = subprocess.run(['z3', '-T:60', '-in'], input=term.smt(asked, True), capture_output=True, text=True).stdout
    found = re.findall(r'\(define-fun \|?([a-z]\w*)!(\d+)\|? \(\) \S+ \S+ \d+\)\s+(#\S+?)\)', out)
    return ' '.join(f'{n}={v}' for n, _, v in sorted(found, key=lambda f: int(f[1])) if not n.startswith('num_'))[:600]
