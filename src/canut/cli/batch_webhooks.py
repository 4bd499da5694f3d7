"""`canut batch webhook`: where a client is told that a batch is delivered."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from canut.channels import webhooks
from canut.channels.store import audit
from canut.cli.common import database, setting_options
from canut.config import Settings
from canut.db.pool import connect, connect_async
from canut.people.store import COMMAND_LINE, find_client

_client = click.option("--client", required=True, metavar="SLUG", help="short name of the client")


@click.group()
def webhook() -> None:
    """Tell a client's server when a batch is delivered."""


@webhook.command()
@click.argument("url")
@_client
@setting_options()
def add(settings: Settings, url: str, client: str) -> None:
    """Tell URL. Prints the secret that proves who calls; it is not shown again."""
    with _opened(settings, client) as (conn, client_id):
        made = webhooks.create(conn, client_id, url, _now_ms(), private=settings.webhooks_private)
        detail = {"url": url}
        audit(conn, COMMAND_LINE, "create.webhook", "webhook", made.id, detail, client_id)
    click.echo(f"webhook {made.id}: {made.url}\nsecret: {made.secret}")


@webhook.command("list")
@_client
@setting_options()
def list_(settings: Settings, client: str) -> None:
    """The client's webhooks, each with how its last delivery went."""
    with _opened(settings, client) as (conn, client_id):
        found = webhooks.webhooks(conn, client_id)
    table = Table("webhook", "url", "", "last delivery", "", box=None, header_style="bold")
    for one in found:
        state = "removed" if one.disabled_ms else ""
        table.add_row(str(one.id), one.url, state, one.last_state or "none", one.last_error or "")
    Console().print(table)


@webhook.command()
@click.argument("number", type=int)
@_client
@setting_options()
def remove(settings: Settings, number: int, client: str) -> None:
    """Send nothing more to the webhook NUMBER."""
    with _opened(settings, client) as (conn, client_id):
        webhooks.disable(conn, client_id, number, _now_ms())
        audit(conn, COMMAND_LINE, "disable.webhook", "webhook", number, {}, client_id)
    click.echo(f"webhook {number} is removed")


@webhook.command()
@click.argument("number", type=int)
@_client
@setting_options()
def test(settings: Settings, number: int, client: str) -> None:
    """Send an event that says nothing to the webhook NUMBER, now."""
    with _opened(settings, client) as (conn, client_id):
        delivery = webhooks.send_test(conn, client_id, number, _now_ms())
        conn.commit()
        private = settings.webhooks_private
        arrived = webhooks.attempt(conn, delivery, _now_ms(), 0.0, private=private)
        conn.commit()
        last = next(one for one in webhooks.webhooks(conn, client_id) if one.id == number)
    if not arrived:
        raise click.ClickException(f"it did not arrive: {last.last_error}; it will be tried again")
    click.echo("it arrived")


@contextmanager
def _opened(settings: Settings, client: str) -> Iterator[tuple[Any, int]]:
    async def look(url: str) -> int:
        async with connect_async(url) as conn:
            return (await find_client(conn, client)).id

    with database(settings) as url:
        client_id = asyncio.run(look(url))
        with connect(url) as conn:
            yield conn, client_id


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
