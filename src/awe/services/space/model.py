"""Values of people's files: where one is, what it is, what everybody may read of it.

Words: a *space* is the tree of one user's files; a *node* is a file or a folder in it. Everybody may read what is below
the folder ``public``; ``tmp`` is for what is soon not needed any more. Both are always there.
"""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from awe.errors import ParameterError

__all__ = ["FIXED", "PUBLIC", "TEMPORARY", "Node", "NodeKind", "NodePath", "is_proper"]

PUBLIC, TEMPORARY = "public", "tmp"
FIXED = (PUBLIC, TEMPORARY)
"""The folders that every space has."""
_LONGEST_NAME = 255
_DEEPEST = 64


class NodeKind(StrEnum):
    """What a node is, in the words of the Data Lab."""

    CONTAINER = "container"
    FILE = "data"
    LINK = "link"
    """Made by a program that sees the folders; it is shown and can be removed, and is never followed."""


@dataclass(frozen=True, slots=True)
class NodePath:
    """Where a node is.

    Attributes
    ----------
    owner
        Whose space it is in.
    parts
        The names from the top of the space on; none for the top itself.
    """

    owner: str
    parts: tuple[str, ...] = ()

    @classmethod
    def of(cls, owner: str, text: str) -> "NodePath":
        """Read a path with slashes; further slashes, at the beginning, at the end and doubled, say nothing.

        Raises
        ------
        ParameterError
            If a name in it can be nobody's file.
        """
        parts = tuple(part for part in text.split("/") if part)
        for part in parts:
            if not is_proper(part):
                raise ParameterError(
                    "name",
                    text.encode("utf-8", "replace").decode(),
                    "no file can be called so",
                    hint="a name has 1 to 255 bytes, no control characters, and is neither . nor ..",
                )
        if len(parts) > _DEEPEST:
            raise ParameterError("name", text[:100], f"it is more than {_DEEPEST} folders deep")
        return cls(owner, parts)

    def __str__(self) -> str:
        return "/".join((self.owner, *self.parts))

    @property
    def name(self) -> str:
        """The last name; empty at the top."""
        return self.parts[-1] if self.parts else ""

    @property
    def parent(self) -> "NodePath":
        """The folder that it is in; of the top, the top."""
        return NodePath(self.owner, self.parts[:-1])

    @property
    def is_public(self) -> bool:
        """Whether everybody may read it."""
        return self.parts[:1] == (PUBLIC,)

    @property
    def is_fixed(self) -> bool:
        """Whether it is always there, under its name."""
        return not self.parts or self.parts in {(name,) for name in FIXED}

    def below(self, name: str) -> "NodePath":
        """Return where a node in this folder is."""
        return NodePath(self.owner, (*self.parts, name))


@dataclass(frozen=True, slots=True)
class Node:
    """A file, a folder or a link.

    Attributes
    ----------
    size
        Bytes; 0 of what is no file.
    modified
        When it was written last.
    """

    path: NodePath
    kind: NodeKind
    size: int
    modified: datetime

    @property
    def is_container(self) -> bool:
        """Whether it is a folder."""
        return self.kind is NodeKind.CONTAINER


def is_proper(name: str) -> bool:
    """Tell whether a file can be called so: what a name cannot hold is not shown either."""
    if name in {"", ".", ".."} or "/" in name:
        return False
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in name):
        return False
    return len(name.encode()) <= _LONGEST_NAME
