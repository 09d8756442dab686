"""Images and cutouts in the way of the Data Lab's notebooks."""

import io
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from astropy.io import fits
from astropy.io.votable import parse_single_table
from astropy.table import Table
from astropy.wcs import WCS
from starlette.testclient import TestClient

from awe.testing import TINY_CENTRE, TINY_IMAGES

RA, DEC = TINY_CENTRE
FOV = 10.0 / 3600.0
HERE = {"POS": f"{RA},{DEC}", "SIZE": f"{FOV / np.cos(np.radians(DEC))},{FOV}", "VERB": "2"}
CHOSEN_BY = {
    "access_url", "access_format", "access_estsize", "dataproduct_type", "prodtype", "proctype", "obs_bandpass",
    "exptime", "date_obs", "mjd_obs", "seeing", "fwhm", "assoc_id", "calib_level",
}  # fmt: skip


def found(web: TestClient, collection: str = "tiny", **given: str) -> Table:
    answer = web.get(f"/datalab/sia/{collection}", params=HERE | given)
    assert answer.status_code == 200
    return parse_single_table(io.BytesIO(answer.content)).to_table()


def path_of(url: str) -> str:
    split = urlsplit(url)
    return f"{split.path}?{split.query}"


def test_the_columns_that_notebooks_choose_by(web: TestClient) -> None:
    rows = found(web)
    assert set(rows.colnames) >= CHOSEN_BY
    assert sorted(rows["assoc_id"]) == sorted(TINY_IMAGES)
    assert set(rows["prodtype"]) == {"image"}
    assert sorted(rows["obs_bandpass"]) == ["F606W", "F814W"]
    assert set(rows["exptime"]) == {1000.0}
    assert rows["date_obs"][0].startswith("2003-01-")
    chosen = rows[(rows["proctype"] == "Stack") & (rows["prodtype"] == "image")]
    assert len(chosen) == len(rows[rows["calib_level"] >= 3])


def test_a_link_is_a_cutout_of_what_was_asked_for(web: TestClient) -> None:
    rows = found(web)
    row = rows[rows["obs_bandpass"] == "F814W"][0]
    asked = parse_qs(urlsplit(row["access_url"]).query)
    assert (asked["col"], asked["POS"]) == (["tiny"], [f"{RA!r},{DEC!r}"])
    answer = web.get(path_of(row["access_url"]))
    assert answer.headers["content-type"] == "application/fits"
    assert int(answer.headers["content-length"]) == len(answer.content)
    with fits.open(io.BytesIO(answer.content)) as hdus:
        hdu = next(hdu for hdu in hdus if hdu.data is not None)
        height, width = hdu.data.shape
        assert (20, 20) <= (height, width) <= (22, 22)  # 10 arcsec in pixels of 0.5
        ra, dec = WCS(hdu.header).pixel_to_world_values((width - 1) / 2, (height - 1) / 2)
        assert np.hypot((ra - RA) * np.cos(np.radians(DEC)), dec - DEC) < 0.5 / 3600.0


def test_without_a_size_the_link_is_the_file(web: TestClient) -> None:
    rows = found(web, SIZE="0")
    assert not any("svc/cutout" in url for url in rows["access_url"])


def test_what_is_not_there(web: TestClient) -> None:
    answer = web.get("/datalab/sia/nix", params=HERE)
    assert b"there is no collection nix" in answer.content
    assert b'value="ERROR"' in answer.content
    away = web.get("/datalab/svc/cutout", params={"siaRef": TINY_IMAGES[0], "POS": "10,10", "SIZE": "0.01"})
    assert (away.status_code, away.text[:7]) == (404, "Error: ")
    unknown = web.get("/datalab/svc/cutout", params={"siaRef": "nix", **HERE})
    assert (unknown.status_code, unknown.text[:7]) == (404, "Error: ")
    assert len(found(web, POS="10,10")) == 0


@pytest.mark.slow
def test_pyvo_as_notebooks_use_it(server: str, session: Any) -> None:
    import pyvo

    service = pyvo.dal.SIAService(f"{server}/datalab/sia/tiny", session=session)
    table = service.search((RA, DEC), (FOV / np.cos(np.radians(DEC)), FOV), verbosity=2).to_table()
    select = np.char.startswith(table["obs_bandpass"].astype(str), "F8") & (table["prodtype"] == "image")
    row = table[select][int(np.argmax(table[select]["exptime"].data.data.astype(float)))]
    with fits.open(io.BytesIO(session.get(row["access_url"]).content)) as hdus:
        assert any(hdu.data is not None for hdu in hdus)
