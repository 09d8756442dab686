"""The schema ``rr``: the archive's own resources as the tables of RegTAP 1.2 (REC 2024-10-02).

Clients that search registries (``pyvo.registry``) find here what this archive publishes. It is not the registry of
the whole Virtual Observatory, and therefore the service does not say that it is one (section 5).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from awe.core.resources import Offer, Resource
from awe.core.tables import Column, Schema, votable_type
from awe.services.catalogs import CatalogService, SchemaRecord, StoredTable, TableKey, TableRecord, as_written
from awe.services.registry.columns import COLUMNS, KEYS, TABLES
from awe.services.registry.service import RegistryService

__all__ = ["RegTap"]

_SCHEMA = SchemaRecord(
    "rr",
    title="Registry",
    description="What this archive publishes, as registries know it (RegTAP 1.2).",
    utype="ivo://ivoa.net/std/regtap#1.2",
)
_TYPES = {"string": pa.string(), "integer": pa.int32(), "real": pa.float64()}
Row = tuple[Any, ...]


class RegTap:
    """The relations; they are made of the resources when a query reads them.

    Parameters
    ----------
    registry
        The resources.
    catalogs
        Their tables.
    """

    schema = _SCHEMA

    def __init__(self, registry: RegistryService, catalogs: CatalogService) -> None:
        self._registry = registry
        self._catalogs = catalogs
        self.tables = tuple(_record(name) for name in TABLES)

    def relations(self, address: str) -> Mapping[str, pa.Table]:
        """Return the rows of all tables, by full name."""
        resources = self._registry.resources()
        known = {table.full_name: table for table in self._catalogs.published()}
        rows: dict[str, list[Row]] = {name: [] for name in TABLES}
        for resource in resources:
            for name, row in _rows(resource, known, address):
                rows[name].append(row)
        rows["tap_table"] = list(_tap_tables(resources, known))
        return {record.full_name: _table(record, rows[record.name]) for record in self.tables}


def _record(name: str) -> TableRecord:
    utype, description = TABLES[name]
    columns = tuple(
        Column(
            column.name, _TYPES[column.kind], unit=column.unit, utype=column.utype, xtype=column.xtype,
            description=column.description, std=True, principal=column.name in {"ivoid", "res_title"},
        )
        for column in COLUMNS[name]
    )  # fmt: skip
    full = f"{_SCHEMA.name}.{name}"
    keys = tuple(TableKey(f"{_SCHEMA.name}.{target}", pairs) for target, pairs in KEYS.get(name, ()))
    stored = StoredTable("", 0, 0)
    return TableRecord(
        _SCHEMA.name, name, Schema(columns, full, description), stored, description=description, utype=utype,
        keys=keys,
    )  # fmt: skip


def _rows(resource: Resource, known: Mapping[str, TableRecord], address: str) -> Iterator[tuple[str, Row]]:
    """Yield the rows of a resource with the table each belongs to."""
    ivoid, curation, coverage = resource.ivoid, resource.curation, resource.coverage
    yield "resource", _resource(resource, address)
    contact = curation.contact
    yield "res_role", (ivoid, curation.publisher, curation.publisher_id, None, None, None, None, "publisher")
    yield "res_role", (ivoid, contact.name, None, None, contact.email, None, None, "contact")
    for creator in curation.creators:
        yield "res_role", (ivoid, creator, None, None, None, None, None, "creator")
    for subject in resource.subjects:
        yield "res_subject", (ivoid, subject)
    for related in resource.related:
        yield "relationship", (ivoid, related.how.lower(), related.ivoid, related.title)
    if curation.date is not None:
        yield "res_date", (ivoid, _moment(curation.date), "updated")
    if resource.doi:
        yield "alt_identifier", (ivoid, f"doi:{resource.doi.removeprefix('doi:')}")
    if coverage.moc:
        yield "stc_spatial", (ivoid, coverage.moc, None)
    for low, high in coverage.time:
        yield "stc_temporal", (ivoid, low, high)
    for low, high in coverage.energy:
        yield "stc_spectral", (ivoid, low, high)
    for xpath, value in _details(resource):
        yield "res_detail", (ivoid, None, xpath, value)
    for index, offer in enumerate(resource.offers, 1):
        yield "capability", (ivoid, index, offer.kind.lower(), None, offer.standard_id.lower() or None)
        yield "interface", _interface(ivoid, index, offer, address)
    yield from _tables([known[name] for name in resource.tables if name in known], ivoid)


def _resource(resource: Resource, address: str) -> Row:
    curation = resource.curation
    page = f"{address}{resource.page}" if resource.page.startswith("/") else resource.page
    return (
        resource.ivoid,
        resource.kind.lower(),
        _moment(resource.created),
        resource.shortened,
        resource.title,
        _moment(resource.updated),
        "#".join(resource.levels).lower(),
        resource.description,
        page,
        "; ".join(curation.creators),
        "#".join(resource.types).lower(),
        "bibcode" if resource.source else None,
        resource.source,
        curation.version,
        None,
        "#".join(resource.coverage.wavebands).lower(),
        curation.rights,
        curation.rights_url,
    )


def _interface(ivoid: str, index: int, offer: Offer, address: str) -> Row:
    return (
        ivoid,
        index,
        index,
        offer.interface.lower(),
        offer.role.lower(),
        offer.version,
        "get",
        offer.result_type.lower(),
        None,
        "base" if offer.base else "full",
        f"{address}{offer.path}",
        None,
        0,
    )


def _details(resource: Resource) -> Iterator[tuple[str, str]]:
    yield from (("/facility", name) for name in resource.facilities)
    yield from (("/instrument", name) for name in resource.instruments)
    if resource.kind == "vg:Registry":
        yield "/full", "false"
        yield "/managedAuthority", resource.ivoid.removeprefix("ivo://").partition("/")[0]
    if resource.kind == "vg:Authority":
        yield "/managingOrg", resource.curation.publisher
        yield "/managingOrg/@ivo-id", resource.curation.publisher_id


def _tables(tables: Sequence[TableRecord], ivoid: str) -> Iterator[tuple[str, Row]]:
    schemas = list(dict.fromkeys(table.schema for table in tables))
    for index, name in enumerate(schemas, 1):
        yield "res_schema", (ivoid, index, None, name.lower(), None, None)
    for index, table in enumerate(tables, 1):
        kind = {"table": "base_table"}.get(table.kind, table.kind)
        place = schemas.index(table.schema) + 1
        said = (table.description, table.full_name, index, table.title, kind, table.utype.lower())
        yield "res_table", (ivoid, place, *said)
        yield from (("table_column", _column(ivoid, index, table, column)) for column in table.columns)


def _column(ivoid: str, index: int, table: TableRecord, column: Column) -> Row:
    datatype, arraysize, xtype = votable_type(column)
    indexed = column.indexed or column.name in {table.ra, table.dec}
    return (
        ivoid,
        index,
        as_written(column.name).lower(),
        column.ucd.lower(),
        column.unit,
        column.utype.lower(),
        int(column.std),
        datatype.lower(),
        None,
        xtype,
        arraysize,
        None,
        "vs:votabletype",
        "indexed" if indexed else None,
        column.description,
    )


def _tap_tables(resources: Iterable[Resource], known: Mapping[str, TableRecord]) -> Iterator[Row]:
    """Yield each table that can be queried once, with the record that tells most of it (section 8.20)."""
    service = next(one for one in resources if any(offer.kind == "tr:TableAccess" for offer in one.offers))
    told = {
        name: one.ivoid
        for one in resources
        for name in one.tables
        if one.kind == "vs:CatalogResource" and name in known
    }
    for name in service.tables:
        if name in known:
            table = known[name]
            said = (name, table.title, table.description, table.utype.lower())
            yield (told.get(name, service.ivoid), service.ivoid, *said)


def _moment(when: datetime | None) -> str | None:
    return when.strftime("%Y-%m-%dT%H:%M:%S") if when else None


def _table(record: TableRecord, rows: Sequence[Row]) -> pa.Table:
    """Return the rows as a table; an empty text is a null (section 3.2)."""
    columns = zip(*rows, strict=True) if rows else [()] * len(record.columns)
    arrays = [
        pa.array([None if value == "" else value for value in values], column.type)
        for column, values in zip(record.columns, columns, strict=True)
    ]
    return pa.table(arrays, names=list(record.columns.names))
