"""One object for the whole service, and how to get it."""

from pathlib import Path
from types import TracebackType
from typing import Self

from awe.client._local import LocalArchive
from awe.client._logins import Logins
from awe.client._transport import Transport
from awe.client.coverage import CoverageClient
from awe.client.crossmatch import CrossmatchClient
from awe.client.estimates import EstimatesClient
from awe.client.groups import GroupsClient
from awe.client.history import HistoryClient
from awe.client.identity import IdentityClient
from awe.client.in_place import InPlaceClient
from awe.client.names import NamesClient
from awe.client.observations import ObservationsClient
from awe.client.quotas import QuotasClient
from awe.client.samp import SampClient
from awe.client.spectra import SpectraClient
from awe.client.tables import TablesClient
from awe.errors import ServiceError
from awe.settings import ClientSettings

__all__ = ["Client", "connect"]


class Client(
    CrossmatchClient,
    EstimatesClient,
    InPlaceClient,
    ObservationsClient,
    SpectraClient,
    CoverageClient,
    NamesClient,
    SampClient,
    QuotasClient,
    GroupsClient,
    HistoryClient,
    TablesClient,
    IdentityClient,
):
    """An archive: its tables, its images and spectra, and your account there.

    Made by `connect`. Close it, or use it in a ``with`` block, when it holds a local archive.
    """

    def __init__(
        self, transport: Transport, local: LocalArchive | None = None, *, cache: Path | None = None
    ) -> None:
        self.transport = transport
        self._local = local
        settings = ClientSettings()
        self._cache = (cache or settings.cache).expanduser()
        self._logins = Logins(settings.config)

    @property
    def url(self) -> str:
        """The address of the service."""
        return self.transport.url

    @property
    def is_local(self) -> bool:
        """True for an archive that runs inside this process, without a server."""
        return self._local is not None

    def status(self) -> dict[str, object]:
        """Return what the service says of itself: title, version, how much is published."""
        found = self.transport.get_json("/api/status")
        if not isinstance(found, dict):
            raise ServiceError("the service's status is not an object")
        return found

    def close(self) -> None:
        """Close the connections, and the archive where it runs in this process."""
        self.transport.close()
        if self._local is not None:
            self._local.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<awe.Client {self._local.folder if self._local else self.url}>"


def connect(where: str | Path | None = None, *, token: str | None = None) -> Client:
    """Connect to an archive.

    Parameters
    ----------
    where
        The address of a service (``http://...``) or the data folder of an archive, which then runs inside
        this process, without a server; ``AWE_URL``, or this machine's ``awe up``, when None.
    token
        From `Client.login` or the portal; ``AWE_TOKEN`` when None, and without that the login that `awe login` or
        `Client.login` kept on this machine; anonymous when empty.

    Raises
    ------
    NotFoundError
        If the folder holds no archive.
    """
    settings = ClientSettings()
    place = str(where if where is not None else settings.url)
    sent = token if token is not None else settings.token
    if place.startswith(("http://", "https://")):
        client = Client(Transport(place, token=sent))
        if token is None and not sent:
            client.transport.login(client._kept_token)  # noqa: SLF001  # this function makes the class's objects
        return client
    local = LocalArchive(Path(place).expanduser().absolute())
    return Client(Transport(local.url, token=sent, app=local.app), local)
