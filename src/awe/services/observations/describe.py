"""The describe file of a collection: what its publisher says beyond the headers, in TOML.

::

    [collection]
    title = "HST images of M87"
    description = "Drizzled ACS/WFC images"
    readers = ["group:m87"]          # user:NAME, group:NAME, role:NAME; everybody when left out

    [constants]                      # a column of the index and its value in every row
    facility_name = "HST"

    [keywords]                       # a column of the index and the keyword that holds it
    target_name = "OBJNAME"

    [spectrum]                       # how to read spectra that do not say it themselves
    spectral_unit = "Angstrom"
    medium = "air"

    [files."vega_*.fits"]            # columns of single files, by name
    s_ra = 279.2347
    s_dec = 38.7837

    [metadata]                       # further statements about the collection
    simulated = "..."
"""

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from awe.core.science.observation import Observation, Rules
from awe.core.science.spectra import Reading, is_unit
from awe.core.suggestions import did_you_mean
from awe.errors import InputFileError

__all__ = ["Description", "read_description"]

_COMPUTED = {
    "hdus", "part", "s_region", "s_xel1", "s_xel2", "t_xel", "em_xel", "pol_xel", "dataproduct_type",
}  # fmt: skip
COLUMNS = tuple(f.name for f in fields(Observation) if f.name not in _COMPUTED)
"""The columns that a publisher may fill."""

_SECTIONS: Mapping[str, tuple[str, ...] | None] = {
    "collection": ("title", "description", "readers"),
    "constants": COLUMNS,
    "keywords": COLUMNS,
    "spectrum": tuple(f.name for f in fields(Reading)),
    "files": None,
    "metadata": None,
}


@dataclass(frozen=True, slots=True)
class Description:
    """A describe file's content; `digest` changes whenever the file does."""

    rules: Rules = field(default_factory=Rules)
    reading: Reading = field(default_factory=Reading)
    about: Mapping[str, str] = field(default_factory=dict)
    digest: str = ""
    readers: tuple[str, ...] | None = None
    file: Path | None = None


def read_description(path: Path | None) -> Description:
    """Read a describe file; an empty description when there is none.

    Raises
    ------
    InputFileError
        If it cannot be read, or says something that is not known.
    """
    if path is None:
        return Description()
    try:
        raw = path.read_bytes()
        said = tomllib.loads(raw.decode())
    except OSError as error:
        raise InputFileError(path.name, f"it cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputFileError(path.name, f"it is not TOML: {error}") from None
    _check_names(path, said, _SECTIONS, "section")
    for section, values in said.items():
        if not isinstance(values, dict):
            raise InputFileError(path.name, f"{section} is not a section", hint=f"write [{section}]")
        known = _SECTIONS[section]
        if known is not None:
            _check_names(path, values, known, f"entry of [{section}]")
        if section == "files":
            _check_files(path, values)
            continue
        for key, value in values.items():
            if (section, key) == ("collection", "readers"):
                if not (isinstance(value, list) and all(isinstance(name, str) for name in value)):
                    where = "[collection] readers"
                    raise InputFileError(path.name, "a list of names is expected", where=where)
            elif isinstance(value, dict | list):
                raise InputFileError(path.name, "it is not a single value", where=f"[{section}] {key}")
    keywords = {column: str(keyword).upper() for column, keyword in said.get("keywords", {}).items()}
    about = said.get("collection", {}) | said.get("metadata", {})
    readers = about.pop("readers", None)
    return Description(
        Rules(said.get("constants", {}), keywords, said.get("files", {})),
        _reading(path, said.get("spectrum", {})),
        {key: str(value) for key, value in about.items()},
        hashlib.sha256(raw).hexdigest()[:16],
        None if readers is None else tuple(readers),
        path,
    )


def _check_files(path: Path, said: Mapping[str, object]) -> None:
    for pattern, values in said.items():
        if not isinstance(values, dict):
            hint = '[files."name.fits"] begins what is said of one file'
            raise InputFileError(path.name, "it is not a section", where=f"[files] {pattern}", hint=hint)
        _check_names(path, values, COLUMNS, f'entry of [files."{pattern}"]')
        for key, value in values.items():
            if isinstance(value, dict | list):
                raise InputFileError(
                    path.name, "it is not a single value", where=f'[files."{pattern}"] {key}'
                )


def _reading(path: Path, said: Mapping[str, object]) -> Reading:
    reading = Reading(**{key: str(value) for key, value in said.items()})
    if reading.medium not in {None, "vacuum", "air"}:
        raise InputFileError(path.name, "a medium is vacuum or air", where="[spectrum] medium")
    for key in ("spectral_unit", "flux_unit"):
        unit = getattr(reading, key)
        if unit is not None and not is_unit(unit):
            hint = "Angstrom, nm, um, Hz; erg/s/cm2/Angstrom, Jy"
            raise InputFileError(path.name, f"{unit!r} is not a unit", where=f"[spectrum] {key}", hint=hint)
    return reading


def _check_names(path: Path, given: Iterable[str], known: Iterable[str], what: str) -> None:
    known = tuple(known)
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known, most=1) or f"known: {', '.join(known)}"
            raise InputFileError(path.name, f"{name!r} is no {what}", hint=hint)
