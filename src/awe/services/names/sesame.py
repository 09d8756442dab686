"""Sesame, the name resolver of the CDS: the one place from which names go out into the network.

Its plain answer has a line ``%J`` with the position in ICRS degrees, ``%I.0`` with the usual name, ``%C.0``
with the type of object. Simbad is asked first, then NED and VizieR.
"""

import urllib.error
import urllib.parse
import urllib.request

from awe.errors import UnavailableError
from awe.services.names.model import NamedObject

__all__ = ["Sesame"]

_MOST_BYTES = 1 << 20


class Sesame:
    """A resolver over HTTP.

    Parameters
    ----------
    url
        Address of Sesame.
    timeout_s
        Seconds to wait.
    """

    def __init__(self, url: str, timeout_s: float) -> None:
        self._url = url.rstrip("/")
        self._timeout_s = timeout_s

    def find(self, name: str) -> NamedObject | None:
        """Ask for a name; None where Sesame does not know it.

        Raises
        ------
        UnavailableError
            If it does not answer in time, or not in its own words.
        """
        address = f"{self._url}/-oI/SNV?{urllib.parse.quote(name, safe='')}"
        try:
            # the operator's own setting, http or https (`NameSettings`)
            with urllib.request.urlopen(address, timeout=self._timeout_s) as answer:  # noqa: S310
                text = answer.read(_MOST_BYTES).decode("utf-8", "replace")
        except (OSError, urllib.error.URLError) as error:
            raise UnavailableError(f"Sesame does not answer: {error}") from None
        if not text.startswith("#"):
            raise UnavailableError("Sesame's answer cannot be read", hint="is names.sesame_url right?")
        return _read(text, name)


def _read(text: str, asked: str) -> NamedObject | None:
    """Read the first resolver's part that has a position."""
    catalogue = ""
    said: dict[str, str] = {}
    for line in text.splitlines():
        if line.startswith("#="):
            catalogue, said = line.partition("=")[2].split("=")[-1].split(":")[0].split("(")[0].strip(), {}
        elif line.startswith("%"):
            key, _, value = line[1:].partition(" ")
            said.setdefault(key, value.strip())
        if "J" in said and (line.startswith("#B") or not line.strip() or "I.0" in said):
            break
    try:
        ra, dec = (float(word) for word in said.get("J", "").split()[:2])
    except ValueError:
        return None
    name = " ".join(said.get("I.0", asked).split())
    return NamedObject(name, ra, dec, said.get("C.0", "object"), (), f"Sesame ({catalogue or 'CDS'})")
