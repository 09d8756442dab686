"""Row groups as they are read from their files: each column once, and what is sure to be needed in one call.

A call opens the file and deals its columns out among the cores. So positions are read with the columns that stand
beside them where those are wanted too, and these are there when the rows are found.
"""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from awe.services.catalogs.model import HEALPIX
from awe.services.catalogs.sky_index.groups import Group, Groups, Version

__all__ = ["TOGETHER", "Reading"]

TOGETHER = 16
"""Columns that are decoded together, a *part* of a row group."""


class Reading:
    """One row group, as far as one look-up has read it.

    Parameters
    ----------
    groups
        Who remembers footers.
    version, group
        What is read.
    wanted
        The columns that will be asked for if rows are found.
    """

    __slots__ = ("_groups", "_read", "_version", "_wanted", "group")

    def __init__(self, groups: Groups, version: Version, group: Group, wanted: Sequence[str]) -> None:
        self._groups = groups
        self._version = version
        self._wanted = wanted
        self._read: pa.RecordBatch | None = None
        self.group = group

    def places(self) -> pa.RecordBatch:
        """Return the cells and the positions (degrees; NaN where there is none) as numbers: ``index``, ``ra``, ``dec``."""
        version = self._version
        beside = self._names(version.columns.index(version.ra) // TOGETHER)
        along = () if set(beside).isdisjoint(self._wanted) else beside
        read = self._read = self._decoded([HEALPIX, version.ra, version.dec, *along])
        arrays = [read.column(HEALPIX), *(_degrees(read.column(name)) for name in (version.ra, version.dec))]
        return pa.RecordBatch.from_arrays(arrays, names=["index", "ra", "dec"])

    def part(self, number: int) -> pa.RecordBatch:
        """Return the columns of a part as they are stored."""
        names = self._names(number)
        read = self._read
        if read is None or not set(names) <= set(read.schema.names):
            read = self._decoded(names)
        return read.select(list(names))

    def _names(self, part: int) -> Sequence[str]:
        return self._version.columns[part * TOGETHER : (part + 1) * TOGETHER]

    def _decoded(self, names: Sequence[str]) -> pa.RecordBatch:
        group = self.group
        # without what is made for files that are far away: it takes as long again as reading a local one
        with pq.ParquetFile(group.path, metadata=self._groups.footer(group.path), pre_buffer=False) as file:
            table = file.read_row_group(group.number, columns=list(dict.fromkeys(names)))
        return table.combine_chunks().to_batches(max_chunksize=max(1, group.rows))[0]


def _degrees(column: pa.Array) -> pa.Array:
    degrees = pc.cast(column, pa.float64())
    return pc.fill_null(degrees, float("nan")) if degrees.null_count else degrees
