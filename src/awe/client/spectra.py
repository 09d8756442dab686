"""Spectra: search them, and read one as a table or as a value of specutils."""

import warnings
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

import numpy as np
from astropy import units
from astropy.table import Table
from astropy.utils.exceptions import AstropyWarning

from awe.client._base import BINARY2, ServiceClient, fetch_table
from awe.client._transport import Params
from awe.client._values import AngleLike, PositionLike, degrees, interval_text, listed

if TYPE_CHECKING:
    from specutils import Spectrum, SpectrumList

__all__ = ["SpectraClient"]


class SpectraClient(ServiceClient):
    """Published spectra."""

    def spectra(
        self,
        where: PositionLike | None = None,
        radius: AngleLike = "1 arcmin",
        *,
        target: str | list[str] | None = None,
        instrument: str | list[str] | None = None,
        collection: str | list[str] | None = None,
        band_m: tuple[float, float] | None = None,
        time_mjd: tuple[float, float] | None = None,
        redshift: tuple[float, float] | None = None,
        max_rows: int | None = None,
    ) -> Table:
        """Return the spectra taken within a circle on the sky, with everything ObsCore knows of them.

        Parameters
        ----------
        where
            Centre of the circle (as in `cone`); None for the whole sky, and for spectra without a position.
        radius
            Radius of the circle, degrees unless it says otherwise.
        target, instrument, collection
            Narrow the search; a list means any of them. The case of a target does not matter.
        band_m, time_mjd, redshift
            (lowest, highest) wavelength in metres, time as MJD, redshift; infinities are open ends.
        max_rows
            Rows at the most.
        """
        params: dict[str, Any] = {
            "target": listed(target),
            "instrument": listed(instrument),
            "collection": listed(collection),
            "band": interval_text(band_m),
            "time": interval_text(time_mjd),
            "redshift": interval_text(redshift),
            "max_rows": max_rows,
            "format": BINARY2,
        }
        if where is not None:
            ra, dec = self._place(where)
            params |= {"position": f"{ra!r} {dec!r}", "radius": f"{degrees(radius)!r} deg"}
        return fetch_table(self.transport, "GET", "/api/spectra", params=params)

    def spectrum_table(self, name: str) -> Table:
        """Return a spectrum by its name as a table: spectral, flux, and flux_error, quality, segment if it has them.

        Values and units are those of the published file.

        Raises
        ------
        NotFoundError
            If there is none; the message says what is near.
        ParameterError
            If the dataset is no spectrum.
        """
        return fetch_table(self.transport, "GET", _address(name), params={"format": BINARY2})

    def spectrum(self, name: str) -> "Spectrum | SpectrumList":
        """Return a spectrum by its name as a value of specutils; a list of its segments where it has several.

        Samples whose spectral coordinate is no number are left out, and of equal ones all but the first: specutils
        takes neither. `spectrum_table` has all of them.

        Raises
        ------
        NotFoundError
            If there is none; the message says what is near.
        ParameterError
            If the dataset is no spectrum.
        """
        table = self.spectrum_table(name)
        specutils: Any = import_module("specutils")  # takes seconds to load
        if "segment" not in table.colnames:
            return _to_specutils(specutils, table)
        names = dict.fromkeys(str(segment) for segment in table["segment"])
        parts = [_to_specutils(specutils, table[table["segment"] == one]) for one in names]
        return specutils.SpectrumList(parts)

    def save_spectrum(
        self,
        name: str,
        file: str | Path,
        *,
        format: Literal["votable", "fits", "csv", "ecsv"] | None = None,  # noqa: A002
    ) -> Path:
        """Write a spectrum as a table into a file and return the path; the format is that of the file's name."""
        to = Path(file)
        known = {
            ".vot": "votable",
            ".xml": "votable",
            ".csv": "csv",
            ".ecsv": "ecsv",
            ".fit": "fits",
            ".fits": "fits",
        }
        params: Params = {"format": format or known.get(to.suffix.lower(), "votable")}
        self.transport.save("GET", _address(name), to, params=params)
        return to


def _address(name: str) -> str:
    return f"/api/datasets/{quote(name, safe='')}/spectrum"


def _to_specutils(specutils: Any, table: Table) -> Any:
    nddata: Any = import_module("astropy.nddata")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        axis: Any = np.ma.filled(np.ma.asarray(table["spectral"], dtype=float), np.nan)
        _, first = np.unique(axis, return_index=True)
        kept = np.sort(first[np.isfinite(axis[first])])
        if len(kept) > 1 and not ((np.diff(axis[kept]) > 0).all() or (np.diff(axis[kept]) < 0).all()):
            kept = first[np.isfinite(axis[first])]  # np.unique has them in ascending order
        flux_unit = table["flux"].unit or units.dimensionless_unscaled
        error = None
        if "flux_error" in table.colnames:
            values = np.ma.filled(np.ma.asarray(table["flux_error"], dtype=float), np.nan)[kept]
            error = nddata.StdDevUncertainty(values, unit=flux_unit)
        return specutils.Spectrum(
            flux=units.Quantity(
                np.ma.filled(np.ma.asarray(table["flux"], dtype=float), np.nan)[kept], flux_unit
            ),
            spectral_axis=units.Quantity(axis[kept], table["spectral"].unit),
            uncertainty=error,
        )
