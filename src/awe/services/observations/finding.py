"""Finding datasets: SQL for what the engine's index can do, geometry for what must be exact."""

import math

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from awe.core.sky import Region, parse_stcs, separation, unit_vector
from awe.core.tables import TableStream
from awe.services.observations.model import INDEX_TABLE, Criteria, Interval

__all__ = ["to_adql", "touching"]

Vector = NDArray[np.float64]

_OVERLAPS = {"band": ("em_min", "em_max"), "time": ("t_min", "t_max")}
_WITHIN = {
    "exposure": "t_exptime",
    "fov": "s_fov",
    "resolution": "s_resolution",
    "resolving_power": "em_res_power",
    "time_resolution": "t_resolution",
    "redshift": "redshift",
    "snr": "snr",
}
_EQUAL = {
    "collections": "obs_collection",
    "facilities": "facility_name",
    "instruments": "instrument_name",
    "dataproduct_types": "dataproduct_type",
    "targets": "target_name",
    "formats": "access_format",
    "calibrations": "o_calib_status",
    "spectral_calibrations": "em_calib_status",
}
_FOLDED = {
    "ids": "obs_publisher_did",
    "names": "target_name",
    "classes": "target_class",
    "creator_ids": "obs_creator_did",
}


def to_adql(criteria: Criteria, widest: float, nearest_to: tuple[float, float] | None = None) -> str:
    """Return a query for every dataset that may satisfy the criteria; all but the regions are exact.

    Parameters
    ----------
    criteria
        What is wanted.
    widest
        Diameter of the largest dataset, degrees: a dataset that touches a region has its centre at
        most that far from it.
    nearest_to
        A position (ICRS degrees) from which the rows are ordered by distance; by identifier when None.
    """
    terms = [_any([_near(region, widest) for region in criteria.regions])]
    terms += [_any([_overlap(*columns, i) for i in getattr(criteria, f)]) for f, columns in _OVERLAPS.items()]
    terms += [_any([_between(column, i) for i in getattr(criteria, f)]) for f, column in _WITHIN.items()]
    terms += [_equal(column, getattr(criteria, f)) for f, column in _EQUAL.items()]
    terms += [
        _equal(f"LOWER({column})", tuple(value.lower() for value in getattr(criteria, f)))
        for f, column in _FOLDED.items()
    ]
    terms.append(_any([f"modified BETWEEN {_text(a)} AND {_text(b)}" for a, b in criteria.modified]))
    terms.append(_any([f"calib_level = {int(level)}" for level in criteria.calib_levels]))
    terms.append(_any([f"pol_states LIKE '%/{state}/%'" for state in criteria.pol]))
    where = " AND ".join(term for term in terms if term)
    order = "obs_publisher_did"
    if nearest_to is not None:
        order = f"DISTANCE(s_ra, s_dec, {_number(nearest_to[0])}, {_number(nearest_to[1])}), {order}"
    return f"SELECT * FROM {INDEX_TABLE}{f' WHERE {where}' if where else ''} ORDER BY {order}"


def touching(stream: TableStream, regions: tuple[Region, ...]) -> TableStream:
    """Return the rows whose covered region has a point in common with one of `regions`; exact."""
    if not regions:
        return stream
    names = list(stream.schema.names)
    columns = tuple(names.index(name) for name in ("s_ra", "s_dec", "s_fov"))
    outline = names.index("s_region")

    inner = [_inner_point(region) for region in regions]

    def keep(batch: pa.RecordBatch) -> pa.RecordBatch:
        ra, dec, size = (batch.column(i).to_numpy(zero_copy_only=False).astype(float) for i in columns)
        found = np.zeros(batch.num_rows, bool)
        for region, point in zip(regions, inner, strict=True):
            circle = region.bounding_circle()
            found |= region.contains(ra, dec)  # the centre of a dataset is one of its positions
            near = separation(circle.ra, circle.dec, ra, dec) <= circle.radius + size
            for row in np.nonzero(near & ~found)[0]:
                covered = batch.column(outline)[int(row)].as_py()
                found[row] = covered is not None and (
                    _surrounds(covered, point) or parse_stcs(covered).intersects(region)
                )
        return batch.filter(pa.array(found))

    return stream.map(stream.schema, keep)


def _inner_point(region: Region) -> Vector | None:
    """Return the middle of a region as a unit vector, if the middle belongs to it."""
    middle = region.bounding_circle()
    return unit_vector(middle.ra, middle.dec) if region.contains(middle.ra, middle.dec) else None


def _surrounds(stcs: str, point: Vector | None) -> bool:
    """Return whether a point is on the same side of all edges of a polygon.

    Most images that are found have the position asked for well inside: this says so ten times
    faster than the polygon, which is tried when this says no.
    """
    words = stcs.split()
    if point is None or words[0] != "POLYGON":
        return False
    numbers = np.array(words[2:], float)
    corners = unit_vector(numbers[::2], numbers[1::2])
    sides = np.cross(corners, np.roll(corners, -1, axis=0)) @ point
    return bool(((sides > 0).all() or (sides < 0).all()) and corners.mean(axis=0) @ point > 0)


def _near(region: Region, widest: float) -> str:
    circle = region.bounding_circle()
    radius = circle.radius + widest
    if radius >= 180:
        return "s_dec >= -90"
    point = "POINT(s_ra, s_dec)"
    return f"1 = CONTAINS({point}, CIRCLE({_number(circle.ra)}, {_number(circle.dec)}, {_number(radius)}))"


def _overlap(low: str, high: str, interval: Interval) -> str:
    return _both(
        f"{high} >= ", interval[0], f"{low} <= ", interval[1], f"{low} IS NOT NULL AND {high} IS NOT NULL"
    )


def _between(column: str, interval: Interval) -> str:
    return _both(f"{column} >= ", interval[0], f"{column} <= ", interval[1], f"{column} IS NOT NULL")


def _both(above: str, low: float, below: str, high: float, known: str) -> str:
    bounds = [f"{text}{_number(x)}" for text, x in ((above, low), (below, high)) if math.isfinite(x)]
    return " AND ".join([*bounds, known])


def _equal(column: str, values: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(map(_text, values))})" if values else ""


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _any(terms: list[str]) -> str:
    return "(" + " OR ".join(f"({term})" for term in terms) + ")" if terms else ""


def _number(value: float) -> str:
    return repr(float(value))
