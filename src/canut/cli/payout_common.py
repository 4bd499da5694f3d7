"""What the commands of `canut payout` and `canut invoice` share."""

import asyncio
import os
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

import click

from canut.db.pool import connect_async
from canut.errors import Invalid, Unauthenticated
from canut.people import credentials
from canut.people.model import Principal
from canut.people.store import find_client, log_in, log_out, principal_of_session


def now() -> int:
    """This moment, in milliseconds UTC."""
    return time.time_ns() // 1_000_000


def ms_of(text: str) -> int:
    """When a day begins, UTC."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no date such as 2026-11-01") from None
    return int(datetime(found.year, found.month, found.day, tzinfo=UTC).timestamp() * 1000)


def person(url: str, email: str) -> Principal:
    """Who this is, by their password: from a prompt, or a line of standard input. Raises
    `Unauthenticated`."""
    if sys.stdin.isatty():
        password: str = click.prompt(f"Password of {email}", hide_input=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            raise Invalid("There is no password.", mend="give it as one line on standard input")

    async def known() -> Principal | None:
        token = await log_in(lambda: connect_async(url), email, password, hours=1)
        async with connect_async(url) as conn:
            found = await principal_of_session(conn, credentials.token_hash(token))
            await log_out(conn, token)
            return found

    found = asyncio.run(known())
    if found is None:
        raise Unauthenticated("The address or the password is not right.")
    return found


def client_id(url: str, slug: str) -> int:
    """Raises `NotFound`."""

    async def find() -> int:
        async with connect_async(url) as conn:
            return (await find_client(conn, slug)).id

    return asyncio.run(find())


def write_file(path: Path, content: bytes) -> None:
    """For the eyes of whoever runs this: it may hold bank data. What is there is replaced."""
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
