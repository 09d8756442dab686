"""Hand tables, images, spectra and coverage maps to TOPCAT, Aladin, DS9 (SAMP 1.3, REC 2012-04-11).

The one place that uses pyvo's SAMP. Words: the *hub* passes messages between programs on this computer;
TOPCAT and Aladin bring one. An *mtype* names what a message asks, such as ``table.load.votable``; a client
*listens* to some of them. Data go as files that the receivers read, or as addresses of the service.
"""

import atexit
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

from astropy import log
from astropy.io import fits
from astropy.table import Table

from awe.client._base import ServiceClient
from awe.core.sky import Moc, moc_to_fits
from awe.core.tables.formats import FORMATS, format_of
from awe.errors import NotFoundError, ParameterError, UnavailableError
from awe.settings import ClientSettings

if TYPE_CHECKING:
    from mocpy import MOC

__all__ = ["Broadcastable", "SampClient", "broadcast", "wait_for_listeners"]

Broadcastable: TypeAlias = "Table | fits.HDUList | MOC | Path | str"
"""A table, an image, a coverage map, or a file that holds one."""

_OURSELVES = "awe"
_TABLE, _FITS_TABLE = "table.load.votable", "table.load.fits"
_IMAGE, _SPECTRUM, _MOC = "image.load.fits", "spectrum.load.ssa-generic", "coverage.load.moc.fits"
_KEPT_S = 7 * 86_400.0
_ANSWER_S = 30
_LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class _Message:
    """What is sent: an mtype and its parameters."""

    mtype: str
    params: Mapping[str, Any]


class SampClient(ServiceClient):
    """Hand data of an archive to other programs."""

    _cache: Path

    def broadcast(self, what: Broadcastable, to: str | None = None, *, name: str | None = None) -> list[str]:
        """Hand something to the programs on this computer that can show it; see `awe.broadcast`.

        Besides what that function takes, `what` may be the name of a dataset of the archive: programs
        get its file where this computer has it, and its address in the service otherwise.
        """
        if isinstance(what, str) and not Path(what).is_file():
            return _send(_of_dataset(self._about(what), name), to)
        return broadcast(what, to, name=name)

    def _about(self, dataset: str) -> Mapping[str, Any]:
        about: Any = self.transport.get_json(f"/api/datasets/{quote(dataset, safe='')}")
        return dict(about)


def broadcast(what: Broadcastable, to: str | None = None, *, name: str | None = None) -> list[str]:
    """Hand a table, an image, a spectrum or a coverage map to the programs on this computer that can show it.

    Tables go to TOPCAT and Aladin, images to Aladin and DS9, MOCs to Aladin. Where no hub is
    running, one is started in this process and lives as long as it.

    Parameters
    ----------
    what
        An astropy Table, an HDUList, a mocpy MOC, or a file: VOTable, FITS, or any other format of tables.
    to
        Only to clients whose name holds this (``"topcat"``); to everybody who listens when None.
    name
        What it shall be called there.

    Returns
    -------
    list of str
        The names of the clients that took it.

    Raises
    ------
    NotFoundError
        If nobody who is connected, or is called so, can show it.
    UnavailableError
        If every one of them refused it, with their reasons.
    ParameterError
        If it is nothing that can be sent.
    """
    return _send(_message(what, name), to)


def wait_for_listeners(seconds: float) -> bool:
    """Wait until another program is connected to the hub; a hub is started if there is none.

    Returns
    -------
    False if nobody came in time.
    """
    with _connected() as (client, _):
        for _ in range(max(1, round(seconds / _LOOK_S))):
            if _others(client):
                return True
            time.sleep(_LOOK_S)
        return bool(_others(client))


# Messages


def _message(what: Broadcastable, name: str | None) -> _Message:
    if isinstance(what, Path | str):
        return _of_file(Path(what).expanduser().absolute(), name)
    if isinstance(what, Table):
        file = _kept(name or str(what.meta.get("name") or "table"), ".vot")
        what.write(file, format="votable", table_id="table", overwrite=True)
        return _loads(_TABLE, file.as_uri(), name or "table", "table-id")
    if isinstance(what, fits.HDUList):
        file = _kept(name or "image", ".fits")
        what.writeto(file)
        return _loads(_IMAGE, file.as_uri(), name or "image", "image-id")
    if hasattr(what, "to_depth29_ranges"):
        file = _kept(name or "coverage", ".fits")
        file.write_bytes(moc_to_fits(Moc.from_ascii(what.to_string("ascii"))))
        return _loads(_MOC, file.as_uri(), name or "coverage", "coverage-id")
    hint = "a Table, an HDUList, a MOC, a file, or with archive.broadcast the name of a dataset"
    raise ParameterError("what", type(what).__name__, "cannot be sent", hint=hint)


def _of_file(path: Path, name: str | None) -> _Message:
    if not path.is_file():
        raise NotFoundError(f"there is no file {path}")
    called = name or path.name
    form = format_of(path)
    if form.name == "votable":
        return _loads(_TABLE, path.as_uri(), called, "table-id")
    if form.name == "fits":
        return _of_fits(path, called)
    file = _kept(path.stem, ".vot")
    with form.read(path) as stream, file.open("wb") as out:
        out.writelines(FORMATS["votable"].write(stream))
    return _loads(_TABLE, file.as_uri(), called, "table-id")


