"""The shapes in which SkyServer answers tables: CSV with the table's name above it, and JSON with objects for rows."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from awe.core.tables import TableStream
from awe.core.tables.formats import FORMATS, Format, VOTableOptions, format_for, json_rows
from awe.errors import ParameterError

__all__ = ["FORMAT_NAMES", "SkyServerJson", "skyserver_format"]

FORMAT_NAMES = ("csv", "txt", "json", "votable", "fits", "parquet", "ecsv", "mydb")
_NOT_OFFERED = frozenset({"xml", "html", "dataset"})
_TABLE = "Table1"


@dataclass(frozen=True, slots=True)
class _NamedCsv:
    """CSV below a line ``#Table1``; a `Format` that writes."""

    name: str = "csv"
    media_types: tuple[str, ...] = ("text/csv",)
    extensions: tuple[str, ...] = (".csv",)

    def write(self, stream: TableStream, options: VOTableOptions | None = None) -> Iterator[bytes]:
        """Yield the lines."""
        yield f"#{_TABLE}\n".encode()
        yield from FORMATS["csv"].write(stream, options or VOTableOptions())

    def read(self, path: Path) -> TableStream:
        """Read what `write` wrote."""
        return FORMATS["csv"].read(path)


@dataclass(frozen=True, slots=True)
class SkyServerJson:
    """``[{"TableName": ..., "Rows": [{column: value}, ...]}]``; a `Format` that writes."""

    name: str = "json"
    media_types: tuple[str, ...] = ("application/json",)
    extensions: tuple[str, ...] = (".json",)

    def write(self, stream: TableStream, options: VOTableOptions | None = None) -> Iterator[bytes]:  # noqa: ARG002  # the protocol's
        """Yield the list."""
        yield f'[{{"TableName":{json.dumps(_TABLE)},"Rows":['.encode()
        mark = b""
        with stream:
            for batch in stream:
                for piece in json_rows(batch, stream.schema.names):
                    yield mark + piece
                    mark = b","
        yield b"]}]"

    def read(self, path: Path) -> TableStream:
        """Refuse: nobody uploads this shape."""
        raise ParameterError("format", path.name, "is not a format for uploads")


def skyserver_format(named: str) -> tuple[Format, str]:
    """Return a format by SkyServer's name for it, and its media type.

    Raises
    ------
    ParameterError
        If it is not offered.
    """
    wanted = named.casefold()
    if wanted in {"csv", "txt"}:
        return _NamedCsv(), "text/csv; charset=utf-8" if wanted == "csv" else "text/plain; charset=utf-8"
    if wanted == "json":
        return SkyServerJson(), "application/json"
    if wanted in _NOT_OFFERED:
        raise ParameterError("format", named, "is not offered", hint=f"one of {', '.join(FORMAT_NAMES)}")
    try:
        form = format_for(wanted)
    except ParameterError:
        hint = f"one of {', '.join(FORMAT_NAMES)}"
        raise ParameterError("format", named, "is not known", hint=hint) from None
    return form, form.media_types[0]
