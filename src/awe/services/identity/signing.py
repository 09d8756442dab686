"""The keys that sign logins: RS256, which every client of OpenID Connect understands (Core 1.0 section 15.1).

They are made when they are needed. The newest one signs; those before it can be looked up until nothing that they
signed is good any more.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey

from awe.services.identity.stores.provider import ProviderStore

__all__ = ["ALGORITHM", "SigningKeys"]

ALGORITHM = "RS256"
_BITS = 2048
_KEPT = timedelta(days=2)
"""So long an older key can be looked up after the next one signs: much longer than what it signed is good."""


class SigningKeys:
    """Sign, and tell the public keys.

    Parameters
    ----------
    store
        Where the keys are kept, for all processes of the service.
    life
        After so long the next key is made.
    now
        The moment it is.
    """

    def __init__(
        self,
        store: ProviderStore,
        life: timedelta = timedelta(days=90),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._life = life
        self._now = now

    def sign(self, claims: Mapping[str, object]) -> str:
        """Return claims as a signed JSON Web Token (RFC 7519)."""
        key = self._keys()[0]
        return jwt.encode({"alg": ALGORITHM, "kid": key.kid, "typ": "JWT"}, dict(claims), key, [ALGORITHM])

    def read(self, token: str) -> dict[str, object] | None:
        """Return the claims of a token that was signed here, whether or not it has ended; None of any other."""
        keys = KeySet(list(self._keys()))
        try:
            return dict(jwt.decode(token, keys, [ALGORITHM]).claims)
        except (JoseError, ValueError):
            return None

    def public(self) -> dict[str, object]:
        """Return the public keys as a JSON Web Key Set (RFC 7517)."""
        return {"keys": [dict(key.as_dict(private=False)) for key in self._keys()]}

    def rotate(self, *, forget: bool = False) -> str:
        """Make a new key at once, which signs from now on; return its id.

        Parameters
        ----------
        forget
            Forget all earlier keys: what they signed is not believed any more, whoever signed it.
        """
        now = self._now()
        self._store.add_key(_new_key, now, now, now if forget else now - self._life - _KEPT)
        return self._store.signing_keys()[0][0]

    def known(self) -> tuple[tuple[str, datetime], ...]:
        """Return the ids of the keys, the newest first, and when each was made."""
        return tuple((key, created) for key, _, created in self._store.signing_keys())

    def _keys(self) -> tuple[RSAKey, ...]:
        now = self._now()
        found = self._store.signing_keys()
        if not found or found[0][2] <= now - self._life:
            self._store.add_key(_new_key, now, now - self._life, now - self._life - _KEPT)
            found = self._store.signing_keys()
        return tuple(_read(key, private) for key, private, _ in found)


@lru_cache(maxsize=16)
def _read(key: str, private: str) -> RSAKey:
    """Return a key as it can be used; kept, since checking it takes longer than signing with it."""
    return RSAKey.import_key(private, {"use": "sig", "alg": ALGORITHM, "kid": key})


def _new_key() -> tuple[str, str]:
    key = RSAKey.generate_key(_BITS)
    return key.thumbprint(), key.as_pem(private=True).decode()
