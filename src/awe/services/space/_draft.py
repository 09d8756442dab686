"""A file of somebody's that is being written: as large as a file may be, and as the quota of its owner allows."""

from collections.abc import Callable

from awe.errors import LimitError
from awe.services.space.interface import Draft, Entry

__all__ = ["SpaceDraft"]

_LOOK_BYTES = 4 << 20
"""After so many bytes the quota is asked again."""


class SpaceDraft:
    """A `Draft` that watches how much comes.

    Parameters
    ----------
    draft
        What keeps the bytes.
    most
        Bytes of a file at the most.
    check
        Raises `QuotaError` if so many bytes more are too many.
    count
        Told of the bytes that have come.

    Attributes
    ----------
    is_done
        Whether the file is there.
    """

    def __init__(
        self, draft: Draft, most: int, check: Callable[[int], None], count: Callable[[int], None]
    ) -> None:
        self._draft = draft
        self._most = most
        self._check = check
        self._count = count
        self._came = 0
        self._asked = 0
        self.is_done = False

    @property
    def came(self) -> int:
        """Bytes that have come."""
        return self._came

    def write(self, data: bytes) -> None:
        """Add bytes.

        Raises
        ------
        LimitError
            If the file becomes too large.
        QuotaError
            If its owner may not keep that much.
        UnavailableError
            If the disk cannot.
        """
        if self._came + len(data) > self._most:
            raise LimitError(f"a file may have {self._most:,} bytes", hint="the operator can raise the limit")
        self._asked += len(data)
        if self._asked >= _LOOK_BYTES:
            self._check(len(data))
            self._asked = 0
        self._draft.write(data)
        self._came += len(data)
        self._count(len(data))

    def done(self) -> Entry:
        """Let the file be there; `QuotaError` if its owner may not keep that much."""
        if self._asked:
            self._check(0)
        made = self._draft.done()
        self.is_done = True
        return made
