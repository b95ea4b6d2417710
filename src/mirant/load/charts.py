"""Line charts as inline SVG: axes, lines and what a pointer over them shows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import msgspec

WIDTH: Final = 860
HEIGHT: Final = 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 30, 14, 46
_RIGHT_END: Final = WIDTH - _RIGHT
_FLOOR: Final = HEIGHT - _BOTTOM


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale: maps values to the range 0 to 1, and names some of them."""

    place: Callable[[float], float]
    ticks: Sequence[tuple[float, str]]
    title: str = ""

    @property
    def end(self) -> float:
        """The value of the last tick."""
        value, _ = self.ticks[-1]
        return value


@dataclass(frozen=True, slots=True)
class ChartLine:
    """Points joined by a line. `style` is the CSS class of the line."""

    name: str
    style: str
    points: Sequence[tuple[float, float]]
    dots: bool = False


def linear(low: float, high: float, name: Callable[[float], str], title: str = "") -> Axis:
    """Return an axis from *low* to *high*, widened to whole ticks at the upper end."""
    step = _step((high - low) or 1.0)
    top = low + math.ceil(((high - low) or 1.0) / step - 1e-9) * step
    ticks = [low + step * n for n in range(round((top - low) / step) + 1)]
    return Axis(lambda value: (value - low) / (top - low), [(tick, name(tick)) for tick in ticks], title)


def exact(low: float, high: float, name: Callable[[float], str], title: str = "") -> Axis:
    """Return an axis that ends at *high*, even between two ticks, because nothing happens after a run."""
    step, width = _step((high - low) or 1.0), (high - low) or 1.0
    ticks = [low + step * n for n in range(math.floor(width / step + 1e-9) + 1)]
    return Axis(lambda value: (value - low) / width, [(tick, name(tick)) for tick in ticks], title)


def logarithmic(low: float, high: float, name: Callable[[float], str], title: str = "") -> Axis:
    """Return an axis over the powers of ten that hold *low* and *high*, with 2 and 5 named if it is short."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(max(high, low * 1.01)))
    factors = (1, 2, 5) if last - first <= 2 else (1,)
    ticks = [f * 10.0**power for power in range(first, last) for f in factors] + [10.0**last]
    return Axis(
        lambda value: (math.log10(max(value, 10.0**first)) - first) / (last - first),
        [(tick, name(tick)) for tick in ticks],
        title,
    )


def percentiles(nines: int, title: str = "") -> Axis:
    """Return an axis for percentiles: 90, 99, 99.9 and so on are equally far apart."""
    ticks = [(0.0, "0 %"), (50.0, "50 %")]
    ticks += [(100 - 100 / 10**n, f"{100 - 100 / 10**n:.{max(0, n - 2)}f} %") for n in range(1, nines + 1)]

    def place(percent: float) -> float:
        left = max(100 - percent, 100 / 10**nines) / 100
        return -math.log10(left) / nines

    return Axis(place, ticks, title)


def line_chart(
    x: Axis,
    y: Axis,
    lines: Iterable[ChartLine],
    *,
    labels: Sequence[tuple[float, str]],
    shade: float | None = None,
) -> str:
    """Return the SVG of a chart.

    *labels* are (x, text) pairs; a pointer at x shows the text. The background is darker up to *shade* on the
    x axis.
    """
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">']
    if shade is not None:
        parts.append(
            f'<rect class="shade" x="{_LEFT}" y="{_TOP}" width="{_x(x, shade) - _LEFT:.1f}" '
            f'height="{_FLOOR - _TOP}"/>'
        )
    parts += _grid(x, y)
    parts += [_line(x, y, line) for line in lines if line.points]
    pointed = [[round(_x(x, at), 1), text] for at, text in labels]
    data = escape(msgspec.json.encode(pointed).decode())
    parts.append(f'<line class="cursor" y1="{_TOP}" y2="{_FLOOR}"/>')
    parts.append(
        f'<rect class="over" x="{_LEFT}" y="{_TOP}" width="{_RIGHT_END - _LEFT}" height="{_FLOOR - _TOP}" '
        f'data-labels="{data}"/></svg>'
    )
    return "".join(parts)


def bar_chart(y: Axis, bars: Sequence[tuple[str, float, str]], title: str) -> str:
    """Return the SVG of bars. Each has a name, which may be empty, a value and a text for pointers."""
    slot = (_RIGHT_END - _LEFT) / len(bars)
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">', *_grid(Axis(float, [], title), y)]
    labels = []
    for index, (name, value, text) in enumerate(bars):
        left, top = _LEFT + slot * index, _y(y, value)
        if value:
            parts.append(
                f'<rect class="bar" x="{left + slot * 0.08:.1f}" y="{min(top, _FLOOR - 1.5):.1f}" '
                f'width="{slot * 0.84:.1f}" height="{max(_FLOOR - top, 1.5):.1f}" rx="2"/>'
            )
        if name:
            parts.append(_text("x", left + slot, _FLOOR + 18, name))
        labels.append([round(left + slot / 2, 1), text])
    data = escape(msgspec.json.encode(labels).decode())
    parts.append(
        f'<rect class="over" x="{_LEFT}" y="{_TOP}" width="{_RIGHT_END - _LEFT}" height="{_FLOOR - _TOP}" '
        f'data-labels="{data}"/></svg>'
    )
    return "".join(parts)


def _grid(x: Axis, y: Axis) -> Iterable[str]:
    for value, name in y.ticks:
        at = _y(y, value)
        yield f'<line class="grid" x1="{_LEFT}" x2="{_RIGHT_END}" y1="{at:.1f}" y2="{at:.1f}"/>'
        yield _text("y", _LEFT - 8, at + 4, name)
    for value, name in x.ticks:
        at = _x(x, value)
        yield f'<line class="tick" x1="{at:.1f}" x2="{at:.1f}" y1="{_FLOOR}" y2="{_FLOOR + 4}"/>'
        yield _text("x", at, _FLOOR + 18, name)
    if x.title:
        yield _text("x title", (_LEFT + _RIGHT_END) / 2, HEIGHT - 6, x.title)


def _line(x: Axis, y: Axis, line: ChartLine) -> str:
    points = [(_x(x, at), _y(y, value)) for at, value in line.points]
    path = " ".join(f"{'L' if n else 'M'}{at:.1f} {value:.1f}" for n, (at, value) in enumerate(points))
    drawn = f'<path class="line {line.style}" d="{path}"/>'
    if line.dots:
        drawn += "".join(
            f'<circle class="dot {line.style}" cx="{at:.1f}" cy="{value:.1f}" r="4"/>' for at, value in points
        )
    return drawn


def _text(style: str, x: float, y: float, text: str) -> str:
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def _x(axis: Axis, value: float) -> float:
    return _LEFT + min(max(axis.place(value), 0.0), 1.0) * (_RIGHT_END - _LEFT)


def _y(axis: Axis, value: float) -> float:
    return _FLOOR - min(max(axis.place(value), 0.0), 1.0) * (_FLOOR - _TOP)


def _step(width: float) -> float:
    """Return 1, 2 or 5 times a power of ten that divides *width* into about six."""
    power = 10.0 ** math.floor(math.log10(width / 6))
    return next(f * power for f in (1, 2, 5, 10) if f * power >= width / 6 - 1e-12)