def _of_fits(path: Path, called: str) -> _Message:
    with fits.open(path) as hdus:
        if any("MOCVERS" in hdu.header or "MOCORDER" in hdu.header for hdu in hdus):
            return _loads(_MOC, path.as_uri(), called, "coverage-id")
        if any(hdu.is_image and len(hdu.shape) >= 2 for hdu in hdus):
            return _loads(_IMAGE, path.as_uri(), called, "image-id")
    return _loads(_FITS_TABLE, path.as_uri(), called, "table-id")


def _of_dataset(about: Mapping[str, Any], name: str | None) -> _Message:
    here = Path(about["path"]) if about.get("path") else None
    address = here.as_uri() if here and here.is_file() else str(about["file"])
    called = name or str(about["obs_id"])
    if about["index"].get("dataproduct_type") != "spectrum":
        return _loads(_IMAGE, address, called, "image-id")
    said = {"Access.Reference": address, "Access.Format": str(about["media_type"]), "vox:spectrum_axes": ""}
    found = _loads(_SPECTRUM, address, called, "spectrum-id")
    return replace(found, params={**found.params, "meta": {k: v for k, v in said.items() if v}})


def _loads(mtype: str, url: str, name: str, identifier: str) -> _Message:
    return _Message(mtype, {"url": url, "name": name, identifier: f"awe-{token_hex(4)}"})


def _kept(name: str, ending: str) -> Path:
    """Return where a file may be written that receivers read when they please; those of last week go."""
    folder = ClientSettings().cache.expanduser() / "samp"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if time.time() - old.stat().st_mtime > _KEPT_S:
            old.unlink(missing_ok=True)
    plain = "".join(c if c.isalnum() or c in "-_." else "_" for c in name)[:60]
    return folder / f"{plain}-{token_hex(4)}{ending}"


# The hub


def _send(message: _Message, to: str | None) -> list[str]:
    with _connected() as (client, started):
        others = _others(client)
        listening = set(client.get_subscribed_clients(message.mtype))
        wanted = {
            key: called
            for key, called in others.items()
            if key in listening and (to is None or to.casefold() in called.casefold())
        }
        if not wanted:
            raise NotFoundError(
                f"nobody {f'called {to!r} ' if to else ''}listens to {message.mtype}",
                hint=_advice(others, started=started),
            )
        refused = {called: _refusal(client, key, message) for key, called in wanted.items()}
    took = [called for called, reason in refused.items() if reason is None]
    if not took:
        reasons = "; ".join(f"{called}: {reason}" for called, reason in refused.items())
        raise UnavailableError(f"it was sent and refused: {reasons}")
    return took


def _refusal(client: Any, key: str, message: _Message) -> str | None:
    """Send a message and return why the receiver did not take it; None if it did, or is still at it."""
    errors = import_module("pyvo.samp.errors")
    try:
        answer = client.call_and_wait(
            key, {"samp.mtype": message.mtype, "samp.params": dict(message.params)}, str(_ANSWER_S)
        )
    except errors.SAMPProxyError as error:
        if "timeout" in str(error).lower():  # a large file takes its time; the receiver has the message
            return None
        return str(error)
    if answer.get("samp.status") == "samp.error":
        return str(answer.get("samp.error", {}).get("samp.errortxt", "it gives no reason"))
    return None


def _others(client: Any) -> dict[str, str]:
    """Return the identifiers and names of the programs that are connected, without the hub and us."""
    found = {}
    for key in client.get_registered_clients():
        called = str(client.get_metadata(key).get("samp.name", key))
        if called != _OURSELVES and not called.endswith("Hub"):  # a hub is a client of itself
            found[key] = called
    return found


def _advice(others: Mapping[str, str], *, started: bool) -> str:
    if others:
        return f"connected are {', '.join(sorted(others.values()))}"
    begun = "no SAMP hub was running, so one was started in this program; " if started else ""
    return f"{begun}start TOPCAT, Aladin or DS9 and try again"


_own_hub: list[Any] = []
"""The hub that this process has started, if any."""


@contextmanager
def _connected() -> Iterator[tuple[Any, bool]]:
    """Yield a client of the running hub, or of one started here, and whether the hub is ours."""
    samp = import_module("pyvo.samp")  # when something is sent: it takes a second to load
    with samp.conf.set_temp(
        "use_internet", False
    ):  # pyvo would ask a search engine whether there is a network
        client = samp.SAMPIntegratedClient(
            name=_OURSELVES,
            description="The Astronomer's Workspace Environment",
            addr="127.0.0.1",
            callable=False,
        )
        try:
            client.connect()
        except samp.SAMPHubError:
            _start_hub(samp)
            client.connect()
        try:
            yield client, bool(_own_hub)
        finally:
            client.client.unregister()
            client.hub.disconnect()


def _start_hub(samp: Any) -> None:
    hub = samp.SAMPHubServer(addr="127.0.0.1", label="awe", web_profile=False)
    with _hushed():
        hub.start()
    _own_hub[:] = [hub]
    atexit.register(_stop, hub)


def _stop(hub: Any) -> None:
    with _hushed():
        hub.stop()


@contextmanager
def _hushed() -> Iterator[None]:
    """Keep what the hub says of itself away from standard output, which is the user's."""
    before = log.level
    log.setLevel("WARNING")
    try:
        yield
    finally:
        log.setLevel(before)
