# Copyright (c) 2026, SPYMEO
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bars and curves as SVG, written by hand: two shapes need no plotting library. Pure.

Colours and text read on white and on black, because a README is shown on both.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from xml.sax.saxutils import escape

from bench.results import Row

WIDTH, LEFT, RIGHT, LINE, TOP = 760, 290, 96, 34, 58
INK, QUIET, OURS, OTHERS = "#768390", "#76839055", "#2da44e", "#6e7f96"
FONT = 'font-family="system-ui, sans-serif" font-size="13"'


def bars(title: str, rows: list[Row], unit_name: str, ours: str) -> str:
    """How often the critical path each case takes: a bar for the median, a whisker for the range, a line at 1.

    :param ours: the name of the case that is drawn in another colour.
    """
    longest = max(max(row.values("ratio")) for row in rows)
    scale = (WIDTH - LEFT - RIGHT) / longest
    drawn = [_text(8, 22, title, weight="bold"), _text(8, 42, unit_name)]
    for number, row in enumerate(rows):
        drawn += _bar(row, TOP + number * LINE, scale, OURS if row.case == ours else OTHERS)
    bottom = TOP + len(rows) * LINE
    one = LEFT + scale
    drawn.append(
        f'<line x1="{one:.1f}" y1="{TOP - 8}" x2="{one:.1f}" y2="{bottom}" stroke="{INK}" stroke-dasharray="4 3"/>'
    )
    return _svg(drawn, bottom + 8)


def _bar(row: Row, top: float, scale: float, colour: str) -> list[str]:
    middle, low, high = row.median("ratio"), min(row.values("ratio")), max(row.values("ratio"))
    y = top + LINE / 2 - 4
    return [
        _text(LEFT - 8, y + 4, row.case, anchor="end"),
        f'<rect x="{LEFT}" y="{top}" width="{middle * scale:.1f}" height="{LINE - 9}" rx="3" fill="{colour}"/>',
        f'<line x1="{LEFT + low * scale:.1f}" y1="{y}" x2="{LEFT + high * scale:.1f}" y2="{y}" stroke="{INK}" stroke-width="2"/>',
        _text(LEFT + high * scale + 7, y + 4, f"{middle:.2f}  ({row.median('wall'):.0f} s)"),
    ]


def curves(title: str, unit_name: str, series: dict[str, list[Row]]) -> str:
    """Wall time by size, a panel for each series: growth is seen as a slope. The dashed line is AWS's own time."""
    panel, drawn = (WIDTH - 40) / len(series), [_text(8, 22, title, weight="bold"), _text(8, 42, unit_name)]
    for number, (name, rows) in enumerate(series.items()):
        drawn += _panel(name, rows, 40 + number * panel, panel - 50)
    return _svg(drawn, 330)


def _panel(name: str, rows: list[Row], left: float, width: float) -> list[str]:
    rows = sorted(rows, key=lambda row: row.size)
    top, bottom = 86, 280
    most, largest = max(max(row.values("wall")) for row in rows) * 1.1, rows[-1].size
    x: Callable[[float], float] = lambda size: left + width * size / largest  # noqa: E731
    y: Callable[[float], float] = lambda seconds: bottom - (bottom - top) * seconds / most  # noqa: E731
    drawn = [_text(left, 68, name)]
    drawn.append(f'<path d="M{left} {top} V{bottom} H{left + width:.1f}" fill="none" stroke="{QUIET}"/>')
    for measure, dash in (("critical", ' stroke-dasharray="4 3"'), ("wall", "")):
        points = [(x(row.size), y(_middle(row, measure))) for row in rows]
        path = " L".join(f"{across:.1f} {down:.1f}" for across, down in points)
        drawn.append(f'<path d="M{path}" fill="none" stroke="{OURS if not dash else INK}" stroke-width="2"{dash}/>')
    for row in rows:
        across, down = x(row.size), y(row.median("wall"))
        drawn.append(f'<circle cx="{across:.1f}" cy="{down:.1f}" r="3.5" fill="{OURS}"/>')
        beside = "end" if row is rows[0] else "middle"  # the next size may be near
        drawn.append(_text(across, down - 9, f"{row.median('wall'):.0f} s", anchor=beside))
        drawn.append(_text(across, bottom + 18, str(row.size), anchor=beside))
    return drawn


def _middle(row: Row, name: str) -> float:
    return statistics.median(getattr(each, name) for each in row.samples)


def _text(x: float, y: float, text: str, anchor: str = "start", weight: str = "normal") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{INK}" text-anchor="{anchor}" font-weight="{weight}">{escape(text)}</text>'


def _svg(drawn: list[str], height: float) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" height="{height:.0f}" {FONT} role="img">'
    return "\n".join([head, *drawn, "</svg>"]) + "\n"
