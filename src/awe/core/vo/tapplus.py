"""TAP+, ESA's extension of TAP, as astroquery's ``TapPlus`` speaks it: roles of columns, lists of groups and of what is shared.

Nobody publishes a standard of it: what stands here is what the client of astroquery 0.4.11 sends and reads.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from awe.core.tables import Column
from awe.core.vo import uws
from awe.core.vo._crossmatch import CrossMatch, MatchedTable, crossmatch_of
from awe.core.vo._tapplus_edits import MAIN_ID, ROLES, ColumnEdit, TableEdit, said, table_edits
from awe.core.vo._xml import Element, document, node
from awe.core.vo.params import Param, Params, choice, integer, text

__all__ = [
    "ACTION",
    "DEC",
    "DELETE",
    "DESCRIPTION",
    "END_FROM",
    "END_TO",
    "FORCE_REMOVAL",
    "FORMAT",
    "GROUP_ID",
    "ITEMS",
    "JOBID",
    "JOBNAME",
    "JOBS",
    "JOB_IDS",
    "LIMIT",
    "MAIN_ID",
    "NAME",
    "NEW_COLUMNS",
    "NEW_NAME",
    "OFFSET",
    "ORDER",
    "ORDERS",
    "PHASEID",
    "QUERY",
    "RA",
    "REMOVAL",
    "RESOURCE_ID",
    "ROLES",
    "SHARE",
    "START_FROM",
    "START_TO",
    "TABLE_DESC",
    "TABLE_NAME",
    "TITLE",
    "TOOL",
    "TOOL_ACTION",
    "UPLOAD",
    "URL",
    "USER",
    "USERS",
    "USERS_LIST",
    "ColumnEdit",
    "CrossMatch",
    "MatchedTable",
    "SharedGroup",
    "SharedItem",
    "TableEdit",
    "as_named",
    "column_role",
    "crossmatch_of",
    "groups_document",
    "items_document",
    "table_edits",
]

ORDERS = ("jobid", "name", "phaseid", "creation_time", "start_time", "end_time")
"""What a list of jobs can be sorted by."""


def _words(given: str) -> tuple[str, ...]:
    return tuple(filter(None, (word.strip() for word in given.split(","))))


def _moment(name: str, about: str) -> Param[datetime]:
    return Param(name, uws.moment_of, about, xtype="timestamp", example="2026-01-31T10:00:00Z")


def _order(given: str) -> tuple[str, bool]:
    word, _, way = given.lower().partition(" ")
    return choice(*ORDERS)(word), choice("asc", "desc")(way.strip() or "asc") == "desc"


USER: Param[str] = Param("USER", text, "Name of an account", required=True, example="ada")
USERS = Params(USER)
"""Of ``/tap/users``."""

NAME: Param[str] = Param("name", text, "Only jobs of this name", example="m87-1")
JOBNAME: Param[str] = Param("jobname", text, "The same", example="m87-1")
JOBID: Param[str] = Param("jobid", text, "Only this job")
PHASEID: Param[str] = Param(
    "phaseid", choice(*uws.PHASES), "Only jobs in this phase", repeated=True, example="COMPLETED"
)
QUERY: Param[str] = Param(
    "query", text, "Only jobs whose query has these characters, in any case", example="sources"
)
START_FROM = _moment("start_time_init", "Only jobs that began then or later")
START_TO = _moment("start_time_limit", "Only jobs that began before")
END_FROM = _moment("end_time_init", "Only jobs that ended then or later")
END_TO = _moment("end_time_limit", "Only jobs that ended before")
OFFSET: Param[int] = Param("offset", integer(0), "So many are left out at the beginning", "int", example="10")
LIMIT: Param[int] = Param("limit", integer(1), "So many at the most", "int", example="10")
ORDER: Param[tuple[str, bool]] = Param(
    "order", _order, f"By {', '.join(ORDERS)}; with desc the last one first", example="creation_time desc"
)
JOBS = Params(
    NAME, JOBNAME, JOBID, PHASEID, QUERY, START_FROM, START_TO, END_FROM, END_TO, OFFSET, LIMIT, ORDER
)
"""Of ``/tap/jobs/async``."""

JOB_IDS: Param[tuple[str, ...]] = Param("JOB_IDS", _words, "Jobs, separated by commas", required=True)
REMOVAL = Params(JOB_IDS)
"""Of ``/tap/deletejobs``."""

_ACTIONS = (
    "GetGroups", "GetSharedItems", "CreateOrUpdateGroup", "RemoveGroup", "CreateOrUpdateItem", "RemoveItem",
)  # fmt: skip


def _item_words(given: str) -> tuple[tuple[str, str, str], ...]:
    found = []
    for word in _words(given):
        to, _, rest = word.partition("|")
        kind, _, mode = rest.partition("|")
        found.append((to, choice("Group", "User")(kind), choice("Read", "Write")(mode or "Read")))
    return tuple(found)


ACTION: Param[str] = Param(
    "action", choice(*_ACTIONS), "What to do", values=_ACTIONS, required=True, example="GetGroups"
)
GROUP_ID: Param[str] = Param("group_id", text, "Name of a group", example="team")
TITLE: Param[str] = Param("title", text, "Name of the group, or of the table", example="team")
DESCRIPTION: Param[str] = Param("description", text, "The title of the group")
USERS_LIST: Param[tuple[str, ...]] = Param(
    "users_list", _words, "Who belongs to the group", example="ada,bob"
)
ITEMS: Param[tuple[tuple[str, str, str], ...]] = Param(
    "items_list", _item_words, "With whom the table is shared: name, Group or User, Read or Write, between bars",
    example="team|Group|Read",
)  # fmt: skip
RESOURCE_ID: Param[str] = Param("resource_id", text, "Of an item, as the list of items has it")
SHARE = Params(ACTION, GROUP_ID, TITLE, DESCRIPTION, USERS_LIST, ITEMS, RESOURCE_ID)
"""Of ``/tap/share``."""

_BY_UCD = (("phot.flux", "Flux"), ("phot.mag", "Mag"))


_TRUTH = ("TRUE", "FALSE")
TABLE_NAME: Param[str] = Param("TABLE_NAME", text, "Name of a table of one's own", example="mine")
TABLE_DESC: Param[str] = Param("TABLE_DESC", said, "What is to be said of the table")
FORMAT: Param[str] = Param(
    "FORMAT", text, "Format of the table, where it does not tell itself", example="votable"
)
URL: Param[str] = Param("URL", text, "Address of the table", example="https://example.org/table.vot")
DELETE: Param[str] = Param("DELETE", choice(*_TRUTH), "TRUE: drop the table", values=_TRUTH, example="TRUE")
FORCE_REMOVAL: Param[str] = Param(
    "FORCE_REMOVAL",
    choice(*_TRUTH),
    "TRUE: no error where there is no such table",
    values=_TRUTH,
    example="TRUE",
)
UPLOAD = Params(TABLE_NAME, TABLE_DESC, FORMAT, URL, JOBID, DELETE, FORCE_REMOVAL)
"""Of ``/tap/Upload``; the table itself is the part FILE."""

_TOOLS = ("edit", "radec", "rename")


def _names(given: str) -> tuple[tuple[str, str], ...]:
    pairs = [word.partition(":") for word in _words(given)]
    if not all(old.strip() and new.strip() for old, _, new in pairs):
        raise ValueError("is not old:new, old:new, ...")
    return tuple((old.strip(), new.strip()) for old, _, new in pairs)


TOOL_ACTION: Param[str] = Param(
    "ACTION", choice(*_TOOLS), "What to do", values=_TOOLS, required=True, example="radec"
)
RA: Param[str] = Param("RA", text, "Column of the right ascension, in degrees", example="ra")
DEC: Param[str] = Param("DEC", text, "Column of the declination, in degrees", example="dec")
NEW_NAME: Param[str] = Param("new_table_name", text, "What the table is called from now on", example="better")
NEW_COLUMNS: Param[tuple[tuple[str, str], ...]] = Param(
    "new_column_names", _names, "What columns are called from now on", example="a:alpha,d:delta"
)
TOOL = Params(TOOL_ACTION, TABLE_NAME, RA, DEC, NEW_NAME, NEW_COLUMNS)
"""Of ``/tap/TableTool``; ``edit`` has its own, see `table_edits`."""


def column_role(column: Column, ra: str | None, dec: str | None, id_column: str | None) -> int:
    """Return the number of what a column is for; 0 for nothing of that.

    Parameters
    ----------
    ra, dec, id_column
        The columns of its table that hold the position and identify a row.
    """
    special = {ra: "Ra", dec: "Dec", id_column: "PK"}
    if column.name in special:
        return ROLES[special[column.name]]
    words = column.ucd.lower().split(";")
    return next((ROLES[role] for ucd, role in _BY_UCD if words[0].startswith(ucd)), 0)


def as_named(format_name: str, *, tapplus: bool) -> tuple[str, bool]:
    """Return the format that FORMAT names, and whether the answer is packed with gzip.

    ``votable_gzip`` and its like mean that to everybody; to a client of TAP+, which cannot read it otherwise, FITS
    does, too.
    """
    name = format_name.lower().strip()
    if tapplus and name == "votable_plain":
        return "votable", False
    plain = name.removesuffix("_gzip")
    return (plain, True) if plain != name else (format_name, tapplus and name == "fits")


@dataclass(frozen=True, slots=True)
class SharedGroup:
    """A group and who belongs to it.

    Attributes
    ----------
    users
        Names of accounts, and what people call them.
    """

    name: str
    owner: str
    description: str
    users: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class SharedItem:
    """That a table is shared with a group or a user.

    Attributes
    ----------
    table
        Its full name.
    to, kind
        With whom; ``Group`` or ``User``.
    mode
        ``Read`` or ``Write``.
    """

    id: str
    table: str
    to: str
    kind: str
    mode: str


def groups_document(groups: Iterable[SharedGroup]) -> bytes:
    """Return the answer to ``share?action=GetGroups``."""
    return document(node("sharedGroups", None, *(_group(group) for group in groups)))


def items_document(items: Iterable[SharedItem]) -> bytes:
    """Return the answer to ``share?action=GetSharedItems``."""
    return document(node("sharedItems", None, *(_item(item) for item in items)))


def _group(group: SharedGroup) -> Element:
    users = (node("user", {"id": name, "name": shown}) for name, shown in group.users)
    return node(
        "sharedGroup",
        {"id": group.name, "owner": group.owner},
        node("title", None, group.name),
        node("description", None, group.description),
        node("users", None, *users),
    )


def _item(item: SharedItem) -> Element:
    to = {"shareTo": item.to, "shareType": item.kind, "shareMode": item.mode}
    return node(
        "sharedItem",
        {"id": item.id, "type": "0"},
        node("title", None, item.table),
        node("description", None, ""),
        node("sharedToItems", None, node("sharedToItem", to)),
    )
