"""Files of one's own as the Data Lab's client sends and fetches them: streams, tickets, and what others may not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from awe.platform import Platform
from awe.services.identity import READ, SCOPES
from awe.services.space import NodePath
from awe.testing import log_in, tiny_archive
from awe.web import build_app

ROOT = "/datalab/storage"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("files")
    with tiny_archive(
        folder, limits={"upload_bytes": 100_000}, space={"services": {"sky_images": "tiny"}}
    ) as platform:
        for name in ("ada", "bob"):
            platform.accounts.add(name, by="local:test")
        yield platform


@pytest.fixture(scope="module")
def client(archive: Platform) -> Iterator[TestClient]:
    with TestClient(build_app(archive), raise_server_exceptions=False, follow_redirects=False) as opened:
        yield opened


def known(platform: Platform, name: str = "ada") -> dict[str, str]:
    return {"X-DL-AuthToken": log_in(platform, name)}


def send(client: TestClient, name: str, content: Any, headers: dict[str, str]) -> Any:
    asked = client.get(f"{ROOT}/put?name={name}", headers=headers)
    assert asked.status_code == 200, asked.text
    where = urlsplit(asked.text)
    return client.put(f"{where.path}?{where.query}", content=content, headers=headers)


def test_a_file_of_any_size_comes_through(client: TestClient, archive: Platform) -> None:
    """A request's body has a limit here; a file is taken as it comes and has its own."""
    pieces = [bytes([n]) * 300_000 for n in range(10)]
    assert send(client, "vos://large", iter(pieces), known(archive)).status_code == 201
    with archive.space.open(NodePath("ada", ("large",)), archive.identity.known("ada")) as content:
        assert content.read() == b"".join(pieces)


@pytest.mark.parametrize("name", ["a b", "a+b", "ä", "100%25", "~x", "-rf", ".hidden", "..x", "CON", "a'b"])
def test_names_are_as_they_are_written(client: TestClient, archive: Platform, name: str) -> None:
    headers = known(archive)
    assert send(client, f"vos://{name}", b"text", headers).status_code == 201
    kept = name.replace("%25", "%")
    assert kept in client.get(f"{ROOT}/ls?name=vos://&format=ascii", headers=headers).text.splitlines()
    place = client.get(f"{ROOT}/get?name=vos://{name}", headers=headers).text
    answer = client.get(place)
    assert (answer.status_code, answer.text) == (200, "text")
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert client.get(f"{ROOT}/rm?file=vos://{name}", headers=headers).status_code == 204


def test_a_ticket_opens_one_file_for_a_while(client: TestClient, archive: Platform) -> None:
    headers = known(archive)
    send(client, "vos://mine", b"mine", headers)
    address = client.get(f"{ROOT}/get?name=vos://mine", headers=headers).text
    assert client.get(address).text == "mine"
    assert client.get(address, headers=known(archive, "bob")).text == "mine"
    for wrong in (address[:-4] + "AAAA", address.replace("fetch?ticket=", "fetch?ticket=x"), f"{ROOT}/fetch"):
        answer = client.get(wrong)
        assert answer.status_code in {400, 401}
        assert answer.text.startswith("Error: ")
    other = client.get(f"{ROOT}/get?name=ada://mine", headers=known(archive, "bob")).text
    assert client.get(other, headers=headers).status_code == 404
    client.get(f"{ROOT}/rm?file=vos://mine", headers=headers)
    assert client.get(address).status_code == 404


def test_tickets_are_not_in_the_log(
    client: TestClient, archive: Platform, caplog: pytest.LogCaptureFixture
) -> None:
    address = client.get(f"{ROOT}/get?name=vos://mine", headers=known(archive)).text
    with caplog.at_level("INFO", logger="awe.access"):
        client.get(address)
    said = " ".join(record.getMessage() for record in caplog.records)
    assert "fetch?ticket=***" in said
    assert address.partition("ticket=")[2][:20] not in said


def test_a_file_that_cannot_be_kept_says_so_to_a_client_that_looks_at_nothing(
    client: TestClient, archive: Platform
) -> None:
    headers = known(archive)
    answer = client.put(f"{ROOT}/upload?name=vos://nix/x", content=b"text", headers=headers)
    assert answer.status_code == 307
    assert answer.headers["location"] == "refused:/there-is-no-ada/nix"
    asked = client.get(f"{ROOT}/put?name=vos://nix/x", headers=headers)
    assert (asked.status_code, asked.text.splitlines()[0]) == (
        500,
        "A Container does not exist with the requested URI",
    )


def test_no_page_acts_with_a_cookie(client: TestClient, archive: Platform) -> None:
    cookie = {"Cookie": f"awe_token={log_in(archive, 'ada')}"}
    send(client, "vos://kept", b"text", known(archive))
    for address in (
        "rm?file=vos://kept",
        "mv?from=vos://kept&to=vos://x",
        "mkdir?dir=vos://d",
        "put?name=vos://y",
    ):
        assert client.get(f"{ROOT}/{address}", headers=cookie).status_code == 401
    assert client.put(f"{ROOT}/upload?name=vos://kept", content=b"", headers=cookie).status_code in {401, 403}
    reader = archive.identity.new_token(archive.identity.known("ada"), "reads", frozenset({READ}), days=1.0)[
        0
    ]
    assert client.get(f"{ROOT}/rm?file=vos://kept", headers={"X-Auth-Token": reader}).status_code == 403
    assert READ in SCOPES


def test_published_files_have_the_names_that_the_operator_gives(client: TestClient, tmp_path: Path) -> None:
    names = "tiny_acs_f606w_drz.fits,tiny_acs_f814w_drz.fits"
    for name in ("tiny", "sky_images", "SKY_IMAGES"):
        assert client.get(f"{ROOT}/ls?name={name}://").text == names
    place = client.get(f"{ROOT}/get?name=sky_images://tiny_acs_f606w_drz.fits").text
    answer = client.get(place)
    assert answer.content[:9] == b"SIMPLE  ="
    assert int(answer.headers["content-length"]) == len(answer.content)
    for wrong in ("tiny://../sources.toml", "tiny:///etc/passwd", "tiny://tiny-images", "nix://"):
        assert client.get(f"{ROOT}/ls?name={wrong}").status_code in {400, 404}
    assert not list(tmp_path.iterdir())


def test_lists_have_their_formats(client: TestClient, archive: Platform) -> None:
    headers = known(archive, "bob")
    assert client.get(f"{ROOT}/ls?name=", headers=headers).text == "public,tmp"
    for form in ("ascii", "short", "raw"):
        answer = client.get(f"{ROOT}/ls?name=vos:///&format={form}", headers=headers)
        assert answer.text == "public\ntmp\n"
    assert client.get(f"{ROOT}/ls?name=vos://&format=xml", headers=headers).status_code == 400
    for address in ("access?name=vos://public&mode=x", "rm", "cp?from=vos://a", "rmdir?dir="):
        assert client.get(f"{ROOT}/{address}", headers=headers).status_code == 400
