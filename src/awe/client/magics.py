"""SQL in the cells of a notebook: ``%load_ext awe``, then ``%%adql`` and ``%%sql``; Tab completes tables and columns.

%awe http://127.0.0.1:8765
%%adql -o bright
SELECT TOP 10 * FROM hsc.SumCat
"""

import argparse
import re
import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NoReturn

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from awe.client._client import Client, connect
from awe.client._uploads import TableLike
from awe.client.catalogs import Language
from awe.errors import AweError

__all__ = ["Magics", "load_ipython_extension"]

_CELL = re.compile(r"\s*%%(?:adql|sql)\b")
_TABLE = re.compile(r"\b([A-Za-z_]\w*\.[A-Za-z_]\w*)")
_FRESH_S = 60.0
"""So long what was asked for a completion is used again."""
_WORDS = (
    "SELECT", "FROM", "WHERE", "ORDER BY", "GROUP BY", "HAVING", "JOIN", "DISTINCT", "COUNT", "CONTAINS", "CIRCLE"
)  # fmt: skip


class _Options(argparse.ArgumentParser):
    """The options of a cell; what is wrong with them is an error of the cell and ends no program."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}")


def _options(magic: str, langs: Sequence[Language]) -> _Options:
    found = _Options(prog=magic, add_help=False)
    add = found.add_argument
    add("-o", "--out", help="Name of the variable that gets the rows; they are shown without it.")
    add("--into", help="Table of yours that the rows become: mydb.name.")
    add("--replace", action="store_true", help="With --into: replace that table if it is there.")
    add("--context", help="Schema in which unqualified names are looked up.")
    add("--max-rows", type=int, help="Rows at the most.")
    add("--upload", action="append", default=[], help="NAME=VARIABLE: a table, read as TAP_UPLOAD.NAME.")
    add("--long", action="store_true", help="Put it into the long queue: the job comes back at once.")
    add("--lang", choices=langs, default=langs[0], help="The language.")
    return found


_ADQL, _SQL = _options("%%adql", ("adql",)), _options("%%sql", ("tsql", "postgres"))


class Magics:
    """What the magics do: they ask one archive, the one of ``%awe``, else that of `awe.connect`.

    Parameters
    ----------
    shell
        Whose cells they are.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._archive: Client | None = None
        self._names: dict[str, tuple[float, tuple[str, ...]]] = {}

    def awe(self, line: str = "") -> Client:
        """Say which archive is asked from now on, an address, a folder or a variable; without one: which it is."""
        given = line.strip()
        try:
            if given:
                self._names.clear()
                known = self._shell.user_ns.get(given)
                self._archive = known if isinstance(known, Client) else connect(given)
            elif self._archive is None:
                self._archive = connect()
        except AweError as error:
            raise UsageError(str(error)) from None  # shown without the way it came
        return self._archive

    def adql(self, line: str, cell: str) -> object:
        """Run the cell in ADQL: one query. Options: -o --into --replace --context --max-rows --upload --long."""
        return self._run(_ADQL, line, cell)

    def sql(self, line: str, cell: str) -> object:
        """Run the cell's statements in T-SQL, as in CasJobs, or PostgreSQL, as in Data Lab (--lang postgres)."""
        return self._run(_SQL, line, cell)

    def _run(self, options: _Options, line: str, cell: str) -> object:
        given = options.parse_args(shlex.split(line))
        archive = self.awe()
        run = archive.submit if given.long else archive.sql
        try:
            found = run(
                cell,
                lang=given.lang,
                context=given.context,
                into=given.into,
                replace=given.replace,
                max_rows=given.max_rows,
                uploads=dict(self._uploads(given.upload)),
            )
        except AweError as error:
            raise UsageError(str(error)) from None  # as above
        finally:
            self._names.clear()  # there may be another table now
        if given.out is None:
            return found
        self._shell.user_ns[given.out] = found
        return None

    def _uploads(self, given: Sequence[str]) -> Iterator[tuple[str, TableLike]]:
        for one in given:
            name, _, variable = one.partition("=")
            if variable not in self._shell.user_ns:
                raise UsageError(f"--upload {one}: NAME=VARIABLE, and there is no variable {variable!r}")
            yield name, self._shell.user_ns[variable]

    # Completion

    def completions(self, text: str, token: str) -> list[tuple[str, str]]:
        """Return how a word of a cell may go on, and what each is.

        Parameters
        ----------
        text
            The whole cell.
        token
            The word up to the cursor, with the points in it.
        """
        tables = self._known("", _tables)
        head, point, start = token.rpartition(".")
        folded = token.casefold()
        found = [(name, "table") for name in tables if folded and name.casefold().startswith(folded)]
        used = [name for name in tables if name.casefold() in {t.casefold() for t in _TABLE.findall(text)}]
        if point:
            aliased = self._aliased(text, head, used)
            return found + [
                (f"{head}.{name}", "column")
                for name in self._columns(aliased)
                if name.casefold().startswith(start.casefold())
            ]
        found += [(name, "column") for name in self._columns(used) if name.casefold().startswith(folded)]
        return found + [(word, "keyword") for word in _WORDS if folded and word.casefold().startswith(folded)]

    @staticmethod
    def _aliased(text: str, alias: str, used: list[str]) -> list[str]:
        """Return the tables that a name before a point may stand for."""
        pattern = rf"\b([A-Za-z_]\w*\.[A-Za-z_]\w*)\s+(?:AS\s+)?{re.escape(alias)}\b"
        meant = {name.casefold() for name in re.findall(pattern, text, re.IGNORECASE)} | {alias.casefold()}
        return [name for name in used if name.casefold() in meant]

    def _columns(self, tables: list[str]) -> list[str]:
        found: dict[str, None] = {}
        for table in tables:
            names = self._known(table, partial(_columns, table))
            found.update(dict.fromkeys(names))
        return list(found)

    def _known(self, key: str, ask: Callable[[Client], list[str]]) -> tuple[str, ...]:
        """Return names of the archive, asked for a while ago at the most; none where it does not answer."""
        asked_at, names = self._names.get(key, (0.0, ()))
        if not asked_at or time.monotonic() - asked_at > _FRESH_S:
            try:
                names = tuple(ask(self.awe()))
            except AweError:
                names = ()
            self._names[key] = (time.monotonic(), names)
        return names


