"""`canut payout`: paying people out.

Bank data comes from files, never from arguments, which every user of a machine can read; whoever
approves says so with their password.
"""

import sys
import tomllib
from pathlib import Path
from typing import Any

import click
import msgspec

from canut.cli.common import database, day, setting_options
from canut.cli.payout_common import now
from canut.cli.payout_runs import ADD
from canut.config import Settings
from canut.db.pool import connect
from canut.errors import Invalid, Problem
from canut.pay.amounts import read_minor
from canut.pay.ledger.currency import written
from canut.pay.payouts import asking
from canut.pay.payouts.matching import REASONS
from canut.pay.payouts.model import Destination, PayoutAccount
from canut.pay.payouts.vault import open_vault
from canut.people.model import Principal
from canut.people.store import COMMAND_LINE


@click.group()
def payout() -> None:
    """Paying people out: where to, what they ask for, runs, files, statements."""


for command in ADD:
    payout.add_command(command)


@payout.command()
@click.argument("contributor", type=int)
@click.option("--set", "source", metavar="FILE", help='TOML: a bank account or mobile money; "-"')
@setting_options("bank_key")
def account(settings: Settings, contributor: int, source: str | None) -> None:
    """Where the money of CONTRIBUTOR (a number) goes, masked; or, with --set, from now on."""
    to = None if source is None else _destination(source)
    with database(settings) as url, connect(url) as conn:
        if to is not None:
            vault = open_vault(settings.bank_key_file)
            asking.set_account(conn, COMMAND_LINE, contributor, to, vault, now())
        found = asking.account_of(conn, contributor)
    _print(contributor, found)


@payout.command()
@click.argument("contributor", type=int)
@click.argument("amount")
@click.argument("currency")
@click.option("--key", required=True, help="the same one asks once")
@setting_options()
def ask(settings: Settings, contributor: int, amount: str, currency: str, key: str) -> None:
    """Ask for AMOUNT (such as 250.00) in CURRENCY for CONTRIBUTOR (a number)."""
    minor = read_minor(amount, currency)
    with database(settings) as url, connect(url) as conn:
        found = asking.request_payout(conn, _for(contributor), minor, currency, key, now())
    click.echo(f"payout {found.id}: {written(minor, currency)} to {found.masked}")


@payout.command("cancel-ask")
@click.argument("contributor", type=int)
@click.argument("payout", type=int)
@setting_options()
def cancel_ask(settings: Settings, contributor: int, payout: int) -> None:
    """Take a PAYOUT of CONTRIBUTOR (numbers) back, while it is in no run."""
    with database(settings) as url, connect(url) as conn:
        asking.cancel_payout(conn, _for(contributor), payout, now())
    click.echo(f"payout {payout} is taken back")


@payout.command("of")
@click.argument("contributor", type=int)
@click.option("--before", metavar="PAYOUT", type=int, help="the next page")
@setting_options()
def of_(settings: Settings, contributor: int, before: int | None) -> None:
    """The payouts of CONTRIBUTOR (a number), and what may be asked for."""
    with database(settings) as url, connect(url) as conn:
        found = asking.payouts_of(conn, contributor, before=before)
        there = asking.available(conn, contributor)
    for one in found:
        why = f"  {REASONS.get(one.reason, one.reason)}" if one.reason else ""
        click.echo(
            f"{one.id:>8}  {day(one.requested_ms)}  {written(one.amount, one.currency):>16}"
            f"  {one.masked}  {one.state}{why}"
        )
    left = ", ".join(written(amount, currency) for currency, amount in there.items())
    click.echo(f"to be paid out: {left or 'nothing'}")


def _for(contributor: int) -> Principal:
    return Principal(name=COMMAND_LINE.name, contributor_id=contributor, roles=COMMAND_LINE.roles)


def _destination(source: str) -> Destination:
    file = "stdin" if source == "-" else source
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text("utf-8")
        found: Any = tomllib.loads(text)
        to: Destination = msgspec.convert(found, Destination)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        problem = Problem(str(error), "docs/payouts.md shows one", file=file)
        raise Invalid("This file says of no destination.", problems=[problem]) from error
    return to


def _print(contributor: int, found: PayoutAccount | None) -> None:
    if found is None:
        click.echo(f"contributor {contributor} has no payout account")
        return
    click.echo(f"contributor {contributor}: {found.masked}, since {day(found.created_ms)}")
    if found.shared_with:
        others = ", ".join(map(str, found.shared_with))
        click.echo(f"the same account as contributors {others}: ask them")
