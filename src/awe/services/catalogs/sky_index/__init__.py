"""Rows by their place: which groups of rows a region touches, what of them is decoded, and the exact test."""

from awe.services.catalogs.sky_index.answer import answer, candidates
from awe.services.catalogs.sky_index.groups import Groups, Version
from awe.services.catalogs.sky_index.parcels import Parcels
from awe.services.catalogs.sky_index.rows import SkyIndex

__all__ = ["Groups", "Parcels", "SkyIndex", "Version", "answer", "candidates"]
