"""Open the archive of a data folder, for operator commands."""

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from awe.platform import Platform
from awe.settings import Settings

__all__ = ["data_option", "here", "open_archive"]

F = TypeVar("F", bound=Callable[..., Any])


def data_option(function: F) -> F:
    """Add ``--data``: the archive's folder."""
    return click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        help="Data folder of the archive [default: AWE_DATA, else ./sky].",
    )(function)


@contextmanager
def open_archive(data: Path | None, **overrides: object) -> Iterator[Platform]:
    """Open the archive of a folder (made when it is new) and close it afterwards."""
    platform = Platform.open(Settings.load(data, **overrides))
    try:
        yield platform
    finally:
        platform.close()


def here() -> str:
    """Return how the audit log names who commands this machine; no account can have such a name."""
    try:
        return f"local:{getpass.getuser()}"
    except (KeyError, OSError):  # a container's user may have no name
        return "local:"
