"""Fetching a table from an address that a caller names, without lending the caller our place in the network.

A server can reach what its callers cannot: itself, its neighbours, the metadata service of a cloud. So the
name is resolved once, the address is checked, and the connection goes to that very address, whatever the
name says a moment later; every redirect is checked anew. No proxy, no credentials, no cookie.
"""

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import BinaryIO
from urllib.parse import SplitResult, urljoin, urlsplit

from awe.errors import LimitError, ParameterError, UnavailableError
from awe.settings import UploadSettings

__all__ = ["Fetcher"]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_CHUNK = 1 << 16
_PORTS = {"http": 80, "https": 443}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_CLOSED = (
    ipaddress.ip_network("192.0.0.0/24"),  # IANA's special purposes; a cloud keeps its metadata here
    ipaddress.ip_network(
        "168.63.129.16/32"
    ),  # public by its number, answered by the host of a virtual machine
    ipaddress.ip_network("fec0::/10"),  # site-local (RFC 3879)
)
_NEIGHBOURS = {4: 24, 6: 64}
"""Lengths of the prefixes that are taken for the network that this machine is in."""
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Fetcher:
    """Fetch files over http and https.

    Parameters
    ----------
    settings
        Whether it may, for how long, and which networks of the operator's own it may reach.
    most_bytes
        Size of a file at the most.
    """

    def __init__(self, settings: UploadSettings, most_bytes: int) -> None:
        self._settings = settings
        self._most_bytes = most_bytes
        self._allowed = tuple(settings.allow_networks)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Whom to trust; to read them takes longer than all else of an archive that is opened."""
        return ssl.create_default_context()

    def fetch(self, url: str, to: Path) -> None:
        """Write what an address answers into a file.

        Raises
        ------
        ParameterError
            If the address may not be asked, or answers that there is nothing.
        LimitError
            If the file is too large, or takes too long.
        UnavailableError
            If nobody answers.
        """
        deadline = time.monotonic() + self._settings.seconds
        here = url
        for _ in range(_MOST_REDIRECTS + 1):
            place = self._place(here, url)
            with contextlib.closing(self._connection(place, url, deadline)) as connection:
                answer = self._ask(connection, place, url, deadline)
                if answer.status in _REDIRECTS and answer.headers["Location"]:
                    here = urljoin(here, answer.headers["Location"])
                    continue
                if answer.status != 200:
                    raise ParameterError("UPLOAD", url, f"its host answers {answer.status} {answer.reason}")
                with to.open("wb") as out:
                    self._copy(answer, connection, out, url, deadline)
                return
        raise ParameterError("UPLOAD", url, f"redirects more than {_MOST_REDIRECTS} times")

    def _place(self, here: str, url: str) -> SplitResult:
        if not self._settings.http:
            raise ParameterError(
                "UPLOAD", url, "this service fetches nothing", hint="send the table with the request (param:)"
            )
        try:
            place = urlsplit(here)
            port = place.port or _PORTS.get(place.scheme, 0)
        except ValueError as error:
            raise ParameterError("UPLOAD", url, f"not an address: {error}") from None
        if place.scheme not in _PORTS or not place.hostname:
            raise ParameterError("UPLOAD", url, "only http and https addresses are fetched")
        if place.username is not None or place.password is not None:
            raise ParameterError("UPLOAD", url, "an address may not hold a name or password")
        if port < 1024 and port not in _PORTS.values():
            raise ParameterError("UPLOAD", url, f"port {port} is not one of web servers")
        return place

    def _connection(self, place: SplitResult, url: str, deadline: float) -> http.client.HTTPConnection:
        host = place.hostname or ""
        port = place.port or _PORTS[place.scheme]
        addresses = self._addresses(host, port, url)
        reached = _connected(addresses, port, _left(deadline, url), url)
        connection = http.client.HTTPConnection(host, port)
        try:
            secure = place.scheme == "https"
            connection.sock = self._tls.wrap_socket(reached, server_hostname=host) if secure else reached
        except (OSError, ssl.SSLError) as error:
            reached.close()
            raise UnavailableError(f"UPLOAD={url}: its host cannot be trusted: {error}") from None
        return connection

    def _addresses(self, host: str, port: int, url: str) -> Sequence[_Address]:
        """Resolve a name; every address that it has must be one that may be asked."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError:
            raise ParameterError("UPLOAD", url, f"there is no host {host}") from None
        addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
        for address in addresses:
            if not self._may_be_asked(address):
                reason = f"{host} is not a host of the public network"
                raise ParameterError(
                    "UPLOAD",
                    url,
                    reason,
                    hint="send the table with the request (param:), or ask the operator",
                )
        return addresses

    def _may_be_asked(self, address: _Address) -> bool:
        if any(address.version == network.version and address in network for network in self._allowed):
            return True
        return all(_is_public(one) for one in _meant(address)) and not _is_ours(address)

    def _ask(
        self, connection: http.client.HTTPConnection, place: SplitResult, url: str, deadline: float
    ) -> http.client.HTTPResponse:
        path = (place.path or "/") + (f"?{place.query}" if place.query else "")
        headers = {"Accept": "application/x-votable+xml, */*;q=0.5", "Accept-Encoding": "identity"}
        # a head may come byte by byte, each in time: what hangs up when all of it is not there is this
        watch = threading.Timer(_left(deadline, url), _hang_up, (connection.sock,))
        watch.start()
        try:
            connection.request("GET", path, headers={**headers, "Connection": "close"})
            return connection.getresponse()
        except (OSError, http.client.HTTPException, ValueError) as error:
            if isinstance(error, TimeoutError) or time.monotonic() >= deadline:
                raise _slow(url) from None
            raise UnavailableError(f"UPLOAD={url}: its host does not answer properly: {error!r}") from None
        finally:
            watch.cancel()

    def _copy(
        self,
        answer: http.client.HTTPResponse,
        connection: http.client.HTTPConnection,
        out: BinaryIO,
        url: str,
        deadline: float,
    ) -> None:
        size = 0
        while True:
            if connection.sock is not None:
                connection.sock.settimeout(_left(deadline, url))
            try:
                chunk = answer.read1(_CHUNK)
            except TimeoutError:
                raise _slow(url) from None
            except (OSError, http.client.HTTPException) as error:
                raise UnavailableError(f"UPLOAD={url}: its host stopped answering: {error!r}") from None
            if not chunk:
                if answer.length:
                    raise UnavailableError(f"UPLOAD={url}: its host stopped {answer.length} bytes too early")
                return
            size += len(chunk)
            if size > self._most_bytes:
                raise LimitError(
                    f"UPLOAD={url}: it is larger than {self._most_bytes} bytes",
                    hint="the operator can raise the limit",
                )
            out.write(chunk)


