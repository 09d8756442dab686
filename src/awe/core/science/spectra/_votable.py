"""Spectra as VOTables: columns found by their utypes, what is said of the target in PARAMs."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
from astropy.io import votable

from awe.core.science.celestial import quiet
from awe.core.science.spectra._columns import Named, from_columns, medium_of
from awe.core.science.spectra._model import NoSpectrumError, Reading, Spectrum

__all__ = ["votable_spectrum"]

_FACTS: Mapping[str, str] = MappingProxyType(
    {
        "target.name": "target_name",
        "target.class": "target_class",
        "target.redshift": "redshift",
        "dataid.title": "obs_title",
        "dataid.creator": "obs_creator_name",
        "dataid.creatordid": "obs_creator_did",
        "dataid.instrument": "instrument_name",
        "dataid.date": "obs_creation_date",
        "curation.reference": "bib_reference",
        "char.timeaxis.coverage.bounds.start": "t_min",
        "char.timeaxis.coverage.bounds.stop": "t_max",
        "char.timeaxis.coverage.bounds.extent": "t_exptime",
        "char.timeaxis.coverage.support.extent": "t_exptime",
        "char.spatialaxis.coverage.bounds.extent": "s_fov",
        "char.spectralaxis.respower": "em_res_power",
        "derived.snr": "snr",
    }
)
"""Utypes of the Spectral Data Model 1.1, lower case without prefix, and the columns of the index."""
_POSITIONS = ("target.pos", "char.spatialaxis.coverage.location.value")


def votable_spectrum(path: Path, reading: Reading) -> Spectrum:
    """Read the first table of a VOTable.

    Raises
    ------
    NoSpectrumError
        If it is not a VOTable that can be read, or its first table is no spectrum.
    """
    try:
        with quiet():
            document = votable.parse(str(path), verify="ignore")
            table = document.get_first_table()
    except Exception as error:  # noqa: BLE001  # astropy raises a dozen kinds for a bad file
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise NoSpectrumError(f"it is not a VOTable that can be read: {said}") from None
    columns = [
        Named(field.name, np.ma.getdata(values), str(field.unit or ""), field.ucd or "", field.utype or "")
        for field in table.fields
        if (values := table.array[field.ID]).dtype.kind in "iuf" and values.ndim == 1
    ]
    read = from_columns(columns, reading)
    params = {
        _plain(param.utype): param.value
        for param in (*document.iter_fields_and_params(),)
        if _is_param(param)
    }
    facts = dict(_facts(params))
    medium = medium_of(reading.medium) or medium_of(str(params.get("airorvac", "")))
    return Spectrum(read.spectral, read.flux, read.error, read.quality, medium=medium, facts=facts)


def _is_param(element: object) -> bool:
    return isinstance(element, votable.tree.Param) and bool(element.utype)


def _plain(utype: str) -> str:
    return utype.rpartition(":")[2].casefold().removeprefix("spectrum.")


def _facts(params: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for utype, column in _FACTS.items():
        value = params.get(utype)
        if value is not None and str(value).strip() and not np.ma.is_masked(value):
            number = isinstance(value, int | float | np.number)
            if not number or np.isfinite(float(str(value))):
                yield column, float(str(value)) if number else str(value)
    for utype in _POSITIONS:
        place = (
            np.ma.filled(np.ma.asarray(params.get(utype, [])), np.nan) if utype in params else np.array([])
        )
        if place.shape == (2,) and np.isfinite(place.astype(float)).all():
            yield "s_ra", float(place[0])
            yield "s_dec", float(place[1])
            return
