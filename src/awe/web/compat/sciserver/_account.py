"""Accounts as CasJobs numbers them: a *wsid* is the name of a user, written as a number.

Nothing has to be kept for it: the characters that a name may have are the digits of a bijective number. Of names with
up to ten characters it has 64 bits, as the field is wide in CasJobs' own interface.
"""

from awe.errors import AuthenticationError
from awe.services.identity import Identity, is_token
from awe.web.http import Call, admit

__all__ = ["known_by", "name_of", "wsid_of"]

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._@-"
_LONGEST = 64


def wsid_of(name: str) -> int:
    """Return the number of a user."""
    number = 0
    for character in name:
        number = number * len(_DIGITS) + _DIGITS.index(character) + 1
    return number


def name_of(wsid: str) -> str:
    """Return the name of a user by the number; what is no number is a name already."""
    if not (wsid.isascii() and wsid.isdigit()):
        return wsid
    left, characters = int(wsid[:200]), ""
    while left and len(characters) <= _LONGEST:
        left, digit = divmod(left - 1, len(_DIGITS))
        characters = _DIGITS[digit] + characters
    return characters


def known_by(call: Call, name: str, password: str, scope: str) -> Identity:
    """Return who a name and a password, or one of the user's tokens, belong to.

    Raises
    ------
    AuthenticationError
        If they do not belong together.
    RateLimitError, UnavailableError, ForbiddenError
        As `IdentityService.authenticate`; the last also of a token that lacks the scope.
    """
    service = call.platform.identity
    if not name or not password:
        raise AuthenticationError("a user and a password are needed", hint="wsid and pw; pw may be a token")
    found = service.identify(password) if is_token(password) else service.authenticate(name, password)
    if found.name.casefold() != name.casefold():
        raise AuthenticationError("the token belongs to somebody else")
    return admit(call.request, found, scope)
