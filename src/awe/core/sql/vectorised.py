"""Functions that an engine cannot compute itself: Arrow arrays in, an Arrow array out.

Templates of the function table call them by name; whoever runs the SQL registers them first. They are few:
what SQL can say, a template says. A value is NULL where the function is not defined.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from awe.core.sky import MAX_ORDER, cells_in_reach, finest_order, healpix_center, healpix_index, propagate
from awe.core.sql._shape_functions import SHAPE_FUNCTIONS
from awe.core.sql._vectorised import Vectorised

__all__ = ["REACH_LEVELS", "SCATTERED", "VECTORISED", "Vectorised"]

_Floats = npt.NDArray[np.float64]
_Integers = npt.NDArray[np.int64]


def _floats(array: pa.ChunkedArray) -> _Floats:
    found: _Floats = array.to_numpy(zero_copy_only=False)
    return found.astype(np.float64, copy=False)


def _integers(array: pa.ChunkedArray, *, null: int) -> _Integers:
    found: _Integers = array.fill_null(null).to_numpy(zero_copy_only=False).astype(np.int64)
    return found


def _cells(order: pa.ChunkedArray, ra: pa.ChunkedArray, dec: pa.ChunkedArray) -> pa.Array:
    orders, lon, lat = _integers(order, null=-1), _floats(ra), _floats(dec)
    cells = np.full(orders.size, -1)
    for level in np.unique(orders):
        if 0 <= level <= MAX_ORDER:
            mine = orders == level
            cells[mine] = healpix_index(lon[mine], lat[mine], int(level))
    return pa.array(cells, mask=cells < 0)


def _centres(order: pa.ChunkedArray, index: pa.ChunkedArray) -> pa.Array:
    orders, cells = _integers(order, null=-1), _integers(index, null=-1)
    good = (orders >= 0) & (orders <= MAX_ORDER) & (cells >= 0)
    good &= cells < np.int64(12) << (2 * np.where(good, orders, 0))
    places = np.zeros((orders.size, 2))
    for level in np.unique(orders[good]):
        mine = good & (orders == level)
        places[mine] = np.stack(healpix_center(cells[mine], int(level)), axis=-1)
    return _lists(places, good)


def _states(
    ra: pa.ChunkedArray,
    dec: pa.ChunkedArray,
    parallax: pa.ChunkedArray,
    pm_ra: pa.ChunkedArray,
    pm_dec: pa.ChunkedArray,
    velocity: pa.ChunkedArray,
    years: pa.ChunkedArray,
) -> pa.Array:
    given = [_floats(array) for array in (ra, dec, parallax, pm_ra, pm_dec, velocity, years)]
    good = np.isfinite(given[0]) & (np.abs(given[1]) <= 90) & np.isfinite(given[6])
    good &= ~np.isinf(np.stack(given)).any(axis=0)
    finite = [np.where(np.isfinite(part), part, np.nan) for part in given]
    finite[0], finite[1], finite[6] = (np.where(good, finite[i], 0.0) for i in (0, 1, 6))
    states = propagate(*finite)
    return _lists(states, good & np.isfinite(states).all(axis=1))


def _lists(rows: _Floats, good: npt.NDArray[np.bool_]) -> pa.Array:
    """Return the rows as lists, NULL where they are not good."""
    ends = np.arange(0, rows.size + 1, rows.shape[1], dtype=np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), pa.array(rows.ravel()), mask=pa.array(~good))


VECTORISED = (
    Vectorised("awe_healpix_index", ("INTEGER", "DOUBLE", "DOUBLE"), "BIGINT", _cells),
    Vectorised("awe_healpix_center", ("INTEGER", "BIGINT"), "DOUBLE[]", _centres),
    Vectorised("awe_propagate", ("DOUBLE",) * 7, "DOUBLE[]", _states),
    *SHAPE_FUNCTIONS,
)


def _reached(ra: pa.ChunkedArray, dec: pa.ChunkedArray, radius: pa.ChunkedArray) -> pa.Array:
    """Return the cells within reach of each position, of one radius; see `awe.core.sky.cells_in_reach`."""
    if not len(ra):
        return pa.array([], pa.list_(pa.int64()))
    found = cells_in_reach(healpix_index(_floats(ra), _floats(dec)), float(radius[0].as_py()))
    cells, rows = (np.concatenate(parts) for parts in zip(*found.lists, strict=True))
    return _by_row(rows, cells, len(ra))


def _by_row(rows: _Integers, values: _Integers, count: int) -> pa.Array:
    order = np.argsort(rows, kind="stable")
    ends = np.searchsorted(rows[order], np.arange(count + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), pa.array(values[order]))


REACH_LEVELS = (0, 4, 8, 12, 16, 20)
"""The orders of the cells that rows with radii of their own are listed in, each in those that suit its radius."""


def _keys(ra: pa.ChunkedArray, dec: pa.ChunkedArray, radius: pa.ChunkedArray) -> pa.Array:
    """Return the cells within reach of each position, of its own radius, their order in the bits from the 53rd on."""
    index, reach = healpix_index(_floats(ra), _floats(dec)), _floats(radius)
    finest = np.array([finest_order(r) if r >= 0 else -1 for r in reach.tolist()], np.int64)
    level = np.searchsorted(REACH_LEVELS, finest, side="right") - 1
    rows, keys = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for number, order in enumerate(REACH_LEVELS):
        mine = np.flatnonzero(level == number)
        for cells, numbers in cells_in_reach(index[mine], reach[mine], order).lists:
            rows.append(mine[numbers])
            keys.append(cells + (order << 53))
    return _by_row(np.concatenate(rows), np.concatenate(keys), len(ra))


def _matches(text: pa.ChunkedArray, pattern: pa.ChunkedArray) -> pa.Array:
    if not len(text):
        return pa.array([], pa.bool_())
    return pc.match_substring_regex(text, str(pattern[0].as_py())).combine_chunks()


def _counts(bins: pa.ChunkedArray, last: pa.ChunkedArray) -> pa.Array:
    """Return how many values each bin from 0 to the last holds, of lists of bins (``x``, nearly whole) and values in each (``y``)."""
    lists, ends = bins.combine_chunks(), _integers(last, null=0) + 1
    stop = np.cumsum(ends)
    owner = np.repeat(
        stop - ends, pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    )
    x, y = (pc.struct_field(lists.flatten(), name).to_numpy(zero_copy_only=False) for name in "xy")
    where = owner + np.rint(x).astype(np.int64)
    counts = np.bincount(where, y, minlength=int(ends.sum())).astype(np.int64)
    return pa.ListArray.from_arrays(pa.array(np.concatenate([[0], stop]), pa.int32()), pa.array(counts))


SCATTERED = (
    *VECTORISED,
    Vectorised("awe_counts", ("STRUCT(x DOUBLE, y DOUBLE)[]", "INTEGER"), "BIGINT[]", _counts),
    Vectorised("awe_cells_in_reach", ("DOUBLE",) * 3, "BIGINT[]", _reached),
    Vectorised("awe_keys_in_reach", ("DOUBLE",) * 3, "BIGINT[]", _keys),
    Vectorised("awe_matches", ("VARCHAR", "VARCHAR"), "BOOLEAN", _matches),
)
"""What an engine on many machines needs besides: histograms, the keys of its sky joins, patterns that take bounded time."""
