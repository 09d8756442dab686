"""The demonstration sky: made by the simulation, published by the code of the publishing commands."""

from awe.core.progress import Progress
from awe.demo import SURVEYS, write_demo_sky
from awe.platform import Platform
from awe.services.identity import MACHINE

__all__ = ["COLLECTION", "SPECTRA", "TABLE", "publish_demo"]

TABLE = "hsc.SumCat"
COLLECTION = "hla"
SPECTRA = "m87spectra"


def publish_demo(platform: Platform, progress: Progress) -> bool:
    """Make and publish the simulated field of M87 and the surveys of it; what is published already stays as it is.

    Returns
    -------
    True if something was published.
    """
    if _is_published(platform):
        return False
    sky = write_demo_sky(platform.settings.folder / "demo", progress=progress)
    platform.catalogs.publish(
        TABLE, [sky.catalog], describe=sky.catalog_describe, replace=True, progress=progress
    )
    for table in sky.surveys:
        platform.catalogs.publish(
            table.name, [table.file], describe=table.describe, replace=True, progress=progress
        )
    platform.observations.publish(SPECTRA, sky.spectra, describe=sky.spectra_describe, progress=progress)
    # the images come last: where they are, the rest is
    platform.observations.publish(COLLECTION, sky.images, describe=sky.images_describe, progress=progress)
    return True


def _is_published(platform: Platform) -> bool:
    there = {record.full_name for record in platform.catalogs.tables(MACHINE)}
    if not there >= {TABLE, *SURVEYS}:
        return False
    return COLLECTION in {one.name for one in platform.observations.collections(MACHINE)}
