"""What the archive tells registries of itself: resources, when each changed, and the relations of RegTAP.

`RegistryService` makes a resource of every service, every schema, every table with positions and every collection
that everybody may read, and remembers when each of them was new, changed or went away: registries ask for what has
changed since they asked last. `RegTap` holds the same as the tables of the schema ``rr``, for queries.
"""

from awe.services.registry.regtap import RegTap
from awe.services.registry.service import Announced, RegistryService
from awe.services.registry.store import RegistryStore

__all__ = ["Announced", "RegTap", "RegistryService", "RegistryStore"]
