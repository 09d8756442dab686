"""The clients of the provider, as the operator lists them."""

import re

from awe.errors import UsageError
from awe.services.identity._secrets import digest
from awe.services.identity.authorization import CLAIM_SCOPES, COMMAND_LINE, Client
from awe.services.identity.model import SCOPES
from awe.settings.provider import ProviderClientSettings, ProviderSettings

__all__ = ["provider_clients"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def provider_clients(settings: ProviderSettings) -> tuple[Client, ...]:
    """Return the clients of the settings, and `COMMAND_LINE`.

    Raises
    ------
    UsageError
        If a name or a scope cannot be used, or a file with a secret cannot be read.
    """
    return (COMMAND_LINE, *(_client(name, given) for name, given in settings.clients.items()))


def _client(name: str, given: ProviderClientSettings) -> Client:
    where = f"provider.clients.{name}"
    if not _NAME.fullmatch(name) or name == COMMAND_LINE.id:
        raise UsageError(f"settings: {where}: a client cannot be called so")
    known = CLAIM_SCOPES | SCOPES
    if wrong := set(given.scopes) - known:
        raise UsageError(
            f"settings: {where}.scopes: no such scopes: {', '.join(sorted(wrong))}",
            hint=f"some of {', '.join(sorted(known))}",
        )
    secret = _secret(where, given)
    return Client(
        name,
        given.title or name,
        given.redirect_uris,
        given.post_logout_redirect_uris,
        frozenset(given.scopes),
        digest(secret) if secret else None,
        trusted=given.trusted,
        resource_server=given.resource_server,
        device=given.device,
    )


def _secret(where: str, given: ProviderClientSettings) -> str:
    if given.secret_file is None:
        return given.secret.get_secret_value()
    try:
        secret = given.secret_file.expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"settings: {where}.secret_file cannot be read: {error}") from None
    if not secret:
        raise UsageError(f"settings: {where}.secret_file is empty")
    return secret
