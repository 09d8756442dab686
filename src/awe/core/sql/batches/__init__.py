"""Batches: several statements in one text, as users of CasJobs and Data Lab write them, as values.

`read_batch` says what each statement is and which tables it touches; nothing is run here, and no name of a
table or a column is looked up. The queries inside (`ParsedQuery`) point into the text of the batch, so that
`awe.core.sql.compile_query` says line and column of the batch. ADQL has no statements: it is one query.
"""

from awe.core.sql._own_names import plain_names
from awe.core.sql._place import Text
from awe.core.sql._query import ParsedQuery
from awe.core.sql._size import check_text
from awe.core.sql.batches._changes import CHANGED, Delete, Update
from awe.core.sql.batches._queries import name_in, object_number
from awe.core.sql.batches._read import BatchReader
from awe.core.sql.batches._values import (
    AddColumns,
    Assign,
    Call,
    ChangeColumn,
    Counting,
    CreateTable,
    CreateTableAs,
    Declare,
    Declared,
    Drop,
    DropColumns,
    Go,
    If,
    Index,
    Insert,
    Place,
    Print,
    RenameColumn,
    RenameTable,
    Select,
    Statement,
    TableName,
    Truncate,
    Use,
)
from awe.core.sql.dialects import DIALECTS, GRAMMARS, PARSERS, TEMPORARY
from awe.core.suggestions import did_you_mean
from awe.errors import ParameterError, QuerySyntaxError

__all__ = [
    "CHANGED",
    "TEMPORARY",
    "AddColumns",
    "Assign",
    "Call",
    "ChangeColumn",
    "Counting",
    "CreateTable",
    "CreateTableAs",
    "Declare",
    "Declared",
    "Delete",
    "Drop",
    "DropColumns",
    "Go",
    "If",
    "Index",
    "Insert",
    "Place",
    "Print",
    "RenameColumn",
    "RenameTable",
    "Select",
    "Statement",
    "TableName",
    "Truncate",
    "Update",
    "Use",
    "object_number",
    "read_batch",
    "read_table_name",
]


def read_batch(text: str, *, dialect: str = "tsql") -> tuple[Statement, ...]:
    """Return the statements of a batch, at least one.

    Raises
    ------
    QuerySyntaxError, NotOfferedError
        With line, column, and what to write instead.
    LimitError
        If the text is too large to be understood in bounded time.
    ParameterError
        For an unknown dialect.
    """
    if dialect not in PARSERS:
        raise ParameterError(
            "dialect", dialect, f"one of {', '.join(DIALECTS)}", hint=did_you_mean(dialect, DIALECTS)
        )
    check_text(text)
    if dialect not in GRAMMARS:
        query = ParsedQuery(text, dialect, PARSERS[dialect](plain_names(text)))
        return (Select(text.strip(), Place(Text(text, dialect), 0), query),)
    found = BatchReader(Text(text, dialect), GRAMMARS[dialect]).batch()
    if not found:
        raise QuerySyntaxError("the query is empty", line=1, column=1, hint="write SELECT ... FROM ...")
    return found


def read_table_name(text: str, place: Place) -> TableName:
    """Return the table that a text names, such as ``mydb.t`` or ``[dr14].dbo.[Star]``.

    Raises
    ------
    QuerySyntaxError
        If it is no name; it points to `place`.
    """
    return name_in(text, place)
