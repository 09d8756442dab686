"""Which columns of a table are positions, where no UCD tells: by the names that catalogues use."""

from collections.abc import Iterable

__all__ = ["position_names"]

_PAIRS: tuple[tuple[str, str], ...] = (
    ("ra", "dec"),
    ("raj2000", "dej2000"),
    ("ra_icrs", "de_icrs"),
    ("ra_j2000", "dec_j2000"),
    ("matchra", "matchdec"),
    ("ramean", "decmean"),
    ("ra_deg", "dec_deg"),
    ("radeg", "decdeg"),
    ("_raj2000", "_dej2000"),
    ("s_ra", "s_dec"),
    ("right_ascension", "declination"),
    ("raj2000", "decj2000"),
    ("ra_2000", "dec_2000"),
    ("alpha_j2000", "delta_j2000"),
    ("alphawin_j2000", "deltawin_j2000"),
    ("_ra", "_de"),
    ("_ra_icrs", "_de_icrs"),
)
"""Pairs of right ascension and declination, in small letters; the first pair that is there counts."""


def position_names(names: Iterable[str]) -> tuple[str, str] | None:
    """Return the columns of a well-known pair, as they are spelled; None where there is none.

    A table that spells one word in two ways (``RA`` and ``ra``) is taken at the first.
    """
    spelled: dict[str, str] = {}
    for name in names:
        spelled.setdefault(name.casefold(), name)
    return next(((spelled[a], spelled[b]) for a, b in _PAIRS if a in spelled and b in spelled), None)
