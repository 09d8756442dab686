"""Views and values that a describe file declares, as users meet them."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest

from awe.core.tables import TableStream
from awe.errors import ConflictError, InputFileError, NotFoundError, QueryError
from awe.services.catalogs import CatalogService
from awe.services.identity import ANONYMOUS, GroupStore, Identity
from awe.services.system import SystemDatabase

from .conftest import SCHEMA, make_rows

DESCRIBE = """
[[views]]
name = "Bright"
title = "Bright sources"
description = "Brighter than 24"
sql = "SELECT * FROM hsc.SumCat WHERE W2_F606W < 24"

[[views]]
name = "Flux"
sql = "SELECT MatchID, POWER(10, -0.4 * W2_F606W) AS flux FROM hsc.Bright"
[views.columns.flux]
unit = "3631.Jy"
description = "relative to zero magnitude"

[[functions]]
kind = "scalar"
name = "fDepth"
unit = "mag"
sql = "SELECT MAX(W2_F606W) FROM hsc.Bright WHERE Target = UPPER(:target)"
parameters = [{ name = "target", kind = "text" }]

[[functions]]
name = "fBright"
sql = "SELECT MatchID FROM hsc.Bright WHERE 1 = CONTAINS(POINT(MatchRA, MatchDec), CIRCLE(:ra, :dec, :r / 60))"
parameters = [{ name = "ra", unit = "deg" }, { name = "dec", unit = "deg" }, { name = "r", unit = "arcmin" }]
columns.matchid = { description = "of a bright source", ucd = "meta.id" }
"""


@pytest.fixture
def published(
    service: CatalogService, make_stream: Callable[..., TableStream], tmp_path: Path
) -> CatalogService:
    (tmp_path / "d.toml").write_text(DESCRIBE)
    service.publish_stream("hsc.SumCat", make_stream(), describe=tmp_path / "d.toml")
    return service


def test_a_view_is_a_table_to_everybody(published: CatalogService) -> None:
    view = published.table("HSC.bright")
    assert (view.kind, view.title, view.description) == ("view", "Bright sources", "Brighter than 24")
    assert (view.ra, view.dec, view.id_column) == ("MatchRA", "MatchDec", "MatchID")
    assert [c.unit for c in view.columns] == [c.unit for c in SCHEMA]
    listed = published.query("SELECT table_name, table_type FROM TAP_SCHEMA.tables WHERE schema_name = 'hsc'")
    assert listed.to_table().to_pylist() == [
        {"table_name": "hsc.SumCat", "table_type": "table"},
        {"table_name": "hsc.Bright", "table_type": "view"},
        {"table_name": "hsc.Flux", "table_type": "view"},
    ]
    flux = published.table("hsc.Flux").columns["flux"]
    assert (flux.type, flux.unit, flux.description) == (pa.float64(), "3631.Jy", "relative to zero magnitude")


def test_views_and_values_answer(published: CatalogService) -> None:
    noted = published.query("SELECT b.MatchID FROM fBright(1, 2, 3) b", dialect="tsql", context="hsc").schema[
        "MatchID"
    ]
    assert (noted.name, noted.ucd, noted.description) == ("MatchID", "meta.id", "of a bright source")
    rows = [row for row in make_rows().to_pylist() if row["W2_F606W"] < 24]
    cone = published.cone("hsc.Bright", 187.706, 12.391, 0.05).to_table()
    found = published.query("SELECT MatchID FROM fBright(187.706, 12.391, 3)", dialect="tsql", context="hsc")
    assert sorted(cone["MatchID"].to_pylist()) == sorted(found.to_table()["MatchID"].to_pylist())
    assert 0 < cone.num_rows < len(rows)
    deepest = max(row["W2_F606W"] for row in rows if row["Target"] == "M87")
    stream = published.query("select top 1 dbo.fdepth('m87') as d from Flux", dialect="tsql", context="hsc")
    assert stream.schema["d"].unit == "mag"
    assert stream.to_table()["d"].to_pylist() == [pytest.approx(deepest)]
    total = published.query("SELECT SUM(flux) AS f FROM hsc.Flux").to_table()["f"][0].as_py()
    assert total == pytest.approx(sum(10 ** (-0.4 * row["W2_F606W"]) for row in rows), rel=1e-6)


def test_views_go_with_their_table(
    published: CatalogService, make_stream: Callable[..., TableStream]
) -> None:
    published.publish_stream("hsc.SumCat", make_stream(), replace=True)
    with pytest.raises(NotFoundError):
        published.table("hsc.Bright")
    with pytest.raises(QueryError, match=r"no table hsc\.Bright"):
        published.query("SELECT * FROM hsc.Bright")
    published.publish_stream("hsc.Bright", make_stream())


def test_a_view_of_what_is_closed_is_closed(
    service: CatalogService, make_stream: Callable[..., TableStream], tmp_path: Path
) -> None:
    with closing(SystemDatabase.in_folder(tmp_path)) as system:
        GroupStore(system).add("hst", "", "")
    (tmp_path / "c.toml").write_text('[table]\nreaders = ["group:hst"]\n')
    service.publish_stream("hsc.Closed", make_stream(), describe=tmp_path / "c.toml")
    (tmp_path / "o.toml").write_text('[[views]]\nname = "Peek"\nsql = "SELECT MatchID FROM hsc.Closed"\n')
    service.publish_stream("hsc.Free", make_stream(), describe=tmp_path / "o.toml")
    member = Identity("ann", groups=frozenset({"hst"}))
    assert service.query("SELECT * FROM hsc.Peek", identity=member).to_table().num_rows == 2000
    assert [t.name for t in service.tables(ANONYMOUS)] == ["Free"]
    with pytest.raises(QueryError, match=r"no table hsc\.Peek"):
        service.query("SELECT * FROM hsc.Peek")


def test_names_stand_for_one_thing(
    published: CatalogService, make_stream: Callable[..., TableStream]
) -> None:
    with pytest.raises(ConflictError, match=r"describes a view hsc\.bright"):
        published.publish_stream("hsc.bright", make_stream())
    assert published.table("hsc.Bright").kind == "view"


@pytest.mark.parametrize(
    ("said", "message", "hint"),
    [
        (
            "[[views]]\nname='v'\nsql='SELECT * FROM hsc.SumCta'",
            r"\[\[views\]\] v: .*no table hsc.SumCta",
            None,
        ),
        ("[[views]]\nname='SumCat'\nsql='SELECT 1 AS one FROM hsc.SumCat'", "SumCat", None),
        ("[[views]]\nname='order'\nsql='SELECT MatchID FROM hsc.SumCat'", "order is a word of ADQL", None),
        (
            "[[views]]\nname='v'\nsql='SELECT MatchID AS \"a\"\"b\" FROM hsc.SumCat'",
            "no quotes and no blanks",
            None,
        ),
        ("[[views]]\nname='v'", "sql is missing", None),
        (
            "[[views]]\nname='v'\nsql='SELECT MatchID FROM hsc.SumCat'\n[views.columns.x]\nunit='m'",
            "no such",
            None,
        ),
        (
            "[[functions]]\nkind='scalar'\nname='f'\nsql=':x +'\nparameters=[{name='x'}]",
            "functions.* f: ",
            None,
        ),
        ("[[functions]]\nkind='scalar'\nname='f'\nsql='nothing'", "no column nothing", None),
        ("[[functions]]\nkind='scalar'\nname='log10'\nsql='1'", "log10 is a function of", "another name"),
        ("[[functions]]\nkind='scaler'\nname='f'\nsql='1'", "'scaler' is not one of table, scalar", None),
        (
            "[[functions]]\nname='f'\nunit='mag'\nsql='SELECT * FROM hsc.SumCat'",
            "'unit' means nothing",
            "scalar",
        ),
        ("[[functions]]\nkind='scalar'\nname='f'\nunit='mags'\nsql='1'", "'mags'", None),
        (
            "[[functions]]\nkind='scalar'\nname='f'\nsql='1'\ncolumns.f={unit='m'}",
            "a value has no columns",
            None,
        ),
        (
            "[[functions]]\nname='f'\nsql='SELECT MatchID FROM hsc.SumCat'\ncolumns.Match={unit='m'}",
            "f: columns.Match: there is no such column",
            "did you mean MatchID?",
        ),
        (
            "[[functions]]\nkind='scalar'\nname='f'\nsql='SELECT MatchID, MatchRA FROM hsc.SumCat'",
            "selects one column, not 2",
            None,
        ),
        (
            "[[functions]]\nkind='scalar'\nname='f'\nsql=':x'\nparameters=[{name='x', kind='word'}]",
            "'word' is not one of number, integer, text",
            None,
        ),
    ],
)
def test_a_fault_in_the_file_is_found_when_it_is_published(
    service: CatalogService,
    make_stream: Callable[..., TableStream],
    tmp_path: Path,
    said: str,
    message: str,
    hint: str | None,
) -> None:
    (tmp_path / "d.toml").write_text(said)
    with pytest.raises((InputFileError, ConflictError), match=message) as caught:
        service.publish_stream("hsc.SumCat", make_stream(), describe=tmp_path / "d.toml")
    assert hint is None or hint in str(caught.value.hint)
    assert service.tables() == ()
