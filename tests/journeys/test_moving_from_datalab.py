"""The page for those who come from Data Lab: every line of its Python is run by their own client, as it stands there."""

import re
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.systems.datalab import DataLabClient

pytestmark = pytest.mark.slow
PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "moving-from-data-lab.md"
THERE = "http://127.0.0.1:8765"


def blocks(language: str) -> str:
    return "\n".join(re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL))


def test_every_line_of_the_page(
    datalab_client: DataLabClient,
    service: Any,
    up: Callable[..., Any],
    awe: Callable[..., Any],
    tmp_path: Path,
) -> None:
    """The other archive of the page is here a second server over the same sky."""
    made = awe("admin", "user", "add", "maria", "--password", "correct horse", "--data", str(service.folder))
    assert made.returncode == 0, made.stderr
    profile = tomllib.loads(blocks("toml"))["tap"]["profiles"]["simbad"]
    more = {"URL": f"{service.url}/tap", "DESCRIPTION": profile["description"]}
    code = blocks("python")
    after = """
say(me=ac.whoAmI(), rows=len(frame), file=len(open("cone.fits", "rb").read()), left=qc.mydb_list(), status=qc.status(job))
say(cutout=str(deepest["access_url"]))
say(spectra=spectra.count, same=[one.specid for one in some.records] == numbers, numbers=len(numbers))
"""
    with up(service.folder, **{f"AWE_TAP__PROFILES__SIMBAD__{k}": v for k, v in more.items()}) as asked:
        said = datalab_client.run(asked.url, code.replace(THERE, asked.url) + after, tmp_path)
    assert (said["me"], said["status"], said["left"].strip()) == ("maria", "COMPLETED", "")
    assert said["rows"] > 0
    assert said["file"] % 2880 == 0
    assert "/datalab/svc/cutout?" in said["cutout"]
    assert (said["spectra"], said["numbers"], said["same"]) == (6, 9, True)


def test_the_four_files(datalab_client: DataLabClient, service: Any, tmp_path: Path) -> None:
    lines = blocks("sh").replace(THERE, service.url).replace("/tmp/", f"{tmp_path}/")
    subprocess.run(["bash", "-ec", lines], check=True)
    said = {file.name: file.read_text().strip() for file in tmp_path.glob("*_SVC_URL")}
    assert said == {
        f"{letter}M_SVC_URL": f"{service.url}/datalab/{name}"
        for letter, name in {"A": "auth", "Q": "query", "S": "storage", "R": "res"}.items()
    }
    # the client reads them in /tmp, where this machine's others would see them, too
    sources = Path(
        datalab_client.command(tmp_path, "python", "-c", "import dl; print(dl.__file__)").strip()
    ).parent
    for file, module in {
        "AM": "authClient",
        "QM": "queryClient",
        "SM": "storeClient",
        "RM": "resClient",
    }.items():
        assert f"{file}_SVC_URL" in (sources / f"{module}.py").read_text()
