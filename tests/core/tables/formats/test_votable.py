"""The VOTable document: what stands where, what protocols add, validators, memory, real files."""

import gzip
import subprocess
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from lxml import etree

from awe.core.tables import Column, Schema, TableStream
from awe.core.tables.formats import FORMATS, VOTABLE_B2, VOTABLE_TD, VOTableOptions, _parallel, error_document
from awe.core.tables.formats.votable import VOTableFormat
from awe.errors import InputFileError, TimeLimitError

SKY = Schema(
    (
        Column("ra", pa.float64(), "deg", "pos.eq.ra;meta.main", description="Right ascension"),
        Column("dec", pa.float64(), "deg", "pos.eq.dec;meta.main"),
        Column("name", pa.string(), "", "meta.id"),
        Column("seen", pa.timestamp("us", "UTC"), "", "time.epoch"),
        Column("n", pa.int32(), "", "meta.number", null=-1),
        Column("flux", pa.list_(pa.float32(), 2), "Jy", "phot.flux"),
        Column("counts", pa.list_(pa.int32()), "", "meta.number"),
        Column("good", pa.bool_(), "", "meta.code.qual"),
    ),
    "stars",
    "Stars & more",
)
DEFAULT: Any = {None: "http://www.ivoa.net/xml/VOTable/v1.3"}
BOTH = pytest.mark.parametrize("made", [VOTABLE_TD, VOTABLE_B2], ids=lambda m: m.serialization)


def sky(rows: int = 20) -> pa.Table:
    missing = np.arange(rows) % 3 == 0
    columns = [
        pa.array(np.linspace(0, 359, rows), mask=missing),
        pa.array(np.linspace(-90, 90, rows)),
        pa.array([f"<M{i}>" for i in range(rows)], mask=missing),
        pa.array([datetime(2020, 1, 1, tzinfo=UTC)] * rows, pa.timestamp("us", "UTC"), mask=missing),
        pa.array(range(rows), pa.int32(), mask=missing),
        pa.array([None if gone else [1.5, 2.5] for gone in missing], pa.list_(pa.float32(), 2)),
        pa.array([[1] * (i % 4) for i in range(rows)], pa.list_(pa.int32())),
        pa.array([True] * rows, mask=missing),
    ]
    return pa.Table.from_arrays(columns, schema=SKY.to_arrow())


def document(made: VOTableFormat, options: VOTableOptions | None = None, rows: int = 20) -> bytes:
    stream = TableStream.from_table(sky(rows), SKY)
    return b"".join(made.write(stream, options) if options else made.write(stream))


def find(data: bytes, path: str) -> list[etree._Element]:
    return etree.fromstring(data).findall(path, DEFAULT)


@BOTH
def test_the_head(made: VOTableFormat) -> None:
    data = document(made)
    (resource,) = find(data, "RESOURCE")
    assert resource.get("type") == "results"
    assert [i.get("value") for i in find(data, "RESOURCE/INFO")] == ["OK"]
    assert dict(find(data, "RESOURCE/COOSYS")[0].attrib.items()) == {"ID": "system_icrs", "system": "ICRS"}
    assert [f.get("ref") for f in find(data, ".//FIELD")[:4]] == [
        "system_icrs",
        "system_icrs",
        None,
        "system_utc",
    ]
    assert find(data, ".//FIELD/VALUES")[0].get("null") == "-1"
    assert find(data, ".//FIELD")[3].get("xtype") == "timestamp"


@BOTH
def test_what_protocols_add(made: VOTableFormat) -> None:
    descriptor = etree.Element("RESOURCE", type="meta", utype="adhoc:service")
    etree.SubElement(descriptor, "PARAM", name="standardID", datatype="char", arraysize="*", value="ivo://x")
    options = VOTableOptions(
        infos=[("provider", "us", "that's & us")],
        params=[etree.Element("PARAM", name="p", datatype="int", value="1")],
        groups=[etree.Element("GROUP", name="g")],
        resources=[descriptor],
        ucds={"ra": "POS_EQ_RA_MAIN"},
        ids={"name": "name_id"},
        description="An answer",
    )
    data = document(made, options)
    assert find(data, "RESOURCE/INFO")[1].text == "that's & us"
    assert find(data, "RESOURCE/TABLE/PARAM")[0].get("name") == "p"
    assert find(data, "RESOURCE/TABLE/GROUP")[0].get("name") == "g"
    assert [r.get("type") for r in find(data, "RESOURCE")] == ["results", "meta"]
    assert find(data, "RESOURCE/PARAM")[0].get("value") == "ivo://x"
    assert find(data, ".//FIELD")[0].get("ucd") == "POS_EQ_RA_MAIN"
    assert find(data, ".//FIELD")[2].get("ID") == "name_id"
    assert find(data, "RESOURCE/DESCRIPTION")[0].text == "An answer"


