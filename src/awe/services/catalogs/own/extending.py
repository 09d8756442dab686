"""The convenience columns that Data Lab's tables have, computed from the positions of a user's table.

``htm9`` (HTM, level 9), ``ring256`` and ``nest4096`` (HEALPix, Nside 256 in rings and 4096 nested), ``random_id``
(evenly distributed from 0 to 100), ``glon``, ``glat`` (galactic) and ``elon``, ``elat`` (ecliptic, J2000).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from awe.core.sky import healpix_index, healpix_ring, htm_index, lonlat, rotation, unit_vector
from awe.core.suggestions import did_you_mean
from awe.core.tables import Column, TableStream
from awe.errors import ConflictError, ParameterError

__all__ = ["CONVENIENCE", "extended"]

FloatArray = npt.NDArray[np.float64]

CONVENIENCE: Mapping[str, Column] = {
    column.name: column
    for column in (
        Column("htm9", pa.int32(), ucd="pos.HTM", description="HTM index, level 9"),
        Column("ring256", pa.int32(), ucd="pos.healpix", description="HEALPix index, Nside 256, in rings"),
        Column("nest4096", pa.int32(), ucd="pos.healpix", description="HEALPix index, Nside 4096, nested"),
        Column("random_id", pa.float32(), ucd="meta.id", description="Random number from 0 to 100"),
        Column("glon", pa.float64(), "deg", "pos.galactic.lon", description="Galactic longitude"),
        Column("glat", pa.float64(), "deg", "pos.galactic.lat", description="Galactic latitude"),
        Column("elon", pa.float64(), "deg", "pos.ecliptic.lon", description="Ecliptic longitude (J2000)"),
        Column("elat", pa.float64(), "deg", "pos.ecliptic.lat", description="Ecliptic latitude (J2000)"),
    )
}
_ORDERS = {"ring256": 8, "nest4096": 12}
_SEED = 20_480


@dataclass(frozen=True, slots=True)
class _Places:
    """Positions of rows, in degrees, and which of them are none."""

    ra: FloatArray
    dec: FloatArray
    missing: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, ra: pa.Array, dec: pa.Array) -> "_Places":
        """Return the positions in two columns."""
        lon, lat = (pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False) for column in (ra, dec))
        missing = ~(np.isfinite(lon) & np.isfinite(lat))
        return cls(np.where(missing, 0.0, lon), np.where(missing, 0.0, lat), missing)

    def turned(self, frame: str) -> tuple[FloatArray, FloatArray]:
        """Return longitudes and latitudes in another frame."""
        return lonlat(unit_vector(self.ra, self.dec) @ rotation("ICRS", frame).T)


def extended(stream: TableStream, ra: str, dec: str, names: Iterable[str]) -> TableStream:
    """Return the rows with more columns behind theirs.

    Parameters
    ----------
    ra, dec
        The position columns (ICRS, degrees).
    names
        Which of `CONVENIENCE`.

    Raises
    ------
    ParameterError
        If there is no such convenience column.
    ConflictError
        If the table has a column of that name.
    """
    added = tuple(_column(name, stream) for name in names)
    random = np.random.default_rng(_SEED)
    where = (stream.schema.names.index(ra), stream.schema.names.index(dec))

    def change(batch: pa.RecordBatch) -> pa.RecordBatch:
        at = _Places.of(*(batch.column(place) for place in where))
        arrays = [_values(column, at, random) for column in added]
        names = [*stream.schema.names, *(column.name for column in added)]
        return pa.RecordBatch.from_arrays([*batch.columns, *arrays], names=names)

    return stream.map(stream.schema.with_columns((*stream.schema.columns, *added)), change)


def _column(name: str, stream: TableStream) -> Column:
    column = CONVENIENCE.get(name.casefold())
    if column is None:
        hint = did_you_mean(name, CONVENIENCE) or f"there are {', '.join(CONVENIENCE)}"
        raise ParameterError("columns", name, "is no convenience column", hint=hint)
    if column.name in stream.schema:
        raise ConflictError(f"the table has a column {column.name} already")
    return column


def _values(column: Column, at: _Places, random: np.random.Generator) -> pa.Array:
    return pa.array(_computed(column.name, at, random), mask=at.missing).cast(column.type)


def _computed(name: str, at: _Places, random: np.random.Generator) -> npt.NDArray[np.number]:
    if name == "random_id":
        return random.uniform(0, 100, at.ra.size)
    if name == "htm9":
        return htm_index(at.ra, at.dec, 9)
    if name in _ORDERS:
        nested = healpix_index(at.ra, at.dec, _ORDERS[name])
        return nested if name.startswith("nest") else healpix_ring(nested, _ORDERS[name])
    frame = "GALACTIC" if name.startswith("g") else "ECLIPTIC"
    return at.turned(frame)[name.endswith("lat")]
