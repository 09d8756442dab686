"""Images, cubes, spectra, time series: the ObsCore index, and pieces of the files themselves.

`ObservationService` publishes folders of files, finds datasets by where, when and how they were
taken, cuts regions out of them and draws previews. The index is the published table ``ivoa.obscore``,
which every query language reaches; the system database knows which file a dataset is.

Words: a *dataset* is one row of the index and is called by its publisher DID,
``ivo://<authority>/<collection>?<obs_id>``, or by its ``obs_id`` alone where that is unambiguous; a
*collection* is what was published under one name.
"""

from awe.services.observations.charting import Chart
from awe.services.observations.copies import Copies
from awe.services.observations.files import CollectionFiles, PublishedFile
from awe.services.observations.hips import Hips, HipsService
from awe.services.observations.interface import Index, IndexTable
from awe.services.observations.model import (
    COLLECTION,
    IMAGES,
    INDEX_TABLE,
    PLOTTED,
    Collection,
    Criteria,
    Dataset,
    PublishReport,
    Rejected,
)
from awe.services.observations.objects import is_object
from awe.services.observations.pieces import (
    CUTOUT,
    Part,
    Piece,
    cut_all,
    cutout_kind,
    order_of,
)
from awe.services.observations.relations import Relation, Relative
from awe.services.observations.service import ObservationService
from awe.services.observations.storage import Storage
from awe.services.observations.views import VIEWS

__all__ = [
    "COLLECTION",
    "CUTOUT",
    "IMAGES",
    "INDEX_TABLE",
    "PLOTTED",
    "VIEWS",
    "Chart",
    "Collection",
    "CollectionFiles",
    "Copies",
    "Criteria",
    "Dataset",
    "Hips",
    "HipsService",
    "Index",
    "IndexTable",
    "ObservationService",
    "Part",
    "Piece",
    "PublishReport",
    "PublishedFile",
    "Rejected",
    "Relation",
    "Relative",
    "Storage",
    "cut_all",
    "cutout_kind",
    "is_object",
    "order_of",
]
