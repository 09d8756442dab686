"""Batches of statements as answers: run in turn, in the shape that a client of CasJobs asks for.

``application/json+array`` holds every result. Other formats hold one table: the first result that is a query's, or the
last one where none is; the statements behind it are run all the same.
"""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain

import pyarrow as pa
from starlette.datastructures import MutableHeaders

from awe.core.tables import TableStream, absolute_links
from awe.core.tables.formats import Format, json_rows
from awe.errors import AweError
from awe.services.catalogs import MYDB, BatchRun, ResultSet
from awe.web.http import BatchResponse, Call

__all__ = ["BatchAnswer", "as_json", "as_table", "context_of", "run_batch"]

_LOG = logging.getLogger(__name__)
_ALSO_MYDB = frozenset({MYDB, "myscratch"})
_AHEAD_ROWS = 200_000
"""Rows made before the head of an answer in one format goes: so many may fail with a proper status."""

Shape = Callable[[Iterator[ResultSet], MutableHeaders], Iterator[bytes]]
"""From the results of a batch to the bytes of an answer; before the first ones it may set headers."""


def context_of(call: Call, name: str) -> str | None:
    """Return the schema that a context means; ``MyDB`` and ``MyScratch`` are the same, and nothing for an anonymous caller."""
    if name.casefold() not in _ALSO_MYDB:
        return name
    return None if call.identity.is_anonymous else MYDB


def run_batch(call: Call, text: str, context: str, into: str = "") -> BatchRun:
    """Begin a batch in T-SQL, for as long and as many rows as the quick queue gives; `into` is what its query makes."""
    limits = call.platform.settings.limits
    return call.platform.batches.run(
        text,
        dialect="tsql",
        context=context_of(call, context),
        identity=call.identity,
        seconds=limits.seconds,
        max_rows=limits.rows,
        into=f"{MYDB}.{into.removeprefix(f'{MYDB}.')}" if into else None,
        address=call.base_url,
    )


class BatchAnswer(BatchResponse):
    """The answer of a batch in a shape.

    Parameters
    ----------
    results
        Of `run_batch`.
    shape
        Makes the answer.
    media_type
        Content type.
    base_url
        Address of the archive, for the links in the answer.
    """

    def __init__(self, results: BatchRun, shape: Shape, media_type: str, base_url: str) -> None:
        def write(found: Iterator[ResultSet]) -> Iterator[bytes]:
            return shape(
                (replace(one, stream=absolute_links(one.stream, base_url)) for one in found), self.headers
            )

        super().__init__(results, write, media_type)


def as_json(query: str) -> Shape:
    """Return what writes ``{"Query": ..., "Result": [{"TableName", "Columns", "Data"}, ...]}``.

    Numbers stay exact, what is missing or not a number is null. Further keys, which CasJobs' clients ignore, say when
    rows of a result were left out (``Overflow``) or the batch failed on its way (``Error``).
    """

    def write(results: Iterator[ResultSet], _headers: MutableHeaders) -> Iterator[bytes]:
        first = next(results)
        first = replace(first, stream=first.stream.primed())  # what goes wrong early has its proper status
        yield f'{{"Query":{json.dumps(query)},"Result":['.encode()
        mark, behind = b"", b"]"
        failure = ""
        try:
            for result in chain([first], results):
                head = {"TableName": result.name, "Columns": list(result.stream.schema.names)}
                yield mark + json.dumps(head)[:-1].encode() + b',"Data":['
                mark, behind = b",", b"]}]"
                yield from _rows(result.stream)
                yield b'],"Overflow":true}' if result.stream.overflow else b"]}"
                behind = b"]"
        except AweError as error:
            failure = str(error)
        except Exception:  # noqa: BLE001  # a fault of ours; it is logged, and the document says so
            _LOG.exception("a batch failed on its way")
            failure = "something went wrong inside the service"
        yield behind + (f',"Error":{json.dumps(failure)}}}'.encode() if failure else b"}")

    return write


def as_table(form: Format) -> Shape:
    """Return what writes one table in a format."""

    def write(results: Iterator[ResultSet], headers: MutableHeaders) -> Iterator[bytes]:
        last = pa.table({})
        for result in results:
            if result.affected is None and result.stream.schema.names:
                stream = result.stream.primed(_AHEAD_ROWS)
                known = "true" if stream.overflow else "false"
                headers["X-Awe-Overflow"] = known if stream.complete else "unknown"
                yield from form.write(stream)
                break
            last = result.stream.to_table()
        else:
            yield from form.write(TableStream.from_table(last))
        for _ in results:  # what stands behind has its effects
            continue

    return write


def _rows(stream: TableStream) -> Iterator[bytes]:
    mark = b""
    for batch in stream:
        for piece in json_rows(batch):
            yield mark + piece
            mark = b","
