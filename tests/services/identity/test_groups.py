"""Groups in the database: memberships by hand and by login providers, and one set of names for all."""

from datetime import UTC, datetime, timedelta

import pytest
from alembic import command
from sqlalchemy import JSON, String, column, select, table, text

from awe.errors import ConflictError
from awe.services.identity import (
    AccountStore,
    GroupRole,
    GroupStore,
    Invitation,
)
from awe.services.system import SystemDatabase
from awe.services.system._database import _config

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def accounts(system: SystemDatabase) -> AccountStore:
    store = AccountStore(system)
    for name in ("ann", "bob", "eve"):
        store.add(name, None)
    return store


@pytest.fixture
def store(system: SystemDatabase, accounts: AccountStore) -> GroupStore:
    found = GroupStore(system)
    found.add("hst", "Hubble", "ann")
    return found


def groups(accounts: AccountStore, user: str) -> set[str]:
    identity = accounts.identity(user)
    assert identity is not None
    account = accounts.account(user)
    assert account is not None
    assert set(account.groups) == identity.groups
    return set(identity.groups)


def test_a_provider_decides_over_its_own_memberships_only(store: GroupStore, accounts: AccountStore) -> None:
    store.put_member("hst", "bob", GroupRole.ADMINISTRATOR)
    assert store.assign("bob", "ldap", ["hst", "jwst", "euclid"]) == ()
    assert store.assign("bob", "keystone", ["jwst"]) == ()
    assert groups(accounts, "bob") == {"hst", "jwst", "euclid"}
    store.assign("bob", "ldap", ["rubin"])
    assert groups(accounts, "bob") == {"hst", "jwst", "rubin"}
    store.assign("bob", "keystone", [])
    store.assign("bob", "ldap", [])
    assert groups(accounts, "bob") == {"hst"}
    group = store.group("hst")
    assert group is not None
    assert group.role_of("bob") is GroupRole.ADMINISTRATOR


def test_a_missing_group_is_made_without_an_owner(store: GroupStore) -> None:
    store.assign("bob", "ldap", ["jwst"])
    group = store.group("jwst")
    assert group is not None
    assert (group.owner, [(m.user, m.role, m.source) for m in group.members]) == (
        "",
        [("bob", "member", "ldap")],
    )


def test_what_a_provider_says_twice_keeps_its_date(store: GroupStore) -> None:
    store.assign("bob", "ldap", ["jwst"])
    first = store.group("jwst")
    store.assign("bob", "ldap", ["jwst", "hst"])
    assert store.group("jwst") == first


def test_a_provider_takes_no_name_and_revives_no_group(store: GroupStore, accounts: AccountStore) -> None:
    store.remove("hst")
    wanted = ["hst", "eve", "EVE", "administrator", "no name", "", "../x", "fine"]
    assert set(store.assign("bob", "ldap", wanted)) == set(wanted) - {"fine"}
    assert groups(accounts, "bob") == {"fine"}


@pytest.mark.parametrize("name", ["hst", "HST", "ann", "administrator", "wizard"])
def test_users_groups_and_roles_share_their_names(
    store: GroupStore, accounts: AccountStore, name: str
) -> None:
    accounts.change("eve", {"roles": ["wizard"]})
    with pytest.raises(ConflictError, match="already"):
        store.add(name, "", "ann")
    with pytest.raises(ConflictError, match="already"):
        accounts.add(name, None)


def test_a_removed_group_gives_nothing_and_leaves_its_name_taken(
    store: GroupStore, accounts: AccountStore
) -> None:
    store.remove("hst")
    assert groups(accounts, "ann") == set()
    assert store.group("hst") is None
    assert store.groups() == ()
    with pytest.raises(ConflictError):
        store.add("hst", "", "bob")


def test_a_removed_account_belongs_nowhere(store: GroupStore, accounts: AccountStore) -> None:
    accounts.remove("ann")
    group = store.group("hst")
    assert group is not None
    assert (group.owner, group.members) == ("", ())


def test_a_group_has_one_owner(store: GroupStore) -> None:
    store.give("hst", "bob")
    group = store.group("hst")
    assert group is not None
    assert {m.user: m.role for m in group.members} == {"ann": "administrator", "bob": "owner"}


def invitation(user: str = "", role: GroupRole = GroupRole.MEMBER, days: float = 1) -> Invitation:
    return Invitation("i1", "hst", user, role, "ann", NOW, NOW + timedelta(days=days))


def test_an_invitation_is_good_once(store: GroupStore, accounts: AccountStore) -> None:
    made = invitation()
    store.invite(made, "a" * 64)
    assert store.invitation_of("a" * 64, NOW) == store.invitation("i1", NOW) == made
    assert store.accept(made, "bob")
    assert not store.accept(made, "eve")
    assert groups(accounts, "bob") == {"hst"}
    assert groups(accounts, "eve") == set()


def test_an_invitation_takes_nothing_away(store: GroupStore) -> None:
    made = invitation("ann")
    store.invite(made, None)
    assert store.accept(made, "ann")
    group = store.group("hst")
    assert group is not None
    assert group.owner == "ann"


def test_an_invitation_ends(store: GroupStore) -> None:
    store.invite(invitation("bob"), None)
    late = NOW + timedelta(days=1, seconds=1)
    assert store.invitations(NOW, user="bob") == (invitation("bob"),)
    assert store.invitations(late, user="bob") == ()
    assert store.invitation("i1", late) is None


def test_what_accounts_said_of_groups_becomes_memberships(database_url: str) -> None:
    system = SystemDatabase(database_url)
    config = _config()
    with system.engine.begin() as connection:  # an older schema counts no changes
        config.attributes["connection"] = connection
        command.upgrade(config, "0009_accounts")
        for name, listed in (("ann", '["hst", "jwst"]'), ("bob", '["hst"]'), ("eve", "[]")):
            connection.execute(
                text(
                    "INSERT INTO users (name, display_name, email, state, roles, groups, created) "
                    f"VALUES ('{name}', '', '', 'active', '[]', '{listed}', '2026-01-01 00:00:00')"
                )
            )
    system.migrate()
    accounts, store = AccountStore(system), GroupStore(system)
    assert [groups(accounts, name) for name in ("ann", "bob", "eve")] == [{"hst", "jwst"}, {"hst"}, set()]
    assert [(g.name, g.owner) for g in store.groups()] == [("hst", ""), ("jwst", "")]
    store.put_member("jwst", "eve", GroupRole.OWNER)
    with system.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0009_accounts")
        users = table("users", column("name", String), column("groups", JSON))
        rows = sorted(tuple(row) for row in connection.execute(select(users)))
    assert rows == [("ann", ["hst", "jwst"]), ("bob", ["hst"]), ("eve", ["jwst"])]
    system.close()
