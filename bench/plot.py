# SPDX-License-Identifier: Apache-2.0
"""plot.py: light SVG plots from numbers, without a library: lines over categories, stacked bars.

Categories stand at equal distances, so sizes that grow by a factor read as on a logarithmic axis. The other axis
begins at 0. Names stand where the line ends, or in a row above the bars; no legend has to be looked up.
"""

from html import escape

WIDTH, HEIGHT = 720, 380
LEFT, TOP, BOTTOM = 84, 52, 84
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#555555")  # told apart by all eyes


def nice_step(top, parts=6):
    """1, 2 or 5 by a power of ten."""
    step = 1.0
    while step * parts < top:
        step *= 10
    while step / 10 * parts >= top:
        step /= 10
    return next(step * part for part in (0.1, 0.2, 0.5, 1) if step * part * parts >= top)


def text(x, y, words, anchor="middle", size=12, colour="#333333", extra=""):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}"{extra}>'
            f"{escape(words)}</text>")


class Sheet:
    def __init__(self, title, x_label, y_label, top, foot, right):
        self.right = WIDTH - right
        self.step = nice_step(top)
        self.top = self.step * -(-top // self.step)
        middle = (TOP + HEIGHT - BOTTOM) / 2
        self.parts = [
            "<!-- SPDX-License-Identifier: Apache-2.0; drawn by bench/scale -->",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
            text(LEFT, 22, title, "start", 15, "#111111", ' font-weight="bold"'),
            text((LEFT + self.right) / 2, HEIGHT - 30, x_label),
            text(18, middle, y_label, extra=f' transform="rotate(-90 18 {middle:.1f})"'),
            text(WIDTH - 10, HEIGHT - 8, foot, "end", 9, "#777777")]
        for i in range(round(self.top / self.step) + 1):
            y = self.y(i * self.step)
            self.parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{self.right}" y2="{y:.1f}" stroke="#dddddd"/>')
            self.parts.append(text(LEFT - 8, y + 4, f"{i * self.step:,.0f}", "end"))

    def y(self, value):
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / self.top

    def category(self, x, name):
        for i, line in enumerate(name.split("\n")):
            self.parts.append(text(x, HEIGHT - BOTTOM + 18 + 14 * i, line, size=12 if i == 0 else 11))

    def svg(self):
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
                f'height="{HEIGHT}" font-family="sans-serif">\n' + "\n".join(self.parts) + "\n</svg>\n")


def apart(ys, least=15):
    """Labels moved down until none lies upon another."""
    placed = {}
    last = -least
    for name, y in sorted(ys.items(), key=lambda item: item[1]):
        last = placed[name] = max(y, last + least)
    return placed


def lines(title, x_label, y_label, categories, series, foot):
    """series: name -> a value a category."""
    sheet = Sheet(title, x_label, y_label, max(max(values) for values in series.values()), foot, 150)
    gap = (sheet.right - LEFT) / len(categories)
    xs = [LEFT + gap * (i + 0.5) for i in range(len(categories))]
    for x, name in zip(xs, categories):
        sheet.category(x, name)
    labels = apart({name: sheet.y(values[-1]) for name, values in series.items()})
    for colour, (name, values) in zip(COLOURS, series.items()):
        points = [(x, sheet.y(value)) for x, value in zip(xs, values)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        sheet.parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for (x, y), value in zip(points, values):
            sheet.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}">'
                               f"<title>{escape(name)}: {value:,.0f}</title></circle>")
        sheet.parts.append(text(xs[-1] + 12, labels[name] + 4, f"{name}: {values[-1]:,.0f}", "start", 12, colour))
    return sheet.svg()


def bars(title, x_label, y_label, categories, stacks, foot):
    """stacks: name -> a value a category, from the bottom up."""
    sums = [sum(values) for values in zip(*stacks.values())]
    sheet = Sheet(title, x_label, y_label, max(sums), foot, 20)
    gap = (sheet.right - LEFT) / len(categories)
    begin = dict.fromkeys(range(len(categories)), 0.0)
    key_x = LEFT
    for colour, (name, values) in zip(COLOURS, stacks.items()):
        sheet.parts.append(f'<rect x="{key_x}" y="32" width="11" height="11" fill="{colour}"/>')
        sheet.parts.append(text(key_x + 16, 42, name, "start"))
        key_x += 34 + 8 * len(name)
        for i, value in enumerate(values):
            low, high = sheet.y(begin[i]), sheet.y(begin[i] + value)
            begin[i] += value
            sheet.parts.append(f'<rect x="{LEFT + gap * (i + 0.2):.1f}" y="{high:.1f}" width="{gap * 0.6:.1f}" '
                               f'height="{low - high:.1f}" fill="{colour}"><title>{escape(name)}: {value:,.0f}'
                               f"</title></rect>")
    for i, name in enumerate(categories):
        x = LEFT + gap * (i + 0.5)
        sheet.category(x, name)
        sheet.parts.append(text(x, sheet.y(sums[i]) - 5, f"{sums[i]:,.0f}", size=10))
    return sheet.svg()
