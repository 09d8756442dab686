"""Functions that an engine cannot compute itself: Arrow arrays in, an Arrow array out.

Templates of the function table call them by name; whoever runs the SQL registers them first. They are few:
what SQL can say, a template says. A value is NULL where the function is not defined.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from awe.core.sky import MAX_ORDER, healpix_center, healpix_index, propagate
from awe.core.sql._shape_functions import SHAPE_FUNCTIONS
from awe.core.sql._vectorised import Vectorised

__all__ = ["VECTORISED", "Vectorised"]

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
