"""A chart as a picture: its bands as grey or colours, with marks, outlines, a grid and a label on it.

One band is grey. Two or three are colours (`awe.core.science.composite`), the longest wavelengths red; bands come in
units of their own, so a colour says what is redder than what and is no measure of a flux.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from awe.core.science.celestial import Floats
from awe.core.science.chart import Frame
from awe.core.science.composite import composite
from awe.core.science.stretch import limits, stretched

__all__ = ["Look", "Marks", "draw_chart"]

Shape = Literal["circle", "square", "triangle"]

_COLOURS: dict[Shape, tuple[int, int, int]] = {
    "circle": (112, 192, 255),
    "square": (255, 64, 64),
    "triangle": (255, 160, 32),
}
_RADIUS = 6
_OUTLINE, _GRID, _INK = (190, 190, 190), (0, 200, 0), (0, 255, 0)
_BARS_ARCSEC = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 18000)
_QUALITY = 92


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """Positions (ICRS degrees) to mark, each with the same shape; a triangle points down at its position."""

    shape: Shape
    ra: Floats
    dec: Floats


@dataclass(frozen=True, slots=True)
class Look:
    """How a chart is drawn.

    Attributes
    ----------
    grid
        With lines to north, south, east and west through the centre.
    label
        Lines of text at the top left; with any, the directions and a length are drawn, too.
    inverted
        Black on white.
    """

    grid: bool = False
    label: tuple[str, ...] = ()
    inverted: bool = False


def draw_chart(
    frame: Frame,
    bands: Sequence[Floats],
    look: Look | None = None,
    marks: Sequence[Marks] = (),
    outlines: Sequence[tuple[Floats, Floats]] = (),
) -> bytes:
    """Draw a chart as JPEG, which has no way to say that there are no data: they are black.

    Parameters
    ----------
    bands
        Values at the pixels of the frame, rows from the top; one to three, the shortest wavelengths first.
    look
        How.
    marks
        Objects.
    outlines
        Closed lines on the sky: right ascensions and declinations of their corners.
    """
    look = look or Look()
    picture = Image.fromarray(_coloured(bands, inverted=look.inverted), "RGB")
    pen = ImageDraw.Draw(picture)
    for ra, dec in outlines:
        x, y = frame.places(np.append(ra, ra[:1]), np.append(dec, dec[:1]))
        if np.isfinite(x).all():
            pen.line([(float(a), float(b)) for a, b in zip(x, y, strict=True)], _OUTLINE, 1)
    for some in marks:
        _mark(pen, frame, some)
    if look.grid:
        middle_x, middle_y = 0.5 * (frame.width - 1), 0.5 * (frame.height - 1)
        gap = 0.05 * min(frame.width, frame.height)
        for start, end in ((0.0, middle_x - gap), (middle_x + gap, float(frame.width))):
            pen.line([(start, middle_y), (end, middle_y)], _GRID)
        for start, end in ((0.0, middle_y - gap), (middle_y + gap, float(frame.height))):
            pen.line([(middle_x, start), (middle_x, end)], _GRID)
    if look.label:
        _label(pen, frame, look.label)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()


def _coloured(bands: Sequence[Floats], *, inverted: bool) -> np.ndarray:
    if len(bands) == 1:
        level = stretched(bands[0], "asinh")
        colours = np.repeat(np.where(np.isfinite(level), level, 0.0)[..., None], 3, axis=-1)
    else:
        blue, red = bands[0], bands[-1]
        colours = composite(red, bands[1] if len(bands) == 3 else _between(blue, red), blue)
    pixels = np.round(255 * colours).astype(np.uint8)
    return 255 - pixels if inverted else pixels


def _between(blue: Floats, red: Floats) -> Floats:
    """Return a green band for two others: the mean of both where both are known, in the units of either."""
    parts = []
    for band in (blue, red):
        known = np.isfinite(band)
        low, high = limits(band[known]) if known.any() else (0.0, 1.0)
        parts.append((band - low) / (high - low))
    return np.asarray(0.5 * (parts[0] + parts[1]))


def _mark(pen: ImageDraw.ImageDraw, frame: Frame, marks: Marks) -> None:
    colour, r = _COLOURS[marks.shape], _RADIUS
    for x, y in zip(*frame.places(marks.ra, marks.dec), strict=True):
        if not (-r <= x < frame.width + r and -r <= y < frame.height + r):
            continue
        match marks.shape:
            case "circle":
                pen.ellipse([x - r, y - r, x + r, y + r], outline=colour)
            case "square":
                pen.rectangle([x - r, y - r, x + r, y + r], outline=colour)
            case _:
                pen.polygon([(x, y), (x - r, y - 2 * r), (x + r, y - 2 * r)], outline=colour)


def _label(pen: ImageDraw.ImageDraw, frame: Frame, lines: Sequence[str]) -> None:
    font = ImageFont.load_default(max(9, min(frame.width, frame.height) // 32))
    letter = int(font.size) if isinstance(font, ImageFont.FreeTypeFont) else 11
    for number, line in enumerate(lines):
        pen.text((letter, letter * (0.5 + 1.3 * number)), line, _INK, font)
    length = max(
        (bar for bar in _BARS_ARCSEC if bar <= 0.3 * frame.width * frame.scale), default=_BARS_ARCSEC[0]
    )
    right, down = letter + length / frame.scale, frame.height - letter
    pen.line([(letter, down), (right, down)], _INK, 2)
    pen.text((letter, down - letter * 0.3), _angle(length), _INK, font, anchor="ld")
    corner_x, corner_y, arm = frame.width - letter * 1.5, frame.height - letter * 1.5, letter * 2.5
    pen.line([(corner_x, corner_y - arm), (corner_x, corner_y), (corner_x - arm, corner_y)], _INK)
    pen.text((corner_x, corner_y - arm), "N", _INK, font, anchor="md")
    pen.text((corner_x - arm - 2, corner_y), "E", _INK, font, anchor="rm")


def _angle(arcsec: float) -> str:
    if arcsec >= 3600:
        return f"{arcsec / 3600:g} deg"
    return f"{arcsec / 60:g} arcmin" if arcsec >= 60 else f"{arcsec:g} arcsec"
