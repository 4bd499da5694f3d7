"""`canut simulate --pay`: eight weeks of pay for a simulated crowd, in a database of its own."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table

from canut.cli.simulate_pay_plot import plotted
from canut.db.migrate import migrate
from canut.db.pool import connect
from canut.db.server import EmbeddedServer
from canut.engine.schema import job_scripts
from canut.pay.ledger.currency import written
from canut.pay.simulation import Outcome, Plan, run
from canut.pay.simulation.outcome import Group, Rule
from canut.pay.simulation.run import CURRENCY


def simulate_pay(plan: Plan, plot: Path | None) -> Outcome:
    """Run it, print what came of it, and as the last line the same as JSON; with `plot`, draw it.
    Nothing that is there already is touched."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="canut-pay-") as folder:
        server = EmbeddedServer(Path(folder) / "database")
        url = server.start()
        try:
            with connect(url, autocommit=True) as conn:
                migrate(conn, job_scripts())
                outcome = run(conn, plan, _told(plan))
        finally:
            server.stop()
    if plot is not None:
        plot.parent.mkdir(parents=True, exist_ok=True)
        plot.write_text(plotted(outcome, CURRENCY), encoding="utf-8")
    _show(outcome)
    click.echo(msgspec.json.encode(_figures(outcome, time.perf_counter() - began)).decode())
    return outcome


def _told(plan: Plan) -> Callable[[int], None]:
    return lambda week: click.echo(f"week {week + 1} of {plan.weeks}", err=True)


def _show(one: Outcome) -> None:
    click.echo(
        f"{one.plan.contributors} contributors, {one.tasks:,} tasks, {one.plan.clients} clients,"
        f" {one.plan.weeks} weeks; floor {_money(one.floor_minor)} an hour"
    )
    table = Table("paid by", "weeks below the floor", "people below", "missing", "paid", box=None)
    for name, rule in (
        ("the median time", one.median),
        ("the price of the formula", one.no_topup),
        ("that price and the top-up", one.paid),
    ):
        table.add_row(name, *_rule(rule, one.periods, one.plan.contributors))
    Console(width=110).print(table)
    share = f"{one.topup_share:.1%} of the pay of tasks"
    click.echo(
        f"top-ups: {_money(one.topup_minor)}, {share}; {_money(one.coop_minor)} by the co-op"
    )
    people = Table("contributors", "number", "an hour", "top-up", "gained", "flagged", box=None)
    names = {"honest": "as usual", "slow": "slow on purpose", "picky": "easy tasks only"}
    for key, group in one.groups.items():
        people.add_row(names[key], *_group(group))
    Console(width=110).print(people)
    click.echo(f"the books balance: {one.fault or 'all rules hold'}")


def _rule(rule: Rule, periods: int, people: int) -> list[str]:
    return [
        f"{rule.below_periods:,} of {periods:,} ({rule.below_periods / periods:.0%})",
        f"{rule.below_people} of {people}",
        _money(rule.missing_minor),
        _money(rule.pay_minor),
    ]


def _group(group: Group) -> list[str]:
    return [
        str(group.people),
        _money(group.hourly_minor),
        _money(group.topup_minor),
        _money(group.gained_minor),
        str(group.flagged),
    ]


def _money(minor: int) -> str:
    return written(minor, CURRENCY)


def _figures(one: Outcome, seconds: float) -> dict[str, object]:
    return {
        "below_floor_periods": one.paid.below_periods,
        "topup_share": round(one.topup_share, 4),
        "ledger_faults": one.ledger_faults,
        "periods": one.periods,
        "tasks": one.tasks,
        "topup_minor": one.topup_minor,
        "topup_by_coop_minor": one.coop_minor,
        "below_without_topup": one.no_topup.below_periods,
        "below_at_median": one.median.below_periods,
        "people_below_at_median": one.median.below_people,
        "prices": one.prices,
        "medians": one.medians,
        "groups": msgspec.to_builtins(one.groups),
        "seconds": round(seconds, 1),
    }
