"""``/tap/share``: groups, and tables that are shared with them.

A group of TAP+ has a number, a title and a description; here these are the name, which cannot be changed, the name
again, and the title. Who is put into a group is invited, and belongs to it on saying yes. An item is one grant: to
remove it takes back that one.
"""

from collections.abc import Callable, Iterator

from starlette.responses import PlainTextResponse, Response

from awe.core.vo import tapplus
from awe.core.vo.params import Values
from awe.core.vo.tapplus import SharedGroup, SharedItem
from awe.errors import AuthenticationError, ParameterError, UsageError
from awe.services.catalogs import TABLE
from awe.services.identity import READ, WRITE, Grant, Group, GroupRole
from awe.web.http import Call

__all__ = ["share"]

_XML = "application/xml"
_ACTIONS = {"Read": READ, "Write": WRITE}
_MODES = {action: mode for mode, action in _ACTIONS.items()}
_KINDS = {"group": "Group", "user": "User"}
_RUNS = frozenset({GroupRole.OWNER, GroupRole.ADMINISTRATOR})


def share(call: Call) -> Response:
    """List the caller's groups or what the caller shared (GET); change them (POST)."""
    if call.identity.is_anonymous:
        raise AuthenticationError("groups and shared tables are for who is logged in", hint="log in")
    values = tapplus.SHARE.parse(call.pairs)
    action = values.need(tapplus.ACTION)
    if action in _LISTS:
        return Response(_LISTS[action](call), media_type=_XML)
    if call.request.method != "POST":
        raise UsageError(f"{action} changes something", hint="POST it")
    _CHANGES[action](call, values)
    return PlainTextResponse("done\n")


def _groups(call: Call) -> bytes:
    mine = call.platform.groups.mine(call.identity)
    return tapplus.groups_document(
        SharedGroup(group.name, group.owner, group.title, list(_users(call, group))) for group in mine
    )


def _users(call: Call, group: Group) -> Iterator[tuple[str, str]]:
    for user in dict.fromkeys(member.user for member in group.members):
        yield user, user
    for user in _invited(call, group):
        yield user, f"{user} (invited)"


def _invited(call: Call, group: Group) -> dict[str, str]:
    """Return whom a group invites, with the invitations; nobody for those who do not look after it."""
    if group.role_of(call.identity.name) not in _RUNS:
        return {}
    invited = call.platform.groups.invited(call.identity, group.name)
    return {one.user: one.id for one in invited if one.user}


def _items(call: Call) -> bytes:
    given = call.platform.shares.given(call.identity)
    return tapplus.items_document(item for grant in given for item in _shared(grant))


def _shared(grant: Grant) -> Iterator[SharedItem]:
    prefix, _, name = grant.principal.partition(":")
    if grant.kind == TABLE and prefix in _KINDS and grant.action in _MODES:
        yield SharedItem(grant.id, grant.name, name, _KINDS[prefix], _MODES[grant.action])


def _put_group(call: Call, values: Values) -> None:
    name, known = values.need(tapplus.TITLE), values.get(tapplus.GROUP_ID)
    title = values.get(tapplus.DESCRIPTION) or ""
    groups = call.platform.groups
    if known is None:
        groups.add(call.identity, name, title)
        return
    group = groups.group(call.identity, known)
    if name != group.name:
        raise ParameterError("title", name, f"the group {group.name} keeps its name", hint="make another one")
    if title != group.title:
        groups.rename(call.identity, group.name, title)
    if any(key.lower() == "users_list" for key, _ in call.pairs):  # an empty one, too
        _set_users(call, group, frozenset(values.get(tapplus.USERS_LIST) or ()))


def _set_users(call: Call, group: Group, wanted: frozenset[str]) -> None:
    groups, invited = call.platform.groups, _invited(call, group)
    members = frozenset(member.user for member in group.members)
    for user in sorted(wanted - members - invited.keys()):
        groups.invite(call.identity, group.name, user)
    for user in sorted(members - wanted - {group.owner}):
        groups.remove_member(call.identity, group.name, user)
    for user in sorted(invited.keys() - wanted):
        groups.decline(call.identity, invited[user])


def _remove_group(call: Call, values: Values) -> None:
    call.platform.groups.remove(call.identity, values.need(tapplus.GROUP_ID))


def _put_item(call: Call, values: Values) -> None:
    table = values.need(tapplus.TITLE)
    for to, kind, mode in values.need(tapplus.ITEMS):
        principal = f"{kind.lower()}:{to}"
        call.platform.shares.share(call.identity, TABLE, table, principal, action=_ACTIONS[mode])


def _remove_item(call: Call, values: Values) -> None:
    call.platform.shares.revoke(call.identity, values.need(tapplus.RESOURCE_ID))


_LISTS: dict[str, Callable[[Call], bytes]] = {"GetGroups": _groups, "GetSharedItems": _items}
_CHANGES: dict[str, Callable[[Call, Values], None]] = {
    "CreateOrUpdateGroup": _put_group,
    "RemoveGroup": _remove_group,
    "CreateOrUpdateItem": _put_item,
    "RemoveItem": _remove_item,
}
