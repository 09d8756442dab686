"""Tables that users bring, keep, or ask other archives for, as the operator sets it: ``[uploads]``, ``[tables]``, ``[tap]``."""

import re

from pydantic import BaseModel, Field, IPvAnyNetwork, field_validator

__all__ = ["TableSettings", "TapSettings", "UploadSettings"]

_PROFILE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


class UploadSettings(BaseModel):
    """Tables that come with a query, and files that become tables of their senders."""

    tables: int = Field(20, ge=0, description="Tables that one query may bring.")
    rows: int = Field(10_000_000, ge=0, description="Rows of such a table at the most.")
    unpacked_bytes: int = Field(
        1_000_000_000, ge=0, description="Size of such a table at the most, when it is unpacked."
    )
    http: bool = Field(True, description="Fetch tables from the http and https addresses that a query names.")
    allow_networks: tuple[IPvAnyNetwork, ...] = Field(
        (),
        description="Networks that are fetched from although they are not public, such as 10.1.0.0/16.",
    )
    seconds: float = Field(60.0, gt=0, description="Time that fetching one table may take.")
    file_bytes: int = Field(
        100_000_000_000,
        ge=0,
        description="Size of a file at the most that is sent in pieces to become a table.",
    )
    files: int = Field(
        20, ge=1, description="Files of one user that may wait for their rest at the same time."
    )
    keep_days: float = Field(
        7.0, gt=0, description="So long such a file waits for its rest, and what became of it can be asked."
    )


class TableSettings(BaseModel):
    """Users' own tables: how long what was replaced or dropped can be brought back."""

    keep_days: float = Field(
        30.0, ge=0, description="So long a version that was replaced or dropped can be restored."
    )
    keep_versions: int = Field(
        20,
        ge=0,
        description="So many replaced or dropped versions of a table are kept at the most, the newest.",
    )
    keep_bytes: int = Field(
        20_000_000_000,
        ge=0,
        description="Size of all the versions that are kept for one user besides the current ones; the oldest go first.",
    )
    wait_seconds: float = Field(
        60.0, gt=0, description="So long a change waits until another one of the same table has ended."
    )


class TapProfileSettings(BaseModel, extra="forbid"):
    """Another archive that users may query through this one: ``[tap.profiles.NAME]``."""

    url: str = Field(pattern=r"^https?://[^\s?#@]+$", description="Address of its TAP service.")
    description: str = Field("", description="One sentence about it.")


class TapSettings(BaseModel):
    """TAP services of other archives."""

    profiles: dict[str, TapProfileSettings] = Field(
        default_factory=dict,
        description="Other archives, by the names that users know them by (Data Lab's `set_profile`).",
    )
    bytes: int = Field(1_000_000_000, ge=1, description="Size of one of their answers at the most.")

    @field_validator("profiles")
    @classmethod
    def _named(cls, profiles: dict[str, TapProfileSettings]) -> dict[str, TapProfileSettings]:
        for name in profiles:
            if name == "default" or not _PROFILE.fullmatch(name):
                raise ValueError(f"{name!r} is no name of small letters and digits, or is this archive's own")
        return profiles
