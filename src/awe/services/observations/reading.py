"""The spectra that datasets are, read from their files: each file once, however many of its spectra are wanted."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from awe.core.science.observation import part_of
from awe.core.science.spectra import NoSpectrumError, Spectrum, read_spectra
from awe.errors import NotFoundError, ParameterError
from awe.services.observations.model import Dataset
from awe.services.observations.objects import is_object
from awe.services.observations.scanning import stem

__all__ = ["file_of", "read_datasets"]


def file_of(dataset: Dataset) -> Path:
    """Return the file of a dataset; `NotFoundError` if it is gone."""
    if not is_object(dataset.path) and not dataset.path.is_file():
        raise NotFoundError(
            f"the file {dataset.path.name} of {dataset.obs_id} is not there any more",
            hint=f"publish the collection {dataset.collection} again",
        )
    return dataset.path


def read_datasets(datasets: Iterable[Dataset]) -> Iterator[tuple[Dataset, Spectrum]]:
    """Yield datasets and their spectra, those of a file together; errors as `ObservationService.spectrum`."""
    files: dict[Path, list[Dataset]] = {}
    for dataset in datasets:
        if dataset.dataproduct_type != "spectrum":
            reason = f"it is no spectrum: its data product is {dataset.dataproduct_type}"
            raise ParameterError("dataset", dataset.publisher_did, reason)
        files.setdefault(dataset.path, []).append(dataset)
    for wanted in files.values():
        path = file_of(wanted[0])
        try:
            spectra = read_spectra(path, wanted[0].reading, facts=False)
        except NoSpectrumError as error:
            raise _changed(wanted[0], str(error)) from None
        parts = {part_of(stem(path), spectrum.key) or "": spectrum for spectrum in spectra}
        for dataset in wanted:
            part = dataset.publisher_did.partition("#")[2]
            if part not in parts:
                raise _changed(dataset, f"it holds no spectrum {part!r}")
            yield dataset, parts[part]


def _changed(dataset: Dataset, reason: str) -> NotFoundError:
    return NotFoundError(
        f"the file {dataset.path.name} of {dataset.obs_id} has changed: {reason}",
        hint=f"publish the collection {dataset.collection} again",
    )
