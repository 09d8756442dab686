"""How people log in at other account systems, as the operator sets it: ``[login.providers.NAME]`` in ``awe.toml``.

A provider is an account system that awe asks who somebody is. Its name is part of who its people are here: it stays
the same as long as the account system does, and another account system gets another name. Secrets are read from a
file of their own or from the environment; ``awe.toml`` holds none.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    Discriminator,
    Field,
    SecretStr,
    StringConstraints,
    Tag,
    model_validator,
)

__all__ = [
    "KeystoneSettings",
    "LdapSettings",
    "LoginProviderSettings",
    "OidcSettings",
    "OtherSettings",
    "ProviderName",
    "Providers",
    "secrets_in",
]


def _not_local(name: str) -> str:
    if name == "local":
        raise ValueError("local are awe's own accounts")
    return name


ProviderName = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$"), AfterValidator(_not_local)
]
"""What a provider is called."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SECRET = "secret"  # noqa: S105  # the name of the field


class LoginProviderSettings(BaseModel, extra="forbid", frozen=True):
    """What every provider has: who may log in, and what the people and groups of it are here."""

    kind: str = Field(
        description="What it is: `ldap`, `keystone`, `oidc`, or a name registered under awe.authenticators."
    )
    title: str = Field("", description="What people call it; the provider's name when empty.")
    create: bool = Field(
        True,
        description="Make an account at the first login. When false, only who is linked to an account may log in.",
    )
    allow_groups: tuple[str, ...] = Field(
        (), description="Only members of one of these groups, as the provider calls them, may log in."
    )
    allow_domains: tuple[str, ...] = Field(
        (), description="Only who has an electronic mail address in one of these domains may log in."
    )
    require: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="Attributes that who logs in must have, each with the values of which one is needed.",
    )
    groups: dict[str, str] = Field(
        default_factory=dict,
        description="Groups of the provider, and the group that their members belong to here.",
    )
    group_prefix: str = Field(
        "",
        description="Bring the groups that `groups` does not name, too, under their own name with this before it; "
        "not at all when empty.",
    )
    roles: dict[str, str] = Field(
        default_factory=dict, description="Groups of the provider, and the role that their members have here."
    )
    timeout_s: float = Field(10.0, gt=0, description="Seconds to wait for an answer.")
    ca_file: Path | None = Field(
        None, description="Certificates that are trusted; those of the machine when unset."
    )
    insecure: bool = Field(
        False,
        description="Allow an address without TLS that is not a loopback one: passwords are readable there.",
    )


class _WithSecret(LoginProviderSettings):
    secret: SecretStr = Field(
        SecretStr(""), description="The secret; from the environment alone, never in `awe.toml`."
    )
    secret_file: Path | None = Field(
        None,
        description="File that holds the secret; one that is not absolute is looked for in the data folder.",
    )

    def secret_from(self, folder: Path) -> str:
        """Return the secret, from its file if there is one; `OSError` if that cannot be read."""
        if self.secret_file is None:
            return self.secret.get_secret_value()
        return (folder / self.secret_file).read_text(encoding="utf-8").rstrip("\r\n")


class LdapSettings(_WithSecret):
    """A directory that is asked by LDAP (RFC 4511). The secret is the password of `bind_dn`."""

    kind: Literal["ldap"]
    url: str = Field(
        pattern=r"^ldaps?://[^/?#\s]+$",
        description="Address of the directory, such as `ldaps://ldap.example.org`.",
    )
    start_tls: bool = Field(True, description="Begin TLS (StartTLS) where the address is an `ldap://` one.")
    user_dn: str = Field(
        "",
        description="Name of a person's entry, `{user}` being what was typed; looked for with `user_filter` when empty.",
    )
    bind_dn: str = Field("", description="Who looks for people and groups; nobody named when empty.")
    user_base: str = Field("", description="Where people are looked for.")
    user_filter: str = Field(
        "(uid={user})", description="How a person is found, `{user}` being what was typed."
    )
    subject_attribute: str = Field(
        "entryUUID",
        description="Attribute that means one person for good (`objectGUID` in Active Directory).",
    )
    name_attribute: str = Field("uid", description="Attribute with the user name.")
    display_attribute: str = Field("cn", description="Attribute with the name for people.")
    email_attribute: str = Field("mail", description="Attribute with the address for electronic mail.")
    attributes: tuple[str, ...] = Field((), description="Further attributes that `require` asks for.")
    group_base: str = Field("", description="Where groups are looked for; not at all when empty.")
    group_filter: str = Field(
        "(member={dn})",
        description="How a person's groups are found, `{dn}` being the name of the person's entry, `{user}` the user name.",
    )
    group_attribute: str = Field("cn", description="Attribute with the name of a group.")
    member_of: str = Field("", description="Attribute of a person that names groups, such as `memberOf`.")

    @model_validator(mode="after")
    def _checked(self) -> Self:
        _needs_tls(self, self.url, secure=self.start_tls or self.url.startswith("ldaps:"))
        if not self.user_dn and not self.user_base:
            raise ValueError("user_dn or user_base is needed")
        for field in ("user_dn", "user_filter") if self.user_dn else ("user_filter",):
            if "{user}" not in getattr(self, field):
                raise ValueError(f"{field} has no {{user}}")
        return self


