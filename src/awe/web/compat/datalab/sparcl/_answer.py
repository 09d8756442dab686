"""Answers of SPARCL: a list of a header and of records, made while it is sent, in its turn, and stopped when nobody listens."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from awe.web.compat.datalab.sparcl._pickle import pickled
from awe.web.http import TurnResponse

__all__ = ["Listed", "header"]

_OF_RECORDS = "_dr"
_WRITERS: Mapping[str, tuple[Callable[[Iterable[Any]], Iterator[bytes]], str]]


class Listed(TurnResponse):
    """Records as they are made; the first one is the header.

    Parameters
    ----------
    make
        Makes them: a generator.
    form
        ``json`` or ``pkl``.
    """

    def __init__(self, make: Callable[[], Iterator[object]], form: str = "json") -> None:
        write, media_type = _WRITERS[form]
        super().__init__(media_type)
        self._records = make()
        self._write = write
        self._busy = threading.Lock()
        self._ended = False

    def begun(self) -> Iterator[bytes]:
        """Make the header."""
        return self._write(self._counted())

    def closed(self) -> None:
        """Stop after the record that is being made."""
        self._ended = True
        with self._busy:
            self._records.close()  # type: ignore[attr-defined]  # a generator

    def _counted(self) -> Iterator[object]:
        while (found := self._next()) is not None:
            self.rows += isinstance(found, dict) and _OF_RECORDS in found
            yield found

    def _next(self) -> object | None:
        with self._busy:
            return None if self._ended else next(self._records, None)


def header(
    found: Mapping[str, int], units: Mapping[str, Mapping[str, str | None]], warnings: Sequence[str] = ()
) -> dict[str, object]:
    """Return the first record: how many spectra of each data set follow, and the units of their fields."""
    info = [f"Successfully found {number} records in dr={name}" for name, number in found.items()]
    return {"status": {"success": True, "info": info, "warnings": list(warnings)}, "UNITS": dict(units)}


def _as_json(records: Iterable[object]) -> Iterator[bytes]:
    separator = "["
    for record in records:
        yield (separator + json.dumps(_plain(record))).encode()
        separator = ","
    yield b"]" if separator == "," else b"[]"


def _plain(value: object) -> object:
    """Return a value as JSON has it: lists for arrays, null for what is no number."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if not isinstance(value, np.ndarray):
        return value
    if value.dtype.kind == "f" and not np.isfinite(value).all():
        return [x if np.isfinite(x) else None for x in value.tolist()]
    return value.tolist()


_WRITERS = {"json": (_as_json, "application/json"), "pkl": (pickled, "application/octet-stream")}
