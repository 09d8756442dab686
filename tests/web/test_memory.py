"""What a server does not load until somebody needs it."""

import subprocess
import sys

import pytest

_LEFT_OUT = """
import sys
from awe.web import spare_pandas
spare_pandas()
import pyarrow as pa
table = pa.table({"x": [1.0, 2.0]})
table.column("x").to_numpy()
print(*({"pandas", "matplotlib"} & sys.modules.keys()))
print(list(table.to_pandas()["x"]))
"""


@pytest.mark.slow
def test_pandas_and_matplotlib_wait_until_they_are_asked_for() -> None:
    """They are installed with notebooks, and a server that answers queries needs neither."""
    pytest.importorskip("pandas")
    said = subprocess.run([sys.executable, "-c", _LEFT_OUT], capture_output=True, text=True, check=True)
    assert said.stdout.splitlines() == ["", "[1.0, 2.0]"]
