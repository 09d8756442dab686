"""``/hats/...``: the files of tables, for programs that open catalogues where they are (IVOA Note HATS 1.0).

LSDB, hats and whatever else reads HATS over HTTP take ``/hats/<schema>.<table>`` as the catalogue's address, ask for
ranges of its Parquet files, and read a folder by the links in its page.
"""

from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from urllib.parse import quote

from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.types import Message, Receive, Scope, Send

from awe.services.catalogs import HatsFolder
from awe.web.http import Call

__all__ = ["hats_file", "hats_root"]

_ANYWHERE = {"Access-Control-Allow-Origin": "*"}  # readers of Parquet run in pages of other sites, too
_PARQUET = "application/vnd.apache.parquet"
_TYPES = {
    ".parquet": _PARQUET,
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
}
_MARGIN = "margin"
"""The folder of a catalogue's margin cache; it is not listed, since it is made for whoever asks for it."""
_FOREVER_S = 86_400
"""A version does not change, but may be taken away from its readers."""


class _File(FileResponse):
    """A file that is sent in large pieces; `sent` is told how many bytes of it were."""

    chunk_size = 1 << 20

    def __init__(
        self, path: Path, sent: Callable[[int], None], *, media_type: str, headers: Mapping[str, str]
    ) -> None:
        super().__init__(path, media_type=media_type, headers=headers)
        self._sent = sent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file, or what is asked for of it."""
        size = 0

        async def counted(message: Message) -> None:
            nonlocal size
            await send(message)
            size += len(message.get("body", b""))

        try:
            await super().__call__(scope, receive, counted)
        finally:
            if size:
                self._sent(size)


def hats_root(call: Call) -> Response:
    """Send whoever asks for a catalogue without a slash to its folder: links are relative to that."""
    table = call.path("table")
    call.platform.catalogs.hats(table, call.identity)
    return RedirectResponse(f"{call.base_url}/hats/{quote(table, safe='@')}/", headers=_ANYWHERE)


def hats_file(call: Call) -> Response:
    """Return a file of a table, or ranges of it: ``/hats/gaia.stars/dataset/Norder=1/Dir=0/Npix=17.parquet``."""
    first, _, rest = call.path("path").partition("/")
    margin = first == _MARGIN
    path = rest if margin else call.path("path")
    found = call.platform.catalogs.hats(call.path("table"), call.identity, margin=margin)
    entries = found.entries(path)
    headers = _ANYWHERE | {"Cache-Control": _lasting(call)}
    if entries is not None:
        return HTMLResponse(_page(found, path, entries), headers=headers)
    file = found.file(path)
    headers["ETag"] = f'"{found.tag}/{quote(call.path("path"))}"'
    if headers["ETag"] in call.request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    sent = call.platform.quotas.fetching(call.identity)
    return _File(file, sent, media_type=_type(file), headers=headers)


def _lasting(call: Call) -> str:
    whose = "public" if call.identity.is_nobody else "private"
    return f"{whose}, max-age={_FOREVER_S}" if "@" in call.path("table") else f"{whose}, no-cache"


def _type(file: Path) -> str:
    if file.name.startswith("_"):  # the footers of all files, and a file without rows
        return _PARQUET
    return _TYPES.get(file.suffix, "text/plain; charset=utf-8")


def _page(found: HatsFolder, path: str, entries: tuple[str, ...]) -> str:
    title = escape(f"{found.record.full_name}/{path}")
    links = "".join(
        f'<li><a href="{escape(quote(name, safe="/="))}">{escape(name)}</a></li>' for name in entries
    )
    return f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><ul>{links}</ul></body></html>\n"
