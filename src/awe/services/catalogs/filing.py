"""Answers that become files of their askers: whole, in a place where there is none, or not at all."""

from collections.abc import Iterator

import pyarrow as pa

from awe.core.tables import TableStream
from awe.core.tables.formats import Format, VOTableOptions
from awe.errors import LimitError
from awe.services.identity import Identity
from awe.services.space import NodePath, SpaceService

__all__ = ["filed"]

_WHOLE = VOTableOptions(on_error="raise")


def filed(stream: TableStream, form: Format, space: SpaceService, path: NodePath, identity: Identity) -> int:
    """Write the rows of a stream into a file; return how many there are. The stream is closed.

    Raises
    ------
    ConflictError
        If there is something of that name.
    LimitError
        If rows were left out of the stream, or the file becomes too large.
    AweError
        As `SpaceService.write`, and of the stream.
    """
    rows = 0

    def counted(batch: pa.RecordBatch) -> pa.RecordBatch:
        nonlocal rows
        rows += batch.num_rows
        return batch

    with stream, space.write(path, identity, replace=False) as draft:
        chunks: Iterator[bytes] = form.write(stream.map(stream.schema, counted), _WHOLE)
        for chunk in chunks:
            draft.write(chunk)
        if stream.overflow:
            raise LimitError(
                "the answer has more rows than the operator allows", hint="ask for fewer rows with LIMIT"
            )
        draft.done()
    return rows
