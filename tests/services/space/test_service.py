"""Files of people: who may do what, how much, and what is never half there."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from awe.errors import (
    AuthenticationError,
    AweError,
    ConflictError,
    ForbiddenError,
    LimitError,
    NotFoundError,
    ParameterError,
    QuotaError,
)
from awe.platform import Platform
from awe.services.identity import ANONYMOUS, PUBLISH, READ, SCOPES, WRITE, Identity
from awe.services.space import NodePath
from awe.testing import tiny_settings

PEOPLE = ("ada", "bob", "root")


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with Platform.open(tiny_settings(tmp_path / "sky", space={"file_bytes": 10_000_000})) as opened:
        for name in PEOPLE:
            opened.accounts.add(name, ["administrator"] * (name == "root"), by="local:test")
        yield opened


def who(platform: Platform, name: str) -> Identity:
    return platform.identity.known(name)


def put(platform: Platform, path: str, data: bytes = b"text", name: str = "ada", **more: bool) -> None:
    with platform.space.write(at(path), who(platform, name), **more) as draft:
        draft.write(data)
        draft.done()


def at(path: str) -> NodePath:
    owner, _, rest = path.partition("/")
    return NodePath.of(owner, rest)


@pytest.mark.parametrize(
    "text", ["..", "a/../b", ".", "a/./b", "a\0b", "a\nb", "\x7f", "x" * 256, "ä" * 128, "\udcff", "a/" * 65]
)
def test_what_can_be_no_name(text: str) -> None:
    with pytest.raises(ParameterError):
        NodePath.of("ada", text)


def test_slashes_say_nothing_more() -> None:
    assert NodePath.of("ada", "//a///b/").parts == ("a", "b")
    assert NodePath.of("ada", "").parts == NodePath.of("ada", "/").parts == ()


def test_a_space_begins_with_two_folders(platform: Platform) -> None:
    ada = who(platform, "ada")
    assert [node.path.name for node in platform.space.nodes(at("ada"), ada)] == ["public", "tmp"]
    for path in ("ada", "ada/public", "ada/tmp"):
        with pytest.raises(ForbiddenError, match="always there"):
            platform.space.remove(at(path), ada)
        with pytest.raises(ForbiddenError, match="always there"):
            platform.space.move(at(path), at("ada/x"), ada)


def test_nobody_else_learns_what_is_there(platform: Platform) -> None:
    """Every use case says the same of a file that others may not see as of one that is not there."""
    ada = who(platform, "ada")
    put(platform, "ada/closed")
    platform.space.make(at("ada/folder"), ada)
    put(platform, "ada/folder/inner")
    space = platform.space
    for other, name in itertools.product(("bob", "root", ""), ("closed", "folder", "folder/inner", "")):
        caller = who(platform, other) if other else ANONYMOUS
        mine = at(f"{other or 'bob'}/x")
        for use in (
            space.node,
            space.nodes,
            space.matching,
            space.open,
            space.local,
            lambda path, c: space.write(path, c).__enter__(),
            space.make,
            space.remove,
            lambda path, c, mine=mine: space.move(path, mine, c),
            lambda path, c, mine=mine: space.copy(path, mine, c),
            lambda path, c, mine=mine: space.move(mine, path, c),
            lambda path, c, mine=mine: space.copy(mine, path, c),
        ):
            said = []
            for path in (f"ada/{name}", "ada/nothing"):
                with pytest.raises((NotFoundError, AuthenticationError)) as refused:
                    use(at(path), caller)
                assert not space.may(at(path), caller, READ)
                said.append(str(refused.value).replace(str(at(path)), "it"))
            assert said[0] == said[1]
    for pattern in ("ada/*", "ada/f*/*", "ada/[c]losed"):
        with pytest.raises(NotFoundError):
            space.matching(at(pattern), who(platform, "bob"))
    with space.open(at("ada/closed"), ada) as content:
        assert content.read() == b"text"
    assert [node.path.name for node in space.nodes(at("ada/folder"), ada)] == ["inner"]


def test_everybody_reads_what_is_public_and_nobody_else_changes_it(platform: Platform) -> None:
    put(platform, "ada/public/a")
    space = platform.space
    for caller in (who(platform, "bob"), ANONYMOUS):
        with space.open(at("ada/public/a"), caller) as content:
            assert content.read() == b"text"
        assert [str(node.path) for node in space.matching(at("ada/public/*"), caller)] == ["ada/public/a"]
        assert not space.may(at("ada/public/a"), caller, WRITE)
    bob = who(platform, "bob")
    space.copy(at("ada/public/a"), at("bob/mine"), bob)
    for use in (
        lambda: space.remove(at("ada/public/a"), bob),
        lambda: space.write(at("ada/public/a"), bob).__enter__(),
        lambda: space.make(at("ada/public/b"), bob),
        lambda: space.move(at("ada/public/a"), at("bob/b"), bob),
        lambda: space.copy(at("bob/mine"), at("ada/public/c"), bob),
    ):
        with pytest.raises(ForbiddenError):
            use()
    with pytest.raises(AuthenticationError):
        space.remove(at("ada/public/a"), ANONYMOUS)


def test_a_token_allows_no_more_than_its_scopes(platform: Platform) -> None:
    ada = who(platform, "ada")
    put(platform, "ada/a")
    reader, writer = (ada.restricted(frozenset({scope})) for scope in (READ, WRITE))
    with pytest.raises(ForbiddenError, match="scope write"):
        platform.space.remove(at("ada/a"), reader)
    with pytest.raises(NotFoundError):
        platform.space.open(at("ada/a"), writer)
    uses: tuple[Callable[[Identity], object], ...] = (
        lambda who: platform.space.make(at("ada/public/b"), who),
        lambda who: platform.space.copy(at("ada/a"), at("ada/public"), who.finding),
        lambda who: platform.space.move(at("ada/a"), at("ada/public"), who),
    )
    for use in uses:
        with pytest.raises(ForbiddenError, match="scope publish"):
            use(ada.restricted(SCOPES - {PUBLISH}))
    platform.space.move(at("ada/a"), at("ada/tmp/a"), writer)
    platform.space.copy(at("ada/tmp/a"), at("ada/public"), ada)
    entry = platform.audit.entries(action="file.published")[0]
    assert (entry.user, entry.target) == ("ada", "file:ada/public/a")


def test_the_quota_is_of_files_and_all_else_together(platform: Platform) -> None:
    ada = who(platform, "ada")
    put(platform, "ada/first", b"x" * 4_000_000)
    platform.quotas.set("user:ada", "storage_bytes", 10_000_000, by="root")
    put(platform, "ada/second", b"x" * 5_000_000)
    with pytest.raises(QuotaError, match="10,000,000 bytes of files kept"):
        put(platform, "ada/third", b"x" * 2_000_000)
    with pytest.raises(QuotaError), platform.space.write(at("ada/t"), ada, size=1_000_001):
        pass
    with pytest.raises(QuotaError):
        platform.space.copy(at("ada/first"), at("ada/public"), ada)
    with platform.space.write(at("ada/b"), ada) as one, platform.space.write(at("ada/c"), ada) as other:
        one.write(b"x" * 600_000)
        other.write(b"x" * 600_000)
        with pytest.raises(QuotaError):
            other.done()
    assert {str(node.path) for node in platform.space.matching(at("ada/*"), ada)} == {
        "ada/first",
        "ada/public",
        "ada/second",
        "ada/tmp",
    }
    used = {str(one.measure): one.used for one in platform.quotas.usage(ada)}
    assert used["storage_bytes"] == 9_000_000
    platform.space.remove(at("ada/first"), ada)
    put(platform, "ada/third", b"x" * 4_900_000)
    put(platform, "ada/third", b"x")
    assert {str(one.measure): one.used for one in platform.quotas.usage(ada)}["storage_bytes"] == 5_000_001


def test_a_file_is_not_larger_than_the_operator_allows(platform: Platform) -> None:
    with pytest.raises(LimitError, match="10,000,000 bytes"):
        put(platform, "ada/a", b"x" * 10_000_001)
    with pytest.raises(NotFoundError):
        platform.space.node(at("ada/a"), who(platform, "ada"))


def test_a_folder_is_copied_whole_or_not_at_all(platform: Platform) -> None:
    ada, space = who(platform, "ada"), platform.space
    for path in ("ada/old", "ada/old/inner"):
        space.make(at(path), ada)
    put(platform, "ada/old/a")
    put(platform, "ada/old/inner/b")
    space.copy(at("ada/old"), at("ada/new"), ada)
    assert [str(node.path) for node in space.matching(at("ada/new/*/*"), ada)] == ["ada/new/inner/b"]
    platform.quotas.set("user:ada", "storage_bytes", 17, by="root")
    with pytest.raises(QuotaError):
        space.copy(at("ada/old"), at("ada/third"), ada)
    assert [node.path.name for node in space.nodes(at("ada/tmp"), ada)] == []
    assert not space.may(at("ada/third"), ada, READ)
    with pytest.raises(ConflictError, match="within itself"):
        space.copy(at("ada/old"), at("ada/old/inner"), ada)


def test_names_of_people_are_folders_of_their_own(platform: Platform, tmp_path: Path) -> None:
    for name in ("a.b@c", "A.b@c", ".parts", "../ada", "ad%61"):
        caller = Identity(name)
        with platform.space.write(NodePath(name, ("f",)), caller) as draft:
            draft.write(name.encode())
            draft.done()
    for name in ("a.b@c", "A.b@c", ".parts", "../ada", "ad%61"):
        with platform.space.open(NodePath(name, ("f",)), Identity(name)) as content:
            assert content.read().decode() == name
    assert {path.name for path in (tmp_path / "sky" / "space").iterdir()} == {
        ".parts", "a.b@c", "A.b@c", "%2Eparts", "%2E.%2Fada", "ad%2561",
    }  # fmt: skip


def test_what_is_known_by_a_ticket_is_one_thing_for_a_while(platform: Platform) -> None:
    ada = who(platform, "ada")
    ticket = platform.tickets.issue(ada, "a file")
    reader, what = platform.tickets.read(ticket)
    assert (reader.name, set(reader.scopes), what) == ("ada", {READ}, "a file")
    head, body, sign = ticket.split(".")
    other = platform.tickets.issue(ada, "another file").split(".")[1]
    signed = platform.provider.keys.sign({"sub": "ada", "what": "a file", "exp": 2e9})
    for wrong in ("", "x", f"{head}.{other}.{sign}", f"{head}.{body}.", signed):
        with pytest.raises(AuthenticationError):
            platform.tickets.read(wrong)
    assert platform.tickets.read(platform.tickets.issue(ANONYMOUS, "x"))[0].is_anonymous
    with pytest.raises(AweError):
        platform.tickets.read(platform.tickets.issue(Identity("gone"), "x"))
