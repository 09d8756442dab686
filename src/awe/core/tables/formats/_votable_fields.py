"""What a FIELD of a VOTable says of its cells, and the Arrow column it becomes.

Complex numbers become arrays of pairs, bits become booleans, arrays of several dimensions become flat
(first axis fastest, as VOTable 1.5 section 2.2 orders them) and text of several dimensions one text.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from awe.core.tables._datatypes import DATATYPES, SPECIAL
from awe.core.tables._schema import Column
from awe.errors import InputFileError

__all__ = ["Cell", "cell_of"]

_TYPES: Mapping[str, tuple[pa.DataType, int]] = {
    **{word: (arrow, 1) for arrow, word in DATATYPES.items()},
    **SPECIAL,
}
"""Every datatype of VOTable 1.5 section 2.1: Arrow type of an element, and elements of it that make a value."""


@dataclass(frozen=True, slots=True)
class Cell:
    """How the values of a column are written in the file.

    Attributes
    ----------
    column
        What it becomes.
    datatype
        VOTable's own word.
    item
        Arrow type of one element.
    count
        Number of elements of that type (for text: of characters), 1 for a scalar; None when it varies.
    width
        Of an array of texts: characters of each; else zero.
    """

    column: Column
    datatype: str
    item: pa.DataType
    count: int | None
    width: int = 0

    @property
    def numbers(self) -> int:
        """Elements of that type that VOTable counts as one: a complex number has two."""
        return _TYPES[self.datatype][1]

    @property
    def is_text(self) -> bool:
        """Whether the elements are characters."""
        return bool(pa.types.is_string(self.item))

    @property
    def is_scalar(self) -> bool:
        """Whether a value is one number or truth value."""
        return not self.is_text and self.column.type == self.item


def cell_of(attributes: Mapping[str, str], description: str, null: str | None, file: str, line: int) -> Cell:
    """Return the cell description of a FIELD.

    Raises
    ------
    InputFileError
        If the datatype or arraysize is not VOTable's.
    """
    name = attributes.get("name") or attributes.get("ID") or ""
    where = f"line {line}, FIELD {name}"
    datatype = attributes.get("datatype", "")
    if datatype not in _TYPES:
        raise InputFileError(
            file, f"no datatype {datatype!r} in VOTable", where=where, hint=f"one of {', '.join(_TYPES)}"
        )
    item, pair = _TYPES[datatype]
    arraysize = attributes.get("arraysize", "").strip()
    count, scalar = _count(arraysize, file, where)
    if count is not None:
        count *= pair
    column = Column(
        name,
        _arrow(item, count, scalar=scalar and pair == 1),
        attributes.get("unit", ""),
        attributes.get("ucd", ""),
        attributes.get("utype", ""),
        attributes.get("xtype", ""),
        description,
        null=_null(null, item, file, where),
        datatype=datatype if datatype in SPECIAL else "",
        arraysize=_said(arraysize, item),
    )
    width = int(arraysize.split("x")[0]) if "x" in arraysize and pa.types.is_string(item) else 0
    return Cell(column, datatype, item, count, width)


def _count(arraysize: str, file: str, where: str) -> tuple[int | None, bool]:
    """Return the number of elements (None: it varies) and whether the value is a scalar."""
    if arraysize in {"", "1"}:  # "1" is deprecated, and was always meant as a scalar
        return 1, True
    sizes = arraysize.split("x")
    last = sizes.pop() if arraysize.endswith("*") else "0"
    if not all(size.strip().isdecimal() for size in [*sizes, last.removesuffix("*") or "0"]):
        raise InputFileError(file, f"arraysize={arraysize!r} is not one", where=where)
    return (None if arraysize.endswith("*") else math.prod(int(size) for size in sizes)), False


def _said(arraysize: str, item: pa.DataType) -> str:
    """Return the arraysize where the type does not tell it."""
    if pa.types.is_string(item):
        return {"*": "", "": "1"}.get(arraysize, arraysize)
    return arraysize if "x" in arraysize or (arraysize[:-1].isdecimal() and arraysize.endswith("*")) else ""


def _arrow(item: pa.DataType, count: int | None, *, scalar: bool) -> pa.DataType:
    if scalar or pa.types.is_string(item):
        return item
    return pa.list_(item) if count is None else pa.list_(item, count)


def _null(null: str | None, item: pa.DataType, file: str, where: str) -> int | None:
    if not null or not pa.types.is_integer(item):
        return None
    try:
        return int(null, 0) if null.lower().startswith("0x") else int(null)
    except ValueError:
        raise InputFileError(file, f"VALUES null={null!r} is not an integer", where=where) from None
