"""Log in from a program without a browser (RFC 8628): show a code, wait until a person entered it."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from awe.client._logins import Kept
from awe.client._transport import Transport
from awe.errors import AuthenticationError, ForbiddenError, UsageError

__all__ = ["Waiting", "log_in", "renew", "revocation"]

_CLIENT = "awe"
_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_SLOWER_S = 5.0  # RFC 8628 section 3.5


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a person is told.

    Attributes
    ----------
    address
        Where to go.
    code
        What to enter there.
    complete
        The address with the code in it already.
    """

    address: str
    code: str
    complete: str


def log_in(
    transport: Transport,
    scopes: Sequence[str],
    tell: Callable[[Waiting], None],
    sleep: Callable[[float], None] = time.sleep,
) -> Kept:
    """Let a person log this program in; return when it is done.

    Parameters
    ----------
    scopes
        What the login shall allow.
    tell
        Shows the code.
    sleep
        Waits so many seconds.

    Raises
    ------
    ForbiddenError
        If the person says no.
    AuthenticationError
        If nobody entered the code in time.
    """
    begun = transport.post_form(
        "/oauth/device_authorization", {"client_id": _CLIENT, "scope": " ".join(scopes)}
    )
    tell(Waiting(begun["verification_uri"], begun["user_code"], begun["verification_uri_complete"]))
    interval = float(begun["interval"])
    while True:
        sleep(interval)
        try:
            return _kept(
                transport.post_form(
                    "/oauth/token",
                    {"client_id": _CLIENT, "grant_type": _GRANT, "device_code": begun["device_code"]},
                )
            )
        except UsageError as error:
            said = error.fields.get("oauth")
            if said == "slow_down":
                interval += _SLOWER_S
            elif said == "access_denied":
                raise ForbiddenError("the login was refused") from None
            elif said in {"expired_token", "invalid_grant"}:
                raise AuthenticationError("nobody entered the code in time", hint="awe login") from None
            elif said != "authorization_pending":
                raise


def renew(transport: Transport, refresh_token: str) -> Kept:
    """Exchange a refresh token; `AuthenticationError` if it is not good any more."""
    form = {"client_id": _CLIENT, "grant_type": "refresh_token", "refresh_token": refresh_token}
    try:
        return _kept(transport.post_form("/oauth/token", form))
    except UsageError:
        raise AuthenticationError("the login has ended", hint="awe login") from None


def revocation(kept: Kept) -> dict[str, str]:
    """Return the form that ends a login at its service (RFC 7009)."""
    return {"client_id": _CLIENT, "token": kept.refresh_token}


def _kept(given: Mapping[str, Any]) -> Kept:
    ends = datetime.now(UTC) + timedelta(seconds=int(given["expires_in"]))
    return Kept(given["access_token"], given["refresh_token"], ends)
