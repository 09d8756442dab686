"""Answers of what gives its rows when it is asked for them: into a table (``out='mydb://table'``), or to the client."""

from collections.abc import Iterator

from awe.core.tables.formats import Format
from awe.services.catalogs import Results, ResultSet
from awe.web.compat.datalab._answers import AS_A_WHOLE, whole
from awe.web.compat.datalab.mydb import new_table
from awe.web.http import BatchResponse

__all__ = ["saved", "written"]


def saved(results: Results) -> BatchResponse:
    """Return the answer that says ``OK`` when the rows are in the table."""
    return BatchResponse(results, _done, "text/plain; charset=utf-8")


def written(results: Results, form: Format) -> BatchResponse:
    """Return the rows in a format."""

    def write(found: Iterator[ResultSet]) -> Iterator[bytes]:
        for one in found:
            yield from form.write(whole(one.stream), AS_A_WHOLE)

    return BatchResponse(results, write, form.media_types[0])


def _done(results: Iterator[ResultSet]) -> Iterator[bytes]:
    with new_table():
        for found in results:
            found.stream.close()
    yield b"OK"
