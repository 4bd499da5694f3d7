"""`canut gold`: items whose right answer is known, which contributors are measured by."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from canut.cli.common import database, setting_options
from canut.config import Settings
from canut.db.pool import SyncConn, connect, connect_async
from canut.errors import NotFound
from canut.people.store import COMMAND_LINE, find_client
from canut.processes.model import LOCALES
from canut.quality.gold import pool as gold_pool
from canut.quality.gold.files import read_gold
from canut.quality.gold.review import review_gold
from canut.quality.gold.values import GoldStep

#: gold on a screen
LIST_MAX = 200


def _place(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that name a step."""
    command = click.option(
        "--client", metavar="SLUG", help="of this client's process; of the library if left out"
    )(command)
    command = click.option("--step", metavar="SLUG", required=True, help="step of the process")(
        command
    )
    return click.option("--process", metavar="SLUG", required=True, help="whose gold")(command)


@click.group()
def gold() -> None:
    """Items whose right answer is known: contributors meet them in their work, and in exams."""


@gold.command("list")
@_place
@click.option("--retired", is_flag=True, help="what is out of use, and why")
@click.option("--locale", type=click.Choice(LOCALES), default="en", help="language")
@setting_options()
def list_(
    settings: Settings, process: str, step: str, client: str | None, retired: bool, locale: str
) -> None:
    """The gold of a step. Keep what it prints to yourself."""
    with database(settings) as url, connect(url) as conn:
        at = _step(conn, url, process, step, client)
        state = "retired" if retired else "active"
        found = gold_pool.list_gold(conn, at, state=state, limit=LIST_MAX)
    last = "why" if retired else "from"
    table = Table("gold", "reference", "answer", "shown", "right", last, box=None)
    for one in found:
        share = f"{one.correct / one.answered:.0%}" if one.answered else "-"
        why = " ".join(part for part in (one.cause, one.reason) if part) if retired else one.origin
        answer = at.question.describe(one.value, locale)
        table.add_row(str(one.id), one.reference, answer, str(one.shown), share, why)
    Console().print(table)


@gold.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_place
@setting_options()
def import_(settings: Settings, file: Path, process: str, step: str, client: str | None) -> None:
    """Add the gold in FILE (.csv or .jsonl) to a step.

    A row is an item and, under the name of the step or `answer`, its right answer; `reference`
    names it, and a row of the same reference replaces the one before. Every bad row is told, and
    then nothing is taken.
    """
    with database(settings) as url, connect(url) as conn:
        at = _step(conn, url, process, step, client)
        done = gold_pool.add_gold(
            conn, COMMAND_LINE, at, read_gold(file.read_bytes(), file.name, at), _now_ms()
        )
    click.echo(f"{done.added} added, {done.known} there already, {done.replaced} replaced")


@gold.command()
@click.argument("number", metavar="GOLD", type=int)
@click.option("--reason", required=True, help="why, for the record")
@setting_options()
def retire(settings: Settings, number: int, reason: str) -> None:
    """Take GOLD out of use: it counts for nobody any more, and exams that it decided against
    somebody are judged again."""
    with database(settings) as url, connect(url) as conn:
        gold_pool.retire_gold(conn, COMMAND_LINE, number, reason, _now_ms())
    click.echo(f"gold {number} is retired")


@gold.command()
@setting_options()
def review(settings: Settings) -> None:
    """Look for gold that leaked or is disputed now, as the engine does every hour."""
    with database(settings) as url, connect(url) as conn:
        done = review_gold(conn, _now_ms())
    for number, cause in done.retired.items():
        click.echo(f"gold {number} was retired: {cause}")
    click.echo(f"{done.looked_at} looked at, {len(done.retired)} retired")


def _step(conn: SyncConn, url: str, process: str, step: str, client: str | None) -> GoldStep:
    owner = None if client is None else asyncio.run(_client_id(url, client))
    place = gold_pool.find_place(conn, owner, process, step)
    found = gold_pool.find_step(conn, COMMAND_LINE, place)
    if found.client_id != owner:
        raise NotFound(
            f"{process} is a process of the library.", mend="leave --client out, or publish one"
        )
    return found


async def _client_id(url: str, slug: str) -> int:
    async with connect_async(url) as conn:
        return (await find_client(conn, slug)).id


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
