"""What a request of the Data Lab's client asks for, and who asks.

Nothing given comes as a missing parameter, an empty one, or the text ``None``; a truth as ``True``, ``true`` or
``1``. Whoever changes something is known by a header, never by a cookie alone: most of these requests are GETs, which
any page can make a browser send.
"""

from awe.errors import AuthenticationError, ParameterError
from awe.services.identity import ANONYMOUS, WRITE, Identity
from awe.web.http import NOBODYS, Call, caller

__all__ = ["NOT_LOGGED_IN", "flag", "given", "holder", "known", "need", "profile_asked", "willing"]

_HEADERS = ("x-dl-authtoken", "x-auth-token", "authorization")
NOT_LOGGED_IN = "token = authClient.login(user, password)"
_NOTHING = frozenset({"", "none"})
_TRUE = frozenset({"true", "1", "t", "yes"})
_FALSE = frozenset({"false", "0", "f", "no"})


def given(call: Call, name: str) -> str:
    """Return the first value of a parameter; nothing where it says nothing."""
    value = next((value for key, value in call.pairs if key.lower() == name), "").strip()
    return "" if value.lower() in _NOTHING else value


def need(call: Call, name: str) -> str:
    """Return the value of a parameter; `ParameterError` where there is none."""
    value = given(call, name)
    if not value:
        raise ParameterError(name, "", "is needed")
    return value


def flag(call: Call, name: str, *, unset: bool = False) -> bool:
    """Return a truth; `ParameterError` if it is none."""
    value = given(call, name).lower()
    if not value:
        return unset
    if value not in _TRUE | _FALSE:
        raise ParameterError(name, value, "is neither True nor False")
    return value in _TRUE


def holder(call: Call) -> Identity:
    """Return whose token the request carries, where the service does not ask for one: nobody's if it is not good."""
    token = call.request.headers.get(_HEADERS[0], "")
    try:
        return call.platform.identity.identify(token) if token and token not in NOBODYS else ANONYMOUS
    except AuthenticationError:
        return ANONYMOUS


def known(call: Call, scope: str) -> Identity:
    """Return who asks for what changes something.

    Raises
    ------
    AuthenticationError
        If that is not known, or by a cookie alone.
    ForbiddenError
        If the token lacks the scope.
    """
    found = willing(call, scope)
    if found.is_anonymous:
        raise AuthenticationError("only who is logged in can do this", hint=NOT_LOGGED_IN)
    return found.finding if scope == WRITE else found


def willing(call: Call, scope: str) -> Identity:
    """Return who asks, who may be nobody; errors as `known`."""
    found = caller(call.request, call.platform.identity, scope)
    if not found.is_anonymous and not any(name in call.request.headers for name in _HEADERS):
        raise AuthenticationError("a cookie alone does not do for this", hint=NOT_LOGGED_IN)
    return found


def profile_asked(call: Call) -> str:
    """Return the name of the other archive that shall answer, empty for this one; `NotFoundError` where there is none."""
    profile = given(call, "profile")
    return "" if profile.lower() in {"", "default"} else call.platform.external.named(profile).name
