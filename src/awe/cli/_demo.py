"""The demonstration sky, published with the commands' own code, as an archive would."""

import tempfile
from pathlib import Path

from awe.demo import write_demo_sky
from awe.platform import Platform
from awe.services.catalogs import Progress

__all__ = ["publish_demo"]


def publish_demo(platform: Platform, progress: Progress) -> None:
    """Make and publish the simulated M87 field, unless it is published."""
