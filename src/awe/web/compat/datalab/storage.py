"""``/storage``: files of one's own, public ones of others, and those that collections were published from.

Most of these requests are GETs, also those that change something; `known` sees to it that no page can make a browser
send them.
"""

import json
from collections.abc import Callable, Iterator

from starlette.responses import PlainTextResponse, Response

from awe.errors import NotFoundError, ParameterError
from awe.services.identity import READ, WRITE
from awe.services.space import NodeKind, NodePath
from awe.web.compat.datalab._asked import given, known
from awe.web.compat.datalab._places import Published, Shown, called, opened, own, place, said, shown, shown_in
from awe.web.http import Call

__all__ = [
    "access",
    "copy",
    "is_folder",
    "link",
    "list_files",
    "make_folder",
    "move",
    "remove",
    "remove_folder",
    "stat",
    "tag",
]

_WHEN = "%d %b %Y %H:%M"
_CHUNK = 1 << 20
_DONE = "COMPLETED"


def list_files(call: Call) -> Response:
    """List a folder, a file, or what a pattern means: names with commas, names in lines, or all that is known."""
    found = shown_in(call, place(call, said(call, "name")))
    form = given(call, "format").lower() or "csv"
    if form == "csv":
        return PlainTextResponse(",".join(one.name for one in found))
    if form in {"ascii", "short", "raw"}:
        return PlainTextResponse("".join(f"{one.name}\n" for one in found))
    if form == "long":
        return PlainTextResponse("".join(f"{line}\n" for line in _lines(found)))
    raise ParameterError("format", form, "is no format", hint="there are csv, ascii, short, raw, long")


def stat(call: Call) -> Response:
    """Describe a file or a folder, as JSON."""
    found = shown(call, place(call, said(call, "name")))
    return PlainTextResponse(
        json.dumps(
            {
                "name": found.name,
                "owner": found.owner,
                "groupread": "",
                "groupwrite": "",
                "publicread": found.is_public,
                "perms": found.permissions[1:],
                "target": "",
                "size": found.size,
                "modified": found.modified.isoformat(timespec="seconds"),
                "type": str(found.kind),
            }
        )
    )


def is_folder(call: Call) -> Response:
    """Say whether something is a folder; that nothing is there is an error."""
    return PlainTextResponse(str(shown(call, place(call, said(call, "name"))).kind is NodeKind.CONTAINER))


def access(call: Call) -> Response:
    """Say whether the caller may read (``r``), write (``w``) or do both to what is there."""
    mode = given(call, "mode").lower()
    if set(mode) - set("rw"):
        raise ParameterError("mode", mode, "is none of r, w and rw")
    where = place(call, said(call, "name"))
    if isinstance(where, Published):
        return PlainTextResponse(str("w" not in mode and _is_there(call, where)))
    actions = [READ, WRITE] if "w" in mode else [READ]
    return PlainTextResponse(
        str(all(call.platform.space.may(where, call.identity, action) for action in actions))
    )


def make_folder(call: Call) -> Response:
    """Make a folder in one that is there."""
    identity = known(call, WRITE)
    call.platform.space.make(own(call, called(call, "dir"), identity), identity)
    return PlainTextResponse("OK", 201)


def remove(call: Call) -> Response:
    """Remove a file."""
    identity = known(call, WRITE)
    path = own(call, called(call, "file"), identity)
    if call.platform.space.node(path, identity).is_container:
        raise ParameterError("file", str(path), "is a folder", hint="rmdir removes folders")
    call.platform.space.remove(path, identity)
    return Response(status_code=204)


def remove_folder(call: Call) -> Response:
    """Remove a folder with all that is in it."""
    identity = known(call, WRITE)
    path = own(call, called(call, "dir"), identity)
    if not call.platform.space.node(path, identity).is_container:
        raise ParameterError("dir", str(path), "is no folder", hint="rm removes files")
    call.platform.space.remove(path, identity)
    return Response(status_code=204)


def move(call: Call) -> Response:
    """Give a file or a folder another name, or put it into another folder."""
    identity = known(call, WRITE)
    old, new = (own(call, called(call, name), identity) for name in ("from", "to"))
    call.platform.space.move(old, new, identity)
    return PlainTextResponse(_DONE)


def copy(call: Call) -> Response:
    """Copy a file or a folder that the caller may read, also a published file."""
    identity = known(call, WRITE)
    old, new = place(call, called(call, "from"), identity), own(call, called(call, "to"), identity)
    if isinstance(old, NodePath):
        call.platform.space.copy(old, new, identity)
        return PlainTextResponse(_DONE)
    with opened(call, old, identity) as source:
        if old.parts and _is_folder(call, new):
            new = new.below(old.parts[-1])
        with call.platform.space.write(new, identity, replace=False) as draft:
            while chunk := source.read(_CHUNK):
                draft.write(chunk)
            draft.done()
    return PlainTextResponse(_DONE)


def link(_call: Call) -> Response:
    """Refuse: a file has one place."""
    raise NotFoundError("links are not offered", hint="copy the file (cp), or move it (mv)")


def tag(_call: Call) -> Response:
    """Refuse: files have no words of their own yet."""
    raise NotFoundError(
        "tags are not offered", hint="give the file a name that says it, or put it into a folder"
    )


def _is_there(call: Call, where: Published) -> bool:
    try:
        shown(call, where)
    except NotFoundError:
        return False
    return True


def _is_folder(call: Call, where: NodePath) -> bool:
    try:
        return call.platform.space.node(where, call.identity.finding).is_container
    except NotFoundError:
        return False


def _lines(found: list[Shown]) -> Iterator[str]:
    """Yield lines as ``ls -l`` has them."""
    wide = [max((len(str(width(one))) for one in found), default=0) for width in _WIDTHS]
    for one in found:
        slash = "/" if one.kind is NodeKind.CONTAINER else ""
        when = one.modified.strftime(_WHEN)
        yield f"{one.permissions}  {one.owner:<{wide[0]}}  {one.size:>{wide[1]}}  {when}  {one.name}{slash}"


_WIDTHS: tuple[Callable[[Shown], object], ...] = (lambda one: one.owner, lambda one: one.size)
