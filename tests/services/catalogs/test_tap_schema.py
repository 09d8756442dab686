"""TAP 1.1 section 4, asked through the service as a client would."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from awe.core.tables import Column, Schema, TableStream
from awe.errors import InputFileError
from awe.services.catalogs import CatalogService

# TAP 1.1 tables 1 to 5.
STANDARD = {
    "schemas": ["schema_name", "utype", "description", "schema_index"],
    "tables": ["schema_name", "table_name", "table_type", "utype", "description", "table_index"],
    "columns": [
        "table_name", "column_name", "datatype", "arraysize", "xtype", '"size"', "description", "utype",
        "unit", "ucd", "indexed", "principal", "std", "column_index",
    ],
    "keys": ["key_id", "from_table", "target_table", "utype", "description"],
    "key_columns": ["key_id", "from_column", "target_column"],
}  # fmt: skip


def ask(service: CatalogService, text: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = service.query(text).to_table().to_pylist()
    return rows


def test_every_column_of_the_standard_is_there_and_described_by_itself(service: CatalogService) -> None:
    text = "SELECT table_name, column_name, std FROM TAP_SCHEMA.columns ORDER BY table_name, column_index"
    found = ask(service, text)
    assert {row["std"] for row in found} == {1}
    for table, names in STANDARD.items():
        assert [r["column_name"] for r in found if r["table_name"] == f"TAP_SCHEMA.{table}"] == names


@pytest.mark.parametrize("table", STANDARD)
def test_each_column_can_be_selected(service: CatalogService, table: str) -> None:
    for name in STANDARD[table]:
        ask(service, f"SELECT TOP 1 {name} FROM TAP_SCHEMA.{table} WHERE {name} IS NULL")
    (row,) = ask(service, f"SELECT COUNT(*) AS nr FROM tap_schema.{table}")
    assert row["nr"] > 0


def test_the_size_column_is_delimited(service: CatalogService) -> None:
    assert ask(service, 'SELECT "size" FROM TAP_SCHEMA.columns WHERE "size" > 0') == []


def test_names_that_are_words_of_the_language_are_delimited(
    service: CatalogService, make_stream: Callable[..., TableStream], rows: pa.Table
) -> None:
    names = ["date", "plain", "has space", "year", "Level"]
    schema = Schema(tuple(Column(name, rows.schema.types[i]) for i, name in enumerate(names)))
    service.publish_stream("w.t", make_stream(rows.rename_columns(names), schema))
    found = ask(
        service, "SELECT column_name FROM TAP_SCHEMA.columns WHERE table_name = 'w.t' ORDER BY column_index"
    )
    written = [row["column_name"] for row in found]
    assert written == ['"date"', "plain", '"has space"', '"year"', '"Level"']
    assert len(ask(service, f"SELECT TOP 3 {', '.join(written)} FROM w.t")) == 3


def test_the_keys_join(service: CatalogService) -> None:
    text = (
        "SELECT k.from_table, c.from_column, k.target_table, c.target_column FROM TAP_SCHEMA.keys AS k "
        "JOIN TAP_SCHEMA.key_columns AS c ON k.key_id = c.key_id ORDER BY k.key_id"
    )
    found = ask(service, text)
    assert len(found) == 5
    assert found[0] == {
        "from_table": "TAP_SCHEMA.tables",
        "from_column": "schema_name",
        "target_table": "TAP_SCHEMA.schemas",
        "target_column": "schema_name",
    }


def publish_groups(service: CatalogService, folder: Path, keys: str) -> None:
    describe = folder / "groups.toml"
    describe.write_text(keys)
    rows = pa.table({"group": [1, 2], "brightest": [7, 8]})
    columns = (Column("group", pa.int64()), Column("brightest", pa.int64()))
    service.publish_stream("hsc.groups", TableStream.from_table(rows, Schema(columns)), describe=describe)


def test_described_keys_are_announced_as_published(hsc: CatalogService, tmp_path: Path) -> None:
    said = '[[keys]]\ntarget = "HSC.sumcat"\ndescription = "the brightest one"\n[keys.columns]\nBRIGHTEST = "matchid"\n'
    publish_groups(hsc, tmp_path, said)
    text = (
        "SELECT from_column, target_table, target_column, description FROM TAP_SCHEMA.keys "
        "NATURAL JOIN TAP_SCHEMA.key_columns WHERE from_table = 'hsc.groups'"
    )
    announced = {
        "from_column": "brightest",
        "target_table": "hsc.SumCat",
        "target_column": "MatchID",
        "description": "the brightest one",
    }
    assert ask(hsc, text) == [announced]
    hsc.drop("hsc.SumCat")
    assert ask(hsc, "SELECT * FROM TAP_SCHEMA.keys WHERE from_table = 'hsc.groups'") == []


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ('target = "hsc.SumCt"\ncolumns = {brightest = "MatchID"}', "no table hsc.SumCt"),
        ('target = "hsc.SumCat"\ncolumns = {brightest = "nix"}', "no column 'nix' in hsc.SumCat"),
        ('target = "hsc.SumCat"\ncolumns = {nix = "MatchID"}', "no column 'nix' in hsc.groups"),
        ('target = "hsc.SumCat"', "a target and columns are expected"),
        ('columns = {brightest = "MatchID"}', "a target and columns are expected"),
    ],
)
def test_a_key_that_leads_nowhere_is_refused(
    hsc: CatalogService, tmp_path: Path, keys: str, reason: str
) -> None:
    with pytest.raises(InputFileError, match=reason) as caught:
        publish_groups(hsc, tmp_path, f"[[keys]]\n{keys}\n")
    assert "[[keys]] number 1" in str(caught.value)


def test_counts_join_with_what_is_published(hsc: CatalogService) -> None:
    text = (
        "SELECT t.table_name, COUNT(*) AS n FROM TAP_SCHEMA.tables AS t JOIN TAP_SCHEMA.columns AS c "
        "ON t.table_name = c.table_name WHERE t.schema_name = 'hsc' GROUP BY t.table_name"
    )
    assert ask(hsc, text) == [{"table_name": "hsc.SumCat", "n": 5}]