def _tables(archive: Client) -> list[str]:
    return [str(name) for name in archive.tables()["table"]]


def _columns(table: str, archive: Client) -> list[str]:
    return [str(name) for name in archive.columns(table)["name"]]


class _Matcher:
    """Completes in the cells of the magics; the attributes are those that IPython asks a matcher for."""

    matcher_api_version = 2
    matcher_identifier = "awe"
    matcher_priority = 0

    def __init__(self, magics: Magics) -> None:
        self._magics = magics
        self.__qualname__ = self.matcher_identifier  # IPython takes matchers for functions

    def __call__(self, context: CompletionContext) -> SimpleMatcherResult:
        if not _CELL.match(context.full_text) or context.cursor_line == 0:
            return {"completions": [], "suppress": False}
        found = re.search(r"[\w.]*$", context.line_with_cursor[: context.cursor_position])
        word = found[0] if found else ""
        # a completion takes the place of what IPython holds for the word, which may begin behind a point
        cut = len(word) - len(context.token) if word.endswith(context.token) else 0
        completions = [
            SimpleCompletion(text=text[cut:], type=kind)
            for text, kind in self._magics.completions(context.full_text, word)
        ]
        return {"completions": completions, "suppress": bool(completions)}


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Offer the magics, and complete in their cells: ``%load_ext awe``."""
    magics = Magics(shell)
    shell.magics_manager.register_function(magics.awe, "line", "awe")
    shell.magics_manager.register_function(magics.adql, "cell", "adql")
    shell.magics_manager.register_function(magics.sql, "cell", "sql")
    if shell.Completer is not None:
        shell.Completer.custom_matchers.append(_Matcher(magics))
