"""Where an answer comes from, as INFO elements: what one needs to cite it and to ask for it again.

The words are those of the note Data Origin in the VO 1.1 (2025); readers such as ``astropy.io.votable.dataorigin``
find them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from awe.settings import ArchiveSettings

__all__ = ["EPOCH", "Info", "Source", "of_request", "of_service", "told_of"]

Info = tuple[str, str, str]

EPOCH = "epoch"
"""What a publisher says of the time for which positions are given (``J2016.0``); COOSYS has it too."""

_SAID = {
    "creator": "creator",
    "reference": "article",
    "doi": "citation",
    "version": "resource_version",
    "rights": "rights",
    "rights_url": "rights_uri",
    "homepage": "reference_url",
}
"""Names of statements that a publisher makes of a table or collection, and the note's names for them."""


@dataclass(frozen=True, slots=True)
class Source:
    """A table that rows are from.

    Attributes
    ----------
    ivoid
        The identifier of its record in registries.
    said
        What its publisher says of it.
    published
        When it was last published.
    """

    ivoid: str
    said: Mapping[str, str] = field(default_factory=dict)
    published: datetime | None = None


def of_service(
    archive: ArchiveSettings, software: str, *, service: str, protocol: str, told: Iterable[Info] = ()
) -> tuple[Info, ...]:
    """Return the elements that are the same whatever was asked, as (name, value, text).

    Parameters
    ----------
    archive
        Who publishes.
    software
        Name and version of the program.
    service, protocol
        Identifiers of the service's record and of the protocol.
    told
        What is said of the tables that the rows are from (`told_of`).
    """
    organisation = archive.organisation or archive.title
    made = [
        ("service_ivoid", service, ""),
        ("publisher", organisation, ""),
        ("server_software", software, ""),
        ("service_protocol", protocol, ""),
        ("contact", archive.contact, ""),
        *told,
    ]
    return tuple(dict.fromkeys(info for info in made if info[1]))


def of_request(request: str) -> tuple[Info, ...]:
    """Return the elements that say what was asked, and that it was now.

    Parameters
    ----------
    request
        The address that was asked, without secrets.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds").removesuffix("+00:00")
    return ("request", request, ""), ("request_date", f"{now}Z", "")


def told_of(source: Source, archive: ArchiveSettings) -> tuple[Info, ...]:
    """Return what is said of a table: it is the same in every answer."""
    return tuple(_told(source, archive))


def _told(source: Source, archive: ArchiveSettings) -> Iterator[Info]:
    yield "data_ivoid", source.ivoid, ""
    defaults = {"creator": archive.creator or archive.organisation}
    if "rights" not in source.said:
        defaults |= {"rights": archive.rights, "rights_url": archive.rights_url}
    said = {**defaults, **source.said}
    if said.get("doi"):
        said["doi"] = f"doi:{said['doi'].removeprefix('doi:')}"
    for name, word in _SAID.items():
        given = said.get(name, "")
        # names have commas in them, and semicolons between them
        values = given.split(";") if name == "creator" else [given]
        yield from ((word, value.strip(), "") for value in values)
    if source.published is not None:
        yield "last_update_date", source.published.strftime("%Y-%m-%d"), ""
    if source.said.get(EPOCH):
        yield EPOCH, source.said[EPOCH], ""
