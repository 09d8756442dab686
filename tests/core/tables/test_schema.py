import pyarrow as pa
import pytest

from awe.core.tables import Column, Schema
from awe.errors import UnknownNameError

FULL = Column(
    "ra", pa.float64(), "deg", "pos.eq.ra;meta.main", "obscore:s_ra", "", "Right ascension", True, True, True
)


def test_a_column_survives_arrow() -> None:
    count = Column("n", pa.int16(), null=-99)
    assert Column.from_field(FULL.to_field()) == FULL
    assert Column.from_field(count.to_field()) == count


def test_a_null_of_zero_survives_arrow() -> None:
    column = Column("n", pa.int16(), null=0)
    assert Column.from_field(column.to_field()) == column


def test_a_foreign_field_is_a_bare_column() -> None:
    field = pa.field("x", pa.int8(), metadata={b"awe": b'{"unit": "m", "later": 1}', b"other": b"y"})
    assert Column.from_field(field) == Column("x", pa.int8(), "m")


def test_a_schema_survives_arrow() -> None:
    schema = Schema((FULL,), "t", "A table", {"origin": "here"})
    assert Schema.from_arrow(schema.to_arrow()) == schema


def test_names_are_found_by_exact_case_first() -> None:
    schema = Schema((Column("g", pa.int8()), Column("G", pa.int16())))
    assert schema["G"].type == pa.int16()
    assert schema["g"].type == pa.int8()
    assert "G" in schema
    assert 3 not in schema


def test_names_are_made_distinct_and_the_others_stay() -> None:
    names = ("ra", "ra", "RA", "ra_2", "ra", "x")
    schema = Schema(tuple(Column(name, pa.int32(), unit="deg") for name in names))
    assert schema.distinct().names == ("ra", "ra_3", "RA", "ra_2", "ra_4", "x")
    assert {column.unit for column in schema.distinct()} == {"deg"}
    assert schema.distinct().distinct() == schema.distinct()


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(UnknownNameError, match="no column 'x' in the table"):
        Schema(())["x"]
