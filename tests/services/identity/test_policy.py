"""The policy: one resource at a time and as a condition of SQL, which have to agree whatever was granted."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, String, Table, insert, select

from awe.errors import ForbiddenError, NotFoundError
from awe.services.identity import (
    ADMIN,
    ADMINISTRATOR,
    ANONYMOUS,
    EVERYBODY,
    PUBLISH,
    READ,
    RUN,
    SCOPES,
    SHARE,
    WRITE,
    AccountStore,
    Grant,
    GrantStore,
    GroupStore,
    Identity,
    Policy,
    Resource,
)
from awe.services.system import SystemDatabase

NOW = datetime(2026, 5, 1, tzinfo=UTC)
ACTIONS = (READ, WRITE, SHARE, RUN, PUBLISH)
KINDS = ("table", "job")
PEOPLE = ("ann", "bob", "")
PRINCIPALS = (EVERYBODY, "user:ann", "user:bob", "user:", "group:ann", "group:hst", "role:hst",
              "role:administrator", "link:l1", "link:l2", "Everybody", "user:Ann")  # fmt: skip

things = Table("things", MetaData(), Column("kind", String), Column("name", String), Column("owner", String))
resources = st.builds(
    Resource, st.sampled_from(KINDS), st.sampled_from(("a.t", "A.T", "b.t", "1f")), st.sampled_from(PEOPLE)
)


@st.composite
def identities(draw: st.DrawFn) -> Identity:
    name = draw(st.sampled_from(PEOPLE))
    scopes = frozenset(draw(st.sets(st.sampled_from(sorted(SCOPES)))))
    if not name:
        return Identity("", scopes=scopes, link=draw(st.sampled_from(("", "l1", "l2", "l3"))))
    roles = frozenset(draw(st.sets(st.sampled_from(("hst", ADMINISTRATOR)))))
    groups = frozenset(draw(st.sets(st.sampled_from(("hst", "ann")))))
    return Identity(name, roles, groups).restricted(scopes)


grants = st.lists(
    st.tuples(
        resources,
        st.sampled_from(ACTIONS),
        st.sampled_from(PRINCIPALS),
        st.sampled_from((None, -1, 0, 1)),
        st.booleans(),
    ),
    max_size=8,
)


@pytest.fixture
def store(system: SystemDatabase) -> GrantStore:
    return GrantStore(system)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SystemDatabase]:
    """Return a database for all examples of the property."""
    database = SystemDatabase.in_folder(tmp_path_factory.mktemp("policy"))
    database.migrate()
    with database.transaction() as connection:
        things.create(connection)
    yield database
    database.close()


def keep(system: SystemDatabase, given_: list[tuple[Resource, str, str, int | None, bool]]) -> None:
    store = GrantStore(system)
    with system.transaction() as connection:
        for kind in KINDS:
            for name in ("a.t", "b.t", "1f"):
                store.forget(connection, kind, name)
        connection.execute(things.delete())
    for number, (resource, action, principal, hours, declared) in enumerate(given_):
        if declared:
            with system.transaction() as connection:
                store.declare(connection, resource.kind, resource.name, [principal], NOW, keep=False)
        expires = None if hours is None else NOW + timedelta(hours=hours)
        store.add(Grant(f"g{number}", resource.kind, resource.key, action, principal, "ann", NOW, expires))


@pytest.mark.slow
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(grants, st.lists(resources, min_size=1, max_size=6), identities(), st.sampled_from(ACTIONS))
def test_the_condition_of_sql_says_the_same(
    one: SystemDatabase,
    given_: list[tuple[Resource, str, str, int | None, bool]],
    there: list[Resource],
    identity: Identity,
    action: str,
) -> None:
    keep(one, given_)
    policy = Policy(GrantStore(one), lambda: NOW)
    with one.transaction() as connection:
        rows = [{"kind": r.kind, "name": r.name, "owner": r.owner} for r in there]
        connection.execute(insert(things), rows)
    for kind in KINDS:
        seen = policy.visible(identity, kind, name=things.c.name, owner=things.c.owner, action=action)
        query = select(things).where(things.c.kind == kind, seen)
        with one.reading() as connection:
            found = {Resource(*row) for row in connection.execute(query)}
        assert found == {r for r in there if r.kind == kind and policy.allowed(identity, action, r)}
        names = policy.names(identity, kind, action)
        for r in there:
            unowned = Resource(kind, r.name)
            assert (r.name in names) == policy.allowed(identity, action, unowned)


def test_what_nobody_was_granted_is_closed(store: GrantStore) -> None:
    policy, table = Policy(store), Resource("table", "hsc.secret")
    for nobody in (ANONYMOUS, Identity("ann"), Identity("ann", groups=frozenset({"hst"}))):
        assert not policy.allowed(nobody, READ, table)
    assert policy.allowed(Identity("chief", frozenset({ADMINISTRATOR})), READ, table)


def test_nobody_owns_what_has_no_owner(store: GrantStore) -> None:
    assert not Policy(store).allowed(ANONYMOUS, READ, Resource("job", "1f", ""))


def test_a_grant_of_one_thing_lets_read_and_nothing_else(store: GrantStore) -> None:
    policy, table, ann = Policy(store), Resource("table", "HSC.Secret"), Identity("ann")
    store.add(Grant("g", "table", "hsc.secret", SHARE, "user:ann", "chief", NOW))
    assert [policy.allowed(ann, action, table) for action in ACTIONS] == [True, False, True, False, False]


def test_refusals_say_no_more_than_the_caller_may_know(store: GrantStore) -> None:
    policy, table = Policy(store), Resource("table", "hsc.secret")
    store.add(Grant("g", "table", "hsc.secret", READ, "user:ann", "chief", NOW))
    with pytest.raises(ForbiddenError):
        policy.check(Identity("ann"), SHARE, table)
    with pytest.raises(NotFoundError) as hidden:
        policy.check(Identity("bob"), SHARE, table)
    with pytest.raises(NotFoundError) as absent:
        policy.check(Identity("bob"), SHARE, Resource("table", "hsc.absent"))
    assert hidden.value.message.replace("secret", "absent") == absent.value.message


def test_a_token_without_the_scope_makes_no_administrator(store: GrantStore) -> None:
    chief = Identity("chief", frozenset({ADMINISTRATOR}))
    policy, table = Policy(store), Resource("table", "hsc.secret")
    assert not policy.allowed(chief.restricted(SCOPES - {ADMIN}), READ, table)
    assert not policy.allowed(chief.restricted(SCOPES - {READ}), READ, table)


def test_publishing_again_leaves_what_people_granted(store: GrantStore, system: SystemDatabase) -> None:
    policy, table = Policy(store), Resource("table", "hsc.secret")
    store.add(Grant("g", "table", "hsc.secret", READ, "user:bob", "chief", NOW))
    AccountStore(system).add("ann", None)
    GroupStore(system).add("hst", "", "ann")
    for readers in (["user:ann"], ["hst"]):
        declared = policy.declare("table", "HSC.secret", readers, file=Path("secret.toml"))
        with system.transaction() as connection:
            declared(connection)
    assert {g.principal for g in store.of(table)} == {"user:bob", "group:hst"}
    with system.transaction() as connection:
        policy.forget("table", "hsc.SECRET")(connection)
    assert store.of(table) == ()
