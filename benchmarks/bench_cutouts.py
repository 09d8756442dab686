"""Cutouts of a large image, plain and in compressed forms, beside astrocut, astropy and fitsio.

What awe, astrocut and astropy give is a FITS file with its world coordinates; fitsio gives pixels only, of a file that
is opened for each piece, or is open all the time.
"""

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.nddata import Cutout2D
from astropy.wcs import WCS
from frame import AbsentError, Case, Job, Peer
from sky import COMPRESSIONS, Sky

from awe.core.science.cutout import Wanted, cut
from awe.core.sky import Circle
from awe.services.observations import Copies
from awe.services.observations.layouts import Layouts

__all__ = ["jobs"]

_SIZES = (64, 256)
_MEMORY = 64 << 20
_MOST = 10**8
_FITSIO = "fitsio, pixels only, of a file kept open"
_TITLES = {
    "plain": "not compressed",
    "rice256": "Rice, tiles of 256",
    "rice64": "Rice, tiles of 64",
    "rice_rows": "Rice, a tile a row; awe reads the copy in small tiles that it makes when an image is published",
    "gzip256": "GZIP_2, tiles of 256",
}
_GOALS = {
    "plain": {"astrocut": 50, "astropy": 50, _FITSIO: 5},
    "rice256": {"astrocut": 4, _FITSIO: 1.5},
    "rice64": {"astrocut": 10, _FITSIO: 1.5},
}


@dataclass(frozen=True, slots=True)
class _Piece:
    """A square of pixels, the first of them, and its centre (ICRS degrees)."""

    x: int
    y: int
    side: int
    ra: float
    dec: float
    scale_deg: float


Pieces = AbstractContextManager[Callable[[_Piece], Any]]


def jobs(sky: Sky) -> Iterable[Job]:
    """Squares of two sizes, of every form of the image."""
    for form in COMPRESSIONS:
        path = sky.image(form)
        number = 0 if COMPRESSIONS[form] is None else 1
        yield Job(
            form,
            f"Squares of an image of {sky.pixels} x {sky.pixels} pixels ({_TITLES[form]}), asked for by position.",
            (
                Peer("awe", lambda path=path: _awe(path), _pixels),
                Peer("astrocut", lambda path=path: _astrocut(path), _first_pixels),
                Peer("astropy", lambda path=path, number=number: _astropy(path, number), _pixels),
                Peer(
                    "fitsio, pixels only",
                    lambda path=path, number=number: _fitsio(path, number, kept=False),
                ),
                Peer(_FITSIO, lambda path=path, number=number: _fitsio(path, number, kept=True)),
            ),
            [
                Case(f"{side} x {side}", _pieces(path, number, side, sky.times(30)), side**2)
                for side in _SIZES
            ],
            same=_differ,
            goals={
                (peer, f"{_SIZES[1]} x {_SIZES[1]}"): least for peer, least in _GOALS.get(form, {}).items()
            },
            per="pixels",
            compared=sky.times(30),  # so that the system has what all of them read
            together=sky.times(30),
        )


def _pieces(path: Path, number: int, side: int, count: int) -> list[_Piece]:
    with fits.open(path) as hdus:
        wcs, pixels = WCS(hdus[number].header), int(hdus[number].shape[0])
    random = np.random.default_rng(side)
    corners = random.integers(0, pixels - side, (count, 2))
    centres = wcs.all_pix2world(
        corners + side / 2 - 0.25, 0
    )  # no half pixel, which may be rounded either way
    scale = float(np.sqrt(np.abs(np.linalg.det(wcs.pixel_scale_matrix))))
    return [
        _Piece(int(x), int(y), side, float(ra), float(dec), scale)
        for (x, y), (ra, dec) in zip(corners, centres, strict=True)
    ]


@contextmanager
def _awe(path: Path) -> Iterator[Callable[[_Piece], bytes]]:
    with TemporaryDirectory() as folder:
        copies = Copies(Path(folder), made=True)
        copies.make(path, path.stat().st_size, path.stat().st_mtime)  # as when the image is published
        layouts = Layouts(_MEMORY, copies=copies)

        def run(piece: _Piece) -> bytes:
            wanted = Wanted(Circle(piece.ra, piece.dec, piece.side / 2 * piece.scale_deg))
            with layouts.open(path) as (layout, reader):
                found = cut(layout, reader, path.name, wanted, max_pixels=_MOST)
            return b"".join(found.write()) if found is not None else b""

        yield run


@contextmanager
def _astropy(path: Path, number: int) -> Iterator[Callable[[_Piece], bytes]]:
    def run(piece: _Piece) -> bytes:
        with fits.open(path) as hdus:
            hdu = hdus[number]
            centre = SkyCoord(piece.ra, piece.dec, unit="deg")
            found = Cutout2D(hdu.section, centre, piece.side, WCS(hdu.header), mode="trim")
            header = hdu.header.copy()
            header.update(found.wcs.to_header())
            out = io.BytesIO()
            fits.PrimaryHDU(found.data, header).writeto(out)
        return out.getvalue()

    yield run


@contextmanager
def _astrocut(path: Path) -> Iterator[Callable[[_Piece], Any]]:
    try:
        from astrocut import FITSCutout  # noqa: PLC0415  # a peer that need not be there
    except ImportError:
        raise AbsentError("`make bench` installs it") from None

    def run(piece: _Piece) -> list[bytes]:
        centre = SkyCoord(piece.ra, piece.dec, unit="deg")
        found = FITSCutout([str(path)], centre, piece.side, single_outfile=True).fits_cutouts
        made = []
        for hdus in found:
            out = io.BytesIO()
            hdus.writeto(out)
            made.append(out.getvalue())
        return made

    yield run


@contextmanager
def _fitsio(path: Path, number: int, *, kept: bool) -> Iterator[Callable[[_Piece], npt.NDArray[Any]]]:
    try:
        import fitsio  # noqa: PLC0415  # a peer that need not be there
    except ImportError:
        raise AbsentError("`make bench` installs it") from None

    def take(opened: Any, piece: _Piece) -> npt.NDArray[Any]:
        found: npt.NDArray[Any] = opened[number][
            piece.y : piece.y + piece.side, piece.x : piece.x + piece.side
        ]
        return found

    def run(piece: _Piece) -> npt.NDArray[Any]:
        with fitsio.FITS(str(path)) as opened:
            return take(opened, piece)

    if not kept:
        yield run
    else:
        with fitsio.FITS(str(path)) as opened:
            yield lambda piece: take(opened, piece)


def _pixels(raw: bytes) -> npt.NDArray[Any]:
    with fits.open(io.BytesIO(raw)) as hdus:
        return next(np.array(hdu.data) for hdu in hdus if hdu.shape)


def _first_pixels(made: list[bytes]) -> npt.NDArray[Any]:
    return _pixels(made[0])


def _differ(ours: npt.NDArray[Any], theirs: npt.NDArray[Any]) -> str:
    if ours.shape != theirs.shape:
        return f"{ours.shape} and {theirs.shape} pixels"
    return "" if np.array_equal(ours, theirs) else f"{np.count_nonzero(ours != theirs)} pixels are not equal"
