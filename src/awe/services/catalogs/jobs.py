"""Queries as jobs: the same query that a request runs, its answer written to a file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import pyarrow as pa

from awe.core.progress import Progress
from awe.core.tables import absolute_links
from awe.core.tables.formats import FORMATS, VOTableOptions
from awe.services.catalogs.service import CatalogService
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
    """

    text: str
    dialect: str = "adql"
    context: str | None = None
    max_rows: int | None = None
    format: str = "votable"
    media_type: str = "application/x-votable+xml"
    base_url: str = ""
    infos: tuple[tuple[str, str, str], ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return it as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, order: Mapping[str, object]) -> "QueryOrder":
        """Rebuild what `to_json` wrote."""
        made = cls(**order)  # type: ignore[arg-type]  # written by `to_json`; JSON knows no tuples
        return replace(made, infos=tuple((name, value, text) for name, value, text in made.infos))


def query_kind(catalogs: CatalogService) -> Kind:
    """Return the kind of job that runs a query; its one result is called ``result``."""

    def run(work: Work) -> Sequence[Result]:
        order = QueryOrder.from_json(work.order)
        form = FORMATS[order.format]
        stream = catalogs.query(
            order.text,
            dialect=order.dialect,
            context=order.context,
            identity=work.identity,
            max_rows=order.max_rows,
            address=order.base_url,
        )
        links = absolute_links(stream, order.base_url)
        rows = links.map(links.schema, _counting(work.progress))
        file = work.folder / f"result{form.extensions[0]}"
        options = VOTableOptions(infos=order.infos, on_error="raise")
        with rows, file.open("xb") as out:
            for chunk in form.write(rows, options):
                out.write(chunk)
        return [Result("result", file.name, order.media_type, file.stat().st_size, rows.overflow)]

    return run


def _counting(progress: Progress) -> Callable[[pa.RecordBatch], pa.RecordBatch]:
    done = 0

    def count(batch: pa.RecordBatch) -> pa.RecordBatch:
        nonlocal done
        done += batch.num_rows
        progress("rows", done, None)
        return batch

    return count
