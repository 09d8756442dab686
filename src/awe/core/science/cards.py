"""A FITS header kept as its cards, some of which are written anew from numbers.

Answers differ from their source in a few numbers. To write those into cards that are ready takes microseconds; to
copy and change a header of some hundred cards takes milliseconds.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from astropy.io import fits

__all__ = ["Cards", "Number"]

Number = int | float

_CARD = 80
_BLOCK = 2880
_TEXT = 72
_END = f"{'END':<{_CARD}}"
_SAID = frozenset({"COMMENT", "HISTORY", ""})
_VALUE = re.compile(r"^.{8}= *([+-]?(?:\d+\.?\d*|\.\d+)(?:[ED][+-]?\d+)?) *(?:/|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class Cards:
    """The cards of a header without its END.

    Attributes
    ----------
    cards
        80 characters each.
    places
        Which card a keyword has; the first one of a keyword that comes several times.
    numbers
        The values that are numbers, by keyword.
    """

    cards: tuple[str, ...]
    places: Mapping[str, int]
    numbers: Mapping[str, Number]

    @classmethod
    def of(cls, header: fits.Header) -> "Cards":
        """Take the cards of a header."""
        text = header.tostring(endcard=False, padding=False)
        cards = tuple(text[start : start + _CARD] for start in range(0, len(text), _CARD))
        places: dict[str, int] = {}
        for place, card in enumerate(cards):
            if card[8:10] == "= " and card[:8].rstrip() not in _SAID:
                places.setdefault(card[:8].rstrip(), place)
        numbers = {
            key: _read(found[1]) for key, place in places.items() if (found := _VALUE.match(cards[place]))
        }
        return cls(cards, places, numbers)

    @property
    def size(self) -> int:
        """How many characters there are."""
        return len(self.cards) * _CARD

    def write(self, changed: Mapping[str, Number], history: str = "") -> bytes:
        """Return the bytes of the header, blocks of 2880, with other numbers for some keywords that it has.

        Parameters
        ----------
        changed
            Numbers by keyword. Booleans are written as logical values.
        history
            A sentence to add; other characters than those of ASCII become question marks.
        """
        cards = list(self.cards)
        for keyword, value in changed.items():
            place = self.places[keyword]
            cards[place] = _card(keyword, value, cards[place])
        said = "".join(c if " " <= c <= "~" else "?" for c in history)
        cards += [f"HISTORY {said[start : start + _TEXT]:<{_TEXT}}" for start in range(0, len(said), _TEXT)]
        cards.append(_END)
        text = "".join(cards)
        return text.encode("ascii") + b" " * (-len(text) % _BLOCK)


def _read(text: str) -> Number:
    return int(text) if text.lstrip("+-").isdigit() else float(text.upper().replace("D", "E"))


def _card(keyword: str, value: Number, old: str) -> str:
    """Return a card with another number, and the comment of the old one."""
    _, slash, comment = old[10:].partition("/")
    said = f"{keyword:<8}= {_number(value):>20}"
    return f"{f'{said} /{comment}' if slash else said:<{_CARD}}"[:_CARD]


def _number(value: Number) -> str:
    """Return a number as the FITS Standard 4.0 wants it (sections 4.2.2 to 4.2.4)."""
    if isinstance(value, bool):
        return "T" if value else "F"
    text = repr(value)
    if "e" not in text:
        return text
    mantissa, exponent = text.split("e")
    return f"{mantissa}{'' if '.' in mantissa else '.0'}E{exponent}"
