"""Batches of SQL next to the data, and rows that become a table of yours."""

import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from astropy.table import Table

from awe.client._base import BINARY2, ServiceClient
from awe.client._uploads import TableLike, opened
from awe.client._values import read_votable
from awe.client.catalogs import Language

__all__ = ["SqlClient"]


class SqlClient(ServiceClient):
    """The quick queue."""

    def sql(
        self,
        text: str,
        *,
        lang: Language = "adql",
        context: str | None = None,
        into: str | None = None,
        replace: bool = False,
        max_rows: int | None = None,
        uploads: Mapping[str, TableLike] | None = None,
    ) -> Table | list[Table]:
        """Run a query, or in T-SQL and PostgreSQL several statements, and wait for what they give.

        Parameters
        ----------
        text
            ADQL is one query. T-SQL and PostgreSQL are statements, also those that make and change tables of yours:
            ``SELECT ... INTO mydb.x``, CREATE, INSERT, UPDATE, DELETE, DROP.
        lang, context, max_rows, uploads
            As for `query`.
        into
            Table of yours that the rows of the one query become, all of them: ``mydb.x``.
        replace
            Replace that table if it is there.

        Returns
        -------
        The rows; a list of tables where several statements have some. What makes or changes a table gives one row,
        how many rows it was (``Rows Affected``).

        Raises
        ------
        QueryError
            If it is wrong: with line, column and a hint. What statements before have done stays done.
        ConflictError
            If the table is there already, and not to be replaced.
        TimeLimitError
            If it takes longer than the quick queue allows: `submit` puts it into the long queue.
        QuotaError
            If the table is more than you may keep.
        """
        body = {
            "query": text,
            "lang": lang,
            "context": context,
            "into": into,
            "replace": replace,
            "max_rows": max_rows,
            "format": BINARY2,
        }
        with tempfile.TemporaryDirectory(prefix="awe-") as folder, opened(uploads or {}) as files:
            answer = Path(folder) / "answer"
            self.transport.save("POST", "/api/sql", answer, body=body, files=files)
            if not zipfile.is_zipfile(answer):
                return read_votable(answer)
            with zipfile.ZipFile(answer) as packed:
                names = packed.namelist()
                packed.extractall(folder)
            return [read_votable(Path(folder) / name) for name in names]
