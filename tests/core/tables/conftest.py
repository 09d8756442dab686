"""Fixtures of the table tests."""

import shutil

import pytest


@pytest.fixture(scope="session")
def stilts() -> str:
    command = shutil.which("stilts")
    if command is None:
        pytest.skip("stilts is not installed")
    return command
