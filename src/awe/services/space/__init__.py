"""People's own files: a tree for each, of which what is below ``public`` may be read by everybody."""

from awe.services.space._draft import SpaceDraft
from awe.services.space.interface import Draft, Entry, Key, Store
from awe.services.space.model import FIXED, PUBLIC, TEMPORARY, Node, NodeKind, NodePath
from awe.services.space.service import SpaceService

__all__ = [
    "FIXED",
    "PUBLIC",
    "TEMPORARY",
    "Draft",
    "Entry",
    "Key",
    "Node",
    "NodeKind",
    "NodePath",
    "SpaceDraft",
    "SpaceService",
    "Store",
]
