"""The surveys of the demonstration sky, as files: what SDSS and GALEX would have delivered of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from awe.core.science.simulation import Sky
from awe.core.science.simulation.galex import GALEX_SCHEMAS, simulate_galex
from awe.core.science.simulation.sdss import SDSS_SCHEMAS, simulate_sdss
from awe.core.tables import Schema
from awe.demo._toml import columns_of, section

__all__ = ["SURVEYS", "DemoTable", "write_surveys"]

_SDSS = {
    "title": "Sloan Digital Sky Survey (demonstration)",
    "description": "SIMULATED. A small survey of the demonstration sky with SDSS's tables, names and functions: not SDSS's own data.",
}

_GALEX = {
    "title": "Galaxy Evolution Explorer (demonstration)",
    "description": "SIMULATED. Ultraviolet images of the demonstration sky as a catalogue, with GALEX's names: not GALEX's own data.",
}
SURVEYS = (*(f"sdss.{name}" for name in SDSS_SCHEMAS), *(f"galex.{name}" for name in GALEX_SCHEMAS))
"""The tables of the surveys, by their full names."""


@dataclass(frozen=True, slots=True)
class DemoTable:
    """One table: its name, its Parquet file, and what describes it."""

    name: str
    file: Path
    describe: Path


def write_surveys(sky: Sky, folder: Path) -> Iterator[DemoTable]:
    """Write the tables of the surveys, in the order in which they refer to each other."""
    for name, table in simulate_sdss(sky).items():
        yield _written(f"sdss.{name}", table, _description(SDSS_SCHEMAS[name], _SDSS, "sdss"), folder)
    for name, table in simulate_galex(sky).items():
        yield _written(f"galex.{name}", table, _description(GALEX_SCHEMAS[name], _GALEX, "galex"), folder)


def _description(schema: Schema, about: Mapping[str, str], folder: str) -> str:
    """Return the describe file of a table: its columns, and the views and functions that users know."""
    simulated = " (simulated)" if "simulated" in schema.metadata else ""
    lines = list(section("table", {"title": schema.name + simulated, "description": schema.description}))
    lines += section("schema", about)
    lines += section("metadata", schema.metadata)
    lines += columns_of(schema)
    by_hand = files("awe.demo") / folder / f"{schema.name}.toml"
    return "\n".join(lines).lstrip() + "\n\n" + by_hand.read_text(encoding="utf-8")


def _written(name: str, table: pa.Table, description: str, folder: Path) -> DemoTable:
    made = DemoTable(name, folder / f"{name}.parquet", folder / f"{name}.toml")
    pq.write_table(table, made.file, compression="zstd")
    made.describe.write_text(description, encoding="utf-8")
    return made
