"""What a service speaks becomes what astronomers hold in their hands."""

import numpy as np
import pyarrow as pa
import pytest

from awe.client._values import to_astropy
from awe.core.tables import TableStream


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
