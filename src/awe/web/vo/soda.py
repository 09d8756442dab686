"""``/soda/sync``, also ``/soda``, and ``/soda/async``: cutouts (SODA 1.0).

Every combination of the values of ID, of a region, BAND and TIME is a piece; the values of POL are one filter
(section 3.1). One piece is answered as a FITS file, several as a tar archive of FITS files in the order of the
combinations; where one has no pixels, or cannot be cut, a text file says so. A job has a result for each.
"""

from collections.abc import Sequence
from functools import partial
from itertools import chain, product

from starlette.responses import Response, StreamingResponse

from awe.core.science.cutout import Wanted
from awe.core.vo import soda, vosi
from awe.core.vo.params import Values
from awe.errors import LimitError, ParameterError, UsageError
from awe.services.observations import CUTOUT, Piece, cut_all, order_of
from awe.web.http import Call, FairResponse, cutouts_response, soda_error
from awe.web.vo._vosi import Capabilities, capabilities, protocol
from awe.web.vo.uws import JobFace

__all__ = ["JOBS", "cutout", "soda_capabilities"]

_FITS = "application/fits"
_MOST_NOW, _MOST_LATER = 100, 1000


def cutout(call: Call) -> Response:
    """Return a piece of a dataset, or several in an archive; 204 where none has a pixel (section 5.1)."""
    values = soda.PARAMS.parse(call.pairs)
    pieces = _pieces(values, _MOST_NOW)
    if values.get(soda.RESPONSEFORMAT) == soda.PNG:
        make = _picture
    else:
        make = _archive if len(pieces) > 1 else _file
    return FairResponse(call.subject, partial(make, call, pieces))


def _file(call: Call, pieces: list[Piece]) -> Response:
    piece = call.platform.observations.cutout(pieces[0].dataset, pieces[0].wanted, call.identity)
    if piece is None:
        return Response(status_code=204)
    return StreamingResponse(piece.write(), media_type=_FITS, headers=_named(piece.filename))


def soda_capabilities(call: Call) -> Capabilities:
    """Say where the cutouts are: ``/soda/capabilities``."""
    return capabilities(
        call,
        "soda",
        protocol(call, "soda/sync", soda.STANDARD_ID, "1.0", soda.PARAMS),
        vosi.Capability(soda.ASYNC_ID, f"{call.base_url}/soda/async", version="1.0"),
    )


def _order(call: Call, pairs: Sequence[tuple[str, str]]) -> dict[str, object]:  # noqa: ARG001  # as a JobFace calls it
    values = soda.PARAMS.parse(pairs)
    if values.get(soda.RESPONSEFORMAT) == soda.PNG:
        raise ParameterError("RESPONSEFORMAT", soda.PNG, "jobs make FITS files", hint="use /soda/sync")
    return order_of(_pieces(values, _MOST_LATER))


JOBS = JobFace("soda/async", CUTOUT, _order, soda_error)
"""``/soda/async``: many pieces, one after the other (section 6)."""


def _pieces(values: Values, most: int) -> list[Piece]:
    """Return every combination of the values; the last parameter changes first."""
    names = values.all(soda.ID)
    if not names:
        raise ParameterError("ID", "", "is needed: the dataset to cut", hint="see /sia2 for identifiers")
    regions = tuple(chain(values.all(soda.POS), values.all(soda.CIRCLE), values.all(soda.POLYGON)))
    bands, times = values.all(soda.BAND), values.all(soda.TIME)
    combined = product(names, regions or (None,), bands or (None,), times or (None,))
    count = len(names) * max(1, len(regions)) * max(1, len(bands)) * max(1, len(times))
    if count > most:
        raise LimitError(
            f"{count:,} pieces are asked for, the limit is {most:,}", hint="ask in several requests"
        )
    pol = values.all(soda.POL)
    return [Piece(name, Wanted(region, band, time, pol)) for name, region, band, time in combined]


def _archive(call: Call, pieces: list[Piece]) -> Response:
    parts = cut_all(call.platform.observations, pieces, call.identity)
    return cutouts_response(call.subject, parts, soda.error_text)


def _picture(call: Call, pieces: list[Piece]) -> Response:
    first = pieces[0]
    if len(pieces) > 1 or first.wanted != Wanted(first.wanted.region):
        raise UsageError(
            "a picture is of one region of one dataset", hint="leave RESPONSEFORMAT out for FITS"
        )
    png = call.platform.observations.preview(
        first.dataset, region=first.wanted.region, identity=call.identity
    )
    return Response(status_code=204) if png is None else Response(png, media_type=soda.PNG)


def _named(filename: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{filename}"'}
