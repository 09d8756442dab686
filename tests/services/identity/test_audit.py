from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from awe.services.identity import ORIGIN, AuditLog, AuditStore, Origin
from awe.services.system import SystemDatabase
from awe.testing import with_schema

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Clock:
    now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(tmp_path: Path, clock: Clock) -> Iterator[AuditLog]:
    system = SystemDatabase.in_folder(with_schema(tmp_path))
    system.migrate()
    yield AuditLog(AuditStore(system), clock)
    system.close()


def test_a_line_says_who_what_when_and_from_where(log: AuditLog) -> None:
    came = ORIGIN.set(Origin("192.0.2.7", "4711"))
    log.record("token.made", user="ann", target="user:ann", label="TOPCAT")
    ORIGIN.reset(came)
    (entry,) = log.entries()
    assert (entry.user, entry.address, entry.request, entry.at) == ("ann", "192.0.2.7", "4711", NOON)
    assert (entry.action, entry.target, entry.outcome) == ("token.made", "user:ann", "done")
    assert entry.details == {"label": "TOPCAT"}


def test_it_is_asked_by_who_what_and_when(log: AuditLog, clock: Clock) -> None:
    for user, action in (
        ("ann", "login"),
        ("bob", "token.made"),
        ("ann", "token.revoked"),
        ("ann", "tokenish"),
    ):
        log.record(action, user=user)
        clock.now += timedelta(hours=1)
    assert [e.action for e in log.entries(user="ann")] == ["tokenish", "token.revoked", "login"]
    assert [e.user for e in log.entries(action="token")] == ["ann", "bob"]
    assert [e.action for e in log.entries(since=NOON + timedelta(hours=2))] == ["tokenish", "token.revoked"]
    assert [e.action for e in log.entries(until=NOON + timedelta(hours=1))] == ["login"]
    newest, *rest = log.entries(last=2)
    assert [e.action for e in log.entries(before=newest.number)][: len(rest)] == [e.action for e in rest]


def test_nothing_is_changed_or_removed(log: AuditLog) -> None:
    assert {name for name in dir(log) if not name.startswith("_")} == {"record", "entries"}


def test_a_long_text_from_outside_does_not_fill_the_log(log: AuditLog) -> None:
    log.record("login", user="x" * 10_000, target="y" * 10_000, outcome="refused", why="z" * 10_000)
    (entry,) = log.entries()
    assert (len(entry.user), len(entry.target), len(entry.details["why"])) == (255, 1000, 1000)
