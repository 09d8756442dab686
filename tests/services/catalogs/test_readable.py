"""What a caller may read is remembered, and no longer than it is true."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from awe.services.catalogs._readable import ReadableTables
from awe.services.identity import ANONYMOUS, Identity, Policy
from awe.services.identity.stores import GrantStore
from awe.services.identity.stores.grants import Grant
from awe.services.system import SystemDatabase

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_it_is_found_out_again_when_something_changed_or_a_grant_ended(tmp_path: Path) -> None:
    system = SystemDatabase.in_folder(tmp_path)
    system.migrate()
    moment = [NOON]
    grants = GrantStore(system)
    policy = Policy(grants, now=lambda: moment[0])
    asked: list[Identity] = []
    readable = ReadableTables(lambda identity: asked.append(identity) or (), system.stamp, policy)  # type: ignore[func-returns-value]
    someone = Identity("someone")
    for identity in (ANONYMOUS, ANONYMOUS, someone, someone, ANONYMOUS):
        assert readable.of(identity) == ()
    assert asked == [ANONYMOUS, someone]
    end = NOON + timedelta(hours=1)
    grants.add(Grant("g", "table", "s.t", "read", "user:someone", "other", NOON, end))
    readable.of(someone)
    readable.of(someone)
    assert asked == [ANONYMOUS, someone, someone]
    moment[0] = end + timedelta(seconds=1)
    readable.of(someone)
    assert asked == [ANONYMOUS, someone, someone, someone]
    system.close()
