"""Queries as jobs: the same query that a request runs, its answer written to a file."""

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from io import BytesIO
from pathlib import Path

import pyarrow as pa

from awe.core.progress import Progress
from awe.core.tables import Schema, absolute_links
from awe.core.tables.formats import FORMATS, VOTableOptions, gzipped
from awe.services.catalogs.service import CatalogService
from awe.services.catalogs.uploads import SentFile
from awe.services.jobs import Kind, Result, Work

__all__ = ["QUERY", "QueryOrder", "query_kind"]

QUERY = "query"
"""The kind's name."""


@dataclass(frozen=True, slots=True)
class QueryOrder:
    """What a query job is to do.

    Attributes
    ----------
    text, dialect, context, max_rows
        As for `CatalogService.query`.
    format
        Short name of the answer's format.
    media_type
        What the answer is called when it is fetched; one of the format's.
    base_url
        Address of the archive, for the links in the answer.
    infos
        What a VOTable states at its head: (name, value, text).
    uploads
        Tables that the query reads besides: name and place, as for `CatalogService.receive`.
    packed
        Whether the answer is packed with gzip.
    texts
        Name and text of the parts among them that came as text and not as files.
    """

    text: str
    dialect: str = "adql"
    context: str | None = None
    max_rows: int | None = None
    format: str = "votable"
    media_type: str = "application/x-votable+xml"
    base_url: str = ""
    infos: tuple[tuple[str, str, str], ...] = ()
    uploads: tuple[tuple[str, str], ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    packed: bool = False

    def to_json(self) -> dict[str, object]:
        """Return it as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, order: Mapping[str, object]) -> "QueryOrder":
        """Rebuild what `to_json` wrote."""
        made = cls(**order)  # type: ignore[arg-type]  # written by `to_json`; JSON knows no tuples
        infos = tuple((name, value, text) for name, value, text in made.infos)
        return replace(made, infos=infos, uploads=_pairs(made.uploads), texts=_pairs(made.texts))

    def sent(self, files: Mapping[str, SentFile]) -> Mapping[str, SentFile]:
        """Return all parts that came, those among the files and those that came as text."""
        return {**{name: SentFile(BytesIO(text.encode())) for name, text in self.texts}, **files}


Statements = Callable[[QueryOrder, Schema], VOTableOptions]
"""What a VOTable states besides its rows."""


def query_kind(catalogs: CatalogService, statements: Statements) -> Kind:
    """Return the kind of job that runs a query; its one result is called ``result``.

    Parameters
    ----------
    catalogs
        Who runs it.
    statements
        Says what the answer states besides its rows, where it is a VOTable.
    """

    def run(work: Work) -> Sequence[Result]:
        order = QueryOrder.from_json(work.order)
        form = FORMATS[order.format]
        with ExitStack() as opened:
            files = {
                part.name: SentFile(
                    opened.enter_context((work.parts_folder / part.file).open("rb")),
                    part.filename,
                    part.media_type,
                )
                for part in work.parts
            }
            folder = Path(opened.enter_context(tempfile.TemporaryDirectory(dir=work.folder)))
            stream = catalogs.query(
                order.text,
                dialect=order.dialect,
                context=order.context,
                identity=work.identity,
                max_rows=order.max_rows,
                uploads=catalogs.receive(order.uploads, order.sent(files), folder),
                address=order.base_url,
                asked=False,
            )
        links = absolute_links(stream, order.base_url)
        counted = _Counted(work.progress)
        rows = links.map(links.schema, counted)
        file = work.folder / f"result{form.extensions[0]}{'.gz' * order.packed}"
        options = replace(statements(order, rows.schema), on_error="raise")
        with rows, file.open("xb") as out:
            document = form.write(rows, options)
            for chunk in gzipped(document) if order.packed else document:
                work.check(out.tell() + len(chunk))
                out.write(chunk)
        size = file.stat().st_size
        return [Result("result", file.name, order.media_type, size, rows.overflow, counted.rows)]

    return run


def _pairs(listed: Iterable[Iterable[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in listed)


class _Counted:
    """Count the rows that pass, and tell how many there were."""

    def __init__(self, progress: Progress) -> None:
        self.rows = 0
        self._progress = progress

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        self.rows += batch.num_rows
        self._progress("rows", self.rows, None)
        return batch
