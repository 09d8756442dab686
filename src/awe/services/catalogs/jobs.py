"""The long queue: the SQL that a request runs at once, run as a job, its answers written to files."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from io import BytesIO
from pathlib import Path

import pyarrow as pa

from awe.core.tables import Schema, TableStream, absolute_links
from awe.core.tables.formats import FORMATS, POSTGRES_TEXTS, VOTableOptions, gzipped
from awe.errors import AweError, ConflictError
from awe.services.catalogs.batches.model import ROWS_AFFECTED
from awe.services.catalogs.batches.service import BatchService
from awe.services.catalogs.external.service import ExternalTapService
from awe.services.catalogs.filing import filed
from awe.services.catalogs.own.versions import VersionService
from awe.services.catalogs.service import CatalogService
from awe.services.catalogs.uploads import SentFile
from awe.services.identity import READ, Identity
from awe.services.jobs import Kind, Result, Work
from awe.services.space import NodePath, SpaceService

__all__ = ["BATCH", "QUERY", "SQL_KINDS", "QueryOrder", "SqlJobs"]

QUERY, BATCH = "query", "batch"
"""The kinds' names: one query with one answer, and a batch of statements with as many as it has."""
SQL_KINDS = frozenset({QUERY, BATCH})
_RESULT = "result"


