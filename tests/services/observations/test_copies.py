"""Images in large tiles are copied when they are published, and their cutouts come from the copies."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from tests.services.observations.conftest import Archive, open_archive, write_image

from awe.core.science.cutout import Wanted
from awe.core.science.tiles import Tiles
from awe.core.sky import Circle
from awe.services.observations import Copies
from awe.services.observations.scanning import Journal

pytestmark = pytest.mark.slow

SHAPE = (300, 1200)


def by_rows(folder: Path, name: str, seed: int = 1) -> Path:
    plain = write_image(folder, "plain.fits", shape=SHAPE)
    with fits.open(plain) as hdus:
        pixels = np.random.default_rng(seed).normal(100, 5, SHAPE).astype(np.float32)
        image = fits.CompImageHDU(
            pixels, hdus[0].header, compression_type="RICE_1", tile_shape=(1, SHAPE[1]), quantize_method=1
        )
        fits.HDUList([fits.PrimaryHDU(), image]).writeto(folder / name, overwrite=True)
    plain.unlink()
    return folder / name


def copies(folder: Path) -> list[Path]:
    return sorted((folder / "archive" / "tiles").glob("*/*"))


def middle(path: Path) -> tuple[Circle, np.ndarray]:
    with fits.open(path) as hdus:
        number = 0 if hdus[0].shape else 1
        ra, dec = WCS(hdus[number].header).all_pix2world([[600.3, 150.3]], 0)[0]
        return Circle(ra, dec, 20.2 / 3600), np.array(hdus[number].data)


def cut(archive: Archive, path: Path) -> np.ndarray:
    where, _ = middle(path)
    piece = archive.observations.cutout(path.name.partition(".")[0], Wanted(where))
    assert piece is not None
    with piece.open() as hdus:
        return next(np.array(hdu.data) for hdu in hdus if hdu.shape)


@pytest.fixture
def only_small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no tile of whole rows be unpacked."""
    original = Tiles._decoded

    def checked(self: Tiles, raw: bytes, shape: tuple[int, ...]) -> np.ndarray:
        assert max(shape) <= 128
        return original(self, raw, shape)

    monkeypatch.setattr(Tiles, "_decoded", checked)


def expected(path: Path) -> np.ndarray:
    return middle(path)[1][131:171, 581:621]


def test_cutouts_come_from_the_copy(archive: Archive, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    path = by_rows(tmp_path / "images", "rows.fits")
    told: list[str] = []
    archive.observations.publish("hla", path.parent, progress=lambda what, *_: told.append(what))
    assert told[-1] == "copying images in smaller tiles"
    assert len(copies(tmp_path)) == 1
    request.getfixturevalue("only_small_tiles")
    np.testing.assert_array_equal(cut(archive, path), expected(path))


def test_a_gzipped_file_is_not_unpacked_for_each_cutout(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = write_image(tmp_path / "images", "m.fits", shape=SHAPE)
    path = plain.with_suffix(".fits.gz")
    path.write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    archive.observations.publish("hla", path.parent)
    cut(archive, path)
    monkeypatch.setattr(fits, "open", lambda *_, **__: pytest.fail("astropy opens it"))
    where = Circle(187.7, 12.39, 20 / 3600)
    assert archive.observations.cutout("m", Wanted(where)) is not None


def test_a_file_that_has_changed_is_read_itself_until_it_is_published_again(
    archive: Archive, tmp_path: Path
) -> None:
    path = by_rows(tmp_path / "images", "rows.fits")
    archive.observations.publish("hla", path.parent)
    before = copies(tmp_path)
    cut(archive, path)
    by_rows(path.parent, "rows.fits", seed=2)
    os.utime(path, (1, 1))
    np.testing.assert_array_equal(cut(archive, path), expected(path))
    archive.observations.publish("hla", path.parent)
    after = copies(tmp_path)
    assert len(after) == 1
    assert after != before
    np.testing.assert_array_equal(cut(archive, path), expected(path))


def test_copies_go_with_their_collection_and_come_back(archive: Archive, tmp_path: Path) -> None:
    path = by_rows(tmp_path / "images", "rows.fits")
    other = by_rows(tmp_path / "others", "other.fits")
    archive.observations.publish("hla", path.parent)
    archive.observations.publish("others", other.parent)
    assert len(copies(tmp_path)) == 2
    archive.observations.drop("hla")
    assert len(copies(tmp_path)) == 1
    copies(tmp_path)[0].unlink()
    np.testing.assert_array_equal(cut(archive, other), expected(other))
    report = archive.observations.publish("others", other.parent)
    assert report.unchanged == 1
    assert len(copies(tmp_path)) == 1


def test_an_operator_may_do_without(tmp_path: Path) -> None:
    archive, close = open_archive(tmp_path / "archive", retile=False)
    path = by_rows(tmp_path / "images", "rows.fits")
    archive.observations.publish("hla", path.parent)
    assert copies(tmp_path) == []
    np.testing.assert_array_equal(cut(archive, path), expected(path))
    close()
    archive, close = open_archive(tmp_path / "archive")
    assert archive.observations.publish("hla", path.parent).unchanged == 1
    assert len(copies(tmp_path)) == 1
    close()


def test_a_damaged_image_has_no_copy_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = by_rows(tmp_path, "rows.fits")
    raw = bytearray(path.read_bytes())
    raw[40_000:60_000] = b"\xff" * 20_000
    path.write_bytes(raw[:100_000])
    made = Copies(tmp_path / "tiles", made=True)
    made.make(path, 1, 2.0)
    assert list((tmp_path / "tiles").glob("*/*")) == []


def test_what_was_read_before_an_interruption_is_still_known_to_have_large_tiles(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = by_rows(tmp_path / "images", "rows.fits")

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Copies, "make", stop)
        with pytest.raises(KeyboardInterrupt):
            archive.observations.publish("hla", path.parent)
    journal = Journal(tmp_path / "archive" / "observations" / "hla.journal", "")
    known = journal.get(path)
    assert known is not None
    assert known.large_tiles
    archive.observations.publish("hla", path.parent)
    assert len(copies(tmp_path)) == 1
