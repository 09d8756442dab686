"""Which wavelengths a filter passes: enough to find an image by its band.

Ranges are the centre of the band plus and minus half its width, in nanometres in vacuum, rounded from
the references given; they are good to some nanometres, which is what a search needs, not photometry.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["FILTERS", "REGIMES", "Band", "band", "band_named", "spectral_element"]


@dataclass(frozen=True, slots=True)
class Band:
    """A range of wavelengths.

    Attributes
    ----------
    low, high
        Its ends in metres.
    reference
        Where the numbers come from.
    """

    low: float
    high: float
    reference: str

    @classmethod
    def around(cls, centre_nm: float, width_nm: float, reference: str) -> "Band":
        """Return the band of a centre and a full width, both in nanometres."""
        low, high = centre_nm - width_nm / 2, centre_nm + width_nm / 2
        return cls(round(low * 1e-9, 13), round(high * 1e-9, 13), reference)

    @property
    def resolving_power(self) -> float:
        """Centre over width."""
        return (self.low + self.high) / 2 / (self.high - self.low)


# system -> (reference, {filter: (centre nm, width nm)})
_TABLES: Mapping[str, tuple[str, Mapping[str, tuple[float, float]]]] = {
    "ACS": (
        "ACS Instrument Handbook, tables 5.1 to 5.3",
        {
            "F220W": (225, 43), "F250W": (272, 55), "F330W": (336, 41), "F344N": (343, 6),
            "F435W": (430, 104), "F475W": (476, 146), "F502N": (502, 6), "F550M": (558, 55),
            "F555W": (535, 119), "F606W": (591, 234), "F625W": (632, 144), "F658N": (658, 8),
            "F660N": (660, 4), "F775W": (776, 153), "F814W": (833, 251), "F850LP": (945, 123),
            "F892N": (892, 15), "F115LP": (141, 53), "F122M": (127, 12), "F125LP": (144, 47),
            "F140LP": (153, 37), "F150LP": (161, 32), "F165LP": (176, 22),
        },
    ),
    "WFC3": (
        "WFC3 Instrument Handbook, tables 6.2 and 7.2",
        {
            "F200LP": (497, 588), "F218W": (223, 33), "F225W": (237, 47), "F275W": (271, 40),
            "F300X": (282, 75), "F336W": (335, 51), "F350LP": (587, 480), "F390W": (392, 89),
            "F438W": (433, 61), "F467M": (468, 20), "F475W": (477, 134), "F502N": (501, 6),
            "F547M": (545, 65), "F555W": (531, 156), "F600LP": (747, 230), "F606W": (589, 219),
            "F621M": (622, 61), "F625W": (624, 146), "F656N": (656, 2), "F657N": (657, 12),
            "F658N": (659, 3), "F673N": (677, 12), "F689M": (688, 68), "F763M": (761, 71),
            "F775W": (765, 117), "F814W": (805, 154), "F845M": (844, 79), "F850LP": (917, 118),
            "F098M": (986, 157), "F105W": (1055, 265), "F110W": (1153, 443), "F125W": (1249, 285),
            "F126N": (1259, 15), "F127M": (1274, 69), "F128N": (1283, 16), "F130N": (1301, 16),
            "F132N": (1319, 16), "F139M": (1384, 64), "F140W": (1392, 384), "F153M": (1532, 69),
            "F160W": (1537, 268), "F164N": (1640, 21), "F167N": (1664, 21),
        },
    ),
    "WFPC2": (
        "WFPC2 Instrument Handbook, table 3.1",
        {
            "F170W": (175, 55), "F185W": (195, 34), "F218W": (220, 39), "F255W": (260, 41),
            "F300W": (292, 73), "F336W": (333, 37), "F380W": (396, 67), "F410M": (409, 15),
            "F439W": (430, 47), "F450W": (452, 95), "F467M": (467, 17), "F502N": (501, 3),
            "F547M": (548, 48), "F555W": (540, 123), "F569W": (561, 97), "F588N": (589, 5),
            "F606W": (594, 150), "F622W": (616, 92), "F631N": (631, 3), "F656N": (656, 2),
            "F658N": (659, 3), "F673N": (673, 5), "F675W": (671, 88), "F702W": (688, 139),
            "F785LP": (869, 140), "F791W": (787, 123), "F814W": (792, 149), "F850LP": (907, 99),
        },
    ),
    "NICMOS": (
        "NICMOS Instrument Handbook, tables 4.1 to 4.3",
        {
            "F090M": (897, 186), "F110W": (1127, 600), "F110M": (1102, 200), "F140W": (1427, 1000),
            "F150W": (1507, 700), "F160W": (1606, 400), "F165M": (1648, 200), "F175W": (1808, 1200),
            "F187N": (1875, 19), "F187W": (1871, 250), "F204M": (2035, 100), "F205W": (2071, 600),
            "F207M": (2082, 150), "F222M": (2218, 150), "F237M": (2369, 150), "F240M": (2395, 200),
        },
    ),
    "SDSS": (
        "Fukugita et al. 1996, AJ 111, 1748",
        {"u": (356, 60), "g": (483, 138), "r": (626, 138), "i": (767, 154), "z": (910, 137)},
    ),
    "PS1": (
        "Tonry et al. 2012, ApJ 750, 99, table 4",
        {"g": (483, 137), "r": (620, 139), "i": (755, 129), "z": (870, 104), "y": (960, 83)},
    ),
    "HSC": (
        "Kawanomoto et al. 2018, PASJ 70, 66",
        {"g": (473, 146), "r": (623, 154), "i": (771, 148), "z": (892, 77), "y": (976, 78)},
    ),
    "2MASS": (
        "Cohen, Wheaton & Megeath 2003, AJ 126, 1090",
        {"J": (1235, 162), "H": (1662, 251), "K": (2159, 262), "KS": (2159, 262)},
    ),
    "WISE": (
        "Jarrett et al. 2011, ApJ 735, 112",
        {"W1": (3353, 660), "W2": (4603, 1040), "W3": (11560, 5510), "W4": (22090, 4100)},
    ),
    "IRAC": (
        "Fazio et al. 2004, ApJS 154, 10",
        {"I1": (3550, 750), "I2": (4493, 1015), "I3": (5731, 1425), "I4": (7872, 2905)},
    ),
    "JOHNSON": (
        "Bessell 2005, ARA&A 43, 293, table 1",
        {
            "U": (366, 65), "B": (436, 89), "V": (545, 84), "R": (641, 158), "I": (798, 154),
            "J": (1220, 213), "H": (1630, 307), "K": (2190, 390),
        },
    ),
}  # fmt: skip

FILTERS: Mapping[tuple[str, str], Band] = MappingProxyType(
    {
        (system, name): Band.around(centre, width, reference)
        for system, (reference, table) in _TABLES.items()
        for name, (centre, width) in table.items()
    }
)
"""Every filter known, by system and name."""

REGIMES: Mapping[str, Band] = MappingProxyType(
    {
        name: Band(low, high, "VODataService 1.1 section 3.1.1")
        for name, low, high in (
            ("radio", 1e-2, 1e5), ("millimeter", 1e-4, 1e-2), ("infrared", 1e-6, 1e-4),
            ("optical", 3e-7, 1e-6), ("uv", 1e-7, 3e-7), ("euv", 1e-8, 1e-7), ("x-ray", 1e-11, 1e-8),
            ("gamma-ray", 1e-20, 1e-11),
        )
    }
)  # fmt: skip
"""The regimes of the spectrum by the names that registries use, lower case."""

# What stands in a header's INSTRUME or TELESCOP, by its start in capitals.
_SYSTEMS = (
    ("ACS", "ACS"), ("WFC3", "WFC3"), ("WFPC2", "WFPC2"), ("NICMOS", "NICMOS"), ("NIC", "NICMOS"),
    ("PC", "WFPC2"), ("SDSS", "SDSS"), ("2.5M", "SDSS"), ("PS1", "PS1"), ("GPC1", "PS1"), ("PAN-STARRS", "PS1"),
    ("HSC", "HSC"), ("HYPER SUPRIME", "HSC"), ("2MASS", "2MASS"), ("WISE", "WISE"), ("IRAC", "IRAC"),
)  # fmt: skip

_OPEN = re.compile(r"^(CLEAR\w*|OPEN|NONE|N/A|BLANK|AIR|0|)$", re.IGNORECASE)
_HST = re.compile(r"^F[RQ]?\d{3}", re.IGNORECASE)


def spectral_element(names: tuple[str, ...]) -> str | None:
    """Return the filters of a light path as one text, ``F606W`` or ``F606W/POL0V``; None for an open one."""
    kept = [name.strip() for name in names if not _OPEN.match(name.strip())]
    unique = dict.fromkeys(name.upper() if _HST.match(name) else name for name in kept)
    return "/".join(unique) or None


def band(element: str | None, *origins: str | None) -> Band | None:
    """Return the wavelengths that a spectral element passes.

    Parameters
    ----------
    element
        As `spectral_element` writes it. Several filters pass what lies between the outermost ends.
    origins
        Instrument and telescope, as the header names them; a filter of an unknown system is looked
        for among Johnson's.
    """
    if not element:
        return None
    system = next(
        (s for o in origins if o for start, s in _SYSTEMS if o.upper().startswith(start)), "JOHNSON"
    )
    found = [b for name in element.split("/") if (b := _known(system, name))]
    if not found:
        return None
    return Band(min(b.low for b in found), max(b.high for b in found), found[0].reference)


def band_named(name: str) -> Band | None:
    """Return the wavelengths of a band by its name alone: a regime, a filter of Johnson's, Hubble's, SDSS'.

    Where systems share a name, the letter's case and the order of the systems in this module decide.
    """
    regime = REGIMES.get(name.strip().lower())
    if regime is not None:
        return regime
    wanted = name.strip()
    for spelling in (wanted, wanted.upper()):
        if ("JOHNSON", spelling) in FILTERS:
            return FILTERS["JOHNSON", spelling]
        for (_, known), found in FILTERS.items():
            if known == spelling:
                return found
    return None


_HUBBLE = ("ACS", "WFC3", "WFPC2", "NICMOS")


def _known(system: str, name: str) -> Band | None:
    # Products that combine cameras keep the header of one of them: any of Hubble's knows a filter like F435W.
    systems = (system, *_HUBBLE) if _HST.match(name) else (system,)
    spellings = ((s, n) for s in systems for n in (name, name.upper()))
    return next((FILTERS[key] for key in spellings if key in FILTERS), None)
