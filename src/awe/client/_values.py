"""What astronomers hold in their hands, from and to what a service speaks.

Positions (`SkyCoord`, "12:30:49.4 +12:23:28", a pair of degrees), angles ("10 arcmin", a Quantity,
degrees), tables (Arrow batches to `astropy.table.Table` with units, UCDs and masks).
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from astropy import units as u
from astropy.coordinates import Angle, SkyCoord
from astropy.table import Column as AstropyColumn
from astropy.table import MaskedColumn, Table

from awe.core.sky import parse_position
from awe.core.tables import Column, TableStream, position_names
from awe.core.tables.formats import FORMATS
from awe.errors import NotFoundError, ParameterError, PositionError

__all__ = [
    "AngleLike", "PositionLike", "degrees", "interval_text", "listed", "position", "positions", "read_votable", "to_astropy",
]  # fmt: skip

PositionLike: TypeAlias = SkyCoord | str | tuple[float, float]
"""A SkyCoord (any frame), a text that `awe.core.sky.parse_position` reads, (ra, dec) in ICRS degrees or as Quantities;
where a service is asked, also the name of an object."""

AngleLike: TypeAlias = u.Quantity | str | float
"""A Quantity, a text such as "10 arcmin", or a number of degrees."""


def position(where: PositionLike) -> tuple[float, float]:
    """Return (ra, dec) in ICRS degrees.

    Raises
    ------
    PositionError
        If the text or the numbers are not a position.
    ParameterError
        If it is a list of positions.
    """
    if isinstance(where, SkyCoord):
        if not where.isscalar:
            raise ParameterError("position", f"{len(where)} positions", "one is wanted")
        icrs = where.icrs
        return float(icrs.ra.deg), float(icrs.dec.deg)
    if isinstance(where, str):
        ra, dec = parse_position(where)
        return float(ra), float(dec)
    try:
        ra, dec = (p if isinstance(p, (int, float)) else u.Quantity(p, u.deg).to_value(u.deg) for p in where)
        return parse_position(f"{float(ra)!r} {float(dec)!r}")
    except (TypeError, ValueError):  # astropy's errors of units are TypeErrors
        raise PositionError(
            f"{where!r} is not a position", hint='a SkyCoord, "12:30:49.4 +12:23:28", or (ra, dec) in degrees'
        ) from None


def degrees(angle: AngleLike, name: str = "radius") -> float:
    """Return the angle of a radius or size in degrees.

    Raises
    ------
    ParameterError
        If it is not an angle, not finite, or is below zero; `name` says which one.
    """
    found = _to_degrees(angle, name)
    if not math.isfinite(found):
        raise ParameterError(name, angle, "is not finite")
    if found < 0.0:
        raise ParameterError(name, angle, "is below zero")
    return found


def _to_degrees(angle: AngleLike, name: str) -> float:
    try:
        if isinstance(angle, str):
            try:
                return float(angle)
            except ValueError:
                return float(Angle(angle).to_value(u.deg))
        if isinstance(angle, u.Quantity):
            return float(angle.to_value(u.deg))
        return float(angle)
    except (ValueError, TypeError, u.UnitsError):
        raise ParameterError(
            name, angle, "not an angle", hint="such as '2 arcmin', 0.1 (degrees) or 30 * u.arcsec"
        ) from None


def read_votable(path: Path) -> Table:
    """Read a VOTable file, whole, as an astropy Table."""
    with FORMATS["votable"].read(path) as stream:
        return to_astropy(stream)


def to_astropy(stream: TableStream) -> Table:
    """Read a stream as an astropy Table.

    Units are astropy units (kept as text in ``unit`` where astropy does not know them), UCDs and utypes
    stand in each column's ``meta``; nulls are masked; text columns are objects of str; of two columns of one name the second
    is ``ra_2``. ``meta`` has the table's description and ``overflow``: whether rows were left out.
    """
    arrow = stream.to_table()
    table = Table(meta={"description": stream.schema.description, **stream.schema.metadata})
    for column, data in zip(stream.schema.distinct(), arrow.columns, strict=True):
        table[column.name] = _to_column(column, data.combine_chunks())
    table.meta["overflow"] = stream.overflow
    return table


def _to_column(column: Column, data: pa.Array | pa.ChunkedArray) -> AstropyColumn:
    if isinstance(data, pa.ChunkedArray):  # no batches at all
        data = pa.array([], type=column.type) if data.num_chunks == 0 else pa.concat_arrays(data.chunks)
    mask = np.asarray(data.is_null()) if data.null_count else None
    values = _values(data)
    about: dict[str, Any] = {"description": column.description or None, "name": column.name}
    if column.unit:
        about["unit"] = u.Unit(column.unit, parse_strict="silent")
    meta = {name: getattr(column, name) for name in ("ucd", "utype", "xtype") if getattr(column, name)}
    if mask is None:
        return AstropyColumn(values, meta=meta, **about)
    return MaskedColumn(values, mask=mask, meta=meta, **about)


def _values(data: pa.Array) -> Any:
    kind = data.type
    if pa.types.is_fixed_size_list(kind) and data.null_count == 0:
        return _values(data.flatten()).reshape(len(data), kind.list_size)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        data, kind = pc.strftime(data, format="%Y-%m-%dT%H:%M:%S"), pa.string()
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        filler = pa.scalar(False if pa.types.is_boolean(kind) else 0, kind)
        return data.fill_null(filler).to_numpy(zero_copy_only=False)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _texts(data.cast(pa.string()))
    values = data.to_pylist()
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


def _texts(data: pa.Array) -> Any:
    """Return texts as numpy's, of no characters where they are null."""
    texts = data.fill_null("")
    longest = pc.max(pc.binary_length(texts)).as_py() or 1
    if not pc.all(pc.string_is_ascii(texts)).as_py():
        return np.array(texts.to_pylist(), dtype=str)
    padded = pc.ascii_rpad(texts, longest, padding="\0")
    return np.frombuffer(padded.buffers()[2] or b"", f"S{longest}", len(texts), padded.offset).astype(str)


