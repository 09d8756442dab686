"""Open FITS files of other people without harm, and say in words what is wrong with them."""

import bz2
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeAlias

from astropy.io import fits

from awe.core.science.celestial import quiet
from awe.core.science.source import Source
from awe.errors import InputFileError

__all__ = ["FitsFile", "open_fits", "truncation"]

FitsFile: TypeAlias = fits.HDUList

_CHUNK = 1 << 20
_PADDING = 2880


@contextmanager
def open_fits(file: Path | Source) -> Iterator[FitsFile]:
    """Open a FITS file so that only what is asked for is read, and pixels stay as they are stored.

    Files are not mapped into memory: a mapped file that shrinks kills the process.

    Raises
    ------
    InputFileError
        If it is no FITS file, or cannot be read.
    """
    with ExitStack() as stack:
        try:
            # astropy is given an open file: one that it opens itself stays open when it is no FITS file.
            stream = stack.enter_context(file.open("rb") if isinstance(file, Path) else file.stream())
            with quiet():
                hdus = stack.enter_context(fits.open(stream, memmap=False, do_not_scale_image_data=True))
                len(hdus)  # parses all HDUs, which astropy puts off
        except Exception as error:  # noqa: BLE001  # astropy raises a dozen kinds for a file that is not FITS
            raise _explained(file.name, error) from None
        yield hdus


def truncation(path: Path, hdus: FitsFile) -> str:
    """Say where a file ends that ends too early; nothing when it is complete."""
    length = _length(path)
    with quiet():
        for number, hdu in enumerate(hdus):
            info = hdu.fileinfo() or {"datLoc": 0, "datSpan": 0}
            # The size of a compressed image is the one it has in memory; its span on disk ends in padding.
            span = info["datSpan"] - _PADDING if isinstance(hdu, fits.CompImageHDU) else hdu.size
            if span > 0 and info["datLoc"] + span > length:
                return f"it is truncated: HDU {number} ends at byte {info['datLoc'] + span:,}, the file at {length:,}"
    return ""


def _explained(name: str, error: Exception) -> InputFileError:
    said = (str(error).strip() or type(error).__name__).splitlines()[0]
    match error:
        case EOFError() | zlib.error() | gzip.BadGzipFile():
            reason = f"its compression is damaged, or it is truncated: {said}"
        case OSError(strerror=str(why)):
            reason = f"it cannot be read: {why}"
        case _:
            reason = f"it is not a FITS file that can be read: {said}"
    return InputFileError(name, reason)


def _length(path: Path) -> int:
    match path.suffix.lower():
        case ".gz":
            with gzip.open(path) as stream:
                return _counted(stream)
        case ".bz2":
            with bz2.open(path) as stream:
                return _counted(stream)
        case _:
            return path.stat().st_size


def _counted(stream: io.BufferedIOBase) -> int:
    return sum(len(chunk) for chunk in iter(lambda: stream.read(_CHUNK), b""))
