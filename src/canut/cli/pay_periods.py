"""`canut pay settle`, `slips` and `slip`: pay periods, and what each brought."""

import time
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from canut.cli.common import database, day, many, setting_options
from canut.config import Settings
from canut.db.pool import connect
from canut.pay.identity import coop_name
from canut.pay.ledger.currency import written
from canut.pay.reading import EVER
from canut.pay.settlement import list_slips, read_slip, settle_until
from canut.pay.settlement.slip_csv import slip_csv
from canut.pay.settlement.slip_sum import steps
from canut.pay.settlement.slip_texts import Locale
from canut.pay.settlement.slip_words import seconds
from canut.people.store import COMMAND_LINE

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option(
    "--until",
    metavar="MOMENT",
    help="end the last period here (UTC), shorter than usual: 2026-11-01, or 2026-11-01T18:00",
)
@setting_options()
def settle(settings: Settings, until: str | None) -> None:
    """Settle the pay periods that are over: bring everybody's pay up to the floor, and write pay
    slips. Engines do it by themselves."""
    now = time.time_ns() // 1_000_000
    with database(settings) as url, connect(url, autocommit=True) as conn:
        found = settle_until(conn, COMMAND_LINE, now, moment_ms(until) if until else None)
    for one in found:
        click.echo(
            f"{day(one.period.from_ms)} to {day(one.period.until_ms - 1)}:"
            f" {many(one.slips, 'slip')},"
            f" {written(one.qualifying_minor, one.currency)} earned,"
            f" {written(one.topup_minor, one.currency)} topped up,"
            f" {written(one.hours_minor, one.currency)} for hours"
        )
    if not found:
        click.echo("nothing is to be settled")


@click.command()
@click.option("--contributor", type=int, help="of one contributor (a number)")
@click.option("--before", metavar="SLIP", type=int, default=EVER, help="from the one before it on")
@setting_options()
def slips(settings: Settings, contributor: int | None, before: int) -> None:
    """Pay slips, newest first."""
    with database(settings) as url, connect(url) as conn:
        found = list_slips(conn, contributor_id=contributor, before=before)
    if not found:
        click.echo("no pay slip")
        return
    table = Table("slip", "contributor", "period", "time", "earned", "top-up", "all", box=None)
    for one in found:
        table.add_row(
            str(one.id),
            one.contributor or str(one.contributor_id),
            f"{day(one.from_ms)} to {day(one.until_ms - 1)}",
            seconds(one.agreed_ms, "en"),
            written(one.qualifying_minor, one.currency),
            written(one.topup_minor, one.currency),
            written(one.total_minor, one.currency),
        )
    Console().print(table)


@click.command()
@click.argument("number", metavar="SLIP", type=int)
@click.option("--pdf", type=_FILE, help="write it as a PDF")
@click.option("--csv", "table", type=_FILE, help="write every line as CSV")
@click.option("--locale", type=click.Choice(["en", "fr"]), default="en", help="language of files")
@setting_options("coop")
def slip(
    settings: Settings, number: int, pdf: Path | None, table: Path | None, locale: str
) -> None:
    """Show a pay slip (a number), or write it as a file."""
    with database(settings) as url, connect(url) as conn:
        found = read_slip(conn, number)
    language: Locale = "fr" if locale == "fr" else "en"
    if table is not None:
        table.write_bytes(slip_csv(found, language))
    if pdf is not None:
        # Typst takes a while to load
        from canut.pay.settlement.slip_pdf import slip_pdf

        pdf.write_bytes(slip_pdf(found, language, coop=coop_name(settings.coop_file)))
    about = found.summary
    click.echo(f"slip {about.id} of {about.contributor or about.contributor_id}:")
    for step in steps(found, "en"):
        value = "" if step.ms is None else seconds(step.ms, "en")
        value = value if step.minor is None else written(step.minor, about.currency)
        click.echo(f"  {step.words}: {value}")


def moment_ms(moment: str) -> int:
    """A moment such as "2026-11-01T18:00", UTC unless it says otherwise."""
    try:
        found = datetime.fromisoformat(moment)
    except ValueError:
        raise click.BadParameter(f"{moment!r} is no date such as 2026-11-01") from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=UTC)
    return int(found.timestamp() * 1000)
