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

from awe.core.tables import TableStream
from awe.core.tables.formats import VOTableOptions, json_rows
from awe.errors import AweError, ParameterError

__all__ = ["CasJobsResult"]

_LOG = logging.getLogger(__name__)


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
            yield from _rows(stream)
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


def _rows(stream: TableStream) -> Iterator[bytes]:
    mark = b""
    for batch in stream:
        for piece in json_rows(batch):
            yield mark + piece
            mark = b","
