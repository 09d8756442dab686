"""One sky for all tests of the simulation."""

import pyarrow as pa
import pytest

from awe.core.science.simulation import Sky, simulate_sky, summary_catalog


@pytest.fixture(scope="session")
def sky() -> Sky:
    return simulate_sky()


@pytest.fixture(scope="session")
def catalog(sky: Sky) -> pa.Table:
    return summary_catalog(sky)
