from collections.abc import Callable
from pathlib import Path

import pytest

from awe.core.tables import Column, Schema
from awe.errors import InputFileError
from awe.services.catalogs.describe import Description, read_description

SCHEMA = Schema((Column("ID", None), Column("Mag", None, unit="ABmag")))


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], Description]:
    def make(text: str) -> Description:
        path = tmp_path / "d.toml"
        path.write_text(text)
        return read_description(path)

    return make


def test_nothing_said_changes_nothing() -> None:
    assert read_description(None) == Description()
    assert Description().complete(SCHEMA) == SCHEMA


def test_columns_are_completed_ignoring_case(read: Callable[[str], Description]) -> None:
    said = read('[columns.mag]\nunit = "mag"\nucd = "phot.mag;em.opt.V"\nprincipal = true\n')
    mag = said.complete(SCHEMA)["Mag"]
    assert (mag.name, mag.unit, mag.ucd, mag.principal) == ("Mag", "mag", "phot.mag;em.opt.V", True)


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("[table]\ntitel = 'x'", r"\[table\]: 'titel'", "did you mean title?"),
        ("[tabel]\ntitle = 'x'", "'tabel' means nothing here", "did you mean table?"),
        ("[table]\ntitle = 3", r"\[table\] title: 3", None),
        ("[columns.mag]\nunits = 'mag'", r"\[columns.mag\]: 'units'", "did you mean unit?"),
        ("[columns.mag]\nucd = 'phot mag'", r"\[columns.mag\] ucd: 'phot mag' is not a UCD", None),
        ("[columns.mag]\nunit = 'erg/s/cm2'", r"\[columns.mag\] unit: 'erg/s/cm2': not a unit", "perhaps "),
        ("[columns.mag]\nunit = 'ABmag'", r"\[columns.mag\] unit: 'ABmag'", None),
        ("[columns.mag]\nprincipal = 'yes'", r"\[columns.mag\] principal", None),
        ("columns = 3", "columns: 3", None),
        ("[columns]\nmag = 'mag'", r"\[columns.mag\]: a section", None),
        ("[[functions]]\nname = 'f'", "number 1: sql is missing", None),
        ("[[functions]]\nsql = 'SELECT 1'", "number 1: name is missing", None),
        ("[[functions]]\nname = 'a b'\nsql = ''", "'a b' is not an identifier", None),
        (
            "[[functions]]\nname='f'\nsql=''\n[[functions.parameters]]\nname='x'\nunits='deg'",
            "'units'",
            "unit",
        ),
        ("[[functions]]\nname='f'\nsql=''\nparameters=[{unit='deg'}]", "'' is not an identifier", None),
        ("[metadata]\nx = [1]", r"\[metadata\] x", None),
        ("[table\nx = 1", "not TOML: .*line 1", None),
    ],
)
def test_what_means_nothing_is_refused(
    read: Callable[[str], Description], text: str, place: str, hint: str | None
) -> None:
    with pytest.raises(InputFileError, match=place) as caught:
        read(text)
    assert hint is None or hint in str(caught.value.hint)


def test_a_column_that_is_not_there(read: Callable[[str], Description]) -> None:
    with pytest.raises(InputFileError, match=r"\[columns.magn\]") as caught:
        read("[columns.magn]\nunit = 'mag'").complete(SCHEMA)
    assert caught.value.hint == "did you mean Mag?"


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="cannot be read"):
        read_description(tmp_path / "none.toml")
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputFileError, match="not TOML"):
        read_description(tmp_path / "b.toml")


def test_positions_by_ucd_or_by_name(read: Callable[[str], Description]) -> None:
    by_ucd = read("[columns.a]\nucd='pos.eq.ra;meta.main'\n[columns.d]\nucd='pos.eq.dec;meta.main'")
    assert by_ucd.position_columns() == ("a", "d")
    assert read("[table]\nra='x'\ndec='y'").position_columns() == ("x", "y")
    assert Description().position_columns() == (None, None)


def test_the_page_about_publishing_shows_files_that_can_be_read(read: Callable[[str], Description]) -> None:
    page = (Path(__file__).parents[3] / "docs/howto/publish.md").read_text(encoding="utf-8")
    blocks = [part.split("```")[0] for part in page.split("```toml\n")[1:]]
    settings = ("[collection]", "[images.stores")  # of images
    tables = [read(block) for block in blocks if not any(mark in block for mark in settings)]
    assert [len(table.functions) for table in tables] == [1, 3]
    assert [len(table.views) for table in tables] == [0, 1]
