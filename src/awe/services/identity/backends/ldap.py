"""A directory, asked by LDAP (RFC 4511): who can bind as somebody is that person.

A bind with a name and no password succeeds for everybody (RFC 4513 section 5.1.2), as one with no name does: neither is
ever tried. What was typed reaches filters and names escaped. Referrals are not followed: a password goes to the
directory that the operator named, or nowhere.
"""

import secrets
import ssl
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from ldap3 import ANONYMOUS, BASE, NONE, SIMPLE, SUBTREE, Connection, Server, Tls
from ldap3.core.exceptions import LDAPException
from ldap3.utils.conv import escape_filter_chars
from ldap3.utils.dn import escape_rdn

from awe.errors import AuthenticationError, UnavailableError
from awe.services.identity._names import folded
from awe.services.identity.claims import Claims
from awe.settings.login import LdapSettings

__all__ = ["LdapAuthenticator"]

_SUCCESS, _SIZE_LIMIT, _NO_SUCH_OBJECT, _INVALID_CREDENTIALS = 0, 4, 32, 49
_REFUSED = frozenset({_INVALID_CREDENTIALS, _NO_SUCH_OBJECT, 19, 34, 48, 50, 53})
"""What a directory answers to a bind that it does not allow (RFC 4511 appendix A): also of accounts that are locked."""
_LONGEST_NAME = 256
_LONGEST_PASSWORD = 1024
_UUID_BYTES = 16

Entry = Mapping[str, Any]


