"""What every store of files does: a Python dictionary is the independent answer."""

from collections.abc import Callable
from pathlib import Path

import pytest

from awe import plugins
from awe.errors import ConflictError, NotFoundError
from awe.services.space import Key, NodeKind, Store
from awe.services.space.backends.folder import FolderStore

STORES: dict[str, Callable[[Path], Store]] = {"folder": lambda path: FolderStore(path / "space")}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    made = STORES[request.param](tmp_path)
    made.make(("ada",))
    return made


def test_every_registered_store_stands_here() -> None:
    assert set(plugins.names("awe.stores")) == set(STORES)


def put(store: Store, key: Key, data: bytes, *, replace: bool = True) -> None:
    with store.write(key, replace=replace) as draft:
        draft.write(data)
        draft.done()


def tree(store: Store, key: Key) -> dict[str, bytes | None]:
    """Return every path below a folder, with the bytes of files."""
    found: dict[str, bytes | None] = {}
    for entry in store.list(key):
        inner = (*key, entry.name)
        if entry.kind is NodeKind.CONTAINER:
            found["/".join(inner)] = None
            found.update(tree(store, inner))
        else:
            with store.open(inner) as content:
                found["/".join(inner)] = content.read()
            assert entry.size == len(found["/".join(inner)] or b"")
    return found


def test_a_tree_is_as_a_dictionary_of_its_files(store: Store) -> None:
    put(store, ("ada", "a"), b"one")
    store.make(("ada", "dir"))
    store.make(("ada", "dir", "inner"))
    put(store, ("ada", "dir", "b c+ä%20.fits"), b"")
    put(store, ("ada", "dir", "inner", "c"), b"x" * 3_000_000)
    put(store, ("ada", "a"), b"two")
    store.move(("ada", "dir", "inner"), ("ada", "moved"))
    store.move(("ada", "moved", "c"), ("ada", "dir", "d"))
    assert tree(store, ("ada",)) == {
        "ada/a": b"two",
        "ada/dir": None,
        "ada/dir/b c+ä%20.fits": b"",
        "ada/dir/d": b"x" * 3_000_000,
        "ada/moved": None,
    }
    store.remove(("ada", "dir"))
    store.remove(("ada", "a"))
    assert tree(store, ("ada",)) == {"ada/moved": None}
    assert store.stat(("ada", "dir")) is None


def test_a_file_is_there_when_it_is_done_and_never_in_part(store: Store) -> None:
    put(store, ("ada", "a"), b"first")
    with store.write(("ada", "a"), replace=True) as draft:
        draft.write(b"second, of which")
        assert tree(store, ("ada",)) == {"ada/a": b"first"}
    assert tree(store, ("ada",)) == {"ada/a": b"first"}
    with store.open(("ada", "a")) as content:
        put(store, ("ada", "a"), b"third")
        assert content.read() == b"first"


def test_nothing_is_replaced_unasked(store: Store) -> None:
    put(store, ("ada", "a"), b"1")
    put(store, ("ada", "b"), b"2")
    store.make(("ada", "dir"))
    with store.write(("ada", "new"), replace=False) as draft:
        put(store, ("ada", "new"), b"somebody else's")
        with pytest.raises(ConflictError):
            draft.done()
    wrongs: tuple[Callable[[], object], ...] = (
        lambda: put(store, ("ada", "a"), b"3", replace=False),
        lambda: put(store, ("ada", "dir"), b"3"),
        lambda: store.make(("ada", "a")),
        lambda: store.make(("ada", "dir")),
        lambda: store.move(("ada", "a"), ("ada", "b")),
        lambda: store.move(("ada", "dir"), ("ada", "b")),
        lambda: store.move(("ada", "a"), ("ada", "dir")),
        lambda: store.move(("ada", "dir"), ("ada", "dir", "inner")),
    )
    for wrong in wrongs:
        with pytest.raises(ConflictError):
            wrong()
    assert tree(store, ("ada",)) == {
        "ada/a": b"1",
        "ada/b": b"2",
        "ada/dir": None,
        "ada/new": b"somebody else's",
    }


def test_what_is_not_there_is_an_error(store: Store) -> None:
    put(store, ("ada", "a"), b"1")
    assert store.stat(("ada", "nix")) is None
    assert store.stat(("ada", "a", "inner")) is None
    for wrong in (
        lambda: store.open(("ada", "nix")),
        lambda: store.open(("ada",)),
        lambda: list(store.list(("ada", "nix"))),
        lambda: list(store.list(("ada", "a"))),
        lambda: store.make(("ada", "nix", "inner")),
        lambda: put(store, ("ada", "nix", "b"), b"2"),
        lambda: put(store, ("ada", "a", "b"), b"2"),
        lambda: store.move(("ada", "nix"), ("ada", "b")),
        lambda: store.move(("ada", "a"), ("ada", "nix", "b")),
        lambda: store.remove(("ada", "nix")),
        lambda: store.local(("ada", "nix")).__enter__(),
    ):
        with pytest.raises(NotFoundError):
            wrong()
    assert tree(store, ("ada",)) == {"ada/a": b"1"}


def test_a_program_can_read_a_file_by_its_name(store: Store) -> None:
    put(store, ("ada", "a.csv"), b"rows")
    with store.local(("ada", "a.csv")) as path:
        store.remove(("ada", "a.csv"))
        assert (path.name, path.read_bytes()) == ("a.csv", b"rows")
    assert not path.exists()
