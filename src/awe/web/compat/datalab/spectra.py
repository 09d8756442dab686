"""``/spec``: the older service of spectra, as ``dl.specClient`` asks it.

A *context* is a collection that holds spectra, ``default`` all of them; a spectrum is known by its ``specid``. Fluxes are in
1e-17 erg/s/cm²/Ångström and wavelengths are logarithms, as that client takes for granted; the columns ``model`` and
``sky``, which it needs for its conversions, are NaN: a file's own are not kept apart.
"""

import json
import re
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from starlette.responses import JSONResponse, PlainTextResponse, Response

from awe.core.science.spectra import (
    NoSpectrumError,
    SpectrumArrays,
    aligned,
    in_flux_density,
    spectrum_arrays,
)
from awe.core.tables import TableStream
from awe.core.tables.formats import FORMATS
from awe.errors import NotFoundError, NotOfferedError, ParameterError
from awe.services.identity import Identity
from awe.services.observations import INDEX_TABLE
from awe.web.compat.datalab._answers import format_asked, whole
from awe.web.compat.datalab._asked import flag, given, need, profile_asked
from awe.web.http import Call, TableResponse

__all__ = [
    "catalogs",
    "contexts",
    "get_spec",
    "list_span",
    "not_offered",
    "preview",
    "profiles",
    "query",
    "validate",
]

_DEFAULT = "default"
_CATALOG = "spectra"
_ID = "specid"
_MOST = 1000
_M_IN_ANGSTROM = 1e10
_TYPE = np.dtype(
    [("loglam", "f8"), ("flux", "f8"), ("ivar", "f8"), ("mask", "i8"), ("model", "f8"), ("sky", "f8")]
)
_NUMBER = re.compile(r"-?\d{1,20}")
_RANGE = re.compile(r"(\d+(?:\.\d+)?)\s*-\s*(\d+(?:\.\d+)?)")
_AS_A_FILE = FORMATS["fits"]


def contexts(call: Call) -> Response:
    """Describe a context as JSON, or list them."""
    known = _known(call, call.identity)
    if not given(call, "context"):
        return PlainTextResponse("\n".join(known))
    name = _context(call, call.identity)
    said = {
        "description": known[name],
        "type": "spectroscopic",
        "catalog": _CATALOG,
        "catalogs": [_CATALOG],
        "id_main": _ID,
        "redshift": "redshift",
        "rest_frame": "false",
    }
    return JSONResponse(said)


def validate(call: Call) -> Response:
    """Say ``OK`` if there is a context or profile of that name; the request carries nobody's token."""
    what, value = need(call, "what"), need(call, "value")
    if what not in {"context", "profile"}:
        raise ParameterError("what", what, "is neither context nor profile")
    good = value == _DEFAULT or (what == "context" and value in _known(call, call.identity))
    return PlainTextResponse("OK" if good else f"there is no {what} {value}")


def profiles(call: Call) -> Response:
    """List who answers: this archive."""
    return PlainTextResponse(
        json.dumps({"name": _DEFAULT, "description": call.platform.settings.archive.title})
    )


def catalogs(call: Call) -> Response:
    """List the catalogues of a context: its spectra, as columns of the index."""
    _context(call, call.identity)
    return PlainTextResponse(_CATALOG)


def query(call: Call) -> Response:
    """Run ``SELECT fields FROM catalog WHERE condition``; of one spectrum with ``id``."""
    _this_archive(call)
    fields, catalog = given(call, "fields") or _ID, given(call, "catalog") or _CATALOG
    condition = given(call, "cond")
    if given(call, "id"):
        (number,) = _numbers(given(call, "id"))
        condition = f"{_ID} = '{number}'"
    source = _spectra_of(_context(call, call.identity)) if catalog == _CATALOG else catalog
    joined = "" if condition.lower().startswith(("limit", "order")) or not condition else "WHERE "
    stream = call.platform.catalogs.query(
        f"SELECT {fields} FROM {source} {joined}{condition}",
        dialect="postgres",
        identity=call.identity,
        max_rows=call.platform.settings.limits.rows,
    )
    return TableResponse(whole(stream), format_asked("csv"))


def list_span(call: Call) -> Response:
    """Return the shortest and the longest wavelength of some spectra, Ångström."""
    found = _found(call)
    low, high = (
        pick(float(str(row[name])) for row in found) for pick, name in ((min, "em_min"), (max, "em_max"))
    )
    return JSONResponse({"w0": low * _M_IN_ANGSTROM, "w1": high * _M_IN_ANGSTROM})


def get_spec(call: Call) -> Response:
    """Return spectra as an array for ``numpy.load``, one or several of the same wavelengths, or one as a FITS table."""
    found = _found(call)
    names = {str(row["obs_publisher_did"]): number for number, row in enumerate(found)}
    spectra = sorted(
        call.platform.observations.spectra(names, call.identity), key=lambda one: names[one[0].publisher_did]
    )
    try:
        samples = [in_flux_density(spectrum_arrays(one), one.flux.unit) for _, one in spectra]
        if len(samples) > 1 or flag(call, "align"):
            samples = aligned(samples)
    except NoSpectrumError as error:
        raise ParameterError("align", True, str(error), hint="ask for each without align") from None
    arrays = [_array(_within(one, given(call, "cutout"))) for one in samples]
    columns = _columns(given(call, "values"))
    if given(call, "format").lower() == "fits":
        table = pa.table({name: pa.array(np.ascontiguousarray(arrays[0][name])) for name in columns})
        return Response(
            b"".join(_AS_A_FILE.write(TableStream.from_table(table))), media_type=_AS_A_FILE.media_types[0]
        )
    out = BytesIO()
    np.save(out, np.stack(arrays)[columns] if flag(call, "align") else arrays[0][columns], allow_pickle=False)
    return Response(out.getvalue(), media_type="application/octet-stream")


