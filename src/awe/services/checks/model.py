"""Values of the checks: what is looked at, and what is found."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from awe.services.catalogs import TableRecord
from awe.settings import ArchiveSettings

__all__ = ["Archive", "Files", "Finding", "Severity"]


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"
    """It does not work, or is not true."""
    WARNING = "warning"
    """Others cannot find, read or cite it as they should."""
    ADVICE = "advice"
    """It would be better otherwise."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    Attributes
    ----------
    rule
        The rule that found it, a word that stays the same.
    where
        A table, a column, a collection, a setting.
    message
        What is missing or wrong.
    hint
        How to repair it.
    """

    severity: Severity
    rule: str
    where: str
    message: str
    hint: str

    def to_json(self) -> dict[str, str]:
        """Return the finding as a JSON object."""
        return {key: str(value) for key, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Files:
    """A collection and what has become of its files since they were published."""

    name: str
    about: Mapping[str, str]
    datasets: int
    gone: Sequence[str] = ()
    changed: Sequence[str] = ()
    covers_nothing: bool = False


@dataclass(frozen=True, slots=True)
class Archive:
    """What the rules look at.

    Attributes
    ----------
    settings, base_url
        Who publishes, and under which address.
    tables
        All published tables.
    collections
        All published collections.
    lost
        Full names of tables whose rows are not where their record says.
    failing
        Full name to the message, of tables whose example query fails.
    nulls
        Column of ObsCore to the number of datasets in which it is null.
    """

    settings: ArchiveSettings
    base_url: str
    tables: Sequence[TableRecord] = ()
    collections: Sequence[Files] = ()
    lost: Sequence[str] = ()
    failing: Mapping[str, str] = field(default_factory=dict)
    nulls: Mapping[str, int] = field(default_factory=dict)
