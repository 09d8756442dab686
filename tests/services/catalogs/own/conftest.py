"""An archive with users who keep tables in it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from awe.core.tables import TableStream
from awe.platform import Platform
from awe.services.catalogs import TableService, VersionService
from awe.services.identity import ADMINISTRATOR, Identity
from awe.settings import Settings
from awe.testing import with_schema

ADA, BOB = Identity("ada"), Identity("bob", groups=frozenset({"hst"}))
EVE = Identity("eve")
CARLA = Identity("carla", roles=frozenset({ADMINISTRATOR}))


def stream(**columns: object) -> TableStream:
    return TableStream.from_table(pa.table(columns))


def numbers(*values: int) -> TableStream:
    return stream(n=pa.array(values, pa.int64()))


@pytest.fixture
def make_platform(tmp_path: Path) -> Iterator[Callable[..., Platform]]:
    opened: list[Platform] = []

    def make(**settings: object) -> Platform:
        opened.append(Platform.open(Settings.load(with_schema(tmp_path / "sky"), **settings)))
        return opened[-1]

    yield make
    for platform in opened:
        platform.close()


@pytest.fixture
def platform(make_platform: Callable[..., Platform]) -> Platform:
    return make_platform()


@pytest.fixture
def tables(platform: Platform) -> TableService:
    return platform.tables


@pytest.fixture
def versions(platform: Platform) -> VersionService:
    return platform.versions


@pytest.fixture
def read(platform: Platform) -> Callable[..., dict[str, list[object]]]:
    """Return what reads a table by a query, as its caller may."""

    def rows(name: str, identity: Identity = ADA) -> dict[str, list[object]]:
        found: dict[str, list[object]] = (
            platform.catalogs.query(f"SELECT * FROM {name}", identity=identity).to_table().to_pydict()
        )
        return found

    return rows
