"""Each rule finds what it is for, and nothing in an archive that is as it should be."""

from dataclasses import replace

import pyarrow as pa
import pytest

from awe.core.tables import Column, Schema
from awe.services.catalogs import StoredTable, TableKey, TableRecord
from awe.services.checks import Archive, Files, Severity, findings
from awe.settings import ArchiveSettings

COLUMNS = (
    Column("id", pa.int64(), ucd="meta.id;meta.main", description="Identifier", principal=True),
    Column("ra", pa.float64(), unit="deg", ucd="pos.eq.ra;meta.main", description="Right ascension"),
    Column("dec", pa.float64(), unit="deg", ucd="pos.eq.dec;meta.main", description="Declination"),
    Column("flux", pa.float64(), unit="Jy", ucd="phot.flux", description="Flux"),
)
SETTINGS = ArchiveSettings(
    title="Sky", authority="sky.test", contact="a@sky.test", organisation="Observatory", rights="CC0"
)
TABLE = TableRecord(
    "s", "t", Schema(COLUMNS), StoredTable("x", 1, 1), title="T", description="A table", ra="ra", dec="dec", id_column="id"
)  # fmt: skip
GOOD = Archive(
    SETTINGS, "https://sky.test", [TABLE], [Files("c", {"title": "C", "description": "Images"}, 2)]
)


def with_column(column: Column) -> Archive:
    return replace(GOOD, tables=[replace(TABLE, columns=Schema((*COLUMNS, column)))])


def with_table(**changes: object) -> Archive:
    return replace(GOOD, tables=[replace(TABLE, **changes)])  # type: ignore[arg-type]  # each test gives right ones


def with_settings(**changes: str) -> Archive:
    return replace(GOOD, settings=SETTINGS.model_copy(update=changes))


def with_files(**changes: object) -> Archive:
    return replace(GOOD, collections=[replace(GOOD.collections[0], **changes)])  # type: ignore[arg-type]  # as above


def bare(name: str, **said: str) -> Column:
    return Column(name, pa.string(), **{"description": "x", **said})  # type: ignore[arg-type]  # texts only


def test_nothing_is_found_where_all_is_well() -> None:
    assert findings(GOOD) == []


@pytest.mark.parametrize(
    ("archive", "rule", "severity", "where"),
    [
        (with_settings(authority="a b"), "authority", "error", "authority"),
        (with_settings(authority="example.awe"), "authority", "warning", "authority"),
        (with_settings(contact=""), "contact", "warning", "contact"),
        (with_settings(contact="nobody"), "contact", "error", "contact"),
        (with_settings(organisation=""), "organisation", "warning", "organisation"),
        (with_settings(title="awe"), "title", "warning", "title"),
        (with_settings(rights=""), "rights", "advice", "rights"),
        (replace(GOOD, base_url=""), "base_url", "warning", "base_url"),
        (with_table(description=""), "description", "warning", "s.t"),
        (with_table(title=""), "title", "advice", "s.t"),
        (with_column(bare("n", description="")), "column-description", "warning", "s.t"),
        (with_column(bare("n", unit="ABmag")), "unit", "error", "s.t, column n"),
        (with_column(bare("n", ucd="phot.magnitude")), "ucd", "error", "s.t, column n"),
        (with_column(Column("n", pa.float32(), description="x")), "no-ucd", "advice", "s.t"),
        (with_column(bare("n", ucd="pos.eq.ra;meta.main")), "main-position", "error", "s.t"),
        (
            with_table(columns=Schema((COLUMNS[0], replace(COLUMNS[1], ucd="pos.eq.ra"), *COLUMNS[2:]))),
            "position-ucd",
            "warning",
            "s.t",
        ),
        (with_table(ra=None, dec=None), "no-position", "advice", "s.t"),
        (with_table(id_column=None), "id-column", "warning", "s.t"),
        (with_table(columns=Schema((replace(COLUMNS[0], principal=False), *COLUMNS[1:]))), "principal", "advice", "s.t"),
        (with_column(bare("date")), "name", "advice", "s.t"),
        (with_column(bare("2MASS id")), "name", "advice", "s.t"),
        (with_table(keys=(TableKey("s.gone", (("id", "id"),)),)), "foreign-key", "error", "s.t"),
        (with_table(keys=(TableKey("s.t", (("id", "nix"),)),)), "foreign-key", "error", "s.t"),
        (replace(GOOD, lost=["s.t"], failing={"s.t": "no files"}), "lost", "error", "s.t"),
        (replace(GOOD, failing={"s.t": "no such column"}), "example", "error", "s.t"),
        (with_files(about={"title": "C"}), "description", "warning", "collection c"),
        (with_files(about={"description": "C"}), "title", "warning", "collection c"),
        (with_files(gone=["a.fits"]), "file-gone", "error", "collection c"),
        (with_files(changed=["a.fits"]), "file-changed", "warning", "collection c"),
        (with_files(covers_nothing=True), "coverage", "warning", "collection c"),
        (replace(GOOD, nulls={"obs_id": 1}), "obscore-null", "error", "column obs_id"),
        (replace(GOOD, nulls={"t_min": 3, "s_ra": 0}), "obscore-null", "advice", "column t_min"),
    ],
)  # fmt: skip
def test_a_rule_finds_what_it_is_for(archive: Archive, rule: str, severity: str, where: str) -> None:
    (found,) = findings(archive)
    assert (found.rule, found.severity) == (rule, severity)
    assert where in found.where
    assert found.message
    assert found.hint


def test_the_worst_comes_first() -> None:
    archive = replace(with_column(bare("date", unit="ABmag", description="")), base_url="")
    order = [found.severity for found in findings(archive)]
    assert order == sorted(order, key=list(Severity).index)
    assert {*order} == {*Severity}


def test_long_lists_are_cut_and_say_so() -> None:
    many = Schema((*COLUMNS, *(bare(f"n{i}", description="") for i in range(8))))
    (found,) = findings(with_table(columns=many))
    assert found.message.endswith("n0, n1, n2, n3, n4 and 3 more")