@BOTH
def test_overflow_is_stated_behind_the_table(made: VOTableFormat, tmp_path: Path) -> None:
    data = b"".join(made.write(TableStream.from_table(sky(), SKY).limit(5)))
    order = [etree.QName(e).localname for e in find(data, "RESOURCE/*")]
    assert order[-2:] == ["TABLE", "INFO"]
    assert find(data, "RESOURCE/INFO")[-1].get("value") == "OVERFLOW"
    (tmp_path / "t.vot").write_bytes(data)
    stream = made.read(tmp_path / "t.vot")
    assert stream.to_table().num_rows == 5
    assert stream.overflow


def failing(error: Exception) -> Iterator[pa.RecordBatch]:
    yield sky(4).to_batches()[0]
    raise error


@BOTH
def test_a_failure_is_stated_behind_the_rows_before_it(made: VOTableFormat, tmp_path: Path) -> None:
    data = b"".join(made.write(TableStream(SKY, failing(TimeLimitError("60 s are <over>")))))
    last = find(data, "RESOURCE/INFO")[-1]
    assert (last.get("value"), last.text) == ("ERROR", "60 s are <over>")
    (tmp_path / "t.vot").write_bytes(data)
    stream = made.read(tmp_path / "t.vot")
    assert next(stream).num_rows == 4
    with pytest.raises(InputFileError, match="60 s are <over>"):
        next(stream)


@BOTH
def test_a_fault_of_ours_says_nothing_of_the_inside(made: VOTableFormat) -> None:
    data = b"".join(made.write(TableStream(SKY, failing(ValueError("/etc/secret")))))
    assert b"secret" not in data
    assert find(data, "RESOURCE/INFO")[-1].get("value") == "ERROR"


@BOTH
def test_a_job_gets_the_error(made: VOTableFormat) -> None:
    with pytest.raises(TimeLimitError):
        b"".join(
            made.write(TableStream(SKY, failing(TimeLimitError("over"))), VOTableOptions(on_error="raise"))
        )


def test_the_error_document() -> None:
    data = error_document("no table <x> & \x00y", [("hint", "h", "")])
    assert dict(find(data, "RESOURCE/INFO")[0].attrib.items()) == {"name": "QUERY_STATUS", "value": "ERROR"}
    assert find(data, "RESOURCE/INFO")[0].text == "no table <x> & \N{REPLACEMENT CHARACTER}y"


@BOTH
def test_no_rows(made: VOTableFormat, tmp_path: Path) -> None:
    (tmp_path / "t.vot").write_bytes(document(made, rows=0))
    stream = made.read(tmp_path / "t.vot")
    assert stream.schema.names == SKY.names
    assert stream.to_table().num_rows == 0


@BOTH
@pytest.mark.slow
def test_votlint_is_silent(made: VOTableFormat, tmp_path: Path, stilts: str) -> None:
    for number, data in enumerate([document(made), document(made, rows=0), error_document("no")]):
        path = tmp_path / f"{number}.vot"
        path.write_bytes(data)
        done = subprocess.run([stilts, "votlint", str(path)], capture_output=True, text=True, check=False)
        assert (done.stdout, done.stderr) == ("", "")


