"""Commands of `canut funds` about money that comes back: release, refund."""

import click

from canut.cli.common import database, setting_options
from canut.cli.payout_common import client_id, now
from canut.config import Settings
from canut.db.pool import connect
from canut.errors import NotFound
from canut.pay.amounts import read_minor
from canut.pay.ledger.currency import written
from canut.pay.money import refunds
from canut.people.store import COMMAND_LINE
from canut.work import store_intake


@click.command()
@click.argument("batch", required=False)
@click.option("--client", metavar="SLUG", help="whose BATCH it is")
@setting_options()
def release(settings: Settings, batch: str | None, client: str | None) -> None:
    """Give what BATCH (the client's key) did not use back to the deposit; without BATCH, of every
    batch that needs its money no more."""
    with database(settings) as url, connect(url, autocommit=True) as conn:
        if batch is None:
            found = refunds.release_due(conn, COMMAND_LINE, now())
        else:
            of = client_id(url, client or "")
            known = store_intake.find_batch(conn, of, batch)
            if known is None:
                raise NotFound(f"There is no batch {batch}.", mend="canut batch list shows them")
            found = [refunds.release_batch(conn, COMMAND_LINE, known.id, now())]
    for one in found:
        total = written(one.escrow + one.reserve, one.currency)
        click.echo(f"batch {one.batch_id}: {total} back on the deposit")
    if not found:
        click.echo("no batch has money left that it does not need")


@click.command()
@click.argument("amount")
@click.argument("currency")
@click.option("--client", required=True, metavar="SLUG", help="short name of the client")
@click.option("--reference", required=True, help="the bank's: the same one is booked once")
@setting_options()
def refund(settings: Settings, amount: str, currency: str, client: str, reference: str) -> None:
    """Book AMOUNT (such as 250.00) in CURRENCY that was sent back to a client."""
    minor = read_minor(amount, currency)
    with database(settings) as url, connect(url) as conn:
        of = client_id(url, client)
        made = refunds.refund_deposit(conn, COMMAND_LINE, of, minor, currency, reference, now())
    click.echo(f"transfer {made}: {written(minor, currency)} back to {client}")


ADD = (release, refund)
