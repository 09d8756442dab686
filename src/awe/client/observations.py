"""Images: search them, open them where they lie, cut them, preview them."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from astropy.io import fits
from astropy.table import Table

from awe.client._base import BINARY2, ServiceClient, fetch_table
from awe.client._transport import Params
from awe.client._values import AngleLike, PositionLike, degrees, interval_text, listed
from awe.errors import NotFoundError, ParameterError

__all__ = ["ObservationsClient"]


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
        self, name: str, where: PositionLike, size: AngleLike, *, save: str | Path | None = None
    ) -> fits.HDUList:
        """Cut a piece out of an image next to the data.

        Parameters
        ----------
        name
            The image, as in `images`' column ``obs_id``.
        where, size
            Centre and radius of the piece.
        save
            Also write the FITS file here.

        Raises
        ------
        NotFoundError
            If there is no such image, or the piece lies outside it.
        """
        ra, dec = self._place(where)
        params: Params = {"ID": name, "CIRCLE": f"{ra!r} {dec!r} {degrees(size, 'size')!r}"}
        if save is not None:
            if self.transport.save("GET", "/soda/sync", Path(save), params=params):
                return fits.open(save)
        elif content := self.transport.get_bytes("/soda/sync", params):
            return fits.open(io.BytesIO(content))
        raise NotFoundError(
            f"{name} has no pixel within {size} of {ra:.6f} {dec:+.6f}",
            hint="a search for images at that position says which ones cover it",
        )

    def preview(self, name: str, *, size: int = 512, format: Literal["png"] = "png") -> bytes:  # noqa: A002
        """Return a z-scaled picture of an image as PNG, `size` pixels at its longer side."""
        if format != "png":
            raise ParameterError("format", format, "only png is offered")
        return self.transport.get_bytes(f"/api/datasets/{quote(name, safe='')}/preview", {"size": size})


def _is_there(path: Path, size: object) -> bool:
    return path.is_file() and (not isinstance(size, int) or path.stat().st_size == size)
