"""Killed in the middle of a grant, of what a login provider says, or of an account that is closed: old or new, never between."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

import awe.platform  # noqa: F401  # declares every service's tables
from awe.services.identity import AccountStore, GrantStore, GroupStore, Token, TokenKind, TokenStore
from awe.services.system import SystemDatabase, metadata

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
# It does what it is told, each time in a child that ends itself with SIGKILL before its n-th statement or commit, and
# says what became of the child.
KILLED = """
import os, signal, sys
from datetime import UTC, datetime
import awe.platform
from awe.services.identity import AccountStore, GrantStore, GroupStore
from awe.services.system import SystemDatabase
from sqlalchemy import event

def work(what, left, url):
    system = SystemDatabase(url)
    def count(*_):
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    event.listen(system.engine, "before_cursor_execute", count)
    event.listen(system.engine, "commit", count)
    if what == "group":
        GroupStore(system).add("team", "The team", "ann")
    elif what == "provider":
        GroupStore(system).assign("ann", "hub", ["three", "four", "five"])
    elif what == "closed":
        AccountStore(system).change("ann", {"state": "disabled", "roles": []}, ends_logins=True)
    elif what == "removed":
        AccountStore(system).remove("ann")
    elif what == "declared":
        with system.transaction() as connection:
            who = ["user:ann", "group:one"]
            GrantStore(system).declare(connection, "table", "a.b", who, datetime.now(UTC), keep=False)

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            what, left, url = line.split()
            work(what, int(left), url)
            code = 0
        finally:
            os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
DONE = {
    "group": {"groups": "'team'", "memberships": "'owner'"},
    "provider": {"groups": "'five'", "memberships": "'five'"},
    "closed": {"users": "'disabled'"},
    "removed": {"users": "'removed'"},
    "declared": {"grants": "'group:one'"},
}
"""What stands in a row of these tables when it is done."""
COUNTS = {
    "group": {"groups": 3, "memberships": 3, "tokens": 1},
    "provider": {"groups": 5, "memberships": 3, "tokens": 1},
    "closed": {"users": 1, "tokens": 0, "memberships": 2},
    "removed": {"users": 1, "tokens": 0, "memberships": 0},
    "declared": {"grants": 2, "tokens": 1},
}
"""How many rows there are then."""
TABLES = ("users", "groups", "memberships", "tokens", "grants")


def _rows(system: SystemDatabase) -> dict[str, list[str]]:
    """Return what stands there, without the moments of it."""
    with system.reading() as connection:
        found = {}
        for name in TABLES:
            table = metadata.tables[name]
            kept = [column for column in table.columns if column.name not in {"since", "created"}]
            found[name] = sorted(repr(tuple(row)) for row in connection.execute(select(*kept)))
        return found


Run = Callable[[str, int, str], bool]


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """Return what does something in a child that ends itself before a step; True if it was killed."""
    with subprocess.Popen(
        [sys.executable, "-c", KILLED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    ) as nursery:  # fmt: skip
        stdin, stdout = nursery.stdin, nursery.stdout
        assert stdin is not None
        assert stdout is not None

        def told(what: str, left: int, url: str) -> bool:
            stdin.write(f"{what} {left} {url}\n")
            stdin.flush()
            code = int(stdout.readline())
            assert code in (0, -signal.SIGKILL)
            return code != 0

        yield told
        stdin.close()


@pytest.mark.parametrize("what", sorted(DONE))
def test_killed_in_the_middle(what: str, run: Run, system: SystemDatabase, database_url: str) -> None:
    now = datetime.now(UTC)
    AccountStore(system).add("ann", None, ["scientist"])
    token = Token("1", "ann", TokenKind.LOGIN, "", frozenset({"read"}), now, now + timedelta(days=1))
    TokenStore(system).add(token, "a" * 64)
    GroupStore(system).assign("ann", "hub", ["one", "two"])
    with system.transaction() as connection:
        GrantStore(system).declare(connection, "table", "a.b", None, now, keep=False)
    before = _rows(system)
    kills, after = 0, before
    while run(what, kills, database_url) and after == before:
        after = _rows(system)
        kills += 1
    after = _rows(system)
    assert kills >= 3, "nothing was killed in its middle"
    assert {table: len(after[table]) for table in COUNTS[what]} == COUNTS[what]
    for table, wanted in DONE[what].items():
        assert [row for row in after[table] if wanted in row], table
