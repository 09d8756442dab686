"""The use case: from what somebody types to a position."""

import re
from dataclasses import replace
from functools import cached_property

from awe.core.sky import parse_position
from awe.core.suggestions import did_you_mean
from awe.errors import NotFoundError, ParameterError, PositionError
from awe.services.names.famous import OTHER_NAMES, famous_sources
from awe.services.names.model import NamedObject, folded
from awe.services.names.openngc import OpenNGC
from awe.services.names.sesame import Sesame
from awe.services.names.stars import bright_stars
from awe.services.names.store import NameStore

__all__ = ["NameService"]

_LONGEST = 200
_SIGNS = re.compile(r"[\s\d.,:;()+\-−–°º′″'\"hdms]*", re.IGNORECASE)
"""What a position is written with when it has no labels."""


class NameService:
    """Resolve names of objects.

    Parameters
    ----------
    store
        What Sesame has answered.
    sesame
        The CDS' resolver; None where the operator does not allow the network.
    """

    def __init__(self, store: NameStore, sesame: Sesame | None = None) -> None:
        self._store = store
        self._sesame = sesame
        self._catalogue = OpenNGC()

    def resolve(self, name: str) -> NamedObject:
        """Return the object of a name; a position as `parse_position` reads it is itself.

        Case, blanks and leading zeros do not matter: ``m 87``, ``NGC4486``, ``alpha Vir``, ``Sgr A*``.

        Raises
        ------
        ParameterError
            If there is no name, or it is longer than any.
        PositionError
            If it is written as a position and is none.
        NotFoundError
            If nobody who is asked knows it: with names that are near.
        UnavailableError
            If Sesame is allowed, is asked and does not answer.
        """
        text = name.strip()
        if not text or len(text) > _LONGEST:
            raise ParameterError("name", name[:_LONGEST], "a name or position is wanted", hint="such as M87")
        try:
            ra, dec = parse_position(text)
        except PositionError as error:
            wrong = error
        else:
            return NamedObject(text, ra, dec, "position", (), "the position itself")
        found = self._find(text)
        if found is None:
            raise wrong if _SIGNS.fullmatch(text) and text[0] in "0123456789+-−." else self._unknown(text)
        return found

    def position(self, name: str) -> tuple[float, float]:
        """Return where an object is, ICRS degrees; see `resolve`."""
        found = self.resolve(name)
        return found.ra, found.dec

    def _find(self, name: str) -> NamedObject | None:
        key = folded(name)
        local = self._local(self._others.get(key, key))
        if local is not None:
            more = tuple(other for other, meant in OTHER_NAMES.items() if meant == local.name)
            return replace(local, aliases=(*more, *local.aliases))
        if self._sesame is None or not key:
            return None
        found = self._store.find(key)
        if found is None:
            found = self._sesame.find(name)
            if found is not None:
                self._store.keep(key, found)
        return found

    def _local(self, key: str) -> NamedObject | None:
        return self._sources.get(key) or self._catalogue.find(key)

    @cached_property
    def _others(self) -> dict[str, str]:
        return {folded(name): folded(meant) for name, meant in OTHER_NAMES.items()}

    @cached_property
    def _sources(self) -> dict[str, NamedObject]:
        found: dict[str, NamedObject] = {}
        for source in (*famous_sources(), *bright_stars()):
            for name in (source.name, *source.aliases):
                found.setdefault(folded(name), source)
        return found

    def _unknown(self, name: str) -> NotFoundError:
        known = dict.fromkeys(
            [alias for one in self._sources.values() for alias in (one.name, *one.aliases)]
            + [*self._catalogue.names(), *OTHER_NAMES]
        )
        asked = "" if self._sesame else "; the network is not asked (names.network)"
        return NotFoundError(
            f"no object is called {name!r}",
            hint=did_you_mean(name, known) or f"Messier, NGC and IC numbers, bright stars, positions{asked}",
        )
