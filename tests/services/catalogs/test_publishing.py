import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits

import awe
from awe.core.progress import Progress
from awe.core.sky import separation
from awe.core.tables import Column, Schema, TableStream
from awe.errors import ConflictError, InputFileError, ParameterError
from awe.services.catalogs import CatalogService, staging

DESCRIBE = """
[table]
title = "Sources near M87"
description = "A catalogue"
id_column = "id"

[schema]
description = "The Hubble Source Catalog"

[columns.ra]
unit = "deg"
ucd = "pos.eq.ra;meta.main"
description = "Right ascension"

[columns.dec]
unit = "deg"
ucd = "pos.eq.dec;meta.main"

[columns.MAG]
unit = "mag"
principal = true

[metadata]
reference = "2016AJ....151..134W"
year = 2016

[[functions]]
name = "SearchCat"
description = "A cone search; radius in arcsec"
sql = "SELECT * FROM hsc.Cat WHERE 1 = CONTAINS(POINT(ra, dec), CIRCLE(:ra0, :dec0, :radius / 3600.0)) AND :kind > 0"
parameters = [
    { name = "ra0", unit = "deg" },
    { name = "dec0", unit = "deg" },
    { name = "radius", unit = "arcsec" },
    { name = "kind", default = 1 },
]
"""


