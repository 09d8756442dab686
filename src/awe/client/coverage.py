"""Which part of the sky something covers, as a MOC."""

from typing import TYPE_CHECKING, Any

from awe.client._base import ServiceClient
from awe.core.sky import Moc, moc_to_mocpy

if TYPE_CHECKING:
    from mocpy import MOC

__all__ = ["CoverageClient"]


class CoverageClient(ServiceClient):
    """Coverage maps."""

    def coverage(self, of: str) -> "MOC":
        """Return the part of the sky that a table or a collection of images covers, as mocpy has it.

        Parameters
        ----------
        of
            ``schema.name`` of a table with positions, or the name of a collection.

        Raises
        ------
        NotFoundError
            If there is none, or the table has no positions.
        """
        about: Any = self.transport.get_json("/api/coverage", {"of": of})
        content = self.transport.get_bytes(about["moc"], {"format": "json"})
        return moc_to_mocpy(Moc.from_json(content))
