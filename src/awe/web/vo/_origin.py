"""What an answer says of where it comes from, so that it can be cited and asked for again."""

from collections.abc import Iterable, Sequence
from operator import is_

from awe import __version__
from awe.core.vo import origin
from awe.services.catalogs import TableRecord
from awe.settings import ArchiveSettings
from awe.web.http import Call, asked

__all__ = ["origin_of"]

_KEPT = 1000
_known: dict[tuple[str, ...], tuple[Sequence[object], tuple[origin.Info, ...]]] = {}
"""What answers say of services and tables, and of which archive and records that was told."""


def origin_of(
    call: Call, protocol: str, service: str, tables: Iterable[TableRecord] = ()
) -> tuple[tuple[str, str, str], ...]:
    """Return the INFO elements of an answer.

    Parameters
    ----------
    protocol
        IVOA identifier of the protocol.
    service
        Where the service's record is below the authority: ``services/tap``.
    tables
        The published tables that the rows are from.
    """
    archive, used = call.platform.settings.archive, tuple(tables)
    key = (protocol, service, *(table.full_name for table in used))
    of = (archive, *used)
    known = _known.get(key)
    if known is None or not all(map(is_, known[0], of)):
        if len(_known) >= _KEPT:
            _known.clear()
        known = _known[key] = (of, _lasting(archive, protocol, service, used))
    return known[1] + origin.of_request(call.base_url + asked(call.request.scope))


def _lasting(
    archive: ArchiveSettings, protocol: str, service: str, tables: Iterable[TableRecord]
) -> tuple[origin.Info, ...]:
    """Return what stays the same as long as the tables' records do."""
    root = f"ivo://{archive.authority}"
    sources = (
        origin.Source(f"{root}/{_record_of(table)}".lower(), table.metadata, table.created)
        for table in tables
    )
    return origin.of_service(
        archive,
        f"awe/{__version__}",
        service=f"{root}/{service}".lower(),
        protocol=protocol,
        told=[info for source in sources for info in origin.told_of(source, archive)],
    )


def _record_of(table: TableRecord) -> str:
    """Return where the record of a table is: it has its own where it has a cone search."""
    return f"tables/{table.schema}/{table.name}" if table.ra else f"tables/{table.schema}"
