"""Which few types the astronomical formats know, and what VOTable calls them.

Words: a *basic* type is bool, a number, text (`pa.string`), or a fixed or variable list of numbers.
Every other Arrow type is written as one of them; the *datatype* is VOTable's word for it. TAP_SCHEMA, the
JSON API and the VOTable writer all ask here, so that what is announced is what is delivered. How values are
converted is the formats' business.
"""

import math
import re
from collections.abc import Mapping
from typing import NamedTuple

import pyarrow as pa

from awe.core.tables._schema import Column

__all__ = [
    "DATATYPES",
    "SPECIAL",
    "UNSIGNED_LONG",
    "VOTABLE_NUMBERS",
    "Datatype",
    "basic_type",
    "is_bytes",
    "is_list",
    "votable_type",
]

VOTABLE_NUMBERS: Mapping[pa.DataType, pa.DataType] = {
    pa.int8(): pa.int16(),
    pa.uint16(): pa.int32(),
    pa.uint32(): pa.int64(),
    pa.uint64(): pa.string(),
    pa.float16(): pa.float32(),
}
"""Numbers that VOTable 1.5 section 2.1 lacks, and the next type that holds them: of 64 bits without a sign, text."""

UNSIGNED_LONG = "awe:unsignedLong"
"""The xtype of integers of 64 bits without a sign, which are text in VOTable: awe reads them as numbers again.

Xtypes that DALI does not define have a prefix (DALI 1.1 section 3.3).
"""

DATATYPES: Mapping[pa.DataType, str] = {
    pa.bool_(): "boolean",
    pa.uint8(): "unsignedByte",
    pa.int16(): "short",
    pa.int32(): "int",
    pa.int64(): "long",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.string(): "char",
}
"""Basic Arrow types and the datatypes of VOTable 1.5 section 2.1."""

SPECIAL: Mapping[str, tuple[pa.DataType, int]] = {
    "bit": (pa.bool_(), 1),
    "unicodeChar": (pa.string(), 1),
    "floatComplex": (pa.float32(), 2),
    "doubleComplex": (pa.float64(), 2),
}
"""The other datatypes of VOTable: the basic type of an element, and how many of those make a value."""

_ARRAYSIZE = re.compile(r"(?:[0-9]+x)*(?:[0-9]+\*?|\*)")


class Datatype(NamedTuple):
    """What VOTable says of a column's values (VOTable 1.5 section 4.1); arraysize and xtype may be empty."""

    datatype: str
    arraysize: str
    xtype: str


def is_list(arrow: pa.DataType) -> bool:
    """Tell whether values of this type are arrays."""
    tests = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(test(arrow) for test in tests)


def is_bytes(arrow: pa.DataType) -> bool:
    """Tell whether values of this type are bytes."""
    tests = (
        pa.types.is_binary,
        pa.types.is_large_binary,
        pa.types.is_fixed_size_binary,
        pa.types.is_binary_view,
    )
    return any(test(arrow) for test in tests)


def _is_number(arrow: pa.DataType) -> bool:
    return any(test(arrow) for test in (pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating))


def _is_long(arrow: pa.DataType) -> bool:
    """Tell whether values are integers of more digits than 64 bits hold: identifiers, of which no digit may be lost."""
    return bool(pa.types.is_decimal(arrow)) and arrow.scale == 0 and arrow.precision > 18


def basic_type(arrow: pa.DataType, numbers: Mapping[pa.DataType, pa.DataType]) -> pa.DataType:
    """Return the basic type that a column of this type is written as.

    Parameters
    ----------
    arrow
        The column's type.
    numbers
        Number types that the format lacks, and those that it has instead.
    """
    if pa.types.is_dictionary(arrow):
        return basic_type(arrow.value_type, numbers)
    if _is_number(arrow):
        return numbers.get(arrow, arrow)
    if _is_long(arrow):
        return pa.string()
    if pa.types.is_decimal(arrow):
        return pa.int64() if arrow.scale == 0 and arrow.precision <= 18 else pa.float64()
    if pa.types.is_duration(arrow):
        return pa.int64()
    if is_bytes(arrow):
        return pa.list_(numbers.get(pa.uint8(), pa.uint8()))
    if is_list(arrow):
        return _basic_list(arrow, numbers)
    return pa.string()


def _basic_list(arrow: pa.DataType, numbers: Mapping[pa.DataType, pa.DataType]) -> pa.DataType:
    item = arrow.value_type
    if _is_long(item) or not (_is_number(item) or pa.types.is_decimal(item)):
        return pa.string()
    inner = basic_type(item, numbers)
    if pa.types.is_string(inner):
        return inner
    if pa.types.is_fixed_size_list(arrow) and arrow.list_size > 0:
        return pa.list_(inner, arrow.list_size)
    return pa.list_(inner)


def votable_type(column: Column) -> Datatype:
    """Return the datatype, arraysize and xtype of a column; times say so by the xtype of DALI 1.1 section 3.3.3.

    What the column's source said is said again where it fits the column's type.
    """
    basic = basic_type(column.type, VOTABLE_NUMBERS)
    temporal = pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)
    own = "timestamp" if temporal else UNSIGNED_LONG if column.type == pa.uint64() else ""
    xtype = column.xtype or own
    item = basic.value_type if is_list(basic) else basic
    made, numbers = SPECIAL.get(column.datatype, (item, 1))
    word = column.datatype if made == item and column.datatype in SPECIAL else DATATYPES[item]
    if numbers > 1 and not _are_whole(basic, numbers):
        word, numbers = DATATYPES[item], 1
    if not _fits(column.arraysize, basic, numbers):
        return Datatype(word, _arraysize(basic, numbers), xtype)
    return Datatype(word, "" if column.arraysize == "1" else column.arraysize, xtype)


def _are_whole(basic: pa.DataType, numbers: int) -> bool:
    """Tell whether a list holds values of so many numbers each."""
    return bool(pa.types.is_list(basic)) or (
        bool(pa.types.is_fixed_size_list(basic)) and basic.list_size % numbers == 0
    )


def _fits(arraysize: str, basic: pa.DataType, numbers: int) -> bool:
    """Tell whether an arraysize can be that of a type; ``1`` is a single character."""
    if not _ARRAYSIZE.fullmatch(arraysize):
        return False
    if pa.types.is_fixed_size_list(basic):
        return "*" not in arraysize and math.prod(map(int, arraysize.split("x"))) * numbers == basic.list_size
    return bool(pa.types.is_string(basic)) or (bool(pa.types.is_list(basic)) and arraysize.endswith("*"))


def _arraysize(basic: pa.DataType, numbers: int) -> str:
    if pa.types.is_fixed_size_list(basic):
        count = basic.list_size // numbers
        return "" if numbers > 1 and count == 1 else str(count)
    return "*" if pa.types.is_string(basic) or pa.types.is_list(basic) else ""
