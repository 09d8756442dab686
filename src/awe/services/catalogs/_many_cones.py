"""Many cones at once: one question for a list of targets, whose rows say which of them they belong to.

Cones that are close on the sky follow each other, so that what is decoded for one is there for the next; the rows come in
the order of the targets nevertheless.
"""

import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from awe.core.sky import healpix_index
from awe.core.tables import Column, Schema, TableStream
from awe.errors import LimitError, NotOfferedError, ParameterError, PositionError, TimeLimitError

__all__ = ["MOST_CONES", "ManyCones"]

MOST_CONES = 10_000
"""Cones of one question at the most: with more, an upload is joined in less time."""
FloatArray = npt.NDArray[np.float64]

_TOGETHER = 1_000
"""Cones whose rows are put in order together."""
_PROMPT = 64
"""So few are over in a moment."""
_ORDER = 12
_TARGET = "target"


class ManyCones(TableStream):
    """The rows of many cones; the first column says of which, from 0.

    Parameters
    ----------
    one
        Looks one cone up: right ascension, declination (ICRS degrees), and how many rows at the most.
    many
        Looks some up at once, given what numbers them, their positions (shape ``(M, 2)``), and how many rows and seconds at
        the most; None, or `NotOfferedError`, where that is not possible.
    positions
        Right ascensions and declinations, ICRS degrees, shape ``(N, 2)``.
    rows, seconds
        Rows and time of all together.

    Raises
    ------
    ParameterError
        If there are none.
    LimitError
        If there are too many.
    PositionError
        If one is not on the sky: it says which. From the stream: `TimeLimitError`.
    """

    def __init__(
        self,
        one: Callable[[float, float, int], TableStream],
        many: Callable[[Column, FloatArray, int, float], TableStream] | None,
        positions: Sequence[tuple[float, float]],
        *,
        rows: int,
        seconds: float,
    ) -> None:
        places = np.asarray(positions, float).reshape(-1, 2)
        _check(places)
        with one(float(places[0, 0]), float(places[0, 1]), 0) as first:
            columns = first.schema
        number = _numbered(columns)
        schema = columns.with_columns((number, *columns.columns))
        self._one, self._many = one, many
        super().__init__(schema, self._all(number, places, rows, seconds))
        self.prompt = len(places) <= _PROMPT

    def _all(self, number: Column, places: FloatArray, rows: int, seconds: float) -> Iterator[pa.RecordBatch]:
        until = time.monotonic() + seconds
        left = rows
        for start in range(0, len(places), _TOGETHER):
            some = places[start : start + _TOGETHER]
            stream = self._at_once(number, some, left, until)
            batches = self._each(start, some, left, until) if stream is None else _counted(stream, start)
            for batch in batches:
                left -= batch.num_rows
                yield batch
            if stream is not None:
                self.overflow = stream.overflow
            if self.overflow:
                return

    def _at_once(self, number: Column, some: FloatArray, left: int, until: float) -> TableStream | None:
        """Return the rows of some cones looked up at once, numbered from 0; None where they are looked up one by one."""
        if self._many is None:
            return None
        try:
            return self._many(number, some, left, max(0.0, until - time.monotonic()))
        except NotOfferedError:
            self._many = None
            return None

    def _each(self, start: int, some: FloatArray, left: int, until: float) -> Iterator[pa.RecordBatch]:
        """Yield the rows of some cones looked up one by one, those that are close on the sky one after another."""
        found: list[pa.Table] = [None] * len(some)
        for i in np.argsort(healpix_index(some[:, 0] % 360, some[:, 1], _ORDER), kind="stable"):
            if time.monotonic() > until:
                raise TimeLimitError("the query took longer than it may", hint="ask for fewer positions")
            stream = self._one(float(some[i, 0]), float(some[i, 1]), left)
            found[i] = stream.to_table()
            self.overflow |= stream.overflow
        self.overflow |= sum(table.num_rows for table in found) > left
        yield from self._numbered(start, found, left)

    def _numbered(self, start: int, found: Sequence[pa.Table], most: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows of some cones with the numbers of their targets, so many at the most."""
        counts = [table.num_rows for table in found]
        together = pa.concat_tables(found).slice(0, most).combine_chunks()
        numbers = np.repeat(np.arange(start, start + len(found), dtype=np.int32), counts)[:most]
        arrow = self.schema.to_arrow()
        for batch in together.to_batches():
            yield pa.RecordBatch.from_arrays([pa.array(numbers), *batch.columns], schema=arrow)


def _counted(stream: TableStream, start: int) -> Iterator[pa.RecordBatch]:
    """Yield the batches of a stream whose first column counts from 0, so that it counts from `start`."""
    with stream:
        for batch in stream:
            numbers = pc.add(batch.column(0), pa.scalar(start, pa.int32()))
            yield pa.RecordBatch.from_arrays([numbers, *batch.columns[1:]], schema=batch.schema)


def _numbered(columns: Schema) -> Column:
    """Return the column that says which target a row belongs to; its name is no other column's."""
    name = _TARGET
    while columns.find(name) is not None:
        name = f"{name}_"
    return Column(
        name, pa.int32(), ucd="meta.id.part", description="Number of the position asked for, from 0"
    )


def _check(places: FloatArray) -> None:
    if not len(places):
        raise ParameterError("positions", "", "there are none")
    if len(places) > MOST_CONES:
        raise LimitError(
            f"{len(places):,} positions are more than {MOST_CONES:,}",
            hint="send them as a table with a query that joins it by DISTANCE, or crossmatch",
        )
    good = (np.abs(places[:, 0]) <= 360) & (np.abs(places[:, 1]) <= 90)
    if not good.all():
        wrong = int(np.argmin(good))
        ra, dec = places[wrong]
        raise PositionError(f"position {wrong}: ra={ra}, dec={dec} degrees is not on the sky")
