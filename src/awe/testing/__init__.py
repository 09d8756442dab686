"""Public helpers for tests, here and in plug-ins: tiny skies that are published in a second.

Everything is made from fixed seeds, so that a failure repeats itself.
"""

from awe.testing._archive import TINY_CENTRE, TINY_IMAGES, TINY_TABLE, tiny_archive, tiny_settings
from awe.testing._jobs import HandRunner, open_fakes
from awe.testing._people import log_in
from awe.testing._schema import with_schema

__all__ = [
    "TINY_CENTRE",
    "TINY_IMAGES",
    "TINY_TABLE",
    "HandRunner",
    "log_in",
    "open_fakes",
    "tiny_archive",
    "tiny_settings",
    "with_schema",
]
