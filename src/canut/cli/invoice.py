"""`canut invoice`: invoices to clients."""

import tomllib
from pathlib import Path
from typing import Any

import click
import msgspec

from canut.cli.common import database, day, setting_options
from canut.cli.payout_common import client_id, ms_of, now, write_file
from canut.config import Settings
from canut.db.pool import connect
from canut.errors import Invalid, Problem
from canut.pay.identity import read_coop
from canut.pay.ledger.currency import written
from canut.pay.money import invoicing, reading
from canut.pay.money.billing import billing_of, set_billing
from canut.pay.money.model import Billing, Invoice
from canut.people.store import COMMAND_LINE


@click.group()
def invoice() -> None:
    """Invoices to clients: whom to bill, issue, list, file, cancel, collect."""


@invoice.command()
@click.argument("slug")
@click.option("--set", "source", metavar="FILE", help="TOML: name, address and tax, from now on")
@setting_options()
def client(settings: Settings, slug: str, source: str | None) -> None:
    """Whom invoices to the client SLUG name."""
    billing = None if source is None else _billing(source)
    with database(settings) as url, connect(url) as conn:
        of = client_id(url, slug)
        if billing is not None:
            set_billing(conn, COMMAND_LINE, of, billing, now())
        found = billing_of(conn, COMMAND_LINE, of)
    if found is None:
        click.echo(f"nobody knows whom to bill for {slug}")
        return
    click.echo(f"{slug}: {found.name}, {found.address.town} ({found.address.country})")
    tax = found.vat
    if tax is not None:
        click.echo(f"taxed {tax.category} at {tax.rate / 100:g}%")


@invoice.command()
@click.argument("slug")
@click.option("--currency", metavar="CODE", default="EUR", help="ISO 4217")
@click.option("--until", metavar="DATE", required=True, help="first day that is not billed (UTC)")
@click.option("--dry-run", is_flag=True, help="only say what would be billed")
@setting_options("coop")
def issue(settings: Settings, slug: str, currency: str, until: str, dry_run: bool) -> None:
    """Bill the client SLUG all that its batches have cost and was not billed."""
    until_ms = ms_of(until)
    with database(settings) as url, connect(url) as conn:
        of = client_id(url, slug)
        if dry_run:
            lines = reading.unbilled(conn, COMMAND_LINE, of, currency, until_ms)
            for line in lines:
                amount = written(line.net, currency)
                click.echo(f"batch {line.batch_id} {line.batch_name}: {line.part:<8}{amount:>16}")
            if not lines:
                click.echo("nothing to bill")
            return
        coop = read_coop(settings.coop_file)
        _print(invoicing.issue_invoice(conn, COMMAND_LINE, coop, of, currency, until_ms, now()))


@invoice.command("list")
@click.option("--client", "slug", metavar="SLUG", help="of this client")
@click.option("--before", metavar="INVOICE", type=int, help="the next page")
@setting_options()
def list_(settings: Settings, slug: str | None, before: int | None) -> None:
    """Invoices, the newest first."""
    with database(settings) as url, connect(url) as conn:
        of = client_id(url, slug) if slug else None
        found = reading.list_invoices(conn, COMMAND_LINE, client_id=of, before=before)
    for one in found:
        _print(one)
    if not found:
        click.echo("no invoice")


@invoice.command()
@click.argument("number")
@click.option("--to", "target", metavar="FILE", help="name of the file")
@click.option("--xml", is_flag=True, help="only the Factur-X XML, without the PDF around it")
@setting_options()
def file(settings: Settings, number: str, target: str | None, xml: bool) -> None:
    """Write the invoice NUMBER as it was issued: a PDF with its XML inside."""
    with database(settings) as url, connect(url) as conn:
        one = reading.invoice_number(conn, COMMAND_LINE, number)
        made = reading.invoice_file(conn, COMMAND_LINE, one.id, xml=xml)
    path = Path(target or made.name)
    write_file(path, made.content)
    click.echo(f"{path}: {len(made.content):,} bytes")


@invoice.command()
@click.argument("number")
@click.option("--why", required=True, help="what was wrong: it stands on the credit note")
@setting_options("coop")
def cancel(settings: Settings, number: str, why: str) -> None:
    """Take the invoice NUMBER back by a credit note; the next one bills the same again."""
    coop = read_coop(settings.coop_file)
    with database(settings) as url, connect(url) as conn:
        one = reading.invoice_number(conn, COMMAND_LINE, number)
        _print(invoicing.cancel_invoice(conn, COMMAND_LINE, coop, one.id, why, now()))


@invoice.command()
@setting_options()
def collect(settings: Settings) -> None:
    """Take tax that is due from the deposits that have enough by now."""
    with database(settings) as url, connect(url, autocommit=True) as conn:
        found = invoicing.collect_vat(conn, COMMAND_LINE, now())
    for one in found:
        click.echo(f"{one.number}: {written(one.vat, one.currency)} taken")
    if not found:
        click.echo("nothing is due, or no deposit has enough")


def _print(one: Invoice) -> None:
    kind = "invoice" if one.kind == "invoice" else "credit note"
    said = f"{kind} {one.number} of {day(one.issued_ms)}: {written(one.net, one.currency)}"
    if one.vat:
        said += f", tax {written(one.vat, one.currency)}"
    if one.due:
        said += f", due {written(one.due, one.currency)}"
    click.echo(said + (", cancelled" if one.cancelled else ""))


def _billing(source: str) -> Billing:
    try:
        found: Any = tomllib.loads(Path(source).read_text("utf-8"))
        return msgspec.convert(found, Billing)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        problem = Problem(str(error), "docs/client-money.md shows one", file=source)
        raise Invalid("This file says of nobody to bill.", problems=[problem]) from error
