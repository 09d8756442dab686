"""Answers of what gives its rows when it is asked for them: into a table (``out='mydb://table'``), a file or to the client."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from awe.core.tables import TableStream
from awe.core.tables.formats import Format, VOTableOptions
from awe.errors import ParameterError
from awe.services.catalogs import Results, ResultSet, filed
from awe.services.identity import Identity
from awe.services.space import NodePath, SpaceService
from awe.web.compat.datalab._answers import AS_A_WHOLE, whole
from awe.web.compat.datalab.mydb import new_table
from awe.web.http import BatchResponse

__all__ = ["LOCAL", "FileFormat", "saved", "written"]

LOCAL = "file://"
"""What the client's own files begin with."""


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A `Format` whose document is the word that the rows are in a file of the caller's, when they are.

    Attributes
    ----------
    form
        The format of the file.
    space, path, identity
        Who keeps it, where, for whom.
    """

    form: Format
    space: SpaceService
    path: NodePath
    identity: Identity
    name: str = "file"
    media_types: tuple[str, ...] = ("text/plain; charset=utf-8",)
    extensions: tuple[str, ...] = (".txt",)

    def write(self, stream: TableStream, options: VOTableOptions | None = None) -> Iterator[bytes]:  # noqa: ARG002  # the protocol's
        """Write the file, then say so."""
        filed(stream, self.form, self.space, self.path, self.identity)
        yield b"OK"

    def read(self, path: Path) -> TableStream:
        """Refuse: it is nothing to read."""
        raise ParameterError("format", path.name, "is not a format for uploads")


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
