"""Several files as one answer: a tar archive that is made while it is sent."""

import tarfile
import time
from collections.abc import Iterable, Iterator

__all__ = ["TAR", "end", "entry"]

TAR = "application/x-tar"


def entry(name: str, size: int, content: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a file of the archive; `size` is the length of its content in bytes."""
    info = tarfile.TarInfo(name)
    info.size, info.mtime = size, int(time.time())
    yield info.tobuf(tarfile.PAX_FORMAT)
    yield from content
    yield bytes(-size % tarfile.BLOCKSIZE)


def end() -> bytes:
    """Return what stands at the end of the archive."""
    return bytes(2 * tarfile.BLOCKSIZE)
