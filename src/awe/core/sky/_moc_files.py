"""MOCs as FITS files, and as mocpy's own objects: the one place that imports mocpy.

mocpy brings matplotlib and takes two seconds to load: it is loaded when a MOC is first asked for in FITS.
"""

from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from awe.core.sky._healpix import checked_order
from awe.core.sky._moc import Moc
from awe.errors import PositionError

if TYPE_CHECKING:
    from mocpy import MOC

__all__ = ["moc_from_fits", "moc_to_fits", "moc_to_mocpy"]


def moc_to_mocpy(moc: Moc) -> "MOC":
    """Return the MOC as mocpy has it."""
    ranges = np.ascontiguousarray(moc.ranges, np.uint64)
    return import_module("mocpy").MOC.from_depth29_ranges(moc.order, ranges)


def moc_to_fits(moc: Moc) -> bytes:
    """Return the MOC as a FITS file of cell numbers (NUNIQ), which readers of MOC 1.1 and 2.0 know alike."""
    out = BytesIO()
    moc_to_mocpy(moc).serialize("fits", v1_compatible=True).writeto(out)
    return out.getvalue()


def moc_from_fits(content: bytes) -> Moc:
    """Read a MOC from a FITS file (MOC 2.0 section 4.3: NUNIQ or RANGE).

    Raises
    ------
    PositionError
        If it is none.
    """
    try:
        found = import_module("mocpy").MOC.from_fits(BytesIO(content))
    except Exception as error:  # noqa: BLE001  # mocpy raises whatever its parts raise
        raise PositionError(f"not a MOC in FITS: {error}") from None
    return Moc(np.asarray(found.to_depth29_ranges).astype(np.int64), checked_order(int(found.max_order)))
