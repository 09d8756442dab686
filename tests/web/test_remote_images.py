"""Images of an object store over HTTP: found, cut, drawn and fetched as those of a folder, through the real client."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.services.observations.conftest import write_image
from tests.systems.objects import object_server

from awe.cli import load_command
from awe.client import connect
from awe.errors import InputFileError, ServiceError
from awe.platform import Platform
from awe.settings import Settings


@pytest.mark.slow
def test_a_day_with_images_of_a_store(tmp_path: Path) -> None:
    original = write_image(tmp_path / "served" / "dr1", "m87.fits", shape=(300, 400))
    data = tmp_path / "archive"
    with object_server(tmp_path / "served") as server:
        arguments = ["images", "remote", f"{server.url}/dr1", "--data", str(data)]
        made = CliRunner().invoke(load_command("publish"), arguments)
        assert made.exit_code == 0, made.output
        assert "1 dataset" in made.output
        with connect(data) as archive:
            assert list(archive.images("187.7 12.39")["obs_id"]) == ["m87"]
            with archive.cutout("m87", "187.7 12.39", "20 arcsec") as hdus:
                assert hdus[0].data.shape == (40, 40)
            assert archive.preview("m87", size=64).startswith(b"\x89PNG")
            assert archive.dataset("m87")["path"] is None
            copy = archive.path("m87")
            assert copy.read_bytes() == original.read_bytes()
            place = "/api/datasets/m87/file"
            raw = original.read_bytes()
            for wanted, expected in {
                "bytes=10-19": raw[10:20],
                "bytes=-7": raw[-7:],
                f"bytes={len(raw) - 3}-": raw[-3:],
                "bytes=0-1,5-6": raw,
            }.items():
                with archive.transport.stream("GET", place, headers={"Range": wanted}) as answer:
                    assert answer.read() == expected
                    assert answer.status_code == (200 if expected is raw else 206)
            with (
                pytest.raises(ServiceError, match="416"),
                archive.transport.stream("GET", place, headers={"Range": f"bytes={len(raw)}-"}),
            ):
                pass
        with (
            Platform.open(Settings.load(data)) as platform,
            pytest.raises(InputFileError, match="object store"),
        ):
            platform.hips.make("remote")
