"""What the client's modules share: a transport, and answers that are tables."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from astropy.coordinates import SkyCoord
from astropy.table import Table

from awe.client._transport import Files, Params, Transport
from awe.client._values import PositionLike, position, read_votable
from awe.core.tables.formats import stated_error
from awe.errors import InputFileError, PositionError, QueryError

__all__ = ["BINARY2", "ServiceClient", "fetch_table"]

BINARY2 = "application/x-votable+xml;serialization=BINARY2"
"""What the client asks tables in: exact, compact, and able to say at its end that something went wrong."""


class ServiceClient:
    """One service of an archive, as the client sees it."""

    transport: Transport

    def _place(self, where: PositionLike) -> tuple[float, float]:
        """Return (ra, dec) in ICRS degrees; a text that is no position is a name, and the service knows it.

        Raises
        ------
        PositionError, NotFoundError
            If it is neither.
        """
        try:
            return position(where)
        except PositionError:
            if not isinstance(where, str):
                raise
        found: Any = self.transport.get_json("/api/resolve", {"name": where})
        return float(found["ra"]), float(found["dec"])

    def _places(self, where: Sequence[PositionLike] | SkyCoord) -> list[tuple[float, float]]:
        """Return (ra, dec) in ICRS degrees of each of many positions; raises as `_place`."""
        if isinstance(where, SkyCoord) and not where.isscalar:
            icrs = where.icrs
            return list(zip(icrs.ra.deg.tolist(), icrs.dec.deg.tolist(), strict=True))
        return [self._place(one) for one in where]


def fetch_table(
    transport: Transport,
    method: str,
    path: str,
    *,
    params: Params | None = None,
    body: Mapping[str, object] | None = None,
    files: Files | None = None,
) -> Table:
    """Send a request whose answer is a VOTable, and read it.

    Raises
    ------
    QueryError
        If the service states an error behind the rows that it has sent.
    """
    with tempfile.TemporaryDirectory(prefix="awe-") as folder:
        file = Path(folder) / "answer.vot"
        transport.save(method, path, file, params=params, body=body, files=files)
        try:
            return read_votable(file)
        except InputFileError as error:
            if said := stated_error(error):
                raise QueryError(said) from None
            raise
