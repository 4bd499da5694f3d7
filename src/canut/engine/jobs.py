"""Jobs: what is to be done once, later or regularly, by whichever engine is free.

The job library (procrastinate) keeps them in PostgreSQL; `canut.engine.loop` is not one of them:
deciding is a loop over facts. Tasks for contributors are not jobs either: they are rows with
leases.
"""

import asyncio
import contextlib
import importlib.resources
import logging
import os
import random
import secrets
import threading
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import procrastinate
from procrastinate import App, PsycopgConnector

from canut.agents.arena import calendar
from canut.agents.llm.models import load_models
from canut.agents.running.hands import OwnHands
from canut.agents.running.runner import Bench
from canut.agents.teaching.teaching import newest_step
from canut.channels import webhooks
from canut.db.migrate import Script
from canut.db.pool import UNREACHABLE, connect, connect_async
from canut.engine.audits import advance
from canut.engine.clock import now_ms
from canut.engine.pay import cover, settle
from canut.insight import operations, progress, search
from canut.people import store as people
from canut.quality.beliefs.sweep import sweep_due
from canut.quality.exams import sitting as exams
from canut.quality.gold import review as gold_review
from canut.quality.licences import people_watch
from canut.quality.licences.licensing import review_due

log = logging.getLogger("canut.engine")

#: webhooks tried in one job: were each to take its time, they would still end before another
#: engine may take them over (`webhooks.LEASE_MS`)
WEBHOOKS_PER_JOB = 10
#: jobs done at once by one engine
CONCURRENCY = 4


def job_scripts() -> list[Script]:
    """The library's migrations, in its order, each applied once like ours."""
    folder = importlib.resources.files("procrastinate.sql") / "migrations"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [Script(f"jobs_{f.name[:-4]}", f.read_text("utf-8"), repeatable=False) for f in files]


def make_app(
    url: str,
    *,
    webhooks_private: bool,
    models: Path | None = None,
    stop: threading.Event | None = None,
) -> App:
    """Our jobs on this database; long ones end early when `stop` is set. `models` is the file of
    language models; there may be none."""
    app = App(connector=PsycopgConnector(conninfo=url, min_size=1, max_size=CONCURRENCY + 2))

    @app.periodic(cron="* * * * * */2")
    @app.task(queueing_lock="send_webhooks", pass_context=False)
    async def send_webhooks(timestamp: int) -> None:
        """Try every webhook whose time has come."""
        await asyncio.to_thread(_send_webhooks, url, webhooks_private)

    @app.periodic(cron="* * * * * */2")
    @app.task(queueing_lock="advance_audits", pass_context=False)
    async def advance_audits(timestamp: int) -> None:
        """Close lists of decisions, draw audits, settle disputes, state what is proved."""
        await asyncio.to_thread(_advance_audits, url)

    @app.periodic(cron="* * * * *")
    @app.task(queueing_lock="take_pulse", pass_context=False)
    async def take_pulse(timestamp: int) -> None:
        """Write down what goes on, so that operators know what is usual."""
        await asyncio.to_thread(_take_pulse, url)

    @app.periodic(cron="* * * * * */2")
    @app.task(queueing_lock="cover_work", pass_context=False)
    async def cover_work(timestamp: int) -> None:
        """Let tasks go as far as the money of their batches covers them."""
        await asyncio.to_thread(_cover, url)

    @app.periodic(cron="* * * * *")
    @app.task(queueing_lock="settle_work", pass_context=False)
    async def settle_work(timestamp: int) -> None:
        """Count times, pay what was answered, look at prices, accept what was held long enough."""
        await asyncio.to_thread(_settle, url)

    @app.periodic(cron="17 * * * *")
    @app.task(queueing_lock="forget_expired", pass_context=False)
    async def forget_expired(timestamp: int) -> None:
        """Sessions, invitations and kept replies whose time is over."""
        async with connect_async(url) as conn:
            await people.forget_expired(conn)

    @app.periodic(cron="41 * * * *")
    @app.task(queueing_lock="review_gold", pass_context=False)
    async def review_gold(timestamp: int) -> None:
        """Retire gold that leaked or is disputed; end exams that nobody went on with."""
        await asyncio.to_thread(_review_gold, url)

    @app.periodic(cron="* * * * * */5")
    @app.task(queueing_lock="review_licences", pass_context=False)
    async def review_licences(timestamp: int) -> None:
        """Judge agents' licences by the blind answers that people have decided since."""
        await asyncio.to_thread(_review_licences, url)

    @app.periodic(cron="11 * * * *")
    @app.task(queueing_lock="watch_people", pass_context=False)
    async def watch_people(timestamp: int) -> None:
        """Hold people's licences against their blind evidence; flag, never end."""
        await asyncio.to_thread(_watch_people, url)

    @app.periodic(cron="23 * * * *")
    @app.task(queueing_lock="look_at_calendar", pass_context=False)
    async def look_at_calendar(timestamp: int) -> None:
        """Try successors of language models that end, and pause agents whose model is gone."""
        await asyncio.to_thread(look_at_models, url, models)

    @app.periodic(cron="* * * * * */5")
    @app.task(queueing_lock="weave_words", pass_context=False)
    async def weave_words(timestamp: int) -> None:
        """Gather the words of items that came in, so that searches are short."""
        await asyncio.to_thread(_weave_words, url, stop or threading.Event())

    @app.periodic(cron="* * * * *")
    @app.task(queueing_lock="sweep", pass_context=False)
    async def sweep(timestamp: int) -> None:
        """Fit anew what is known at steps whose answers have grown by a fifth."""
        await asyncio.to_thread(sweep_grown, url, stop or threading.Event())

    return app


