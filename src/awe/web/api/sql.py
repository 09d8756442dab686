"""Batches of SQL, answered at once: ``/api/sql``."""

import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from awe.core.tables.formats import Format, VOTableOptions
from awe.services.catalogs import BatchRun, ResultSet
from awe.services.identity import READ
from awe.web.api._caller import Caller, Services, make_router, needs
from awe.web.api._sql import SqlBatch, asked_for, body_of
from awe.web.http import SILENT, BatchResponse, Given, absolute_links, base_url, chosen_format, json_error

__all__ = ["router"]

router = make_router(tags=["searches"])

_ZIP = "application/zip"
_CHUNK = 1 << 18


@router.post("/sql", response_class=Response, openapi_extra=body_of(SqlBatch) | needs(READ))
def sql(
    asked: Annotated[tuple[SqlBatch, Given], Depends(asked_for(SqlBatch))],
    request: Request,
    services: Services,
    caller: Caller,
) -> Response:
    """Run statements, one after the other; more than one result comes as a ZIP file with Table1, Table2 ...

    In a form, each file is a table TAP_UPLOAD.name, named by its part. With `into`, the rows of the one query become a
    table of yours, and the answer is how many there are.
    """
    given, sent = asked
    form, media_type = chosen_format(given.format, parameter="format")
    folder = tempfile.TemporaryDirectory(prefix="awe-sql-")
    try:
        with closing(sent):
            wanted = [(name, f"param:{name}") for name in sent.parts]
            results = services.batches.run(
                given.query,
                dialect=given.lang,
                context=given.context,
                identity=caller,
                max_rows=given.max_rows,
                into=given.into,
                replace=given.replace,
                uploads=services.catalogs.receive(wanted, sent.parts, _made(folder, "uploads")),
                address=base_url(request),
            )
    except BaseException:
        folder.cleanup()
        raise
    answer = _Answer(results, form, media_type, folder, base_url(request))
    answer.on_error = json_error
    return answer


def _made(folder: "tempfile.TemporaryDirectory[str]", name: str) -> Path:
    made = Path(folder.name) / name
    made.mkdir()
    return made


class _Answer(BatchResponse):
    """One result in its format, or several in a ZIP file.

    The whole batch is run before anything is sent: what goes wrong in its last statement has its status, too.
    """

    def __init__(
        self,
        results: BatchRun,
        form: Format,
        media_type: str,
        folder: "tempfile.TemporaryDirectory[str]",
        address: str,
    ) -> None:
        super().__init__(results, self._document, media_type)
        self._form = form
        self._folder = folder
        self._address = address

    def closed(self) -> None:
        """Stop the batch, and remove its files."""
        super().closed()
        with suppress(FileNotFoundError):
            self._folder.cleanup()

    def _document(self, results: Iterator[ResultSet]) -> Iterator[bytes]:
        overflow = False
        files = []
        for one in results:
            rows = absolute_links(one.stream, self._address)
            file = Path(self._folder.name) / f"{one.name}{self._form.extensions[0]}"
            with rows, file.open("xb") as out:
                out.writelines(self._form.write(rows, VOTableOptions(on_error="raise")))
            overflow |= rows.overflow
            files.append(file)
        if self._form.name in SILENT:
            self.headers["X-Awe-Overflow"] = "true" if overflow else "false"
        if len(files) == 1:
            return _read(files[0])
        self.headers["Content-Type"] = _ZIP
        self._packed = True
        return _read(_zipped(files))


def _zipped(files: Sequence[Path]) -> Path:
    """Put files into a ZIP file, and remove them."""
    archive = files[0].with_name("results.zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for file in files:
            packed.write(file, file.name)
            file.unlink()
    return archive


def _read(file: Path) -> Iterator[bytes]:
    with file.open("rb") as content:
        while piece := content.read(_CHUNK):
            yield piece
