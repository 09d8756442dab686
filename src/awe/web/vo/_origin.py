"""What an answer says of where it comes from, so that it can be cited and asked for again."""

from collections.abc import Iterable

from awe import __version__
from awe.core.vo import origin
from awe.services.catalogs import TableRecord
from awe.web.http import Call, asked

__all__ = ["origin_of"]


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
    sources = [
        origin.Source(f"{root}/{_record_of(table)}".lower(), table.metadata, table.created)
        for table in tables
    ]
    return origin.infos(
        archive,
        f"awe/{__version__}",
        service=f"{root}/{service}".lower(),
        protocol=protocol,
        request=call.base_url + asked(call.request.scope),
        sources=sources,
    )


def _record_of(table: TableRecord) -> str:
    """Return where the record of a table is: it has its own where it has a cone search."""
    return f"tables/{table.schema}/{table.name}" if table.ra else f"tables/{table.schema}"
