"""What a service speaks becomes what astronomers hold in their hands."""

import numpy as np
import pyarrow as pa
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord

from awe.client._values import position, to_astropy
from awe.core.tables import TableStream
from awe.errors import ParameterError, PositionError


@pytest.mark.parametrize(
    "texts",
    [[], [None], ["", None], ["a", None, "bcd"], ["é", "longer", None], ["a\0b", "c "], [" b", "NGC 4486"]],
    ids=repr,
)
def test_texts_become_those_of_numpy(texts: list[str | None]) -> None:
    behind_others = pa.array(["something else", *texts], pa.string()).slice(1)
    column = to_astropy(TableStream.from_table(pa.table({"name": behind_others})))["name"]
    assert np.asarray(column).tolist() == [text or "" for text in texts]
    assert np.ma.getmaskarray(column).tolist() == [text is None for text in texts]
    assert column.dtype.itemsize == 4 * max([1, *(len(text or "") for text in texts)])


@pytest.mark.parametrize(
    "where",
    [
        (180.5, 12), (np.float32(180.5), np.int64(12)), (180.5 * u.deg, 720 * u.arcmin), ("180.5", "12"), "180.5 12",
        SkyCoord(180.5, 12, unit="deg"),
    ],
)  # fmt: skip
def test_positions_are_read(where: object) -> None:
    assert position(where) == pytest.approx((180.5, 12.0), abs=1e-12)


@pytest.mark.parametrize(
    "where", [(1, 2, 3), (1,), (1 * u.s, 2), ("12:30:49", "+12:23"), (None, 1), 5.0, (1, 91), (np.nan, 1)]
)
def test_what_is_no_position_is_refused(where: object) -> None:
    with pytest.raises(PositionError):
        position(where)


def test_an_error_repeats_no_long_value() -> None:
    error = ParameterError("positions", [(1.0, 2.0)] * 10_000, "are too many")
    assert len(str(error)) < 300
    assert str(error).endswith("are too many")
