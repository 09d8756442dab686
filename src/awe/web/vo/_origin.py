"""What an answer says of where it comes from, so that it can be cited and asked for again."""

from collections.abc import Iterable

from awe import __version__
from awe.core.vo import origin
from awe.services.catalogs import TableRecord
from awe.settings import ArchiveSettings
from awe.web.http import Call, asked

__all__ = ["origin_of"]

_KEPT = 1000
_known: dict[str, tuple[TableRecord, ArchiveSettings, tuple[origin.Info, ...]]] = {}


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
    archive = call.platform.settings.archive
    root = f"ivo://{archive.authority}"
    return origin.infos(
        archive,
        f"awe/{__version__}",
        service=f"{root}/{service}".lower(),
        protocol=protocol,
        request=call.base_url + asked(call.request.scope),
        told=[info for table in tables for info in _told_of(table, archive, root)],
    )


def _told_of(table: TableRecord, archive: ArchiveSettings, root: str) -> tuple[origin.Info, ...]:
    """Return what is said of a table, which is known as long as its record stays the same."""
    known = _known.get(table.full_name)
    if known is None or known[0] is not table or known[1] is not archive:
        if len(_known) >= _KEPT:
            _known.clear()
        source = origin.Source(f"{root}/{_record_of(table)}".lower(), table.metadata, table.created)
        known = _known[table.full_name] = (table, archive, origin.told_of(source, archive))
    return known[2]


def _record_of(table: TableRecord) -> str:
    """Return where the record of a table is: it has its own where it has a cone search."""
    return f"tables/{table.schema}/{table.name}" if table.ra else f"tables/{table.schema}"
