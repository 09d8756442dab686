"""Values of files that come in pieces: how far one is, and what is to become of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Literal, Self

__all__ = ["LoadOrder", "Upload", "UploadPhase", "WriteMode"]

WriteMode = Literal["create", "replace", "append"]
"""What becomes of a table that is there already; only ``append`` needs one."""


class UploadPhase(StrEnum):
    """How far an upload is."""

    RECEIVING = "receiving"
    LOADING = "loading"
    LOADED = "loaded"


@dataclass(frozen=True, slots=True)
class LoadOrder:
    """What becomes of a file that has come: rows of a table.

    Attributes
    ----------
    table
        The name of the table, as its owner writes it.
    ra, dec
        The position columns; recognised when None, none when empty.
    part
        Which table or HDU of the file; the first with rows when empty.
    title, description
        What to say of the table.
    """

    table: str
    mode: WriteMode = "create"
    ra: str | None = None
    dec: str | None = None
    part: str = ""
    title: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way.

    Attributes
    ----------
    id
        Names it.
    owner
        Who sends it.
    file
        Its name, for errors and for what its ending tells.
    size, offset
        Bytes that there will be, and that there are; a size of 0 where nobody said how many come.
    sha256
        What the whole file has to add up to, in hexadecimal digits; empty where its sender did not say.
    touched
        When the last piece came (seconds since 1970).
    phase
        ``loading`` is the phase of a file that is being made a table by a living process.
    order
        What it is to become, as told last.
    table
        The full name of the table that it became; empty before.
    notes
        What its sender should know of it, such as columns that hold words among numbers.
    error
        Why it did not become a table when that was tried last, as JSON; None otherwise.
    """

    id: str
    owner: str
    file: str
    size: int
    sha256: str
    touched: float
    offset: int = 0
    phase: UploadPhase = UploadPhase.RECEIVING
    order: LoadOrder | None = None
    table: str = ""
    notes: tuple[str, ...] = ()
    error: Mapping[str, object] | None = None

    @property
    def whole(self) -> bool:
        """Whether every byte has come."""
        return bool(self.size) and self.offset == self.size

    @property
    def bytes(self) -> int:
        """The room that it takes or is going to take."""
        return max(self.size, self.offset)

    @classmethod
    def from_json(cls, said: Mapping[str, object]) -> Self:
        """Read what `to_json` wrote."""
        order = said["order"]
        fields = {
            **said,
            "phase": UploadPhase(str(said["phase"])),
            "order": LoadOrder(**order) if isinstance(order, dict) else None,
            "notes": tuple(said["notes"]),  # type: ignore[arg-type]  # a list of our own making
        }
        return cls(**fields)  # type: ignore[arg-type]  # likewise

    def to_json(self) -> dict[str, object]:
        """Return the JSON object that is kept."""
        return asdict(self)
