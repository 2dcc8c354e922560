"""Charts drawn by the server: numbers in, what the components draw out. No styles, no words inside the SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

HEIGHT = 500
STEP = 20
BAR = 14
GRID_LINES = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: `failed` of `value` are drawn in brick at its foot; `title` says both in words."""

    label: str
    value: float
    title: str
    failed: float = 0
    url: str = ""


@dataclass(frozen=True, slots=True)
class BarChart:
    """What components/bars.html draws."""

    id: str
    finding: str | Promise
    svg: SafeString
    axis: list[str]
    labels: list[str]
    bars: Sequence[Bar] = field(default_factory=list)


def bars(
    chart_id: str, series: Sequence[Bar], *, finding: str | Promise, labels: int = 5, axis_format: str = "{:,.0f}"
) -> BarChart:
    """Bars from zero with four grid lines; `finding` is the sentence that the whole chart says."""
    top = nice_ceiling(max((bar.value for bar in series), default=0))
    width = max(len(series), 1) * STEP
    grid = format_html_join(
        "",
        '<line class="chart__grid" x1="0" x2="{}" y1="{}" y2="{}"/>',
        ((width, y, y) for y in (HEIGHT * line // GRID_LINES for line in range(GRID_LINES))),
    )
    columns = format_html_join("\n", "{}", ((_column(bar, place, top),) for place, bar in enumerate(series)))
    svg = format_html(
        '<svg viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-labelledby="{}-t">'
        '<title id="{}-t">{}</title>{}{}</svg>',
        width,
        HEIGHT,
        chart_id,
        chart_id,
        finding,
        grid,
        columns,
    )
    axis = [axis_format.format(top * line / GRID_LINES) for line in range(GRID_LINES, -1, -1)]
    return BarChart(chart_id, finding, svg, axis, _spread([bar.label for bar in series], labels), series)


def _column(bar: Bar, place: int, top: float) -> SafeString:
    x = place * STEP + (STEP - BAR) // 2
    whole = round(bar.value / top * HEIGHT) if bar.value > 0 else 0
    bad = min(whole, max(1, round(bar.failed / top * HEIGHT))) if bar.failed > 0 else 0
    good = whole - bad
    rects = format_html('<rect class="chart__bar" x="{}" y="{}" width="{}" height="{}"/>', x, HEIGHT - whole, BAR, good)
    if bad:
        rects = format_html(
            '{}<rect class="chart__bar chart__bar--bad" x="{}" y="{}" width="{}" height="{}"/>',
            rects,
            x,
            HEIGHT - bad,
            BAR,
            bad,
        )
    return format_html('<g class="chart__day"><title>{}</title>{}</g>', bar.title, rects)


def _spread(words: list[str], count: int) -> list[str]:
    """`count` of the words, evenly spread, the first and the last among them."""
    if len(words) <= count:
        return words
    last = len(words) - 1
    return [words[round(place * last / (count - 1))] for place in range(count)]


def nice_ceiling(value: float) -> float:
    """The smallest of 1, 2, 4, 5, 6, 8 or 10 times a power of ten that is not below `value`; 4 for nothing."""
    if value <= 0:
        return GRID_LINES
    power = 10.0 ** math.floor(math.log10(value))
    for step in (1, 2, 4, 5, 6, 8):
        if value <= step * power * (1 + 1e-9):
            return max(step * power, GRID_LINES) if value == int(value) and value <= GRID_LINES else step * power
    return 10 * power


def sparkline(values: Sequence[float], *, width: int = 80, height: int = 20, margin: int = 2) -> SafeString:
    """A line from zero without words, for a table's row; the row's own numbers say the same. Empty below two values."""
    if len(values) < 2:
        return SafeString("")
    top = max(values) or 1
    step = width / (len(values) - 1)
    points = " ".join(
        f"{place * step:.1f},{height - margin - value / top * (height - 2 * margin):.1f}"
        for place, value in enumerate(values)
    )
    return format_html(
        '<svg class="spark" viewBox="0 0 {} {}" preserveAspectRatio="none" aria-hidden="true">'
        '<polyline class="chart__line" points="{}"/></svg>',
        width,
        height,
        points,
    )


def ranking_bar(value: float, top: float) -> SafeString:
    """A bar for a ranking's `td.table__bar`: `value` as a part of the longest, `top`."""
    share = round(min(1.0, max(0.0, value / top)) * 100) if top else 0
    return format_html(
        '<svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect width="{}" height="8" fill="currentColor"/></svg>',
        share,
    )
