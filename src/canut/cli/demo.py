"""`canut demo`: the whole path on sample data, with simulated contributors."""

import asyncio
import math
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import httpx
import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from canut.cli.common import database, setting_options
from canut.cli.demo_data import ACCOUNTS, PASSWORD, TRUTH_COLUMN, Demo, client_key, make_demo
from canut.cli.demo_pay import write_coop
from canut.cli.serve import running
from canut.cli.simulate import answer_batch
from canut.cli.simulate_report import Plan, Report, show
from canut.cli.simulate_truth import Truth
from canut.config import Settings, hand_down
from canut.errors import Unavailable
from canut.processes.model import REFERENCE
from canut.quality.figures import as_belief
from canut.sdk import Canut
from canut.sdk import values as v

#: folder of the demo's database where none was asked for: never that of a real server
FOLDER = "canut-demo"
#: seconds a simulated contributor thinks about a task, so that a visitor can watch and join in
PACE_S = 1.5
START_S_MAX = 60
#: decisions shown by `--once`
ROWS_SHOWN = 12
#: characters of a title shown, so that a row fits a terminal of 80
TITLE_WIDTH = 16


@click.command()
@click.option("--once", is_flag=True, help="work the sample off, print the result, and exit")
@setting_options("host", "port", "public_url")
def demo(settings: Settings, once: bool) -> None:
    """A platform with sample data: watch a batch being decided, log in, and answer beside the
    simulated contributors. Ctrl-C stops it; the next `canut demo` goes on where it was."""
    if once:
        _once(settings)
        return
    if settings.data == Settings().data:
        settings = msgspec.structs.replace(settings, data=FOLDER)
    with running(settings) as (url, server):
        made = asyncio.run(make_demo(url, time.time_ns() // 1_000_000))
        write_coop(settings.coop_file)
        _introduce(settings)
        worker = threading.Thread(target=_answer, args=(settings, url, made), daemon=True)
        worker.start()
        server.serve()


def _introduce(settings: Settings) -> None:
    table = Table(title=f"Canut is at {settings.url}", title_justify="left")
    table.add_column("log in as")
    table.add_column("with the address")
    table.add_column("and the password")
    for role, account in ACCOUNTS.items():
        table.add_row(role, account.email, PASSWORD)
    Console().print(table)
    click.echo("Contributors named Simulated are programs. The money is play money. Ctrl-C stops.")


def _answer(settings: Settings, url: str, made: Demo) -> None:
    """Work the catalogue off at the pace of people."""
    _wait_until_up(settings.url)
    # a person may hold a task for as long as it is theirs: what they leave is still to be answered
    plan = msgspec.structs.replace(_plan(made, PACE_S), stuck_s=math.inf)
    report = asyncio.run(answer_batch(settings.url, url, _truth(made), plan))
    click.echo(f"The batch is {report.state}: {settings.url}/batches/{made.batch_id}")


def _once(settings: Settings) -> None:
    with tempfile.TemporaryDirectory(prefix="canut-demo-") as folder:
        # root hands the database to an unprivileged account, which must be able to enter
        Path(folder).chmod(0o711)
        settings = msgspec.structs.replace(
            settings, data=f"{folder}/data", port=_free_port(), rate_per_s=0.0
        )
        with database(settings) as url, _served(settings, url):
            made = asyncio.run(make_demo(url, time.time_ns() // 1_000_000))
            report = asyncio.run(answer_batch(settings.url, url, _truth(made), _plan(made, 0.0)))
            _show_decisions(settings, url, made)
    show(report, _plan(made, 0.0))
    _fail_unless_delivered(report)


@contextmanager
def _served(settings: Settings, url: str) -> Iterator[None]:
    """`canut serve` beside us, on our database."""
    settings = msgspec.structs.replace(settings, database_url=url)
    process = subprocess.Popen(
        [sys.executable, "-m", "canut", "serve"],
        env=os.environ | hand_down(settings),
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait_until_up(settings.url)
        yield
    finally:
        process.terminate()
        process.wait()


def _wait_until_up(url: str) -> None:
    deadline = time.monotonic() + START_S_MAX
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/alive", timeout=2).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise Unavailable(f"The server at {url} does not answer.")


def _plan(made: Demo, pace_s: float) -> Plan:
    return Plan(
        batch=made.batch_id,
        contributors=6,
        experts=1,
        error=0.1,
        expert_error=0.02,
        spread=0.05,
        seed=1,
        packet=3,
        pace_s=pace_s,
        key_column=REFERENCE,
        # two answer a draw, and a third where they differ
        auditors=3,
    )


def _truth(made: Demo) -> Truth:
    return Truth(made.truth, TRUTH_COLUMN)


def _show_decisions(settings: Settings, url: str, made: Demo) -> None:
    """The first decisions, as a client gets them: through the API."""
    truth = {row[REFERENCE]: row for row in made.truth}
    table = Table(title="The first decisions", box=SIMPLE_HEAD, pad_edge=False)
    for column in ("key", "title", "category", "belief", "answers", "method"):
        table.add_column(column, no_wrap=True)
    for decision in _decisions(settings, url, made)[:ROWS_SHOWN]:
        row = truth[decision.key]
        right = decision.value == row[TRUTH_COLUMN]
        table.add_row(
            decision.key,
            row["title"][:TITLE_WIDTH],
            f"{decision.value}" if right else f"{decision.value} (truth: {row[TRUTH_COLUMN]})",
            as_belief(decision.confidence, "en", 0),
            str(decision.n_answers),
            decision.method,
        )
    Console().print(table)


def _decisions(settings: Settings, url: str, made: Demo) -> list[v.Decision]:
    key = asyncio.run(client_key(url))
    with Canut(settings.url, key=key) as canut:
        return list(canut.batches.get(made.batch_id).decisions())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _fail_unless_delivered(report: Report) -> None:
    if report.state != "delivered":
        raise SystemExit(f"canut: the batch is {report.state}, not delivered")