class KeystoneSettings(LoginProviderSettings):
    """OpenStack's Keystone (Identity API v3)."""

    kind: Literal["keystone"]
    url: str = Field(pattern=r"^https?://[^?#\s]+$", description="Address of Keystone, without `/v3`.")
    domain: str = Field("Default", description="Domain whose users log in.")
    projects: bool = Field(False, description="Take the projects of a user for groups, as `project:NAME`.")
    tokens: bool = Field(
        False,
        description="Take a Keystone token for that of a login here. Who has one may do everything its user may.",
    )

    @model_validator(mode="after")
    def _checked(self) -> Self:
        _needs_tls(self, self.url, secure=self.url.startswith("https:"))
        return self


class OidcSettings(_WithSecret):
    """An OpenID provider (OpenID Connect Core 1.0). The secret is the client's."""

    kind: Literal["oidc"]
    issuer: str = Field(
        pattern=r"^https?://[^?#\s]+$",
        description="The provider's issuer, below which its configuration lies.",
    )
    client_id: str = Field(min_length=1, description="What the provider calls this archive.")
    scopes: tuple[str, ...] = Field(("openid", "profile", "email"), description="What is asked for.")
    name_claim: str = Field("preferred_username", description="Claim with the user name.")
    groups_claim: str = Field(
        "groups", description="Claim with the groups; a dot leads into an object (`realm_access.roles`)."
    )
    trust_email: bool = Field(
        False, description="Believe addresses that the provider does not call verified (`email_verified`)."
    )

    @model_validator(mode="after")
    def _checked(self) -> Self:
        _needs_tls(self, self.issuer, secure=self.issuer.startswith("https:"))
        if "openid" not in self.scopes:
            raise ValueError("scopes has no openid")
        return self


class OtherSettings(_WithSecret):
    """An account system that a plug-in brings."""

    options: dict[str, str] = Field(default_factory=dict, description="What the plug-in asks for.")


def _needs_tls(provider: LoginProviderSettings, url: str, *, secure: bool) -> None:
    if not secure and not provider.insecure and urlsplit(url).hostname not in _LOOPBACK:
        raise ValueError(f"{url} has no TLS: passwords would be readable (insecure = true allows it)")


def _kind(given: Any) -> str:
    kind = given.get("kind", "") if isinstance(given, Mapping) else getattr(given, "kind", "")
    return kind if kind in {"ldap", "keystone", "oidc"} else "other"


Providers = dict[
    ProviderName,
    Annotated[
        Annotated[LdapSettings, Tag("ldap")]
        | Annotated[KeystoneSettings, Tag("keystone")]
        | Annotated[OidcSettings, Tag("oidc")]
        | Annotated[OtherSettings, Tag("other")],
        Discriminator(_kind),
    ],
]
"""Providers by their name, each with the fields of its kind."""


def secrets_in(tree: Mapping[str, Any]) -> Iterator[str]:
    """Yield the providers and the clients of an ``awe.toml`` that have a secret in it."""
    for part, kind in (("login", "providers"), ("provider", "clients")):
        within = tree.get(part, {})
        named = within.get(kind, {}) if isinstance(within, Mapping) else {}
        for name, given in named.items() if isinstance(named, Mapping) else ():
            if isinstance(given, Mapping) and _SECRET in given:
                yield f"{part}.{kind}.{name}.{_SECRET}"
