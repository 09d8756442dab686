"""Arrow types in VOTable's words (VOTable 1.5 section 2.1), for documents that have no rows."""

import pyarrow as pa

__all__ = ["votable_type"]

_DATATYPES: dict[pa.DataType, str] = {
    pa.bool_(): "boolean",
    pa.int8(): "short",
    pa.uint8(): "unsignedByte",
    pa.int16(): "short",
    pa.uint16(): "int",
    pa.int32(): "int",
    pa.uint32(): "long",
    pa.int64(): "long",
    pa.uint64(): "long",
    pa.float16(): "float",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.binary(): "unsignedByte",
}


def votable_type(arrow: pa.DataType) -> tuple[str, str]:
    """Return datatype and arraysize; everything that is not a number or a truth value is text."""
    if pa.types.is_fixed_size_list(arrow):
        return votable_type(arrow.value_type)[0], str(arrow.list_size)
    if pa.types.is_list(arrow):
        return votable_type(arrow.value_type)[0], "*"
    if pa.types.is_decimal(arrow):
        return ("long" if arrow.scale == 0 and arrow.precision <= 18 else "double"), ""
    datatype = _DATATYPES.get(arrow, "char")
    return datatype, "*" if datatype == "char" or pa.types.is_binary(arrow) else ""
