"""Columns of shapes, compared and measured: what the templates of ``SKY_MEET`` and its kin call.

A shape is a list of degrees whose length says its kind (`awe.core.sky.Shapes`); as text it is STC-S or as
DALI writes it, with or without its name. What is no shape is NULL.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from awe.core.sky import Box, Shapes, meet, numbers_of, parse_shape, within
from awe.core.sql._vectorised import Vectorised
from awe.errors import PositionError

__all__ = ["SHAPE_FUNCTIONS"]

_Rows = npt.NDArray[np.int64]

_NAMED = r"^\s*(?:(CIRCLE|POLYGON)\s+)?(?:ICRS\s+)?"
_PLAIN = _NAMED + r"[-+0-9.E]+(\s+[-+0-9.E]+)*\s*$"
"""What most texts are: they are read all at once."""


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks().cast(pa.list_(pa.float64()))


def _shapes(column: pa.ChunkedArray) -> tuple[Shapes, _Rows]:
    """Return the different shapes of a column (one where it is constant) and which of them each row has."""
    array = _one(column)
    counts = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    numbers = pc.list_flatten(array).to_numpy(zero_copy_only=False)
    rows, count = len(counts), int(counts[0]) if len(counts) else 0
    if rows > 1 and count and (counts == count).all():
        table = numbers.reshape(rows, count)
        if (table == table[0]).all():
            return Shapes(table[0], counts[:1]), np.zeros(rows, np.int64)
    return Shapes(numbers, counts), np.arange(rows)


def _related(
    relation: Callable[[Shapes, _Rows, Shapes, _Rows], npt.NDArray[np.int8]],
) -> Callable[..., pa.Array]:
    def compute(one: pa.ChunkedArray, other: pa.ChunkedArray) -> pa.Array:
        answers = relation(*_shapes(one), *_shapes(other))
        return pa.array(answers == 1, mask=answers < 0)

    return compute


def _areas(column: pa.ChunkedArray) -> pa.Array:
    shapes, rows = _shapes(column)
    found = shapes.areas()[rows]
    return pa.array(found, mask=np.isnan(found))


def _centroids(column: pa.ChunkedArray) -> pa.Array:
    shapes, rows = _shapes(column)
    found = shapes.centroids()[rows]
    return _lists(found, np.asarray(np.isfinite(found).all(axis=1)))


def _checked(column: pa.ChunkedArray) -> pa.Array:
    """Return the shapes that are defined, right ascensions within 0 to 360."""
    array = _one(column)
    counts = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    shapes = Shapes(pc.list_flatten(array).to_numpy(zero_copy_only=False), counts)
    places = np.arange(len(shapes.numbers)) - np.repeat(shapes.starts, counts)
    is_ra = (places % 2 == 0) & np.repeat((shapes.kinds == 6) | (shapes.kinds == 2), counts)
    outside = is_ra & ((shapes.numbers < 0) | (shapes.numbers > 360))
    numbers = np.where(outside, shapes.numbers % 360, shapes.numbers)
    ends = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), pa.array(numbers), mask=pa.array(shapes.kinds == 0))


def _boxes(
    ra: pa.ChunkedArray, dec: pa.ChunkedArray, width: pa.ChunkedArray, height: pa.ChunkedArray
) -> pa.Array:
    columns = [column.to_numpy(zero_copy_only=False) for column in (ra, dec, width, height)]
    return pa.array(
        [_box(*map(float, values)) for values in zip(*columns, strict=True)], pa.list_(pa.float64())
    )


def _box(ra: float, dec: float, width: float, height: float) -> list[float] | None:
    try:
        return numbers_of(Box(ra % 360, dec, width, height))
    except PositionError:
        return None


def _read(column: pa.ChunkedArray) -> pa.Array:
    text = column.combine_chunks()
    upper = pc.utf8_upper(text)
    plain = pc.fill_null(pc.match_substring_regex(upper, _PLAIN), fill_value=False)
    words = pc.utf8_split_whitespace(pc.utf8_trim_whitespace(pc.replace_substring_regex(upper, _NAMED, "")))
    try:
        numbers = words.filter(plain).cast(pa.list_(pa.float64()))
    except pa.ArrowInvalid:
        return pa.array([_numbers(value) for value in text.to_pylist()], pa.list_(pa.float64()))
    sizes = pc.list_value_length(numbers)
    circle = pc.starts_with(pc.utf8_ltrim_whitespace(upper.filter(plain)), "C")
    polygon = pc.starts_with(pc.utf8_ltrim_whitespace(upper.filter(plain)), "P")
    good = pc.and_(
        pc.or_(pc.invert(circle), pc.equal(sizes, 3)), pc.or_(pc.invert(polygon), pc.greater_equal(sizes, 6))
    )
    numbers = pc.if_else(good, numbers, pa.scalar(None, numbers.type))
    if numbers.null_count == 0 and pc.all(plain).as_py():
        return numbers
    others = iter([_numbers(value) for value in text.filter(pc.invert(plain)).to_pylist()])
    read = iter(numbers.to_pylist())
    return pa.array([next(read if p else others) for p in plain.to_pylist()], pa.list_(pa.float64()))


def _numbers(text: str | None) -> list[float] | None:
    try:
        return None if text is None else parse_shape(text)
    except PositionError:
        return None


def _lists(rows: npt.NDArray[np.float64], good: npt.NDArray[np.bool_]) -> pa.Array:
    ends = np.arange(0, rows.size + 1, rows.shape[1], dtype=np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), pa.array(rows.ravel()), mask=pa.array(~good))


_SHAPE = "DOUBLE[]"
SHAPE_FUNCTIONS = (
    Vectorised("awe_shape_within", (_SHAPE, _SHAPE), "BOOLEAN", _related(within)),
    Vectorised("awe_shape_meet", (_SHAPE, _SHAPE), "BOOLEAN", _related(meet)),
    Vectorised("awe_shape_area", (_SHAPE,), "DOUBLE", _areas),
    Vectorised("awe_shape_centroid", (_SHAPE,), _SHAPE, _centroids),
    Vectorised("awe_shape_checked", (_SHAPE,), _SHAPE, _checked),
    Vectorised("awe_shape_box", ("DOUBLE",) * 4, _SHAPE, _boxes),
    Vectorised("awe_shape_read", ("VARCHAR",), _SHAPE, _read),
)
