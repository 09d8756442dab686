"""Files in object stores, or on any server that answers with ranges of bytes, through fsspec.

An object is called by its address written as a path: ``Path("s3://bucket/key")``, which prints ``s3:/bucket/key``. Ranges
that lie near each other are fetched as one, and all of them side by side.
"""

import logging
import threading
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, cast

from awe.core.science.source import Range, State
from awe.errors import InputFileError, MissingExtraError

__all__ = ["ObjectSource", "Objects", "address_of", "is_object"]

_FRESH_S = 60.0
"""So long what a store said of an object is taken for true."""
_NEAR = 64 << 10
"""Bytes between two wanted ranges that are fetched rather than left out."""
_MOST = 4 << 20
"""Longer ranges are fetched in parts, side by side."""
_KNOWN = 100_000
_BLOCK = 256 << 10

_log = logging.getLogger(__name__)


def is_object(path: Path) -> bool:
    """Tell whether a path is the address of an object."""
    return not path.is_absolute() and len(path.parts) > 1 and path.parts[0].endswith(":")


def address_of(path: Path) -> str:
    """Return the address of an object, such as ``s3://bucket/key``."""
    scheme, *parts = path.parts
    return f"{scheme}//{'/'.join(parts)}"


class Objects:
    """The stores that objects are read from.

    Parameters
    ----------
    options
        Of fsspec's file systems, by the beginning of the addresses they are for; the longest one holds.
    """

    def __init__(self, options: Mapping[str, Mapping[str, object]]) -> None:
        self._options = dict(sorted(options.items(), key=lambda item: -len(item[0])))
        self._known: dict[str, tuple[float, int, float, str]] = {}
        self._lock = threading.Lock()

    def find(self, folder: Path) -> list[Path]:
        """Return all objects whose address begins with a folder's.

        Raises
        ------
        InputFileError
            If the store cannot be asked, or has none.
        """
        address = address_of(folder)
        system, place = self._system(address)
        with _said(folder.name):
            system.invalidate_cache()
            found: Mapping[str, Mapping[str, object]] = system.find(place, detail=True)
        infos = {Path(str(system.unstrip_protocol(name))): info for name, info in found.items()}
        for path, info in infos.items():
            if info.get("size") is not None:  # a list of S3 tells it, a page of links does not
                self._keep(address_of(path), info)
        return [path for path in infos if path.is_relative_to(folder)]

    def stat(self, path: Path) -> tuple[int, float]:
        """Return the size of an object, and when it changed (seconds since 1970; 0 where the store does not tell).

        Raises
        ------
        InputFileError
            If there is none, or the store cannot be asked.
        """
        return self._about(address_of(path))[1:3]

    @contextmanager
    def open(self, path: Path) -> Iterator["ObjectSource"]:
        """Open an object; errors as `stat`."""
        address = address_of(path)
        system, place = self._system(address)
        yield ObjectSource(path.name, system, place, self._about(address)[1:])

    def binary(self, path: Path) -> BinaryIO:
        """Open an object to be read from its beginning; errors as `stat`."""
        system, place = self._system(address_of(path))
        with _said(path.name):
            return cast(BinaryIO, system.open(place, "rb"))

    def _system(self, address: str) -> tuple[Any, str]:
        try:
            fsspec = import_module("fsspec")
        except ImportError:
            raise MissingExtraError("fsspec", "objects") from None
        options = next((said for begin, said in self._options.items() if address.startswith(begin)), {})
        try:
            system, place = fsspec.url_to_fs(address, **options)
        except ImportError as error:
            raise MissingExtraError(str(error.name or error), "objects") from None
        except ValueError:
            raise InputFileError(address, "no such kind of store is known") from None
        return system, place

    def _about(self, address: str) -> tuple[float, int, float, str]:
        known = self._known.get(address)
        if known is not None and time.monotonic() - known[0] < _FRESH_S:
            return known
        system, place = self._system(address)
        with _said(address.rpartition("/")[2]):
            system.invalidate_cache(place.rpartition("/")[0])
            info: Mapping[str, object] = system.info(place)
        if info.get("size") is None:
            raise InputFileError(address.rpartition("/")[2], "the store does not tell its size")
        return self._keep(address, info)

    def _keep(self, address: str, info: Mapping[str, object]) -> tuple[float, int, float, str]:
        tag = str(info.get("ETag") or info.get("etag") or "")
        found = (time.monotonic(), int(str(info["size"])), _modified(info), tag)
        with self._lock:
            if len(self._known) >= _KNOWN:
                self._known.clear()
            self._known[address] = found
        return found


