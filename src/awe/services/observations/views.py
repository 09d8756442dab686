"""The tables that are computed from the index: CAOM-2's, and the observation plan."""

from awe.core.science.caom import ARTIFACT, OBSERVATION, PLANE, DerivedTable
from awe.core.science.obsplan import OBSPLAN
from awe.services.catalogs import SchemaRecord, TableKey, View
from awe.services.observations.model import INDEX_TABLE

__all__ = ["VIEWS"]

_CAOM = SchemaRecord(
    "caom2",
    "CAOM-2",
    "Published observations in the words of the Common Archive Observation Model, version 2.4",
)
_IVOA = SchemaRecord("ivoa", "IVOA", "Tables that the International Virtual Observatory Alliance has defined")


def _view(schema: SchemaRecord, made: DerivedTable, *keys: TableKey) -> View:
    columns = made.columns
    return View(schema, columns.name, columns, INDEX_TABLE, made.sql, columns.description, made.utype, keys)


VIEWS = (
    _view(_CAOM, OBSERVATION),
    _view(_CAOM, PLANE, TableKey("caom2.observation", (("obsID", "obsID"),))),
    _view(_CAOM, ARTIFACT, TableKey("caom2.plane", (("planeID", "planeID"),))),
    _view(_IVOA, OBSPLAN),
)
"""All of them; each is there as soon as something is published."""
