"""Positions of rows: are they on the sky, and which cells are they in."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from awe.core.sky import healpix_index
from awe.errors import InputFileError

__all__ = ["PositionCheck"]

_NAMED = 5


class PositionCheck:
    """Check the positions of a stream batch by batch, counting rows so that a bad one can be named.

    Parameters
    ----------
    source
        The file or table, as an error names it.
    ra, dec
        Names of the position columns (ICRS, degrees).
    unplaced
        Whether rows may have no position. They are filed under cell 0, where no search finds them: what
        the cells let through is tested by the positions themselves.
    anywhere
        Whether positions may be anywhere: those that are not on the sky are counted as `astray`, and filed likewise.
    """

    def __init__(
        self, source: object, ra: str, dec: str, *, unplaced: bool = False, anywhere: bool = False
    ) -> None:
        self._source = source
        self._names = (ra, dec)
        self._unplaced = unplaced
        self._anywhere = anywhere
        self._row = 0
        self.astray = 0

    def index(self, batch: pa.RecordBatch) -> npt.NDArray[np.int64]:
        """Return the nested HEALPix cells of order 29.

        Raises
        ------
        InputFileError
            If right ascensions are not within -180 to 360 degrees or declinations not within -90 to
            90, or one is missing: naming the rows, counted from one.
        """
        ra, dec = (_degrees(batch.column(batch.schema.get_field_index(name))) for name in self._names)
        nowhere = np.isnan(ra) & np.isnan(dec) & self._unplaced
        bad = ~((ra >= -180) & (ra <= 360) & (np.abs(dec) <= 90)) & ~nowhere
        if bad.any() and not self._anywhere:
            raise self._error(ra, dec, np.flatnonzero(bad))
        self.astray += int(bad.sum())
        nowhere |= bad
        self._row += batch.num_rows
        index = healpix_index(np.where(nowhere, 0.0, ra), np.where(nowhere, 0.0, dec))
        return np.where(nowhere, 0, index)

    def _error(
        self, ra: npt.NDArray[np.float64], dec: npt.NDArray[np.float64], bad: npt.NDArray[np.intp]
    ) -> InputFileError:
        names = self._names
        named = "; ".join(
            f"row {self._row + i + 1}: {names[0]}={_show(ra[i])}, {names[1]}={_show(dec[i])}"
            for i in bad[:_NAMED]
        )
        more = f" and {bad.size - _NAMED} more" if bad.size > _NAMED else ""
        return InputFileError(
            self._source,
            f"not a position on the sky: {named}{more}",
            where=f"row {self._row + bad[0] + 1}, columns {names[0]} and {names[1]}",
            hint="degrees, ra within -180 to 360 and dec within -90 to 90; leave out rows without a position, or "
            "name no position columns (ra and dec empty) to publish without a sky index",
        )


def _degrees(column: pa.Array) -> npt.NDArray[np.float64]:
    values = pc.cast(column, pa.float64())
    found: npt.NDArray[np.float64] = pc.fill_null(values, float("nan")).to_numpy(zero_copy_only=False)
    return found


def _show(value: float) -> str:
    return "missing" if np.isnan(value) else f"{value:g}"