def _connected(addresses: Sequence[_Address], port: int, seconds: float, url: str) -> socket.socket:
    """Connect to the first address that answers."""
    reason = ""
    for address in addresses:
        try:
            return socket.create_connection((str(address), port), timeout=seconds)
        except OSError as error:
            reason = error.strerror or str(error)
    raise UnavailableError(f"UPLOAD={url}: its host cannot be reached: {reason}")


def _hang_up(used: socket.socket) -> None:
    with contextlib.suppress(OSError):
        socket.socket.shutdown(used, socket.SHUT_RDWR)


def _left(deadline: float, url: str) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise _slow(url)
    return left


def _slow(url: str) -> LimitError:
    return LimitError(
        f"UPLOAD={url}: its host takes too long", hint="send the table with the request (param:)"
    )


def _meant(address: _Address) -> tuple[_Address, ...]:
    """Return the address and the IPv4 addresses that it stands for: mapped, 6to4, Teredo and NAT64 ones."""
    if isinstance(address, ipaddress.IPv4Address):
        return (address,)
    inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    known = tuple(one for one in inner if one is not None)
    return known if address.ipv4_mapped else (address, *known)


def _is_public(address: _Address) -> bool:
    closed = any(address.version == network.version and address in network for network in _CLOSED)
    return address.is_global and not (closed or address.is_multicast or address.is_reserved)


def _is_ours(address: _Address) -> bool:
    """Say whether an address is this machine's or its neighbour's: by the address that would be sent from."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as trial:
        try:
            trial.connect((str(address), 9))  # nothing is sent: this only chooses the way
        except OSError:  # there is no way to it
            return False
        own = ipaddress.ip_address(trial.getsockname()[0].partition("%")[0])
    return address in ipaddress.ip_network(f"{own}/{_NEIGHBOURS[own.version]}", strict=False)