_RA_UCDS = ("pos.eq.ra;meta.main", "POS_EQ_RA_MAIN", "pos.eq.ra")
_DEC_UCDS = ("pos.eq.dec;meta.main", "POS_EQ_DEC_MAIN", "pos.eq.dec")


def listed(value: object) -> list[str] | None:
    """Return one value or a sequence of values as texts; None stays."""
    if value is None:
        return None
    several = isinstance(value, Sequence) and not isinstance(value, str)
    return [str(v) for v in value] if several else [str(value)]  # type: ignore[attr-defined]


def interval_text(value: tuple[float, float] | None) -> str | None:
    """Return (lowest, highest) as a DALI interval (1.1 section 3.3.5); None stays."""
    if value is None:
        return None
    low, high = (float(v) for v in value)
    return f"{_bound(low)} {_bound(high)}"


def _bound(value: float) -> str:
    # open ends are spelt -Inf and +Inf
    return repr(value) if abs(value) != float("inf") else ("+Inf" if value > 0 else "-Inf")


def positions(table: Table) -> SkyCoord:
    """Return the positions of a table's rows, ICRS, found by their UCDs, else by their names.

    A row whose position is masked gets NaN.

    Raises
    ------
    NotFoundError
        If no columns hold positions.
    """
    found = _by_ucd(table) or position_names(table.colnames)
    if found is None:
        raise NotFoundError("no position columns", hint=f"columns: {', '.join(table.colnames)}")
    ra, dec = found
    return SkyCoord(_numbers(table[ra]), _numbers(table[dec]), unit="deg", frame="icrs")


def _numbers(column: AstropyColumn) -> Any:
    return np.ma.filled(np.ma.asarray(column, dtype=float), np.nan)


def _by_ucd(table: Table) -> tuple[str, str] | None:
    ucds = [table[name].meta.get("ucd") for name in table.colnames]
    for pair in zip(_RA_UCDS, _DEC_UCDS, strict=True):
        if all(ucd in ucds for ucd in pair):
            ra, dec = (str(table.colnames[ucds.index(ucd)]) for ucd in pair)
            return ra, dec
    return None