@pytest.fixture
def describe(tmp_path: Path) -> Path:
    path = tmp_path / "cat.toml"
    path.write_text(DESCRIBE)
    return path


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Three CSV files of 4 rows each."""
    made = []
    for part in range(3):
        lines = [f"{part * 4 + i},{187.7 + i / 100:.2f},{12.3 + part / 100:.2f},{20.5 + i}" for i in range(4)]
        path = tmp_path / f"part{part}.csv"
        path.write_text("\n".join(["id,ra,dec,mag", *lines, ""]))
        made.append(path)
    return made


def told() -> tuple[list[tuple[str, int]], Progress]:
    """Return a progress callback and what it was told."""
    heard: list[tuple[str, int]] = []
    return heard, lambda what, done, _total: heard.append((what, done))


def test_files_become_a_table(service: CatalogService, files: list[Path], describe: Path) -> None:
    record = service.publish("hsc.Cat", files, describe=describe)
    assert (record.rows, record.ra, record.dec, record.id_column) == (12, "ra", "dec", "id")
    assert (record.title, record.description) == ("Sources near M87", "A catalogue")
    assert record.metadata == {"reference": "2016AJ....151..134W", "year": "2016"}
    assert record.columns["mag"].unit == "mag"
    assert service.schemas()[0].description == "The Hubble Source Catalog"
    schema = service.query("SELECT * FROM hsc.Cat").schema
    assert [(c.name, c.unit) for c in schema] == [("id", ""), ("ra", "deg"), ("dec", "deg"), ("mag", "mag")]


def test_what_was_described_stands_in_the_parquet_files_too(
    service: CatalogService, files: list[Path], describe: Path, tmp_path: Path
) -> None:
    record = service.publish("hsc.Cat", files, describe=describe)
    dataset = tmp_path / "tables" / record.stored.location / "dataset"
    for path in (dataset / "_common_metadata", *dataset.rglob("*.parquet")):
        schema = Schema.from_arrow(pq.read_schema(path))
        assert schema["ra"].ucd == "pos.eq.ra;meta.main"
        assert schema.name == "hsc.Cat"


def test_a_described_function_can_be_called(
    service: CatalogService, files: list[Path], describe: Path
) -> None:
    service.publish("hsc.Cat", files, describe=describe)
    assert [f.name for f in service.functions()] == ["SearchCat"]
    for call in ("SearchCat(187.7, 12.3, 40.0, 1)", "dbo.SearchCat(187.7, 12.3, 40.0)"):
        text = f"SELECT ID, V = mag FROM {call} ORDER BY id"
        found = service.query(text, dialect="tsql", context="HSC").to_table()
        expected = [
            i
            for i in range(12)
            if separation(187.7 + i % 4 / 100, 12.3 + i // 4 / 100, 187.7, 12.3) * 3600 <= 40
        ]
        assert len(expected) > 1
        assert found.to_pydict() == {"ID": expected, "V": [20.5 + i % 4 for i in expected]}


def test_a_function_that_does_not_compile_is_found_at_once(
    service: CatalogService, files: list[Path], describe: Path
) -> None:
    describe.write_text(DESCRIBE.replace("FROM hsc.Cat", "FROM hsc.Cta"))
    with pytest.raises(InputFileError, match=r"SearchCat.*Cta"):
        service.publish("hsc.Cat", files, describe=describe)
    assert service.tables() == ()


def test_replacing_a_table_may_change_its_functions(
    service: CatalogService, files: list[Path], describe: Path
) -> None:
    service.publish("hsc.Cat", files, describe=describe)
    service.publish("hsc.Cat", files, describe=describe, replace=True)
    assert len(service.functions()) == 1
    service.publish("hsc.Cat", files, replace=True)
    assert service.functions() == ()


def test_progress_is_told(service: CatalogService, files: list[Path]) -> None:
    heard, progress = told()
    service.publish("hsc.cat", files, progress=progress)
    assert ("reading part0.csv", 4) in heard
    assert heard[-1] == ("writing", 12)


# Bad input


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (("187.71,12.31", "400,12.31"), r"part1.csv, row 2, columns ra and dec"),
        (("187.71,12.31", "187.71,-91"), r"row 2: ra=187.71, dec=-91"),
        (("187.71,12.31", ",12.31"), r"ra=missing"),
        (("id,ra,dec,mag", "id,ra,dec,magnitude"), r"part1.csv, column magnitude: .*part0.csv"),
        (("id,ra,dec,mag", "id,dec,ra,mag"), r"part1.csv: its columns are in another order"),
        (("20.5", "faint"), r"part1.csv, column mag: string here, double in .*part0.csv"),
    ],
)
def test_a_bad_file_is_named_and_nothing_is_visible(
    service: CatalogService, files: list[Path], change: tuple[str, str], place: str
) -> None:
    files[1].write_text(files[1].read_text().replace(*change))
    with pytest.raises(InputFileError, match=place):
        service.publish("hsc.cat", files)
    assert service.tables() == ()


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["id", "ID"], "only in case"),
        (["id", "_healpix_29"], "kept for the sky index"),
        (["id", 'a"b'], "no quotes"),
        (["id", " x"], "blanks"),
        (["id", ""], "1 to 127"),
    ],
)
def test_column_names_that_cannot_be(service: CatalogService, names: Any, reason: str) -> None:
    table = pa.table([pa.array([1]), pa.array([2])], names=names)
    with pytest.raises(InputFileError, match=reason):
        service.publish_stream("a.b", TableStream.from_table(table))


@pytest.mark.parametrize(
    "name",
    [
        "x",
        "a.b.c",
        "a.",
        ".b",
        "a.1b",
        "a b.c",
        "TAP_SCHEMA.tables",
        "ivoa.obscore",
        "tap_upload.t",
        "a.b;",
        "real.t",
        "a.Order",
    ],
)
def test_table_names_that_cannot_be(service: CatalogService, files: list[Path], name: str) -> None:
    with pytest.raises(ParameterError):
        service.publish(name, files)


def test_awe_itself_may_publish_in_ivoa(
    service: CatalogService, make_stream: Callable[..., TableStream]
) -> None:
    record = service.publish_stream("ivoa.obscore", make_stream(), internal=True)
    assert record.full_name == "ivoa.obscore"


def test_a_missing_file_and_no_file(service: CatalogService, files: list[Path]) -> None:
    with pytest.raises(InputFileError, match="no such file"):
        service.publish("a.b", [*files, Path("nowhere.csv")])
    with pytest.raises(ParameterError, match="nothing to publish"):
        service.publish("a.b", [])


# Which columns are the position


def columns(**ucds: str) -> Schema:
    return Schema(tuple(Column(name, pa.float64(), ucd=ucd) for name, ucd in ucds.items()))


@pytest.mark.parametrize(
    ("schema", "found"),
    [
        (columns(a="pos.eq.ra;meta.main", b="pos.eq.dec;meta.main", ra="", dec=""), ("a", "b")),
        (columns(a="POS.EQ.RA;META.MAIN", b="pos.eq.dec;meta.main"), ("a", "b")),
        (columns(x="", RA="", Dec=""), ("RA", "Dec")),
        (columns(MatchRA="", MatchDec=""), ("MatchRA", "MatchDec")),
        (columns(RAJ2000="", DEJ2000=""), ("RAJ2000", "DEJ2000")),
        (columns(x="", y=""), (None, None)),
        (columns(ra=""), (None, None)),
    ],
)
def test_positions_are_found(schema: Schema, found: tuple[str | None, str | None]) -> None:
    positions = staging.find_positions(schema, None, None, "f")
    assert (positions.ra, positions.dec) == found


def test_a_table_with_places_that_are_missing_can_do_without_them(
    service: CatalogService, files: list[Path]
) -> None:
    files[1].write_text(files[1].read_text().replace("187.71", ""))
    with pytest.raises(InputFileError, match="missing") as caught:
        service.publish("hsc.cat", files)
    assert "ra and dec empty" in str(caught.value.hint)
    record = service.publish("hsc.cat", files, ra="", dec="")
    assert (record.rows, record.ra) == (12, None)


def test_positions_as_text_are_refused_with_a_hint() -> None:
    schema = Schema((Column("ra", pa.string()), Column("dec", pa.string())))
    with pytest.raises(InputFileError, match="column ra") as caught:
        staging.find_positions(schema, None, None, "f.csv")
    assert "sexagesimal" in str(caught.value.hint)


def test_positions_in_hours_are_refused() -> None:
    schema = Schema((Column("ra", pa.float64(), unit="h"), Column("dec", pa.float64(), unit="deg")))
    with pytest.raises(InputFileError, match=r"column ra: .*'h'"):
        staging.find_positions(schema, None, None, "f.fits")


def test_named_positions_must_be_there_and_both() -> None:
    with pytest.raises(InputFileError, match="no column alpha"):
        staging.find_positions(columns(ra="", dec=""), "alpha", "dec", "f")
    with pytest.raises(ParameterError, match="both"):
        staging.find_positions(columns(ra="", dec=""), "ra", None, "f")


# Going on after a fault


def test_publishing_again_reads_only_what_is_not_staged(service: CatalogService, files: list[Path]) -> None:
    good = files[2].read_text()
    files[2].write_text(good.replace("187.71", "999"))
    with pytest.raises(InputFileError, match="part2"):
        service.publish("hsc.cat", files)
    files[2].write_text(good)
    heard, progress = told()
    assert service.publish("hsc.cat", files, progress=progress).rows == 12
    assert {what for what, _ in heard if what.startswith("reading")} == {"reading part2.csv"}


def test_what_was_given_up_is_forgotten_after_a_week(
    service: CatalogService, files: list[Path], tmp_path: Path
) -> None:
    files[2].write_text("id,ra,dec,mag\n1,999,0,0\n")
    with pytest.raises(InputFileError):
        service.publish("hsc.cat", files)
    folder = tmp_path / "publishing" / "hsc.cat"
    service.clean()
    assert len(list(folder.iterdir())) >= 2
    os.utime(folder, (0, 0))
    service.clean()
    assert list((tmp_path / "publishing").iterdir()) == []


def test_a_file_that_changed_is_read_again(
    service: CatalogService, files: list[Path], tmp_path: Path
) -> None:
    changed = files[0].read_text() + "99,1,2,3\n"
    files[2].write_text(files[2].read_text().replace("187.71", "999"))
    with pytest.raises(InputFileError):
        service.publish("hsc.cat", files)
    files[0].write_text(changed)
    files[2].write_text(files[1].read_text())
    assert service.publish("hsc.cat", files).rows == 13
    assert [p for p in (tmp_path / "publishing").iterdir() if p.is_dir()] == []


def test_other_position_columns_are_checked_anew(service: CatalogService, files: list[Path]) -> None:
    with pytest.raises(InputFileError, match="no column declination"):
        service.publish("hsc.cat", files, ra="ra", dec="declination")
    assert service.publish("hsc.cat", files, ra="ra", dec="dec").dec == "dec"


@pytest.mark.parametrize("moment", ["reading part1.csv", "sorting", "writing"])
def test_an_interruption_leaves_nothing_visible(
    service: CatalogService, files: list[Path], tmp_path: Path, moment: str
) -> None:
    def interrupt(what: str, _done: int, _total: int | None) -> None:
        if what == moment:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        service.publish("hsc.cat", files, progress=interrupt)
    assert service.tables() == ()
    assert [f.name for f in (tmp_path / "tables").iterdir() if "-scratch-" not in f.name] == []
    assert service.publish("hsc.cat", files).rows == 12


def test_two_cannot_publish_the_same_table_at_once(service: CatalogService, files: list[Path]) -> None:
    def inside(*_: object) -> None:
        with pytest.raises(ConflictError, match="being published"):
            service.publish("HSC.cat", files)

    assert service.publish("hsc.cat", files, progress=inside).rows == 12


PUBLISHER = """
import sys
from pathlib import Path
from awe.settings import LimitSettings
from awe.services.catalogs import CatalogService, CatalogStore, OwnStore, OwnTables
from awe.services.catalogs.backends.duckdb import DuckDBEngine
from awe.services.identity import GrantStore, Policy
from awe.services.system import SystemDatabase
folder = Path(sys.argv[1])
system = SystemDatabase.in_folder(folder)
system.migrate()
limits = LimitSettings()
service = CatalogService(CatalogStore(system), DuckDBEngine(folder / "tables", limits), limits, folder / "publishing", policy=Policy(GrantStore(system)), own=OwnTables(OwnStore(system), Policy(GrantStore(system))))
def progress(what, done, total):
    print(what, flush=True)
    if what == sys.argv[2]:
        print("here", flush=True)
        sys.stdin.read()
