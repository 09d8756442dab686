"""The part of the sky that a collection covers: the union of its datasets' regions."""

import math
from collections.abc import Iterable

from awe.core.sky import Moc, Region, parse_stcs
from awe.services.observations.model import Dataset

__all__ = ["covered"]

_FINEST = 18
"""0.8 arcsec, a resolution of images from the ground."""
_COARSEST = 6
_CELLS_ACROSS = 32
"""So many cells follow the outline of an image closely enough."""
_MOST_RANGES = 20_000
_AT_ONCE = 2000


def covered(datasets: Iterable[Dataset]) -> Moc:
    """Return the union of the regions of datasets; those without one add nothing."""
    found = Moc.union(())
    waiting: list[Moc] = []
    seen: set[str] = set()  # a hundred filters of one pointing have one region
    for dataset in datasets:
        stcs = dataset.header.get("s_region")
        if not isinstance(stcs, str) or stcs in seen:
            continue
        seen.add(stcs)
        region = parse_stcs(stcs)
        waiting.append(Moc.of_region(region, _order(region)))
        if len(waiting) >= _AT_ONCE:
            found, waiting = Moc.union([found, *waiting]).simplified(_MOST_RANGES), []
    return Moc.union([found, *waiting]).simplified(_MOST_RANGES)


def _order(region: Region) -> int:
    """Return the order at which some cells lie across a region."""
    diameter_deg = 2 * region.bounding_circle().radius
    cell_deg = max(diameter_deg / _CELLS_ACROSS, 1e-9)
    # a cell of order 0 is 58.6 degrees wide
    return min(_FINEST, max(_COARSEST, math.ceil(math.log2(58.6 / cell_deg))))
