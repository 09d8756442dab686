"""The engine of one machine: what holds for every one of its queries."""

from pathlib import Path

import pytest

from awe.services.catalogs.backends.duckdb import DuckDBEngine
from awe.settings import LimitSettings

SETTINGS = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "allow_persistent_secrets": False,
    "allow_extension_repositories": "forbidden",
    "python_enable_replacements": False,
    "parquet_metadata_cache": True,
    "TimeZone": "UTC",
    "allowed_configs": ["max_execution_time"],
    "enable_external_access": False,
    "lock_configuration": True,
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_querys_cursor_has_the_settings_of_the_engine(tmp_path: Path, name: str) -> None:
    engine = DuckDBEngine(tmp_path, LimitSettings())
    cursor = engine._fork()
    try:
        assert cursor.sql(f"SELECT current_setting('{name}')").fetchall() == [(SETTINGS[name],)]
    finally:
        cursor.close()
        engine.close()
