"""The forms of a token, and what is kept of a secret."""

import hashlib
import re
import secrets
import zlib

__all__ = ["digest", "is_token", "long_form", "new_secret", "secret_in"]

_TOKEN = re.compile(r"[0-9a-f]{32}")
_LONG = re.compile(r"(?P<name>[^/\s]{1,64})\.\d+\.\d+\.\$1\$(?P<secret>[0-9a-f]{32})")


def new_secret() -> str:
    """Return 128 random bits as 32 hexadecimal digits: safe in paths and headers, as OpenStack Keystone's are."""
    return secrets.token_hex(16)


def digest(secret: str) -> str:
    """Return what is kept of a secret. It is random and long: a slow hash would protect nothing more."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_token(text: str) -> bool:
    """Tell whether a text has the form of a token, the short one or the Data Lab's."""
    return _TOKEN.fullmatch(text) is not None or _LONG.fullmatch(text) is not None


def long_form(name: str, secret: str) -> str:
    """Return a token as the Data Lab's client takes it: name, two numbers, ``$1$`` and the secret."""
    number = zlib.crc32(name.encode())
    return f"{name}.{number}.{number}.$1${secret}"


def secret_in(token: str) -> tuple[str, str | None]:
    """Return the secret of a token in either form, and the name that the long one claims."""
    found = _LONG.fullmatch(token)
    return (found["secret"], found["name"]) if found else (token, None)
