"""An archive with the `World`, and two users who write SQL in it."""

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from tests.services.catalogs.batches.world import FLAGS, World, make_world

from awe.core.tables import TableStream
from awe.platform import Platform
from awe.services.identity import ANONYMOUS, Identity
from awe.settings import Settings

ADA, BOB = Identity("ada"), Identity("bob")
Run = Callable[..., list[pd.DataFrame]]

_NEARBY = 'SELECT objID, run, camcol, field, rerun, type, mode, cx, cy, cz, DISTANCE(ra, dec, :ra, :dec) * 60 AS "distance" FROM sdss.PhotoPrimary'
_WITHIN = "DISTANCE(ra, dec, :ra, :dec) <= :r / 60.0"
_PARAMETERS = """
[[functions.parameters]]
name = "ra"
unit = "deg"
[[functions.parameters]]
name = "dec"
unit = "deg"
[[functions.parameters]]
name = "r"
unit = "arcmin"
"""
_FUNCTIONS = f"""
[schema]
title = "SDSS"
[table]
ra = "ra"
dec = "dec"
[[functions]]
name = "fGetNearbyObjEq"
sql = '''{_NEARBY} WHERE {_WITHIN}'''
{_PARAMETERS}
[[functions]]
name = "fGetNearestObjEq"
sql = '''{_NEARBY.replace("SELECT ", "SELECT TOP 1 ", 1)} WHERE {_WITHIN} ORDER BY 11'''
{_PARAMETERS}
[[functions]]
name = "fFootprintEq"
sql = "SELECT 'POLYGON' AS shape FROM sdss.Footprint WHERE :ra BETWEEN ramin - :r / 60.0 AND ramax + :r / 60.0 AND :dec BETWEEN decmin - :r / 60.0 AND decmax + :r / 60.0"
{_PARAMETERS}
[[functions]]
name = "fPhotoFlags"
kind = "scalar"
sql = 'SELECT "value" FROM sdss.PhotoFlags WHERE name = UPPER(:name)'
[[functions.parameters]]
name = "name"
kind = "text"
[[functions]]
name = "fGetObjFromRectEq"
sql = "SELECT objID FROM sdss.PhotoPrimary WHERE ra BETWEEN :ra1 AND :ra2 AND dec BETWEEN :dec1 AND :dec2"
parameters = [{{name = "ra1", unit = "deg"}}, {{name = "dec1", unit = "deg"}}, {{name = "ra2", unit = "deg"}}, {{name = "dec2", unit = "deg"}}]
"""
_SEARCH = """
[table]
ra = "MatchRA"
dec = "MatchDec"
[[functions]]
name = "SearchSumCatalog"
sql = "SELECT * FROM hsc.SumCat WHERE 1 = CONTAINS(POINT(MatchRA, MatchDec), CIRCLE(:ra_deg, :dec_deg, :radius_arcsec / 3600.0))"
parameters = [{name = "ra_deg", unit = "deg"}, {name = "dec_deg", unit = "deg"}, {name = "radius_arcsec", unit = "arcsec"}, {name = "magtype", default = 1}]
"""


def publish(platform: Platform, name: str, rows: pd.DataFrame, *, nan: bool = False, **options: Any) -> None:
    """Publish a frame; what is not a number is NULL unless `nan`."""
    table = pa.table({column: pa.array(rows[column].to_numpy(), from_pandas=not nan) for column in rows})
    platform.catalogs.publish_stream(name, TableStream.from_table(table), **options)


def frame_of(stream: TableStream) -> pd.DataFrame:
    """Return rows as a frame whose integers stay integers, also beside None."""
    table = stream.to_table()
    columns = zip(table.column_names, table.columns, strict=True)
    return pd.DataFrame(
        {name: pd.Series(c.to_pylist(), dtype=object if c.null_count else None) for name, c in columns}
    )


@pytest.fixture(scope="session")
def world() -> World:
    return make_world()


@pytest.fixture(scope="session")
def archive(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Serve the world; what one test makes in mydb, it drops."""
    folder = tmp_path_factory.mktemp("batches")
    with Platform.open(Settings.load(folder / "sky")) as platform:
        (folder / "sdss.toml").write_text(_FUNCTIONS)
        (folder / "hsc.toml").write_text(_SEARCH)
        sky: dict[str, Any] = {"ra": "ra", "dec": "dec"}
        publish(platform, "sdss.PhotoObj", world.photo, **sky)
        publish(platform, "sdss.Galaxy", world.galaxy, **sky)
        publish(platform, "sdss.Star", world.star, **sky)
        publish(
            platform,
            "sdss.Footprint",
            pd.DataFrame({"ramin": [9.5], "ramax": [10.2], "decmin": [4.5], "decmax": [5.2]}),
        )
        publish(
            platform, "sdss.PhotoFlags", pd.DataFrame({"name": list(FLAGS), "value": list(FLAGS.values())})
        )
        publish(platform, "sdss.PhotoPrimary", world.primary, describe=folder / "sdss.toml", **sky)
        publish(platform, "sdss.SpecObj", world.spec)
        publish(platform, "sdss.Field", world.field)
        publish(platform, "sdss.Neighbors", world.neighbors)
        publish(platform, "hsc.SumCat", world.sumcat, describe=folder / "hsc.toml")
        publish(platform, "simdb.Halo", world.halo)
        yield platform


@pytest.fixture
def run(archive: Platform) -> Iterator[Run]:
    """Return what runs a batch and gives a frame for each result; afterwards the users have no tables."""

    def frames(
        text: str,
        identity: Identity = ADA,
        context: str | None = "sdss",
        dialect: str = "tsql",
        **options: Any,
    ) -> list[pd.DataFrame]:
        results = archive.batches.run(text, dialect=dialect, context=context, identity=identity, **options)
        return [frame_of(result.stream) for result in results]

    yield frames
    for identity in (ADA, BOB):
        for record in archive.tables.tables(identity):
            archive.tables.drop(record.full_name, identity)


@pytest.fixture
def one(run: Run) -> Callable[..., pd.DataFrame]:
    """Return what runs a batch that gives one result."""

    def frame(text: str, **options: object) -> pd.DataFrame:
        (found,) = run(text, **options)
        return found

    return frame


__all__ = ["ADA", "ANONYMOUS", "BOB"]
