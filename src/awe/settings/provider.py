"""Logging in to other tools of the site with an account here, as the operator sets it: ``[provider]`` in ``awe.toml``."""

import re
from pathlib import Path

from pydantic import BaseModel, Field, SecretStr, field_validator

__all__ = ["ProviderClientSettings", "ProviderSettings"]

_ADDRESS = re.compile(r"https?://[!$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]+")


class ProviderClientSettings(BaseModel, extra="forbid"):
    """A tool of the site that people log in to with their account here: ``[provider.clients.NAME]``."""

    title: str = Field("", description="What people are told it is called; NAME when empty.")
    redirect_uris: tuple[str, ...] = Field(
        (),
        description="Addresses that people may be sent back to after the login; compared letter by letter.",
    )
    post_logout_redirect_uris: tuple[str, ...] = Field(
        (), description="Addresses that people may be sent back to after the logout; compared likewise."
    )
    scopes: tuple[str, ...] = Field(
        ("openid", "profile", "email", "groups"),
        description="What it may ask for: openid, profile, email, groups, and the scopes of tokens.",
    )
    secret_file: Path | None = Field(None, description="File that holds its secret, as text.")
    secret: SecretStr = Field(
        SecretStr(""),
        description="Its secret; from the environment (AWE_PROVIDER__CLIENTS__NAME__SECRET) or `secret_file`, never "
        "written into awe.toml. Without a secret it is public: a program on people's own machines.",
    )
    trusted: bool = Field(
        False, description="It is the site's own: people are not asked whether they allow it."
    )
    device: bool = Field(
        False, description="It runs where there is no browser: people enter a code that it shows."
    )
    resource_server: bool = Field(
        False,
        description="It serves with tokens of others, and may ask of any token whose it is (introspection).",
    )

    @field_validator("redirect_uris", "post_logout_redirect_uris")
    @classmethod
    def _absolute(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        for address in addresses:
            if not _ADDRESS.fullmatch(address):
                raise ValueError(f"{address!r} is no http or https address without a fragment")
        return addresses


class ProviderSettings(BaseModel):
    """Logging in to other tools of the site with an account here (OpenID Connect)."""

    token_minutes: float = Field(60.0, gt=0, description="Life of a token that a tool gets.")
    refresh_days: float = Field(
        30.0, gt=0, description="So long a tool may be unused before people log in to it again."
    )
    code_seconds: float = Field(60.0, gt=0, description="Time that a tool has to take up a login.")
    device_minutes: float = Field(10.0, gt=0, description="Time to enter the code that `awe login` shows.")
    poll_seconds: int = Field(
        5, ge=1, description="Time between two questions of a program whether it is allowed."
    )
    key_days: float = Field(90.0, gt=0, description="After so long, logins are signed with a new key.")
    clients: dict[str, ProviderClientSettings] = Field(
        default_factory=dict, description="The tools, by their names (client_id)."
    )
