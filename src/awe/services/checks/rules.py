"""The rules: each looks at an archive and yields findings. `RULES` is the list of all of them, in this order."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import pyarrow as pa

from awe.core.sql.dialects.adql import RESERVED_WORDS
from awe.core.tables import Column, ucd_fault, unit_fault
from awe.services.catalogs import TableRecord
from awe.services.checks.model import Archive, Finding, Severity

__all__ = ["RULES", "Rule", "findings"]

Rule = Callable[[Archive], Iterator[Finding]]

_AUTHORITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.!~*'()+=-]{2,}")
_EMAIL = re.compile(r"\S+@(\S+\.)+\S+")
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_MAIN = ("pos.eq.ra;meta.main", "pos.eq.dec;meta.main")
_DESCRIBE = "publish it again with a describe file"
_NEVER_NULL = ("obs_id", "obs_collection", "obs_publisher_did", "calib_level")
"""Columns that ObsCore 1.1 section 3.1 wants in every row."""
_INDEX = "ivoa.obscore"

_error = partial(Finding, Severity.ERROR)
_warning = partial(Finding, Severity.WARNING)
_advice = partial(Finding, Severity.ADVICE)


def findings(archive: Archive) -> list[Finding]:
    """Return what all rules find, the worst first."""
    order = list(Severity)
    found = [finding for rule in RULES for finding in rule(archive)]
    return sorted(found, key=lambda finding: order.index(finding.severity))


# Who publishes


def publisher(archive: Archive) -> Iterator[Finding]:
    """Look at the settings that go into every record."""
    said, where = archive.settings, "settings, [archive] "
    if not _AUTHORITY.fullmatch(said.authority):
        hint = "letters, digits and . - _, such as the name of your host"
        yield _error("authority", f"{where}authority", f"{said.authority!r} is not an authority", hint)
    elif said.authority.startswith("example."):
        hint = "set it to a name of yours once and for ever: identifiers begin with it"
        yield _warning("authority", f"{where}authority", f"{said.authority} is an example", hint)
    if not said.contact:
        yield _warning(
            "contact", f"{where}contact", "nobody can be asked", "set an address of electronic mail"
        )
    elif not _EMAIL.fullmatch(said.contact):
        yield _error("contact", f"{where}contact", f"{said.contact!r} is no electronic mail", "as in a@b.org")
    if not said.organisation:
        yield _warning("organisation", f"{where}organisation", "nobody knows who publishes", "set its name")
    if said.title == "awe":
        yield _warning("title", f"{where}title", "the archive has no name of its own", "set it")
    if not said.rights:
        yield _advice(
            "rights", f"{where}rights", "nobody knows what may be done with the data", "name a licence"
        )
    if not archive.base_url:
        hint = "set the address that others reach; registries keep what they are told"
        yield _warning("base_url", "settings, base_url", "the public address is not known", hint)


# Tables


def described(archive: Archive) -> Iterator[Finding]:
    """Look for tables and columns that nothing is said of."""
    for table in archive.tables:
        if not table.description:
            yield _warning("description", table.full_name, "it has no description", _DESCRIBE)
        if not table.title and table.full_name != _INDEX:
            yield _advice("title", table.full_name, "it has no title", f'{_DESCRIBE}: [table] title = "..."')
        silent = [column.name for column in table.columns if not column.description]
        if silent:
            message = f"{len(silent)} of {len(table.columns)} columns have no description: {_some(silent)}"
            yield _warning(
                "column-description", table.full_name, message, f"{_DESCRIBE}: [columns.{silent[0]}]"
            )


def units(archive: Archive) -> Iterator[Finding]:
    """Look for units that other programs cannot read."""
    for table, column in _columns(archive):
        fault = unit_fault(column.unit)
        if fault is not None:
            hint = f"perhaps {fault.meant}" if fault.meant else "see the standard VOUnits 1.1"
            yield _error("unit", _place(table, column), f"{column.unit!r}: {fault.reason}", hint)


def ucds(archive: Archive) -> Iterator[Finding]:
    """Look for UCDs that are not in the list, and numbers without one."""
    for table, column in _columns(archive):
        fault = ucd_fault(column.ucd)
        if fault is not None:
            hint = "the list is at https://www.ivoa.net/documents/UCD1+"
            yield _error("ucd", _place(table, column), f"{column.ucd!r}: {fault.reason}", hint)
    for table in archive.tables:
        bare = [c.name for c in table.columns if not c.ucd and pa.types.is_floating(c.type)]
        if bare:
            message = f"columns of numbers without a UCD: {_some(bare)}"
            yield _advice("no-ucd", table.full_name, message, f'{_DESCRIBE}: [columns.{bare[0]}] ucd = "..."')


def positions(archive: Archive) -> Iterator[Finding]:
    """Look for positions that are not marked as such, or twice."""
    for table in archive.tables:
        count = Counter(column.ucd.lower() for column in table.columns)
        for ucd in _MAIN:
            if count[ucd] > 1:
                message = f"{count[ucd]} columns have the UCD {ucd}"
                yield _error("main-position", table.full_name, message, "meta.main marks one of them")
        if table.full_name == _INDEX:
            continue  # ObsCore gives its positions another UCD
        if table.ra and table.dec and not all(count[ucd] for ucd in _MAIN):
            message = f"its positions {table.ra}, {table.dec} have not the UCDs {' and '.join(_MAIN)}"
            yield _warning("position-ucd", table.full_name, message, _DESCRIBE)
        if not table.ra and any(ucd.startswith("pos.eq.ra") for ucd in count):
            message = "it has positions, but no cone search"
            yield _advice("no-position", table.full_name, message, "name the columns with --ra and --dec")


def identifiers(archive: Archive) -> Iterator[Finding]:
    """Look for tables whose rows have no name."""
    for table in archive.tables:
        if table.id_column is None and table.full_name != _INDEX:
            message = "no column identifies a row"
            yield _warning("id-column", table.full_name, message, f"{_DESCRIBE}: [table] id_column")
        if not any(column.principal for column in table.columns):
            message = "no column is a principal one: clients show all of them"
            yield _advice(
                "principal", table.full_name, message, f"{_DESCRIBE}: [columns.NAME] principal = true"
            )


def names(archive: Archive) -> Iterator[Finding]:
    """Look for columns whose name has to be quoted in every query."""
    for table in archive.tables:
        if table.full_name == _INDEX:
            continue  # awe gave it its columns
        hard = [
            column.name
            for column in table.columns
            if not _PLAIN.fullmatch(column.name) or column.name.upper() in RESERVED_WORDS
        ]
        if hard:
            message = f"columns whose names have to be quoted in a query: {_some(hard)}"
            hint = "rename them in the file: letters, digits and underscores, and no word of ADQL"
            yield _advice("name", table.full_name, message, hint)


def keys(archive: Archive) -> Iterator[Finding]:
    """Look for foreign keys that lead nowhere."""
    known = {table.full_name: table for table in archive.tables}
    for table in archive.tables:
        for key in table.keys:
            target = known.get(key.target)
            hint = f"publish {key.target} again, or {table.full_name} without the key"
            if target is None:
                message = f"it refers to {key.target}, which is not there"
                yield _error("foreign-key", table.full_name, message, hint)
                continue
            for own, its in key.columns:
                if its not in target.columns.names or own not in table.columns.names:
                    message = f"its {own} refers to {key.target}.{its}, which is not there"
                    yield _error("foreign-key", table.full_name, message, hint)


def rows(archive: Archive) -> Iterator[Finding]:
    """Look for tables that cannot be read."""
    for name in archive.lost:
        yield _error("lost", name, "its files are gone from the data folder", "publish it again")
    for name, message in archive.failing.items():
        if name not in archive.lost:
            yield _error("example", name, f"its example query fails: {message}", "publish it again")


# Collections


def collections(archive: Archive) -> Iterator[Finding]:
    """Look for collections that nothing is said of, or whose files have gone or changed."""
    for one in archive.collections:
        where = f"collection {one.name}"
        for word in ("title", "description"):
            if not one.about.get(word):
                yield _warning(word, where, f"it has no {word}", _DESCRIBE)
        again = f"publish it again: awe publish images {one.name} FOLDER"
        if one.gone:
            yield _error("file-gone", where, f"files that are gone: {_some(one.gone)}", again)
        if one.changed:
            message = f"files that have changed since: {_some(one.changed)}"
            yield _warning("file-changed", where, message, again)
        if one.covers_nothing:
            yield _warning("coverage", where, "it covers no part of the sky", "are positions in the headers?")


def obscore(archive: Archive) -> Iterator[Finding]:
    """Look for what is not known of datasets."""
    hint = "say it in the describe file of the collection ([values])"
    for column, count in archive.nulls.items():
        if count:
            message = f"it is null in {count} dataset{'' if count == 1 else 's'}"
            make = _error if column in _NEVER_NULL else _advice
            yield make("obscore-null", f"{_INDEX}, column {column}", message, hint)


RULES: tuple[Rule, ...] = (
    publisher,
    described,
    units,
    ucds,
    positions,
    identifiers,
    names,
    keys,
    rows,
    collections,
    obscore,
)
"""All rules."""


def _columns(archive: Archive) -> Iterable[tuple[TableRecord, Column]]:
    return ((table, column) for table in archive.tables for column in table.columns)


def _place(table: TableRecord, column: Column) -> str:
    return f"{table.full_name}, column {column.name}"


def _some(words: Sequence[str]) -> str:
    """Return the first few words, and say how many there are besides."""
    more = f" and {len(words) - 5} more" if len(words) > 5 else ""
    return f"{', '.join(words[:5])}{more}"
