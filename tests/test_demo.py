"""The demonstration sky as files."""

import hashlib
import tomllib
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from astropy.io import fits

from awe.core.science.simulation import CATALOG_SCHEMA, FRAMES
from awe.demo import SURVEYS, catalog_description, images_description, write_demo_sky


def test_the_catalogue_is_described_in_full() -> None:
    described = tomllib.loads(catalog_description())
    assert set(described) == {"table", "schema", "metadata", "columns", "functions"}
    assert described["columns"].keys() == set(CATALOG_SCHEMA.names)
    assert described["columns"]["MatchRA"]["unit"] == "deg"
    assert described["columns"]["MatchRA"]["ucd"] == "pos.eq.ra;meta.main"
    assert described["metadata"]["simulated"].startswith("yes")
    assert "Kundu" in described["metadata"]["reference"]
    assert described["table"]["description"].startswith("SIMULATED")


def test_the_search_function_of_the_founding_query_is_described() -> None:
    (function,) = tomllib.loads(catalog_description())["functions"]
    assert function["name"] == "SearchSumCatalog"
    names = [parameter["name"] for parameter in function["parameters"]]
    assert names == ["ra_deg", "dec_deg", "radius_arcsec", "magtype"]
    assert all(f":{name}" in function["sql"] for name in names[:3])
    assert function["parameters"][2]["unit"] == "arcsec"
    assert "not documented" in function["description"]


def test_the_images_are_described() -> None:
    described = tomllib.loads(images_description())
    assert described["collection"]["description"].startswith("SIMULATED")
    assert described["metadata"]["simulated"].startswith("yes")
    assert described["keywords"] == {"spectral_elt": "FILTER"}


@pytest.mark.slow
def test_the_files_are_deterministic_and_small(tmp_path: Path) -> None:
    said: list[tuple[str, int, int | None]] = []
    first = write_demo_sky(tmp_path / "a", progress=lambda *step: said.append(step))
    second = write_demo_sky(tmp_path / "b")
    assert [done for _, done, _ in said] == list(range(len(FRAMES) + 4))
    files = [p for p in (tmp_path / "a").rglob("*") if p.is_file()]
    spectra = list(first.spectra.iterdir())
    assert len(spectra) == 9
    assert [table.name for table in first.surveys] == list(SURVEYS)
    assert len(files) == len(FRAMES) + 4 + len(spectra) + 2 * len(SURVEYS)
    assert sum(p.stat().st_size for p in files) < 120e6
    for path in files:
        twin = tmp_path / "b" / path.relative_to(tmp_path / "a")
        assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(twin.read_bytes()).digest()
    assert pq.read_schema(first.catalog).names == list(CATALOG_SCHEMA.names)
    assert {p.name for p in first.images.iterdir()} == {f"{frame.name}_drz.fits" for frame in FRAMES}
    for path in spectra:
        with fits.open(path) as hdus:
            hdus.verify("exception")
            assert hdus[0].header["SIMULATD"] is True
            assert np.median(hdus[1].data["FLUX"] / hdus[1].data["ERROR"]) > 10
    for path in second.images.iterdir():
        with fits.open(path) as hdus:
            hdus.verify("exception")
            assert hdus["SCI"].header["SIMULATD"] is True
