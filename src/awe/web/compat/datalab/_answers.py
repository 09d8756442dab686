"""The formats of answers by the client's words, and a table that is never cut without a word."""

from collections.abc import Iterator, Mapping

import pyarrow as pa

from awe.core.tables import TableStream
from awe.core.tables.formats import FORMATS, POSTGRES_TEXTS, Format, VOTableOptions
from awe.errors import LimitError, ParameterError

__all__ = ["ARROW", "AS_A_WHOLE", "format_asked", "format_named", "whole"]

ARROW = FORMATS["arrow"]
"""How a job keeps its rows: exactly, so that they can leave in any format."""

AS_A_WHOLE = VOTableOptions(on_error="raise")
"""A document that fails is cut off, and not completed by a word that the client does not read."""

_FORMATS: Mapping[str, str] = {
    "csv": "postgres-csv",
    "ascii": "postgres-tsv",
    "fits": "fits",
    "votable": "votable",
    "hdf5": "hdf5",
}


def format_asked(word: str) -> Format:
    """Return the format of ``ofmt``; csv when it says nothing. Errors as `format_named`."""
    return {**FORMATS, **POSTGRES_TEXTS}[format_named(word)]


def format_named(word: str) -> str:
    """Return the name of the format of ``ofmt``.

    Raises
    ------
    ParameterError
        If there is no such format: with those that there are.
    """
    try:
        return _FORMATS[word.lower() or "csv"]
    except KeyError:
        raise ParameterError(
            "ofmt", word, "no such format", hint=f"there are {', '.join(_FORMATS)}"
        ) from None


def whole(stream: TableStream) -> TableStream:
    """Return the rows, which fail where some were left out: the client hears nothing but rows and errors."""

    def rows() -> Iterator[pa.RecordBatch]:
        last = None  # held until it is known whether more would follow, so that a short answer fails before its head
        for batch in stream:
            if last is not None:
                yield last
            last = batch
        if stream.overflow:
            raise LimitError(
                "the answer has more rows than the operator allows",
                hint="use LIMIT, or out='mydb://table' and ask that",
            )
        if last is not None:
            yield last

    return TableStream(stream.schema, rows(), stream.close)