def preview(call: Call) -> Response:
    """Draw a spectrum; the request carries nobody's token."""
    (found,) = _rows(call, _numbers(need(call, "id")))
    picture = call.platform.observations.preview(str(found["obs_publisher_did"]), identity=call.identity)
    return Response(picture or b"", media_type="image/png")


def not_offered(call: Call) -> Response:
    """Refuse pictures of many spectra."""
    raise NotOfferedError(
        f"{call.request.url.path.rpartition('/')[2]} is not offered",
        hint="draw what getSpec(ids, align=True) returns, or what SPARCL's client retrieves",
    )


def _this_archive(call: Call) -> None:
    if profile_asked(call):
        raise NotOfferedError(
            "the spectra of other archives are not offered", hint="specClient.set_profile('default')"
        )


def _known(call: Call, identity: Identity) -> dict[str, str]:
    """Return the contexts and what they are: the collections with spectra that the caller may see."""
    text = f"SELECT DISTINCT obs_collection FROM {INDEX_TABLE} WHERE dataproduct_type = 'spectrum' ORDER BY obs_collection"
    with call.platform.catalogs.query(text, identity=identity, asked=False) as stream:
        holding = {str(name) for batch in stream for name in batch.column(0).to_pylist()}
    about = {one.name: one.about.get("title", "") for one in call.platform.observations.collections(identity)}
    return {_DEFAULT: "All spectra"} | {name: about[name] for name in sorted(holding) if name in about}


def _context(call: Call, identity: Identity) -> str:
    name = given(call, "context") or _DEFAULT
    known = _known(call, identity)
    if name not in known:
        raise NotFoundError(f"there is no context {name}", hint=f"there are {', '.join(known)}")
    return name


def _spectra_of(context: str) -> str:
    only = "" if context == _DEFAULT else f" AND obs_collection = '{context}'"
    return (
        "(SELECT specid, s_ra AS ra, s_dec AS dec, redshift, target_class, target_name, obs_collection, instrument_name, "
        f"t_min, t_exptime, snr FROM {INDEX_TABLE} WHERE dataproduct_type = 'spectrum' AND specid IS NOT NULL{only}) AS {_CATALOG}"
    )


def _numbers(said: str) -> list[str]:
    """Return the numbers of a list as Python writes it, or of a single one."""
    found = [one.strip().strip("'\"") for one in said.strip().strip("[]").split(",")]
    for one in found:
        if not _NUMBER.fullmatch(one):
            raise ParameterError("id_list", one, "is no specid", hint="a whole number, or a list of them")
    if len(found) > _MOST:
        raise ParameterError("id_list", len(found), f"are too many spectra at once: {_MOST} at the most")
    return found


def _found(call: Call) -> list[Mapping[str, Any]]:
    _this_archive(call)
    return _rows(call, _numbers(need(call, "id_list")))


def _rows(call: Call, numbers: Sequence[str]) -> list[Mapping[str, Any]]:
    """Return what the index says of spectra, in the order of their numbers; `NotFoundError` if one is not there."""
    context = _context(call, call.identity)
    only = "" if context == _DEFAULT else f" AND obs_collection = '{context}'"
    listed = ", ".join(f"'{one}'" for one in numbers)
    text = (
        f"SELECT specid, obs_publisher_did, em_min, em_max FROM {INDEX_TABLE} WHERE dataproduct_type = 'spectrum' "
        f"AND specid IN ({listed}){only} ORDER BY obs_publisher_did DESC"
    )
    with call.platform.catalogs.query(
        text, identity=call.identity, max_rows=call.platform.settings.limits.rows, asked=False
    ) as stream:
        found = {str(row["specid"]): row for batch in stream for row in batch.to_pylist()}
    for one in numbers:
        if one not in found:
            raise NotFoundError(f"there is no spectrum {one} in the context {context}")
    return [found[one] for one in numbers]


def _array(samples: SpectrumArrays) -> NDArray[np.void]:
    made = np.zeros(len(samples.wavelength), _TYPE)
    made["loglam"] = np.log10(samples.wavelength)
    for name in ("flux", "ivar", "mask"):
        made[name] = getattr(samples, name)
    made["model"] = made["sky"] = np.nan
    return made


def _within(samples: SpectrumArrays, said: str) -> SpectrumArrays:
    """Return the samples between two wavelengths, ``3800-4200`` (Ångström); all where nothing is said."""
    if not said:
        return samples
    limits = _RANGE.fullmatch(said)
    if limits is None:
        raise ParameterError("cutout", said, "is no range of wavelengths", hint="'3800-4200' (Ångström)")
    kept = (samples.wavelength >= float(limits[1])) & (samples.wavelength <= float(limits[2]))
    return SpectrumArrays(
        samples.wavelength[kept], samples.flux[kept], samples.ivar[kept], samples.mask[kept]
    )


def _columns(said: str) -> list[str]:
    if said.lower() in {"", "all"}:
        return list(_TYPE.names or ())
    wanted = [one.strip().strip("'\"") for one in said.strip("[]()").split(",") if one.strip()]
    for one in wanted:
        if one not in (_TYPE.names or ()):
            raise ParameterError(
                "values", one, "is no column", hint=f"there are {', '.join(_TYPE.names or ())}"
            )
    return wanted
