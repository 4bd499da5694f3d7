"""Agents at work in an engine: one loop that lets them answer, another that teaches and judges.

Both are out of everybody's way: what is computed, is computed in processes of their own.
"""

import logging
import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from canut.agents.arena import duels
from canut.agents.arena.order import order_due
from canut.agents.arena.watching import watch_due
from canut.agents.llm.models_file import ModelsFile
from canut.agents.running.hands import PooledHands
from canut.agents.running.model import AgentAtWork, Hands
from canut.agents.running.runner import BROKEN, Bench, answer_once
from canut.agents.running.workers import Workers
from canut.agents.teaching.teaching import newest_step, teach_due
from canut.db.pool import UNREACHABLE, SyncConn, connect
from canut.engine.clock import now_ms
from canut.errors import Unavailable
from canut.pay.tariffs.per_answer import answer_cost
from canut.questions.base import Question

log = logging.getLogger("canut.engine")

#: does one thing over a connection; whether to do it again at once
Loop = Callable[[SyncConn, Hands, Bench], bool]

#: processes in which the agents of one engine compute
WORKERS = 1
#: seconds between looks for work when there was none
IDLE_S = 0.5
#: seconds between lessons and judgements of duels
TEACH_EVERY_S = 5.0
#: seconds before an engine tries again after the database went away
RETRY_S = 1.0


def run_agents(url: str, models: Path, stop: threading.Event) -> None:
    """Let agents answer, learn and duel until `stop` is set; survives the database going away.
    `models` is the file of language models; there may be none."""
    with Workers(WORKERS) as workers:
        books = partial(connect, url, autocommit=True)
        hands = PooledHands(workers, ModelsFile(models, os.environ), books)
        loops = [(answering, IDLE_S), (teaching, TEACH_EVERY_S)]
        threads = [
            threading.Thread(target=_again, args=(url, hands, stop, *loop), daemon=True)
            for loop in loops
        ]
        for thread in threads:
            thread.start()
        stop.wait()
        for thread in threads:
            thread.join(timeout=10)


def answering(conn: SyncConn, hands: Hands, bench: Bench) -> bool:
    """One pass; whether there was anything to do."""
    return answer_once(conn, hands, bench, now_ms).claimed > 0


def teaching(conn: SyncConn, hands: Hands, bench: Bench) -> bool:
    """What has changed, lessons that are due, duels; whether to look again at once: never."""
    step_of = partial(newest_step, conn, bench)
    watch_due(conn, step_of, now_ms)
    for taught in teach_due(conn, hands, bench, now_ms):
        log.info(
            "agent %d learned from %d examples: %s",
            *(taught.agent_id, taught.worth.examples, taught.role),
        )

    def question_of(agent: AgentAtWork) -> Question | None:
        step = step_of(agent)
        return step.question if step else None

    def person_micro(process_id: int, step_slug: str) -> int | None:
        cost = answer_cost(conn, process_id, step_slug, now_ms())
        return cost.micro if cost else None

    for agent_id, reason in order_due(conn, step_of, now_ms, person_micro).items():
        log.info("agent %d: %s", agent_id, reason)
    for agent, what in duels.judge_duels(conn, question_of, now_ms).items():
        log.warning("agent %d: challenger %s", agent, what)
    return False


def _again(url: str, hands: Hands, stop: threading.Event, once: Loop, idle_s: float) -> None:
    while not stop.is_set():
        bench = Bench()
        try:
            with connect(url, autocommit=True) as conn:
                while not stop.is_set():
                    if not once(conn, hands, bench):
                        stop.wait(idle_s)
        except (*UNREACHABLE, Unavailable):
            stop.wait(RETRY_S)
        except BROKEN:
            log.exception("agents cannot work")
            stop.wait(RETRY_S)
