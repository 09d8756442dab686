"""VOTable 1.5 section 2.1: what is announced of a type is what the writer makes of it."""

from xml.etree import ElementTree as ET

import pyarrow as pa
import pytest

from awe.core.tables import Column, Schema, TableStream, votable_type
from awe.core.tables.formats import VOTABLE_TD


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (pa.int8(), ("short", "", "")),
        (pa.uint8(), ("unsignedByte", "", "")),
        (pa.int64(), ("long", "", "")),
        (pa.float32(), ("float", "", "")),
        (pa.bool_(), ("boolean", "", "")),
        (pa.string(), ("char", "*", "")),
        (pa.list_(pa.float64(), 3), ("double", "3", "")),
        (pa.list_(pa.int32()), ("int", "*", "")),
        (pa.uint64(), ("char", "*", "awe:unsignedLong")),
        (pa.decimal128(18, 0), ("long", "", "")),
        (pa.decimal128(38, 2), ("double", "", "")),
        (pa.decimal128(20, 0), ("char", "*", "")),
        (pa.binary(), ("unsignedByte", "*", "")),
        (pa.date32(), ("char", "*", "timestamp")),
        (pa.timestamp("us", tz="UTC"), ("char", "*", "timestamp")),
        (pa.list_(pa.string(), 2), ("char", "*", "")),
        (pa.list_(pa.decimal128(5, 2)), ("double", "*", "")),
        (pa.duration("s"), ("long", "", "")),
    ],
    ids=str,
)
def test_types_as_votable_names_them(kind: pa.DataType, expected: tuple[str, str, str]) -> None:
    column = Column("x", kind)
    assert votable_type(column) == expected
    written = b"".join(VOTABLE_TD.write(TableStream(Schema((column,)), ())))
    field = next(e for e in ET.fromstring(written).iter() if e.tag.endswith("}FIELD"))
    assert tuple(field.get(name, "") for name in ("datatype", "arraysize", "xtype")) == expected
