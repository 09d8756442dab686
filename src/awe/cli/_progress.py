"""A bar for operator commands, in the shape that services tell progress in."""

import sys
from types import TracebackType
from typing import Self

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

__all__ = ["Progress"]


class Progress:
    """Draw what a service tells: what it does, how much is done, out of how much.

    Parameters
    ----------
    quiet
        Draw nothing (output for programs). Without a terminal a line says what begins.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=quiet or not sys.stderr.isatty(),
        )
        self._lines = not quiet and not sys.stderr.isatty()
        self._tasks: dict[str, int] = {}

    def __call__(self, what: str, done: int, total: int | None) -> None:
        """Say how far `what` is; another `what` finishes the one before."""
        if what not in self._tasks:
            self._finish()
            self._tasks[what] = self._bars.add_task(what, total=total)
            if self._lines and what:
                click.echo(what, err=True)
        self._bars.update(self._bars.tasks[self._tasks[what]].id, completed=done, total=total)

    def _finish(self) -> None:
        for task in self._bars.tasks:
            done = task.total or task.completed
            self._bars.update(task.id, completed=done, total=done)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._finish()
        self._bars.stop()
