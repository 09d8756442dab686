"""Where a file is, in the words of the Data Lab: ``vos://``, ``<user>://public/`` and ``<collection>://``.

The client writes names into its addresses as they are; only what a web address cannot hold is spelt out there. So a plus
sign is a plus sign, and no blank.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

from awe.errors import AuthenticationError, ForbiddenError, InputFileError, NotFoundError, ParameterError
from awe.services.identity import WRITE, Identity
from awe.services.observations import PublishedFile
from awe.services.space import Node, NodeKind, NodePath
from awe.web.compat.datalab._asked import NOT_LOGGED_IN
from awe.web.http import Call

__all__ = [
    "Place",
    "Published",
    "Shown",
    "called",
    "local",
    "opened",
    "own",
    "place",
    "said",
    "shown",
    "shown_in",
]

_OWN = frozenset({"", "vos"})
_NEVER = frozenset({"file", "mydb"})


@dataclass(frozen=True, slots=True)
class Published:
    """Where a published file is: its collection, and the names in its tree."""

    collection: str
    parts: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.collection}://{'/'.join(self.parts)}"


Place = NodePath | Published


@dataclass(frozen=True, slots=True)
class Shown:
    """What the client is shown of a file or a folder.

    Attributes
    ----------
    owner
        Whose it is; the collection of what is published.
    is_public, is_writable
        Whether everybody may read it, and whether the caller may change it.
    """

    name: str
    kind: NodeKind
    size: int
    modified: datetime
    owner: str
    is_public: bool
    is_writable: bool

    @property
    def permissions(self) -> str:
        """As a list of files shows them: who may read, write and enter."""
        mark = {NodeKind.CONTAINER: "d", NodeKind.LINK: "l"}.get(self.kind, "-")
        enter = "x" if self.kind is NodeKind.CONTAINER else "-"
        write = "w" if self.is_writable else "-"
        other = f"r-{enter}" if self.is_public else "---"
        return f"{mark}r{write}{enter}{other}{other}"


def said(call: Call, name: str) -> str:
    """Return a parameter that names a file, with its plus signs."""
    for pair in call.request.url.query.split("&"):
        key, _, value = pair.partition("=")
        if key.lower() == name:
            return unquote(value, errors="surrogateescape")
    return ""


def place(call: Call, text: str, identity: Identity | None = None) -> Place:
    """Return where something is.

    Raises
    ------
    AuthenticationError
        If it is in the space of a caller whom nobody knows.
    NotFoundError
        If that is no place for files.
    ParameterError
        If no file can be called so.
    """
    identity = identity or call.identity
    scheme, mark, rest = text.partition("://")
    if not mark:
        scheme, rest = "", text
    if scheme.lower() in _OWN:
        if identity.is_anonymous:
            raise AuthenticationError("files of one's own need an account", hint=NOT_LOGGED_IN)
        return NodePath.of(identity.name, rest)
    if scheme.lower() in _NEVER:
        raise NotFoundError(
            f"{scheme}:// is no place for files here", hint="vos://name is a file of your own"
        )
    found = NodePath.of(scheme, rest)
    collection = None if scheme == identity.name else _collections(call, identity).get(scheme.casefold())
    return found if collection is None else Published(collection, found.parts)


def own(call: Call, text: str, identity: Identity) -> NodePath:
    """Return where something is that is to be changed; `ForbiddenError` if it is published."""
    found = place(call, text, identity)
    if isinstance(found, Published):
        raise ForbiddenError(f"{found} is published: it can be read, and not changed")
    return found


def called(call: Call, name: str) -> str:
    """Return a parameter that names a file; `ParameterError` where there is none."""
    text = said(call, name)
    if not text:
        raise ParameterError(name, "", "is needed: vos://name")
    return text


def shown(call: Call, where: Place) -> Shown:
    """Return what there is; `NotFoundError` if nothing that the caller may see."""
    if isinstance(where, Published):
        return _published(
            where, call.platform.observations.files.find(where.collection, where.parts, call.identity)
        )
    return _own(call.platform.space.node(where, call.identity), call.identity)


def shown_in(call: Call, where: Place) -> list[Shown]:
    """Return what is in a folder, or what a pattern means, or the one file that is meant.

    Raises
    ------
    NotFoundError
        If there is nothing of it that the caller may see.
    """
    if isinstance(where, Published):
        return _published_in(call, where)
    space, identity = call.platform.space, call.identity
    found = space.matching(where, identity)
    if not found:
        raise NotFoundError(f"there is no {where}", missing="node")
    if len(found) == 1 and found[0].is_container and found[0].path == where:
        found = space.nodes(where, identity)
    return [_own(node, identity) for node in found]


def opened(call: Call, where: Place, identity: Identity) -> BinaryIO:
    """Return a file to be read; `NotFoundError` if there is none that the caller may read."""
    if isinstance(where, NodePath):
        return call.platform.space.open(where, identity)
    try:
        return call.platform.observations.storage.binary(_path(call, where, identity))
    except InputFileError:
        raise NotFoundError(f"the file {where} is not there any more", missing="node") from None


@contextmanager
def local(call: Call, where: Place, identity: Identity) -> Iterator[Path]:
    """Yield where a file can be read on this machine; errors as `opened`."""
    if isinstance(where, Published):
        with call.platform.observations.storage.local(_path(call, where, identity)) as path:
            yield path
    else:
        with call.platform.space.local(where, identity) as path:
            yield path


def _path(call: Call, where: Published, identity: Identity) -> Path:
    path = call.platform.observations.files.find(where.collection, where.parts, identity).path
    if path is None:
        raise NotFoundError(f"{where} is a folder", missing="node")
    return path


def _collections(call: Call, identity: Identity) -> dict[str, str]:
    """Return the collections that the caller may see, by the names under which their files are, in small letters."""
    seen = {one.name for one in call.platform.observations.collections(identity)}
    further = call.platform.settings.space.services.items()
    found = {name.casefold(): name for name in seen}
    return found | {name.casefold(): collection for name, collection in further if collection in seen}


def _own(node: Node, identity: Identity) -> Shown:
    path = node.path
    mine = path.owner == identity.name and WRITE in identity.scopes
    return Shown(path.name, node.kind, node.size, node.modified, path.owner, path.is_public, mine)


def _published(where: Published, found: PublishedFile) -> Shown:
    kind = NodeKind.CONTAINER if found.path is None else NodeKind.FILE
    return Shown(found.name, kind, found.size, found.modified, where.collection, True, False)  # two facts


def _published_in(call: Call, where: Published) -> list[Shown]:
    files, identity = call.platform.observations.files, call.identity
    *folder, pattern = where.parts or ("",)
    try:
        there = files.find(where.collection, where.parts, identity)
    except NotFoundError:
        inner = files.list(where.collection, tuple(folder), identity)
        found = [one for one in inner if fnmatchcase(one.name, pattern)]
        if not found:
            raise
    else:
        found = [there] if there.path else list(files.list(where.collection, where.parts, identity))
    return [_published(where, one) for one in found]
