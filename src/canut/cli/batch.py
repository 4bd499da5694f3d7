"""`canut batch`: hand work over and take results away, on the machine of the database."""

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click
from rich.console import Console
from rich.table import Table

from canut.cli.common import database, many, setting_options
from canut.config import Settings
from canut.db.pool import Conn, Pool, connect, connect_async, open_pool
from canut.errors import NotFound
from canut.people import store as people
from canut.people.store import COMMAND_LINE
from canut.work import batches, store_intake
from canut.work.model import Batch, BatchState

T = TypeVar("T")

client_option = click.option(
    "--client", required=True, metavar="SLUG", help="short name of the client"
)

#: what reads and writes files, or sends, is slow to import: loaded when it is called
ELSEWHERE = {
    "submit": "canut.cli.batch_files",
    "export": "canut.cli.batch_files",
    "webhook": "canut.cli.batch_webhooks",
}


class Verbs(click.Group):
    """Those of this module, and of `ELSEWHERE`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *ELSEWHERE])

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in ELSEWHERE:
            return super().get_command(ctx, name)
        command: click.Command = getattr(importlib.import_module(ELSEWHERE[name]), name)
        return command


@click.group(cls=Verbs)
def batch() -> None:
    """Hand work over and take results away."""


@batch.command("list")
@click.option("--client", metavar="SLUG", help="only this client's")
@setting_options()
def list_(settings: Settings, client: str | None) -> None:
    """The batches, newest first."""

    with database(settings) as url:
        of = client_id_of(url, client) if client else None
        found = _with_pool(url, lambda pool: batches.list_batches(pool, COMMAND_LINE, limit=200))
    header = ("batch", "key", "state", "items", "process", "version")
    table = Table(*header, box=None, header_style="bold")
    for one in (one for one in found if of in (None, one.client_id)):
        table.add_row(
            str(one.id), one.key, one.state, f"{one.n_items:,}", one.process_slug, str(one.version)
        )
    Console().print(table)


@batch.command("show")
@click.argument("key")
@client_option
@setting_options()
def show_(settings: Settings, key: str, client: str) -> None:
    """How far the batch KEY is."""

    with database(settings) as url:
        found = found_batch(url, client, key)
        steps = _with_pool(url, lambda pool: batches.read_progress(pool, found.id))
    click.echo(
        f"batch {found.id}, {found.key}: {found.name}, {found.state}, {many(found.n_items, 'item')}"
    )
    table = Table("step", "tasks", "answers", "decided", "with experts", box=None)
    for step in steps:
        counts = (step.n_tasks, step.n_answers, step.n_decided, step.n_escalated)
        table.add_row(step.slug, *(f"{count:,}" for count in counts))
    Console().print(table)


def _change(verb: str, state: BatchState, words: str) -> click.Command:
    @click.argument("key")
    @client_option
    @setting_options()
    def change(settings: Settings, key: str, client: str) -> None:
        with database(settings) as url:
            found = found_batch(url, client, key)
            changed = _with_pool(
                url, lambda pool: batches.set_state(pool, COMMAND_LINE, found.id, state)
            )
        click.echo(f"batch {key} is {changed.state}")

    return batch.command(verb, help=words)(change)


_change(
    "pause", "paused", "Stop giving out tasks of the batch KEY; what is claimed may be answered."
)
_change("resume", "running", "Give out tasks of the batch KEY again.")
_change("cancel", "cancelled", "End the batch KEY; its results so far stay.")


def found_batch(url: str, client: str, key: str) -> Batch:
    """The batch of this client's with this key; raises `NotFound`."""
    client_id = client_id_of(url, client)
    with connect(url) as conn:
        found = store_intake.find_batch(conn, client_id, key)
    if found is None:
        raise NotFound(f"{client} has no batch {key!r}.", mend="see canut batch list")
    return found


def client_id_of(url: str, slug: str) -> int:
    """The id of the client of this short name; raises `NotFound`."""
    return asyncio.run(_with_conn(url, lambda conn: people.find_client(conn, slug))).id


def _with_pool(url: str, verb: Callable[[Pool], Awaitable[T]]) -> T:
    async def over() -> T:
        async with open_pool(url, 1) as pool:
            return await verb(pool)

    return asyncio.run(over())


async def _with_conn(url: str, verb: Callable[[Conn], Awaitable[T]]) -> T:
    async with connect_async(url) as conn:
        return await verb(conn)
