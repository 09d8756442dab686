"""``application/json+array``: the shape in which CasJobs answers result sets.

``{"Query": ..., "Result": [{"TableName": "Table1", "Columns": [...], "Data": [[...], ...]}]}``. Numbers
stay exact, what is missing or not a number is null. Further keys, which its clients ignore, say when
rows were left out (``Overflow``) or the query failed on its way (``Error``).
"""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from awe.core.tables import TableStream
from awe.core.tables.formats import VOTableOptions
from awe.errors import AweError, ParameterError

__all__ = ["CasJobsResult"]

_LOG = logging.getLogger(__name__)
_ROWS = 8192


@dataclass(frozen=True, slots=True)
class CasJobsResult:
    """One result set; a `Format` that writes.

    Attributes
    ----------
    query
        The text that was run.
    """

    query: str
    name: str = "json+array"
    media_types: tuple[str, ...] = ("application/json+array",)
    extensions: tuple[str, ...] = (".json",)

    def write(self, stream: TableStream, options: VOTableOptions | None = None) -> Iterator[bytes]:  # noqa: ARG002  # the protocol's
        """Yield the document."""
        head = {"TableName": "Table1", "Columns": list(stream.schema.names)}
        yield f'{{"Query":{json.dumps(self.query)},"Result":[{json.dumps(head)[:-1]},"Data":['.encode()
        end: dict[str, object] = {}
        try:
            yield from self._rows(stream)
            end = {"Overflow": True} if stream.overflow else {}
        except AweError as error:
            end = {"Error": str(error)}
        except Exception:  # noqa: BLE001  # a fault of ours; it is logged, and the document says so
            _LOG.exception("a result failed on its way")
            end = {"Error": "something went wrong inside the service"}
        more = f",{json.dumps(end)[1:-1]}" if end else ""
        yield f"]}}]{more}}}".encode()

    def read(self, path: Path) -> TableStream:
        """Refuse: nobody uploads this shape."""
        raise ParameterError("format", path.name, "is not a format for uploads")

    def _rows(self, stream: TableStream) -> Iterator[bytes]:
        separator = b""
        for batch in stream:
            for start in range(0, batch.num_rows, _ROWS):
                part = batch.slice(start, _ROWS)
                columns = [_values(column) for column in part.columns]
                rows = json.dumps(list(zip(*columns, strict=True)), allow_nan=False, default=str)
                yield separator + rows[1:-1].encode()
                separator = b","


def _values(column: pa.Array) -> list[object]:
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_finite(column), column, None)
    return list(column.to_pylist())
