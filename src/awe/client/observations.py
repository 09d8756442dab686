"""Images: search them, open them where they lie, cut them, preview them."""

import io
import json
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Literal
from urllib.parse import quote

from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table

from awe.client._base import BINARY2, ServiceClient, fetch_table
from awe.client._transport import Params
from awe.client._values import AngleLike, PositionLike, degrees, interval_text, listed
from awe.errors import AweError, NotFoundError, ParameterError

__all__ = ["ObservationsClient"]


_CUTOUTS = "/soda/sync"
_AT_ONCE = 100


class ObservationsClient(ServiceClient):
    """Published images."""

    _cache: Path

    def images(
        self,
        where: PositionLike | None = None,
        size: AngleLike = 0.0,
        *,
        instrument: str | Sequence[str] | None = None,
        collection: str | Sequence[str] | None = None,
        calib_level: int | Sequence[int] | None = None,
        exposure_s: tuple[float, float] | None = None,
        band_m: tuple[float, float] | None = None,
        time_mjd: tuple[float, float] | None = None,
        target: str | None = None,
        max_rows: int | None = None,
    ) -> Table:
        """Return the images that touch a circle on the sky, with everything ObsCore knows of them.

        Parameters
        ----------
        where
            Centre of the circle (as in `cone`); the whole sky when None.
        size
            Radius of the circle, degrees unless it says otherwise; 0 asks for images that cover the position.
        instrument, collection, calib_level, target
            Narrow the search; a sequence means any of them.
        exposure_s, band_m, time_mjd
            (lowest, highest) exposure in seconds, wavelength in metres, time as MJD; infinities are open ends.
        max_rows
            Rows at the most.
        """
        params: dict[str, Any] = {
            "INSTRUMENT": listed(instrument),
            "COLLECTION": listed(collection),
            "CALIB": listed(calib_level),
            "EXPTIME": interval_text(exposure_s),
            "BAND": interval_text(band_m),
            "TIME": interval_text(time_mjd),
            "TARGET": target,
            "MAXREC": max_rows,
            "RESPONSEFORMAT": BINARY2,
        }
        if where is not None:
            ra, dec = self._place(where)
            params["POS"] = f"CIRCLE {ra!r} {dec!r} {degrees(size, 'size')!r}"
        return fetch_table(self.transport, "GET", "/sia2/query", params=params)

    def dataset(self, name: str) -> dict[str, Any]:
        """Return what is known of one image by its name, such as ``hst_9401_02_acs_wfc_total``.

        Raises
        ------
        NotFoundError
            If there is none; the message says what is near.
        """
        found: Any = self.transport.get_json(f"/api/datasets/{quote(name, safe='')}")
        return dict(found)

    def path(self, name: str) -> Path:
        """Return a path where the image's file can be read: in place where this machine has it, else downloaded once."""
        about = self.dataset(name)
        if about.get("path") and _is_there(Path(about["path"]), about.get("size")):
            return Path(about["path"])
        kept: Path = (
            self._cache / quote(self.transport.url, safe="") / about["collection"] / about["filename"]
        )
        if not _is_there(kept, about.get("size")):
            self.transport.save("GET", about["file"], kept)
        return kept

    def open(self, name: str) -> fits.HDUList:
        """Open an image by its name; the pixels are read when they are used."""
        return fits.open(self.path(name), memmap=True)

    def cutout(
        self,
        name: str,
        where: PositionLike | None = None,
        size: AngleLike = 0.0,
        *,
        band: tuple[float, float] | None = None,
        time: tuple[float, float] | None = None,
        pol: str | Sequence[str] | None = None,
        save: str | Path | None = None,
    ) -> fits.HDUList:
        """Cut a piece out of an image or cube next to the data.

        Parameters
        ----------
        name
            The image, as in `images`' column ``obs_id``.
        where, size
            Centre and radius of the piece; all of the sky it covers when None.
        band
            Wavelengths (shortest, longest) in metres; infinities are open ends.
        time
            Times (first, last) as MJD, UTC.
        pol
            Polarisation states, such as "I" or ["I", "V"].
        save
            Also write the FITS file here.

        Raises
        ------
        NotFoundError
            If there is no such image, or it has no pixel of the piece.
        """
        params = self._piece(name, [] if where is None else [where], size, band, time, pol)
        if save is not None:
            if self.transport.save("GET", _CUTOUTS, Path(save), params=params):
                return fits.open(save)
        elif content := self.transport.get_bytes(_CUTOUTS, params):
            return fits.open(io.BytesIO(content))
        raise NotFoundError(
            f"{name} has no pixel within {size} of {where}" if where else f"{name} has no pixel of the piece",
            hint="a search for images at that position says which ones cover it",
        )

    def cutouts(
        self,
        name: str | Sequence[str],
        where: Sequence[PositionLike] | SkyCoord,
        size: AngleLike,
        *,
        band: tuple[float, float] | None = None,
        time: tuple[float, float] | None = None,
        pol: str | Sequence[str] | None = None,
    ) -> list[fits.HDUList | None]:
        """Cut pieces at many positions out of one image, or each out of an image of its own.

        Parameters
        ----------
        name
            An image, or one for each position: a column ``obs_id``.
        where, size
            Their centres, each as for `cutout` or a SkyCoord of many, and the radius of all.
        band, time, pol
            As for `cutout`.

        Returns
        -------
        The pieces in the order of the positions; None where the image has no pixel of one. A hundred go with one request.

        Raises
        ------
        NotFoundError
            If there is no such image.
        ParameterError
            If there are more or fewer images than positions.
        """
        places = self._places(where)
        names = [name] * len(places) if isinstance(name, str) else [str(one) for one in name]
        if len(names) != len(places):
            raise ParameterError("name", len(names), f"is one for each of the {len(places)} positions")
        found: list[fits.HDUList | None] = []
        for start in range(0, len(places), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            body = {
                "datasets": names[part],
                "positions": places[part],
                "radius": repr(float(degrees(size, "size"))),
                "band": interval_text(band) or "",
                "time": interval_text(time) or "",
                "pol": listed(pol) or [],
            }
            with tempfile.TemporaryFile() as archive:
                with self.transport.stream("POST", "/api/cutouts", body=body) as answer:
                    archive.writelines(answer.iter_bytes())
                pieces = _members(archive)
            found += [_opened(pieces.get(number + 1)) for number in range(len(places[part]))]
        return found

    def links(self, name: str) -> Table:
        """Return what belongs to a dataset: its file, pictures, cutouts, what it was made of and into.

        Raises
        ------
        NotFoundError
            If there is no such dataset.
        """
        params: Params = {"ID": name, "RESPONSEFORMAT": BINARY2}
        table = fetch_table(self.transport, "GET", "/datalink/links", params=params)
        for message in table["error_message"]:
            if message and str(message).startswith("NotFoundFault"):
                raise NotFoundError(str(message).partition(": ")[2])
        return table

    def _piece(
        self,
        name: str,
        where: Sequence[PositionLike],
        size: AngleLike,
        band: tuple[float, float] | None,
        time: tuple[float, float] | None,
        pol: str | Sequence[str] | None,
    ) -> dict[str, Any]:
        places = (self._place(one) for one in where)
        radius = degrees(size, "size")
        return {
            "ID": name,
            "CIRCLE": [f"{ra!r} {dec!r} {radius!r}" for ra, dec in places],
            "BAND": interval_text(band),
            "TIME": interval_text(time),
            "POL": listed(pol),
        }

    def preview(self, name: str, *, size: int = 512, format: Literal["png"] = "png") -> bytes:  # noqa: A002
        """Return a z-scaled picture of an image as PNG, `size` pixels at its longer side."""
        if format != "png":
            raise ParameterError("format", format, "only png is offered")
        return self.transport.get_bytes(f"/api/datasets/{quote(name, safe='')}/preview", {"size": size})


def _is_there(path: Path, size: object) -> bool:
    return path.is_file() and (not isinstance(size, int) or path.stat().st_size == size)


def _members(archive: BinaryIO) -> dict[int, bytes]:
    """Return the pieces in an archive of cutouts by number; those that hold no pixel are left out."""
    found: dict[int, bytes] = {}
    if not archive.tell():
        return found
    archive.seek(0)
    with tarfile.open(fileobj=archive) as opened:
        for member in opened:
            stream = opened.extractfile(member)
            content = stream.read() if stream is not None else b""
            if member.name.endswith(".fits"):
                found[int(member.name.partition("_")[0])] = content
                continue
            error = AweError.from_json(json.loads(content))
            if not isinstance(error, NotFoundError):
                raise error
    return found


def _opened(content: bytes | None) -> fits.HDUList | None:
    return None if content is None else fits.open(io.BytesIO(content))
