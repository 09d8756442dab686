import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.services.observations.conftest import Archive, open_archive, write_image

from awe.core.sky import Circle, Polygon, Range, Region, parse_stcs, separation
from awe.errors import ParameterError
from awe.services.observations import Criteria
from awe.services.observations.finding import to_adql

INF = math.inf
Row = dict[str, Any]


@pytest.fixture(scope="module")
def sky(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """Images all over the sky, at both poles and on both sides of RA 0, of many sizes."""
    folder = tmp_path_factory.mktemp("sky")
    rng = np.random.default_rng(11)
    special = [
        (0.0, 90.0),
        (120.0, -90.0),
        (0.0, 0.0),
        (359.99, 10.0),
        (0.01, 10.0),
        (45.0, 89.9),
        (180.0, -89.8),
    ]
    spread = list(zip(rng.uniform(0, 360, 40), np.degrees(np.arcsin(rng.uniform(-1, 1, 40))), strict=True))
    m87 = [(187.7 + x, 12.39 + y) for x, y in rng.normal(0, 0.3, (20, 2))]
    for number, (ra, dec) in enumerate([*special, *spread, *m87]):
        write_image(
            folder / "images", f"im{number}.fits", ra, dec, angle=number, scale_arcsec=10.0 ** rng.uniform(0, 2.5),
            EXPTIME=float(10 * number), FILTER=["F606W", "F814W", "none"][number % 3],
            INSTRUME=["ACS", "WFPC2"][number % 2], TELESCOP="HST", OBJECT=f"O'{number % 4}",
            cards={"MJD-OBS": 50000.0 + number} if number % 5 else {},
        )  # fmt: skip
    archive, close = open_archive(folder / "archive")
    archive.observations.publish("sky", folder / "images")
    yield archive
    close()


@pytest.fixture(scope="module")
def everything(sky: Archive) -> list[Row]:
    rows = sky.rows()
    assert len(rows) == 67
    return rows


REGIONS: list[Region] = [
    Circle(187.7, 12.39, 0.2),
    Circle(187.7, 12.39, 0.0),
    Circle(0.0, 90.0, 1.0),
    Circle(10.0, -89.5, 2.0),
    Circle(0.0, 10.0, 0.05),
    Circle(200.0, 0.0, 60.0),
    Circle(1.0, 1.0, 180.0),
    Polygon(((187.0, 12.0), (188.5, 12.1), (187.9, 13.0))),
    Polygon(((359.5, 9.5), (0.5, 9.5), (0.5, 10.5), (359.5, 10.5))),
    Range(350.0, 10.0, -20.0, 20.0),
    Range(0.0, 360.0, 80.0, 90.0),
]


@pytest.mark.parametrize("region", REGIONS, ids=lambda region: region.to_dali()[:40])
def test_regions_against_every_row(sky: Archive, everything: list[Row], region: Region) -> None:
    expected = {row["obs_id"] for row in everything if parse_stcs(str(row["s_region"])).intersects(region)}
    assert sky.names(Criteria(regions=(region,))) == expected


@pytest.mark.slow
@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    ra=st.floats(0, 360, exclude_max=True),
    dec=st.floats(-90, 90),
    radius=st.sampled_from([0.0, 0.01, 0.5, 3.0, 30.0]),
)
def test_no_image_with_a_pixel_in_the_circle_is_missed(
    sky: Archive, everything: list[Row], ra: float, dec: float, radius: float
) -> None:
    found = sky.names(Criteria(regions=(Circle(ra, dec, radius),)))
    for row in everything:
        numbers = [float(word) for word in str(row["s_region"]).split()[2:]]
        corners = np.array(
            [*zip(numbers[::2], numbers[1::2], strict=True), (row["s_ra"], row["s_dec"])], float
        )
        apart = separation(ra, dec, corners[:, 0], corners[:, 1])
        if apart.min() <= radius:
            assert row["obs_id"] in found
        if apart[-1] > radius + float(str(row["s_fov"])) / 2 * 1.001:
            assert row["obs_id"] not in found


def overlap(low: str, high: str, a: float, b: float) -> Callable[[Row], bool]:
    return lambda r: r[low] is not None and r[high] is not None and r[high] >= a and r[low] <= b


def within(column: str, a: float, b: float) -> Callable[[Row], bool]:
    return lambda r: r[column] is not None and a <= r[column] <= b


