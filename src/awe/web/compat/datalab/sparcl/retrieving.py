"""Spectra themselves: ``spectras``, as a pickle or JSON."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from starlette.responses import Response

from awe.core.science.spectra import astropy_unit, spectrum_arrays
from awe.errors import ParameterError
from awe.services.identity import ANONYMOUS
from awe.web.compat.datalab._asked import flag, given
from awe.web.compat.datalab.sparcl._answer import Listed, header
from awe.web.compat.datalab.sparcl._asked import (
    datasets,
    field_named,
    identifiers,
    names_given,
    of_datasets,
    some_of,
)
from awe.web.compat.datalab.sparcl._fields import ARRAYS, FIELDS, Field
from awe.web.compat.datalab.sparcl.finding import record, units_of
from awe.web.http import Call

__all__ = ["retrieve"]

_ALWAYS = ("sparcl_id", "specid")
_FLUX_UNIT = Field("", "o_unit")
_FORMATS = ("pkl", "json")


def retrieve(call: Call) -> Response:
    """Return spectra by their ``sparcl_id``, with the fields and arrays that ``include`` names."""
    wanted = list(dict.fromkeys(str(one) for one in identifiers(call)))
    names = names_given(call, "include") or [name for name, default in ARRAYS.items() if default]
    arrays = [name for name in ARRAYS if name in names]
    fields = [field_named(name) for name in dict.fromkeys((*_ALWAYS, *names)) if name not in ARRAYS]
    form = given(call, "format").lower() or _FORMATS[0]
    if form not in _FORMATS:
        raise ParameterError("format", form, "is no format", hint=f"there are {' and '.join(_FORMATS)}")
    among, units = of_datasets(call, datasets(call)), flag(call, "units", unset=True)
    return Listed(lambda: _retrieved(call, wanted, fields, arrays, among, units=units), form)


def _retrieved(
    call: Call,
    wanted: Sequence[str],
    fields: Sequence[Field],
    arrays: Sequence[str],
    among: Sequence[str],
    *,
    units: bool,
) -> Iterator[Mapping[str, object]]:
    by = FIELDS["sparcl_id"]
    found = {str(row[0]): row for row in some_of(call, (*fields, _FLUX_UNIT), by, wanted, among)}
    there = [one for one in wanted if one in found]
    count = Counter(str(found[one][-1]) for one in there)
    said = units_of(list(count), fields, units=units)
    for name in count:
        flux = {str(row[-2] or "") for row in found.values() if row[-1] == name}
        said[name] |= {array: _unit(array, flux) if units else None for array in arrays}
    yield header(count, said, _warnings(len(wanted) - len(there), len(wanted)))
    if not arrays:
        yield from (record(fields, found[one]) for one in there)
        return
    for dataset, spectrum in call.platform.observations.spectra(there, ANONYMOUS):
        samples = spectrum_arrays(spectrum)
        yield record(fields, found[dataset.publisher_did]) | {name: getattr(samples, name) for name in arrays}


def _unit(array: str, flux: set[str]) -> str | None:
    """Return the unit of an array; of fluxes where all spectra of the data set have the same."""
    if array == "wavelength":
        return "Angstrom"
    unit = astropy_unit(next(iter(flux))) if len(flux) == 1 else None
    if array == "flux" or unit is None:
        return unit if array == "flux" else None
    return f"1 / ({unit})2" if array == "ivar" else None


def _warnings(number: int, of: int) -> tuple[str, ...]:
    """Return what the client takes apart: three numbers between blanks, and no other."""
    if not number:
        return ()
    return (
        f"There are {number} out of the {of} identifiers without a spectrum here; missing() names the {number} of them",
    )
