"""Sending a file of any size, in pieces: a broken connection, or a broken program, costs the last piece only."""

import base64
import hashlib
import time
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, TypeVar

from awe.client._progress import Progress
from awe.client._transport import Transport
from awe.errors import AweError, ConflictError, InputFileError, UnavailableError

__all__ = ["Sender"]

T = TypeVar("T")
_PIECE = 1 << 23
_TRIES = 6
_FIRST_WAIT_S = 0.5
_ASKED_S = 20.0
_RECEIVING, _LOADING, _LOADED = "receiving", "loading", "loaded"


class Sender:
    """Send a file and have it made a table.

    Parameters
    ----------
    transport
        The way to the service.
    sleep
        Waits between two tries.
    """

    def __init__(self, transport: Transport, sleep: Callable[[float], object] = time.sleep) -> None:
        self._transport = transport
        self._sleep = sleep

    def send(self, name: str, content: BinaryIO, order: Mapping[str, object]) -> dict[str, Any]:
        """Return what became of a file: its rows are in the table of the order.

        What the service has of the same file already, from whichever program, is not sent again.

        Raises
        ------
        AweError
            Whatever the service says against the file, the table or its owner.
        UnavailableError
            If the service cannot be reached for a long time; the same call goes on where this one stopped.
        """
        size = content.seek(0, 2)
        if not size:
            raise InputFileError(name, "the file is empty")
        content.seek(0)
        sum_ = hashlib.file_digest(content, "sha256").hexdigest()  # type: ignore[arg-type]  # typeshed wants more of it
        new = str(order["table"]) if order["mode"] == "create" else ""
        upload = self._patiently(lambda: self._begun(name, size, sum_, new))
        self._send_rest(upload, content, name)
        return self._loaded(str(upload["id"]), order)

    def _begun(self, name: str, size: int, sum_: str, new_table: str) -> dict[str, Any]:
        found: Any = self._transport.get_json("/api/uploads", {"sha256": sum_})
        for one in found["uploads"]:
            if (one["file"], one["size"]) == (name, size) and one["phase"] != _LOADED:
                return dict(one)
        said = {"file": name, "size": size, "sha256": sum_, "new_table": new_table}
        made: dict[str, Any] = self._transport.send_json("POST", "/api/uploads", said)
        return made

    def _send_rest(self, upload: Mapping[str, Any], content: BinaryIO, name: str) -> None:
        place, offset, size = f"/api/uploads/{upload['id']}", int(upload["offset"]), int(upload["size"])
        piece = min(_PIECE, int(upload["piece_bytes"]))
        failures = 0
        with Progress(name, size) as progress:
            progress.advance(offset)
            while offset < size:
                content.seek(offset)
                data = content.read(piece)
                try:
                    before, offset = offset, int(self._put(place, offset, data)["offset"])
                except (UnavailableError, InputFileError, ConflictError) as error:
                    failures += 1
                    if failures == _TRIES:
                        raise
                    self._sleep(_FIRST_WAIT_S * 2**failures)
                    offset = self._offset(place, error)
                else:
                    failures = 0
                    progress.advance(offset - before)

    def _put(self, place: str, offset: int, data: bytes) -> Any:
        digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
        return self._transport.put_bytes(
            place, data, {"offset": offset}, {"Content-Digest": f"sha-256=:{digest}:"}
        )

    def _offset(self, place: str, error: AweError) -> int:
        """Return where the file stands behind a try that failed: after a lost answer it may have come."""
        if isinstance(error.fields.get("offset"), int):
            return int(str(error.fields["offset"]))
        found: Any = self._patiently(lambda: self._transport.get_json(place))
        return int(found["offset"])

    def _loaded(self, upload_id: str, order: Mapping[str, object]) -> dict[str, Any]:
        place = f"/api/uploads/{upload_id}"
        told = self._patiently(
            lambda: self._transport.send_json("POST", f"{place}/table", {**order, "wait": _ASKED_S})
        )
        while told["phase"] == _LOADING:
            told = self._patiently(lambda: self._transport.get_json(place, {"wait": _ASKED_S}))
            if told["phase"] == _RECEIVING and told["error"] is None:  # the service that loaded it is dead
                told = self._patiently(
                    lambda: self._transport.send_json("POST", f"{place}/table", {**order, "wait": _ASKED_S})
                )
        if told["error"] is not None:
            raise AweError.from_json(told)
        return dict(told)

    def _patiently(self, ask: Callable[[], Any]) -> Any:
        for attempt in range(1, _TRIES):
            try:
                return ask()
            except UnavailableError:
                self._sleep(_FIRST_WAIT_S * 2**attempt)
        return ask()
