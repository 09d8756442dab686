"""``/auth``: logins of the Data Lab's client, and what it asks of tokens and users.

A login's token is an ordinary one, spelt as that client wants it. These requests carry what they ask about, so that
none of them is refused for the token that the client happens to hold. Whether somebody has an account is told to
those only who have one.
"""

import json

from starlette.responses import PlainTextResponse, Response

from awe.errors import AuthenticationError, ForbiddenError, NotFoundError, ParameterError
from awe.services.identity import ANONYMOUS, AccountState, Identity, TokenKind, is_token, long_form
from awe.web.compat.datalab._asked import given, holder, need
from awe.web.http import NOBODYS, Call

__all__ = [
    "has_access", "is_token_logged_in", "is_user_logged_in", "is_valid_password", "is_valid_token", "is_valid_user",
    "login", "logout", "password_reset", "profiles",
]  # fmt: skip

_UNKEPT = {"Cache-Control": "no-store"}


def login(call: Call) -> Response:
    """Return a token for ``username`` and the password in ``X-DL-Password``."""
    name, password = need(call, "username"), call.request.headers.get("x-dl-password", "")
    if not password:
        raise AuthenticationError(
            "no password came with the request", hint="authClient.login(user, password)"
        )
    secret = call.platform.identity.login(name, password)
    owner = call.platform.identity.identify(secret).name
    return PlainTextResponse(long_form(owner, secret), headers=_UNKEPT)


def logout(call: Call) -> Response:
    """End the login of a token."""
    call.platform.identity.revoke(need(call, "token"))
    return PlainTextResponse("OK", headers=_UNKEPT)


def is_valid_token(call: Call) -> Response:
    """Say whether a token is good; that of nobody is."""
    token = given(call, "token")
    return _truth(bool(token) and (_owner(call, token) is not None))


def is_token_logged_in(call: Call) -> Response:
    """Say whether a token is good and somebody's."""
    found = _owner(call, given(call, "token"))
    return _truth(found is not None and not found.is_anonymous)


def is_valid_user(call: Call) -> Response:
    """Say whether there is such a user: always, to those who are not known themselves."""
    if holder(call).is_anonymous:
        return _truth(True)
    return _truth(_is_active(call, given(call, "user")))


def is_user_logged_in(call: Call) -> Response:
    """Say whether a user is logged in: to that user; others are told nothing, those who are not known always yes."""
    asked, caller = given(call, "user"), holder(call)
    if caller.is_anonymous:  # the command line asks so, and looks at its token then
        return _truth(True)
    if caller.name != asked:
        return _truth(False)
    return _truth(any(t.kind is TokenKind.LOGIN for t in call.platform.identity.tokens(asked)))


def is_valid_password(call: Call) -> Response:
    """Say whether this is the password of a user; whoever guesses has to wait, as at a login."""
    try:
        call.platform.identity.authenticate(given(call, "user"), given(call, "password"))
    except (AuthenticationError, ForbiddenError):
        return _truth(False)
    return _truth(True)


def has_access(call: Call) -> Response:
    """Say whether the holder of a token may read a table; of another user nothing is told."""
    user, resource = given(call, "user"), given(call, "resource")
    found = _owner(call, user) if is_token(user) else holder(call)
    if found is None or (not is_token(user) and found.name != user):
        return _truth(False)
    return _truth(_may_read(call, resource, found))


def password_reset(call: Call) -> Response:
    """Refuse: whoever has a token shall not be able to take over the account."""
    raise ForbiddenError(
        "a new password needs the old one, which this request does not have",
        hint=f"set it at {call.base_url}/account, or ask an administrator for a link to set one",
    )


def profiles(call: Call) -> Response:
    """List the ways to log in: one."""
    about = {"name": "default", "description": call.platform.settings.archive.title}
    if given(call, "profile") not in {"", "default"}:
        raise NotFoundError(f"there is no profile {given(call, 'profile')}", hint="there is default")
    return PlainTextResponse(json.dumps(about) if given(call, "format") == "json" else "default")


def _truth(value: bool) -> Response:
    return PlainTextResponse(str(value), headers=_UNKEPT)


def _owner(call: Call, token: str) -> Identity | None:
    """Return whose token it is; None if it is not good."""
    if token in NOBODYS:
        return ANONYMOUS
    try:
        return call.platform.identity.identify(token)
    except AuthenticationError:
        return None


def _is_active(call: Call, name: str) -> bool:
    try:
        return call.platform.identity.account(name).state is AccountState.ACTIVE
    except NotFoundError:
        return False


def _may_read(call: Call, resource: str, identity: Identity) -> bool:
    name = resource.replace("mydb://", "mydb.")
    try:
        if name.startswith("mydb."):
            call.platform.tables.table(name, identity)
        else:
            call.platform.catalogs.table(name, identity)
    except (NotFoundError, AuthenticationError, ParameterError):
        return False
    return True
