"""``/soda/sync``, also ``/soda``: cutouts (SODA 1.0)."""

from itertools import chain
from typing import TypeVar

from starlette.responses import Response, StreamingResponse

from awe.core.vo import soda
from awe.errors import ParameterError, UsageError
from awe.web.http import Call
from awe.web.vo._vosi import Capabilities, capabilities, protocol

__all__ = ["cutout", "soda_capabilities"]

_FITS = "application/fits"
T = TypeVar("T")


def cutout(call: Call) -> Response:
    """Return a piece of a dataset; 204 where the region misses it (section 4.1)."""
    values = soda.PARAMS.parse(call.pairs)
    name = _only("ID", values.all(soda.ID))
    if name is None:
        raise ParameterError("ID", "", "is needed: the dataset to cut", hint="see /sia2 for identifiers")
    regions = tuple(chain(values.all(soda.POS), values.all(soda.CIRCLE), values.all(soda.POLYGON)))
    region = _only("POS, CIRCLE and POLYGON", regions)
    band = _only("BAND", values.all(soda.BAND))
    piece = call.platform.observations.cutout(name, region=region, band=band)
    if piece is None:
        return Response(status_code=204)
    headers = {"Content-Disposition": f'attachment; filename="{piece.filename}"'}
    return StreamingResponse(piece.write(), media_type=_FITS, headers=headers)


def soda_capabilities(call: Call) -> Capabilities:
    """Say where the cutouts are: ``/soda/capabilities``."""
    return capabilities(call, "soda", protocol(call, "soda/sync", soda.STANDARD_ID, "1.0", soda.PARAMS))


def _only(name: str, values: tuple[T, ...]) -> T | None:
    if len(values) > 1:
        raise UsageError(
            f"{name}: {len(values)} values are given, and a cutout takes one",
            hint="make one request for each",
            multi_valued=True,
        )
    return values[0] if values else None
