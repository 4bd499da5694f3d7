"""Duties as jobs: done once at a time, by whichever engine is free.

The job library (procrastinate) keeps them in PostgreSQL; `canut.engine.loop` is not one of them:
deciding is a loop over facts. Tasks for contributors are not jobs either: they are rows with
leases.
"""

import asyncio
import logging
import threading
from pathlib import Path

import procrastinate
from procrastinate import App, PsycopgConnector

from canut.engine.duties import DUTIES, Duty, Post

log = logging.getLogger("canut.engine")

#: jobs done at once by one engine
CONCURRENCY = 4


def make_app(post: Post) -> App:
    """The duties of an engine as jobs on its database."""
    connector = PsycopgConnector(conninfo=post.url, min_size=1, max_size=CONCURRENCY + 2)
    app = App(connector=connector)
    for duty in DUTIES:
        _add(app, duty, post)
    return app


def _add(app: App, duty: Duty, post: Post) -> None:
    @app.periodic(cron=duty.cron)
    @app.task(name=duty.name, queueing_lock=duty.name, pass_context=False)
    async def job(timestamp: int) -> None:
        await asyncio.to_thread(duty.do, post)


def run_jobs(
    url: str, stop: threading.Event, *, webhooks_private: bool, models: Path | None = None
) -> None:
    """Do jobs until `stop` is set; survives the database going away and coming back."""
    asyncio.run(_run_jobs(Post(url, webhooks_private, models, stop)))


async def _run_jobs(post: Post) -> None:
    while not post.stop.is_set():
        try:
            app = make_app(post)
            async with app.open_async():
                await _until(post.stop, app)
        except (procrastinate.exceptions.ConnectorException, OSError) as error:
            log.warning("jobs wait for the database: %s", error)
            await asyncio.to_thread(post.stop.wait, 1.0)


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
