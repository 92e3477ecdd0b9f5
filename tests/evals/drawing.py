"""Draw how far the confidence can be believed, as an SVG; the same figures give the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from tests.evals.tally import BINS, Bin

SIDE, LEFT, TOP = 320, 56, 24
WIDTH, HEIGHT = LEFT + SIDE + 24, TOP + SIDE + 52
# The page around the picture may be light or dark.
STYLE = """
  text { font: 12px sans-serif; fill: #24292f; }
  .grid { stroke: #d0d7de; } .ideal { stroke: #6e7781; stroke-dasharray: 4 4; }
  .line { fill: none; stroke: #0969da; stroke-width: 2; } .dot { fill: #0969da; fill-opacity: .75; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .grid { stroke: #30363d; } .ideal { stroke: #8b949e; }
    .line { stroke: #58a6ff; } .dot { fill: #58a6ff; }
  }
"""


def reliability_plot(bins: Sequence[Bin], error: float) -> str:
    """Return a picture of the bins: what was said against what was right, dots as large as their lines are many."""
    lines = sum(one.lines for one in bins)
    said = "; ".join(f"said {one.confidence:.2f}, right {one.right:.2f} ({one.lines} lines)" for one in bins)
    places = [(LEFT + SIDE * one.confidence, TOP + SIDE * (1 - one.right), one) for one in bins]
    most = max((one.lines for one in bins), default=1)
    steps = [at / 5 for at in range(6)]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
        ' role="img" aria-labelledby="title desc">',
        '<title id="title">Confidence against the share that is right</title>',
        f'<desc id="desc">{lines} lines in {BINS} bins, expected calibration error {error:.3f}: {said}.</desc>',
        f"<style>{STYLE}</style>",
    ]
    for step in steps:
        x, y = LEFT + SIDE * step, TOP + SIDE * (1 - step)
        parts += [
            f'<line class="grid" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{TOP + SIDE}"/>',
            f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{LEFT + SIDE}" y2="{y:.1f}"/>',
            f'<text x="{x:.1f}" y="{TOP + SIDE + 18}" text-anchor="middle">{step:.1f}</text>',
            f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{step:.1f}</text>',
        ]
    middle = f"{TOP + SIDE / 2:.1f}"
    parts += [
        f'<line class="ideal" x1="{LEFT}" y1="{TOP + SIDE}" x2="{LEFT + SIDE}" y2="{TOP}"/>',
        f'<polyline class="line" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y, _ in places)}"/>',
        *(
            f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="{3 + 9 * sqrt(one.lines / most):.1f}"/>'
            for x, y, one in places
        ),
        f'<text x="{LEFT + SIDE / 2:.1f}" y="{HEIGHT - 12}" text-anchor="middle">confidence</text>',
        f'<text x="14" y="{middle}" text-anchor="middle" transform="rotate(-90 14 {middle})">share right</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"
