"""awe as OpenID provider: OpenID Connect Core 1.0, Discovery 1.0 and RP-Initiated Logout 1.0 over OAuth 2.0.

Authlib reads the requests and knows the words of the protocol; what is given to whom is `ProviderService`'s to say.
"""

import logging

from awe.web.oauth._errors import oauth_error, page_error
from awe.web.oauth.authorize import authorize, consent
from awe.web.oauth.device import device
from awe.web.oauth.discovery import configuration, keys
from awe.web.oauth.logout import logout
from awe.web.oauth.tokens import device_authorization, introspect, revoke, token
from awe.web.oauth.userinfo import userinfo

__all__ = [
    "authorize",
    "configuration",
    "consent",
    "device",
    "device_authorization",
    "introspect",
    "keys",
    "logout",
    "oauth_error",
    "page_error",
    "revoke",
    "token",
    "userinfo",
]

logging.getLogger("authlib").setLevel(logging.INFO)  # below that it writes tokens into the log
