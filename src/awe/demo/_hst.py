"""The demonstration sky as files: the catalogue, images and spectra of an archive of HST, and the surveys."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from awe.core.progress import Progress, silent
from awe.core.science.simulation import (
    CATALOG_SCHEMA,
    FRAMES,
    PUBLISHED,
    Frame,
    Sky,
    frame_hdus,
    render,
    simulate_sky,
    simulated_spectra,
    spectrum_hdus,
    summary_catalog,
)
from awe.demo._surveys import DemoTable, write_surveys
from awe.demo._toml import columns_of, section, toml

__all__ = ["DemoSky", "catalog_description", "images_description", "spectra_description", "write_demo_sky"]

SEED = 87

_SCHEMA = {
    "title": "Hubble Source Catalog (demonstration)",
    "description": "SIMULATED. The context HSC of the demonstration sky: not the Hubble Source Catalog itself.",
}
_SEARCH = {
    "name": "SearchSumCatalog",
    "description": (
        "The summary catalogue within a radius of a position, as the function of that name of the Hubble "
        "Source Catalog: all columns of SumCat. The radius is in arcseconds. The original's magtype chooses "
        "between aperture (magaper2) and total (magauto) magnitudes; which value means which is not "
        "documented, so both are accepted here and give the same magnitudes."
    ),
    "sql": (
        "SELECT * FROM hsc.SumCat WHERE 1 = CONTAINS(POINT(MatchRA, MatchDec), "
        "CIRCLE(:ra_deg, :dec_deg, :radius_arcsec / 3600.0))"
    ),
}
_SEARCH_PARAMETERS: tuple[Mapping[str, str | float], ...] = (
    {"name": "ra_deg", "unit": "deg", "description": "right ascension of the centre (ICRS)"},
    {"name": "dec_deg", "unit": "deg", "description": "declination of the centre (ICRS)"},
    {"name": "radius_arcsec", "unit": "arcsec", "description": "radius"},
    {"name": "magtype", "unit": "", "description": "1 or 2; makes no difference here", "default": 1},
)


@dataclass(frozen=True, slots=True)
class DemoSky:
    """The files of the demonstration sky.

    Attributes
    ----------
    catalog, catalog_describe
        Parquet file of the table ``hsc.SumCat``, and what describes it.
    images, images_describe
        Folder of the FITS images of the collection ``hla``, and what describes it.
    spectra, spectra_describe
        Folder of the spectra of the collection ``m87spectra``, and what describes it.
    surveys
        The tables of the surveys, in the order in which they refer to each other.
    """

    catalog: Path
    catalog_describe: Path
    images: Path
    images_describe: Path
    spectra: Path
    spectra_describe: Path
    surveys: tuple[DemoTable, ...] = ()


def write_demo_sky(folder: Path, *, seed: int = SEED, progress: Progress | None = None) -> DemoSky:
    """Simulate the demonstration sky and write it; the same seed gives the same bytes.

    Parameters
    ----------
    folder
        Where to write; made if absent. Files of an earlier run are replaced.
    seed
        Another one gives another sky.
    progress
        Called before each file with its name, how many are done, and how many there are.

    Returns
    -------
    DemoSky
        Where everything is: about 65 MB.
    """
    written = DemoSky(
        folder / "sumcat.parquet", folder / "sumcat.toml", folder / "images", folder / "hla.toml",
        folder / "spectra", folder / "m87spectra.toml",
    )  # fmt: skip
    for made in (written.images, written.spectra):
        made.mkdir(parents=True, exist_ok=True)
    report = progress or silent
    steps = len(FRAMES) + 3
    report(written.catalog.name, 0, steps)
    sky = simulate_sky(seed)
    _write_catalog(sky, written)
    written.images_describe.write_text(images_description(), encoding="utf-8")
    for i, frame in enumerate(FRAMES):
        report(_file_name(frame), i + 1, steps)
        frame_hdus(render(sky, frame)).writeto(written.images / _file_name(frame), overwrite=True)
    report(written.spectra.name, len(FRAMES) + 1, steps)
    written.spectra_describe.write_text(spectra_description(), encoding="utf-8")
    for spectrum in simulated_spectra(sky):
        spectrum_hdus(spectrum).writeto(written.spectra / f"{spectrum.name}.fits", overwrite=True)
    report("surveys", steps - 1, steps)
    surveys = tuple(write_surveys(sky, folder))
    report("", steps, steps)
    return replace(written, surveys=surveys)


def catalog_description() -> str:
    """Return the describe file of the catalogue: units, UCDs, words, and its search function."""
    schema = CATALOG_SCHEMA
    lines = list(section("table", {"title": "Summary catalogue around M87 (simulated)"}))
    lines.append(f"description = {toml(schema.description)}")
    lines += section("schema", _SCHEMA)
    lines += section("metadata", schema.metadata)
    lines += columns_of(schema)
    lines += section("[functions]", _SEARCH)
    for parameter in _SEARCH_PARAMETERS:
        lines += section("[functions.parameters]", parameter)
    return "\n".join(lines).lstrip() + "\n"


def images_description() -> str:
    """Return the describe file of the image collection."""
    about = {
        "title": "HST images of M87 (simulated)",
        "description": (
            "SIMULATED. Images like the combined images of the Hubble Legacy Archive: M87 and its globular "
            "clusters with ACS/WFC, WFC3/UVIS and WFPC2, drawn after published numbers. The data sets have "
            "the names, centres and exposure times of real ones; their pixels are not real."
        ),
    }
    references = "; ".join(dict.fromkeys(row.reference for row in PUBLISHED))
    metadata = {"simulated": "yes: every pixel", "reference": references}
    lines = [
        *section("collection", about),
        # the archive calls the sum of all filters "detection"; FILTER1 and FILTER2 say what was summed
        *section("keywords", {"spectral_elt": "FILTER"}),
        *section("metadata", metadata),
    ]
    return "\n".join(lines).lstrip() + "\n"


def spectra_description() -> str:
    """Return the describe file of the spectra."""
    about = {
        "title": "Spectra in M87 (simulated)",
        "description": (
            "SIMULATED. Optical spectra of the nucleus, the galaxy, a knot of the jet and six globular clusters, made "
            "of the magnitudes of the simulated sky and of lines at the published velocity."
        ),
    }
    references = "; ".join(
        row.reference for row in PUBLISHED if row.key in {"velocity", "cluster_dispersion"}
    )
    keywords = {
        "redshift": "REDSHIFT",
        "target_class": "OBJCLASS",
        "specid": "SPECID",
        "em_res_power": "SPEC_RP",
    }
    metadata = {"simulated": "yes: every sample", "data_source": "artificial", "reference": references}
    lines = [
        *section("collection", about),
        *section("constants", {"s_fov": 2.0 / 3600.0}),
        *section("keywords", keywords),
        *section("metadata", metadata),
    ]
    return "\n".join(lines).lstrip() + "\n"


def _write_catalog(sky: Sky, written: DemoSky) -> None:
    table = summary_catalog(sky)
    # the file is bare, as an archive's would be: what the columns mean stands in the describe file
    bare = pa.schema([pa.field(field.name, field.type) for field in table.schema])
    pq.write_table(table.cast(bare), written.catalog, compression="zstd")
    written.catalog_describe.write_text(catalog_description(), encoding="utf-8")


def _file_name(frame: Frame) -> str:
    return f"{frame.name}_drz.fits"
