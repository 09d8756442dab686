"""Spectra as text: columns of numbers with or without a heading, CSV and ECSV.

A file without a heading has its spectral coordinate in the first column and its flux in the second. Names and
units are taken from ECSV's header, from a heading line, and from comments of the form
``# Column 2 : Flux (erg/s/cm2/Angstrom)``.
"""

import bz2
import gzip
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
from astropy.io import ascii as ascii_tables
from astropy.io import fits

from awe.core.science.celestial import quiet
from awe.core.science.spectra._columns import Named, from_columns, medium_of
from awe.core.science.spectra._model import NoSpectrumError, Reading, Spectrum

__all__ = ["text_spectrum"]

_MOST_BYTES = 64 << 20
_COLUMN = re.compile(
    r"^\s*col(?:umn)?\.?\s*(\d+)\s*[:=]\s*(.*?)\s*(?:[(\[]([^()\[\]]*(?:\([^()]*\)[^()\[\]]*)*)[)\]])?\s*$",
    re.IGNORECASE,
)
_KEYWORD = re.compile(r"^\s*([A-Za-z][\w-]{1,30})\s*[:=]\s*(\S.*?)\s*$")
_NAME = re.compile(r"^\s*(.*?)\s*[(\[]([^()\[\]]*)[)\]]\s*$")


def text_spectrum(path: Path, reading: Reading) -> Spectrum:
    """Read a file of text.

    Raises
    ------
    NoSpectrumError
        If it holds no table of numbers, or none with a wavelength and a flux.
    """
    lines = _lines(path)
    if lines and lines[0].startswith("# %ECSV"):
        return _ecsv(lines, reading)
    comments = [line[1:].strip() for line in lines if line.startswith(("#", ";", "!"))]
    rows = [line for line in lines if line.strip() and not line.startswith(("#", ";", "!"))]
    separator = "," if rows and rows[0].count(",") else "\t" if rows and "\t" in rows[0] else None
    heading = _words(rows[0], separator) if rows and _numbers(rows[0], separator) is None else None
    numbers = _table(rows[1:] if heading else rows, separator)
    columns = _named(numbers, heading, comments, separator)
    read = from_columns(columns, _by_position(columns, reading))
    header = _header(comments)
    medium = medium_of(reading.medium) or medium_of(str(header.get("AIRORVAC", "")))
    return Spectrum(read.spectral, read.flux, read.error, read.quality, medium=medium, headers=(header,))


def _lines(path: Path) -> list[str]:
    opener = {".gz": gzip.open, ".bz2": bz2.open}.get(path.suffix.lower(), open)
    try:
        with opener(path, "rb") as stream:  # type: ignore[operator]  # three functions of one kind
            raw = stream.read(_MOST_BYTES + 1)
    except (OSError, EOFError) as error:
        raise NoSpectrumError(f"it cannot be read: {error}") from None
    if len(raw) > _MOST_BYTES:
        raise NoSpectrumError(f"it is larger than {_MOST_BYTES >> 20} MB, which no spectrum in text is")
    try:
        return str(raw.decode("utf-8-sig")).splitlines()
    except UnicodeDecodeError:
        raise NoSpectrumError("it is not text in UTF-8") from None


def _words(line: str, separator: str | None) -> list[str]:
    return [word.strip().strip('"') for word in line.split(separator)]


def _numbers(line: str, separator: str | None) -> list[float] | None:
    try:
        return [float(word) if word else np.nan for word in _words(line, separator)]
    except ValueError:
        return None


def _table(rows: list[str], separator: str | None) -> np.ndarray:
    found: list[list[float]] = []
    for line in rows:
        values = _numbers(line, separator)
        if values is None or (found and len(values) != len(found[0])):
            raise NoSpectrumError(f"it is no table of numbers: {line.strip()[:60]!r}")
        found.append(values)
    if len(found) < 2 or len(found[0]) < 2:
        raise NoSpectrumError("it holds no table of two columns of numbers")
    return np.array(found)


def _named(
    numbers: np.ndarray, heading: list[str] | None, comments: list[str], separator: str | None
) -> list[Named]:
    count = numbers.shape[1]
    names, units = [f"col{i + 1}" for i in range(count)], [""] * count
    for comment in comments:
        told = _COLUMN.match(comment)
        if told and 1 <= int(told[1]) <= count:
            names[int(told[1]) - 1], units[int(told[1]) - 1] = told[2] or f"col{told[1]}", told[3] or ""
    if heading is None and comments and names[0] == "col1" and len(_words(comments[-1], separator)) == count:
        heading = _words(comments[-1], separator)  # the usual place of a heading: the last comment
    for i, word in enumerate(heading or ()):
        if i < count and word:
            split = _NAME.match(word)
            names[i], units[i] = (split[1], split[2]) if split else (word, "")
    return [Named(names[i], numbers[:, i], units[i]) for i in range(count)]


def _by_position(columns: list[Named], reading: Reading) -> Reading:
    """Return what the publisher says; where nobody names columns, the first is the spectral one."""
    if not all(column.name.startswith("col") for column in columns):
        return reading
    return replace(
        reading, spectral_column=reading.spectral_column or "1", flux_column=reading.flux_column or "2"
    )


def _header(comments: list[str]) -> fits.Header:
    """Return the comments that look like keywords, as cards."""
    header = fits.Header()
    for comment in comments:
        told = _KEYWORD.match(comment)
        if told and len(told[1]) <= 8 and told[2].isascii():
            header[told[1].upper()] = _value(told[2])
    return header


def _value(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text.strip("'\" ")[:60]


def _ecsv(lines: list[str], reading: Reading) -> Spectrum:
    try:
        with quiet():
            table = ascii_tables.read(lines, format="ecsv")
    except Exception as error:  # noqa: BLE001  # astropy raises a dozen kinds for a bad file
        raise NoSpectrumError(f"it is not ECSV that can be read: {error}") from None
    columns = [
        Named(name, np.asarray(table[name]), str(table[name].unit or ""))
        for name in table.colnames
        if table[name].dtype.kind in "iuf"
    ]
    read = from_columns(columns, reading)
    header = fits.Header()
    for name, value in dict(table.meta).items():
        if (
            isinstance(name, str)
            and len(name) <= 8
            and isinstance(value, str | int | float)
            and str(value).isascii()
        ):
            header[name.upper()] = value if not isinstance(value, str) else value[:60]
    medium = medium_of(reading.medium) or medium_of(str(header.get("AIRORVAC", "")))
    return Spectrum(read.spectral, read.flux, read.error, read.quality, medium=medium, headers=(header,))
