"""DataLink 1.1 (REC 2023-12-15): what belongs to a dataset, as a table of links.

`Link` is a row of the table (section 3.2), `link_table` makes the table, `descriptor` is what other answers
say so that a client finds the links of their rows (section 4.5).
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields

import pyarrow as pa

from awe.core.tables import Column, Schema, TableStream
from awe.core.vo import dali
from awe.core.vo._descriptor import Input
from awe.core.vo._descriptor import descriptor as _descriptor
from awe.core.vo._xml import Element
from awe.core.vo.params import Param, Params, text
from awe.errors import AweError, NotFoundError

__all__ = [
    "ID", "MEDIATYPE", "MEDIA_TYPE", "PARAMS", "PRODUCT_TYPES", "STANDARD_ID", "THIS", "Element", "Link", "descriptor",
    "fault", "link_table", "self_description",
]  # fmt: skip

STANDARD_ID = "ivo://ivoa.net/std/DataLink#links-1.1"
MEDIA_TYPE = "application/x-votable+xml;content=datalink"
THIS = "#this"

PRODUCT_TYPES = frozenset({"image", "cube", "spectrum", "timeseries", "event", "measurements"})
"""Words of ObsCore that the vocabulary http://www.ivoa.net/rdf/product-type has too."""

ID: Param[str] = Param(
    "ID", text, "Identifier of a dataset (obs_publisher_did)", ucd="meta.id;meta.main", repeated=True,
    example="ivo://example.awe/hla?name",
)  # fmt: skip
MEDIATYPE: Param[str] = Param(
    "MEDIATYPE", text, "Of the files that are the dataset, those of this media type come first",
    ucd="meta.code.mime", repeated=True, example="application/x-votable+xml",
)  # fmt: skip
"""Not of the standard: clients open the first file, and rows of SSA stand for one format each."""

PARAMS = Params(ID, MEDIATYPE, dali.MAXREC, dali.RESPONSEFORMAT)


@dataclass(frozen=True, slots=True)
class Link:
    """One link; its attributes are the columns of section 3.2, in their order.

    It has one of `access_url`, `service_def` and `error_message`. None is unknown.
    """

    ID: str
    access_url: str | None = None
    service_def: str | None = None
    error_message: str | None = None
    description: str | None = None
    semantics: str = THIS
    content_type: str | None = None
    content_length: int | None = None
    content_qualifier: str | None = None
    local_semantics: str | None = None
    link_auth: str | None = None
    link_authorized: bool | None = None

    @classmethod
    def failed(cls, identifier: str, error: AweError) -> "Link":
        """Return the row that says why an identifier has no links (section 3.2.4)."""
        return cls(identifier, error_message=fault(error))


_TEXT = pa.string()
_SCHEMA = Schema(
    (
        Column("ID", _TEXT, ucd="meta.id;meta.main", description="The identifier that was given"),
        Column("access_url", _TEXT, ucd="meta.ref.url", description="Where the linked thing can be fetched"),
        Column("service_def", _TEXT, ucd="meta.ref",
               description="ID of the descriptor of the service that gives the linked thing"),
        Column("error_message", _TEXT, ucd="meta.code.error", description="Why there is no link"),
        Column("description", _TEXT, ucd="meta.note", description="What is linked, for people"),
        Column("semantics", _TEXT, ucd="meta.code",
               description="What it is to the dataset, a word of http://www.ivoa.net/rdf/datalink/core"),
        Column("content_type", _TEXT, ucd="meta.code.mime", description="Its media type"),
        Column("content_length", pa.int64(), unit="byte", ucd="phys.size;meta.file", description="Its size"),
        Column("content_qualifier", _TEXT, ucd="meta.code",
               description="What kind of data it is, a word of http://www.ivoa.net/rdf/product-type"),
        Column("local_semantics", _TEXT, ucd="meta.code", description="What it is called in this archive"),
        Column("link_auth", _TEXT, ucd="meta.code",
               description="Whether one has to log in for it: false, optional, true"),
        Column("link_authorized", pa.bool_(), ucd="meta.code", description="Whether the caller may use it"),
    ),
    name="links",
    description="Links from datasets to what belongs to them (DataLink 1.1)",
)  # fmt: skip


def link_table(links: Iterable[Link], *, overflow: bool = False) -> TableStream:
    """Return links as a table that says `overflow` where some identifiers were left out."""
    listed = list(links)
    arrays = [
        pa.array([getattr(link, f.name) for link in listed], _SCHEMA[f.name].type) for f in fields(Link)
    ]
    stream = TableStream.from_table(pa.Table.from_arrays(arrays, schema=_SCHEMA.to_arrow()), _SCHEMA)
    stream.overflow = overflow
    return stream


def fault(error: AweError) -> str:
    """Return an error in the words of section 3.4."""
    word = "NotFoundFault" if isinstance(error, NotFoundError) else dali.fault_word(error)
    return f"{word}: {error}"


def descriptor(access_url: str, did_field: str, type_field: str = "") -> Element:
    """Return the descriptor that leads from rows of a table to their links.

    Parameters
    ----------
    access_url
        Of the service.
    did_field, type_field
        ``ID`` attributes of the FIELDs that hold the dataset identifiers and, where a row stands for one file of
        several, its media type.
    """
    inputs = [Input(ID, ref=did_field)]
    if type_field:
        inputs.append(Input(MEDIATYPE, ref=type_field))
    return _described(access_url, inputs, of_itself=False)


def self_description(access_url: str) -> Element:
    """Return the descriptor of the service in its own answers."""
    return _described(access_url, [Input(ID), Input(MEDIATYPE)], of_itself=True)


def _described(access_url: str, inputs: list[Input], *, of_itself: bool) -> Element:
    return _descriptor(
        "links", access_url, STANDARD_ID, inputs, content_type=MEDIA_TYPE, of_itself=of_itself,
        description="What belongs to a dataset: its file, previews, cutouts, what it was made of and into",
    )  # fmt: skip
