"""VOTables with several tables: one is named, or none is taken."""

from pathlib import Path

import pyarrow as pa
import pytest

from awe.core.tables import TableStream
from awe.core.tables.formats import VOTABLE_B2, VOTABLE_FITS, VOTABLE_TD, Format, format_of
from awe.errors import InputFileError

FORMS = [VOTABLE_TD, VOTABLE_B2, VOTABLE_FITS]


def table(form: Format, name: str, values: list[int]) -> str:
    made = b"".join(form.write(TableStream.from_table(pa.table({name: values})))).decode()
    inner = made[made.index("<TABLE") : made.index("</TABLE>") + len("</TABLE>")]
    return inner.replace("<TABLE", f'<TABLE name="{name}" ID="id_{name}"', 1)


def document(*tables: str) -> str:
    inside = "".join(f"<RESOURCE>{one}</RESOURCE>" for one in tables)
    return f'<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">{inside}</VOTABLE>'


@pytest.fixture(params=FORMS, ids=lambda form: form.name)
def several(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    file = tmp_path / "several.vot"
    wanted = [
        table(request.param, "a", [1]),
        table(request.param, "b", [2, 3]),
        table(request.param, "c", [4]),
    ]
    file.write_text(document(*wanted))
    return file


@pytest.mark.parametrize(
    ("part", "rows"),
    [("a", [{"a": 1}]), ("id_b", [{"b": 2}, {"b": 3}]), ("3", [{"c": 4}])],
)
def test_a_table_is_named(several: Path, part: str, rows: list[dict[str, int]]) -> None:
    path = several.with_name(f"{several.name}[{part}]")
    assert format_of(path).read(path).to_table().to_pylist() == rows


def test_none_is_taken_where_none_is_named(several: Path) -> None:
    with pytest.raises(
        InputFileError, match=r"several tables in it.*file\.vot\[2\]; its tables: 1 \(a\), 2 \(b\)"
    ):
        VOTABLE_TD.read(several).to_table()


def test_a_name_that_none_has(several: Path) -> None:
    with pytest.raises(InputFileError, match=r"no table d in it.*1 \(a\), 2 \(b\), 3 \(c\)"):
        VOTABLE_TD.read(several.with_name("several.vot[d]"))


def test_a_name_that_two_have(tmp_path: Path) -> None:
    file = tmp_path / "t.vot"
    file.write_text(document(table(VOTABLE_TD, "a", [1]), table(VOTABLE_TD, "a", [2])))
    with pytest.raises(InputFileError, match="two tables a"):
        VOTABLE_TD.read(tmp_path / "t.vot[a]").to_table()


def test_tables_about_the_data_are_none(tmp_path: Path) -> None:
    file = tmp_path / "t.vot"
    about = table(VOTABLE_TD, "m", [9]).replace("<TABLE ", "<TABLE utype='x' ")
    text = document(
        about, table(VOTABLE_TD, "a", [1]), about, "<TABLE><PARAM name='p' datatype='int' value='1'/></TABLE>"
    )
    text = text.replace("<RESOURCE><TABLE utype", '<RESOURCE type="meta"><TABLE utype')
    file.write_text(text)
    assert VOTABLE_TD.read(file).to_table().to_pylist() == [{"a": 1}]
