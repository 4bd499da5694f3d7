"""What engines do regularly besides deciding: each duty is done by whichever engine is free.

A duty opens a connection of its own, may be killed at any moment, and goes on at its next turn.
"""

import asyncio
import contextlib
import logging
import os
import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from msgspec import Struct

from canut.agents.arena import calendar
from canut.agents.llm.models import load_models
from canut.agents.running.hands import OwnHands
from canut.agents.running.runner import Bench
from canut.agents.teaching.teaching import newest_step
from canut.channels import webhooks
from canut.db.pool import UNREACHABLE, SyncConn, connect, connect_async
from canut.engine.audits import advance
from canut.engine.clock import now_ms
from canut.engine.pay import cover, settle, square
from canut.insight import operations, progress, search
from canut.people import store as people
from canut.quality.audits.draws import new_seed
from canut.quality.beliefs.sweep import sweep_due
from canut.quality.exams import sitting as exams
from canut.quality.gold import review as gold_review
from canut.quality.licences import people_watch
from canut.quality.licences.licensing import review_due

log = logging.getLogger("canut.engine")

#: webhooks tried in one turn: were each to take its time, they would still end before another
#: engine may take them over (`webhooks.LEASE_MS`)
WEBHOOKS_PER_TURN = 10


class Post(Struct, frozen=True):
    """Where an engine does its duties."""

    url: str
    #: whether webhooks may go to private addresses
    webhooks_private: bool
    #: file of language models; there may be none
    models: Path | None
    #: set when the engine ends: long duties end early
    stop: threading.Event


class Duty(Struct, frozen=True):
    """Something done regularly."""

    #: when, as cron with seconds first where there are six parts
    cron: str
    act: Callable[[SyncConn, Post], None]

    @property
    def name(self) -> str:
        """Its name, also as a job."""
        return self.act.__name__

    def do(self, post: Post) -> None:
        """One turn, on a connection of its own."""
        with connect(post.url, autocommit=True) as conn:
            self.act(conn, post)


class _Stopped(Exception):
    """The engine ends; what a duty had not written is as if it had not begun."""


def send_webhooks(conn: SyncConn, post: Post) -> None:
    """Try every webhook whose time has come."""
    for delivery in webhooks.due(conn, now_ms(), WEBHOOKS_PER_TURN):
        try:
            webhooks.attempt(conn, delivery, now_ms(), _jitter(), private=post.webhooks_private)
        except UNREACHABLE:
            raise
        except Exception:
            # one that surprises us must not keep the others from leaving
            log.exception("webhook delivery %d", delivery)


def advance_audits(conn: SyncConn, _: Post) -> None:
    """Close lists of decisions, draw audits, settle disputes, state what is proved."""
    advance(conn, now_ms)


def take_pulse(conn: SyncConn, _: Post) -> None:
    """Write down what goes on, so that operators know what is usual."""
    operations.take_pulse(conn)
    progress.take_pulses(conn, now_ms())


def cover_work(conn: SyncConn, _: Post) -> None:
    """Let tasks go as far as the money of their batches covers them."""
    cover(conn, now_ms())


def settle_work(conn: SyncConn, _: Post) -> None:
    """Count times, pay what was answered, look at prices, accept what was held long enough, settle
    the period that is over."""
    settle(conn, now_ms)


def square_accounts(conn: SyncConn, _: Post) -> None:
    """Give back what batches did not use, take the tax that clients owe, publish open accounts."""
    square(conn, now_ms())


def forget_expired(_: SyncConn, post: Post) -> None:
    """Sessions, invitations and kept replies whose time is over."""

    async def forget() -> None:
        # the store of people is made for requests, which are asynchronous
        async with connect_async(post.url) as conn:
            await people.forget_expired(conn)

    asyncio.run(forget())


def review_gold(conn: SyncConn, _: Post) -> None:
    """Retire gold that leaked or is disputed; end exams that nobody went on with."""
    done = gold_review.review_gold(conn, now_ms())
    exams.abandon_idle(conn, now_ms())
    for gold, cause in done.retired.items():
        log.warning("gold %d was retired: %s", gold, cause)


def review_licences(conn: SyncConn, _: Post) -> None:
    """Judge agents' licences by the blind answers that people have decided since."""
    for change in review_due(conn, new_seed, now_ms()):
        log.warning(
            "licence %d was %s: now %d", change.licence.id, change.becomes, change.licence_id
        )


def watch_licences(conn: SyncConn, _: Post) -> None:
    """Hold people's licences against their blind evidence; flag, never end."""
    for licence in people_watch.watch_due(conn, now_ms()):
        log.warning("licence %d was flagged: a person must look", licence)


def look_at_calendar(conn: SyncConn, post: Post) -> None:
    """Try successors of language models that end, and pause agents whose model is gone: the
    calendar is held against today, UTC."""
    if post.models is None or not post.models.exists():
        return
    known = load_models(post.models, os.environ)
    step_of = partial(newest_step, conn, Bench())
    today = datetime.now(UTC).date()
    for one in calendar.look(conn, known, OwnHands(known), step_of, today, now_ms):
        log.warning(
            "agent %d: model %s ends on %s: %s",
            *(one.agent_id, one.model, one.shutdown, one.did or one.state),
        )


def weave_words(conn: SyncConn, post: Post) -> None:
    """Gather the words of items that came in, so that searches are short."""
    while not post.stop.is_set() and search.weave_blocks(conn):
        pass


def sweep(conn: SyncConn, post: Post) -> None:
    """Fit anew what is known at steps whose answers have grown by a fifth, until the engine
    ends."""

    def go_on() -> None:
        if post.stop.is_set():
            raise _Stopped

    with contextlib.suppress(_Stopped):
        sweep_due(conn, now_ms(), go_on)


def _jitter() -> float:
    return random.random()  # noqa: S311 - spreads retries, guards no secret


DUTIES = (
    Duty("* * * * * */2", send_webhooks),
    Duty("* * * * * */2", advance_audits),
    Duty("* * * * * */2", cover_work),
    Duty("* * * * * */5", review_licences),
    Duty("* * * * * */5", weave_words),
    Duty("* * * * *", take_pulse),
    Duty("* * * * *", settle_work),
    Duty("* * * * *", sweep),
    Duty("*/10 * * * *", square_accounts),
    Duty("11 * * * *", watch_licences),
    Duty("17 * * * *", forget_expired),
    Duty("23 * * * *", look_at_calendar),
    Duty("41 * * * *", review_gold),
)
