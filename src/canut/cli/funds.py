"""`canut funds`: clients' money, quotes, and what batches have."""

import asyncio
import time

import click

from canut.cli.common import database, day, many, setting_options
from canut.cli.funds_back import ADD
from canut.config import Settings
from canut.db.pool import SyncConn, connect, connect_async
from canut.errors import NotFound
from canut.pay import funding, quotes
from canut.pay.amounts import read_minor
from canut.pay.funding import BatchFunds
from canut.pay.ledger.currency import written
from canut.pay.quotes import Offer
from canut.people.store import COMMAND_LINE, find_client
from canut.work import store_intake

_client = click.option("--client", required=True, metavar="SLUG", help="short name of the client")
#: heading of each line of a price
NAMES = {
    "pay": "pay",
    "cover": "set aside for tasks under way, given back",
    "reserve": "reserve to reach the floor, given back",
    "social": "contributions",
    "ai": "language models",
    "fee": "the co-op's fee",
}


@click.group()
def funds() -> None:
    """Clients' money: deposit, quote, agree, show, release, refund."""


for command in ADD:
    funds.add_command(command)


@funds.command()
@click.argument("amount")
@click.argument("currency")
@_client
@click.option("--reference", required=True, help="the bank's: the same one is booked once")
@setting_options()
def deposit(settings: Settings, amount: str, currency: str, client: str, reference: str) -> None:
    """Book AMOUNT (such as 250.00) in CURRENCY that a client has paid in."""
    minor = read_minor(amount, currency)
    with database(settings) as url, connect(url) as conn:
        made = funding.deposit(
            conn, COMMAND_LINE, _id(url, client), minor, currency, reference, _now()
        )
    click.echo(f"transfer {made}: {written(minor, currency)} from {client}")


@funds.command()
@click.argument("batch")
@_client
@click.option("--items", type=int, help="for so many of its items; all, if left out")
@setting_options()
def quote(settings: Settings, batch: str, client: str, items: int | None) -> None:
    """What BATCH (the client's key) will cost, line by line, and when it would be done."""
    with database(settings) as url, connect(url) as conn:
        batch_id = _batch(conn, _id(url, client), batch)
        _print(quotes.make_quote(conn, COMMAND_LINE, batch_id, _now(), items=items))


@funds.command()
@click.argument("quote", type=int)
@setting_options()
def agree(settings: Settings, quote: int) -> None:
    """Agree to a QUOTE (a number) for its client: its money is set aside, and work begins."""
    with database(settings) as url, connect(url) as conn:
        _funds(funding.fund(conn, COMMAND_LINE, quote, _now()))


@funds.command()
@click.argument("batch")
@_client
@setting_options()
def show(settings: Settings, batch: str, client: str) -> None:
    """What money BATCH has, and how many tasks it covers."""
    with database(settings) as url, connect(url) as conn:
        found = funding.read_funds(conn, COMMAND_LINE, _batch(conn, _id(url, client), batch))
    if found is None:
        click.echo("no money: what pays waits for it, the rest is voluntary")
    else:
        _funds(found)


def _print(offer: Offer) -> None:
    found = offer.quote
    click.echo(f"quote {offer.id}: {many(found.items, 'item')}")
    for line in found.lines:
        of = f" of {line.step}" if line.step else ""
        how = ""
        if line.kind == "pay":
            each = written(int(line.of["each"]), found.currency)
            how = f"  {line.of['answers']:,} answers at {each}"
        click.echo(f"  {NAMES[line.kind] + of:<44}{written(line.minor, found.currency):>16}{how}")
    click.echo(f"  {'together':<44}{written(found.total_minor, found.currency):>16}")
    click.echo(f"contributors get {found.contributor_share:.0%} of what is not given back")
    for step in found.steps:
        source = "measured" if step.known else "assumed"
        click.echo(f"{step.slug}: {step.answers_per_item:.1f} answers an item, {source}")
    click.echo(f"done between {day(found.earliest_ms)} and {day(found.latest_ms)}")
    if found.daily_needed is not None:
        low, high = found.daily_expected
        click.echo(
            f"the deadline needs {found.daily_needed:,} answers a day; expected {low:,} to {high:,}"
        )
    for choice in found.choices:
        total = written(choice.total_minor, found.currency)
        click.echo(f"at a target of {choice.target:.0%}: {total}, {choice.answers:,} answers")


def _funds(found: BatchFunds) -> None:
    def line(name: str, minor: int) -> None:
        click.echo(f"{name:<28}{written(minor, found.currency):>16}")

    line("to spend", found.escrow_minor)
    line("held until accepted", found.held_minor)
    line("spent", found.pay_minor)
    line("reserve", found.reserve_minor)
    click.echo(
        f"{many(found.n_tasks, 'task')}, {found.released:,} covered, {found.n_decided:,} decided"
    )
    if found.short_ms is not None:
        click.echo(f"waits for money since {day(found.short_ms)}")


def _batch(conn: SyncConn, client_id: int, key: str) -> int:
    found = store_intake.find_batch(conn, client_id, key)
    if found is None:
        raise NotFound(f"There is no batch {key}.", mend="canut batch list shows them")
    return found.id


def _id(url: str, client: str) -> int:
    async def find() -> int:
        async with connect_async(url) as conn:
            return (await find_client(conn, client)).id

    return asyncio.run(find())


def _now() -> int:
    return time.time_ns() // 1_000_000
