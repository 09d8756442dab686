"""Read a batch: its statements, one after the other, each by the word that it begins with."""

from collections.abc import Callable, Mapping, Sequence

from sqlglot.tokenizer_core import Token, TokenType

from awe.core.sql._own_names import plain_names
from awe.core.sql._place import Text
from awe.core.sql._query import ParsedQuery
from awe.core.sql.batches import _changes, _tables
from awe.core.sql.batches._cursor import Cursor, is_word
from awe.core.sql.batches._queries import QueryReader, constants
from awe.core.sql.batches._split import begins, end_of, is_go
from awe.core.sql.batches._types import read_columns, read_type
from awe.core.sql.batches._values import (
    Assign,
    Call,
    Counting,
    Declare,
    Declared,
    Go,
    If,
    Insert,
    Print,
    Select,
    Statement,
    TableName,
    Use,
)
from awe.core.sql.dialects import Grammar
from awe.core.suggestions import did_you_mean
from awe.errors import NotOfferedError, QueryError, QuerySyntaxError

__all__ = ["BatchReader"]

_MAX_STATEMENTS = 2_000
_MAX_NESTED = 20
_NO_EFFECT = ("ANSI_NULLS", "ANSI_WARNINGS", "QUOTED_IDENTIFIER", "XACT_ABORT")
_HINTS = {
    "WHILE": "there are no loops: write one statement for all rows",
    "MERGE": "use UPDATE, and INSERT ... SELECT",
    "GRANT": "share a table with a group instead",
    "REVOKE": "take the share back instead",
}


