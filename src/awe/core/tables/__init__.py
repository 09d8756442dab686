"""Tables as awe moves them: columns with units and UCDs, and streams of Arrow batches.

`Column`, `Schema`, `TableStream`, and `votable_type`: what VOTable calls a column's type. Every engine gives a `TableStream`, every format takes one; Arrow
batches are the only table currency inside. Nothing here knows an engine or a protocol.
"""

from awe.core.tables._datatypes import Datatype, votable_type
from awe.core.tables._links import absolute_links
from awe.core.tables._positions import position_names
from awe.core.tables._schema import Column, Schema
from awe.core.tables._statistics import ColumnStatistics, statistics_of
from awe.core.tables._stream import TableStream
from awe.core.tables._words import Fault, ucd_fault, unit_fault

__all__ = [
    "Column",
    "ColumnStatistics",
    "Datatype",
    "Fault",
    "Schema",
    "TableStream",
    "absolute_links",
    "position_names",
    "statistics_of",
    "ucd_fault",
    "unit_fault",
    "votable_type",
]
