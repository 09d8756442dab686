"""``/<release>/SkyServerWS/ImgCutout/getjpeg``: a picture of the sky at a position, with what is asked for drawn on it.

The pictures are made from the archive's own images, whatever release the address names; its objects are those of that
release. ``O`` and ``B`` (outlines of objects), ``M`` (masks), ``Q`` (plates) and ``T`` (targets) are not drawn, which the
header ``X-Awe-Not-Drawn`` says.
"""

import re
from collections.abc import Iterator

import numpy as np
from starlette.responses import Response

from awe.core.science.celestial import Floats
from awe.core.science.chart import Frame
from awe.core.science.chart_drawing import Look, Marks, draw_chart
from awe.core.sky import Region
from awe.core.tables import TableStream
from awe.core.vo.params import Values
from awe.errors import NotFoundError, ParameterError
from awe.services.catalogs import TableRecord, as_written
from awe.services.observations import Chart
from awe.web.compat.sciserver import _params as p
from awe.web.compat.sciserver._address import pairs_of
from awe.web.compat.sciserver._release import PHOTO, SPECTRA, place_of, release_of
from awe.web.http import Call, FairResponse

__all__ = ["getjpeg"]

_SCALE, _SIZE, _LARGEST = 0.7, 512, 2048
_DRAWN, _LETTERS = "GLPSFI", frozenset("GLPSTOBFMQI")
_MOST_MARKS = 5000
_KIND = re.compile(r"([SGP])(?:\s*([UGRIZA])\s*\(\s*([0-9.+-]+)\s*,\s*([0-9.+-]+)\s*\))?", re.IGNORECASE)
_TYPES = {"S": 6, "G": 3}
"""SDSS's ``type`` of stars and galaxies."""
_OUTLINE = 64


def getjpeg(call: Call) -> Response:
    """Draw a picture of the sky around a position, as JPEG."""
    values = p.CUTOUT.parse(pairs_of(call, _KNOWN))
    letters = (values.get(p.OPT) or "").upper()
    if unknown := set(letters) - _LETTERS:
        raise ParameterError(
            "opt", "".join(sorted(unknown)), "is no letter of SkyServer's", hint=f"drawn: {_DRAWN}"
        )
    width, height = (min(values.get(one) or _SIZE, _LARGEST) for one in (p.WIDTH, p.HEIGHT))
    ra, dec = values.need(p.RA) % 360.0, values.need(p.DEC)
    frame = Frame(ra, dec, values.get(p.SCALE) or _SCALE, width, height)
    return FairResponse(call.subject, lambda: _drawn(call, values, frame, letters))


def _drawn(call: Call, values: Values, frame: Frame, letters: str) -> Response:
    marks = list(_marks(call, frame, letters, values))
    chart = call.platform.observations.chart(frame, call.identity)
    if chart is None:
        raise NotFoundError(
            f"no image covers {frame.ra:.5f} {frame.dec:+.5f}", hint="/moc tells what the images cover"
        )
    look = Look(grid="G" in letters, label=_label(chart) if "L" in letters else (), inverted="I" in letters)
    outlines = [_corners(region) for region in chart.outlines] if "F" in letters else []
    headers = {"X-Awe-Images": f"{len(chart.images)} of {len(chart.images) + chart.left_out}"}
    if missing := "".join(letter for letter in letters if letter not in _DRAWN):
        headers["X-Awe-Not-Drawn"] = missing
    return Response(draw_chart(frame, chart.bands, look, marks, outlines), 200, headers, "image/jpeg")


def _label(chart: Chart) -> tuple[str, ...]:
    frame, left_out = chart.frame, chart.left_out
    more = (f"{len(chart.images)} of {len(chart.images) + left_out} images",) if left_out else ()
    place = (f"ra: {frame.ra:.5f}", f"dec: {frame.dec:.5f}", f"scale: {frame.scale:g} arcsec/pix")
    return (chart.collection, *place, *more)


def _corners(region: Region) -> tuple[Floats, Floats]:
    vertices = getattr(region, "vertices", None)
    if vertices is not None:
        ra, dec = np.asarray(vertices, float).T
        return ra, dec
    circle = region.bounding_circle()
    angle = np.linspace(0.0, 2 * np.pi, _OUTLINE, endpoint=False)
    dec = np.clip(circle.dec + circle.radius * np.cos(angle), -90.0, 90.0)
    return circle.ra + circle.radius * np.sin(angle) / np.cos(np.radians(dec)), dec


