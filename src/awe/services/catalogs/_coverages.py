"""The parts of the sky that tables cover, kept in memory."""

from awe.core.sky import Moc
from awe.services.catalogs.interface import Engine
from awe.services.catalogs.model import TableRecord

__all__ = ["Coverages"]

_KEPT = 200
"""Coverage maps in memory; each has 300 kB at the most."""


class Coverages:
    """Coverage maps of tables, each read once for each version.

    Parameters
    ----------
    engine
        Who has them.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[str, Moc | None] = {}

    def of(self, record: TableRecord) -> Moc | None:
        """Return the cells of the sky that hold rows of a table; None for one without positions, or a view."""
        location = record.stored.location
        if not location:
            return None
        if location not in self._known:
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[location] = self._engine.coverage(record.stored)
        return self._known[location]
