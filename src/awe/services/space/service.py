"""Use cases of people's files: look, read, write, copy, move, remove.

Whose a space is may do everything in it, with a token that allows to; everybody may read what is below its ``public``.
Nobody else is told what is there: what may not be read is not there. An administrator is nobody special here.
"""

import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from awe.errors import AuthenticationError, AweError, ConflictError, ForbiddenError, NotFoundError
from awe.services.identity import PUBLISH, READ, WRITE, AuditLog, Identity, Measure, QuotaService
from awe.services.space._draft import SpaceDraft
from awe.services.space.interface import Entry, Key, Store
from awe.services.space.model import FIXED, TEMPORARY, Node, NodeKind, NodePath
from awe.services.space.usage import SpaceUsage
from awe.settings import SpaceSettings

__all__ = ["SpaceService"]

_CHUNK = 1 << 20
_MAGIC = frozenset("*?[")


class SpaceService:
    """Keep people's files.

    Parameters
    ----------
    store
        Where the bytes are.
    quotas
        How much people may keep.
    audit
        Where it is recorded that something is offered to everybody.
    settings
        How large a file may be.
    """

    def __init__(self, store: Store, quotas: QuotaService, audit: AuditLog, settings: SpaceSettings) -> None:
        self._store = store
        self._quotas = quotas
        self._audit = audit
        self._settings = settings
        self._usage = SpaceUsage(store)
        quotas.bring(Measure.STORAGE_BYTES, lambda who: self._usage.bytes(_key(NodePath(who.name))))

    # Looking and reading

    def node(self, path: NodePath, identity: Identity) -> Node:
        """Return what is there; `NotFoundError` if there is nothing that the caller may see."""
        found = self._found(path, identity)
        if found is None:
            raise _absent(path)
        return _node(path, found)

    def nodes(self, path: NodePath, identity: Identity) -> tuple[Node, ...]:
        """Return what is in a folder, by name.

        Raises
        ------
        NotFoundError
            If there is no such folder that the caller may see.
        """
        self._check_reading(path, identity)
        found = (_node(path.below(entry.name), entry) for entry in self._store.list(_key(path)))
        return tuple(sorted(found, key=lambda node: node.path.name))

    def matching(self, path: NodePath, identity: Identity) -> tuple[Node, ...]:
        """Return what a path with ``*``, ``?`` and ``[...]`` in its names means, by path.

        A name that is there is meant as it is. Nothing that the caller may not see is found.
        """
        self._check_reading(path, identity)
        found = [NodePath(path.owner)]
        for part in path.parts:
            found = [inner for outer in found for inner in self._matching(outer, part, identity)]
        nodes = (self._found(one, identity) for one in found)
        return tuple(_node(one, entry) for one, entry in zip(found, nodes, strict=True) if entry is not None)

    def may(self, path: NodePath, identity: Identity, action: str) -> bool:
        """Return whether there is something that the caller may read (`READ`) or change (`WRITE`)."""
        try:
            found = self._found(path, identity)
        except NotFoundError:
            return False
        if found is None:
            return False
        return action == READ or (_owns(path, identity) and action in identity.scopes)

    def open(self, path: NodePath, identity: Identity) -> BinaryIO:
        """Return a file to be read, as it is now whatever becomes of it; whoever reads it closes it.

        Raises
        ------
        NotFoundError
            If there is no such file that the caller may read.
        """
        self._check_reading(path, identity)
        return self._store.open(_key(path))

    def local(self, path: NodePath, identity: Identity) -> AbstractContextManager[Path]:
        """Return where a program of this machine can read a file; errors as `open`."""
        self._check_reading(path, identity)
        return self._store.local(_key(path))

    # Writing

    @contextmanager
    def write(
        self, path: NodePath, identity: Identity, *, replace: bool = True, size: int = 0
    ) -> Iterator[SpaceDraft]:
        """Yield what takes the bytes of a file: it is there when its ``done`` was called, and not at all otherwise.

        Parameters
        ----------
        replace
            Whether it may take the place of another file.
        size
            Bytes that will come, where that is known: refused at once if they are too many.

        Raises
        ------
        AuthenticationError, ForbiddenError
            If the caller may not write there.
        NotFoundError
            If there is no such folder to write into.
        ConflictError
            If a folder has that name, or a file that may not be replaced.
        LimitError, QuotaError
            If it becomes too large.
        UnavailableError
            If it cannot be kept.
        """
        before = self._check_new(path, identity)
        if before is not None and (before.kind is NodeKind.CONTAINER or not replace):
            raise _taken(path)
        owner = _key(NodePath(path.owner))
        self._check_room(identity, size or 1)
        with self._store.write(_key(path), replace=replace) as inner:
            draft = SpaceDraft(
                inner,
                self._settings.file_bytes,
                partial(self._check_room, identity),
                partial(self._usage.come, owner),
            )
            try:
                yield draft
            finally:
                self._usage.come(owner, -draft.came)
                if draft.is_done:
                    self._usage.add(owner, draft.came - (before.size if before is not None else 0))
        if draft.is_done:
            self._tell(path, identity)

    def make(self, path: NodePath, identity: Identity) -> Node:
        """Make a folder; errors as `write`."""
        if self._check_new(path, identity) is not None:
            raise _taken(path)
        self._store.make(_key(path))
        return self.node(path, identity.finding)

    def remove(self, path: NodePath, identity: Identity) -> None:
        """Remove a file, or a folder with all that is in it.

        Raises
        ------
        AuthenticationError, ForbiddenError
            If the caller may not, or it is the top of a space, its ``public`` or its ``tmp``.
        NotFoundError
            If it is not there.
        """
        found = self._check_change(path, identity)
        self._store.remove(_key(path))
        owner = _key(NodePath(path.owner))
        if found.kind is NodeKind.CONTAINER:
            self._usage.forget(owner)
        else:
            self._usage.add(owner, -found.size)

    def move(self, old: NodePath, new: NodePath, identity: Identity) -> Node:
        """Give a file or a folder another place: in the folder `new`, if that is one, else under that name.

        Raises
        ------
        AuthenticationError, ForbiddenError
            If the caller may not change one of the places.
        NotFoundError
            If there is nothing at the one, or no folder at the other.
        ConflictError
            If the place is taken, or within what is moved.
        """
        self._check_change(old, identity)
        target = self._target(old, new, identity)
        self._store.move(_key(old), _key(target))
        if target.is_public and not old.is_public:
            self._tell(target, identity)
        return self.node(target, identity.finding)

    def copy(self, old: NodePath, new: NodePath, identity: Identity) -> Node:
        """Copy a file or a folder; places and errors as `move`, and what is copied need only be readable.

        A folder is there as a whole or not at all: it is copied beside, below ``tmp``, and then moved.

        Raises
        ------
        LimitError, QuotaError, UnavailableError
            As `write`.
        """
        found = self.node(old, identity)
        target = self._target(old, new, identity)
        if not found.is_container:
            self._copy_file(old, target, identity, replace=False)
            return self.node(target, identity.finding)
        aside = NodePath(target.owner, (TEMPORARY, f".copying-{secrets.token_hex(6)}"))
        try:
            self._copy_folder(old, aside, identity)
            self._store.move(_key(aside), _key(target))
        except AweError:
            with suppress(NotFoundError):
                self._store.remove(_key(aside))
            self._usage.forget(_key(NodePath(target.owner)))
            raise
        self._tell(target, identity)
        return self.node(target, identity.finding)

    def _copy_folder(self, old: NodePath, new: NodePath, identity: Identity) -> None:
        self._store.make(_key(new))
        for node in self.nodes(old, identity):
            inner = new.below(node.path.name)
            if node.is_container:
                self._copy_folder(node.path, inner, identity)
            else:
                self._copy_file(node.path, inner, identity, replace=False)

    def _copy_file(self, old: NodePath, new: NodePath, identity: Identity, *, replace: bool) -> None:
        with (
            self.open(old, identity) as source,
            self.write(new, identity, replace=replace, size=source.seek(0, 2)) as draft,
        ):
            source.seek(0)
            while chunk := source.read(_CHUNK):
                draft.write(chunk)
            draft.done()

    # Who may

    def _check_reading(self, path: NodePath, identity: Identity) -> None:
        if READ not in identity.scopes or not (path.is_public or _owns(path, identity)):
            raise _absent(path)
        self._prepare(path, identity)

    def _check_writing(self, path: NodePath, identity: Identity) -> None:
        if identity.is_anonymous:
            raise AuthenticationError("files of one's own need an account", hint="log in")
        if not _owns(path, identity):
            if path.is_public and READ in identity.scopes:
                raise ForbiddenError(
                    f"{path} is {path.owner}'s: everybody may read it, and only {path.owner} change it"
                )
            raise _absent(path)
        for scope in (WRITE, PUBLISH) if path.is_public else (WRITE,):
            if scope not in identity.scopes:
                raise ForbiddenError(f"the token lacks the scope {scope}", scope=scope)
        self._prepare(path, identity)

    def _check_change(self, path: NodePath, identity: Identity) -> Entry:
        """Return what is there to be moved or removed."""
        self._check_writing(path, identity)
        if path.is_fixed:
            raise ForbiddenError(f"{path} is always there: it can neither be moved nor removed")
        found = self._store.stat(_key(path))
        if found is None:
            raise _absent(path)
        return found

    def _check_new(self, path: NodePath, identity: Identity) -> Entry | None:
        """Return what is where something is to be."""
        self._check_writing(path, identity)
        if not path.parts:
            raise _taken(path)
        above = self._store.stat(_key(path.parent))
        if above is None or above.kind is not NodeKind.CONTAINER:
            raise _absent(path.parent, "container")
        return self._store.stat(_key(path))

    def _target(self, old: NodePath, new: NodePath, identity: Identity) -> NodePath:
        """Return where something goes that is moved or copied."""
        self._check_writing(new, identity)
        there = self._store.stat(_key(new))
        target = new.below(old.name) if there is not None and there.kind is NodeKind.CONTAINER else new
        if self._check_new(target, identity) is not None:
            raise _taken(target)
        if target.owner == old.owner and target.parts[: len(old.parts)] == old.parts:
            raise ConflictError(f"{old} cannot be within itself")
        return target

    def _check_room(self, identity: Identity, more: int) -> None:
        if self._quotas.limit(identity, Measure.STORAGE_BYTES) is not None:
            self._quotas.check(
                identity,
                Measure.STORAGE_BYTES,
                self._quotas.used(identity, Measure.STORAGE_BYTES),
                more,
                retry_after=None,
                help_="remove files, tables or results of jobs that you do not need",
            )

    def _tell(self, path: NodePath, identity: Identity) -> None:
        if path.is_public:
            self._audit.record("file.published", user=identity.name, target=f"file:{path}", outcome="done")

    # What is there

    def _found(self, path: NodePath, identity: Identity) -> Entry | None:
        self._check_reading(path, identity)
        return self._store.stat(_key(path))

    def _matching(self, folder: NodePath, name: str, identity: Identity) -> Iterator[NodePath]:
        exact = folder.below(name)
        if self._store.stat(_key(exact)) is not None or not _MAGIC & set(name):
            yield exact
            return
        try:
            found = self.nodes(folder, identity)
        except NotFoundError:
            return
        yield from (node.path for node in found if fnmatchcase(node.path.name, name))

    def _prepare(self, path: NodePath, identity: Identity) -> None:
        """Make somebody's space where there is none, when its owner looks."""
        if not _owns(path, identity):
            return
        top = NodePath(path.owner)
        for one in (top, *(top.below(name) for name in FIXED)):
            if self._store.stat(_key(one)) is None:
                try:
                    self._store.make(_key(one))
                except ConflictError:  # somebody was quicker
                    continue


def _owns(path: NodePath, identity: Identity) -> bool:
    return bool(identity.name) and identity.name == path.owner


def _key(path: NodePath) -> Key:
    """Return the names under which a node is kept: the owner's is written so that it can be a folder's."""
    owner = quote(path.owner, safe="@")
    return (f"%2E{owner[1:]}" if owner.startswith(".") else owner, *path.parts)


def _node(path: NodePath, entry: Entry) -> Node:
    return Node(path, entry.kind, entry.size, entry.modified)


def _absent(path: NodePath, missing: str = "node") -> NotFoundError:
    return NotFoundError(f"there is no {path}", missing=missing)


def _taken(path: NodePath) -> ConflictError:
    return ConflictError(f"{path} is there already")
