"""Images that lie on a server of files: published, cut, and read in ranges, as those of a folder are."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from tests.services.observations.conftest import Archive, open_archive, write_image
from tests.systems.objects import ObjectServer, object_server

from awe.core.science.cutout import Wanted
from awe.core.sky import Circle
from awe.errors import InputFileError
from awe.services.observations import Criteria
from awe.services.observations.objects import Objects, address_of, is_object
from awe.services.observations.storage import Storage

SHAPE = (1500, 1500)
HERE = Circle(187.7, 12.39, 20.3 / 3600)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ObjectServer]:
    folder = tmp_path / "served" / "dr1"
    plain = write_image(folder, "plain.fits", shape=SHAPE)
    with fits.open(plain) as hdus:
        for name, shape in {"tiles": (100, 100), "rows": (1, 1500)}.items():
            image = fits.CompImageHDU(
                hdus[0].data, hdus[0].header, compression_type="RICE_1", tile_shape=shape
            )
            (folder / name).mkdir()
            fits.HDUList([fits.PrimaryHDU(), image]).writeto(folder / name / f"{name}.fits")
    (folder / "notes.txt").write_text("no image")
    (folder / ".hidden.fits").write_bytes(b"")
    (folder / "broken.fits").write_bytes(plain.read_bytes()[:100_000])
    with object_server(tmp_path / "served") as served:
        yield served


def pixels(archive: Archive, name: str, wanted: Wanted | None = None) -> np.ndarray:
    piece = archive.observations.cutout(name, wanted or Wanted(HERE))
    assert piece is not None
    with piece.open() as hdus:
        return next(np.array(hdu.data) for hdu in hdus if hdu.shape)


@pytest.mark.slow
def test_images_of_a_server_are_published_and_cut(
    archive: Archive, server: ObjectServer, tmp_path: Path
) -> None:
    report = archive.observations.publish("remote", Path(f"{server.url}/dr1"))
    assert archive.names(Criteria(collections=("remote",))) == {"plain", "tiles", "rows"}
    assert [(r.file, "truncated" in r.reason) for r in report.rejected] == [("broken.fits", True)]
    local, close = open_archive(tmp_path / "local")
    local.observations.publish("remote", server.folder / "dr1")
    for name in ("plain", "tiles", "rows"):
        whole = (server.folder / "dr1" / f"{name}.fits", server.folder / "dr1" / name / f"{name}.fits")
        before, size = server.sent, next(p for p in whole if p.exists()).stat().st_size
        np.testing.assert_array_equal(pixels(archive, name), pixels(local, name))
        assert server.sent - before < size / 3  # headers, descriptors, and what the cutout needs
        before = server.sent
        np.testing.assert_array_equal(pixels(archive, name), pixels(local, name))
        assert server.sent - before < size / 8
    close()
    assert archive.observations.publish("remote", Path(f"{server.url}/dr1")).unchanged == 3


@pytest.mark.slow
def test_a_server_that_is_down_or_has_lost_a_file_is_said_plainly(
    archive: Archive, server: ObjectServer
) -> None:
    archive.observations.publish("remote", Path(f"{server.url}/dr1"))
    server.down = True
    with pytest.raises(InputFileError, match=r"plain\.fits: the store cannot be read"):
        pixels(archive, "plain")
    with pytest.raises(InputFileError, match="store"):
        archive.observations.publish("remote", Path(f"{server.url}/dr1"))
    assert archive.names(Criteria(collections=("remote",))) == {"plain", "tiles", "rows"}
    server.down = False
    with pytest.raises(InputFileError, match=r"not in the store|no files"):
        archive.observations.publish("remote", Path(f"{server.url}/dr2"))


def test_ranges_are_those_that_were_asked_for(server: ObjectServer) -> None:
    path = Path(f"{server.url}/dr1/plain.fits")
    content = (server.folder / "dr1" / "plain.fits").read_bytes()
    wanted = [(0, 10), (5_000_000, 1), (200_000, 5), (20, 4), (100_000, 5_500_000), (7, 0)]
    with Objects({}).open(path) as source:
        assert source.read(wanted) == [content[place : place + count] for place, count in wanted]
        assert source.read([]) == []
        with pytest.raises(EOFError):
            source.read([(len(content) - 5, 6)])
        with source.stream() as stream:
            assert stream.read(30) == content[:30]
    asked = [count for method, _, count in server.asked if method == "GET"]
    assert max(asked) <= 4 << 20


def test_addresses_are_paths(tmp_path: Path) -> None:
    path = Path("s3://bucket/folder/image.fits")
    assert is_object(path)
    assert address_of(path) == "s3://bucket/folder/image.fits"
    assert Path(str(path)) == path
    assert not is_object(tmp_path)
    assert not is_object(Path("a.fits"))
    with pytest.raises(InputFileError, match="no such kind of store"):
        Storage().stat(Path("nothing://a/b.fits"))


def test_other_stores_are_named_by_their_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec = pytest.importorskip("fsspec")
    system = fsspec.filesystem("memory")
    system.pipe("/survey/a.fits", b"0123456789")
    storage = Storage()
    (path,) = storage.objects(Path("memory://survey"))
    with monkeypatch.context() as patch:
        patch.setattr(type(system), "info", lambda *_: pytest.fail("the list has told it"))
        assert storage.stat(path) == (10, system.created("/survey/a.fits").timestamp())
    with storage.open(path) as source:
        assert source.read([(2, 3), (9, 1)]) == [b"234", b"9"]
    with storage.local(path) as copy:
        assert copy.read_bytes() == b"0123456789"
    system.rm("/survey/a.fits")
