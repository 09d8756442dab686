"""information_schema and tbl_stat: what each caller may read, in SQL's own words."""

from collections.abc import Callable

import pyarrow as pa
import pytest

from awe.core.tables import TableStream
from awe.errors import QueryError
from awe.services.catalogs import CatalogService


def _rows(service: CatalogService, text: str, dialect: str = "postgres") -> list[dict[str, object]]:
    found: list[dict[str, object]] = service.query(text, dialect=dialect).to_table().to_pylist()
    return found


def test_tables_and_columns_are_told(hsc: CatalogService) -> None:
    assert _rows(hsc, "select * from information_schema.tables") == [
        {"table_catalog": "hsc", "table_schema": "hsc", "table_name": "SumCat", "table_type": "BASE TABLE"}
    ]
    columns = _rows(hsc, "SELECT * FROM INFORMATION_SCHEMA.COLUMNS ORDER BY ORDINAL_POSITION", "tsql")
    assert [(c["column_name"], c["data_type"], c["numeric_precision"]) for c in columns] == [
        ("MatchID", "bigint", 64),
        ("MatchRA", "double precision", 53),
        ("MatchDec", "double precision", 53),
        ("W2_F606W", "real", 24),
        ("Target", "character varying", None),
    ]
    assert _rows(hsc, "select schema_name, schema_owner from information_schema.schemata", "adql") == [
        {"schema_name": "hsc", "schema_owner": None}
    ]


def test_the_sizes_of_tables_are_told(hsc: CatalogService) -> None:
    record = hsc.table("hsc.SumCat")
    (found,) = _rows(hsc, "select * from tbl_stat where schema = 'hsc'")
    assert found == {
        "schema": "hsc",
        "tbl_name": "SumCat",
        "nrows": 2000,
        "ncols": 5,
        "nindex": 1,
        "table_size": record.bytes,
        "indexes_size": 0,
        "total_size": record.bytes,
    }


def test_no_name_means_something_else_than_before(hsc: CatalogService) -> None:
    assert len(_rows(hsc, "SELECT * FROM tables", "adql")[0]) == len(
        _rows(hsc, "SELECT * FROM TAP_SCHEMA.tables", "adql")[0]
    )
    with pytest.raises(QueryError):
        _rows(hsc, "SELECT * FROM schemata")


def test_every_type_that_a_table_can_have_is_told(
    service: CatalogService, make_stream: Callable[..., TableStream]
) -> None:
    kinds = [
        pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(),
        pa.float32(), pa.float64(), pa.string(), pa.binary(), pa.date32(), pa.timestamp("us"),
        pa.timestamp("us", tz="UTC"), pa.decimal128(20, 0), pa.list_(pa.float32()), pa.list_(pa.int16(), 3),
    ]  # fmt: skip
    table = pa.table([pa.nulls(1, kind) for kind in kinds], names=[f"c{i}" for i in range(len(kinds))])
    service.publish_stream("x.t", TableStream.from_table(table))
    found = _rows(service, "select data_type from information_schema.columns where table_schema = 'x'")
    assert len(found) == len(kinds)
    assert all(row["data_type"] for row in found)