service.publish("hsc.cat", [Path(p) for p in sys.argv[3:]], progress=progress)
"""


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["reading part1.csv", "sorting", "writing"])
def test_a_killed_publisher_leaves_nothing_visible_and_can_go_on(
    files: list[Path], tmp_path: Path, make_service: Callable[..., CatalogService], moment: str
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(awe.__file__).parents[1])}
    command = [sys.executable, "-c", PUBLISHER, str(tmp_path), moment, *map(str, files)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, env=environment, text=True
    ) as publisher:
        assert publisher.stdout is not None
        while publisher.stdout.readline() not in {"here\n", ""}:
            pass
        publisher.send_signal(signal.SIGKILL)
        publisher.wait()
    service = make_service()
    assert service.tables() == ()
    assert [f.name for f in (tmp_path / "tables").iterdir() if "-scratch-" not in f.name] == []
    heard, progress = told()
    assert service.publish("hsc.cat", files, progress=progress).rows == 12
    again = {what for what, _ in heard if re.match("reading part0", what)}
    assert again == set()


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(service: CatalogService, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table of many chunks is written with a few of them in memory at a time."""
    from awe.services.catalogs import hats

    monkeypatch.setattr(hats, "_CHUNK_ROWS", 20_000)
    monkeypatch.setattr(hats, "_PARTITION_BYTES", 1 << 20)
    schema = Schema((Column("ra", pa.float64()), Column("dec", pa.float64()), Column("x", pa.float64())))

    def batches() -> Iterator[pa.RecordBatch]:
        for i in range(60):
            steps = [(i * 10_000 + j) * 0.61803 for j in range(10_000)]
            yield pa.record_batch(
                [
                    pa.array([s * 77 % 360 for s in steps]),
                    pa.array([s % 160 - 80 for s in steps]),
                    pa.array(steps),
                ],
                names=["ra", "dec", "x"],
            )

    before = pa.default_memory_pool().max_memory()
    record = service.publish_stream("big.t", TableStream(schema, batches()))
    grown = pa.default_memory_pool().max_memory() - before
    assert record.rows == 600_000
    assert grown < 12e6 < record.rows * 32


