"""Files of which nobody says how long they are: what is kept of them, and of whose."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from awe.errors import AuthenticationError, ConflictError, LimitError, NotFoundError, QuotaError
from awe.platform import Platform
from awe.services.identity import ANONYMOUS, Identity
from awe.testing import tiny_settings, with_schema

pytestmark = pytest.mark.slow

ADA, EVE = Identity("ada"), Identity("eve")


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    limits = {"uploads": {"file_bytes": 100, "files": 3}, "quotas": {"storage_bytes": 150}}
    settings = tiny_settings(with_schema(tmp_path), **limits)
    with Platform.open(settings) as opened:
        for name in ("ada", "eve"):
            opened.accounts.add(name, by="local:test", password="correct horse")
        yield opened


def content(platform: Platform, who: Identity, file: str) -> bytes:
    with platform.uploads.staged(who, file) as path:
        return path.read_bytes()


def test_pieces_add_up_and_the_file_is_forgotten(platform: Platform) -> None:
    platform.uploads.stage(ADA, "a.csv", b"old", first=True)
    platform.uploads.stage(ADA, "a.csv", b"n\n1\n", first=True)
    platform.uploads.stage(ADA, "a.csv", b"2\n", first=False)
    with platform.uploads.staged(ADA, "a.csv") as path:
        assert (path.name, path.read_bytes()) == ("a.csv", b"n\n1\n2\n")
    assert platform.uploads.uploads(ADA) == ()
    with pytest.raises(NotFoundError, match=r"no file a\.csv was sent"):
        content(platform, ADA, "a.csv")


def test_files_are_their_sender_s(platform: Platform) -> None:
    platform.uploads.stage(ADA, "a.csv", b"of ada", first=True)
    with pytest.raises(NotFoundError):
        content(platform, EVE, "a.csv")
    platform.uploads.stage(EVE, "a.csv", b"of eve", first=True)
    assert (content(platform, ADA, "a.csv"), content(platform, EVE, "a.csv")) == (b"of ada", b"of eve")
    with pytest.raises(AuthenticationError):
        platform.uploads.stage(ANONYMOUS, "a.csv", b"x", first=True)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..", ".", "a\0b", "a/b\\c"])
def test_a_name_is_no_path(platform: Platform, name: str) -> None:
    platform.uploads.stage(ADA, name, b"x", first=True)
    with platform.uploads.staged(ADA, name) as path:
        assert path.resolve().is_relative_to(platform.settings.folder)
        assert path.read_bytes() == b"x"


def test_a_file_with_a_hole_is_none(platform: Platform) -> None:
    with pytest.raises(ConflictError, match="the beginning of"):
        platform.uploads.stage(ADA, "a.csv", b"x", first=False)
    platform.uploads.stage(ADA, "a.csv", b"x" * 60, first=True)
    with pytest.raises(LimitError):
        platform.uploads.stage(ADA, "a.csv", b"x" * 60, first=False)
    with pytest.raises(ConflictError):
        platform.uploads.stage(ADA, "a.csv", b"x", first=False)
    with pytest.raises(NotFoundError):
        content(platform, ADA, "a.csv")


def test_they_count_for_the_quota(platform: Platform) -> None:
    platform.uploads.stage(ADA, "a.csv", b"x" * 90, first=True)
    with pytest.raises(QuotaError):
        platform.uploads.stage(ADA, "b.csv", b"x" * 90, first=True)
    platform.uploads.stage(ADA, "b.csv", b"x" * 30, first=True)
    platform.uploads.stage(ADA, "c.csv", b"x", first=True)
    with pytest.raises(LimitError, match="3 of your files wait"):
        platform.uploads.stage(ADA, "d.csv", b"x", first=True)
    assert len(platform.uploads.uploads(ADA)) == 3
