"""The ten rows of the Hubble Source Catalog that the founding document of awe prints.

They stand in a public talk (V. Acosta, "STScI Science Cloud Evaluation", 10 December 2016, use case
"Globular Clusters Search around M87") as the first rows of a query of ``SearchSumCatalog``. They are
real measurements of the HSC (Whitmore et al. 2016, AJ 151, 134), the only ones in the simulated sky.

The document prints six decimals. One row (251325) has a seventh here: the printed colour, 0.544552, is
not the difference of the printed magnitudes, 0.544551, so that the unrounded ones must have had more.
"""

from dataclasses import dataclass

__all__ = ["FOUNDING_ROWS", "FoundingRow"]


@dataclass(frozen=True, slots=True)
class FoundingRow:
    """A printed row: position in deg, concentration index and AB magnitudes in mag."""

    ra: float
    dec: float
    match_id: int
    ci: float
    f606w: float
    f814w: float


FOUNDING_ROWS: tuple[FoundingRow, ...] = (
    FoundingRow(187.687274, 12.369296, 250841, 1.302192, 22.735899, 22.426411),
    FoundingRow(187.687805, 12.372637, 250963, 1.205647, 22.660417, 22.371114),
    FoundingRow(187.684690, 12.374775, 250964, 1.279722, 22.161032, 21.800969),
    FoundingRow(187.684618, 12.375990, 250982, 1.237424, 23.004038, 22.618353),
    FoundingRow(187.681527, 12.382457, 251022, 1.194007, 23.272181, 22.686539),
    FoundingRow(187.680604, 12.378050, 251325, 1.355000, 23.1946974, 22.6501458),
    FoundingRow(187.692877, 12.370444, 251397, 1.231290, 22.252050, 21.707011),
    FoundingRow(187.684363, 12.374692, 251476, 1.280098, 23.415614, 22.973073),
    FoundingRow(187.683676, 12.375708, 251487, 1.427002, 23.529730, 23.035396),
    FoundingRow(187.699635, 12.366596, 251499, 1.329482, 23.332398, 22.912575),
)
