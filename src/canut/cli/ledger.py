"""`canut ledger`: the books."""

import sys
from datetime import UTC, date, datetime

import click

from canut.cli.common import database, many, setting_options
from canut.config import Settings
from canut.db.pool import connect
from canut.pay import ledger as books
from canut.pay.ledger import store
from canut.pay.ledger.currency import written
from canut.pay.ledger.model import OWNERS, AccountKind

#: lines on a screen
PAGE_MAX = 1000


@click.group()
def ledger() -> None:
    """The books: accounts, statement, check."""


@ledger.command()
@click.option("--kind", type=click.Choice(list(OWNERS)), help="of this kind")
@click.option("--owner", type=int, help="of this client, batch or contributor (a number)")
@click.option("--currency", metavar="CODE", help="in this currency")
@click.option("--after", metavar="ACCOUNT", type=int, default=0, help="from the one behind it on")
@click.option("--limit", type=click.IntRange(1, PAGE_MAX), default=100, help="at most so many")
@setting_options()
def accounts(
    settings: Settings,
    kind: AccountKind | None,
    owner: int | None,
    currency: str | None,
    after: int,
    limit: int,
) -> None:
    """The accounts with what they hold, and what of it is on hold."""
    with database(settings) as url, connect(url) as conn:
        found = books.list_accounts(
            conn, kind=kind, owner_id=owner, currency=currency, after=after, limit=limit
        )
    for one in found:
        balance = one.balance
        held = written(balance.debits_pending, one.name.currency)
        note = f"  ({held} on hold)" if balance.debits_pending else ""
        click.echo(
            f"{one.id:>8}  {_whose(one.name):<36}"
            f"{written(balance.posted, one.name.currency):>22}{note}"
        )
    if not found:
        click.echo("no account")
    elif len(found) == limit:
        click.echo(f"more: --after {found[-1].id}")


@ledger.command()
@click.argument("account", type=int)
@click.option("--from", "start", metavar="DATE", help="first day, such as 2026-11-01 (UTC)")
@click.option("--until", metavar="DATE", help="first day that is not shown")
@click.option("--after", metavar="DATE.TRANSFER", help="the next page: what this one ended with")
@click.option("--limit", type=click.IntRange(1, PAGE_MAX), default=100, help="at most so many")
@setting_options()
def statement(
    settings: Settings,
    account: int,
    start: str | None,
    until: str | None,
    after: str | None,
    limit: int,
) -> None:
    """What moved ACCOUNT (a number), with its balance after each line."""
    with database(settings) as url, connect(url) as conn:
        page = books.statement(
            conn,
            account,
            from_ms=_ms(start, 0),
            until_ms=_ms(until, 2**62),
            after=_after(after),
            limit=limit,
        )
    name = page.account.name
    click.echo(f"account {account}: {_whose(name)}")
    click.echo(f"{'before':<58}{written(page.opening, name.currency):>22}")
    for line in page.lines:
        moment = f"{datetime.fromtimestamp(line.at_ms / 1000, UTC):%Y-%m-%d %H:%M}"
        way = "from" if line.amount > 0 else "to"
        what = f"{line.transfer_id} {line.kind} {way} {line.other_kind} {line.other}"
        amount = written(line.amount, name.currency).rsplit(" ", 1)[0]
        balance = written(line.balance, name.currency)
        click.echo(f"{moment}  {what:<28} {amount:>11}{balance:>22}  {line.why}".rstrip())
    if page.after:
        click.echo(f"more: --after {page.after[0]}.{page.after[1]}")


@ledger.command()
@setting_options()
def check(settings: Settings) -> None:
    """Prove the whole book; exit code 1 names the first fault."""
    with database(settings) as url, connect(url, autocommit=True) as conn:
        fault = books.first_fault(conn)
        transfers, groups = store.counts(conn)
        totals = store.totals(conn)
    click.echo(f"{many(transfers, 'transfer')} in {many(groups, 'group')}")
    for currency, count, owed in totals:
        click.echo(f"{currency}: {many(count, 'account')}, {written(owed, currency)} held for them")
    if fault:
        click.echo(f"broken: {fault.rule}: {fault.count} times, first {fault.example}")
        sys.exit(1)
    click.echo("the books balance: all rules hold")


def _whose(name: books.AccountName) -> str:
    return f"{name.kind} of {OWNERS[name.kind]} {name.owner_id}" if name.owner_id else name.kind


def _ms(day: str | None, otherwise: int) -> int:
    if day is None:
        return otherwise
    try:
        found = date.fromisoformat(day)
    except ValueError:
        raise click.BadParameter(f"{day!r} is no date such as 2026-11-01") from None
    return int(datetime(found.year, found.month, found.day, tzinfo=UTC).timestamp() * 1000)


def _after(page: str | None) -> tuple[int, int] | None:
    if page is None:
        return None
    at, _, transfer = page.partition(".")
    if not (at.isdigit() and transfer.isdigit()):
        raise click.BadParameter(f"{page!r} is not what a page ended with")
    return int(at), int(transfer)