class BatchReader:
    """One reading.

    Parameters
    ----------
    text
        The batch.
    grammar
        Of its dialect.
    """

    def __init__(self, text: Text, grammar: Grammar) -> None:
        self.text, self.semicolons = text, text.dialect != "tsql"
        self.tokens = grammar.tokens(Text(plain_names(text.text), text.dialect))
        self.queries = QueryReader(text, grammar)
        self.at = self.count = self.nested = 0

    def batch(self) -> tuple[Statement, ...]:
        """Return all statements.

        Raises
        ------
        QuerySyntaxError, NotOfferedError
            With line and column.
        """
        found: list[Statement] = []
        begun = 0
        self._skip()
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if self._is_go(token):
                found += self._go(token, found[begun:])
                begun = len(found)
            else:
                found += self._one()
            self._skip()
        return tuple(found)

    def _skip(self) -> None:
        while self.at < len(self.tokens) and self.tokens[self.at].token_type is TokenType.SEMICOLON:
            self.at += 1

    def _one(self) -> list[Statement]:
        """Return the statement at hand; of BEGIN ... END all those inside."""
        self.count += 1
        token = self.tokens[self.at]
        if self.count > _MAX_STATEMENTS:
            raise self._too_many(token)
        if self._is_go(token):
            raise self._error(token, "GO does not stand between BEGIN and END")
        if is_word(token, "IF") and not self.semicolons:
            return [self._if(token)]
        if is_word(token, "BEGIN") and not self.semicolons:
            return self._block(token)
        stop = end_of(self.tokens, self.at, self.text.text, semicolons=self.semicolons)
        cursor = Cursor(self.tokens[self.at : max(stop, self.at + 1)], self.text)
        self.at = max(stop, self.at + 1)
        return self._statement(cursor)

    def _error(
        self, token: Token, message: str, hint: str | None = None, kind: type[QueryError] = QuerySyntaxError
    ) -> QueryError:
        line, column = self.text.line_column(token.start)
        return kind(message, line=line, column=column, hint=hint)

    def _too_many(self, token: Token) -> QueryError:
        return self._error(token, f"a batch may have {_MAX_STATEMENTS:,} statements", "send several batches")

    def _is_go(self, token: Token) -> bool:
        return not self.semicolons and is_go(token, self.text.text)

    def _go(self, token: Token, before: Sequence[Statement]) -> list[Statement]:
        """Return GO; with a number behind it, which says how often what stands before it runs, all the further times too."""
        self.at += 1
        cursor = Cursor([token], self.text)
        go = Go(cursor.source(), cursor.place())
        number = self.tokens[self.at] if self.at < len(self.tokens) else None
        if number is None or number.line != token.line or not number.text.isdigit():
            return [go]
        self.at += 1
        times = int(number.text[:9])
        if not before or times == 0:
            raise self._error(number, "GO n runs what stands before it, n times", "GO 2 runs it twice")
        self.count += (times - 1) * len(before)
        if self.count > _MAX_STATEMENTS:
            raise self._too_many(number)
        return [go, *([*before, go] * (times - 1))]

    def _block(self, token: Token) -> list[Statement]:
        self.at += 1
        self.nested += 1
        if self.nested > _MAX_NESTED:
            raise self._error(token, "nested too deeply")
        found: list[Statement] = []
        self._skip()
        while self.at < len(self.tokens) and not is_word(self.tokens[self.at], "END"):
            found += self._one()
            self._skip()
        if self.at >= len(self.tokens):
            raise self._error(token, "BEGIN has no END")
        self.at += 1
        self.nested -= 1
        return found

    def _if(self, token: Token) -> Statement:
        first = self.at
        self.nested += 1
        if self.nested > _MAX_NESTED:
            raise self._error(token, "nested too deeply")
        self.at = self._condition_end(first + 1, token)
        condition, asked = self.queries.condition(Cursor(self.tokens[first + 1 : self.at], self.text))
        then = self._one()
        otherwise: list[Statement] = []
        after = self.at
        self._skip()
        if self.at < len(self.tokens) and is_word(self.tokens[self.at], "ELSE"):
            self.at += 1
            otherwise = self._one()
        else:
            self.at = after
        self.nested -= 1
        cursor = Cursor(self.tokens[first : self.at], self.text)
        return If(cursor.source(), cursor.place(), condition, tuple(then), tuple(otherwise), asked)

    def _condition_end(self, start: int, token: Token) -> int:
        depth = 0
        for index in range(start, len(self.tokens)):
            kind = self.tokens[index].token_type
            depth += (kind is TokenType.L_PAREN) - (kind is TokenType.R_PAREN)
            if depth == 0 and index > start and begins(self.tokens, index):
                return index
        raise self._error(token, "IF has no statement", "IF condition statement")

    def _statement(self, cursor: Cursor) -> list[Statement]:
        here = cursor.tokens[0]
        word = here.text.upper() if here.token_type is not TokenType.IDENTIFIER else ""
        read = _READERS.get(word)
        if read is not None:
            found = read(self, cursor)
            cursor.finish()
            return found if isinstance(found, list) else [found]
        if here.token_type is TokenType.L_PAREN or word in {"SELECT", "WITH"}:
            return [self._select(cursor)]
        if word in _HINTS or word in {
            "COMMIT",
            "ROLLBACK",
            "RETURN",
            "BACKUP",
            "RESTORE",
            "KILL",
            "BEGIN",
            "SHUTDOWN",
        }:
            raise self._error(here, f"{word} is not offered", _HINTS.get(word), NotOfferedError)
        hint = did_you_mean(here.text, [*_READERS, "SELECT", "WITH", "IF"], most=1)
        raise self._error(here, f"a statement does not begin with {here.text!r}", hint)

    def _select(self, cursor: Cursor) -> Statement:
        place, source = cursor.place(), cursor.source()
        query, into = self.queries.select(cursor)
        names = self.queries.assigned(query)
        if names is not None:
            return Assign(source, place, *names)
        return Select(source, place, query, into)

    def read_insert(self, cursor: Cursor) -> Statement:
        place, source = cursor.place(), cursor.source()
        cursor.need("INSERT")
        cursor.word("INTO")
        table = cursor.table()
        columns: tuple[str, ...] = ()
        if cursor.sees("(") and not is_word(
            (*cursor.tokens, cursor.tokens[0])[cursor.at + 1], "SELECT", "WITH"
        ):
            inner = cursor.parentheses()
            columns = tuple(_only_name(part) for part in inner.parts())
        if cursor.sees("EXEC", "EXECUTE"):
            return Insert(source, place, table, columns, call=self._call(cursor))
        if cursor.word("DEFAULT"):
            raise cursor.refused("DEFAULT VALUES is not offered", "write VALUES (...)")
        if cursor.word("VALUES"):
            rows = [_in_parentheses(part) for part in cursor.parts()]
            known = constants(rows)
            if known is not None:
                return Insert(source, place, table, columns, rows=known)
            return Insert(source, place, table, columns, self.queries.rows(rows))
        if not cursor.sees("SELECT", "WITH", "("):
            raise cursor.expected("VALUES or SELECT", "INSERT INTO mydb.t (a, b) VALUES (1, 2)")
        return Insert(source, place, table, columns, self.queries.query(cursor.rest()))

    def read_declare(self, cursor: Cursor) -> list[Statement]:
        place, source = cursor.place(), cursor.source()
        cursor.need("DECLARE")
        found: list[Statement] = []
        variables: list[Declared] = []
        for part in cursor.parts():
            start = part.place()
            part.need("@", "DECLARE @x float = 0.5")
            name = part.name("the name of a variable")
            part.word("AS")
            if part.word("TABLE"):
                table = TableName(f"@{name}", start)
                found.append(Declare(source, place, (), table, read_columns(part.parentheses())))
                part.finish()
                continue
            kind = read_type(part)
            query = self.queries.value(part.rest(), kind) if part.word("=") else None
            part.finish()
            variables.append(Declared(name, kind, query))
        return [*found, *([Declare(source, place, tuple(variables))] if variables else [])]

    def read_set(self, cursor: Cursor) -> list[Statement]:
        place, source = cursor.place(), cursor.source()
        cursor.need("SET")
        if cursor.word("NOCOUNT"):
            return [Counting(source, place, cursor.name("ON or OFF").upper() == "OFF")]
        if cursor.word(*_NO_EFFECT):
            cursor.name("ON or OFF")
            return []
        if not cursor.word("@"):
            raise cursor.refused("only variables and NOCOUNT can be set", "SET @x = 0.5")
        name = cursor.name("the name of a variable")
        operator = next((sign for sign in "+-*/" if cursor.words(sign, "=")), None)
        if operator is None:
            cursor.need("=")
        return [Assign(source, place, (name,), self.queries.value(cursor.rest(), added=(name, operator)))]

    def read_print(self, cursor: Cursor) -> Statement:
        place, source = cursor.place(), cursor.source()
        cursor.need("PRINT")
        return Print(source, place, self.queries.value(cursor.rest()))

    def read_use(self, cursor: Cursor) -> Statement:
        place, source = cursor.place(), cursor.source()
        cursor.need("USE")
        return Use(source, place, cursor.name("the name of a context"))

    def read_exec(self, cursor: Cursor) -> Statement:
        place, source = cursor.place(), cursor.source()
        call = self._call(cursor)
        renaming = _tables.renaming(call, source, place)
        return call if renaming is None else renaming

    def _call(self, cursor: Cursor) -> Call:
        place = cursor.place()
        start = cursor.at
        cursor.at += 1
        if cursor.sees("("):
            raise cursor.refused("EXEC of a text is not offered", "write the statements themselves")
        name = cursor.table().name.rpartition(".")[2]
        positional: list[ParsedQuery] = []
        named: dict[str, ParsedQuery] = {}
        for part in cursor.parts() if cursor.here is not None else ():
            if len(part.tokens) > 2 and part.tokens[2].text == "=" and part.word("@"):
                key = part.name().casefold()
                part.need("=")
                named[key] = self.queries.value(part.rest())
            else:
                positional.append(self.queries.value(part.rest()))
        source = Cursor(cursor.tokens[start:], self.text).source()
        return Call(source, place, name, tuple(positional), named)


def _in_parentheses(cursor: Cursor) -> Cursor:
    inner = cursor.parentheses()
    cursor.finish()
    return inner


def _only_name(cursor: Cursor) -> str:
    name = cursor.name("the name of a column")
    cursor.finish()
    return name


Reader = Callable[[BatchReader, Cursor], Statement | list[Statement]]
_READERS: Mapping[str, Reader] = {
    "INSERT": BatchReader.read_insert,
    "DECLARE": BatchReader.read_declare,
    "SET": BatchReader.read_set,
    "PRINT": BatchReader.read_print,
    "USE": BatchReader.read_use,
    "EXEC": BatchReader.read_exec,
    "EXECUTE": BatchReader.read_exec,
    "UPDATE": lambda reader, cursor: _changes.update(cursor, reader.queries),
    "DELETE": lambda reader, cursor: _changes.delete(cursor, reader.queries),
    "CREATE": lambda reader, cursor: _tables.create(cursor, reader.queries),
    "DROP": lambda _, cursor: _tables.drop(cursor),
    "ALTER": lambda _, cursor: _tables.alter(cursor),
    "TRUNCATE": lambda _, cursor: _tables.truncate(cursor),
}
