"""`canut pay`: rules of pay with their dates, and time that contributors state."""

import time
from datetime import UTC, date, datetime

import click
from rich.console import Console
from rich.table import Table

from canut.cli.common import database, day, finite, one_line, setting_options
from canut.cli.pay_hours import hours
from canut.cli.pay_periods import settle, slip, slips
from canut.config import Settings
from canut.db.pool import connect
from canut.errors import Invalid, Problem
from canut.pay.amounts import read_minor
from canut.pay.ledger.currency import written
from canut.pay.policy import Rule, decide_rule, list_rules, set_jurisdiction
from canut.pay.policy.model import NAMES
from canut.pay.time import decide_review, list_reviews
from canut.people.store import COMMAND_LINE

SHARES = ("fee", "social", "reserve")


@click.group()
def pay() -> None:
    """Rules of pay, time that contributors state, and pay periods: policy, reviews, decide, hours,
    place, settle, slips, slip."""


for _command in (hours, settle, slips, slip):
    pay.add_command(_command)


@pay.command()
@click.option("--set", "name", type=click.Choice(NAMES), help="decide this rule anew")
@click.argument("value", required=False)
@click.option("--in", "jurisdiction", metavar="PLACE", default="", help='such as "FR" or "US-CA"')
@click.option("--currency", metavar="CODE", default="", help="of a floor")
@click.option("--from", "start", metavar="DATE", help="first day it holds (UTC); from now on")
@click.option("--resolution", metavar="TEXT", help="what decided it")
@setting_options()
def policy(
    settings: Settings,
    name: str | None,
    value: str | None,
    jurisdiction: str,
    currency: str,
    start: str | None,
    resolution: str | None,
) -> None:
    """The rules of pay, or with --set one that holds from now on.

    VALUE of a floor is an hour's pay (12.50), of a share a percentage (15), else a number of days;
    home needs none."""
    now = time.time_ns() // 1_000_000
    with database(settings) as url, connect(url) as conn:
        if name is not None:
            decide_rule(
                conn,
                COMMAND_LINE,
                name,
                _value(name, value, currency),
                now,
                jurisdiction=jurisdiction,
                currency=currency,
                from_ms=_ms(start) if start else None,
                resolution=resolution,
            )
        rules = list_rules(conn)
    table = Table("rule", "where", "value", "from", "decided by", box=None)
    for rule in rules:
        table.add_row(
            rule.name,
            rule.jurisdiction or "everywhere",
            _shown(rule),
            day(rule.from_ms) if rule.from_ms else "the beginning",
            rule.resolution or ("founding rule" if not rule.from_ms else "-"),
        )
    Console().print(table)


@pay.command()
@click.option("--all", "everything", is_flag=True, help="decided ones too")
@click.option("--after", metavar="REVIEW", type=int, default=0, help="from the one behind it on")
@setting_options()
def reviews(settings: Settings, everything: bool, after: int) -> None:
    """Times that contributors state, and that wait for a decision."""
    with database(settings) as url, connect(url) as conn:
        found = list_reviews(conn, open_only=not everything, after=after)
    for one in found:
        click.echo(
            f"{one.id:>6}  contributor {one.contributor_id}: measured {_seconds(one.measured_ms)},"
            f" stated {_seconds(one.stated_ms)}: {one_line(one.reason)}"
        )
        if one.agreed_ms is not None:
            click.echo(f"        agreed {_seconds(one.agreed_ms)}: {one_line(one.why or '')}")
    if not found:
        click.echo("nothing waits")


@pay.command()
@click.argument("review", type=int)
@click.option(
    "--seconds", type=float, callback=finite, required=True, help="the time that is agreed"
)
@click.option("--why", required=True, help="for the contributor to read")
@setting_options()
def decide(settings: Settings, review: int, seconds: float, why: str) -> None:
    """Decide about a time that a contributor stated: the measured one, the stated one, or one
    between."""
    now = time.time_ns() // 1_000_000
    with database(settings) as url, connect(url) as conn:
        found = decide_review(conn, COMMAND_LINE, review, round(seconds * 1000), why, now)
    click.echo(f"agreed: {_seconds(found.agreed_ms or 0)}")


@pay.command()
@click.argument("contributor", type=int)
@click.option("--in", "jurisdiction", metavar="PLACE", help="leave out for home")
@setting_options()
def place(settings: Settings, contributor: int, jurisdiction: str | None) -> None:
    """Say whose rules a CONTRIBUTOR's pay follows (a number)."""
    with database(settings) as url, connect(url) as conn:
        set_jurisdiction(conn, COMMAND_LINE, contributor, jurisdiction)
    click.echo(f"contributor {contributor}: {jurisdiction or 'home'}")


def _value(name: str, text: str | None, currency: str) -> int:
    if name == "home":
        return 1
    if text is None:
        raise Invalid("Say what the rule is.", problems=[Problem("is missing", field="value")])
    if name == "floor":
        return read_minor(text, currency, "value")
    try:
        return round(float(text) * 100) if name in SHARES else int(text)
    except ValueError:
        problem = Problem(f"{text!r} is no number", field="value")
        raise Invalid("This cannot be a rule.", problems=[problem]) from None


def _shown(rule: Rule) -> str:
    if rule.name == "floor":
        return f"{written(rule.value, rule.currency)} an hour"
    if rule.name in SHARES:
        return f"{rule.value / 100:g}% of pay"
    return rule.jurisdiction if rule.name == "home" else f"{rule.value} days"


def _seconds(ms: int) -> str:
    return f"{ms / 1000:g} s"


def _ms(day: str) -> int:
    try:
        found = date.fromisoformat(day)
    except ValueError:
        raise click.BadParameter(f"{day!r} is no date such as 2026-11-01") from None
    return int(datetime(found.year, found.month, found.day, tzinfo=UTC).timestamp() * 1000)
