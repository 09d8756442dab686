"""The main job on real input: published lists of M87's globular clusters, drawn on a real HST image of it.

Everything is published from the files as they were delivered (`shared_data`), and asked for through the client,
without a server and over HTTP. What is right is found out with astropy and numpy alone.
"""

import csv
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import Angle, SkyCoord
from astropy.io import fits
from astropy.table import Table, vstack
from astropy.wcs import WCS
from numpy.typing import NDArray
from PIL import Image

from awe import mast
from awe.client import Client, connect
from awe.client.picture import show
from awe.errors import InputFileError, NotFoundError, QuerySyntaxError
from awe.platform import Platform
from awe.settings import Settings

pytestmark = pytest.mark.slow

IMAGE = "m87_hst_wfpc2_halpha_filament_model"
CENTRE = SkyCoord(187.7150, 12.3865, unit="deg")
"""In the middle of the image, which is 40 by 46 arcsec, south-east of the core."""

FOUNDING_QUERY = """
SELECT
  MatchRA, MatchDEC, MatchID, CI, W2_F606W, W2_F814W, V_I=W2_F606W - W2_F814W
FROM
  SearchSumCatalog(187.706, 12.351, 500.0, 1)
where CI > 1.05 and CI < 1.5
and (W2_F606W - W2_F814W) > 0.0 and (W2_F606W - W2_F814W) < 1.0
and numimages > 50
ORDER BY matchID
"""

HSC_DESCRIBE = """
[table]
title = "Rows of the Hubble Source Catalog"
description = "The ten rows that the founding document prints."

[columns.W2_F606W]
unit = "mag"
ucd = "phot.mag;em.opt.R"

[columns.W2_F814W]
unit = "mag"
ucd = "phot.mag;em.opt.I"

[[functions]]
name = "SearchSumCatalog"
description = "The summary catalogue within a radius of a position."
sql = '''
SELECT * FROM hsc.SumCat
WHERE 1 = CONTAINS(POINT(MatchRA, MatchDec), CIRCLE(:ra_deg, :dec_deg, :radius_arcsec / 3600.0))
'''

[[functions.parameters]]
name = "ra_deg"

[[functions.parameters]]
name = "dec_deg"

[[functions.parameters]]
name = "radius_arcsec"

[[functions.parameters]]
name = "magtype"
default = 1
"""

M87_DESCRIBE = """
[collection]
title = "M87, its filaments in H alpha"

[constants]
target_name = "M87"
facility_name = "HST"
instrument_name = "WFPC2"
detector = "WFPC2"
level = 5
"""


@pytest.fixture(scope="module")
def strader(shared_data: Path) -> Path:
    """Return the list of Strader et al. 2011: 1664 clusters and candidates."""
    return shared_data / "b_gc_hsc" / "m87_gc_strader2011_1664.csv"


@pytest.fixture(scope="module")
def vcc1316(shared_data: Path) -> Path:
    """Return 64 clusters with magnitudes of HST and spectra."""
    return shared_data / "b_gc_hsc" / "VCC1316_M87_GC_catalog_MUSE.fits"


@pytest.fixture(scope="module")
def hla_pages(shared_data: Path) -> tuple[Path, Path]:
    """Return the rows of the Hubble Legacy Archive: the results page, and the notebook's."""
    seed = shared_data / "seed"
    return seed / "hla_m87_results_page.csv", seed / "hla_m87_notebook_rows.csv"


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


