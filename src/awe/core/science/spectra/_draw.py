"""A picture of a spectrum, small and quick: flux over wavelength, drawn with Pillow.

Every column of the picture shows the lowest and the highest flux of its samples, so that no line is lost
however long the spectrum is. The limits leave out the outermost half per cent of the samples: cosmic rays and
noisy ends would flatten the rest.
"""

import io
import math

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from awe.core.science.spectra._model import Floats, Spectrum

__all__ = ["draw_spectrum"]

_SMALLEST = 160
_LINE, _AXIS, _GRID, _PAPER = (31, 78, 140), (60, 60, 60), (225, 225, 225), (255, 255, 255)
_OUTER = 0.005


def draw_spectrum(spectrum: Spectrum, title: str, size: int) -> bytes:
    """Draw a spectrum as PNG.

    Parameters
    ----------
    spectrum
        What to draw; each segment is a line of its own.
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
    x, y = (np.asarray(axis.values, np.float64) for axis in (spectrum.spectral, spectrum.flux))
    known = np.isfinite(x) & np.isfinite(y)
    log = _is_wide(x[known])
    x = np.log10(np.where(x > 0, x, np.nan)) if log else x
    known &= np.isfinite(x)
    if known.any():
        limits = _limits(x[known], y[known])
        _axes(pen, font, box, limits, log=log)
        parts = [None] if spectrum.segment is None else list(dict.fromkeys(spectrum.segment.tolist()))
        for part in parts:
            chosen = known if part is None else known & (spectrum.segment == part)
            _line(pen, box, limits, x[chosen], y[chosen])
    pen.rectangle(box, outline=_AXIS)
    pen.text((box[2], letter * 0.3), title[: width // letter], _AXIS, font, anchor="ra")
    below = f"{spectrum.spectral.name} [{spectrum.spectral.unit}]{'  (logarithmic)' if log else ''}"
    pen.text((width / 2, height - letter * 0.4), below, _AXIS, font, anchor="md")
    pen.text((letter * 0.4, letter * 0.3), spectrum.flux.unit, _AXIS, font)
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


def _line(
    pen: ImageDraw.ImageDraw,
    box: tuple[int, int, int, int],
    limits: tuple[float, float, float, float],
    x: Floats,
    y: Floats,
) -> None:
    if not x.size:
        return
    left, right, low, high = limits
    place = box[0] + (x - left) / (right - left) * (box[2] - box[0])
    level = box[3] - (np.clip(y, low, high) - low) / (high - low) * (box[3] - box[1])
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
) -> None:
    left, right, low, high = limits
    for value in _ticks(left, right, 6):
        at = box[0] + (value - left) / (right - left) * (box[2] - box[0])
        pen.line([(at, box[1]), (at, box[3])], _GRID)
        pen.text((at, box[3] + 3), _number(10.0**value if log else value), _AXIS, font, anchor="ma")
    for value in _ticks(low, high, 5):
        at = box[3] - (value - low) / (high - low) * (box[3] - box[1])
        pen.line([(box[0], at), (box[2], at)], _GRID)
        pen.text((box[0] - 4, at), _number(value), _AXIS, font, anchor="rm")


def _ticks(low: float, high: float, about: int) -> list[float]:
    """Return round values between two limits: steps of 1, 2 or 5 times a power of ten."""
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw)
    first = math.ceil(low / step)
    return [n * step for n in range(first, math.floor(high / step) + 1)]


def _number(value: float) -> str:
    return f"{0.0 if abs(value) < 1e-300 else value:.4g}"
