"""`canut licence`: who may work on a step, and which agent decides alone."""

import asyncio
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click

from canut.cli.common import database, setting_options
from canut.config import Settings
from canut.db.pool import SyncConn, connect, connect_async
from canut.insight import licence_cards
from canut.insight.licence_cards import Card
from canut.people.store import COMMAND_LINE, find_client
from canut.processes.model import LOCALES
from canut.quality.audits.draws import SEED_BYTES
from canut.quality.figures import Locale
from canut.quality.gold import pool as gold_pool
from canut.quality.licences import acts as licence_acts
from canut.quality.model import Licence, LicencePlace

#: licences on a screen
LIST_MAX = 200
STATES = {"earning": "being earned", "in_force": "in force", "ended": "ended"}


def _place(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that name a step."""
    command = click.option(
        "--client", metavar="SLUG", help="of this client's process; of the library if left out"
    )(command)
    command = click.option("--step", metavar="SLUG", required=True, help="step of the process")(
        command
    )
    return click.option("--process", metavar="SLUG", required=True, help="of which process")(
        command
    )


_reason = click.option("--reason", required=True, help="why; whoever holds it reads this")


@click.group()
def licence() -> None:
    """Who may work on a step, and which agent decides alone, on what evidence."""


@licence.command("list")
@_place
@click.option("--all", "every", is_flag=True, help="the versions that have ended, too")
@click.option("--locale", type=click.Choice(LOCALES), default="en", help="language")
@setting_options()
def list_(
    settings: Settings, process: str, step: str, client: str | None, every: bool, locale: Locale
) -> None:
    """The licences of a step, in words, those first that somebody should look at."""
    with database(settings) as url, connect(url) as conn:
        at = _step(conn, url, process, step, client)
        read = licence_cards.of_step if every else licence_cards.open_at
        found = read(conn, *at, LIST_MAX)
    if not found:
        click.echo("nobody holds or earns a licence here")
    for card in found:
        _print(card, locale)


@licence.command()
@click.argument("contributor", type=int)
@_place
@click.option("--basis", required=True, help="names the agent's version: a hash of it will do")
@setting_options()
def begin(
    settings: Settings, contributor: int, process: str, step: str, client: str | None, basis: str
) -> None:
    """Let the agent CONTRIBUTOR (a number) begin to earn a licence to decide alone. Another basis
    ends what it holds; the same one changes nothing."""
    with database(settings) as url, connect(url) as conn:
        place = LicencePlace(contributor, *_step(conn, url, process, step, client))
        seed = secrets.token_hex(SEED_BYTES)
        done = licence_acts.begin(conn, COMMAND_LINE, place, basis, seed, _now_ms())
    _said(done)


@licence.command()
@click.argument("contributor", type=int)
@_place
@_reason
@setting_options()
def grant(
    settings: Settings, contributor: int, process: str, step: str, client: str | None, reason: str
) -> None:
    """Let the person CONTRIBUTOR (a number) work on a step without an exam."""
    with database(settings) as url, connect(url) as conn:
        place = LicencePlace(contributor, *_step(conn, url, process, step, client))
        done = licence_acts.grant(conn, COMMAND_LINE, place, reason, _now_ms())
    _said(done)


@licence.command()
@click.argument("number", metavar="LICENCE", type=int)
@click.option(
    "--cause", type=click.Choice(licence_acts.CAUSES), required=True, help="kind of reason"
)
@_reason
@setting_options()
def end(settings: Settings, number: int, cause: str, reason: str) -> None:
    """End LICENCE. Look at its evidence first: a person's ends only because a person says so."""
    with database(settings) as url, connect(url) as conn:
        done = licence_acts.end(conn, COMMAND_LINE, number, cause, reason, _now_ms())
    _said(done)


@licence.command()
@click.argument("number", metavar="LICENCE", type=int)
@_reason
@setting_options()
def keep(settings: Settings, number: int, reason: str) -> None:
    """Keep LICENCE though it was flagged: a new version begins, and the old evidence is not held
    against it again."""
    with database(settings) as url, connect(url) as conn:
        done = licence_acts.keep(conn, COMMAND_LINE, number, reason, _now_ms())
    _said(done)


def _print(card: Card, locale: Locale) -> None:
    one = card.licence
    state = "flagged" if one.flagged_ms and one.state != "ended" else STATES[one.state]
    since = f"{datetime.fromtimestamp(one.started_ms / 1000, UTC):%Y-%m-%d}"
    click.echo(f"licence {one.id}, {card.holder.name}, version {one.version}: {state} ({since})")
    for line in card.words(locale):
        click.echo(f"  {line}")


def _said(done: Licence) -> None:
    click.echo(f"licence {done.id}: {STATES[done.state]}")


def _step(conn: SyncConn, url: str, process: str, step: str, client: str | None) -> tuple[int, str]:
    owner = None if client is None else asyncio.run(_client_id(url, client))
    place = gold_pool.find_place(conn, owner, process, step)
    return place.process_id, place.step_slug


async def _client_id(url: str, slug: str) -> int:
    async with connect_async(url) as conn:
        return (await find_client(conn, slug)).id


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
