"""Answers that end badly: what the service says behind the rows is what the user is told."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pytest

from awe.client._base import fetch_table
from awe.client._transport import Transport
from awe.core.tables import Schema, TableStream
from awe.core.tables.formats import FORMATS
from awe.errors import InputFileError, QueryError, TimeLimitError


class Answering:
    """A way to a service whose next answer is known."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def save(self, _method: str, _path: str, file: Path, **_: Any) -> None:
        """Keep the answer."""
        file.write_bytes(self._answer)


def rows(error: Exception | None) -> TableStream:
    """Return a stream of three rows, behind which something happens."""
    arrow = pa.schema([("n", pa.int64())])

    def batches() -> Iterator[pa.RecordBatch]:
        yield pa.RecordBatch.from_pydict({"n": [1, 2, 3]}, arrow)
        if error is not None:
            raise error

    return TableStream(Schema.from_arrow(arrow), batches())


def ask(answer: bytes) -> Any:
    """Read a table that is answered."""
    return fetch_table(cast("Transport", Answering(answer)), "POST", "/tap/sync")


def written(error: Exception | None) -> bytes:
    """Return the VOTable of the rows."""
    return b"".join(FORMATS["votable"].write(rows(error)))


def test_an_error_behind_the_rows_is_told_as_the_service_states_it() -> None:
    assert ask(written(None))["n"].tolist() == [1, 2, 3]
    with pytest.raises(QueryError, match="the query took longer than 60 s") as told:
        ask(written(TimeLimitError("the query took longer than 60 s", hint="ask for less")))
    assert str(told.value).startswith("the query")


def test_an_answer_that_is_cut_is_no_table() -> None:
    with pytest.raises(InputFileError):
        ask(written(None)[:-200])
