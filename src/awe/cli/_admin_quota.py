"""``awe admin quota``: what some callers may use."""

from datetime import UTC, datetime
from pathlib import Path

import click

from awe.cli._archive import data_option, here, open_archive
from awe.cli._common import json_option, print_table, text_table
from awe.services.identity import MEASURES, Limit, Usage

__all__ = ["quota"]


@click.group("quota")
def quota() -> None:
    """What callers may use: limits for users, groups and roles. Those for all others are settings (quotas.*)."""


@quota.command("set")
@click.argument("principal")
@click.argument("measure", type=click.Choice([str(measure) for measure in MEASURES]))
@click.argument("amount")
@click.option("--since", type=click.DateTime(), help="From this moment on (UTC).")
@click.option("--until", type=click.DateTime(), help="Before this moment (UTC).")
@click.option("--why", default="", help="For other administrators.")
@data_option
def set_quota(
    principal: str,
    measure: str,
    amount: str,
    since: datetime | None,
    until: datetime | None,
    why: str,
    data: Path | None,
) -> None:
    """Let PRINCIPAL have AMOUNT of MEASURE: a number, or `none` for as much as there is.

    PRINCIPAL is user:NAME, group:NAME, role:NAME, everybody or anonymous. A limit takes the place of one for the same
    principal, measure and days.
    """
    if amount != "none" and not amount.isdigit():
        raise click.BadParameter("a number, or none", param_hint="AMOUNT")
    with open_archive(data) as platform:
        made = platform.quotas.set(
            principal,
            measure,
            None if amount == "none" else int(amount),
            by=here(),
            since=_utc(since),
            until=_utc(until),
            why=why,
        )
    click.echo(
        f"{made.id}: {principal} may have {_amount(made.amount)} {MEASURES[made.measure]}{_days(made)}"
    )


@quota.command("ls")
@data_option
@json_option
def ls(data: Path | None, as_json: bool) -> None:
    """List the limits that were set."""
    with open_archive(data) as platform:
        found = platform.quotas.limits()
    rows = [
        (one.id, one.principal, one.measure.value, _amount(one.amount), _days(one).strip(), one.by, one.why)
        for one in found
    ]
    names = ("id", "principal", "measure", "amount", "when", "by", "why")
    print_table(text_table(names, rows), as_json=as_json, most=None)


@quota.command("show")
@click.argument("name")
@data_option
@json_option
def show(name: str, data: Path | None, as_json: bool) -> None:
    """Print what the user NAME may use and uses, and whose limit it is."""
    with open_archive(data) as platform:
        found = platform.quotas.usage(platform.identity.known(name))
    rows = [(one.measure.value, _used(one), _amount(one.limit), one.principal or "settings") for one in found]
    print_table(text_table(("measure", "used", "limit", "of"), rows), as_json=as_json, most=None)


@quota.command("drop")
@click.argument("limit_id", metavar="ID")
@data_option
def drop(limit_id: str, data: Path | None) -> None:
    """Drop the limit with this ID (see `awe admin quota ls`)."""
    with open_archive(data) as platform:
        dropped = platform.quotas.drop(limit_id, by=here())
    click.echo(f"{limit_id} is dropped: {dropped.principal}, {dropped.measure}")


def _amount(amount: int | None) -> str:
    return "no limit" if amount is None else f"{amount:,}"


def _used(one: Usage) -> str:
    return "" if one.used is None else f"{one.used:,}"


def _days(one: Limit) -> str:
    since = f" from {one.since:%Y-%m-%d %H:%M}" if one.since else ""
    return since + (f" until {one.until:%Y-%m-%d %H:%M}" if one.until else "")


def _utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at is not None else None
