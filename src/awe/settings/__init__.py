"""Everything an operator can set, one module for each part of it; `Settings` is the whole tree.

``AWE_PORT=9000`` sets `Settings.port`, ``AWE_LIMITS__ROWS=1000`` sets `Settings.limits.rows`; the file is
``awe.toml`` in the data folder. The environment is read nowhere else.
"""

from awe.settings._tree import (
    ArchiveSettings,
    ClientSettings,
    HistorySettings,
    JobSettings,
    LoginSettings,
    NameSettings,
    Settings,
    SpaceSettings,
)
from awe.settings.engines import FileSettings, LimitSettings, ScaleSettings, SparkSettings
from awe.settings.images import ImageSettings
from awe.settings.quotas import QuotaSettings
from awe.settings.tables import TableSettings, TapSettings, UploadSettings

__all__ = [
    "ArchiveSettings", "ClientSettings", "FileSettings", "HistorySettings", "ImageSettings", "JobSettings", "LimitSettings", "LoginSettings",
    "NameSettings", "QuotaSettings", "ScaleSettings", "Settings", "SpaceSettings", "SparkSettings",
    "TableSettings", "TapSettings", "UploadSettings",
]  # fmt: skip
