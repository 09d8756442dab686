"""Several cutouts as one answer: a tar archive, each piece of which is made in its caller's turn."""

from collections.abc import Callable, Iterator
from itertools import chain

from starlette.responses import Response

from awe.errors import AweError
from awe.services.observations import Part
from awe.web.http._fair import FairStream
from awe.web.http._tar import TAR, end, entry

__all__ = ["cutouts_response"]


def cutouts_response(subject: str, parts: Iterator[Part], tell: Callable[[AweError], str]) -> Response:
    """Return the parts as files ``1_<name>.fits``, ``2_<name>.fits``, ...; 204 where none has a pixel.

    Parameters
    ----------
    subject
        Whose turns they take.
    parts
        The first ones, up to one that has pixels, are made here; the others each when the one before has been sent.
    tell
        Says why there is no cutout, in a file ``<number>_<name>.txt`` in its place.

    Raises
    ------
    AweError
        If there is no cutout at all: what went wrong first.
    """
    before: list[Part] = []
    for part in parts:
        before.append(part)
        if part.cutout is not None:
            headers = {"Content-Disposition": 'attachment; filename="cutouts.tar"'}
            return FairStream(subject, _entries(chain(before, parts), tell), TAR, headers)
    for part in before:
        if part.error is not None:
            raise part.error
    return Response(status_code=204)


def _entries(parts: Iterator[Part], tell: Callable[[AweError], str]) -> Iterator[bytes]:
    for part in parts:
        if part.cutout is not None:
            yield from entry(f"{part.name}.fits", part.cutout.size, part.cutout.write())
        else:
            text = tell(part.reason).encode()
            yield from entry(f"{part.name}.txt", len(text), [text])
    yield end()
