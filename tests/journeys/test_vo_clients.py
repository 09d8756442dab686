"""The demonstration sky through pyvo and STILTS, as an astronomer uses them: all read, and no warning."""

import io
import logging
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pyvo
from astropy import units
from astropy.coordinates import SkyCoord
from astropy.io import fits

pytestmark = pytest.mark.slow

M87 = SkyCoord(187.7059, 12.3911, unit="deg")
TABLE = "hsc.SumCat"
IMAGE = "hst_9401_02_acs_wfc_total"
CIRCLE = (M87.ra.deg, M87.dec.deg, 0.002)


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Let no warning pass, raised or logged (astropy's logger may catch those of pyvo)."""
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        yield
    assert [record.message for record in caplog.records] == []


def test_a_cone(service: Any, session: Any) -> None:
    cone = pyvo.dal.SCSService(f"{service.url}/scs/{TABLE}", session=session)
    found = cone.search(M87, radius=0.02)
    assert len(found) > 1000
    assert max(found[i].pos.separation(M87).deg for i in range(50)) <= 0.02
    assert [len(cone.search(M87, radius=0.001, verbosity=v).fieldnames) for v in (1, 2, 3)] == [3, 9, 41]
    assert len(cone.search(M87, radius=0.02, MAXREC=3)) == 3
    assert len(cone.search(M87, radius=0)) == 0


def test_images_the_old_way(service: Any, tmp_path: Path, session: Any) -> None:
    images = pyvo.dal.SIAService(f"{service.url}/sia", session=session)
    found = images.search(M87, size=0.01)
    image = next(record for record in found if record["Dataset"] == IMAGE)
    assert image.getdataurl().startswith(f"{service.url}/api/datasets/")
    image.cachedataset(filename=str(tmp_path / "image.fits"))
    with fits.open(tmp_path / "image.fits") as opened:
        assert any(hdu.shape for hdu in opened)
    assert len(images.search(M87, size=0.01, format="graphic")) == 0


def test_images_and_cutouts(service: Any, session: Any) -> None:
    images = pyvo.dal.SIA2Service(f"{service.url}/sia2", session=session)
    found = images.search(pos=(M87, 0.001 * units.deg), calib_level=3, data_type="image")
    assert IMAGE in {record.obs_id for record in found}
    for media_type in ("image/fits", "application/fits"):  # the two names of FITS
        assert len(images.search(pos=(M87, 0.001 * units.deg), res_format=media_type)) == len(found)
    assert images.search(maxrec=0).fieldnames == found.fieldnames
    record = next(record for record in found if record.obs_id == IMAGE)
    for region in ({"circle": CIRCLE}, {"range": (187.705, 187.707, 12.390, 12.392)}):
        with fits.open(io.BytesIO(record.processed(**region).read())) as cut:
            assert 0 < max(hdu.data.size for hdu in cut if hdu.data is not None) < 1e5
    assert record.processed(circle=(10.0, 10.0, 0.01)).read() == b""


def test_queries(service: Any, session: Any) -> None:
    tap = pyvo.dal.TAPService(f"{service.url}/tap", session=session)
    assert {TABLE, "ivoa.obscore", "TAP_SCHEMA.key_columns"} <= set(tap.tables.keys())
    assert [key.targettable for key in tap.tables["TAP_SCHEMA.tables"].foreignkeys] == ["TAP_SCHEMA.schemas"]
    assert len(tap.search(f"SELECT TOP 5 * FROM {TABLE}", responseformat="votable/b2")) == 5
    assert len(tap.search(f"SELECT * FROM {TABLE}", maxrec=3)) == 3
    assert all(len(example.execute()) for example in tap.examples)
    observed = tap.search(f"SELECT * FROM ivoa.obscore WHERE obs_id = '{IMAGE}'")
    assert observed["access_url"][0].startswith(service.url)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["cone", "serviceurl={url}/scs/hsc.SumCat", "radius=0.005", "verb=3"], "columns: 41"),
        (["cone", "serviceurl={url}/scs/hsc.SumCat", "radius=0"], "rows: 0"),
        (["cone", "serviceurl={url}/scs/hsc.SumCat", "radius=200"], "SR=200.0: must lie between"),
        (["cone", "serviceurl={url}/scs/nix", "radius=1"], "there is no table nix"),
        (["cone", "servicetype=sia1", "serviceurl={url}/sia", "radius=0.001"], "columns: 59"),
        (
            ["cone", "servicetype=sia1", "serviceurl={url}/sia", "radius=0.01", "dataformat=GRAPHIC"],
            "rows: 0",
        ),
        (["cone", "servicetype=sia2", "serviceurl={url}/sia2/query", "radius=0.001"], "columns: 59"),
        (["tapquery", "tapurl={url}/tap", "sync=true", "adql=SELECT TOP 7 CI FROM hsc.SumCat"], "rows: 7"),
        (["tapquery", "tapurl={url}/tap", "sync=true", "adql=SELECT nix FROM hsc.SumCat"], "column 8"),
    ],
)
def test_stilts(service: Any, stilts: str, arguments: list[str], told: str) -> None:
    place = ["lon=187.7059", "lat=12.3911"] if arguments[0] == "cone" else []
    command = [stilts, *(word.format(url=service.url) for word in arguments), *place, "omode=count"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert told in " ".join((done.stdout + done.stderr).split())
