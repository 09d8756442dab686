"""How observatories lay spectra out in FITS files.

`LAYOUTS` are tried in order; the first that knows a file reads it. Each is a function of the open file (with
``do_not_scale_image_data=True``) that returns None where the file is not of its kind.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from awe.core.science.keywords import card
from awe.core.science.spectra._columns import Named, Read, from_columns, medium_of
from awe.core.science.spectra._desi import desi
from awe.core.science.spectra._grids import medium_in, spectral_axis
from awe.core.science.spectra._model import Axis, Medium, NoSpectrumError, Reading, Spectrum
from awe.core.science.spectra._pixels import pixels
from awe.core.science.spectra._sdss import SDSS_DESCRIPTIONS, is_sdss
from awe.core.science.spectra._units import flux_ucd, parse_unit, written

__all__ = ["LAYOUTS", "Layout"]

Layout = Callable[[fits.HDUList, Reading], list[Spectrum] | None]

_MOST_ROWS = 1000
"""A two-dimensional image of more rows is no list of spectra."""
_SPATIAL = ("ANGLE", "RA", "DEC", "GLON", "GLAT", "ELON", "ELAT", "SLIT")
_SEGMENTS = ("SEGMENT", "SPORDER", "ORDER")
_COMPANIONS = {
    "error": ("ERR", "ERROR", "SIGMA", "STDEV", "UNCERT", "UNCERTAINTY"),
    "ivar": ("IVAR", "INVVAR"),
    "variance": ("VAR", "VARIANCE"),
    "quality": ("DQ", "MASK", "QUALITY", "FLAGS"),
}


def _stacked(hdus: fits.HDUList, reading: Reading) -> list[Spectrum] | None:
    """One row a segment, all its samples in cells: the x1d files of HST (COS, STIS)."""
    for number, hdu in _tables(hdus):
        columns = [_named(hdu, name) for name in hdu.columns.names]
        if not any(column.values.ndim == 2 for column in columns):
            continue
        vectors = [column for column in columns if column.values.ndim == 2]
        try:
            read = [_row(vectors, row, reading) for row in range(len(hdu.data))]
        except NoSpectrumError:
            continue
        labels = next((column.values for column in columns if column.name.upper() in _SEGMENTS), None)
        names = [str(i + 1) if labels is None else str(labels[i]).strip() for i in range(len(read))]
        order = sorted(range(len(read)), key=lambda i: float(read[i].spectral.values[0]))
        made = _joined([read[i] for i in order], [names[i] for i in order])
        headers = (hdu.header, hdus[0].header)
        return [replace(made, hdus=(number,), headers=headers, medium=_medium(reading, headers))]
    return None


def _archetypes(hdus: fits.HDUList, reading: Reading) -> list[Spectrum] | None:
    """One row a spectrum, its samples in one cell, on a grid that the header gives: redrock's archetypes."""
    for number, hdu in _tables(hdus):
        vectors = [_named(hdu, name) for name in hdu.columns.names]
        flux = next((column for column in vectors if column.values.ndim == 2), None)
        if flux is None or card(hdu.header, "CRVAL1") is None:
            continue
        spectral, medium = spectral_axis(hdu.header, flux.values.shape[1], reading)
        return [
            Spectrum(
                spectral,
                _flux_axis(flux.name, flux.values[row], reading.flux_unit or flux.unit),
                key=str(row + 1),
                hdus=(number,),
                medium=_medium(reading, (hdu.header,), medium),
                headers=(hdu.header, hdus[0].header),
            )
            for row in range(len(flux.values))
        ]
    return None


def _table(hdus: fits.HDUList, reading: Reading) -> list[Spectrum] | None:
    """One row a sample: SDSS, CALSPEC, JWST, most others. Several tables of one name are several spectra."""
    found: list[Spectrum] = []
    for number, hdu in _tables(hdus):
        if found and hdu.name != hdus[found[0].hdus[0]].name:
            continue
        columns = [column for name in hdu.columns.names if (column := _named(hdu, name)).values.ndim == 1]
        if len(hdu.data) < 2:
            continue
        headers = (hdu.header, hdus[0].header)
        try:
            read = _with_unit(from_columns(columns, reading), headers)
        except NoSpectrumError:
            continue
        medium: Medium = "vacuum" if is_sdss(hdus, {one.name.casefold() for one in columns}) else ""
        found.append(
            Spectrum(
                read.spectral,
                read.flux,
                read.error,
                read.quality,
                key=str(number),
                hdus=(number,),
                medium=_medium(reading, headers, medium),
                headers=headers,
            )
        )
    return [replace(found[0], key="")] if len(found) == 1 else found or None


def _image(hdus: fits.HDUList, reading: Reading) -> list[Spectrum] | None:
    """A one-dimensional image, or several in the rows of one that has no second coordinate."""
    for number, hdu in enumerate(hdus):
        shape = tuple(hdu.shape) if getattr(hdu, "is_image", False) and hdu.header.get("NAXIS", 0) else ()
        if len(shape) not in {1, 2} or 0 in shape or shape[-1] < 2:
            continue
        if len(shape) == 2 and not _is_list(hdu.header, shape):
            continue
        try:
            spectral, medium = spectral_axis(hdu.header, shape[-1], reading)
        except NoSpectrumError as error:
            if len(shape) == 1 and number == 0:
                raise
            del error
            continue
        return list(_image_rows(hdus, number, spectral, medium, reading))
    return None


