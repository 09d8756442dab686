"""Names of objects, and where they are.

`NameService.resolve` turns what an astronomer types into a position: a position itself, a name of the
local tables (Messier, NGC and IC with their other designations, bright stars, well-known sources), and,
where the operator allows the network, whatever the CDS knows. Nothing is read before the first question.
"""

from awe.services.names.model import NamedObject
from awe.services.names.service import NameService
from awe.services.names.store import NameStore

__all__ = ["NameService", "NameStore", "NamedObject"]
