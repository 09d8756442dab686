import subprocess
import sys
from pathlib import Path

import pytest

from awe.errors import AuthenticationError, NotFoundError, UnavailableError
from awe.platform import Platform
from awe.settings import Settings


@pytest.mark.slow
def test_an_empty_folder_becomes_an_archive_and_stays_one(tmp_path: Path) -> None:
    for _ in range(2):
        with Platform.open(Settings.load(tmp_path / "sky")) as platform:
            assert platform.catalogs.tables() == ()
            found = platform.catalogs.query(
                "SELECT COUNT(*) AS n FROM TAP_SCHEMA.tables WHERE schema_name = 'TAP_SCHEMA'"
            ).to_table()
            assert found["n"].to_pylist() == [5]
            with pytest.raises(AuthenticationError):
                platform.identity.identify("0" * 32)


def test_an_engine_nobody_registered(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no engine is called 'oracle'"):
        Platform.open(Settings.load(tmp_path, engine="oracle"))


@pytest.mark.slow
def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    Platform.open(Settings.load(tmp_path)).close()
    with Platform.open(Settings.load(tmp_path)) as platform, platform.system.transaction() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(UnavailableError, match="newer"):
        Platform.open(Settings.load(tmp_path))


@pytest.mark.slow
def test_an_idle_server_does_not_hold_what_only_pictures_need() -> None:
    said = "import sys, awe.cli.up; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    loaded = subprocess.run(
        [sys.executable, "-c", said], capture_output=True, check=True, text=True
    ).stdout.split()
    assert {"awe", "fastapi", "uvicorn"} <= {*loaded}
    assert not {"scipy", "reproject", "specutils", "dask", "pyspark"} & {*loaded}
