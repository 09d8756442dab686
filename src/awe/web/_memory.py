"""What a server need not hold in memory."""

import sys
from importlib.abc import MetaPathFinder

import pyarrow as pa

__all__ = ["spare_pandas"]

_PANDAS = "pandas"


class _WithoutPandas(MetaPathFinder):
    """Says that there is no pandas, to whoever tries to import it."""

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> None:
        """Refuse."""
        if name == _PANDAS:
            raise ModuleNotFoundError("pandas is not wanted yet", name=name)


def spare_pandas() -> None:
    """Let pyarrow not import pandas, which takes a tenth of an idle server's memory.

    It does so when it makes its first array, where pandas is installed, to know values of pandas from others; it
    remembers if that failed, and tries again when it is asked for values of pandas.
    """
    if _PANDAS in sys.modules:
        return
    finder = _WithoutPandas()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([])
    finally:
        sys.meta_path.remove(finder)