def _write(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="") as lines:
        writer = csv.DictWriter(lines, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def _sumcat(printed: Path, folder: Path) -> Path:
    """Write the printed rows as the catalogue has them: its spelling, no computed column, NumImages as it must be.

    The printed colour of one row is not the difference of the printed magnitudes; a digit more makes it so.
    """
    rows = []
    for row in _rows(printed):
        colour = float(row.pop("V_I"))
        if abs(float(row["W2_F606W"]) - float(row["W2_F814W"]) - colour) > 5e-7:
            row["W2_F606W"], row["W2_F814W"] = row["W2_F606W"] + "4", row["W2_F814W"][:-1] + "58"
        rows.append({**row, "NumImages": "51"})
        rows[-1] = {name.replace("MatchDEC", "MatchDec"): value for name, value in rows[-1].items()}
    return _write(folder / "sumcat.csv", rows)


def _in_degrees(page: Path, folder: Path) -> Path:
    """Convert sexagesimal positions, as an archive does before it publishes them."""
    rows = _rows(page)
    for row in rows:
        row["RA"] = repr(float(Angle(row["RA"], unit=u.hourangle).deg))
        row["DEC"] = repr(float(Angle(row["DEC"], unit=u.deg).deg))
    return _write(folder / "hla.csv", rows)


def _links(files: list[Path], folder: Path) -> Path:
    folder.mkdir()
    for file in files:
        (folder / file.name).symlink_to(file)
    return folder


@pytest.fixture(scope="module")
def folder(
    tmp_path_factory: pytest.TempPathFactory,
    shared_data: Path,
    strader: Path,
    vcc1316: Path,
    hla_pages: tuple[Path, Path],
) -> Path:
    """Return the data folder of an archive in which the real data are published."""
    work, sky = tmp_path_factory.mktemp("delivery"), tmp_path_factory.mktemp("archive")
    hst = shared_data / "a_hst_images"
    describe, about = work / "sumcat.toml", work / "m87.toml"
    describe.write_text(HSC_DESCRIBE)
    about.write_text(M87_DESCRIBE)
    printed = _sumcat(shared_data / "seed" / "hsc_m87_first_rows.csv", work)
    m87 = _links([hst / f"{IMAGE}.fits"], work / "m87")
    others = _links([f for f in hst.rglob("*.fits") if f.stem != IMAGE], work / "hst")
    (others / vcc1316.name).symlink_to(vcc1316)
    with Platform.open(Settings.load(sky)) as platform:
        tables = platform.catalogs
        tables.publish("m87.strader2011", [strader])
        tables.publish("m87.vcc1316", [vcc1316])
        tables.publish("HSC.SumCat", [printed], describe=describe)
        tables.publish("hla.results", [_in_degrees(hla_pages[0], work)])
        tables.publish("hla.notebook", [hla_pages[1]])
        assert platform.observations.publish("m87", m87, describe=about).published == 1
        report = platform.observations.publish("hst", others)
        refused = {Path(entry.file).name: entry.reason for entry in report.rejected}
        assert set(refused) == {"cosmos_acs_f814w_psf.fits", vcc1316.name}
        assert all("no celestial world coordinates" in reason for reason in refused.values())
        assert report.published >= 45
    return sky


@pytest.fixture(scope="module", params=["in this process", "over HTTP"])
def archive(
    request: pytest.FixtureRequest,
    folder: Path,
    up: Callable[..., AbstractContextManager[Any]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Client]:
    """Return a client of the archive, without a server and with one."""
    if request.param == "in this process":
        with connect(folder, token="") as client:
            yield client
        return
    with (
        pytest.MonkeyPatch.context() as patch,
        up(folder, AWE_SHARE_PATHS="false") as service,  # images are fetched, as by anybody far away
    ):
        patch.setenv("AWE_CACHE", str(tmp_path_factory.mktemp("cache")))
        with connect(service.url, token="") as client:
            yield client


@pytest.fixture
def quiet_plots() -> Iterator[None]:
    """Draw without a screen, and close what was drawn."""
    with mpl.rc_context({"figure.dpi": 100}):
        mpl.use("agg")
        yield
        from matplotlib import pyplot as plt

        plt.close("all")


# What is right, by astropy alone


def _wcs(header: fits.Header, hdus: fits.HDUList | None = None) -> WCS:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numbers with a small e, and RADECSYS: the headers are what they are
        return WCS(header, hdus)


def _pixels_of_image(shared_data: Path) -> tuple[NDArray[np.float64], WCS]:
    with fits.open(shared_data / "a_hst_images" / f"{IMAGE}.fits", memmap=False) as hdus:
        return np.array(hdus[0].data), _wcs(hdus[0].header)


def _known_clusters(strader: Path, vcc1316: Path) -> SkyCoord:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        small, large = Table.read(vcc1316, hdu=1), Table.read(strader, format="ascii.csv")
    ra = np.concatenate([small["RA"], large["ra_deg"]])
    return SkyCoord(ra, np.concatenate([small["DEC"], large["dec_deg"]]), unit="deg")


def _inside(places: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the pixel positions, shape (n, 2), that lie on the image."""
    x, y = places.T
    found: NDArray[np.float64] = places[(x > -0.5) & (x < shape[1] - 0.5) & (y > -0.5) & (y < shape[0] - 0.5)]
    return found


def _clusters(archive: Client) -> Table:
    """Query both lists in ADQL, around the image."""
    around = f"CIRCLE({CENTRE.ra.deg}, {CENTRE.dec.deg}, 0.02)"
    bright = archive.query(
        f"SELECT GC_ID, RA, DEC, g, g - z AS g_z FROM m87.vcc1316 WHERE 1 = CONTAINS(POINT(RA, DEC), {around})"
    )
    wide = archive.query(
        f"SELECT strader_id, ra_deg AS RA, dec_deg AS DEC FROM m87.strader2011 "
        f"WHERE 1 = CONTAINS(POINT(ra_deg, dec_deg), {around})"
    )
    return vstack([bright, wide])


# Step 1: catalogues


def test_the_founding_query_gives_the_ten_rows(archive: Client, shared_data: Path) -> None:
    printed = _rows(shared_data / "seed" / "hsc_m87_first_rows.csv")
    answer = archive.query(FOUNDING_QUERY, lang="tsql", context="HSC")
    assert answer.colnames == ["MatchRA", "MatchDEC", "MatchID", "CI", "W2_F606W", "W2_F814W", "V_I"]
    assert [str(value) for value in answer["MatchID"]] == [row["MatchID"] for row in printed]
    for name in answer.colnames:
        if name != "MatchID":
            assert [f"{value:.6f}" for value in answer[name]] == [row[name] for row in printed], name
    assert str(answer["W2_F606W"].unit) == "mag"


def test_the_same_search_in_three_dialects(archive: Client) -> None:
    columns = "MatchRA, MatchDec, MatchID"
    adql = archive.query(
        f"SELECT {columns} FROM hsc.SumCat WHERE DISTANCE(POINT(MatchRA, MatchDec), POINT(187.684, 12.375))"
        " < 20.0/3600 ORDER BY MatchID"
    )
    tsql = archive.query(
        f"SELECT {columns} FROM SearchSumCatalog(187.684, 12.375, 20, 1) ORDER BY MatchID",
        lang="tsql",
        context="hsc",
    )
    postgres = archive.query(
        f"SELECT {columns} FROM hsc.SumCat WHERE q3c_radial_query(MatchRA, MatchDec, 187.684, 12.375, 20.0/3600)"
        " ORDER BY MatchID",
        lang="postgres",
    )
    assert 0 < len(adql) < 10
    assert adql.as_array().tolist() == tsql.as_array().tolist() == postgres.as_array().tolist()


def test_the_list_of_strader_comes_back_whole(archive: Client, strader: Path) -> None:
    # the list has clusters more than once, under one name
    source = [(row["strader_id"], float(row["ra_deg"]), float(row["dec_deg"])) for row in _rows(strader)]
    answer = archive.query("SELECT strader_id, ra_deg, dec_deg FROM m87.strader2011")
    assert len(answer) == 1664
    assert sorted(answer.as_array().tolist()) == sorted(source)
    assert answer["ra_deg"].unit == u.deg
    assert answer["dec_deg"].meta["ucd"] == "pos.eq.dec;meta.main"
    assert not answer.meta["overflow"]


def test_a_cone_of_the_list_of_strader(archive: Client, strader: Path) -> None:
    everything = Table.read(strader, format="ascii.csv")
    core = SkyCoord("12h30m49.42s +12d23m28.0s")
    distances = SkyCoord(everything["ra_deg"], everything["dec_deg"], unit="deg").separation(core)
    answer = archive.cone("m87.strader2011", core, 3 * u.arcmin)
    assert set(answer["strader_id"]) == set(everything["strader_id"][distances <= 3 * u.arcmin])
    assert len(answer) > 50


def test_the_table_of_vcc1316_with_values_that_nobody_fitted(archive: Client, vcc1316: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        source = Table.read(vcc1316, hdu=1)
    source.sort("GC_ID")
    answer = archive.query("SELECT * FROM m87.vcc1316 ORDER BY GC_ID")
    assert answer.colnames == source.colnames
    for name in source.colnames:
        if name != "galaxy":
            np.testing.assert_array_equal(np.ma.filled(answer[name], np.nan), source[name], err_msg=name)
    assert list(answer["galaxy"]) == [value.strip() for value in source["galaxy"]]
    assert np.isinf(answer["g_MUSE"]).all()
    unfitted = archive.query("SELECT COUNT(*) AS n FROM m87.vcc1316 WHERE v = 0 AND age = 0")
    assert unfitted["n"][0] == np.sum((source["v"] == 0) & (source["age"] == 0)) == 64


@pytest.mark.parametrize("name", ["answer.fits", "answer.vot", "answer.parquet", "answer.csv"])
def test_infinities_survive_in_every_file(archive: Client, tmp_path: Path, name: str) -> None:
    file = archive.query("SELECT GC_ID, g_MUSE, age FROM m87.vcc1316", save=tmp_path / name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = Table.read(file, format={".csv": "ascii.csv", ".vot": "votable"}.get(Path(name).suffix))
    assert np.isinf(np.asarray(table["g_MUSE"], float)).all()
    assert (np.asarray(table["age"], float) == 0).all()


def test_what_the_archive_cannot_take_is_refused_in_words(
    tmp_path: Path, vcc1316: Path, hla_pages: tuple[Path, Path]
) -> None:
    with Platform.open(Settings.load(tmp_path)) as platform:
        with pytest.raises(InputFileError, match=r"degrees as numbers, this is string.*sexagesimal") as text:
            platform.catalogs.publish("hla.results", [hla_pages[0]])
        assert "column RA" in str(text.value)
        with pytest.raises(InputFileError, match="not a binary table"):
            platform.catalogs.publish("m87.spectra", [vcc1316.with_name(vcc1316.name + "[2]")])
        with pytest.raises(InputFileError, match="no HDU 7"):
            platform.catalogs.publish("m87.spectra", [vcc1316.with_name(vcc1316.name + "[7]")])
        assert platform.catalogs.tables() == ()
        assert platform.catalogs.publish("m87.one", [vcc1316.with_name(vcc1316.name + "[1]")]).rows == 64


def test_the_rows_of_the_hubble_legacy_archive(archive: Client, hla_pages: tuple[Path, Path]) -> None:
    page = _rows(hla_pages[0])
    answer = archive.query("SELECT * FROM hla.results")
    assert sorted(answer["Dataset"]) == sorted(row["Dataset"] for row in page)
    core = archive.cone("hla.results", "12:30:49.42 +12:23:28.0", "2 arcsec")
    assert "hlsp_3cr_hst_nicmos_3e274_f160w_v1_sci" in core["Dataset"]
    with pytest.raises(QuerySyntaxError, match='as a name, delimit it: "Level"'):
        archive.query("SELECT Level FROM hla.results")
    level = archive.query(
        "SELECT Dataset FROM hla.results WHERE Detector = 'WFPC2' AND \"Level\" = 2 AND ExpTime > 2000 "
        "ORDER BY ExpTime DESC, Dataset"
    )
    assert list(level["Dataset"]) == [
        row["Dataset"]
        for row in sorted(page, key=lambda r: (-float(r["ExpTime"]), r["Dataset"]))
        if row["Detector"] == "WFPC2" and row["Level"] == "2" and float(row["ExpTime"]) > 2000
    ]
    visits = archive.query("SELECT DISTINCT VisitNum FROM hla.results WHERE VisitNum LIKE '0%'")
    assert list(visits["VisitNum"]) == ["01"]  # a label, not the number 1


def test_the_deepest_of_the_notebook(archive: Client) -> None:
    deepest = archive.query("SELECT TOP 1 Dataset, ExpTime FROM hla.notebook ORDER BY ExpTime DESC")
    assert deepest["Dataset"][0] == "hst_9401_02_acs_wfc_total"
    assert deepest["ExpTime"][0] == 1960.0


# Steps 2 and 3: images


def test_both_image_searches_find_the_image_of_m87(
    archive: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    newer = archive.images(CENTRE)
    assert list(newer["obs_id"]) == [IMAGE]
    mast.use(archive)
    older = mast.HLA_executeQuery(RA=CENTRE.ra.deg, Dec=CENTRE.dec.deg, instruments="WFPC2")
    assert "Done." in capsys.readouterr().out
    assert list(older["Detector"]) == ["WFPC2"]
    np.testing.assert_allclose(older["RA"], newer["s_ra"])
    assert len(archive.images("12:30:40 +12:23:28")) == 0


def test_the_deepest_image_of_the_deepest_field(archive: Client) -> None:
    images = archive.images("53.15872 -27.76433", collection="hst")
    deepest = images[images["t_exptime"].argmax()]
    assert images["t_exptime"].max() == deepest["t_exptime"] > 1000
    assert deepest["obs_id"].startswith("xdf_hst_wfc3ir_60mas_f1")


def test_a_cutout_has_the_pixels_of_the_image(archive: Client, shared_data: Path) -> None:
    pixels, wcs = _pixels_of_image(shared_data)
    with archive.cutout(IMAGE, CENTRE, "6 arcsec") as piece:
        values, place = np.array(piece[0].data), _wcs(piece[0].header)
    y, x = np.indices(values.shape)
    column, row = wcs.world_to_pixel(place.pixel_to_world(x.ravel(), y.ravel()))
    np.testing.assert_allclose(np.concatenate([column, row]) % 1, 0.5, atol=0.5)
    np.testing.assert_allclose(column, np.round(column), atol=1e-6)
    wanted = pixels[np.round(row).astype(int), np.round(column).astype(int)]
    np.testing.assert_array_equal(values.ravel(), wanted)
    assert min(values.shape) >= 59
    with pytest.raises(NotFoundError, match="no pixel"):
        archive.cutout(IMAGE, "12:30:40 +12:23:28", "2 arcsec")


# Step 4: the picture


def _assert_drawn(axes: Any, expected: NDArray[np.float64], every: NDArray[np.float64]) -> None:
    """Check the markers of a picture, and the red of its pixels, at the expected pixel positions.

    Parameters
    ----------
    expected
        Where the objects inside the image are, shape (n, 2).
    every
        The same of all objects; nothing else may be red.
    """
    axes.figure.canvas.draw()
    markers = axes.collections[0]
    drawn = markers.get_offset_transform().transform(np.ma.getdata(markers.get_offsets()))
    shown = axes.transData.transform(expected)
    for place in shown:
        assert np.min(np.hypot(*(drawn - place).T)) < 0.5
    in_data = axes.transData.inverted().transform(drawn)
    for place in expected:
        assert np.min(np.hypot(*(in_data - place).T)) < 0.05
    rendered = np.asarray(axes.figure.canvas.buffer_rgba()).astype(int)
    red = (rendered[..., 0] > 150) & (rendered[..., 1] < 120) & (rendered[..., 2] < 120)
    height = red.shape[0]
    radius = np.sqrt(markers.get_sizes()[0]) / 2 * axes.figure.dpi / 72
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    box = axes.get_window_extent()
    for x, y in shown:
        ring = np.array([x + radius * np.cos(angles), y + radius * np.sin(angles)]).T
        ring = ring[[box.x0 + 2 < a < box.x1 - 2 and box.y0 + 2 < b < box.y1 - 2 for a, b in ring]]
        found = [
            red[height - 1 - int(b) - 1 : height - int(b) + 1, int(a) - 1 : int(a) + 2].any() for a, b in ring
        ]
        assert len(found) >= 6, f"{x:.0f}, {y:.0f} lies outside the picture"
        assert np.mean(found) > 0.9, f"no circle at {x:.0f}, {y:.0f}"
    centres = axes.transData.transform(every)
    for row, column in np.argwhere(red):
        distance = np.min(np.hypot(centres[:, 0] - column - 0.5, centres[:, 1] - (height - row - 0.5)))
        assert abs(distance - radius) < 2.5, f"red at {column}, {row}"


def test_real_clusters_are_drawn_on_the_real_image(
    archive: Client, shared_data: Path, strader: Path, vcc1316: Path, tmp_path: Path, quiet_plots: None
) -> None:
    pixels, wcs = _pixels_of_image(shared_data)
    known = _known_clusters(strader, vcc1316)
    every = np.column_stack(wcs.world_to_pixel(known[known.separation(CENTRE) < 0.02 * u.deg]))
    expected = _inside(every, pixels.shape)
    assert len(expected) == 18  # 14 of VCC 1316's, 4 of Strader's

    clusters = _clusters(archive)
    assert len(clusters) == len(every)
    images = archive.images(CENTRE)
    deepest = str(images["obs_id"][images["t_exptime"].argmax()])
    with archive.open(deepest) as image:
        axes = show(image, clusters, save=tmp_path / "m87.png")
        _assert_drawn(axes, expected, every)
        np.testing.assert_array_equal(axes.images[0].get_array(), pixels.astype(np.float32))
        bright = float(np.percentile(pixels, 99))
        soft = show(image, clusters, limits=(0.0, bright), save=tmp_path / "m87_soft.png")
        assert soft.images[0].get_clim() == (0.0, bright)
    for name in ("m87.png", "m87_soft.png"):
        with Image.open(tmp_path / name) as picture:
            assert min(picture.size) > 600
            assert len(picture.convert("L").getcolors() or ()) > 20


def test_real_clusters_are_drawn_on_a_cutout(
    archive: Client, strader: Path, vcc1316: Path, tmp_path: Path, quiet_plots: None
) -> None:
    where = SkyCoord("12h30m50.6s +12d23m08s")
    with archive.cutout(IMAGE, where, "8 arcsec", save=tmp_path / "piece.fits") as piece:
        shape, wcs = piece[0].data.shape, _wcs(piece[0].header)
        axes = show(piece, _clusters(archive), size_inch=6, save=tmp_path / "piece.png")
    known = _known_clusters(strader, vcc1316)
    every = np.column_stack(wcs.world_to_pixel(known[known.separation(CENTRE) < 0.02 * u.deg]))
    expected = _inside(every, shape)
    assert len(expected) >= 5
    _assert_drawn(axes, expected, every)


# Every other image


@pytest.mark.parametrize(
    "name",
    [
        "foc_hz4_512px",
        "acs_wfc_j94f05bgq_flt_headers",
        "cosmos_hsc_grizy_cutout0",
        "nicmos_goodsn_mef_cutout",
    ],
)
def test_any_real_image_is_drawn(folder: Path, shared_data: Path, quiet_plots: None, name: str) -> None:
    """A mirrored image, one with tables of distortion, a cube, one of several extensions."""
    with fits.open(shared_data / "a_hst_images" / f"{name}.fits") as hdus:
        hdu = next(h for h in hdus if h.is_image and len(h.shape) >= 2)
        wcs = _wcs(hdu.header, hdus).celestial
        x, y = np.array([0.3, 0.6]) * (hdu.shape[-1] - 1), np.array([0.2, 0.7]) * (hdu.shape[-2] - 1)
        objects = wcs.pixel_to_world(x, y).icrs
    with connect(folder, token="") as client, client.open(name) as image:
        axes = show(image, objects, size_inch=5)
        _assert_drawn(axes, np.column_stack([x, y]), np.column_stack([x, y]))
