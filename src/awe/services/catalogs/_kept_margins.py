"""Margin caches that are kept beside their catalogues: each is written once, whole or not at all, by one process.

An operator makes them beforehand. Where nobody did, whoever asks first sets it off: a thread writes it, and goes on when
who asked has gone; the others wait for it a while and are told to come back.
"""

import threading
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from awe.core.progress import Progress
from awe.errors import BusyError, CancelledError
from awe.services.catalogs._folders import staged, sweep, waited_for
from awe.services.catalogs.margins import MARGINS, write_margin

__all__ = ["KeptMargins"]

_PATIENCE_S = 20.0
_LOOK_S = 1.0
_SOON_S = 30


class KeptMargins:
    """The margin caches of catalogues.

    Parameters
    ----------
    arcsec
        How near the rows are.
    """

    def __init__(self, arcsec: float) -> None:
        self._arcsec = arcsec
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._writers: ThreadPoolExecutor | None = None
        self._begun: dict[Path, Future[Path]] = {}

    def close(self) -> None:
        """Stop writing: what is not whole is gone."""
        self._closed.set()
        with self._lock:
            writers, self._writers = self._writers, None
        if writers is not None:
            writers.shutdown(cancel_futures=True)

    def asked_for(self, catalog: Path, ra: str, dec: str) -> Path:
        """Return the folder of a catalogue's margin cache, as soon as it is there.

        Raises
        ------
        BusyError
            If that takes long; it is being written.
        """
        found = self._folder(catalog)
        if found.is_dir():
            return found
        with self._lock:
            future = self._begun.get(found)
            if future is None:
                self._writers = self._writers or ThreadPoolExecutor(1, "margins")
                future = self._begun[found] = self._writers.submit(self.make, catalog, ra, dec, self._check)
                future.add_done_callback(lambda _: self._forget(found))
        try:
            return future.result(_PATIENCE_S)
        except (TimeoutError, futures.CancelledError):
            raise BusyError("the margins of this table are being written", retry_after=_SOON_S) from None

    def make(self, catalog: Path, ra: str, dec: str, progress: Progress) -> Path:
        """Write the margin cache of a catalogue where it is not there yet, and return its folder.

        Where another process is at it, wait for that.
        """
        found = self._folder(catalog)
        while not found.is_dir():
            with waited_for(found.with_name(f"{found.name}.lock"), _LOOK_S) as ours:
                if ours and not found.is_dir():
                    sweep(found.parent)
                    with staged(found.parent, found.name) as folder:
                        write_margin(folder, catalog, ra, dec, self._arcsec, progress)
            progress("margins", 0, None)
        return found

    def _folder(self, catalog: Path) -> Path:
        return catalog.with_name(MARGINS) / catalog.name / f"{self._arcsec:g}"

    def _forget(self, found: Path) -> None:
        with self._lock:
            self._begun.pop(found, None)

    def _check(self, _what: str, _done: int, _total: int | None) -> None:
        if self._closed.is_set():
            raise CancelledError("the service ends")
