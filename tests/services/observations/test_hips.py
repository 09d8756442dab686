"""HiPS made from images: reproject's values at every pixel, all that the standard asks for, and no half ones."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.wcs import WCS
from astropy_healpix import HEALPix
from mocpy import MOC
from PIL import Image
from reproject import reproject_interp
from tests.services.observations.conftest import AUTHORITY, Archive, write_image

from awe.core.science.hips import Tile
from awe.errors import ConflictError, NotFoundError, ParameterError
from awe.services.identity import GrantStore, Policy
from awe.services.observations import HipsService

pytestmark = pytest.mark.slow

PLACES = {
    "one": (187.7, 12.39, 0.4),
    "two": (187.75, 12.4, -1.0),
    "pole": (10.0, 89.95, 0.2),
    "zero": (0.0, -41.8, 2.0),
}
REQUIRED = {
    "creator_did", "obs_title", "dataproduct_type", "hips_version", "hips_release_date", "hips_status",
    "hips_tile_format", "hips_order", "hips_frame",
}  # fmt: skip
"""HiPS 1.0 section 4.4.1."""


def _publish(archive: Archive, folder: Path) -> None:
    rng = np.random.default_rng(2)
    for name, (ra, dec, angle) in PLACES.items():
        path = write_image(
            folder, f"{name}.fits", ra, dec, angle=angle, scale_arcsec=4.0, shape=(90, 120),
            FILTER="F814W" if name != "two" else "F606W", BUNIT="adu",
        )  # fmt: skip
        with fits.open(path, mode="update") as hdus:
            y, x = np.mgrid[:90, :120]
            hdus[0].data = (100 + np.hypot(x - 30, y - 60) + rng.normal(0, 0.1, (90, 120))).astype(np.float32)
            hdus[0].data[:5, :7] = np.nan
    archive.observations.publish("deep", folder)


@pytest.fixture
def hips(archive: Archive, tmp_path: Path) -> HipsService:
    _publish(archive, tmp_path / "in")
    return HipsService(archive.system, tmp_path / "hips", AUTHORITY, Policy(GrantStore(archive.system)))


def _tiles(folder: Path, ending: str = "fits") -> dict[Tile, Path]:
    found = {}
    for path in folder.glob(f"Norder*/Dir*/Npix*.{ending}"):
        tile = Tile(int(path.parts[-3].removeprefix("Norder")), int(path.stem.removeprefix("Npix")))
        assert path == folder / f"{tile.path}.{ending}"
        found[tile] = path
    return found


def test_pixels_are_those_that_reproject_finds(hips: HipsService, tmp_path: Path) -> None:
    made = hips.make("deep", workers=1)
    root = tmp_path / "hips" / "deep"
    deepest = int(made.properties["hips_order"])
    assert deepest == 7  # 3.2 arcsec for pixels of 4
    sources = []
    for name in PLACES:
        with fits.open(tmp_path / "in" / f"{name}.fits") as hdus:
            sources.append((hdus[0].data.astype(float), WCS(hdus[0].header)))
    compared = 0
    for tile, path in _tiles(root).items():
        if tile.order != deepest:
            continue
        with fits.open(path) as hdus:
            ours, header = hdus[0].data, hdus[0].header
        layers = [reproject_interp(source, header, return_footprint=False) for source in sources]
        counts = np.isfinite(layers).sum(axis=0)
        alone = counts == 1  # pixels well inside one image: what is done at edges differs
        theirs = np.nansum(layers, axis=0)
        both = alone & np.isfinite(ours)
        assert np.abs(ours - theirs)[both].max(initial=0) < 0.02
        overlap = (counts == 2) & np.isfinite(ours)
        assert np.abs(ours - theirs / 2)[overlap].max(initial=0) < 0.02
        assert (np.isfinite(ours) | (counts == 0)).mean() > 0.999
        compared += int(both.sum())
    covered = 4 * 85 * 115 * 16 / (3.221**2)
    assert compared > 0.5 * covered


def test_it_is_all_that_the_standard_asks_for(hips: HipsService, tmp_path: Path) -> None:
    made = hips.make("deep", order=4, formats=("png", "jpeg", "fits"), workers=1)
    root = tmp_path / "hips" / "deep"
    said = made.properties
    assert set(said) >= REQUIRED
    assert said["creator_did"] == f"ivo://{AUTHORITY}/hips/deep"
    assert (said["hips_version"], said["hips_frame"], said["dataproduct_type"]) == (
        "1.4",
        "equatorial",
        "image",
    )
    assert (said["hips_order"], said["hips_tile_width"], said["hips_tile_format"]) == (
        "4",
        "512",
        "png jpeg fits",
    )
    assert said["hips_bunit"] == "adu"
    tiles = _tiles(root)
    assert {tile.order for tile in tiles} == {0, 1, 2, 3, 4}
    assert set(_tiles(root, "png")) == set(_tiles(root, "jpg")) == set(tiles)
    for tile in tiles:
        if tile.order:
            assert Tile(tile.order - 1, tile.npix // 4) in tiles
    moc = MOC.from_fits(root / "Moc.fits")
    deep = [tile.npix for tile in tiles if tile.order == 4]
    assert moc == MOC.from_healpix_cells(np.array(deep, np.uint64), np.full(len(deep), 4, np.uint8), 4)
    assert float(said["moc_sky_fraction"]) == pytest.approx(moc.sky_fraction, rel=1e-5)
    sky = HEALPix(16, order="nested")
    for ra, dec, _ in PLACES.values():
        assert int(sky.lonlat_to_healpix(ra * u.deg, dec * u.deg)) in deep
    with fits.open(root / "Norder3" / "Allsky.fits") as hdus:
        assert hdus[0].data.shape == (29 * 64, 27 * 64)
    for ending in ("png", "jpg"):
        with Image.open(root / "Norder3" / f"Allsky.{ending}") as drawn:
            assert drawn.size == (27 * 64, 29 * 64)
    with fits.open(root / "metadata.fits") as hdus:
        assert len(hdus[0].header["HISTORY"]) == 4
    low, high = map(float, said["hips_pixel_cut"].split())
    assert low < high


def test_a_coarser_order_averages_the_images(hips: HipsService, tmp_path: Path) -> None:
    """Order 5 has pixels of 13 arcsec, 3.2 times an image's: their mean is the mean of the image."""
    hips.make("deep", order=5, filters=["f606w"], formats=["fits"], workers=1)
    root = tmp_path / "hips" / "deep-f606w"
    pixels = np.concatenate([fits.getdata(p).ravel() for t, p in _tiles(root).items() if t.order == 5])
    with fits.open(tmp_path / "in" / "two.fits") as hdus:
        data = hdus[0].data
    assert np.nanmean(pixels) == pytest.approx(np.nanmean(data), rel=0.01)
    assert np.isfinite(pixels).sum() * 12.88**2 == pytest.approx(np.isfinite(data).sum() * 16, rel=0.1)
    assert not _tiles(root, "png")


