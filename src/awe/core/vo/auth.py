"""How a Virtual Observatory service says that one can log in, and how.

SSO 2.0 (REC 2017-05-24) names the ways to log in, AuthVO 1.0 (WD 2025-07-07) puts them into ``WWW-Authenticate``
challenges. A client that reads either finds the same ways here.
"""

__all__ = ["AUTHENTICATED", "PASSWORD", "SECURITY", "USERNAME", "challenges"]

SECURITY: tuple[str, ...] = (
    "",  # nobody needs to
    "ivo://ivoa.net/sso#BasicAA",
    "ivo://ivoa.net/sso#cookie",
    "ivo://ivoa.net/sso#OAuth",
)
"""Security methods of interfaces (SSO 2.0 section 2), the last one for tokens."""

AUTHENTICATED = "X-VO-Authenticated"
"""Header that tells a client under which name it is known (AuthVO 1.0 section 4.3)."""

_BY_FORM = "ivo://ivoa.net/sso#tls-with-password"
_REALM = "awe"

USERNAME, PASSWORD = "username", "password"
"""Fields of the form that the login takes (AuthVO 1.0 section 3.3.2)."""


def challenges(login_url: str, *, basic: bool = True) -> tuple[str, ...]:
    """Return the challenges, one a header, the one to be preferred first.

    Parameters
    ----------
    login_url
        Where a name and a password are exchanged for a cookie.
    basic
        Whether to offer Basic; a browser that is offered it asks for a password on its own.
    """
    made = [f'ivoa_cookie standard_id="{_BY_FORM}", access_url="{login_url}"', f'Bearer realm="{_REALM}"']
    if basic:
        made.insert(1, f'Basic realm="{_REALM}", charset="UTF-8"')
    return tuple(made)
