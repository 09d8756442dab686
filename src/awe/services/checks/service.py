"""Gather what the rules look at, and apply them."""

from awe.core.science.obscore import OBSCORE_COLUMNS
from awe.errors import AweError, InputFileError
from awe.services.catalogs import CatalogService, TableRecord, example_query
from awe.services.checks.model import Archive, Files, Finding
from awe.services.checks.rules import findings
from awe.services.identity import MACHINE
from awe.services.observations import INDEX_TABLE, Collection, ObservationService
from awe.settings import Settings

__all__ = ["CheckService"]

_WANTED = (
    "obs_id", "obs_collection", "obs_publisher_did", "calib_level", "dataproduct_type", "access_url", "target_name",
    "s_ra", "s_dec", "s_region", "t_min", "t_max", "em_min", "em_max", "facility_name", "instrument_name",
)  # fmt: skip
"""Columns of ObsCore by which datasets are found."""


class CheckService:
    """Tell an operator what is missing or wrong in what is published.

    Parameters
    ----------
    catalogs, observations
        What is published.
    settings
        Who publishes, and under which address.
    """

    def __init__(
        self, catalogs: CatalogService, observations: ObservationService, settings: Settings
    ) -> None:
        self._catalogs = catalogs
        self._observations = observations
        self._settings = settings

    def findings(self) -> list[Finding]:
        """Return what is found, the worst first."""
        return findings(self.archive())

    def archive(self) -> Archive:
        """Return what the rules look at."""
        tables = self._catalogs.published(MACHINE)
        return Archive(
            settings=self._settings.archive,
            base_url=self._settings.base_url,
            tables=tables,
            collections=[self._files(one) for one in self._observations.collections(MACHINE)],
            lost=[table.full_name for table in self._catalogs.lost()],
            failing={table.full_name: told for table in tables if (told := self._tried(table))},
            nulls=self._nulls() if INDEX_TABLE in {table.full_name for table in tables} else {},
        )

    def _tried(self, table: TableRecord) -> str:
        """Return why the example query of a table fails; nothing when it does not."""
        try:
            self._catalogs.query(example_query(table), identity=MACHINE, max_rows=10).to_table()
        except AweError as error:
            return error.message
        return ""

    def _files(self, collection: Collection) -> Files:
        gone, changed = [], []
        for dataset in self._observations.datasets(collection.name):
            try:
                state = self._observations.storage.stat(dataset.path)
            except InputFileError:
                gone.append(dataset.path.name)
                continue
            if state != (dataset.size, dataset.mtime):
                changed.append(dataset.path.name)
        covered = self._observations.coverage(collection.name, MACHINE)
        return Files(
            collection.name,
            collection.about,
            collection.datasets,
            sorted(set(gone)),
            sorted(set(changed)),
            covers_nothing=not len(covered.ranges),
        )

    def _nulls(self) -> dict[str, int]:
        standard = {column.name for column in OBSCORE_COLUMNS}
        names = [name for name in _WANTED if name in standard]
        counts = ", ".join(f"COUNT({name}) AS {name}" for name in names)
        query = f"SELECT COUNT(*) AS every_one, {counts} FROM {INDEX_TABLE}"
        (row,) = self._catalogs.query(query, identity=MACHINE).to_table().to_pylist()
        return {name: int(row["every_one"]) - int(row[name]) for name in names}
