"""Charts of people inside as SVG text: a band from low to peak, a line for the average, a dashed capacity.

Pure: values in, markup out. The colours are CSS variables of the page, so a chart follows light and dark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

LEFT, RIGHT, TOP, BOTTOM = 44, 12, 12, 28
FEWEST_SIGNED = 10
"""One value alone would be a bar as wide as the chart."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bucket. ``label`` stands below it; a bucket without data has None for its figures."""

    label: str
    average: float | None = None
    peak: int | None = None
    low: int | None = None
    is_complete: bool = True
    is_running: bool = False


def draw_chart(
    bars: Sequence[Bar], *, title: str, capacity: int | None = None, size: tuple[int, int] = (760, 260)
) -> str:
    """Draw the buckets from left to right, to be put into a page as it is; all text is escaped.

    A bucket that is not complete has a dashed outline, because its camera was not live throughout; one that runs is
    paler.
    """
    plot = _Plot(bars, capacity, size)
    parts = [
        f'<svg class="chart" viewBox="0 0 {size[0]} {size[1]}" role="img" aria-labelledby="chart-title chart-desc">',
        f'<title id="chart-title">{escape(title)}</title>',
        f'<desc id="chart-desc">{escape(describe(bars, capacity))}</desc>',
        *plot.grid(),
        *plot.bands(),
        plot.average(),
        *plot.capacity_line(),
        *plot.labels(),
        "</svg>",
    ]
    return "\n".join(part for part in parts if part)


def describe(bars: Sequence[Bar], capacity: int | None) -> str:
    """Say in one sentence what the chart shows, for those who do not see it."""
    measured = [bar for bar in bars if bar.peak is not None]
    if not measured:
        return "No counts yet."
    top = max(measured, key=lambda bar: bar.peak)
    text = f"Most people inside: {top.peak} at {top.label}. {len(measured)} of {len(bars)} buckets have counts"
    return f"{text}; capacity {capacity}." if capacity else f"{text}."


class _Plot:
    """The geometry of one chart: where a bucket and a count lie in it."""

    def __init__(self, bars: Sequence[Bar], capacity: int | None, size: tuple[int, int]) -> None:
        self.bars, self.capacity = bars, capacity
        self.width, self.height = size[0] - LEFT - RIGHT, size[1] - TOP - BOTTOM
        self.step = self.width / max(len(bars), 1)
        self.tick = _tick(max([capacity or 0, *(bar.peak or 0 for bar in bars)]))
        self.top = self.tick * 4

    def x(self, index: float) -> float:
        return round(LEFT + index * self.step, 1)

    def y(self, count: float) -> float:
        return round(TOP + self.height * (1 - min(count, self.top) / self.top), 1)

    def grid(self) -> list[str]:
        right, lines = LEFT + self.width, []
        for count in range(0, self.top + 1, self.tick):
            y = self.y(count)
            lines.append(f'<line class="chart-grid" x1="{LEFT}" y1="{y}" x2="{right}" y2="{y}"/>')
            lines.append(f'<text class="chart-axis" x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{count}</text>')
        return lines

    def bands(self) -> list[str]:
        rects = []
        for index, bar in enumerate(self.bars):
            if bar.peak is None or bar.low is None:
                continue
            y, height = self.y(bar.peak), max(round(self.y(bar.low) - self.y(bar.peak), 1), 2)
            state = " is-running" if bar.is_running else "" if bar.is_complete else " is-incomplete"
            x, width = self.x(index + 0.12), round(self.step * 0.76, 1)
            rects.append(f'<rect class="chart-band{state}" x="{x}" y="{y}" width="{width}" height="{height}" rx="2"/>')
        return rects

    def average(self) -> str:
        """Draw the averages as one path that is broken where there are none."""
        path, is_down = [], False
        for index, bar in enumerate(self.bars):
            if bar.average is None:
                is_down = False
                continue
            path.append(f"{'L' if is_down else 'M'}{self.x(index + 0.5)} {self.y(bar.average)}")
            is_down = True
        return f'<path class="chart-average" d="{" ".join(path)}"/>' if path else ""

    def capacity_line(self) -> list[str]:
        if not self.capacity:
            return []
        y, right = self.y(self.capacity), LEFT + self.width
        return [
            f'<line class="chart-capacity" x1="{LEFT}" y1="{y}" x2="{right}" y2="{y}"/>',
            f'<text class="chart-axis" x="{right}" y="{y - 4}" text-anchor="end">capacity {self.capacity}</text>',
        ]

    def labels(self) -> list[str]:
        """Write under every bucket, or under every second, third … so that at most twelve stand side by side."""
        every, y = -(-len(self.bars) // 12) or 1, TOP + self.height + 18
        shown = [(self.x(index + 0.5), escape(bar.label)) for index, bar in enumerate(self.bars) if index % every == 0]
        return [f'<text class="chart-axis" x="{x}" y="{y}" text-anchor="middle">{text}</text>' for x, text in shown]


def draw_signed(values: Sequence[tuple[str, int]], *, title: str, size: tuple[int, int] = (760, 160)) -> str:
    """Draw numbers above and below zero as bars from left to right, each with its label; all text is escaped."""
    highest = max([1, *(abs(value) for _, value in values)])
    middle, half = TOP + (size[1] - TOP - BOTTOM) / 2, (size[1] - TOP - BOTTOM) / 2
    step = (size[0] - LEFT - RIGHT) / max(len(values), FEWEST_SIGNED)
    every = -(-len(values) // 12) or 1
    worst = max(values, key=lambda item: abs(item[1]), default=("", 0))
    desc = f"Largest: {worst[1]} at {worst[0]}. {len(values)} values." if values else "No values yet."
    parts = [
        f'<svg class="chart" viewBox="0 0 {size[0]} {size[1]}" role="img" aria-labelledby="signed-title signed-desc">',
        f'<title id="signed-title">{escape(title)}</title>',
        f'<desc id="signed-desc">{escape(desc)}</desc>',
        f'<line class="chart-grid" x1="{LEFT}" y1="{middle}" x2="{size[0] - RIGHT}" y2="{middle}"/>',
        *(
            f'<text class="chart-axis" x="{LEFT - 8}" y="{round(y + 4, 1)}" text-anchor="end">{count}</text>'
            for count, y in ((highest, TOP), (0, middle), (-highest, TOP + 2 * half))
        ),
    ]
    for index, (label, value) in enumerate(values):
        tall = max(round(half * abs(value) / highest, 1), 1)
        x, y = round(LEFT + (index + 0.2) * step, 1), round(middle - tall if value > 0 else middle, 1)
        parts.append(f'<rect class="chart-signed" x="{x}" y="{y}" width="{round(step * 0.6, 1)}" height="{tall}"/>')
        if index % every == 0:
            x = round(LEFT + (index + 0.5) * step, 1)
            text = f'<text class="chart-axis" x="{x}" y="{size[1] - 8}" text-anchor="middle">{escape(label)}</text>'
            parts.append(text)
    return "\n".join([*parts, "</svg>"])


def _tick(highest: int) -> int:
    """Return a round step so that four of them hold ``highest``: 1, 2, 5, 10, 20, 25, 50 …"""
    scale = 1
    while True:
        for step in (1, 2, 2.5, 5):
            if step * scale == int(step * scale) and step * scale * 4 >= highest:
                return int(step * scale)
        scale *= 10
