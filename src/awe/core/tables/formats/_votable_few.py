"""A few rows as VOTable TABLEDATA: a search around one position has a dozen of them.

What Arrow and numpy do for a column (`_votable_cells`) takes longer to begin than the digits of a hundred rows take, so here
the digits of each column are cut into Python's bytes, and rows are joined one after the other.
"""

from collections.abc import Callable, Sequence

import pyarrow as pa

from awe.core.tables._schema import Column, Schema
from awe.core.tables.formats._digits import number_cells

__all__ = ["FEW", "few_rows"]

FEW = 256
"""Rows up to which this is quicker: of 500 rows both ways take as long."""
_ROW_BEGIN, _BETWEEN, _ROW_END = b"<TR><TD>", b"</TD><TD>", b"</TD></TR>\n"

CellText = Callable[[pa.Array, Column], pa.Array]


def few_rows(columns: Sequence[pa.Array], schema: Schema, text: CellText) -> bytes:
    """Return the TR elements of some rows of basic columns, at least one.

    Parameters
    ----------
    text
        Makes the cells of a column of which not all is plain numbers.
    """
    cells = map(number_cells, columns)
    found = [
        [(cell or "").encode() for cell in text(array, column).to_pylist()] if some is None else some
        for some, array, column in zip(cells, columns, schema.columns, strict=True)
    ]
    rows = map(_BETWEEN.join, zip(*found, strict=True))
    return _ROW_BEGIN + (_ROW_END + _ROW_BEGIN).join(rows) + _ROW_END
