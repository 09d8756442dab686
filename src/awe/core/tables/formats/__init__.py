"""Tables as bytes: one module for each format, and the registry of them.

`FORMATS`, `format_for` (a name or media type) and `format_of` (a file) give a `Format`; it writes a stream as
bytes and reads a file as a stream, both in bounded memory. `VOTableOptions` is what a protocol adds to a
document. Nothing here knows a protocol, a service or an engine.
"""

from awe.core.tables.formats._astropy import stream_of
from awe.core.tables.formats._files import split_part, unpacked_size
from awe.core.tables.formats._format import Format
from awe.core.tables.formats._gzip import gzipped
from awe.core.tables.formats._registry import FORMATS, format_for, format_of
from awe.core.tables.formats._votable_document import error_document
from awe.core.tables.formats._votable_options import VOTableOptions
from awe.core.tables.formats._votable_read import stated_error, votable_schema
from awe.core.tables.formats.csv import DelimitedFormat, delimited_rows
from awe.core.tables.formats.json import json_rows
from awe.core.tables.formats.postgres import POSTGRES_TEXTS
from awe.core.tables.formats.votable import VOTABLE_B, VOTABLE_B2, VOTABLE_FITS, VOTABLE_TD

__all__ = [
    "FORMATS",
    "POSTGRES_TEXTS",
    "VOTABLE_B",
    "VOTABLE_B2",
    "VOTABLE_FITS",
    "VOTABLE_TD",
    "DelimitedFormat",
    "Format",
    "VOTableOptions",
    "delimited_rows",
    "error_document",
    "format_for",
    "format_of",
    "gzipped",
    "json_rows",
    "split_part",
    "stated_error",
    "stream_of",
    "unpacked_size",
    "votable_schema",
]