@BOTH
@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(
    made: VOTableFormat, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(_parallel, "_THREADS", 2)  # a few pieces for each are under way
    batch = sky(20_000).to_batches()[0]
    path = tmp_path / "t.vot"

    def peak(batches: int) -> int:
        tracemalloc.start()
        with path.open("wb") as out:
            for chunk in made.write(TableStream(SKY, (batch for _ in range(batches)))):
                out.write(chunk)
        for _ in made.read(path):
            pass
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    peak(1)
    assert peak(24) < 1.2 * peak(12) + 1_000_000  # with twelve all pieces that may be under way are


def truth(path: Path) -> dict[str, list[object]]:
    from astropy.io.votable import parse_single_table

    table = parse_single_table(path).to_table(use_names_over_ids=True)
    return {
        name: [None if v is np.ma.masked else np.ma.getdata(v).tolist() for v in table[name]]
        for name in table.colnames
    }


@pytest.mark.filterwarnings("ignore")
@pytest.mark.slow
@pytest.mark.parametrize("name", ["c_catalogues/2mass_psc_683.vot", "c_catalogues/sdss_dr9_12405.vot.gz"])
def test_real_catalogues_as_astropy_reads_them(shared_data: Path, tmp_path: Path, name: str) -> None:
    path = shared_data / name
    plain = tmp_path / "plain.vot"
    plain.write_bytes(gzip.decompress(path.read_bytes()) if name.endswith("gz") else path.read_bytes())
    wanted = truth(plain)
    found = VOTABLE_TD.read(path).to_table()
    assert list(wanted) == found.column_names
    for column, values in wanted.items():
        assert [v if v != "" else None for v in values] == found[column].to_pylist(), column


@pytest.mark.filterwarnings("ignore")
@pytest.mark.slow
def test_every_real_document_is_read_or_named_with_a_reason(shared_data: Path) -> None:
    read = 0
    reasons: list[tuple[str, str]] = []
    for path in sorted((shared_data / "h_vo").rglob("*.xml")) + sorted((shared_data / "h_vo").rglob("*.vot")):
        try:
            FORMATS["votable"].read(path).to_table()
            read += 1
        except InputFileError as error:
            reasons.append((path.name, str(error)))
    assert all(name in reason for name, reason in reasons)
    assert read >= 20


def differences(path: Path, number: int, theirs: np.ma.MaskedArray) -> Iterator[str]:
    """Say which columns of numbers and texts of a table are not as astropy has them."""
    with FORMATS["votable"].read(path.with_name(f"{path.name}[{number}]")) as stream:
        ours = stream.to_table()
    if ours.num_rows != len(theirs):
        yield f"{ours.num_rows} rows, {len(theirs)} wanted"
        return
    for index, name in enumerate(theirs.dtype.names or ()):
        column, wanted = ours.column(index), theirs[name]
        values, missing = np.ma.getdata(wanted), np.ma.getmaskarray(wanted)
        if values.ndim > 1 or pa.types.is_nested(column.type):
            continue
        if values.dtype.kind in "iuf":
            known = column.is_valid().to_numpy()
            found = column.fill_null(0).to_numpy()
            empty = missing | (values == 0) | np.isnan(values)  # astropy has zero for some empty cells
            if not empty[~known].all() or not np.array_equal(found[known], values[known], equal_nan=True):
                yield name
        elif values.dtype.kind == "O":
            texts = [str(v or "").strip() for v in column.to_pylist()]  # astropy strips some
            if texts != [str(v).strip() for v in values]:
                yield name


@pytest.mark.filterwarnings("ignore")
@pytest.mark.slow
def test_every_table_of_real_documents_is_as_astropy_reads_it(shared_data: Path) -> None:
    from astropy.io.votable import parse

    compared = 0
    differ = []
    for path in sorted((shared_data / "h_vo").rglob("*.xml")) + sorted((shared_data / "h_vo").rglob("*.vot")):
        if path.stat().st_size > 1_000_000 or path.name.startswith(
            "regression"
        ):  # those have a test of their own
            continue
        try:
            tables = [table for table in parse(path, verify="ignore").iter_tables() if table.fields]
        except Exception:  # noqa: BLE001 - what astropy does not read cannot be compared
            continue
        for number, table in enumerate(tables[:20], 1):
            try:
                differ += [
                    f"{path.name}[{number}]: {said}" for said in differences(path, number, table.array)
                ]
                compared += 1
            except InputFileError:  # named with a reason: see above
                continue
    assert differ == []
    assert compared >= 100


def test_what_a_document_says_is_that_answers_own_although_its_columns_are_described_once() -> None:
    schema = Schema((Column("ra", pa.float64(), unit="deg", ucd="pos.eq.ra"),), name="sources")
    table = pa.table({"ra": [1.5]}, schema=schema.to_arrow())

    def written(*infos: tuple[str, str, str], **options: Any) -> etree._Element:
        stream = TableStream.from_table(table, schema)
        return etree.fromstring(
            b"".join(FORMATS["votable"].write(stream, VOTableOptions(infos=infos, **options)))
        )

    odd = ("request", 'a<b & "c"\n\x01', "more <text>")
    for infos in ((odd,), (), (("x", "1", ""), odd), (("epoch", "2016.0", ""),), (("epoch", "2000.0", ""),)):
        document = written(*infos, ucds={"ra": "POS_EQ_RA_MAIN"})
        found = document.findall(".//{*}RESOURCE/{*}INFO")
        assert [(i.get("name"), i.get("value"), i.text or "") for i in found] == [
            ("QUERY_STATUS", "OK", ""),
            *((name, value.replace("\x01", "\ufffd"), text) for name, value, text in infos),
        ]
        system = document.find(".//{*}COOSYS")
        assert system is not None
        assert system.get("epoch") == {i[0]: i[1] for i in infos}.get("epoch")
        field = document.find(".//{*}FIELD")
        assert field is not None
        assert field.get("ucd") == "POS_EQ_RA_MAIN"
    plain = written().find(".//{*}FIELD")
    assert plain is not None
    assert plain.get("ucd") == "pos.eq.ra"
