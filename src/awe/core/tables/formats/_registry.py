"""Which formats there are, and which one a name, a media type or a file means."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from awe.core.tables.formats._files import first_bytes, split_part
from awe.core.tables.formats._format import Format
from awe.core.tables.formats.arrow import ARROW
from awe.core.tables.formats.csv import CSV, TSV
from awe.core.tables.formats.ecsv import ECSV
from awe.core.tables.formats.fits import FITS
from awe.core.tables.formats.hdf5 import HDF5
from awe.core.tables.formats.json import JSON
from awe.core.tables.formats.parquet import PARQUET
from awe.core.tables.formats.votable import VOTABLE_B, VOTABLE_B2, VOTABLE_FITS, VOTABLE_TD
from awe.errors import InputFileError, ParameterError

__all__ = ["FORMATS", "format_for", "format_of"]

FORMATS: Mapping[str, Format] = {
    made.name: made
    for made in (
        VOTABLE_TD,
        VOTABLE_B,
        VOTABLE_B2,
        VOTABLE_FITS,
        FITS,
        CSV,
        TSV,
        JSON,
        PARQUET,
        ARROW,
        ECSV,
        HDF5,
    )
}
"""Every format by its short name."""


def format_for(name_or_media_type: str) -> Format:
    """Return the format of a short name (``votable``, ``csv``) or media type, case and blanks ignored.

    Parameters of a media type that no format declares (``charset=utf-8``) are left out of the comparison.

    Raises
    ------
    ParameterError
        If no format is called that: with those that are offered.
    """
    wanted = _plain(name_or_media_type)
    for candidate in (wanted, wanted.partition(";")[0]):
        if candidate in _BY_NAME:
            return _BY_NAME[candidate]
    raise ParameterError(
        "format", name_or_media_type, "no such format", hint=f"offered: {', '.join(sorted(FORMATS))}"
    )


def _plain(name: str) -> str:
    # a plus sign that went through a form decoder is a blank
    return name.strip().lower().replace("x-votable xml", "x-votable+xml").replace(" ", "")


def _names() -> Iterator[tuple[str, Format]]:
    for short, made in FORMATS.items():
        for media_type in made.media_types:
            yield _plain(media_type), made
        yield short, made


_BY_NAME = dict(_names())

_MAGIC = {
    b"SIMPLE  =": "fits",
    b"PAR1": "parquet",
    b"ARROW1": "arrow",
    b"\xff\xff\xff\xff": "arrow",
    b"# %ECSV": "ecsv",
    b"\x89HDF": "hdf5",
}
_COMPRESSIONS = (".gz", ".bz2")


def format_of(path: Path) -> Format:
    """Return the format of a file: by its content where that is unmistakable, else by its extension.

    Raises
    ------
    InputFileError
        If it is a file of no format that is read here.
    """
    path = split_part(path)[0]
    start = first_bytes(path).removeprefix(b"\xef\xbb\xbf").lstrip()
    for magic, name in _MAGIC.items():
        if start.startswith(magic):
            return FORMATS[name]
    if start.startswith(b"<"):
        return VOTABLE_TD
    name = path.name.lower()
    for compression in _COMPRESSIONS:
        name = name.removesuffix(compression)
    for made in FORMATS.values():
        if name.endswith(made.extensions):
            return made
    known = sorted({extension for made in FORMATS.values() for extension in made.extensions})
    raise InputFileError(path.name, "the format is not known", hint=f"known extensions: {', '.join(known)}")