def test_only_pictures_are_kept_where_only_they_are_asked_for(hips: HipsService, tmp_path: Path) -> None:
    hips.make("deep", name="pictures", order=3, formats=["jpeg"], workers=1)
    root = tmp_path / "hips" / "pictures"
    assert not _tiles(root)
    assert _tiles(root, "jpg")
    assert not (root / "Norder3" / "Allsky.fits").exists()
    assert not list(root.rglob(".*"))


class _StoppedError(Exception):
    pass


def test_what_was_interrupted_goes_on_and_nothing_half_is_seen(hips: HipsService, tmp_path: Path) -> None:
    first = hips.make("deep", order=3, workers=1)
    calls: list[tuple[str, int, int | None]] = []

    def stop(what: str, done: int, total: int | None) -> None:
        calls.append((what, done, total))
        if what.startswith("making tiles") and done == 3:
            raise _StoppedError

    with pytest.raises(_StoppedError):
        hips.make("deep", order=6, workers=1, progress=stop)
    assert hips.get("deep") == first  # whoever reads has the old one
    assert [one.name for one in hips.all()] == ["deep"]
    calls.clear()
    made = hips.make("deep", order=6, workers=1, progress=lambda *told: calls.append(told))
    assert calls[0][1] == 3  # so many are there already
    assert made.properties["hips_order"] == "6"
    assert hips.get("deep") == made
    versions = [p.name for p in (tmp_path / "hips" / ".versions").iterdir()]
    assert len(versions) == 1


def test_one_at_a_time(hips: HipsService) -> None:
    def again(what: str, done: int, total: int | None) -> None:
        with pytest.raises(ConflictError, match="another process"):
            hips.make("deep", order=3, workers=1)

    hips.make("deep", order=3, workers=1, progress=again)


def test_what_cannot_be_made_is_said(hips: HipsService) -> None:
    with pytest.raises(NotFoundError, match="did you mean deep"):
        hips.make("deeep")
    with pytest.raises(NotFoundError, match="F606W, F814W"):
        hips.make("deep", filters=["F999W"])
    wrongs: list[dict[str, Any]] = [
        {"order": 21}, {"formats": ["gif"]}, {"formats": []}, {"name": "../x"}, {"name": ".x"},
    ]  # fmt: skip
    for wrong in wrongs:
        with pytest.raises(ParameterError):
            hips.make("deep", **wrong)
    with pytest.raises(NotFoundError, match="no HiPS is called"):
        hips.get("deep")
    assert hips.all() == []


def test_only_files_of_a_hips_are_found(hips: HipsService, tmp_path: Path) -> None:
    hips.make("deep", order=3, workers=1)
    assert hips.file("deep", "properties").is_file()
    for path in (
        "",
        "plan",
        "../deep/properties",
        "Norder3",
        "Norder3/Dir0/Npix0.fits",
        "Norder3/Dir0/../Allsky.fits",
    ):
        with pytest.raises(NotFoundError):
            hips.file("deep", path)
    for name in ("..", ".versions", "deep/../deep", "deeep"):
        with pytest.raises(NotFoundError):
            hips.file(name, "properties")
    hips.drop("deep")
    assert hips.all() == []
    assert not list((tmp_path / "hips" / ".versions").iterdir())
    with pytest.raises(NotFoundError):
        hips.drop("deep")


def test_several_processes_make_the_same(hips: HipsService, tmp_path: Path) -> None:
    hips.make("deep", name="alone", workers=1)
    hips.make("deep", name="together", workers=2)
    alone, together = (_tiles(tmp_path / "hips" / name) for name in ("alone", "together"))
    assert alone.keys() == together.keys()
    for tile, path in alone.items():
        assert path.read_bytes() == together[tile].read_bytes()
