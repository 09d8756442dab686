import os
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from tests.core.science.conftest import header, noise, tangent

from awe.core.science.layout import Layout
from awe.core.science.source import Source, open_local
from awe.errors import InputFileError
from awe.services.observations.layouts import Layouts


def image(path: Path, add: float = 0.0) -> Path:
    part = path.with_suffix(".part")
    fits.HDUList([fits.PrimaryHDU(noise() + np.float32(add), header(tangent()))]).writeto(part)
    part.replace(path)
    return path


def corner(layouts: Layouts, path: Path) -> float:
    with layouts.open(path) as (layout, reader):
        return float(reader.pixels(layout.images[0], (slice(0, 1, 1), slice(0, 1, 1)))[0, 0])


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    original = Layout.read.__func__  # type: ignore[attr-defined]

    def counted(cls: type[Layout], source: Source) -> Layout:
        names.append(source.name)
        found: Layout = original(cls, source)
        return found

    monkeypatch.setattr(Layout, "read", classmethod(counted))
    return names


def test_a_file_is_parsed_once_until_it_changes(tmp_path: Path, parsed: list[str]) -> None:
    layouts, path = Layouts(1 << 20), image(tmp_path / "a.fits")
    assert corner(layouts, path) == corner(layouts, path) == noise()[0, 0]
    assert parsed == ["a.fits"]
    image(path, 1.0)
    assert corner(layouts, path) == pytest.approx(noise()[0, 0] + 1.0)
    assert parsed == ["a.fits"] * 2


def test_memory_is_bounded_and_the_latest_stay(tmp_path: Path, parsed: list[str]) -> None:
    paths = [image(tmp_path / f"{name}.fits") for name in "abc"]
    with open_local(paths[0]) as source:
        size = Layout.read(source).size
    parsed.clear()
    layouts = Layouts(2 * size + size // 2)
    for path in (*paths[:2], paths[0], paths[2], paths[0], paths[1]):
        corner(layouts, path)
    assert parsed == ["a.fits", "b.fits", "c.fits", "b.fits"]
    small = Layouts(size - 1)
    assert corner(small, paths[0]) == corner(small, paths[0])


def test_a_file_replaced_between_two_looks_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = image(tmp_path / "a.fits")
    original = Layout.read.__func__  # type: ignore[attr-defined]

    def meanwhile(cls: type[Layout], source: Source) -> Layout:
        image(path, 1.0)
        found: Layout = original(cls, source)
        return found

    monkeypatch.setattr(Layout, "read", classmethod(meanwhile))
    with pytest.raises(InputFileError, match="replaced"):
        corner(Layouts(1 << 20), path)


def test_files_cut_short_or_gone(tmp_path: Path) -> None:
    layouts, path = Layouts(1 << 20), image(tmp_path / "a.fits")
    corner(layouts, path)
    os.truncate(path, 2880 * 2)
    with pytest.raises(InputFileError, match=r"a\.fits"), layouts.open(path) as (layout, reader):
        reader.pixels(layout.images[0], (slice(299, 300, 1), slice(0, 400, 1)))
    path.unlink()
    with pytest.raises(InputFileError, match="cannot be read"), layouts.open(path):
        pass


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"RA---TAN", b"NOTHING-", "no image of the sky|celestial|coordinates"),
        (b"TFORM1  = '", b"TFORM1  = (", "headers cannot be read|not a FITS file"),
        (b"TTYPE1  = '", b"TTYPE1  = (", "headers cannot be read|not a FITS file"),
    ],
)
def test_files_whose_headers_were_damaged(tmp_path: Path, old: bytes, new: bytes, reason: str) -> None:
    path = tmp_path / "packed.fits"
    header = fits.getheader(image(tmp_path / "plain.fits"))
    fits.CompImageHDU(np.ones((20, 20), "f4"), header).writeto(path)
    raw = path.read_bytes()
    assert old in raw
    at = raw.index(old)
    path.write_bytes(raw[:at] + new + raw[at + len(new) :])
    with pytest.raises(InputFileError, match=f"packed.fits.*({reason})"), Layouts(1 << 20).open(path):
        pass