@dataclass(frozen=True, slots=True)
class QueryOrder:
    """What a job that runs SQL is to do.

    Attributes
    ----------
    text, dialect, context, max_rows
        As for `CatalogService.query`.
    whole
        Whether a query's answer has all rows, however many; for what awe itself asks.
    into, replace
        As for `BatchService.run`.
    profile
        Name of the other archive's TAP service that answers it; empty for this archive.
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
    file, file_format
        Where in the owner's space the rows go, and in which format; they come back to the caller when empty.
    texts
        Name and text of the parts among them that came as text and not as files.
    """

    text: str
    dialect: str = "adql"
    context: str | None = None
    max_rows: int | None = None
    whole: bool = False
    into: str | None = None
    replace: bool = False
    format: str = "votable"
    media_type: str = "application/x-votable+xml"
    base_url: str = ""
    infos: tuple[tuple[str, str, str], ...] = ()
    uploads: tuple[tuple[str, str], ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    packed: bool = False
    profile: str = ""
    file: str = ""
    file_format: str = ""

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


class SqlJobs:
    """The kinds of jobs that run SQL.

    Parameters
    ----------
    catalogs, batches
        Who runs it.
    versions
        What there was of the tables that it makes and changes.
    external
        Who asks other archives.
    space
        Who keeps the files that answers become.
    statements
        Says what an answer states besides its rows, where it is a VOTable.
    """

    def __init__(
        self,
        catalogs: CatalogService,
        versions: VersionService,
        batches: BatchService,
        external: ExternalTapService,
        space: SpaceService,
        statements: Statements,
    ) -> None:
        self._catalogs = catalogs
        self._versions = versions
        self._batches = batches
        self._external = external
        self._space = space
        self._statements = statements

    def kinds(self) -> Mapping[str, Kind]:
        """Return the kinds by their names."""
        return {QUERY: self.query, BATCH: self.batch}

    def query(self, work: Work) -> Sequence[Result]:
        """Run one query; its one result, the rows or how many went into a table, is called ``result``."""
        order = QueryOrder.from_json(work.order)
        if order.profile:
            return self._elsewhere(work, order)
        if order.into:
            return [replace(result, name=_RESULT) for result in self.batch(work)]
        answers = _Answers(work, order, self._statements)
        self._check_file(work, order)
        with self._uploads(work, order) as uploads:
            stream = self._catalogs.query(
                order.text,
                dialect=order.dialect,
                context=order.context,
                identity=work.identity,
                max_rows=order.max_rows,
                uploads=uploads,
                address=order.base_url,
                whole=order.whole,
                asked=False,
            )
        return [self._answered(work, order, answers, stream, engine=self._catalogs.engine_of(stream))]

    def batch(self, work: Work) -> Sequence[Result]:
        """Run a batch; each of its results is a file, called ``Table1``, ``Table2`` ..."""
        order = QueryOrder.from_json(work.order)
        answers = _Answers(work, order, self._statements)
        if done := self._done_before(work, order, answers):
            return [done]
        with (
            self._uploads(work, order) as uploads,
            self._batches.run(
                order.text,
                dialect=order.dialect,
                context=order.context,
                identity=work.identity,
                max_rows=order.max_rows,
                into=order.into,
                replace=order.replace,
                uploads=uploads,
                address=order.base_url,
                asked=False,
            ) as results,
        ):
            return [
                replace(answers.write(one.name, one.stream, one.affected), engine=one.engine)
                for one in results
            ]

    def _elsewhere(self, work: Work, order: QueryOrder) -> Sequence[Result]:
        """Let another archive run a query, as a job there."""
        answers = _Answers(work, order, self._statements)
        if done := self._done_before(work, order, answers):
            return [replace(done, name=_RESULT)]
        self._check_file(work, order)
        with self._external.run(
            order.profile,
            order.text,
            identity=work.identity,
            into=order.into,
            replace=order.replace,
            queued=True,
            asked=False,
        ) as results:
            return [self._answered(work, order, answers, one.stream, one.affected) for one in results]

    def _answered(
        self,
        work: Work,
        order: QueryOrder,
        answers: "_Answers",
        stream: TableStream,
        affected: int | None = None,
        *,
        engine: str = "",
    ) -> Result:
        """Keep an answer as the job's result, or as a file of its owner's: then the result says how many rows it has."""
        if not order.file:
            return replace(answers.write(_RESULT, stream, affected), engine=engine)
        form = {**FORMATS, **POSTGRES_TEXTS}[order.file_format]
        path = NodePath.of(work.identity.name, order.file)
        rows = filed(absolute_links(stream, order.base_url), form, self._space, path, work.identity)
        told = pa.table({ROWS_AFFECTED: pa.array([rows], pa.int64())})
        return replace(answers.write(_RESULT, TableStream.from_table(told), rows), engine=engine)

    def _check_file(self, work: Work, order: QueryOrder) -> None:
        """Refuse to begin again what may have written its file: nobody could tell it from another one of that name."""
        path = NodePath.of(work.identity.name, order.file)
        again = order.file and work.again_since is not None
        if again and self._space.may(path, work.identity.finding, READ):
            raise ConflictError(
                f"the job was stopped in its middle, and there is a file {order.file}",
                hint="look at it; remove it and submit again if it is not what the query gives",
            )

    def _done_before(self, work: Work, order: QueryOrder, answers: "_Answers") -> Result | None:
        """Return the result of a job that an attempt before has done; errors as `_made_before`."""
        if work.again_since is None or (order.into and order.replace):
            return None
        made = self._made_before(order, work.identity, work.again_since)
        if made is None:
            return None
        told = pa.table({ROWS_AFFECTED: pa.array([made], pa.int64())})
        return answers.write("Table1", TableStream.from_table(told), made)

    @contextmanager
    def _uploads(self, work: Work, order: QueryOrder) -> Iterator[Mapping[str, Path]]:
        """Yield the tables that came with a job, as files."""
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
            yield self._catalogs.receive(order.uploads, order.sent(files), folder)

    def _made_before(self, order: QueryOrder, identity: Identity, since: datetime) -> int | None:
        """Return the rows of the table that a job was to make, if an attempt before made it; None if nothing was done.

        Raises
        ------
        ConflictError
            If a table that it makes, changes or drops was changed since the job was put into the queue, and it may have done
            part of its work.
        """
        for name in self._targets(order):
            try:
                newest = self._versions.kept(name, identity)[-1]
            except AweError:  # it is not there, or its name is none: the batch itself says so
                continue
            if (newest.ended or newest.created) >= since:
                if order.into and newest.is_current and newest.origin == order.text.strip():
                    return newest.record.rows
                raise ConflictError(
                    f"the job was stopped in its middle, and {name} was changed since it was submitted",
                    hint="look at the tables, and submit again what is not done",
                )
        return None

    def _targets(self, order: QueryOrder) -> tuple[str, ...]:
        try:
            found = self._batches.check(order.text, dialect=order.dialect)
        except AweError:  # as above
            found = ()
        return (*found, order.into) if order.into else found


class _Answers:
    """Write the answers of one job into its folder."""

    def __init__(self, work: Work, order: QueryOrder, statements: Statements) -> None:
        self._work = work
        self._order = order
        self._statements = statements
        self._form = FORMATS[order.format]
        self._rows = self._size = 0

    def write(self, name: str, stream: TableStream, affected: int | None = None) -> Result:
        """Write one answer, whole; close it. Of a change, `affected` rows count and not the one that says so."""
        before = self._rows
        links = absolute_links(stream, self._order.base_url)
        rows = links.map(links.schema, self._counted)
        file = self._work.folder / f"{name}{self._form.extensions[0]}{'.gz' * self._order.packed}"
        options = replace(self._statements(self._order, rows.schema), on_error="raise")
        with rows, file.open("xb") as out:
            document = self._form.write(rows, options)
            for chunk in gzipped(document) if self._order.packed else document:
                self._work.check(self._size + out.tell() + len(chunk))
                out.write(chunk)
        size = file.stat().st_size
        self._size += size
        made = self._rows - before if affected is None else affected
        return Result(name, file.name, self._order.media_type, size, rows.overflow, made)

    def _counted(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        self._rows += batch.num_rows
        self._work.progress("rows", self._rows, None)
        return batch


def _pairs(listed: Iterable[Iterable[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in listed)
