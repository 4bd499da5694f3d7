"""An agent that cannot work now, through no fault of the items: no money is left, or no server."""

from collections.abc import Sequence
from typing import Any

from canut.agents import store
from canut.agents.llm.words import why
from canut.agents.model import Prediction
from canut.agents.running.model import AgentAtWork
from canut.db.pool import SyncConn
from canut.errors import CanutError

#: how long an agent in trouble waits
PAUSE_MS = 60_000
#: how long one waits for money; somebody may raise the budget
MONEY_MS = 600_000
_DAY_MS = 86_400_000


class Waits(CanutError):
    """It waits, and the work goes on to others."""

    def __init__(self, text: dict[str, str], wait_ms: int):
        """`text` says why, by language; `wait_ms`: how long it waits at least."""
        super().__init__(text["en"])
        self.text = text
        self.wait_ms = wait_ms


def waits(predictions: Sequence[Prediction], now_ms: int, pause_ms: int) -> Waits | None:
    """Why an agent waits after these; None where it need not."""
    late = [one for one in predictions if one.later]
    if not late:
        return None
    told: dict[str, Any] = late[0].evidence
    fault = str(told.get("passed", ""))
    text = why(fault, str(told.get("detail", "")))
    if fault != "budget":
        return Waits(text, pause_ms)
    # a day's money comes back at midnight, of UTC, as does a month's
    return Waits(text, min(MONEY_MS, _DAY_MS - now_ms % _DAY_MS))


def wait_for(conn: SyncConn, agent: AgentAtWork, wait: Waits, now_ms: int) -> None:
    """It gets no work until then, and the record says why, once."""
    _pause(conn, agent, "waits", wait.message, {"text": wait.text}, now_ms + wait.wait_ms, now_ms)


def in_trouble(conn: SyncConn, agent: AgentAtWork, why: str, now_ms: int) -> None:
    """Something is wrong with it: it tries again after a pause."""
    _pause(conn, agent, "trouble", why, {}, now_ms + PAUSE_MS, now_ms)


def _pause(
    conn: SyncConn,
    agent: AgentAtWork,
    kind: str,
    why: str,
    detail: dict[str, Any],
    until_ms: int,
    now_ms: int,
) -> None:
    with conn.transaction():
        store.trouble(conn, agent.id, why, until_ms)
        if agent.trouble != why:
            store.note(conn, agent.id, kind, {"why": why, **detail}, now_ms)
