"""A spectrum as the table that the service delivers, in the words of the Spectral Data Model 1.1."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from awe.core.science.spectra._model import Axis, Spectrum
from awe.core.tables import Column, Schema, TableStream

__all__ = ["spectrum_table"]

_DATA = "spec:Spectrum.Data"


def spectrum_table(
    spectrum: Spectrum, name: str, description: str = "", metadata: Mapping[str, str] | None = None
) -> TableStream:
    """Return a spectrum as a table: spectral coordinate, flux, error, quality, segment; those that it has.

    Values and units are those of the file.

    Parameters
    ----------
    spectrum
        What to deliver.
    name, description, metadata
        Of the table.
    """
    columns = [
        _column(
            "spectral",
            spectrum.spectral,
            f"{_DATA}.SpectralAxis.Value",
            _spectral_words(spectrum),
            principal=True,
        ),
        _column("flux", spectrum.flux, f"{_DATA}.FluxAxis.Value", "What was measured", principal=True),
    ]
    if spectrum.error is not None:
        said = "Standard deviation of the flux"
        columns.append(_column("flux_error", spectrum.error, f"{_DATA}.FluxAxis.Accuracy.StatError", said))
    if spectrum.quality is not None:
        column = Column(
            "quality", pa.int64(), ucd="meta.code.qual", utype=f"{_DATA}.FluxAxis.Quality",
            description="Flags of the file; 0 is good",
        )  # fmt: skip
        columns.append((column, pa.array(spectrum.quality)))
    if spectrum.segment is not None:
        said = "Arm, order or detector segment that the sample is of"
        columns.append(
            (
                Column("segment", pa.string(), ucd="meta.id;instr", description=said),
                pa.array(spectrum.segment),
            )
        )
    schema = Schema(tuple(column for column, _ in columns), name, description, metadata or {})
    table = pa.Table.from_arrays([array for _, array in columns], schema=schema.to_arrow())
    return TableStream.from_table(table, schema)


def _spectral_words(spectrum: Spectrum) -> str:
    kind = {"em.wl": "Wavelength", "em.freq": "Frequency", "em.energy": "Energy"}.get(
        spectrum.spectral.ucd, "Wave number"
    )
    return f"{kind} in {spectrum.medium}" if spectrum.medium and spectrum.spectral.ucd == "em.wl" else kind


def _column(
    name: str, axis: Axis, utype: str, said: str, *, principal: bool = False
) -> tuple[Column, pa.Array]:
    values = np.ascontiguousarray(axis.values)
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    array = pa.array(values)
    described = said if axis.name.casefold() == name else f"{said} ({axis.name} in the file)"
    return Column(
        name, array.type, axis.unit, axis.ucd, utype, description=described, principal=principal
    ), array
