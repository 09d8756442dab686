"""Names of objects, as the service knows them."""

from dataclasses import dataclass
from typing import Any

from astropy.coordinates import SkyCoord

from awe.client._base import ServiceClient

__all__ = ["NamesClient", "Resolved"]


@dataclass(frozen=True, eq=False)
class Resolved:
    """An object and where it is.

    Attributes
    ----------
    name
        Its usual name.
    position
        ICRS; of stars at epoch J2000.
    kind
        What it is.
    aliases
        Other names.
    source
        Where the position comes from.
    """

    name: str
    position: SkyCoord
    kind: str
    aliases: tuple[str, ...]
    source: str


class NamesClient(ServiceClient):
    """From names to positions."""

    def resolve(self, name: str) -> Resolved:
        """Return where an object is.

        Every call that takes a position takes a name too; this one says more.

        Parameters
        ----------
        name
            Messier, NGC and IC numbers, bright stars, well-known sources; case and blanks do not matter.

        Raises
        ------
        NotFoundError
            If the service does not know it; the message says what is near.
        """
        found: Any = self.transport.get_json("/api/resolve", {"name": name})
        where = SkyCoord(found["ra"], found["dec"], unit="deg", frame="icrs")
        return Resolved(found["name"], where, found["kind"], tuple(found["aliases"]), found["source"])
