"""The archive inside this process: the one place where the client loads the platform."""

from pathlib import Path

from awe.client._inprocess import Application
from awe.errors import NotFoundError
from awe.settings import Settings

__all__ = ["LocalArchive"]


class LocalArchive:
    """An archive opened from its data folder, and the application that serves it in this process.

    Raises
    ------
    NotFoundError
        If the folder holds no archive.
    """

    url = "http://awe.local"

    def __init__(self, folder: Path) -> None:
        if not (folder / "awe.db").exists():
            raise NotFoundError(
                f"no archive in {folder}",
                hint=f"`awe up --data {folder} --demo` makes one with a demonstration sky",
            )
        from awe.platform import Platform  # noqa: PLC0415  # the client stays light; see the module's docstring
        from awe.web import build_app  # noqa: PLC0415

        self.folder = folder
        self._platform = Platform.open(Settings.load(folder, share_paths=True))
        self.app: Application = build_app(self._platform)

    def close(self) -> None:
        """Close the archive."""
        self._platform.close()
