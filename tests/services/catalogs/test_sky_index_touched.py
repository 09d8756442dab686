"""Which spans of cells meet which ranges: the same as comparing every one with every one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from awe.services.catalogs.sky_index.groups import touched

EDGES = st.lists(st.integers(0, 60), unique=True, max_size=24).map(sorted)


@given(EDGES, EDGES, st.booleans())
def test_as_brute_force_has_it(spans: list[int], ranges: list[int], shared: bool) -> None:
    """Spans of one file may share a cell with their neighbours; those of partitions have none in common."""
    cut = [spans[i : i + 2] for i in range(0, len(spans) - 1, 1 if shared else 2)]
    held = np.asfortranarray(np.array([(a, b + shared) for a, b in cut], np.int64).reshape(-1, 2))
    asked = np.array([ranges[i : i + 2] for i in range(0, len(ranges) - 1, 2)], np.int64).reshape(-1, 2)
    wanted = [
        i
        for i, (low, high) in enumerate(held.tolist())
        if any(a < high and b > low for a, b in asked.tolist())
    ]
    assert touched(held, asked) == wanted
