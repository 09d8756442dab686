"""What administrators look at of what is other people's stands in the audit log, and nothing else does."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from awe.services.identity import (
    ADMINISTRATOR,
    READ,
    RUN,
    AuditLog,
    AuditStore,
    Grant,
    GrantStore,
    HelpLog,
    Identity,
    Policy,
    Resource,
)
from awe.services.system import SystemDatabase

ADA = Identity("ada")
ROOT = Identity("root", roles=frozenset({ADMINISTRATOR}))
JOB = Resource("job", "1f", "ada")


@dataclass
class World:
    """A log whose clock a test holds in its hands."""

    system: SystemDatabase
    clock_s: float = 0.0
    helping: HelpLog = field(init=False)

    def __post_init__(self) -> None:
        self.audit = AuditLog(AuditStore(self.system))
        self.helping = HelpLog(Policy(GrantStore(self.system)), self.audit, lambda: self.clock_s)

    def lines(self) -> list[tuple[str, str, str, dict[str, str]]]:
        found = reversed(self.audit.entries())
        return [(line.user, line.action, line.target, dict(line.details)) for line in found]


@pytest.fixture
def world(system: SystemDatabase) -> World:
    return World(system)


def test_what_the_role_opened_is_written_down(world: World) -> None:
    world.helping.note(ROOT, READ, JOB)
    world.helping.note(ROOT, RUN, JOB)
    assert world.lines() == [
        ("root", "job.seen", "job:1f", {"owner": "ada"}),
        ("root", "job.changed", "job:1f", {"owner": "ada"}),
    ]


def test_ones_own_what_was_shared_and_what_is_nobodys_are_not(world: World) -> None:
    world.helping.note(ADA, READ, JOB)
    world.helping.note(ROOT, READ, Resource("job", "2f", "root"))
    world.helping.note(ROOT, READ, Resource("job", "3f", ""))
    world.helping.note_list(ROOT, "job", ["root", ""])
    world.helping.note_list(ADA, "job", ["bob"])
    grant = Grant("g", "job", "1f", READ, "user:root", "ada", datetime.now(UTC))
    GrantStore(world.system).add(grant)
    world.helping.note(ROOT, READ, JOB)
    assert world.lines() == []
    world.helping.note(ROOT, RUN, JOB)
    assert [line[1] for line in world.lines()] == ["job.changed"]


def test_a_page_that_is_asked_for_again_and_again_is_one_line_a_minute(world: World) -> None:
    for second in range(0, 130, 5):
        world.clock_s = float(second)
        world.helping.note(ROOT, READ, JOB)
        world.helping.note_list(ROOT, "query", ["bob", "ada", "bob"])
    assert [line[1] for line in world.lines()].count("job.seen") == 3
    assert world.lines().count(("root", "query.listed", "", {"owners": "ada, bob"})) == 3
