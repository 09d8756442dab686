"""What a function is that an engine cannot compute itself; see ``awe.core.sql.vectorised``."""

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

__all__ = ["Vectorised"]


@dataclass(frozen=True, slots=True)
class Vectorised:
    """One function.

    Attributes
    ----------
    name
        As templates call it.
    parameters, result
        SQL types.
    compute
        Takes one Arrow array for each parameter, all of the same length; NULLs are passed on to it.
    """

    name: str
    parameters: tuple[str, ...]
    result: str
    compute: Callable[..., pa.Array]

    def __call__(self, *columns: pa.Array) -> pa.Array:
        """Compute it of plain arrays, as whoever runs it somewhere else calls it."""
        return self.compute(*(pa.chunked_array([column]) for column in columns))
