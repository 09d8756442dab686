"""What callers may see is remembered, and no longer than it is true."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from awe.errors import NotFoundError
from awe.services.identity import ANONYMOUS, Identity, Policy, Remembered
from awe.services.identity.stores import GrantStore
from awe.services.identity.stores.grants import Grant
from awe.services.system import SystemDatabase

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    """What `Remembered` asks of the policy, where no grant ends."""

    def now(self) -> datetime:
        return NOON

    def next_end(self) -> datetime | None:
        return None


class Archive:
    """Answers with how often it was asked, and changes when it is told."""

    def __init__(self, most: int = 10) -> None:
        self.state, self.asked, self.clock = 0, list[str](), Clock()
        self.known = Remembered(self.find, lambda: self.state, self.clock, most=most)  # type: ignore[arg-type]

    def find(self, name: str) -> int:
        self.asked.append(name)
        if name == "none":
            raise NotFoundError("there is none")
        return len(self.asked)


def test_answers_are_found_once_until_something_changes() -> None:
    archive = Archive()
    assert [archive.known.of("a"), archive.known.of("a"), archive.known.of("b")] == [1, 1, 2]
    archive.state = 1
    assert [archive.known.of("a"), archive.known.of("a")] == [3, 3]


def test_what_changes_while_it_is_found_is_found_again() -> None:
    archive = Archive()
    find = archive.find

    def slow(name: str) -> int:
        archive.state += 1
        return find(name)

    archive.known = Remembered(slow, lambda: archive.state, archive.clock, most=10)  # type: ignore[arg-type]
    assert [archive.known.of("a"), archive.known.of("a")] == [1, 2]


def test_it_is_found_out_again_when_something_changed_or_a_grant_ended(tmp_path: Path) -> None:
    system = SystemDatabase.in_folder(tmp_path)
    system.migrate()
    moment = [NOON]
    grants = GrantStore(system)
    asked: list[Identity] = []

    def find(identity: Identity) -> int:
        asked.append(identity)
        return len(asked)

    known = Remembered(find, system.stamp, Policy(grants, now=lambda: moment[0]), most=10)
    someone = Identity("someone")
    assert [known.of(one) for one in (ANONYMOUS, ANONYMOUS, someone, someone, ANONYMOUS)] == [1, 1, 2, 2, 1]
    end = NOON + timedelta(hours=1)
    grants.add(Grant("g", "table", "s.t", "read", "user:someone", "other", NOON, end))
    assert [known.of(someone), known.of(someone)] == [3, 3]
    moment[0] = end + timedelta(seconds=1)
    assert known.of(someone) == 4
    system.close()


def test_refusals_are_not_remembered_and_the_oldest_answers_leave() -> None:
    archive = Archive(most=2)
    for _ in range(2):
        with pytest.raises(NotFoundError):
            archive.known.of("none")
    assert archive.asked == ["none", "none"]
    archive.asked.clear()
    for name in "abcca":
        archive.known.of(name)
    assert archive.asked == ["a", "b", "c", "a"]
