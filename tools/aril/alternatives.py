# SPDX-License-Identifier: MIT
"""What update-alternatives would be told: reads maintainer scripts from standard input, one behind the other, and prints
priority, link and path of each link that they ask for, the slaves' too.

Nothing is run. Of the shell's language this knows: words and quotes, continued lines, plain assignments, variables that
were assigned, and `for NAME in WORD...`. Of branches it takes all: whether a path is there, the caller sees. A call that
still has a `$` or a backquote in a word is left out."""
import re
import shlex
import sys


def expand(text, values):
    return re.sub(r"\$(?:(\w+)|\{(\w+)\})", lambda m: values.get(m[1] or m[2], m[0]), text)


def links(words):
    """Of one call's words: LINK NAME PATH PRIORITY, and those of each --slave."""
    try:
        at = words.index("--install")
        link, _, path, priority = words[at + 1 : at + 5]
        found = [(link, path)]
        rest = words[at + 5 :]
        while "--slave" in rest:
            at = rest.index("--slave")
            link, _, path = rest[at + 1 : at + 4]
            found.append((link, path))
            rest = rest[at + 4 :]
        priority = int(priority)
    except ValueError:
        return
    for link, path in found:
        if link.startswith("/") and path.startswith("/") and not re.search(r"[$`*;&|<>()\s]|/\.\./", link + path):
            print(priority, link, path)


def call(line, values, loops):
    """One call, in each turn of the loops around it."""
    if not loops:
        try:
            links(shlex.split(expand(line, values)))
        except ValueError:
            pass  # quotes that end elsewhere: not a call as they are written
        return
    name, words = loops[0]
    for word in expand(words, values).split():
        call(line, values | {name: word}, loops[1:])


def script(lines):
    values, loops = {}, []
    for line in lines:
        line = line.strip()
        if line.startswith("#"):
            continue
        if "update-alternatives" in line:
            call(line, values, loops)
        elif m := re.fullmatch(r"(?:export\s+|local\s+)?(\w+)=(\"[^\"`]*\"|'[^']*'|[^\s\"'`;&|()]*)", line):
            values[m[1]] = expand(m[2].strip("\"'"), values)
        if m := re.match(r"for\s+(\w+)\s+in\s+([^;]*)", line):
            loops.append((m[1], m[2]))
        elif re.match(r"(while|until|select)\b", line):
            loops.append(("", "once"))
        elif re.match(r"done\b", line) and loops:
            loops.pop()


for text in re.split(r"(?m)^#!", sys.stdin.buffer.read().decode(errors="replace"))[1:]:
    script(re.sub(r"\\\n", " ", text).splitlines()[1:])
