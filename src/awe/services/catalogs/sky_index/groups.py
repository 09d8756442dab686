"""Where the row groups of a table's files lie on the sky: what a look-up asks before it reads anything.

A version is immutable, so that what its footers say is read once: of each partition the lowest and the highest cell of
each row group. That is sixteen bytes for every fifty thousand rows.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from awe.core.waiting import waits
from awe.services.catalogs.model import HEALPIX

__all__ = ["Group", "Groups", "IntArray", "Version", "touched"]

IntArray = npt.NDArray[np.int64]

_KEPT_FILES = 20_000
"""Partitions whose groups are remembered; each has a few hundred bytes."""
_FOOTER_BYTES = 2 << 20
_EVERYWHERE = (0, np.iinfo(np.int64).max)


@dataclass(frozen=True, slots=True)
class Version:
    """The files of a version of a table with positions.

    Attributes
    ----------
    location
        Its name.
    paths
        Its files, in the order of their cells.
    spans
        The cells of each, half-open, at order 29; shape ``(P, 2)``.
    columns
        What the files hold, in order.
    ra, dec
        The position columns.
    """

    location: str
    paths: Sequence[Path]
    spans: IntArray
    columns: Sequence[str]
    ra: str
    dec: str


@dataclass(frozen=True, slots=True)
class Group:
    """One row group: its file, its number there, its rows, and a name of its own among all that is stored."""

    path: Path
    number: int
    rows: int
    name: str


@dataclass(frozen=True, slots=True)
class _File:
    """The groups of a file, and of each the lowest cell and the one above its highest, shape ``(G, 2)``."""

    spans: IntArray
    groups: tuple[Group, ...]


class Groups:
    """The row groups of files, remembered.

    Parameters
    ----------
    most_footer_bytes
        Of the footers that are remembered, as they stand in the files; in memory they take several times as many.
    """

    def __init__(self, most_footer_bytes: int = _FOOTER_BYTES) -> None:
        self._files: OrderedDict[Path, _File] = OrderedDict()
        self._footers: OrderedDict[Path, pq.FileMetaData] = OrderedDict()
        self._footer_bytes = 0
        self._most_footer_bytes = most_footer_bytes
        self._lock = threading.Lock()

    def touched(self, location: str, path: Path, ranges: IntArray) -> list[Group]:
        """Return the groups of a file of a version that may hold rows in ranges of cells, in order."""
        known = self._file(location, path)
        return [known.groups[i] for i in touched(known.spans, ranges)]

    def _file(self, location: str, path: Path) -> _File:
        with self._lock:
            found = self._files.get(path)
            if found is not None:
                self._files.move_to_end(path)
                return found
        waits()
        found = _listed(location, path, self.footer(path))
        with self._lock:
            self._files[path] = found
            if len(self._files) > _KEPT_FILES:
                self._files.popitem(last=False)
        return found

    def footer(self, path: Path) -> pq.FileMetaData:
        """Return the footer of a file; those asked for last are remembered."""
        with self._lock:
            found = self._footers.get(path)
            if found is not None:
                self._footers.move_to_end(path)
                return found
        waits()
        found = pq.read_metadata(path)
        with self._lock:
            if path not in self._footers:
                self._footer_bytes += found.serialized_size
            self._footers[path] = found
            while self._footer_bytes > self._most_footer_bytes and len(self._footers) > 1:
                _, oldest = self._footers.popitem(last=False)
                self._footer_bytes -= oldest.serialized_size
        return found


def touched(spans: IntArray, ranges: IntArray) -> list[int]:
    """Return which half-open spans meet any of the half-open ranges, which are sorted and apart.

    The spans' begins are sorted, and so are their ends, and both columns lie together in memory (Fortran's order): then
    of a hundred thousand of them a few are looked at.
    """
    first = spans[:, 1].searchsorted(ranges[:, 0], side="right")
    last = spans[:, 0].searchsorted(ranges[:, 1], side="left")
    found: list[int] = []
    behind = 0  # two ranges may meet the same span, the last one of the first and the first one of the next
    for begin, end in zip(first.tolist(), last.tolist(), strict=True):
        if begin < end and behind < end:
            found.extend(range(max(begin, behind), end))
            behind = end
    return found


def _listed(location: str, path: Path, footer: pq.FileMetaData) -> _File:
    column = footer.schema.to_arrow_schema().get_field_index(HEALPIX)
    spans, groups = [], []
    name = f"{location}/{path.parent.parent.name}-{path.stem}"
    for i in range(footer.num_row_groups):
        group = footer.row_group(i)
        said = group.column(column).statistics
        spans.append((said.min, said.max + 1) if said is not None and said.has_min_max else None)
        groups.append(Group(path, i, group.num_rows, f"{name}-{i}"))
    told = [span for span in spans if span is not None]
    known = told if len(told) == len(spans) else [_EVERYWHERE] * len(spans)
    return _File(np.asfortranarray(np.array(known, np.int64).reshape(-1, 2)), tuple(groups))
