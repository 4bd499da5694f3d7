"""A server with the API on a database of its own, and keys for everybody."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from msgspec import Struct

from canut.config import Settings, hand_down
from canut.db.pool import connect, connect_async
from canut.people import store as people
from canut.people.model import SignUp
from canut.people.store import COMMAND_LINE
from canut.processes.library import load_shipped
from canut.processes.store import publish
from tests.waiting import wait_for

BOTH = ("batches:read", "batches:write")
#: columns: key, title, and the true category
PRODUCTS = [
    (f"A{n}", f"{brand} {thing}", thing)
    for n, (brand, thing) in enumerate(
        (brand, thing)
        for brand in ("Kelmoor", "Tisserel", "Ondelaine", "Brasquet")
        for thing in ("kettle", "toaster", "lamp")
    )
]
THINGS = ["kettle", "toaster", "lamp"]


class Api(Struct):
    """Where the server is, and the keys of its people."""

    url: str
    database: str
    operator: str
    #: two clients that must not see each other
    soierie: str
    tulle: str
    #: may read batches, nothing else
    reader: str
    #: clients to close at the end
    opened: list[httpx.Client] = []


@contextmanager
def serving(database: str, folder: Path) -> Iterator[Api]:
    """The API over granian, with `catalogue/categorise` published."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = Settings(
        data=str(folder), database_url=database, port=port, rate_per_s=0, webhooks_private=True
    )
    with connect(database) as conn:
        publish(conn, None, load_shipped("catalogue/categorise").definition, 1_790_000_000_000)
        publish(conn, None, load_shipped("reviews/moderate").definition, 1_790_000_000_000)
    keys = asyncio.run(_people(database))
    command = [
        *(sys.executable, "-m", "granian", "--interface", "asgi", "--factory", "--no-ws"),
        *("--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"),
        "canut.web.app:app_factory",
    ]
    log = folder / "server.log"
    with log.open("wb") as out:
        environ = {**os.environ, **hand_down(settings)}
        server = subprocess.Popen(command, env=environ, stdout=out, stderr=out)
        try:
            wait_for(f"{settings.url}/alive", server, log)
            yield Api(settings.url, database, *keys)
        finally:
            server.terminate()
            server.wait(20)


async def _people(database: str) -> list[str]:
    async with connect_async(database) as conn:
        sign_up = SignUp("operator@canut.example", "Odile", "warp and weft and silk")
        account = await people.create_account(conn, COMMAND_LINE, sign_up, roles=("operator",))
        key = await people.create_api_key(
            conn,
            COMMAND_LINE,
            name="operator",
            scopes=("operate", *BOTH),
            account_id=account,
        )
        soierie = await people.create_client(conn, COMMAND_LINE, "soierie", "La Soierie")
        tulle = await people.create_client(conn, COMMAND_LINE, "tulle", "Le Tulle")
        keys = [key.secret]
        for client, scopes in ((soierie, BOTH), (tulle, BOTH), (soierie, BOTH[:1])):
            made = await people.create_api_key(
                conn, COMMAND_LINE, name="program", scopes=scopes, client_id=client
            )
            keys.append(made.secret)
        return keys


def emptied(api: Api) -> None:
    """Nothing is left of the test before but the log: no batch, no contributor, no webhook. Ids
    go on, so that what the server keeps in memory stays true."""
    for client in api.opened:
        client.close()
    api.opened.clear()
    with connect(api.database) as conn:
        # past what forbids to empty the books
        conn.execute("set local session_replication_role = replica")
        conn.execute(
            """truncate batch, batch_step, item, task, assignment, claim_cursor, answer, inbox,
            decision, track, licence, gold, webhook, webhook_delivery, idempotency, frame, panel,
            audit, certificate, dispute, decision_was, step_model, confusion, alike, exam,
            activity, worked, work_time, time_review, earning, ledger_account, ledger_group,
            ledger_transfer, ledger_period, ledger_closing, payout, payout_account, payout_run,
            pay_period, bank_statement, invoice, invoice_series, payment, client_billing
            cascade"""
        )
        conn.execute("delete from tariff")
        conn.execute("delete from api_key where contributor_id is not null")
        conn.execute("delete from contributor")


def decide(database: str) -> None:
    """What the engine does, once."""
    from canut.engine.loop import one_pass
    from canut.work.tasks import Steps

    with connect(database, autocommit=True) as conn:
        one_pass(conn, Steps(), time.time_ns() // 1_000_000)
