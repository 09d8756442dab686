"""Who may come in from another account system, and who that is here."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from argon2 import PasswordHasher

from awe.errors import (
    AuthenticationError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    RateLimitError,
    UnavailableError,
)
from awe.services.identity import (
    ADMINISTRATOR,
    ANONYMOUS,
    LOCAL,
    AccountService,
    AccountStore,
    AuditLog,
    AuditStore,
    Claims,
    ExternalStore,
    FederationService,
    GroupStore,
    IdentityService,
    LocalAuthenticator,
    TokenStore,
)
from awe.services.system import SystemDatabase
from awe.settings.login import OtherSettings


class Institute:
    """An account system in which everybody has the password ``there``."""

    def __init__(self) -> None:
        self.people: dict[str, Claims] = {}
        self.down = False
        self.asked: list[str] = []

    def authenticate(self, user: str, password: str) -> Claims:
        self.asked.append(user)
        if self.down:
            raise UnavailableError("the institute does not answer")
        if user not in self.people or password != "there":
            raise AuthenticationError("no")
        return self.people[user]


class Desk:
    """The services over one database; `institute` is asked after awe's own accounts."""

    def __init__(self, system: SystemDatabase, **rules: object) -> None:
        accounts, tokens = AccountStore(system), TokenStore(system)
        self.store, self.external, self.groups = accounts, ExternalStore(system), GroupStore(system)
        self.audit, self.institute = AuditLog(AuditStore(system)), Institute()
        self.local = LocalAuthenticator(accounts, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        given = OtherSettings.model_validate({"kind": "example", "title": "The Institute", **rules})
        self.federation = FederationService(
            accounts,
            self.external,
            tokens,
            self.audit,
            {LOCAL: self.local, "institute": self.institute},
            {"institute": given, "survey": given},
        )
        self.identity = IdentityService(accounts, tokens, self.audit, self.local, self.federation)
        self.accounts = AccountService(accounts, tokens, self.audit, self.local)

    def why(self) -> str:
        return self.audit.entries(action="login")[0].details.get("why", "")


New = Callable[..., Desk]


@pytest.fixture
def new(system: SystemDatabase) -> New:
    return lambda **rules: Desk(system, **rules)


def ann(
    *groups: str, provider: str = "institute", subject: str = "4711", name: str = "ann", **more: object
) -> Claims:
    return Claims(provider, subject, name, groups=frozenset(groups), **more)  # type: ignore[arg-type]


def test_the_first_login_makes_an_account_and_the_next_finds_it(new: New) -> None:
    desk = new()
    desk.institute.people["ann"] = ann(display_name="Ann\x00 Example", email="ann@example.org")
    for _ in range(2):
        assert desk.identity.identify(desk.identity.login("ann", "there")).name == "ann"
    account = desk.identity.account("ann")
    assert (account.display_name, account.email, account.has_password) == (
        "Ann Example",
        "ann@example.org",
        False,
    )
    assert [one.name for one in desk.identity.users()] == ["ann"]
    (link,) = desk.federation.links("ann")
    assert (link.provider, link.subject, link.name) == ("institute", "4711", "ann")
    assert link.last_login is not None
    added = desk.audit.entries(action="user.added")
    assert [(one.user, one.target) for one in added] == [("provider:institute", "user:ann")]


def test_a_person_stays_who_they_are_whatever_they_are_called(new: New) -> None:
    desk = new()
    assert desk.federation.admit(ann()).name == "ann"
    assert desk.federation.admit(ann(name="anna")).name == "ann"
    assert desk.federation.links("ann")[0].name == "anna"


@pytest.mark.parametrize("name", ["chief", "CHIEF", "Chief", "hst", "Administrator"])
def test_a_name_that_somebody_has_is_never_taken_over(new: New, name: str) -> None:
    desk = new()
    desk.accounts.add("chief", [ADMINISTRATOR], by="local:test", password="correct horse")
    desk.groups.add("hst", "", "chief")
    with pytest.raises(ConflictError, match="The Institute"):
        desk.federation.admit(ann(name=name))
    assert not desk.federation.links("chief")
    assert desk.why() == "the name is taken"
    assert [one.name for one in desk.identity.users()] == ["chief"]


def test_a_name_that_a_removed_account_had_is_never_taken_over(new: New) -> None:
    desk = new()
    desk.federation.admit(ann())
    desk.accounts.remove("ann", by="chief")
    with pytest.raises(ConflictError):
        desk.federation.admit(ann())


def test_an_address_that_is_the_same_makes_nobody_a_user(new: New) -> None:
    desk = new()
    desk.accounts.add("chief", [ADMINISTRATOR], by="local:")
    desk.accounts.describe("chief", display_name=None, email="chief@example.org", by="local:")
    assert desk.federation.admit(ann(email="chief@example.org")).name == "ann"


def test_the_same_subject_at_another_provider_is_somebody_else(new: New) -> None:
    desk = new()
    desk.federation.admit(ann())
    assert desk.federation.admit(ann(provider="survey", name="bob")).name == "bob"


@pytest.mark.parametrize(
    "name", ["", "-x", "a b", "ann\u0430é", "a/b", "../x", "user:ann", "x" * 65, "an\nn"]
)
def test_a_name_that_cannot_be_one_here_makes_no_account(new: New, name: str) -> None:
    desk = new()
    with pytest.raises(ForbiddenError):
        desk.federation.admit(ann(name=name))
    assert desk.why() == "not a user name"


@pytest.mark.parametrize("subject", ["", "x" * 256])
def test_a_subject_that_means_nobody_is_not_taken(new: New, subject: str) -> None:
    with pytest.raises(ForbiddenError):
        new().federation.admit(ann(subject=subject))


def test_nobody_comes_by_a_provider_that_is_not_there(new: New) -> None:
    with pytest.raises(ForbiddenError):
        new().federation.admit(ann(provider="elsewhere"))


@pytest.mark.parametrize(
    ("rules", "claims", "why"),
    [
        ({"allow_groups": ["astro", "it"]}, ann("astro", "x"), ""),
        ({"allow_groups": ["astro"]}, ann("Astro", "x"), "groups"),
        ({"allow_domains": ["example.org"]}, ann(email="ann@Example.ORG"), ""),
        ({"allow_domains": ["example.org"]}, ann(email="ann@example.org.evil.net"), "domains"),
        ({"allow_domains": ["example.org"]}, ann(email="ann@sub.example.org"), "domains"),
        ({"allow_domains": ["example.org"]}, ann(), "domains"),
        ({"require": {"staff": ["yes"]}}, ann(attributes={"staff": ("no", "yes")}), ""),
        ({"require": {"staff": ["yes"]}}, ann(attributes={"staff": ("no",)}), "require staff"),
        ({"require": {"staff": ["yes"]}}, ann(), "require staff"),
        ({"create": False}, ann(), "no account"),
    ],
)
def test_the_operators_rules_say_who_may_come_in(
    new: New, rules: dict[str, object], claims: Claims, why: str
) -> None:
    desk = new(**rules)
    if not why:
        assert desk.federation.admit(claims).name == "ann"
        return
    with pytest.raises(ForbiddenError) as caught:
        desk.federation.admit(claims)
    assert "The Institute" in caught.value.message
    assert desk.why() == why
    assert not desk.identity.users()


def test_who_may_come_in_no_longer_keeps_nothing_that_came_by_the_provider(new: New) -> None:
    desk = new(allow_groups=["astro"], groups={"astro": "astronomers"}, roles={"astro": "developer"})
    desk.groups.add("friends", "", "")
    token = desk.identity.enter(ann("astro"))
    desk.groups.assign("ann", "survey", ["friends"])
    with pytest.raises(ForbiddenError):
        desk.identity.enter(ann())
    with pytest.raises(AuthenticationError):
        desk.identity.identify(token)
    left = desk.identity.known("ann")
    assert left.groups == {"friends"}
    assert not left.roles


def test_a_closed_account_stays_closed(new: New) -> None:
    desk = new()
    token = desk.identity.enter(ann())
    desk.accounts.disable("ann", by="chief")
    with pytest.raises(ForbiddenError, match="closed"):
        desk.identity.enter(ann())
    desk.accounts.enable("ann", by="chief")
    with pytest.raises(AuthenticationError):
        desk.identity.identify(token)
    assert desk.identity.enter(ann())


def test_groups_are_those_of_the_last_login(new: New) -> None:
    desk = new(groups={"cn=hst": "hubble", "jwst": "webb"})
    assert desk.federation.admit(ann("cn=hst", "jwst", "golf")).groups == {"hubble", "webb"}
    assert desk.federation.admit(ann("jwst")).groups == {"webb"}
    assert desk.federation.admit(ann()).groups == set()
    changes = [one.details["now"] for one in desk.audit.entries(action="user.groups")]
    assert changes == ["", "webb", "hubble webb"]


def test_groups_that_people_here_decided_stay(new: New) -> None:
    desk = new(groups={"hst": "hubble"})
    desk.federation.admit(ann("hst"))
    desk.groups.add("readers", "", "ann")
    assert desk.federation.admit(ann()).groups == {"readers"}


def test_groups_keep_their_names_behind_a_prefix(new: New) -> None:
    desk = new(group_prefix="inst.", groups={"hst": "hubble"})
    found = desk.federation.admit(ann("hst", "golf", "cn=odd,dc=x", "a b", "administrator"))
    assert found.groups == {"hubble", "inst.golf", "inst.administrator"}
    assert not found.roles


def test_a_group_that_somebody_here_owns_is_not_joined_from_outside(new: New) -> None:
    desk = new(group_prefix="inst.")
    desk.accounts.add("bob", by="local:test", password="correct horse")
    desk.groups.add("inst.secret", "", "bob")
    assert desk.federation.admit(ann("secret", "golf")).groups == {"inst.golf"}
    refused = desk.audit.entries(action="user.groups")[0]
    assert (refused.outcome, refused.details["groups"]) == ("refused", "inst.secret")


def test_a_group_whose_name_is_a_users_or_a_roles_is_left_out(new: New) -> None:
    desk = new(groups={"a": "administrator", "b": "ann", "c": "fine"})
    found = desk.federation.admit(ann("a", "b", "c"))
    assert found.groups == {"fine"}
    assert not found.roles


def test_roles_come_and_go_with_groups_and_those_given_by_hand_stay(new: New) -> None:
    desk = new(roles={"admins": ADMINISTRATOR, "devs": "developer"})
    assert desk.federation.admit(ann("admins", "devs")).roles == {ADMINISTRATOR, "developer"}
    desk.accounts.set_roles("ann", [ADMINISTRATOR, "developer", "outreach"], by="chief")
    assert desk.federation.admit(ann("devs")).roles == {"developer", "outreach"}
    assert desk.federation.admit(ann()).roles == {"outreach"}
    assert desk.federation.admit(ann("admins")).is_administrator


def test_a_role_that_was_there_by_hand_before_the_provider_said_so_stays(new: New) -> None:
    desk = new(roles={"devs": "developer"})
    desk.federation.admit(ann())
    desk.accounts.set_roles("ann", ["developer"], by="chief")
    desk.federation.admit(ann("devs"))
    assert desk.federation.admit(ann()).roles == {"developer"}


def test_one_provider_does_not_take_what_another_gives(new: New) -> None:
    desk = new(roles={"devs": "developer"})
    desk.federation.admit(ann("devs"))
    desk.federation.link(desk.identity.known("ann"), ann("devs", provider="survey", subject="x"))
    assert desk.federation.admit(ann()).roles == {"developer"}
    assert desk.federation.admit(ann(provider="survey", subject="x")).roles == set()


def test_linking_lets_somebody_come_in_by_either_way(new: New) -> None:
    desk = new()
    desk.accounts.add("annette", by="local:test", password="correct horse")
    caller = desk.identity.known("annette")
    desk.federation.link(caller, ann())
    desk.institute.people["ann"] = ann()
    assert desk.identity.authenticate("ann", "there").name == "annette"
    assert desk.identity.authenticate("annette", "correct horse").name == "annette"
    linked = desk.audit.entries(action="identity.linked")[0]
    assert (linked.user, linked.target, linked.details["subject"]) == ("annette", "user:annette", "4711")
    desk.federation.unlink("annette", "institute", "4711", by="annette")
    assert desk.identity.authenticate("ann", "there").name == "ann"


def test_an_identity_that_is_somebodys_is_not_linked_to_another(new: New) -> None:
    desk = new()
    desk.federation.admit(ann())
    desk.accounts.add("bob", by="local:test", password="correct horse")
    with pytest.raises(ConflictError):
        desk.federation.link(desk.identity.known("bob"), ann())
    with pytest.raises(ConflictError):
        desk.federation.link_for("bob", "institute", "4711", by="chief")
    assert desk.federation.admit(ann()).name == "ann"


def test_the_rules_hold_for_linking_too(new: New) -> None:
    desk = new(allow_groups=["astro"])
    desk.accounts.add("bob", by="local:test", password="correct horse")
    with pytest.raises(ForbiddenError):
        desk.federation.link(desk.identity.known("bob"), ann())
    with pytest.raises(ForbiddenError):
        desk.federation.link(ANONYMOUS, ann("astro"))


def test_unlinking_ends_what_came_by_it(new: New) -> None:
    desk = new(groups={"hst": "hubble"}, roles={"devs": "developer"})
    desk.accounts.add("annette", by="local:test", password="correct horse")
    desk.federation.link(desk.identity.known("annette"), ann("hst", "devs"))
    by_it, own = desk.identity.enter(ann("hst", "devs")), desk.identity.login("annette", "correct horse")
    desk.federation.unlink("annette", "institute", "4711", by="annette")
    with pytest.raises(AuthenticationError):
        desk.identity.identify(by_it)
    left = desk.identity.identify(own)
    assert not left.groups
    assert not left.roles
    with pytest.raises(NotFoundError):
        desk.federation.unlink("annette", "institute", "4711", by="annette")


def test_nobody_takes_away_the_own_only_way_in(new: New) -> None:
    desk = new()
    desk.federation.admit(ann())
    with pytest.raises(ConflictError, match="only way"):
        desk.federation.unlink("ann", "institute", "4711", by="ann")
    desk.federation.link(desk.identity.known("ann"), ann(provider="survey"))
    desk.federation.unlink("ann", "institute", "4711", by="ann")
    with pytest.raises(NotFoundError):
        desk.federation.unlink("bob", "survey", "4711", by="bob")
    desk.federation.unlink("ann", "survey", "4711", by="chief")


def test_an_administrator_links_who_cannot_come_in_alone(new: New) -> None:
    desk = new(create=False)
    desk.accounts.add("ann", [], by="chief")
    desk.federation.link_for("ann", "institute", "4711", by="chief")
    assert desk.identity.identify(desk.identity.enter(ann())).name == "ann"
    for user, provider in (("nobody", "institute"), ("ann", "nowhere")):
        with pytest.raises(NotFoundError):
            desk.federation.link_for(user, provider, "4712", by="chief")


def test_a_provider_that_is_down_keeps_no_local_account_out(new: New) -> None:
    desk = new()
    desk.accounts.add("bob", by="local:test", password="correct horse")
    desk.institute.down = True
    assert desk.identity.login("bob", "correct horse")
    with pytest.raises(UnavailableError):
        desk.identity.login("bob", "wrong")
    failed = desk.audit.entries(action="login")[0]
    assert (failed.outcome, failed.details["why"]) == ("failed", "the institute does not answer")


def test_guessing_is_slowed_down_however_a_name_is_typed_and_while_a_provider_is_down(new: New) -> None:
    desk = new()
    desk.institute.down = True
    for name in ("bob", "BOB", " bob ", "Bob", "ｂｏｂ"):
        with pytest.raises(UnavailableError):
            desk.identity.login(name, "wrong")
    with pytest.raises(RateLimitError):
        desk.identity.login("bOb", "wrong")


def test_one_answers_for_all_and_nobody_learns_which(new: New) -> None:
    desk = new()
    desk.accounts.add("bob", by="local:test", password="correct horse")
    desk.institute.people["ann"] = ann()
    said = set()
    guesses = (
        ("bob", "no"),
        ("ann", "no"),
        ("zoe", "no"),
        ("ann", "correct horse"),
        ("\ud800", "x"),
        ("bob", "\ud800"),
    )
    for user, password in guesses:
        with pytest.raises(AuthenticationError) as caught:
            desk.identity.login(user, password)
        said.add(str(caught.value.to_json()))
    assert len(said) == 1
    assert desk.institute.asked == ["bob", "ann", "zoe", "ann"]


def test_a_password_here_is_changed_with_that_of_here_alone(new: New) -> None:
    desk = new()
    desk.accounts.add("bob", by="local:test", password="correct horse")
    desk.institute.people["bob"] = ann(name="bob2")
    with pytest.raises(AuthenticationError):
        desk.identity.change_password(desk.identity.known("bob"), "there", "battery staple")


def test_two_first_logins_at_once_make_one_account(new: New) -> None:
    desk = new()
    created = desk.external.create

    def slower(name: str, claims: Claims, now: datetime) -> None:
        desk.external.create = created  # type: ignore[method-assign]
        desk.federation.admit(ann())
        created(name, claims, now)

    desk.external.create = slower  # type: ignore[method-assign]
    assert desk.federation.admit(ann()).name == "ann"
    assert len(desk.identity.users()) == 1


def test_an_account_and_who_it_is_elsewhere_are_made_together(new: New) -> None:
    desk = new()
    desk.external.create("ann", ann(subject="x"), datetime.now(UTC))
    with pytest.raises(ConflictError):
        desk.external.create("bob", ann(subject="x"), datetime.now(UTC))
    assert [one.name for one in desk.identity.users()] == ["ann"]


def test_the_ways_to_log_in_are_told_in_order(new: New) -> None:
    found = new().federation
    assert [(one.name, one.title, one.browser) for one in found.ways()] == [
        (LOCAL, LOCAL, False),
        ("institute", "The Institute", False),
    ]
    for name in ("institute", "nowhere", LOCAL):
        with pytest.raises(NotFoundError):
            found.browser(name)
