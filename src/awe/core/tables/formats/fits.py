"""FITS binary tables (FITS 4.0): `FITS`. Written by `_fits_write`, read by `_fits_read`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from awe.core.tables._stream import TableStream
from awe.core.tables.formats._fits_read import read_fits
from awe.core.tables.formats._fits_write import write_fits
from awe.core.tables.formats._votable_options import NO_OPTIONS, VOTableOptions

__all__ = ["FITS", "FitsFormat"]


@dataclass(frozen=True, slots=True)
class FitsFormat:
    """FITS binary tables."""

    name: str = "fits"
    media_types: tuple[str, ...] = ("application/fits", "image/fits", "application/x-fits")
    extensions: tuple[str, ...] = (".fits", ".fit", ".fts")

    def write(self, stream: TableStream, options: VOTableOptions = NO_OPTIONS) -> Iterator[bytes]:  # noqa: ARG002
        """Yield the file once the last row is known; overflow is stated by the keyword OVERFLOW."""
        return write_fits(stream)

    def read(self, path: Path) -> TableStream:
        """Return the rows of the first binary table, or of the HDU in ``file.fits[HDU]``."""
        return read_fits(path)


FITS = FitsFormat()