def _image_rows(
    hdus: fits.HDUList, number: int, spectral: Axis, medium: Medium, reading: Reading
) -> Iterator[Spectrum]:
    hdu = hdus[number]
    unit = reading.flux_unit or str(card(hdu.header, "BUNIT") or "")
    rows: Sequence[int | None] = range(hdu.shape[0]) if len(hdu.shape) == 2 else (None,)
    for row in rows:
        columns = [
            Named(kind, pixels(other, row))
            for kind, names in _COMPANIONS.items()
            for other in hdus
            if other.name.upper() in names and getattr(other, "is_image", False) and other.shape == hdu.shape
        ]
        flux = _flux_axis("flux", pixels(hdu, row), unit)
        read = from_columns(
            [Named("wavelength", spectral.values, spectral.unit), Named("flux", flux.values, unit), *columns],
            Reading(),
        )
        label = card(hdu.header, f"NAME{row}") if row is not None else None
        yield Spectrum(
            spectral, flux, read.error, read.quality, key="" if row is None else str(row + 1), hdus=(number,),
            medium=_medium(reading, (hdu.header,), medium), facts={"obs_title": label} if label else {},
            headers=(hdu.header, hdus[0].header),
        )  # fmt: skip


def _is_list(header: fits.Header, shape: tuple[int, ...]) -> bool:
    """Return whether the rows of a two-dimensional image are spectra of their own."""
    second = str(card(header, "CTYPE2") or "").upper()
    first = str(card(header, "CTYPE1") or "").upper()
    spectral = card(header, "COEFF0") is not None or card(header, "LOGLAM") is not None
    spectral = spectral or first.startswith(("WAVE", "AWAV", "FREQ", "ENER", "WAVN", "LAMBDA", "LOG"))
    return (
        spectral and shape[0] <= _MOST_ROWS and not second.startswith(_SPATIAL) and not card(header, "WCSDIM")
    )


LAYOUTS: tuple[Layout, ...] = (desi, _stacked, _archetypes, _table, _image)


def _tables(hdus: fits.HDUList) -> Iterator[tuple[int, fits.BinTableHDU]]:
    for number, hdu in enumerate(hdus):
        if (
            isinstance(hdu, fits.BinTableHDU | fits.TableHDU)
            and not isinstance(hdu, fits.CompImageHDU)
            and hdu.header["NAXIS2"]
            and hdu.name not in SDSS_DESCRIPTIONS
        ):
            yield number, hdu


def _named(hdu: fits.BinTableHDU, name: str) -> Named:
    column = hdu.columns[name]
    header = hdu.header
    number = hdu.columns.names.index(name) + 1
    ucd, utype = (str(card(header, f"{keyword}{number}") or "") for keyword in ("TUCD", "TUTYP"))
    return Named(name, np.asarray(hdu.data[name]), column.unit or "", ucd, utype)


def _row(vectors: Sequence[Named], row: int, reading: Reading) -> Read:
    return from_columns([replace(column, values=column.values[row]) for column in vectors], reading)


def _with_unit(read: Read, headers: Sequence[fits.Header]) -> Read:
    """Return the axes with the unit of the header, where the columns have none: SDSS writes it there."""
    unit = next((str(said) for header in headers if (said := card(header, "BUNIT"))), "")
    if read.flux.unit or not unit:
        return read
    flux = _flux_axis(read.flux.name, read.flux.values, unit)
    ucd = f"stat.error;{flux.ucd}" if flux.ucd else "stat.error"
    return replace(read, flux=flux, error=read.error and replace(read.error, unit=flux.unit, ucd=ucd))


def _joined(parts: Sequence[Read], names: Sequence[str]) -> Spectrum:
    """Return one spectrum of several segments, each in its own order."""
    first = parts[0]
    if len(parts) == 1:
        return Spectrum(first.spectral, first.flux, first.error, first.quality)

    def together(values: Sequence[NDArray[np.generic]]) -> NDArray[np.generic]:
        return np.concatenate(values)

    lengths = [len(part.flux.values) for part in parts]
    errors = [part.error for part in parts if part.error is not None]
    flags = [part.quality for part in parts if part.quality is not None]
    return Spectrum(
        replace(first.spectral, values=together([part.spectral.values for part in parts])),
        replace(first.flux, values=together([part.flux.values for part in parts])),
        replace(errors[0], values=together([e.values for e in errors]))
        if len(errors) == len(parts)
        else None,
        np.concatenate(flags) if len(flags) == len(parts) else None,
        np.repeat(np.array(names), lengths),
    )


def _flux_axis(name: str, values: NDArray[np.generic], unit: str) -> Axis:
    parsed = parse_unit(unit)
    return Axis(
        name, values, unit if parsed is None else written(parsed), "" if parsed is None else flux_ucd(parsed)
    )


def _medium(reading: Reading, headers: Sequence[fits.Header], found: Medium = "") -> Medium:
    return (
        medium_of(reading.medium)
        or found
        or next((said for header in headers if (said := medium_in(header))), "")
    )