class _Tls(Tls):  # type: ignore[misc]  # the library has no types
    """TLS by Python's own checks of a certificate and its names, instead of the library's, which it has of old."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._context = context

    def wrap_socket(self, connection: Connection, do_handshake: bool = False) -> None:  # noqa: ARG002
        """Begin TLS, as the library asks for it."""
        host = connection.server.host
        connection.socket = self._context.wrap_socket(connection.socket, server_hostname=host)


class LdapAuthenticator:
    """Check passwords at one directory.

    Parameters
    ----------
    name
        The provider, as the settings call it.
    settings
        What the operator says of it.
    folder
        Where the file with the password of `bind_dn` is looked for.
    """

    def __init__(self, name: str, settings: LdapSettings, folder: Path) -> None:
        self._name = name
        self._title = settings.title or name
        self._settings = settings
        self._secret = settings.secret_from(folder)
        address = urlsplit(settings.url)
        self._secure = address.scheme == "ldaps"
        ca_file = str(settings.ca_file) if settings.ca_file else None
        self._server = Server(
            address.hostname or "",
            port=address.port or (636 if self._secure else 389),
            use_ssl=self._secure,
            tls=_Tls(ssl.create_default_context(cafile=ca_file)),
            get_info=NONE,
            connect_timeout=settings.timeout_s,
        )

    def authenticate(self, user: str, password: str) -> Claims:
        """Return who this is, as `Authenticator.authenticate`."""
        typed = user.strip()
        if not _can_be(typed, _LONGEST_NAME) or not _can_be(password, _LONGEST_PASSWORD):
            raise _wrong()
        with self._asking():
            if self._settings.user_dn:
                dn = self._settings.user_dn.replace("{user}", escape_rdn(typed))
                with self._bound(dn, password) as own:
                    if not self._settings.bind_dn:
                        return self._claims(own, self._own(own, dn), typed)
                with self._searching() as connection:
                    return self._claims(connection, self._own(connection, dn), typed)
            with self._searching() as connection:
                entry = self._found(connection, typed)
                # nobody's password is tried for a name that nobody has: it is as much work as a wrong one
                dn = entry["dn"] if entry else f"cn={secrets.token_hex(8)},{self._settings.user_base}"
                with self._bound(dn, password):
                    if entry is None:
                        raise _wrong()
                return self._claims(connection, entry, typed)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except (LDAPException, OSError) as error:
            # what the library says of a connection may hold what was sent
            raise UnavailableError(f"{self._title} does not answer ({type(error).__name__})") from None

    def _searching(self) -> AbstractContextManager[Connection]:
        return self._bound(self._settings.bind_dn, self._secret, searching=True)

    @contextmanager
    def _bound(self, dn: str, password: str, *, searching: bool = False) -> Iterator[Connection]:
        """Open a connection as somebody.

        Raises
        ------
        AuthenticationError
            If the directory does not allow it.
        UnavailableError
            If it does not even let awe search.
        """
        if not searching and not (dn and password):
            raise _wrong()
        connection = Connection(
            self._server,
            user=dn or None,
            password=password or None,
            authentication=SIMPLE if dn else ANONYMOUS,
            auto_referrals=False,
            read_only=True,
            receive_timeout=max(1, round(self._settings.timeout_s)),
        )
        try:
            connection.open()
            if not self._secure and self._settings.start_tls and not connection.start_tls():
                raise UnavailableError(f"{self._title} begins no TLS")
            if not connection.bind():
                self._not_bound(connection.result["result"], searching=searching)
            yield connection
        finally:
            with suppress(LDAPException, OSError):
                connection.unbind()
            if connection.socket is not None:  # TLS could not be begun
                connection.socket.close()

    def _not_bound(self, result: int, *, searching: bool) -> None:
        if searching:
            raise UnavailableError(
                f"{self._title} lets this archive not search (result {result})",
                hint=f"bind_dn and secret of login.providers.{self._name} are to be set right",
            )
        if result in _REFUSED:
            raise _wrong()
        raise UnavailableError(f"{self._title} cannot answer now (result {result})")

    def _found(self, connection: Connection, user: str) -> Entry | None:
        """Return the one entry of a name; None if there is none, or it is not clear which."""
        asked = self._settings.user_filter.replace("{user}", escape_filter_chars(user))
        found = self._search(connection, self._settings.user_base, asked, self._wanted(), most=2)
        return found[0] if len(found) == 1 else None

    def _own(self, connection: Connection, dn: str) -> Entry:
        """Return the entry of a name."""
        found = self._search(connection, dn, "(objectClass=*)", self._wanted(), scope=BASE)
        if len(found) != 1:
            raise UnavailableError(f"{self._title} does not show the entry of who logs in")
        return found[0]

    def _wanted(self) -> list[str]:
        names = (
            self._settings.subject_attribute,
            self._settings.name_attribute,
            self._settings.display_attribute,
            self._settings.email_attribute,
            self._settings.member_of,
            *self._settings.attributes,
        )
        return sorted({name for name in names if name})

    def _search(
        self,
        connection: Connection,
        base: str,
        asked: str,
        wanted: list[str],
        *,
        scope: str = SUBTREE,
        most: int = 0,
    ) -> list[Entry]:
        """Return what is found; references to other directories are left out."""
        connection.search(
            base,
            asked,
            search_scope=scope,
            attributes=wanted,
            size_limit=most,
            get_operational_attributes=True,
        )
        result = connection.result["result"]
        if result != _SUCCESS and not (result == _SIZE_LIMIT and most):
            # less than all is no answer: who is not in a group any more loses what the group has
            raise UnavailableError(f"{self._title} cannot search in {base!r} (result {result})")
        return [one for one in connection.response or () if one["type"] == "searchResEntry"]

    def _claims(self, connection: Connection, entry: Entry, typed: str) -> Claims:
        settings = self._settings
        names = _texts(entry, settings.name_attribute)
        # an entry may have several names: that which was typed is meant
        name = next((one for one in names if folded(one) == folded(typed)), min(names, default=""))
        groups = set(_texts(entry, settings.member_of))
        if settings.group_base:
            asked = settings.group_filter.replace("{dn}", escape_filter_chars(entry["dn"]))
            asked = asked.replace("{user}", escape_filter_chars(name))
            for group in self._search(connection, settings.group_base, asked, [settings.group_attribute]):
                groups.update(_texts(group, settings.group_attribute))
        subjects = _texts(entry, settings.subject_attribute)
        return Claims(
            provider=self._name,
            subject=subjects[0] if len(subjects) == 1 else "",
            name=name,
            display_name=min(_texts(entry, settings.display_attribute), default=""),
            email=min(_texts(entry, settings.email_attribute), default=""),
            groups=frozenset(groups),
            attributes={one: _texts(entry, one) for one in settings.attributes},
        )


def _can_be(text: str, longest: int) -> bool:
    return 0 < len(text) <= longest and "\0" not in text


def _wrong() -> AuthenticationError:
    return AuthenticationError("the user name or the password is wrong")


def _texts(entry: Entry, attribute: str) -> tuple[str, ...]:
    """Return the values of an attribute; those that are no text, such as ``objectGUID``, as numbers of 16 bytes."""
    for name, values in entry["raw_attributes"].items():
        if attribute and name.casefold() == attribute.casefold():
            return tuple(_text(value) for value in values)
    return ()


def _text(value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = "\0"
    if text.isprintable():
        return text
    return str(UUID(bytes_le=value)) if len(value) == _UUID_BYTES else value.hex()