CRITERIA: list[tuple[Criteria, Callable[[Row], bool]]] = [
    (Criteria(), lambda _: True),
    (Criteria(band=((5e-7, 6e-7),)), overlap("em_min", "em_max", 5e-7, 6e-7)),
    (Criteria(band=((8e-7, 8e-7),)), overlap("em_min", "em_max", 8e-7, 8e-7)),
    (Criteria(band=((-INF, INF),)), lambda r: r["em_min"] is not None),
    (Criteria(time=((50010.0, 50020.5),)), overlap("t_min", "t_max", 50010.0, 50020.5)),
    (Criteria(time=((50060.0, INF),)), overlap("t_min", "t_max", 50060.0, INF)),
    (
        Criteria(exposure=((100.0, 200.0), (600.0, INF))),
        lambda r: 100 <= r["t_exptime"] <= 200 or r["t_exptime"] >= 600,
    ),
    (Criteria(fov=((0.5, INF),)), within("s_fov", 0.5, INF)),
    (Criteria(resolution=((0.0, INF),)), lambda _: False),
    (Criteria(resolving_power=((3.0, 10.0),)), within("em_res_power", 3.0, 10.0)),
    (Criteria(time_resolution=((-INF, 50.0),)), within("t_resolution", -INF, 50.0)),
    (
        Criteria(ids=("IVO://EXAMPLE.AWE/SKY?IM7", "ivo://example.awe/sky?nope")),
        lambda r: r["obs_id"] == "im7",
    ),
    (Criteria(collections=("sky",)), lambda _: True),
    (Criteria(collections=("SKY",)), lambda _: False),
    (Criteria(facilities=("HST",), instruments=("WFPC2",)), lambda r: r["instrument_name"] == "WFPC2"),
    (Criteria(dataproduct_types=("cube",)), lambda _: False),
    (Criteria(calib_levels=(0, 2)), lambda _: True),
    (Criteria(targets=("O'1", "O'2")), lambda r: r["target_name"] in {"O'1", "O'2"}),
    (Criteria(formats=("application/fits", "text/plain")), lambda _: True),
    (Criteria(pol=("I", "Q")), lambda _: False),
    (
        Criteria(regions=(Circle(187.7, 12.39, 1.0),), band=((5e-7, 6e-7),), exposure=((500.0, INF),)),
        lambda r: bool(
            separation(187.7, 12.39, r["s_ra"], r["s_dec"]) < 2
            and parse_stcs(str(r["s_region"])).intersects(Circle(187.7, 12.39, 1.0))
            and overlap("em_min", "em_max", 5e-7, 6e-7)(r)
            and within("t_exptime", 500.0, INF)(r)
        ),
    ),
]


@pytest.mark.parametrize("number", range(len(CRITERIA)))
def test_criteria_against_every_row(sky: Archive, everything: list[Row], number: int) -> None:
    criteria, wanted = CRITERIA[number]
    assert sky.names(criteria) == {row["obs_id"] for row in everything if wanted(row)}


def test_too_many_rows_are_said(sky: Archive) -> None:
    stream = sky.observations.find(Criteria(regions=(Circle(0, 0, 180),)), max_rows=10)
    assert stream.to_table().num_rows == 10
    assert stream.overflow
    stream = sky.observations.find(Criteria(), max_rows=67)
    assert stream.to_table().num_rows == 67
    assert not stream.overflow
    stream = sky.observations.find(Criteria(), max_rows=0)
    assert stream.to_table().num_rows == 0


def test_an_archive_without_images_answers_no_rows(tmp_path: Path) -> None:
    archive, close = open_archive(tmp_path)
    stream = archive.observations.find(Criteria(regions=(Circle(0, 0, 1),)))
    assert stream.to_table().num_rows == 0
    assert "s_region" in stream.schema
    close()


def test_every_value_is_a_literal_of_adql() -> None:
    text = to_adql(Criteria(targets=("'; DROP TABLE x; --",), regions=(Circle(1e-9, -1e-9, 0.0),)), 1.5)
    assert "IN ('''; DROP TABLE x; --')" in text
    assert "CIRCLE(1e-09, -1e-09, 1.5)" in text


@pytest.mark.parametrize(
    "options",
    [
        {"band": ((2.0, 1.0),)},
        {"time": ((math.nan, 1.0),)},
        {"calib_levels": (5,)},
        {"pol": ("X",)},
        {"pol": ("%",)},
    ],
)
def test_senseless_criteria_are_refused(options: dict[str, tuple[object, ...]]) -> None:
    with pytest.raises(ParameterError):
        Criteria(**options)  # type: ignore[arg-type]
