"""Commands of `canut payout` about runs: assemble, approve, file, and what banks say."""

from pathlib import Path

import click

from canut.cli.common import database, day, many, setting_options
from canut.cli.payout_common import now, person, write_file
from canut.config import Settings
from canut.db.pool import connect
from canut.errors import Invalid
from canut.pay.amounts import read_minor
from canut.pay.identity import read_coop
from canut.pay.ledger.currency import written
from canut.pay.payouts import reconciling, runs
from canut.pay.payouts.matching import REASONS
from canut.pay.payouts.model import Run
from canut.pay.payouts.reconciling import Report
from canut.pay.payouts.vault import open_vault
from canut.people.store import COMMAND_LINE


@click.command()
@setting_options()
def waiting(settings: Settings) -> None:
    """What was asked for and is in no run yet."""
    with database(settings) as url, connect(url) as conn:
        found = runs.waiting(conn, COMMAND_LINE)
    for one in found:
        total = written(one.total, one.currency)
        click.echo(
            f"{one.way:<12}{many(one.n_payouts, 'payout'):>17} {total:>20},"
            f" since {day(one.oldest_ms)}"
        )
    if not found:
        click.echo("nothing waits")


@click.command()
@click.option("--way", default="iban", help="iban, or a provider of mobile money")
@click.option("--currency", metavar="CODE", default="EUR", help="ISO 4217")
@click.option("--limit", type=click.IntRange(1, runs.RUN_MAX), default=runs.RUN_MAX)
@setting_options()
def assemble(settings: Settings, way: str, currency: str, limit: int) -> None:
    """Take what waits into a run, the oldest first."""
    with database(settings) as url, connect(url) as conn:
        _print(runs.assemble_run(conn, COMMAND_LINE, way, currency, now(), limit=limit))


@click.command("list")
@click.option("--before", metavar="RUN", type=int, help="the next page")
@setting_options()
def list_(settings: Settings, before: int | None) -> None:
    """Runs, the newest first."""
    with database(settings) as url, connect(url) as conn:
        found = runs.list_runs(conn, COMMAND_LINE, before=before)
    for run in found:
        _print(run)
    if not found:
        click.echo("no run")


@click.command()
@click.argument("run", type=int)
@click.option("--after", metavar="PAYOUT", type=int, default=0, help="the next page")
@setting_options()
def show(settings: Settings, run: int, after: int) -> None:
    """RUN (a number): who approved it, and its payouts."""
    with database(settings) as url, connect(url) as conn:
        _print(runs.find_run(conn, COMMAND_LINE, run))
        found = runs.payouts_in(conn, COMMAND_LINE, run, after=after)
    for one in found:
        why = f"  {REASONS.get(one.reason, one.reason)}" if one.reason else ""
        click.echo(
            f"{one.id:>8}  contributor {one.contributor_id:<8}"
            f"{written(one.amount, one.currency):>16}  {one.masked}  {one.state}{why}"
        )


@click.command()
@click.argument("run", type=int)
@click.option("--total", required=True, help="the total of the run, such as 250.00, as you read it")
@click.option("--as", "email", required=True, metavar="EMAIL", help="who approves")
@setting_options()
def approve(settings: Settings, run: int, total: str, email: str) -> None:
    """Approve RUN (a number) with your password. The second of two people sends it."""
    with database(settings) as url, connect(url) as conn:
        by = person(url, email)
        minor = read_minor(total, runs.find_run(conn, by, run).currency, "total")
        _print(runs.approve_run(conn, by, run, minor, now()))


@click.command()
@click.argument("run", type=int)
@setting_options()
def cancel(settings: Settings, run: int) -> None:
    """Give the payouts of RUN (a number) back to those that wait, before it is approved."""
    with database(settings) as url, connect(url) as conn:
        _print(runs.cancel_run(conn, COMMAND_LINE, run))


@click.command()
@click.argument("run", type=int)
@click.option("--to", "target", metavar="FILE", help="name of the file; the run's, if left out")
@setting_options("coop", "bank_key")
def file(settings: Settings, run: int, target: str | None) -> None:
    """Write the file of an approved RUN (a number) for the bank or the provider."""
    coop, vault = read_coop(settings.coop_file), open_vault(settings.bank_key_file)
    with database(settings) as url, connect(url) as conn:
        made = runs.run_file(conn, COMMAND_LINE, run, coop, vault)
    path = Path(target or made.name)
    write_file(path, made.content)
    click.echo(f"{path}: {len(made.content):,} bytes; delete it when the bank has it")


@click.command()
@click.argument("statement", type=click.Path(path_type=Path))
@setting_options("coop")
def read(settings: Settings, statement: Path) -> None:
    """Read a bank's STATEMENT (camt.053): settle what left, give back what returned."""
    coop = read_coop(settings.coop_file)
    try:
        content = statement.read_bytes()
    except OSError as error:
        raise Invalid(f"{statement} cannot be read: {error.strerror}") from error
    with database(settings) as url, connect(url, autocommit=True) as conn:
        reports = reconciling.read_statement(
            conn, COMMAND_LINE, coop, content, now(), str(statement)
        )
    for report in reports:
        _report(report)
    if any(report.faults for report in reports):
        raise SystemExit(1)


@click.command()
@click.argument("run", type=int)
@click.option("--why", required=True, help="what shows it: the provider's report")
@setting_options()
def settle(settings: Settings, run: int, why: str) -> None:
    """A provider has paid what of RUN (a number) is on its way."""
    with database(settings) as url, connect(url) as conn:
        n = reconciling.settle_run(conn, COMMAND_LINE, run, why, now())
    click.echo(f"run {run}: {many(n, 'payout')} settled")


@click.command()
@click.argument("payout", type=int)
@click.option("--why", required=True, help="for the contributor to read")
@click.option("--as", "email", metavar="EMAIL", help="who says so, once its file was taken")
@setting_options()
def fail(settings: Settings, payout: int, why: str, email: str | None) -> None:
    """PAYOUT (a number) did not arrive: back to the balance it came from. Once the file of its run
    was taken two people say so, each with their password."""
    with database(settings) as url, connect(url) as conn:
        by = COMMAND_LINE if email is None else person(url, email)
        back = reconciling.fail_payout(conn, by, payout, why, now())
    said = "is back on the balance" if back else "waits for a second person who says so"
    click.echo(f"payout {payout} {said}")


ADD = (waiting, assemble, list_, show, approve, cancel, file, read, settle, fail)


def _print(run: Run) -> None:
    total = written(run.total, run.currency)
    said = f"run {run.id}: {many(run.n_payouts, 'payout')} by {run.way}, {total}, {run.state}"
    if run.paid or run.failed:
        said += f", {run.paid:,} paid, {run.failed:,} failed"
    click.echo(said)
    for one in run.approvals:
        gone = "" if one.stands or run.state == "approved" else ", who may not approve any more"
        click.echo(f"  approved by {one.name}, {day(one.at_ms)}{gone}")


def _report(report: Report) -> None:
    click.echo(
        f"statement {report.statement}: {len(report.settled):,} settled,"
        f" {len(report.bounced):,} came back, {many(report.others, 'line')} of something else,"
        f" {report.pending:,} not booked yet"
    )
    for payout, reason in report.bounced:
        click.echo(f"  payout {payout} came back: {REASONS.get(reason, reason)}")
    for fault in report.faults:
        click.echo(f"  {fault}")