class ObjectSource:
    """An object of which parts are read; see `awe.core.science.source.Source`."""

    near = 0

    def __init__(self, name: str, system: Any, place: str, about: tuple[int, float, str]) -> None:
        self.name = name
        self._system, self._place, self._about = system, place, about

    @property
    def state(self) -> State:
        """Size, time and tag, as the store told them last."""
        return cast(State, self._about)

    @property
    def size(self) -> int:
        """Bytes of the object."""
        return self._about[0]

    def read(self, ranges: Sequence[Range]) -> list[bytes]:
        """Return the bytes of some ranges; `EOFError` where the object ends before."""
        last = max((place + count for place, count in ranges), default=0)
        if last > self.size:
            raise EOFError(f"the file ends before byte {last:,}")
        spans = _spans(ranges)
        with _said(self.name):
            raws: list[bytes] = self._system.cat_ranges(
                [self._place] * len(spans), [a for a, _ in spans], [b for _, b in spans], on_error="raise"
            )
        if any(len(raw) != b - a for raw, (a, b) in zip(raws, spans, strict=True)):
            raise InputFileError(self.name, "the store answered with another part than was asked for")
        return _picked(ranges, spans, raws)

    @contextmanager
    def stream(self) -> Iterator[BinaryIO]:
        """Open the object to be read from its beginning, some blocks of it kept."""
        with (
            _said(self.name),
            self._system.open(self._place, "rb", block_size=_BLOCK, cache_type="blockcache") as found,
        ):
            yield found


def _spans(ranges: Sequence[Range]) -> list[tuple[int, int]]:
    """Return what to fetch for some ranges: near ones together, long ones in parts, in the order of the bytes."""
    joined: list[list[int]] = []
    for place, count in sorted(ranges):
        if joined and place - joined[-1][1] <= _NEAR:
            joined[-1][1] = max(joined[-1][1], place + count)
        else:
            joined.append([place, place + count])
    return [(at, min(at + _MOST, end)) for first, end in joined for at in range(first, end, _MOST)]


def _picked(ranges: Sequence[Range], spans: list[tuple[int, int]], raws: list[bytes]) -> list[bytes]:
    firsts, found = [first for first, _ in spans], []
    for place, count in ranges:
        begin, end = bisect_right(firsts, place) - 1, bisect_left(firsts, place + count)
        parts = zip(firsts[begin:end], raws[begin:end], strict=True)
        pieces = [raw[max(place - first, 0) : place + count - first] for first, raw in parts]
        found.append(pieces[0] if len(pieces) == 1 else b"".join(pieces))
    return found


def _modified(info: Mapping[str, object]) -> float:
    """Return when an object changed: stores call it otherwise, and write it otherwise."""
    for key in ("LastModified", "last_modified", "Last-Modified", "updated", "mtime", "created"):
        said = info.get(key)
        if isinstance(said, datetime):
            return said.timestamp()
        if isinstance(said, int | float):
            return float(said)
        if isinstance(said, str):
            try:
                return (
                    parsedate_to_datetime(said) if "," in said else datetime.fromisoformat(said)
                ).timestamp()
            except ValueError:
                continue
    return 0.0


@contextmanager
def _said(name: str) -> Iterator[None]:
    """Say in words what a store refused; its own words, which may tell addresses, go to the log."""
    try:
        yield
    except (InputFileError, EOFError):
        raise
    except Exception as error:  # noqa: BLE001  # each kind of store has errors of its own
        # fsspec takes every refusal of an HTTP server for a file that is not there
        status = getattr(error.__cause__, "status", 404)
        _log.warning("reading %s failed: %s %s", name, error, error.__cause__ or "")
        if isinstance(error, FileNotFoundError) and status in {404, 410}:
            raise InputFileError(name, "it is not in the store") from None
        if isinstance(error, PermissionError) or status in {401, 403}:
            raise InputFileError(name, "the store does not let this archive read it") from None
        raise InputFileError(name, f"the store cannot be read ({type(error).__name__})") from None
