"""`canut tariff`: what steps pay, and what that rests on."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click

from canut.cli.common import database, setting_options
from canut.config import Settings
from canut.db.pool import connect
from canut.pay import tariffs
from canut.pay.amounts import read_minor
from canut.pay.ledger.currency import written
from canut.pay.tariffs import Tariff
from canut.people.store import COMMAND_LINE


def _place(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that name a step."""
    command = click.option(
        "--client", metavar="SLUG", help="of this client's process; of the library if left out"
    )(command)
    return click.argument("process")(click.argument("step")(command))


@click.group()
def tariff() -> None:
    """What steps pay: show, set, review."""


@tariff.command()
@_place
@setting_options()
def show(settings: Settings, process: str, step: str, client: str | None) -> None:
    """What STEP of PROCESS pays, what it paid before, and what it rests on."""
    with database(settings) as url, connect(url) as conn:
        name = tariffs.find_step(conn, process, step, client)
        found = tariffs.history(conn, name)
        measured = len(tariffs.measured(conn, name).active_ms)
    if not found:
        click.echo("no tariff: the work is voluntary")
    for one in found:
        _print(one)
    click.echo(f"{measured} tasks measured so far")


@tariff.command("set")
@_place
@click.option("--currency", metavar="CODE", default="EUR", help="ISO 4217")
@click.option("--in", "place", metavar="PLACE", help="whose floor; of home if left out")
@click.option("--assumed", type=float, metavar="S", help="seconds a task is thought to take")
@click.option("--idle", type=float, metavar="S", help="seconds without a sign that still are work")
@click.option("--price", metavar="AMOUNT", help="of a task, where it is above the formula's")
@click.option("--voluntary", is_flag=True, help="it pays no more, in new batches")
@click.option("--why", required=True, help="what this is for")
@setting_options()
def set_(
    settings: Settings,
    process: str,
    step: str,
    client: str | None,
    currency: str,
    place: str | None,
    assumed: float | None,
    idle: float | None,
    price: str | None,
    voluntary: bool,
    why: str,
) -> None:
    """Let STEP of PROCESS pay, in batches that are handed over from now on: by the hour until 30
    tasks were measured, then by the task."""
    with database(settings) as url, connect(url) as conn:
        made = tariffs.set_tariff(
            conn,
            COMMAND_LINE,
            tariffs.find_step(conn, process, step, client),
            time.time_ns() // 1_000_000,
            currency=currency,
            why=why,
            jurisdiction=place,
            assumed_ms=None if assumed is None else round(assumed * 1000),
            idle_ms=None if idle is None else round(idle * 1000),
            price_minor=None if price is None else read_minor(price, currency, "price"),
            voluntary=voluntary,
        )
    _print(made)


@tariff.command()
@setting_options()
def review(settings: Settings) -> None:
    """Look at the prices of all steps now, as engines do every minute."""
    with database(settings) as url, connect(url, autocommit=True) as conn:
        found = tariffs.review_tariffs(conn, time.time_ns() // 1_000_000)
    for one in found:
        _print(one.now)
        if one.answers:
            owed = written(one.owed_minor, one.now.currency)
            click.echo(f"  {owed} more for {one.answers} answers that were paid less")
    if not found:
        click.echo("every price stands")


def _print(one: Tariff) -> None:
    since = f"{datetime.fromtimestamp(one.from_ms / 1000, UTC):%Y-%m-%d %H:%M}"
    floor = written(one.floor_minor, one.currency)
    if one.stage == "voluntary":
        click.echo(f"{one.step_slug}, since {since}: voluntary: {one.why}")
        return
    if one.price_minor is None:
        click.echo(f"{one.step_slug}, since {since}: pilot, {floor} an hour: {one.why}")
        click.echo(f"  a task is thought to take {one.assumed_ms / 1000:g} s")
        return
    price, hour = (written(n, one.currency) for n in (one.price_minor, round(one.hourly_minor)))
    click.echo(f"{one.step_slug}, since {since}: {price} a task: {one.why or 'measured'}")
    mean, upper = ((ms or 0) / 1000 for ms in (one.mean_ms, one.upper_ms))
    click.echo(
        f"  {one.n_tasks} tasks of {one.n_contributors} contributors: {mean:.1f} s on the mean,"
        f" {upper:.1f} s at most; {hour} an hour, floor {floor}"
    )
