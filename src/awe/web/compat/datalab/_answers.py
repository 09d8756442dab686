"""The formats of answers by the client's words, and a table that is never cut without a word."""

from collections.abc import Iterator, Mapping

import pyarrow as pa

from awe.core.tables import TableStream
from awe.core.tables.formats import FORMATS, Format, VOTableOptions
from awe.errors import LimitError, ParameterError
from awe.web.compat.datalab._text import DATALAB_ASCII, DATALAB_CSV

__all__ = ["ARROW", "AS_A_WHOLE", "format_asked", "whole"]

ARROW = FORMATS["arrow"]
"""How a job keeps its rows: exactly, so that they can leave in any format."""

AS_A_WHOLE = VOTableOptions(on_error="raise")
"""A document that fails is cut off, and not completed by a word that the client does not read."""

_FORMATS: Mapping[str, Format] = {
    "csv": DATALAB_CSV,
    "ascii": DATALAB_ASCII,
    "fits": FORMATS["fits"],
    "votable": FORMATS["votable"],
    "hdf5": FORMATS["hdf5"],
}


def format_asked(word: str) -> Format:
    """Return the format of ``ofmt``; csv when it says nothing.

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
