"""Places in a query's text: every complaint says line and column, counted from one."""

from dataclasses import dataclass

from sqlglot import exp

from awe.errors import NotOfferedError, QueryError, QuerySyntaxError, UnknownNameError

__all__ = ["Text"]


@dataclass(frozen=True, slots=True)
class Text:
    """A query as its caller wrote it, and the dialect it is written in.

    `placed` is false for a text that the caller never saw, such as a view's: its errors have no place.
    """

    text: str
    dialect: str
    placed: bool = True

    def line_column(self, offset: int) -> tuple[int, int]:
        """Return the line and column of a character, counted from one."""
        before = self.text[:offset]
        return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1

    def place(self, node: exp.Expr | None) -> tuple[int | None, int | None]:
        """Return where a node begins: with its first part, or else where what it stands in begins."""
        while node is not None and self.placed:
            starts = [n.meta["start"] for n in node.walk() if "start" in n.meta]
            if starts:
                return self.line_column(min(starts))
            node = node.parent
        return (1, 1) if self.placed else (None, None)

    def error(
        self, kind: type[QueryError], node: exp.Expr | None, message: str, hint: str | None = None
    ) -> QueryError:
        """Return an error that points at `node`."""
        line, column = self.place(node)
        return kind(message, line=line, column=column, hint=hint)

    def also(self, message: str, server: str) -> str:
        """Return a message, in T-SQL with what SQL Server says, which its users look for."""
        return f"{message}: {server}" if self.dialect == "tsql" else message

    def syntax(self, node: exp.Expr | None, message: str, hint: str | None = None) -> QueryError:
        """Return a `QuerySyntaxError` that points at `node`."""
        return self.error(QuerySyntaxError, node, message, hint)

    def refused(self, node: exp.Expr | None, message: str, hint: str | None = None) -> QueryError:
        """Return a `NotOfferedError` that points at `node`."""
        return self.error(NotOfferedError, node, message, hint)

    def unknown(self, node: exp.Expr | None, message: str, hint: str | None = None) -> QueryError:
        """Return an `UnknownNameError` that points at `node`."""
        return self.error(UnknownNameError, node, message, hint)
