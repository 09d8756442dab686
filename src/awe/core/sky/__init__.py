"""The sky: positions, regions, and the HEALPix cells that an index looks up for them.

A `Region` (`Circle`, `Polygon`, `Box`, `Range`) is an immutable value in ICRS degrees: ``contains`` is
exact, ``covering`` a superset in HEALPix ranges, and an index uses both: ranges first, then the exact
test. A `Moc` is a region made of such cells. Text becomes values here too: DALI, STC-S, and positions as people type them. Everything works on
numpy arrays; this package uses cdshealpix and mocpy besides, and no tables, files or databases.
"""

from awe.core.sky._angles import ON_EDGE, half_chord_squared, lonlat, separation, unit_vector
from awe.core.sky._box import Box
from awe.core.sky._encloses import encloses
from awe.core.sky._frames import FRAMES, rotation, to_icrs
from awe.core.sky._healpix import (
    MAX_ORDER,
    IntArray,
    cell_radius,
    healpix_center,
    healpix_index,
    healpix_ring,
    merge_ranges,
)
from awe.core.sky._htm import htm_index
from awe.core.sky._moc import Moc
from awe.core.sky._moc_files import moc_from_fits, moc_to_fits, moc_to_mocpy
from awe.core.sky._motion import propagate
from awe.core.sky._notation import parse_circle, parse_dali, parse_polygon, parse_shape, parse_stcs
from awe.core.sky._polygon import Polygon
from awe.core.sky._position import parse_position
from awe.core.sky._range import Range
from awe.core.sky._reach import (
    MAX_REACH,
    CellsInReach,
    cells_in_reach,
    finest_order,
    reach_in_cells,
    rows_by_reach,
    surrounded,
)
from awe.core.sky._region import Circle, Region
from awe.core.sky._relations import meet, within
from awe.core.sky._seek import Sought, seek
from awe.core.sky._shapes import Shapes, numbers_of, shape_of

__all__ = [
    "FRAMES",
    "MAX_ORDER",
    "MAX_REACH",
    "ON_EDGE",
    "Box",
    "CellsInReach",
    "Circle",
    "IntArray",
    "Moc",
    "Polygon",
    "Range",
    "Region",
    "Shapes",
    "Sought",
    "cell_radius",
    "cells_in_reach",
    "encloses",
    "finest_order",
    "half_chord_squared",
    "healpix_center",
    "healpix_index",
    "healpix_ring",
    "htm_index",
    "lonlat",
    "meet",
    "merge_ranges",
    "moc_from_fits",
    "moc_to_fits",
    "moc_to_mocpy",
    "numbers_of",
    "parse_circle",
    "parse_dali",
    "parse_polygon",
    "parse_position",
    "parse_shape",
    "parse_stcs",
    "propagate",
    "reach_in_cells",
    "rotation",
    "rows_by_reach",
    "seek",
    "separation",
    "shape_of",
    "surrounded",
    "to_icrs",
    "unit_vector",
    "within",
]
