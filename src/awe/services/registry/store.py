"""When each record was new, changed or went away: the table ``registry_records`` of the system database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Boolean, Column, String, Table, insert, select, update

from awe.services.system import SystemDatabase, UtcDateTime, metadata

__all__ = ["RegistryStore", "Stamp"]

_records = Table(
    "registry_records",
    metadata,
    Column("ivoid", String(512), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("changed", UtcDateTime, nullable=False),
    Column("deleted", Boolean, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a record was first written and last changed (whole seconds, UTC), and whether it is gone."""

    created: datetime
    changed: datetime
    deleted: bool
    digest: str = ""


class RegistryStore:
    """Remember what was announced."""

    def __init__(self, system: SystemDatabase) -> None:
        self._system = system

    def stamps(self, digests: Mapping[str, str]) -> Mapping[str, Stamp]:
        """Return the stamps of all records, those of now and those that are gone.

        Parameters
        ----------
        digests
            Identifier to a digest of what the record says, of all records there are now. What is new, has another
            digest, or is missing, is stamped with this moment.
        """
        with self._system.reading() as connection:
            known = {r.ivoid: _stamp(r) for r in connection.execute(select(_records))}
        if _is_current(known, digests):
            return known
        now = datetime.now(UTC).replace(microsecond=0)
        with self._system.transaction() as connection:
            known = {r.ivoid: _stamp(r) for r in connection.execute(select(_records))}
            for ivoid, digest in digests.items():
                old = known.get(ivoid)
                if old is None:
                    known[ivoid] = Stamp(now, now, deleted=False, digest=digest)
                    row = {"ivoid": ivoid, "digest": digest, "created": now, "changed": now, "deleted": False}
                    connection.execute(insert(_records).values(row))
                elif old.deleted or old.digest != digest:
                    known[ivoid] = Stamp(old.created, now, deleted=False, digest=digest)
                    change = {"digest": digest, "changed": now, "deleted": False}
                    connection.execute(update(_records).where(_records.c.ivoid == ivoid).values(change))
            for ivoid in known.keys() - digests.keys():
                if not known[ivoid].deleted:
                    known[ivoid] = Stamp(known[ivoid].created, now, deleted=True)
                    change = {"changed": now, "deleted": True}
                    connection.execute(update(_records).where(_records.c.ivoid == ivoid).values(change))
        return known


def _is_current(known: Mapping[str, Stamp], digests: Mapping[str, str]) -> bool:
    there = {ivoid: stamp.digest for ivoid, stamp in known.items() if not stamp.deleted}
    return there == digests


def _stamp(row: object) -> Stamp:
    return Stamp(row.created, row.changed, deleted=row.deleted, digest=row.digest)  # type: ignore[attr-defined]  # a row
