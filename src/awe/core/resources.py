"""What an archive tells registries of itself, as values: resources, and the ways in which each can be used.

A *resource* is what has an IVOA identifier: the service that answers queries, a set of tables, a collection of images,
the organisation behind them. The registry service makes these values; the face of the Virtual Observatory writes them
as VOResource records, and the relations of RegTAP hold the same.
"""

from dataclasses import dataclass, field
from datetime import datetime

__all__ = ["Contact", "Coverage", "Curation", "Offer", "Related", "Resource"]

_SHORT = 16
"""Characters of a short name at the most (VOResource 1.1 section 3.1.1)."""


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to ask, and where."""

    name: str
    email: str = ""


@dataclass(frozen=True, slots=True)
class Curation:
    """Who made and who keeps a resource (VOResource 1.1 section 3.1.2).

    Attributes
    ----------
    publisher, publisher_id
        The organisation, and the identifier of its own record.
    creators
        Who made it, the first one first.
    contact
        Whom to ask.
    rights, rights_url
        Under which conditions it may be used, and where they are written.
    version
        Of the data.
    date
        When the data were last published; None where that says nothing.
    """

    publisher: str
    publisher_id: str
    creators: tuple[str, ...]
    contact: Contact
    rights: str = ""
    rights_url: str = ""
    version: str = ""
    date: datetime | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """Where a resource has data (VODataService 1.2 section 3.2).

    Attributes
    ----------
    moc
        Part of the sky, ICRS, a MOC 2.0 in ASCII; empty when it is not known.
    time
        Intervals of MJD.
    energy
        Intervals of energy, in joules.
    wavebands
        Words of the IVOA's list of messengers: ``Optical``.
    """

    moc: str = ""
    time: tuple[tuple[float, float], ...] = ()
    energy: tuple[tuple[float, float], ...] = ()
    wavebands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """One way of using a resource: a capability with its one interface.

    Attributes
    ----------
    standard_id
        IVOA identifier of the protocol; empty for a page to be read.
    path
        Where, below the address of the service.
    kind, interface
        The types of the capability and of the interface, with the prefixes of the registry: ``cs:ConeSearch``.
    role
        ``std`` for the interface that the standard prescribes.
    version
        Of the interface.
    result_type
        Media type of the answers.
    base
        Whether paths and parameters are appended to the address.
    alone
        Whether no ``/capabilities`` tells of it.
    """

    standard_id: str
    path: str
    kind: str = "vr:Capability"
    interface: str = "vs:ParamHTTP"
    role: str = "std"
    version: str = ""
    result_type: str = ""
    base: bool = False
    alone: bool = False

    @property
    def auxiliary(self) -> bool:
        """Tell whether it leads to the service of another resource."""
        return "aux" in self.standard_id.partition("#")[2]


@dataclass(frozen=True, slots=True)
class Related:
    """Another resource, and what it is to this one (a word of the IVOA's list: ``IsServedBy``)."""

    how: str
    ivoid: str
    title: str


@dataclass(frozen=True, slots=True)
class Resource:
    """Something that a registry knows.

    Attributes
    ----------
    kind
        Type of the record, with the registry's prefix: ``vs:CatalogService``.
    ivoid
        Its identifier.
    title, short_name, description
        For people.
    page
        Address of a page about it; one that begins with ``/`` is of this service.
    subjects
        Words of the Unified Astronomy Thesaurus, as far as the publisher gave them.
    types, levels
        What it is (``Catalog``) and for whom (``Research``).
    curation
        Who made it.
    coverage
        Where it has data.
    source
        Bibcode of the publication it is taken from.
    doi
        Its DOI.
    offers
        How it can be used.
    tables
        Full names of its tables.
    related
        Other resources.
    facilities, instruments
        Telescopes and instruments the data are from.
    created, updated
        When the record was first written, and last changed.
    """

    kind: str
    ivoid: str
    title: str
    description: str
    page: str
    curation: Curation
    short_name: str = ""
    subjects: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    levels: tuple[str, ...] = ("Research",)
    coverage: Coverage = field(default_factory=Coverage)
    source: str = ""
    doi: str = ""
    offers: tuple[Offer, ...] = ()
    tables: tuple[str, ...] = ()
    related: tuple[Related, ...] = ()
    facilities: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    created: datetime | None = None
    updated: datetime | None = None

    @property
    def shortened(self) -> str:
        """The short name, or as much of the title as one may have."""
        return (self.short_name or self.title)[:_SHORT].strip()
