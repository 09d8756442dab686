"""``/tap/TableTool``: what the columns of one's own tables are for, and other names for tables and columns."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from starlette.responses import PlainTextResponse, Response

from awe.core.vo import tapplus
from awe.core.vo.tapplus import TableEdit
from awe.errors import ParameterError
from awe.services.catalogs import ColumnChange, TableRecord
from awe.services.identity import WRITE
from awe.web.http import Call

__all__ = ["table_tool"]


def table_tool(call: Call) -> Response:
    """Say what columns are for (ACTION=edit, radec), rename a table and its columns (ACTION=rename)."""
    action = tapplus.TOOL.parse(call.pairs).need(tapplus.TOOL_ACTION)
    _ACTIONS[action](replace(call, identity=call.identity.finding))
    return PlainTextResponse("done\n")


def _edit(call: Call) -> None:
    for edit in tapplus.table_edits(call.pairs):
        record = call.platform.tables.table(edit.table, call.identity, action=WRITE)
        _index(call, edit, record)
        changes = {
            column.name: ColumnChange(ucd=column.ucd, utype=column.utype, indexed=column.indexed)
            for column in edit.columns
        }
        call.platform.tables.describe(edit.table, call.identity, columns=changes)


def _index(call: Call, edit: TableEdit, record: TableRecord) -> None:
    """Make the index that the columns of the position ask for, if it is not there."""
    ra, dec = (edit.column_for(role) for role in ("Ra", "Dec"))
    if (ra is None) != (dec is None):
        raise ParameterError("FLAGS", "Ra" if ra else "Dec", "stands alone", hint="give Ra and Dec")
    if (ra, dec) != (record.ra, record.dec):
        call.platform.tables.index(edit.table, call.identity, ra, dec)


def _radec(call: Call) -> None:
    values = tapplus.TOOL.parse(call.pairs)
    table = values.need(tapplus.TABLE_NAME)
    call.platform.tables.index(table, call.identity, values.need(tapplus.RA), values.need(tapplus.DEC))


def _rename(call: Call) -> None:
    values = tapplus.TOOL.parse(call.pairs)
    table, new = values.need(tapplus.TABLE_NAME), values.get(tapplus.NEW_NAME)
    columns = values.get(tapplus.NEW_COLUMNS)
    tables = call.platform.tables
    if columns:
        tables.rename_columns(table, call.identity, dict(columns))
    if new and new.rpartition(".")[2].casefold() != table.rpartition(".")[2].casefold():
        tables.rename(table, new, call.identity)


_ACTIONS: Mapping[str, Callable[[Call], None]] = {"edit": _edit, "radec": _radec, "rename": _rename}
