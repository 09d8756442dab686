import pyarrow as pa
import pytest

from awe.services.catalogs._types import storable, type_from_text, type_to_text

STORED = [
    pa.bool_(), pa.int8(), pa.uint8(), pa.int16(), pa.int32(), pa.int64(), pa.uint64(),
    pa.float32(), pa.float64(), pa.string(), pa.binary(), pa.date32(), pa.decimal128(20, 0),
    pa.timestamp("us"), pa.timestamp("us", tz="UTC"),
    pa.list_(pa.float32()), pa.list_(pa.float64(), 3), pa.list_(pa.list_(pa.int16(), 2)),
]  # fmt: skip


@pytest.mark.parametrize("kind", STORED, ids=str)
def test_stored_types_are_kept_and_read_back(kind: pa.DataType) -> None:
    assert storable(kind) == kind
    assert type_from_text(type_to_text(kind)) == kind


@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        (pa.null(), pa.string()),
        (pa.float16(), pa.float32()),
        (pa.large_string(), pa.string()),
        (pa.string_view(), pa.string()),
        (pa.dictionary(pa.int8(), pa.string()), pa.string()),
        (pa.binary(4), pa.binary()),
        (pa.date64(), pa.date32()),
        (pa.timestamp("ns"), pa.timestamp("us")),
        (pa.timestamp("s", tz="+02:00"), pa.timestamp("us", tz="UTC")),
        (pa.large_list(pa.large_string()), pa.list_(pa.string())),
        (pa.struct([("a", pa.int8())]), None),
        (pa.list_(pa.struct([])), None),
        (pa.time64("us"), None),
    ],
    ids=str,
)
def test_others_become_one_of_them_or_are_refused(kind: pa.DataType, stored: pa.DataType) -> None:
    assert storable(kind) == stored
