"""Draw what grows as small panels in one SVG: both axes in powers of ten, light or dark as the page."""

import math
from html import escape

STYLE = """
svg { background: #fff; font: 12px system-ui, sans-serif; }
text { fill: #1f2328; } .quiet { fill: #59636e; } .title { font-weight: 600; font-size: 13px; }
.grid { stroke: #d8dee4; } .line { fill: none; stroke-width: 2; }
.c0 { stroke: #0b5cad; fill: #0b5cad; } .c1 { stroke: #b54708; fill: #b54708; }
.c2 { stroke: #2d7a1f; fill: #2d7a1f; } text .c0, text .c1, text .c2 { stroke: none; }
@media (prefers-color-scheme: dark) {
  svg { background: #0d1117; } text { fill: #e6edf3; } .quiet { fill: #9198a1; }
  .grid { stroke: #30363d; }
  .c0 { stroke: #6cb6ff; fill: #6cb6ff; } .c1 { stroke: #f0a05a; fill: #f0a05a; }
  .c2 { stroke: #6bc46d; fill: #6bc46d; } text .c0, text .c1, text .c2 { stroke: none; }
}
.line.c0, .line.c1, .line.c2 { fill: none; }
"""
WIDTH, HEIGHT = 390, 240
LEFT, TOP, RIGHT, BOTTOM = 52, 50, 28, 34


def drawn(panels):
    """Return the SVG.

    Args:
        panels: Title, name of the horizontal axis, and lines by name: pairs of a number and the
            milliseconds it takes.
    """
    rows = math.ceil(len(panels) / 2)
    told = "; ".join(
        f"{title}: "
        + ", ".join(
            f"{name} {line[0][1]:.2g} to {line[-1][1]:.2g} ms" for name, line in lines.items()
        )
        for title, _, lines in panels
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {rows * HEIGHT}" role="img">',
        f"<title>What a reply costs the server</title><desc>{escape(told)}</desc>",
        f"<style>{STYLE}</style>",
    ]
    for number, panel in enumerate(panels):
        x, y = number % 2 * WIDTH, number // 2 * HEIGHT
        parts += [f'<g transform="translate({x} {y})">', *_panel(*panel), "</g>"]
    return "\n".join([*parts, "</svg>\n"])


def _panel(title, axis, lines):
    values = [ms for line in lines.values() for _, ms in line]
    numbers = [n for line in lines.values() for n, _ in line]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    last = math.log10(max(numbers) + 1)
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def across(n):
        return LEFT + width * math.log10(n + 1) / last

    def down(ms):
        return TOP + height * (high - math.log10(ms)) / max(1, high - low)

    yield f'<text class="title" x="{LEFT}" y="18">{escape(title)}</text>'
    names = "".join(
        f'<tspan class="c{place}" dx="{12 * bool(place)}">{escape(name)}</tspan>'
        for place, name in enumerate(lines)
    )
    yield f'<text x="{LEFT}" y="36">{names}</text>'
    for power in range(low, high + 1):
        y = down(10**power)
        yield f'<path class="grid" d="M{LEFT} {y:.1f}H{LEFT + width}"/>'
        yield f'<text class="quiet" x="{LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g} ms</text>'
    for n in sorted({n for n in numbers if n in (0, 1, 10, 100, 128, 1000, 10_000, 100_000)}):
        yield f'<text class="quiet" x="{across(n):.1f}" y="{TOP + height + 16}" text-anchor="middle">{n:,}</text>'
    yield f'<text class="quiet" x="{LEFT + width}" y="{TOP + height + 30}" text-anchor="end">{escape(axis)}</text>'
    for place, line in enumerate(lines.values()):
        points = [(across(n), down(ms)) for n, ms in line]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        yield f'<polyline class="line c{place}" points="{path}"/>'
        yield from (
            f'<circle class="c{place}" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for x, y in points
        )