def test_answers_say_which_columns_are_the_positions(service: CatalogService, tmp_path: Path) -> None:
    file = tmp_path / "bare.csv"
    file.write_text("name,alpha,delta,ra\na,10.5,-3.25,x\n")
    service.publish("hsc.Bare", [file], ra="alpha", dec="delta")
    answer = service.query("SELECT * FROM hsc.Bare").schema
    assert [(c.name, c.unit, c.ucd) for c in answer] == [
        ("name", "", ""),
        ("alpha", "deg", "pos.eq.ra;meta.main"),
        ("delta", "deg", "pos.eq.dec;meta.main"),
        ("ra", "", ""),
    ]


def test_only_one_pair_of_columns_is_the_main_position(service: CatalogService) -> None:
    columns = (
        Column("ra", pa.float64(), unit="deg", ucd="pos.eq.ra;meta.main"),
        Column("dec", pa.float64(), unit="deg", ucd="pos.eq.dec;meta.main"),
        Column("alpha", pa.float64()),
        Column("delta", pa.float64(), ucd="pos.eq.dec"),
    )
    rows = pa.Table.from_arrays([pa.array([1.0])] * 4, schema=Schema(columns).to_arrow())
    stream = TableStream.from_table(rows, Schema(columns))
    record = service.publish_stream("hsc.Two", stream, ra="alpha", dec="delta")
    assert [c.ucd for c in record.columns] == [
        "pos.eq.ra;meta.main",
        "pos.eq.dec;meta.main",
        "",
        "pos.eq.dec",
    ]


def test_the_hdu_of_a_fits_file_can_be_named(service: CatalogService, tmp_path: Path) -> None:
    tables = [
        fits.BinTableHDU.from_columns([fits.Column("n", "J", array=[number])], name=f"PART{number}")
        for number in (1, 2)
    ]
    fits.HDUList([fits.PrimaryHDU(), *tables]).writeto(tmp_path / "two.fits")
    service.publish("hsc.Part2", [tmp_path / "two.fits[PART2]"])
    assert service.query("SELECT n FROM hsc.Part2").to_table()["n"].to_pylist() == [2]
    with pytest.raises(InputFileError, match="no HDU 3"):
        service.publish("hsc.Part3", [tmp_path / "two.fits[3]"])
    with pytest.raises(InputFileError, match="there is no such file"):
        service.publish("hsc.Part3", [tmp_path / "none.fits[1]"])
