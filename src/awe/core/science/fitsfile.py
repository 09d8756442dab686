"""Open FITS files of other people without harm, and say in words what is wrong with them."""

import bz2
import gzip
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

from astropy.io import fits

from awe.core.science.celestial import quiet
from awe.core.science.source import LocalSource, Source
from awe.errors import InputFileError

__all__ = ["FitsFile", "is_packed", "open_fits", "truncation"]

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
            if not isinstance(file, Path | LocalSource):
                stream = stack.enter_context(_unpacked(stream, file.name))
            with quiet():
                hdus = stack.enter_context(fits.open(stream, memmap=False, do_not_scale_image_data=True))
                len(hdus)  # parses all HDUs, which astropy puts off
        except InputFileError:
            raise
        except Exception as error:  # noqa: BLE001  # astropy raises a dozen kinds for a file that is not FITS
            raise _explained(file.name, error) from None
        yield hdus


def truncation(source: Source, hdus: FitsFile) -> str:
    """Say where a file ends that ends too early; nothing when it is complete."""
    length = _length(source)
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


def _unpacked(stream: BinaryIO, name: str) -> BinaryIO:
    """Return what is in a file that is compressed as a whole, by its name; the file itself where it is not."""
    match Path(name).suffix.lower():
        case ".gz":
            return cast(BinaryIO, gzip.GzipFile(fileobj=stream))
        case ".bz2":
            return cast(BinaryIO, bz2.BZ2File(stream))
        case _:
            return stream


def _length(source: Source) -> int:
    if not is_packed(source.name):
        return source.size
    with source.stream() as raw, _unpacked(raw, source.name) as stream:
        return sum(len(chunk) for chunk in iter(lambda: stream.read(_CHUNK), b""))


def is_packed(name: str) -> bool:
    """Tell whether a file is compressed as a whole, by its name."""
    return Path(name).suffix.lower() in {".gz", ".bz2"}
