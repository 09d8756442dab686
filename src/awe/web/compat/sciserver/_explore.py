"""What SkyServer's Explore page tells of one object: a list of small tables, as JSON."""

import json
from collections.abc import Iterator, Mapping

from awe.core.vo.params import Values
from awe.errors import NotFoundError, ParameterError
from awe.services.catalogs import TableRecord, as_written
from awe.web.compat.sciserver import _params as p
from awe.web.compat.sciserver._release import APOGEE, PHOTO, SPECTRA, Release, place_of
from awe.web.compat.sciserver._tables import SkyServerJson
from awe.web.http import Call

__all__ = ["explored"]

Row = dict[str, object]

_NEAR_ARCMIN = 0.5
"""An object that is searched by its position is not further away."""
_META = ("run", "rerun", "camcol", "field", "fieldid", "obj", "objid", "type", "ra", "dec", "specobjid")


def explored(call: Call, release: Release, values: Values) -> list[Row]:
    """Return ``MetaData``, ``ImagingData`` with its units, ``SpectralData`` and ``ApogeeData`` of an object.

    Raises
    ------
    ParameterError
        If nothing says which object is meant.
    NotFoundError
        If there is no such object.
    """
    if values.get(p.APID) is not None:
        return [_table("ApogeeData", [_apogee(call, release, values.need(p.APID))])]
    spectrum = _spectrum(call, release, values)
    photo = _photo(call, release, values, spectrum)
    if spectrum is None and photo is not None:
        spectrum = _spectrum_of(call, release, photo)
    if photo is None and spectrum is None:
        raise NotFoundError(f"{release.name} has no such object")
    return list(_tables(release, photo, spectrum))


def _tables(release: Release, photo: Row | None, spectrum: Row | None) -> Iterator[Row]:
    told = {**_folded(spectrum or {}), **_folded(photo or {})}
    yield _table("MetaData", [{name: told[name] for name in _META if name in told}])
    if photo is not None:
        record = release.table(PHOTO)
        yield _table("ImagingData", [{**photo, "id": _folded(photo).get("objid")}])
        units: Row = {column.name: column.unit for column in record.columns if column.unit}
        yield _table("ImagingDataUnits", [units])
    if spectrum is not None:
        yield _table("SpectralData", [spectrum])


def _photo(call: Call, release: Release, values: Values, spectrum: Row | None) -> Row | None:
    """Return the photometric object that is meant; None where only a spectrum is."""
    terms = {name: values.get(param) for name, param in _PHOTO_KEYS.items()}
    given = {name: value for name, value in terms.items() if value is not None}
    record = release.table(PHOTO)
    if given and spectrum is None:
        return _row(call, record, _all(record, given), "")
    if spectrum is not None:
        best = _folded(spectrum).get("bestobjid")
        return _row(call, record, _all(record, {"objid": best}), "") if best else None
    ra, dec = values.get(p.RA), values.get(p.DEC)
    if ra is None or dec is None:
        hint = "objid, specobjid, ra and dec, plate, mjd and fiber, or run, camcol, field and obj"
        raise ParameterError("objid", "", "nothing says which object is meant", hint=hint)
    point = f"POINT({as_written(record.ra or 'ra')}, {as_written(record.dec or 'dec')})"
    centre = f"{float(ra) % 360.0!r}, {float(dec)!r}"
    near = f"1 = CONTAINS({point}, CIRCLE({centre}, {_NEAR_ARCMIN / 60.0!r}))"
    return _row(call, record, near, f"DISTANCE({point}, POINT({centre}))")


def _spectrum(call: Call, release: Release, values: Values) -> Row | None:
    terms = {name: values.get(param) for name, param in _SPECTRUM_KEYS.items()}
    given = {name: value for name, value in terms.items() if value is not None}
    if not given:
        return None
    record = release.table(SPECTRA)
    found = _row(call, record, _all(record, given), "")
    if found is None:
        raise NotFoundError(f"{release.name} has no such spectrum")
    return found


def _spectrum_of(call: Call, release: Release, photo: Row) -> Row | None:
    record, objid = release.find(SPECTRA), _folded(photo).get("objid")
    if record is None or objid is None or "bestobjid" not in map(str.casefold, record.columns.names):
        return None
    return _row(call, record, _all(record, {"bestobjid": objid}), "")


def _apogee(call: Call, release: Release, name: str) -> Row:
    record = release.table(APOGEE)
    known = {column.casefold(): column for column in record.columns.names}
    keys = [known[key] for key in ("apstar_id", "apogee_id") if key in known]
    text = "'" + name.replace("'", "''") + "'"
    found = _row(call, record, " OR ".join(f"{as_written(key)} = {text}" for key in keys), "")
    if found is None:
        raise NotFoundError(f"{release.name} has no star {name}")
    return found


def _all(record: TableRecord, given: Mapping[str, object]) -> str:
    known = {column.casefold(): column for column in record.columns.names}
    for name in given:
        if name not in known:
            raise ParameterError(name, given[name], f"{record.full_name} has no such column")
    return " AND ".join(f"{as_written(known[name])} = {value}" for name, value in given.items())


def _row(call: Call, record: TableRecord, where: str, order: str) -> Row | None:
    text = f"SELECT * FROM {place_of(record)} WHERE {where}{f' ORDER BY {order}' if order else ''}"
    stream = call.platform.catalogs.query(text, identity=call.identity, max_rows=1)
    rows: list[Row] = json.loads(b"".join(SkyServerJson().write(stream)))[0]["Rows"]
    return rows[0] if rows else None


def _folded(row: Row) -> Row:
    return {name.casefold(): value for name, value in row.items()}


def _table(name: str, rows: list[Row]) -> Row:
    return {"TableName": name, "Rows": rows}


_PHOTO_KEYS = {"objid": p.OBJID} | {
    param.name: param for param in p.IDENTIFIERS if param.name not in {"plate", "mjd"}
}
_SPECTRUM_KEYS = {"specobjid": p.SPECOBJID, "fiberid": p.FIBER} | {
    param.name: param for param in p.IDENTIFIERS if param.name in {"plate", "mjd"}
}
