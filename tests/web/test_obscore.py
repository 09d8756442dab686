"""ObsCore 1.1 before its validator, with real images, spectra and light curves published."""

import shutil
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from awe.platform import Platform
from awe.testing import tiny_archive

pytestmark = pytest.mark.slow


def test_taplint_finds_nothing_wrong_with_real_observations(
    shared_data: Path, stilts: str, tmp_path: Path, serving: Callable[[Platform], AbstractContextManager[str]]
) -> None:
    curves = tmp_path / "curves"
    curves.mkdir()
    for path in (shared_data / "d_lightcurves").glob("k*.fits*"):
        shutil.copy(path, curves)
    with tiny_archive(tmp_path) as platform:
        for name in ("e_spectra", "a_hst_images"):
            assert platform.observations.publish(name, shared_data / name).published > 20
        assert platform.observations.publish("curves", curves).published == 5
        with serving(platform) as address:
            command = [
                stilts,
                "taplint",
                f"tapurl={address}/tap",
                "stages=TMV TME TMS TMC MDQ OBS",
                "report=EWF",
            ]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
    told = [line for line in done.stdout.splitlines() if line[:2] in {"E-", "W-", "F-"}]
    assert told == []
    assert "Errors: 0; Warnings: 0; Failures: 0" in done.stdout
