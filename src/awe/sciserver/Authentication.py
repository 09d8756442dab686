"""Tokens, as SciServer's notebooks get them: from ``--ident=`` in the arguments, or by login."""

import sys
from typing import Any
from urllib.parse import quote

from awe.client import Transport
from awe.settings import ClientSettings

__all__ = ["getKeystoneUserWithToken", "getToken", "login", "setToken"]

_IDENT = "--ident="
_TOKENS = "/login-portal/keystone/v3/tokens"


class KeystoneUser:
    """Who a token belongs to."""

    def __init__(self, identifier: str, name: str, token: str) -> None:
        self.id = identifier
        self.userName = name
        self.token = token

    def __repr__(self) -> str:
        return f"KeystoneUser({self.userName!r})"


def login(UserName: str, Password: str) -> str:
    """Log in, and use the token from now on."""
    body = {"auth": {"identity": {"password": {"user": {"name": UserName, "password": Password}}}}}
    with Transport(ClientSettings().url) as service, service.stream("POST", _TOKENS, body=body) as answer:
        token = str(answer.headers["X-Subject-Token"])
    setToken(token)
    return token


def getToken() -> str:
    """Return the token of this session: the last ``--ident=`` argument, else ``AWE_TOKEN``; empty when none."""
    given = [argument.removeprefix(_IDENT) for argument in sys.argv if argument.startswith(_IDENT)]
    return given[-1] if given else ClientSettings().token


def setToken(token: str) -> None:
    """Use this token from now on."""
    sys.argv.append(_IDENT + token)


def getKeystoneUserWithToken(token: str) -> KeystoneUser:
    """Return whose token it is.

    Raises
    ------
    NotFoundError
        If it is nobody's, or has expired.
    """
    with Transport(ClientSettings().url) as service:
        found: Any = service.get_json(f"{_TOKENS}/{quote(token, safe='')}")
    user = found["token"]["user"]
    return KeystoneUser(str(user["id"]), str(user["name"]), token)