def _marks(call: Call, frame: Frame, letters: str, values: Values) -> Iterator[Marks]:
    """Yield what is to be marked; errors of the query come before the picture is made."""
    if "P" in letters:
        record = release_of(call).table(PHOTO)
        yield Marks("circle", *_inside(call, frame, record, ""))
    if "S" in letters:
        record = release_of(call).table(SPECTRA)
        yield Marks("square", *_inside(call, frame, record, ""))
    query = values.get(p.QUERY)
    if query is None:
        return
    if kind := _KIND.fullmatch(query):
        yield Marks("triangle", *_of_a_kind(call, frame, *kind.groups()))
    elif query.lstrip().casefold().startswith("select"):
        stream = call.platform.catalogs.query(
            query, dialect="tsql", context=release_of(call).name, identity=call.identity, max_rows=_MOST_MARKS
        )
        yield Marks("triangle", *_positions(stream))
    else:
        yield Marks("triangle", *_listed(query))


def _of_a_kind(
    call: Call, frame: Frame, letter: str, band: str | None, low: str | None, high: str | None
) -> tuple[Floats, Floats]:
    """Return objects of one of SDSS's kinds, in a range of magnitudes of one band or of any."""
    record = release_of(call).table(PHOTO)
    terms = [f"type = {_TYPES[letter.upper()]}"] if letter.upper() in _TYPES else []
    if band is not None and low is not None and high is not None:
        bands = "ugriz" if band.upper() == "A" else band.lower()
        limits = _number(low), _number(high)
        within = (f"{as_written(one)} BETWEEN {limits[0]!r} AND {limits[1]!r}" for one in bands)
        terms.append(f"({' OR '.join(within)})")
    return _inside(call, frame, record, " AND ".join(terms))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ParameterError("query", text, "is not a magnitude", hint="for example G R (14, 20)") from None


def _inside(call: Call, frame: Frame, record: TableRecord, also: str) -> tuple[Floats, Floats]:
    """Return the positions of a table within the picture."""
    ra, dec = as_written(record.ra or "ra"), as_written(record.dec or "dec")
    circle = frame.around
    place = f"CIRCLE({circle.ra!r}, {circle.dec!r}, {circle.radius!r})"
    where = f"1 = CONTAINS(POINT({ra}, {dec}), {place}){f' AND {also}' if also else ''}"
    text = f"SELECT {ra} AS ra, {dec} AS de FROM {place_of(record)} WHERE {where}"
    stream = call.platform.catalogs.query(text, identity=call.identity, max_rows=_MOST_MARKS)
    return _positions(stream)


def _positions(stream: TableStream) -> tuple[Floats, Floats]:
    """Return the columns ``ra`` and ``dec`` of an answer; where they have other names, its second and third."""
    table = stream.to_table()
    names = [name.casefold() for name in stream.schema.names]
    if len(names) < 2:
        raise ParameterError("query", "", "does not answer ra and dec", hint="SELECT objID, ra, dec FROM ...")
    first = 1 if len(names) > 2 else 0
    ra, dec = (names.index("ra"), names.index("dec")) if {"ra", "dec"} <= set(names) else (first, first + 1)
    try:
        found = [np.asarray(table.column(n).to_numpy(zero_copy_only=False), float) for n in (ra, dec)]
    except (TypeError, ValueError):
        raise ParameterError("query", names[ra], "is not a position in degrees") from None
    return _good(*found)


def _listed(text: str) -> tuple[Floats, Floats]:
    """Return the positions of a list of objects with a header, separated by commas, semicolons, tabs or blanks."""
    lines = [re.split(r"[,;\s]+", line.strip()) for line in text.splitlines() if line.strip()]
    head = [word.casefold() for word in lines[0]]
    if not {"ra", "dec"} <= set(head):
        raise ParameterError(
            "query",
            text[:80],
            "is neither SQL nor a list of objects",
            hint="a list begins with a header: name ra dec",
        )
    ra, dec = head.index("ra"), head.index("dec")
    try:
        pairs = [(float(words[ra]), float(words[dec])) for words in lines[1:]]
    except (ValueError, IndexError):
        raise ParameterError("query", text[:80], "has a line without ra and dec in degrees") from None
    return (
        _good(*(np.array(values, float) for values in zip(*pairs, strict=True))) if pairs else (_NONE, _NONE)
    )


def _good(ra: Floats, dec: Floats) -> tuple[Floats, Floats]:
    known = np.isfinite(ra) & np.isfinite(dec)
    return ra[known], dec[known]


_NONE: Floats = np.zeros(0)
_KNOWN = frozenset(param.name.casefold() for param in p.CUTOUT) | {"taskname"}
