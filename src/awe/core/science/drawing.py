"""A picture of one quantity over another, small and quick: spectra and light curves, drawn with Pillow.

A line shows in every column of the picture the lowest and the highest value of its samples, so that nothing is lost
however many there are. Dots stand for themselves: where there are gaps, a line would show what nobody measured. The
limits leave out the outermost half per cent of the samples: cosmic rays and noisy ends would flatten the rest.
"""

import io
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from awe.core.science.celestial import Floats

__all__ = ["Plot", "draw"]

_SMALLEST = 160
_LINE, _AXIS, _GRID, _PAPER = (31, 78, 140), (60, 60, 60), (225, 225, 225), (255, 255, 255)
_OUTER = 0.005


@dataclass(frozen=True, slots=True, eq=False)
class Plot:
    """What to draw.

    Attributes
    ----------
    x, y
        The samples; those that are not finite are left out.
    below, beside
        Words at the two axes.
    segment
        The segment of each sample, where there are several: each is a line of its own.
    logarithmic
        Whether `x` may be drawn in logarithms, where it spans more than a factor of 30.
    dots
        Whether every sample is a dot; else a line joins them.
    downward
        Whether `y` grows downwards, as magnitudes do.
    """

    x: Floats
    y: Floats
    below: str
    beside: str
    segment: NDArray[np.str_] | None = None
    logarithmic: bool = False
    dots: bool = False
    downward: bool = False


def draw(plot: Plot, title: str, size: int) -> bytes:
    """Draw a plot as PNG.

    Parameters
    ----------
    plot
        What to draw.
    title
        Stands above.
    size
        Width in pixels, 160 at least; the height is five eighths of it.
    """
    width = max(size, _SMALLEST)
    height = width * 5 // 8
    picture = Image.new("RGB", (width, height), _PAPER)
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(max(9, width // 50))
    letter = int(font.size) if isinstance(font, ImageFont.FreeTypeFont) else 11
    box = (int(letter * 5.2), int(letter * 2.0), width - int(letter * 1.2), height - int(letter * 3.2))
    x, y = plot.x, -plot.y if plot.downward else plot.y
    known = np.isfinite(x) & np.isfinite(y)
    log = plot.logarithmic and _is_wide(x[known])
    x = np.log10(np.where(x > 0, x, np.nan)) if log else x
    known &= np.isfinite(x)
    if known.any():
        limits = _limits(x[known], y[known])
        _axes(pen, font, box, limits, log=log, downward=plot.downward)
        parts = [None] if plot.segment is None else list(dict.fromkeys(plot.segment.tolist()))
        trace = _dots if plot.dots else _line
        for part in parts:
            chosen = known if part is None else known & (plot.segment == part)
            trace(pen, box, limits, x[chosen], y[chosen])
    pen.rectangle(box, outline=_AXIS)
    pen.text((box[2], letter * 0.3), title[: width // letter], _AXIS, font, anchor="ra")
    below = f"{plot.below}{'  (logarithmic)' if log else ''}"
    pen.text((width / 2, height - letter * 0.4), below, _AXIS, font, anchor="md")
    pen.text((letter * 0.4, letter * 0.3), plot.beside, _AXIS, font)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _is_wide(x: Floats) -> bool:
    good = x[x > 0]
    return bool(good.size == x.size and good.size and good.max() > 30 * good.min())


def _limits(x: Floats, y: Floats) -> tuple[float, float, float, float]:
    low, high = (float(v) for v in np.quantile(y, [_OUTER, 1 - _OUTER]))
    margin = 0.06 * (high - low) or abs(high) * 0.1 or 1.0
    left, right = float(x.min()), float(x.max())
    return left, right if right > left else left + 1.0, low - margin, high + margin


def _places(
    box: tuple[int, int, int, int], limits: tuple[float, float, float, float], x: Floats, y: Floats
) -> tuple[Floats, Floats]:
    left, right, low, high = limits
    place = box[0] + (x - left) / (right - left) * (box[2] - box[0])
    return place, box[3] - (np.clip(y, low, high) - low) / (high - low) * (box[3] - box[1])


def _dots(
    pen: ImageDraw.ImageDraw,
    box: tuple[int, int, int, int],
    limits: tuple[float, float, float, float],
    x: Floats,
    y: Floats,
) -> None:
    corners = np.unique(np.round(np.stack(_places(box, limits, x, y), axis=1)).astype(int), axis=0)
    for right, down in ((0, 0), (1, 0), (0, 1), (1, 1)):  # two pixels wide: one is hard to see
        pen.point(np.add(corners, (right, down)).ravel().tolist(), _LINE)


def _line(
    pen: ImageDraw.ImageDraw,
    box: tuple[int, int, int, int],
    limits: tuple[float, float, float, float],
    x: Floats,
    y: Floats,
) -> None:
    if not x.size:
        return
    place, level = _places(box, limits, x, y)
    column = np.round(place).astype(int)
    order = np.argsort(column, kind="stable")
    column, level = column[order], level[order]
    starts = np.flatnonzero(np.r_[True, np.diff(column) > 0])
    top, bottom = np.minimum.reduceat(level, starts), np.maximum.reduceat(level, starts)
    points: list[tuple[float, float]] = []
    for at, high_end, low_end in zip(column[starts], top, bottom, strict=True):
        points += [(int(at), float(high_end)), (int(at), float(low_end))]
    pen.line(points, _LINE, 1)


def _axes(
    pen: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    box: tuple[int, int, int, int],
    limits: tuple[float, float, float, float],
    *,
    log: bool,
    downward: bool,
) -> None:
    left, right, low, high = limits
    for value in _ticks(left, right, 6):
        at = box[0] + (value - left) / (right - left) * (box[2] - box[0])
        pen.line([(at, box[1]), (at, box[3])], _GRID)
        pen.text((at, box[3] + 3), _number(10.0**value if log else value), _AXIS, font, anchor="ma")
    for value in _ticks(low, high, 5):
        at = box[3] - (value - low) / (high - low) * (box[3] - box[1])
        pen.line([(box[0], at), (box[2], at)], _GRID)
        pen.text((box[0] - 4, at), _number(-value if downward else value), _AXIS, font, anchor="rm")


def _ticks(low: float, high: float, about: int) -> list[float]:
    """Return round values between two limits: steps of 1, 2 or 5 times a power of ten."""
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw)
    first = math.ceil(low / step)
    return [n * step for n in range(first, math.floor(high / step) + 1)]


def _number(value: float) -> str:
    return f"{0.0 if abs(value) < 1e-300 else value:.4g}"
