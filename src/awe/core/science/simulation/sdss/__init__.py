"""A small Sloan survey of the demonstration sky: the tables that SDSS's users know, simulated.

`simulate_sdss` sees what `simulate_sky` drew around M87, and stars, galaxies and quasars like them beside it, in a strip of
fields; it measures them as SDSS does (names, units, bits of flags, the way identifiers are made are SDSS's own). No
photon and no spectrum of it was seen by a telescope.
"""

from awe.core.science.simulation.sdss._columns import SDSS_REFERENCES, SDSS_SCHEMAS
from awe.core.science.simulation.sdss._constants import PHOTO_FLAGS, PHOTO_TYPES
from awe.core.science.simulation.sdss._objects import Objects, objects_of
from awe.core.science.simulation.sdss._survey import simulate_sdss

__all__ = [
    "PHOTO_FLAGS",
    "PHOTO_TYPES",
    "SDSS_REFERENCES",
    "SDSS_SCHEMAS",
    "Objects",
    "objects_of",
    "simulate_sdss",
]
