"""Values of the names: an object, and the form in which two spellings of one name are equal."""

import re
import unicodedata
from dataclasses import dataclass

from awe.services.names._designations import CONSTELLATIONS, GREEK

__all__ = ["NamedObject", "folded"]


@dataclass(frozen=True, slots=True)
class NamedObject:
    """An object and where it is.

    Attributes
    ----------
    name
        Its usual name.
    ra, dec
        ICRS degrees; of stars at epoch J2000.
    kind
        What it is: ``Galaxy``, ``Star``, ``position`` where the text was one.
    aliases
        Other names.
    source
        Where the position comes from.
    """

    name: str
    ra: float
    dec: float
    kind: str
    aliases: tuple[str, ...] = ()
    source: str = ""


_PREFIXES = {
    "messier": "m", "caldwell": "c", "melotte": "mel", "collinder": "cl", "barnard": "b", "hickson": "hcg",
    "harvard": "h", "aco": "abell",
}  # fmt: skip
_PREFIX = re.compile(rf"({'|'.join(_PREFIXES)})[\s_-]*(?=\d)")
_CONSTELLATION = re.compile(
    rf"(.*\S)[\s_]+({'|'.join(sorted(CONSTELLATIONS, key=len, reverse=True))})\s*(\w?)"
)
_GREEK = re.compile(rf"({'|'.join(sorted(GREEK, key=len, reverse=True))})[\s.-]*(\d?)")
_LEADING_ZEROS = re.compile(r"(?<![\d.])0+(?=\d)")
_LEFT_OUT = re.compile(r"[^\w*+.-]|_")


def folded(name: str) -> str:
    """Return a name in the form in which its spellings are equal.

    Case, blanks, apostrophes and leading zeros do not matter; Greek letters and constellations are
    abbreviated as in SIMBAD (``α Virginis`` and ``alpha vir`` are ``alfvir``), and so are the names of
    catalogues (``Messier 087`` is ``m87``).
    """
    text = unicodedata.normalize("NFKC", name).casefold().strip().removeprefix("the ")
    text = _PREFIX.sub(lambda found: _PREFIXES[found[1]], text, count=1)
    if star := _CONSTELLATION.fullmatch(text):
        text = _letter(star[1]) + CONSTELLATIONS[star[2]] + star[3]
    return _LEADING_ZEROS.sub("", _LEFT_OUT.sub("", text))


def _letter(text: str) -> str:
    """Abbreviate a Greek letter with its number, ``alpha-2`` to ``alf2``; leave everything else."""
    found = _GREEK.fullmatch(text.strip())
    return GREEK[found[1]] + found[2] if found else text
