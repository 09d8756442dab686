"""Versions of users' tables: what was replaced or dropped comes back, until it goes for good."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from tests.services.catalogs.own.conftest import ADA, numbers

from awe.errors import NotFoundError
from awe.platform import Platform
from awe.services.catalogs import StoredTable, TableService, VersionService
from awe.services.catalogs.own.keeping import Ended, expired
from awe.settings import TableSettings

Read = Callable[..., dict[str, list[object]]]


def test_what_was_dropped_or_replaced_is_restored(
    tables: TableService, versions: VersionService, read: Read
) -> None:
    tables.write("t", numbers(1), ADA)
    tables.write("t", numbers(2), ADA, mode="replace")
    tables.drop("t", ADA)
    with pytest.raises(NotFoundError):
        tables.table("t", ADA)
    assert [(v.record.name, v.number) for v in versions.dropped(ADA)] == [("t", 2)]
    versions.restore("t", ADA)
    assert read("mydb.t") == {"n": [2]}
    versions.restore("t", ADA, 1)
    assert read("mydb.t") == {"n": [1]}
    with pytest.raises(NotFoundError, match="version 3"):
        versions.restore("t", ADA, 3)
    versions.restore("t", ADA)
    assert read("mydb.t") == {"n": [2]}
    assert versions.dropped(ADA) == ()
    tables.drop("t", ADA)
    tables.write("t", numbers(3), ADA)
    assert tables.table("t", ADA).version == 3
    tables.drop("none", ADA, missing_ok=True)
    with pytest.raises(NotFoundError):
        tables.drop("none", ADA)


def test_old_versions_go(make_platform: Callable[..., Platform]) -> None:
    now = datetime.now(UTC)

    def gone(settings: TableSettings, *ages_s: float) -> list[int]:
        ended = [
            Ended("a.t", "a", StoredTable(str(i), 1, 10), now - timedelta(seconds=s))
            for i, s in enumerate(ages_s)
        ]
        found = expired(ended, settings, query_s=60, longest_s=600, now=now)
        return [int(one.stored.location) for one in found]

    day = 86_400.0
    assert gone(TableSettings(keep_days=30), 1, 29 * day, 31 * day) == [2]
    assert gone(TableSettings(keep_days=0), 1, 599, 601) == [2]
    assert gone(TableSettings(keep_versions=2), 1, 2, 59, 61) == [3]
    assert gone(TableSettings(keep_bytes=15), 1, 59, 61, 62) == [2, 3]
    platform = make_platform(tables={"keep_days": 0})
    platform.tables.write("t", numbers(1), ADA)
    platform.tables.write("t", numbers(2), ADA, mode="replace")
    platform.versions.clean()
    assert len(platform.versions.kept("t", ADA)) == 2
