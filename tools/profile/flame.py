# SPDX-License-Identifier: MIT
"""A flame graph: stacks, callers below, as wide as they were seen often; an SVG that needs nothing else, readable in light and dark."""
from xml.sax.saxutils import escape

WIDTH, ROW, TOP, LEAST = 1200, 17, 62, 0.3  # pixels
COLOURS = {"program": "#f2b872", "ExOS": "#8cc5e8", "kernel": "#e79a9a", "other": "#c3c3c3"}


class Node:
    def __init__(self):
        self.count, self.below = 0, {}


def tree(stacks):
    """{((function, part), ...), outermost first: times} as a tree."""
    root = Node()
    for stack, times in stacks.items():
        node = root
        node.count += times
        for frame in stack:
            node = node.below.setdefault(frame, Node())
            node.count += times
    return root


def depth_of(node):
    return 1 + max((depth_of(c) for c in node.below.values()), default=0)


def draw(stacks, title, note):
    root = tree(stacks)
    height = TOP + ROW * depth_of(root) + 30
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img">',
           f"<title>{escape(title)}</title>",
           "<style>text{font:12px sans-serif;fill:#24292f}.h{font-size:15px;font-weight:bold}rect{stroke:#ffffff;stroke-width:.7}.b{fill:#ffffff;"
           "stroke:none}.in{fill:#1b1b1b}" + "".join(f".{n}{{fill:{c}}}" for n, c in COLOURS.items()) +
           "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.b{fill:#0d1117}rect{stroke:#0d1117}.in{fill:#1b1b1b}}</style>",
           f'<rect class="b" width="{WIDTH}" height="{height}"/>',
           f'<text class="h" x="10" y="20">{escape(title)}</text><text x="10" y="40">{escape(note)}</text>']
    x = WIDTH - 330
    for name in COLOURS:
        out.append(f'<rect class="{name}" x="{x}" y="10" width="12" height="12"/><text x="{x + 17}" y="20">{name}</text>')
        x += 82
    if root.count:
        place(out, root, "everything", "other", 10.0, height - 28 - ROW, (WIDTH - 20) / root.count, root.count)
    return "\n".join([*out, "</svg>"]) + "\n"


def place(out, node, name, part, x, y, scale, whole):
    width = node.count * scale
    if width < LEAST:
        return
    text = f"{name}: {node.count} samples, {100 * node.count / whole:.1f} %"
    fits = int((width - 4) / 6.6)
    label = name if len(name) <= fits else name[:fits - 1] + "…" if fits > 3 else ""
    out.append(f'<g><title>{escape(text)}</title><rect class="{part}" x="{x:.1f}" y="{y}" width="{width:.1f}" height="{ROW}"/>'
               + (f'<text class="in" x="{x + 3:.1f}" y="{y + 13}">{escape(label)}</text>' if label else "") + "</g>")
    for (name, part), child in sorted(node.below.items()):
        place(out, child, name, part, x, y - ROW, scale, whole)
        x += child.count * scale
