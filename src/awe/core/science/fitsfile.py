"""Open FITS files of other people without harm, and say in words what is wrong with them."""

import bz2
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from astropy.io import fits

from awe.core.science.celestial import NoCelestialWCSError, quiet
from awe.errors import AweError, InputFileError

__all__ = ["FitsFile", "open_fits", "truncation"]

FitsFile: TypeAlias = fits.HDUList

_CHUNK = 1 << 20


@contextmanager
def open_fits(path: Path) -> Iterator[FitsFile]:
    """Open a FITS file so that only what is asked for is read, and pixels stay as they are stored.

    Files are not mapped into memory: a mapped file that shrinks kills the process.

    Raises
    ------
    InputFileError
        If it is no FITS file, or cannot be read, also while it is used.
    """
    try:
        with quiet():
            hdus = fits.open(path, memmap=False, do_not_scale_image_data=True)
    except Exception as error:  # noqa: BLE001  # astropy raises a dozen kinds for a file that is not FITS
        raise _explained(path, error) from None
    with hdus:
        try:
            yield hdus
        except (AweError, NoCelestialWCSError):
            raise
        except Exception as error:  # noqa: BLE001  # the later HDUs are parsed while the file is used
            raise _explained(path, error) from None


def truncation(path: Path, hdus: FitsFile) -> str:
    """Say where a file ends that ends too early; nothing when it is complete."""
    length = _length(path)
    for number, hdu in enumerate(hdus):
        info = hdu.fileinfo()
        end = info["datLoc"] + hdu.size if info and hdu.size else 0
        if end > length:
            return f"it is truncated: HDU {number} ends at byte {end:,}, the file at {length:,}"
    return ""


def _explained(path: Path, error: Exception) -> InputFileError:
    said = (str(error).strip() or type(error).__name__).splitlines()[0]
    match error:
        case EOFError() | zlib.error() | gzip.BadGzipFile():
            reason = f"its compression is damaged, or it is truncated: {said}"
        case OSError(strerror=str(why)):
            reason = f"it cannot be read: {why}"
        case _:
            reason = f"it is not a FITS file that can be read: {said}"
    return InputFileError(path.name, reason)


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
