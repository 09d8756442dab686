"""What datasets of one observation are to each other: made of, made into, weight, error.

Datasets of a collection that share their ``obs_id`` are *relatives*; the product in the identifier
(``...?j94f05bgq#flt``) tells them apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from awe.services.observations.model import Dataset

__all__ = ["Relation", "Relative", "relative"]

Relation = Literal["progenitor", "derivation", "coderived", "weight", "error", "auxiliary"]
"""What one dataset is to another; the words are those of the IVOA's vocabulary of links."""

_DESCRIBES: Mapping[str, Relation] = {
    "wht": "weight", "err": "error", "rms": "error", "exp": "auxiliary", "ctx": "auxiliary",
    "mask": "auxiliary", "spt": "auxiliary", "asn": "auxiliary",
}  # fmt: skip
"""Products that say something of other products of the same observation."""


@dataclass(frozen=True, slots=True)
class Relative:
    """A dataset, what it is to the one that was asked about, and the product that it is (empty if principal)."""

    dataset: Dataset
    relation: Relation
    product: str


def relative(this: Dataset, other: Dataset) -> Relative:
    """Return what `other` is to `this`.

    Of two products that do not describe each other, the one of the lower calibration level was made into the other.
    """
    product = _product(other)
    mine, its = (int(str(one.header.get("calib_level") or 0)) for one in (this, other))
    relation: Relation = "progenitor" if its < mine else "derivation" if its > mine else "coderived"
    if _product(this) in _DESCRIBES:  # what describes others was made beside them
        relation = "coderived"
    return Relative(other, _DESCRIBES.get(product, relation), product)


def _product(dataset: Dataset) -> str:
    part = dataset.publisher_did.partition("#")[2].partition(".")[0]
    return "" if part.isdigit() else part
