import gzip
from pathlib import Path

import pyarrow as pa
import pytest

from awe.core.tables import TableStream, formats
from awe.core.tables.formats import FORMATS, VOTABLE_TD, format_for, format_of
from awe.errors import ParameterError


def test_the_public_names() -> None:
    assert set(formats.__all__) <= set(dir(formats))
    assert list(FORMATS) == [
        "votable",
        "votable/b",
        "votable/b2",
        "votable/fits",
        "fits",
        "csv",
        "tsv",
        "json",
        "parquet",
        "arrow",
        "ecsv",
        "hdf5",
    ]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("VOTable", "votable"),
        ("votable/td", "votable"),
        ("votable/b2", "votable/b2"),
        ("votable/b", "votable/b"),
        ("application/x-votable+xml;serialization=BINARY", "votable/b"),
        ("application/x-votable+xml", "votable"),
        ("application/x-votable xml", "votable"),
        ("text/xml", "votable"),
        ("application/x-votable+xml;serialization=TABLEDATA", "votable"),
        ("application/x-votable+xml; serialization=BINARY2", "votable/b2"),
        ("application/x-votable+xml;serialization=FITS", "votable/fits"),
        ("text/csv", "csv"),
        ("text/csv; header=present", "csv"),
        ("text/csv; charset=utf-8", "csv"),
        ("text/tab-separated-values", "tsv"),
        ("application/fits", "fits"),
        ("application/json", "json"),
        ("application/vnd.apache.parquet", "parquet"),
        ("application/vnd.apache.arrow.stream", "arrow"),
    ],
)
def test_names_and_media_types(name: str, wanted: str) -> None:
    assert format_for(name).name == wanted


def test_an_unknown_name_lists_what_is_offered() -> None:
    with pytest.raises(ParameterError, match=r"format=excel.*offered: arrow, csv, ecsv, fits, hdf5, json"):
        format_for("excel")


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "hdf5"])
@pytest.mark.parametrize("compressed", [False, True])
def test_files_are_recognised(tmp_path: Path, name: str, compressed: bool) -> None:
    made = FORMATS[name]
    data = b"".join(made.write(TableStream.from_table(pa.table({"a": [1, 2], "b": ["x", "y"]}))))
    if compressed and name == "parquet":
        return
    path = tmp_path / f"t{made.extensions[0]}{'.gz' if compressed else ''}"
    path.write_bytes(gzip.compress(data) if compressed else data)
    found = format_of(path)
    assert found is (VOTABLE_TD if made.name.startswith("votable") else made)
    assert found.read(path).to_table().to_pylist() == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
