"""Cutouts and links through the client, over the application in this process."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits

from awe.client import Client, Transport
from awe.errors import NotFoundError, ParameterError, PositionError, UsageError
from awe.platform import Platform
from awe.testing import TINY_CENTRE, TINY_IMAGES, tiny_archive
from awe.web import build_app

RA, DEC = TINY_CENTRE
NAME = TINY_IMAGES[0]


@pytest.fixture(scope="module")
def sky(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with tiny_archive(tmp_path_factory.mktemp("sky")) as opened:
        yield opened


@pytest.fixture(scope="module")
def archive(sky: Platform) -> Iterator[Client]:
    with Client(Transport("http://awe.local", app=build_app(sky))) as connected:
        yield connected


def test_many_positions_in_one_call(archive: Client) -> None:
    places = [(RA, DEC), (10.0, 10.0), (RA + 0.002, DEC), (RA, DEC)]
    found = archive.cutouts(NAME, places, "3 arcsec")
    assert [piece is None for piece in found] == [False, True, False, False]
    for place, piece in zip(places, found, strict=True):
        if piece is not None:
            with piece, archive.cutout(NAME, place, "3 arcsec") as one:
                assert np.array_equal(one[0].data, piece[0].data)
    assert archive.cutouts(NAME, [(10.0, 10.0)], 0.01) == [None]
    assert archive.cutouts(NAME, [], 0.01) == []
    (single,) = archive.cutouts(NAME, [(RA, DEC)], 0.001)
    assert single is not None
    single.close()


def test_each_position_in_an_image_of_its_own(archive: Client) -> None:
    places = [(RA, DEC), (RA + 0.002, DEC), (10.0, 10.0), (RA, DEC), (RA, DEC - 0.001)]
    names = [TINY_IMAGES[number % 2] for number in range(5)]
    found = archive.cutouts(names, places, "3 arcsec")
    assert [piece is None for piece in found] == [False, False, True, False, False]
    for name, place, piece in zip(names, places, found, strict=True):
        if piece is not None:
            with piece, archive.cutout(name, place, "3 arcsec") as one:
                assert piece[0].header["FILTER"] == one[0].header["FILTER"]
                assert np.array_equal(one[0].data, piece[0].data)
    several = archive.cutouts(NAME, SkyCoord([RA, 10.0], [DEC, 10.0], unit="deg"), 3 * u.arcsec)
    assert [piece is None for piece in several] == [False, True]
    with pytest.raises(ParameterError, match="one for each"):
        archive.cutouts([NAME, NAME], places, "3 arcsec")
    with pytest.raises(NotFoundError, match="did you mean"):
        archive.cutouts([NAME, "tiny_acs_f606"], places[:2], "3 arcsec")
    with pytest.raises(PositionError):
        archive.cutouts(NAME, [(RA, DEC), (RA, 91.0)], "3 arcsec")


@pytest.mark.slow
def test_more_positions_than_one_request_takes(archive: Client) -> None:
    places = [(RA + step * 1e-5, DEC) for step in range(120)]
    found = archive.cutouts(NAME, places, "1 arcsec")
    assert len(found) == 120
    assert all(piece is not None for piece in found)
    for piece in found:
        piece.close()  # type: ignore[union-attr]  # as was just asserted


def test_what_is_wrong_is_told(archive: Client) -> None:
    with pytest.raises(NotFoundError, match="did you mean"):
        archive.cutouts("tiny_acs_f606", [(RA, DEC), (RA, DEC + 0.001)], 0.001)
    with pytest.raises(UsageError, match="polarisation"):
        archive.cutouts(NAME, [(RA, DEC)], 0.001, pol="I")
    with pytest.raises(ParameterError, match="pol"):
        archive.cutouts(NAME, [(RA, DEC)], 0.001, pol="Z")
    with pytest.raises(NotFoundError, match="no pixel"):
        archive.cutout(NAME, (RA, DEC), 0.001, band=(1e-9, 2e-9))
    with pytest.raises(UsageError, match="polarisation"):
        archive.cutout(NAME, (RA, DEC), 0.001, pol="I")
    with pytest.raises(NotFoundError, match="did you mean"):
        archive.links("tiny_acs_f606")


def test_a_piece_of_the_band_and_the_time(archive: Client, tmp_path: Path) -> None:
    with archive.cutout(
        NAME, band=(5e-7, np.inf), time=(52658.0, 52659.0), save=tmp_path / "all.fits"
    ) as piece:
        assert piece[0].shape == (48, 64)
    with fits.open(tmp_path / "all.fits") as saved:
        assert saved[0].shape == (48, 64)


def test_links(archive: Client) -> None:
    found = archive.links(NAME)
    assert list(found["semantics"])[:2] == ["#this", "#preview-image"]
    assert str(found["access_url"][0]).endswith("/file")
