"""The observation plan of ObsLocTAP 1.0 (REC 2021-07-24), as a view of the observation index.

An archive knows what was observed, not what is planned: every row is a performed observation. The columns
are those of section 3.1 with the utypes and UCDs of section 3.3; those that ObsCore has too are its own.
"""

from dataclasses import replace

import pyarrow as pa

from awe.core.science.caom import DerivedTable
from awe.core.science.obscore import OBSCORE_SCHEMA
from awe.core.tables import Column, Schema

__all__ = ["OBSPLAN"]

_SHARED = (
    "target_name", "obs_id", "obs_collection", "s_ra", "s_dec", "s_fov", "s_region", "s_resolution", "t_min",
    "t_max", "t_exptime", "t_resolution", "em_min", "em_max", "em_res_power", "o_ucd", "pol_states", "pol_xel",
    "facility_name", "instrument_name",
)  # fmt: skip
_PREFIX = "obscore:"


def _without_prefix(column: Column) -> Column:
    """Return a column of ObsCore with its utype as this standard writes it."""
    return replace(column, utype=column.utype.removeprefix(_PREFIX))


_EXPOSURE = _without_prefix(OBSCORE_SCHEMA["t_exptime"])

_OWN = (
    (Column("t_plan_exptime", pa.float64(), unit="s", ucd=_EXPOSURE.ucd, utype=_EXPOSURE.utype,
            description="Planned exposure time: that of the performed observation", principal=True, std=True),
     "t_exptime"),
    (Column("category", pa.string(), description="Fixed, Coordinated, Window or Other", principal=True, std=True),
     "'Other'"),
    (Column("priority", pa.int32(), description="0, 1 or 2; 0 where the plan is not known", principal=True,
            std=True), "0"),
    (Column("execution_status", pa.string(), description="Performed: the archive knows what was observed",
            principal=True, std=True), "'Performed'"),
    (Column("tracking_type", pa.string(), description="How the telescope followed the sky", principal=True,
            std=True), "'Sidereal'"),
)  # fmt: skip
_PLANNING = Column(
    "t_planning", pa.float64(), unit="d", principal=True, std=True,
    description="When the observation came into the plan, MJD, UTC; its start, as the plan is not known",
)  # fmt: skip

OBSPLAN = DerivedTable(
    Schema(
        (
            _PLANNING,
            *(_without_prefix(OBSCORE_SCHEMA[name]) for name in _SHARED),
            *(column for column, _ in _OWN),
        ),
        name="obsplan",
        description="Performed observations, as an observation plan (ObsLocTAP 1.0)",
    ),
    "SELECT t_min AS t_planning, "
    + ", ".join((*_SHARED, *(f"{sql} AS {column.name}" for column, sql in _OWN)))
    + " FROM ivoa.obscore WHERE facility_name IS NOT NULL AND t_min IS NOT NULL AND t_max IS NOT NULL"
    " AND t_exptime IS NOT NULL",
    "ivo://ivoa.net/std/obsloctap#table-1.0",
)
"""``ivoa.obsplan``: observations of which all is known that the standard wants not to be null."""
