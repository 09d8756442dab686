"""Cutouts and links through the client, over the application in this process."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from awe.client import Client, Transport
from awe.errors import NotFoundError, UsageError
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
