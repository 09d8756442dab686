"""The pairs of a sky join as a stream that an engine reads like any other of Arrow data."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace

import pyarrow as pa

from awe.core.progress import Progress, silent
from awe.core.sql import SEPARATION, SkyMatch
from awe.services.catalogs.backends._pair_blocks import Blocks, Chosen, SideRows, Work

__all__ = ["PairStream"]


class PairStream:
    """The pairs; an engine reads it as it reads any Arrow stream, as often as it likes.

    Parameters
    ----------
    match
        What is to be found.
    held, other
        Its sides.
    workers
        Threads; as many as there are processors when 0.
    check
        Raises when it is time to stop; asked all the time.
    chosen
        Lets pairs through that are what `match` asks of them.
    progress
        Is told how far it is.
    """

    def __init__(
        self,
        match: SkyMatch,
        held: SideRows,
        other: SideRows,
        workers: int,
        check: Callable[[], None],
        chosen: Chosen | None = None,
        progress: Progress = silent,
    ) -> None:
        self._held, self._other = held, other
        paired = other.columns if match.exists is None else []
        self.schema = pa.schema([*held.columns, *paired, pa.field(SEPARATION, pa.float64())])
        threads = workers or os.cpu_count() or 1
        self._work = Work(match, self.schema, threads, check, progress, chosen if match.asked else None)
        self.error: Exception | None = None
        """Why it broke off: whoever reads is told no more than that it did."""

    def __arrow_c_schema__(self) -> object:
        return self.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        reader = pa.RecordBatchReader.from_batches(self.schema, self._batches())
        return reader.__arrow_c_stream__(requested_schema)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        try:
            yield from Blocks(self._work, self._held, self._other)
            if self._work.match.full:  # who of the other side is alone is found from there
                yield from Blocks(replace(self._work, turned=True), self._other, self._held)
        except Exception as error:
            self.error = error
            raise