class _Stopped(Exception):
    """The engine ends; what a job had not written is as if it had not begun."""


def sweep_grown(url: str, stop: threading.Event) -> None:
    """Sweep the steps that have grown, until `stop` is set."""

    def go_on() -> None:
        if stop.is_set():
            raise _Stopped

    with connect(url, autocommit=True) as conn, contextlib.suppress(_Stopped):
        sweep_due(conn, now_ms(), go_on)


def look_at_models(url: str, models: Path | None) -> None:
    """Hold the calendar of language models against today, UTC."""
    if models is None or not models.exists():
        return
    known = load_models(models, os.environ)
    with connect(url, autocommit=True) as conn:
        step_of = partial(newest_step, conn, Bench())
        today = datetime.now(UTC).date()
        for one in calendar.look(conn, known, OwnHands(known), step_of, today, now_ms):
            log.warning(
                "agent %d: model %s ends on %s: %s",
                *(one.agent_id, one.model, one.shutdown, one.did or one.state),
            )


def _take_pulse(url: str) -> None:
    with connect(url, autocommit=True) as conn:
        operations.take_pulse(conn)
        progress.take_pulses(conn, now_ms())


def _weave_words(url: str, stop: threading.Event) -> None:
    with connect(url, autocommit=True) as conn:
        while not stop.is_set() and search.weave_blocks(conn):
            pass


def _review_gold(url: str) -> None:
    with connect(url, autocommit=True) as conn:
        done = gold_review.review_gold(conn, now_ms())
        exams.abandon_idle(conn, now_ms())
    for gold, cause in done.retired.items():
        log.warning("gold %d was retired: %s", gold, cause)


def _review_licences(url: str) -> None:
    with connect(url, autocommit=True) as conn:
        for change in review_due(conn, lambda: secrets.token_hex(32), now_ms()):
            log.warning(
                "licence %d was %s: now %d", change.licence.id, change.becomes, change.licence_id
            )


def _watch_people(url: str) -> None:
    with connect(url, autocommit=True) as conn:
        for licence in people_watch.watch_due(conn, now_ms()):
            log.warning("licence %d was flagged: a person must look", licence)


def _send_webhooks(url: str, private: bool) -> None:
    with connect(url, autocommit=True) as conn:
        for delivery in webhooks.due(conn, now_ms(), WEBHOOKS_PER_JOB):
            try:
                webhooks.attempt(conn, delivery, now_ms(), _jitter(), private=private)
            except UNREACHABLE:
                raise
            except Exception:
                # one that surprises us must not keep the others from leaving
                log.exception("webhook delivery %d", delivery)


def _advance_audits(url: str) -> None:
    with connect(url, autocommit=True) as conn:
        advance(conn, now_ms)


def _cover(url: str) -> None:
    with connect(url, autocommit=True) as conn:
        cover(conn, now_ms())


def _settle(url: str) -> None:
    with connect(url, autocommit=True) as conn:
        settle(conn, now_ms)


def _jitter() -> float:
    return random.random()  # noqa: S311 - spreads retries, guards no secret


def run_jobs(
    url: str, stop: threading.Event, *, webhooks_private: bool, models: Path | None = None
) -> None:
    """Do jobs until `stop` is set; survives the database going away and coming back."""
    asyncio.run(_run_jobs(url, stop, webhooks_private, models))


async def _run_jobs(
    url: str, stop: threading.Event, webhooks_private: bool, models: Path | None
) -> None:
    while not stop.is_set():
        try:
            app = make_app(url, webhooks_private=webhooks_private, models=models, stop=stop)
            async with app.open_async():
                await _until(stop, app)
        except (procrastinate.exceptions.ConnectorException, OSError) as error:
            log.warning("jobs wait for the database: %s", error)
            await asyncio.to_thread(stop.wait, 1.0)


async def _until(stop: threading.Event, app: App) -> None:
    worker = asyncio.create_task(
        app.run_worker_async(
            concurrency=CONCURRENCY,
            install_signal_handlers=False,
            delete_jobs="always",
            shutdown_graceful_timeout=10,
        )
    )
    stopped = asyncio.create_task(asyncio.to_thread(stop.wait))
    await asyncio.wait({worker, stopped}, return_when=asyncio.FIRST_COMPLETED)
    worker.cancel()
    try:
        await worker
    except asyncio.CancelledError:
        return
