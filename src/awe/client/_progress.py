"""Progress of a download: shown only when it takes longer than a second, and only to a person."""

import sys
import time
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as Bars

__all__ = ["Progress"]

_PATIENCE_S = 1.0


class Progress:
    """A bar on standard error that appears after a second.

    Parameters
    ----------
    label
        What is being read.
    total
        Bytes to come, or None when the service does not say.
    """

    def __init__(self, label: str, total: int | None) -> None:
        self._label, self._total = label, total
        self._done = 0
        self._since = time.monotonic()
        self._bars: Bars | None = None

    def advance(self, amount: int) -> None:
        """Say that `amount` more bytes have come."""
        self._done += amount
        if self._bars is None and time.monotonic() - self._since > _PATIENCE_S and sys.stderr.isatty():
            self._bars = Bars(
                TextColumn("{task.description}"),
                BarColumn(),
                DownloadColumn(),
                TransferSpeedColumn(),
                TimeRemainingColumn(),
            )
            self._bars.start()
            self._bars.add_task(self._label, total=self._total)
        if self._bars is not None:
            self._bars.update(self._bars.task_ids[0], completed=self._done)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()
