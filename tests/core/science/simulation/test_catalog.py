"""The simulated summary catalogue: the founding query, errors, completeness, metadata."""

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from numpy.typing import NDArray

from awe.core.science.simulation import (
    CATALOG_SCHEMA,
    CLUSTER,
    FOUNDING_ROWS,
    GALAXY,
    STAR,
    Sky,
    summary_catalog,
)

Floats = NDArray[np.float64]


def values(catalog: pa.Table, name: str) -> Floats:
    return np.asarray(catalog[name].to_numpy(), dtype=float)


@pytest.fixture(scope="module")
def founding_query(catalog: pa.Table) -> pa.Table:
    """The founding document's query, by numpy."""
    place = SkyCoord(values(catalog, "MatchRA"), values(catalog, "MatchDec"), unit="deg")
    near = place.separation(SkyCoord(187.706, 12.351, unit="deg")) < 500 * u.arcsec
    ci = values(catalog, "CI")
    colour = values(catalog, "W2_F606W") - values(catalog, "W2_F814W")
    chosen = near & (ci > 1.05) & (ci < 1.5) & (colour > 0) & (colour < 1)
    chosen &= values(catalog, "NumImages") > 50
    return catalog.filter(pa.array(chosen)).sort_by("MatchID")


@pytest.fixture(scope="module")
def kinds(sky: Sky, catalog: pa.Table) -> NDArray[np.int64]:
    """For each row, the index of the true source at its place."""
    truth = SkyCoord(sky.sources.ra, sky.sources.dec, unit="deg")
    index, apart, _ = SkyCoord(
        values(catalog, "MatchRA"), values(catalog, "MatchDec"), unit="deg"
    ).match_to_catalog_sky(truth)
    assert apart.max() < 1e-4 * u.arcsec
    return np.asarray(index)


def test_the_founding_query_begins_with_the_printed_rows(founding_query: pa.Table, shared_data: Path) -> None:
    with (shared_data / "seed" / "hsc_m87_first_rows.csv").open() as lines:
        printed = list(csv.DictReader(lines))
    rows = founding_query.slice(0, 10).to_pylist()
    for row, expected in zip(rows, printed, strict=True):
        row["MatchDEC"], row["V_I"] = row["MatchDec"], row["W2_F606W"] - row["W2_F814W"]
        assert str(row["MatchID"]) == expected.pop("MatchID")
        assert {name: f"{row[name]:.6f}" for name in expected} == expected


def test_the_founding_query_goes_on_with_simulated_clusters(
    sky: Sky, catalog: pa.Table, founding_query: pa.Table, kinds: NDArray[np.int64]
) -> None:
    ids = founding_query["MatchID"].to_numpy()
    assert list(ids[:10]) == [row.match_id for row in FOUNDING_ROWS]
    assert ids[10] > 1_000_000
    assert 300 < len(ids) < 2000
    chosen = np.isin(catalog["MatchID"].to_numpy(), ids)
    assert (sky.sources.kind[kinds[chosen]] == CLUSTER).mean() > 0.85


def test_only_the_printed_rows_are_not_simulated(catalog: pa.Table) -> None:
    real = catalog.filter(pc.equal(catalog["Origin"], "founding document"))
    assert real["MatchID"].to_pylist() == [row.match_id for row in FOUNDING_ROWS]
    assert CATALOG_SCHEMA.metadata["simulated"].startswith("yes")
    assert "SIMULATED" in CATALOG_SCHEMA.description


def test_there_are_a_hundred_thousand_rows_over_a_few_degrees(catalog: pa.Table) -> None:
    assert 90_000 < catalog.num_rows < 110_000
    assert len(pc.unique(catalog["MatchID"])) == catalog.num_rows
    place = SkyCoord(values(catalog, "MatchRA"), values(catalog, "MatchDec"), unit="deg")
    apart = place.separation(SkyCoord(187.70593, 12.39112, unit="deg")).deg
    assert 1.9 < apart.max() < 2.1
    density = np.histogram(apart, [0, 0.2, 0.8, 1.4, 2])[0] / np.diff(np.array([0, 0.2, 0.8, 1.4, 2]) ** 2)
    assert (np.diff(density) < 0).all()


def test_the_same_sky_gives_the_same_rows(sky: Sky, catalog: pa.Table) -> None:
    assert summary_catalog(sky).equals(catalog)


def test_columns_have_units_ucds_and_descriptions(catalog: pa.Table) -> None:
    assert tuple(catalog.column_names) == CATALOG_SCHEMA.names
    assert catalog.schema.equals(CATALOG_SCHEMA.to_arrow(), check_metadata=True)
    assert all(c.description and c.ucd for c in CATALOG_SCHEMA)
    for column in CATALOG_SCHEMA:
        if pa.types.is_floating(column.type):
            u.Unit(column.unit, format="vounit")
            assert column.unit


def test_what_was_not_measured_is_null(catalog: pa.Table) -> None:
    for column in CATALOG_SCHEMA:
        if pa.types.is_floating(column.type):
            assert pc.min(catalog[column.name]).as_py() > -90
    assert catalog["W2_F606W"].null_count > 50_000
    assert catalog["A_F814W"].null_count == 0
    absent = pc.is_null(catalog["W2_F606W"])
    assert pc.all(pc.is_null(catalog["W2_F606W_Sigma"].filter(absent))).as_py()
    assert pc.max(catalog["W2_F606W_N"].filter(absent)).as_py() == 0


def test_times_agree_with_their_julian_dates(catalog: pa.Table) -> None:
    days = catalog["StartTime"].to_numpy().astype("datetime64[ms]").astype(float) / 86_400_000 + 40587
    np.testing.assert_allclose(days, values(catalog, "StartMJD"), atol=1e-7)
    assert (values(catalog, "StopMJD") > values(catalog, "StartMJD")).all()


def test_errors_say_how_wrong_the_magnitudes_are(
    sky: Sky, catalog: pa.Table, kinds: NDArray[np.int64]
) -> None:
    pull = (values(catalog, "A_F814W") - sky.sources.f814w[kinds]) / values(catalog, "A_F814W_Sigma")
    assert np.std(pull) == pytest.approx(1, abs=0.02)
    assert np.mean(pull) == pytest.approx(0, abs=0.02)


def test_concentration_tells_stars_clusters_and_galaxies_apart(
    sky: Sky, catalog: pa.Table, kinds: NDArray[np.int64]
) -> None:
    kind, ci = sky.sources.kind[kinds], values(catalog, "CI")
    bright = values(catalog, "A_F814W") < 23.5
    assert np.median(ci[bright & (kind == STAR)]) == pytest.approx(0.95, abs=0.01)
    clusters = ci[bright & (kind == CLUSTER)]
    assert ((clusters > 1.05) & (clusters < 1.5)).mean() > 0.85
    assert np.median(ci[bright & (kind == GALAXY)]) > 1.8


def test_the_sky_near_the_nucleus_hides_faint_objects(sky: Sky, kinds: NDArray[np.int64]) -> None:
    found = np.zeros(len(sky.sources), dtype=bool)
    found[kinds] = True
    apart = SkyCoord(sky.sources.ra, sky.sources.dec, unit="deg").separation(
        SkyCoord(187.70593, 12.39112, unit="deg")
    )
    faint = (sky.sources.kind == CLUSTER) & (np.abs(sky.sources.f814w - 24.7) < 0.7)
    inner = faint & (apart < 20 * u.arcsec)
    outer = faint & (apart > 200 * u.arcsec) & (apart < 700 * u.arcsec)
    assert found[outer].mean() > 0.95
    assert found[inner].mean() < 0.6
