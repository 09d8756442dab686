"""Many pieces of many images in one answer: ``/api/cutouts``."""

import json
from collections.abc import Sequence
from functools import partial

from pydantic import BaseModel, Field
from starlette.responses import Response

from awe.core.science.cutout import Wanted
from awe.core.science.obscore import POLARISATIONS
from awe.core.sky import Circle
from awe.errors import AweError, ParameterError
from awe.services.identity import READ, subject_of
from awe.services.observations import Piece, cut_all
from awe.web.api._angles import angle_deg
from awe.web.api._caller import Caller, Services, make_router, needs
from awe.web.api._intervals import interval_of
from awe.web.http import FairResponse, cutouts_response

__all__ = ["router"]

router = make_router(tags=["datasets"])

_MOST = 1000
"""Pieces of one answer; each is a turn of its own."""


class ManyPieces(BaseModel):
    """Pieces of images."""

    datasets: list[str] = Field(
        min_length=1, max_length=_MOST, description="One for all positions, or one for each"
    )
    positions: list[tuple[float, float]] = Field(
        min_length=1, max_length=_MOST, description="Right ascension and declination of each, ICRS degrees"
    )
    radius: str = Field(description="Of the circles, such as 2 arcsec; degrees without a unit")
    band: str = Field("", description="Shortest and longest wavelength in metres, such as 4e-7 7e-7")
    time: str = Field("", description="First and last MJD, such as 52000 +Inf")
    pol: list[str] = Field([], description="Polarisation states, all of them together")


@router.post("/cutouts", response_class=Response, openapi_extra=needs(READ))
def cutouts(asked: ManyPieces, services: Services, caller: Caller) -> Response:
    """Cut circles out of images: a tar archive of FITS files in the order of the positions; 204 without a pixel.

    Each is called by its number and its image. Where one has no pixel, or cannot be cut, a text in JSON says why.
    """
    pieces = _pieces(asked)

    def answer() -> Response:
        for name in dict.fromkeys(asked.datasets):
            services.observations.dataset(name, caller)  # that there is none is told before anything is cut
        parts = cut_all(services.observations, pieces, caller)
        return cutouts_response(subject_of(caller), parts, _told)

    return FairResponse(subject_of(caller), answer)


def _pieces(asked: ManyPieces) -> Sequence[Piece]:
    radius_deg = angle_deg("radius", asked.radius)
    names = asked.datasets * len(asked.positions) if len(asked.datasets) == 1 else asked.datasets
    if len(names) != len(asked.positions):
        raise ParameterError(
            "datasets", len(names), f"is one for all, or one for each of the {len(asked.positions)} positions"
        )
    for state in asked.pol:
        if state not in POLARISATIONS:
            raise ParameterError("pol", state, f"is none of {', '.join(POLARISATIONS)}")
    wanted = partial(
        Wanted,
        band=interval_of("band", asked.band),
        time=interval_of("time", asked.time),
        pol=tuple(asked.pol),
    )
    return [
        Piece(name, wanted(Circle(ra % 360, dec, radius_deg)))
        for name, (ra, dec) in zip(names, asked.positions, strict=True)
    ]


def _told(error: AweError) -> str:
    return json.dumps(error.to_json())
