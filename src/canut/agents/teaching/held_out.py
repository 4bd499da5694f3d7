"""What a new version says of tasks that its agent has been judged by already.

These were drawn uniformly from live work and decided by people blind, and nobody ever learns from
them or from near copies of them. So they are as fresh for a version made today as on the day when
they were drawn, and what it says of them is evidence about it: it need not wait until as many are
drawn again. Each version spends its own share of delta on them (`delta_share`), for the more
versions are tried on the same tasks, the likelier one of them is lucky.

Not looked back at: more than the newest `LOOK_BACK`; what was drawn before evidence last ended or
narrowed a licence, for the work may have changed; and anything, of an agent that passes tasks by:
only those that it answered ever came into a stream, and a version that knows more would be judged
by what one that knew less could answer.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct, structs

from canut.agents.model import Item, Prediction, Step, items_of
from canut.agents.running import store as store_running
from canut.agents.running.model import AgentAtWork
from canut.agents.teaching import store
from canut.agents.teaching.store import HeldOutRow
from canut.db.pool import SyncConn
from canut.quality.licences import store_blind
from canut.quality.licences.filing import group
from canut.quality.licences.licensing import ShadowAnswer
from canut.quality.licences.streams import confirmed
from canut.quality.model import RIGHT_FROM
from canut.questions.base import Question

#: tasks at most; old work says little of what comes
LOOK_BACK = 1000
#: share of its tasks that an agent has answered, at least, not passed by
ANSWERS_ALL = 0.98


class HeldOut(Struct, frozen=True):
    """Tasks that an agent is judged by."""

    rows: list[HeldOutRow] = []
    #: the same, as agents see them
    items: list[Item] = []


def held_out(conn: SyncConn, agent: AgentAtWork, steps: Sequence[int], step: Step) -> HeldOut:
    """Those that a new version may look back at; `steps` are those of batches that ask what `step`
    asks."""
    if store.answered_share(conn, agent.id) < ANSWERS_ALL:
        return HeldOut()
    rows = store.held_out(conn, agent, steps, LOOK_BACK)
    told = [(row.task_id, row.key, row.payload) for row in rows]
    return HeldOut(rows, items_of(step, told, [row.client_id for row in rows]))


def as_of_now(conn: SyncConn, held: HeldOut) -> HeldOut:
    """The same, with what people have decided meanwhile, for to learn takes its time. In the
    transaction that records what a version says of them: they are held until its end, or what is
    decided this moment would be settled by nobody."""
    waiting = [row.task_id for row in held.rows if row.value is None]
    store_blind.wait_for(conn, waiting)
    since = store.decisions(conn, waiting)
    first = store_blind.first_said(conn, list(since))
    rows = [
        structs.replace(
            row,
            value=since[row.task_id],
            first_said=None if row.lone else first[row.task_id],
        )
        if row.task_id in since
        else row
        for row in held.rows
    ]
    return HeldOut(rows, held.items)


def judged(
    question: Question, held: HeldOut, predictions: Sequence[Prediction]
) -> list[ShadowAnswer]:
    """The evidence that predictions of these tasks are. No answer is a wrong one."""
    decode = msgspec.json.Decoder().decode
    return [
        ShadowAnswer(
            row.task_id,
            said.value,
            said.confidence if said.value is not None else 0.0,
            None if row.value is None else _wrong(question, said.value, decode(row.value)),
            group(question, said.value),
            looked_back=row.value is not None,
            lone=row.lone,
            confirmed=confirmed(question, said.value, row.first_said),
        )
        for row, said in zip(held.rows, predictions, strict=True)
    ]


def keep(
    conn: SyncConn, version_id: int, held: HeldOut, predictions: Sequence[Prediction], now_ms: int
) -> None:
    """Keep them as what the version predicted, and what that cost."""
    of_step: dict[int, list[Prediction]] = {}
    for row, said in zip(held.rows, predictions, strict=True):
        of_step.setdefault(row.batch_step_id, []).append(said)
    for batch_step_id, some in sorted(of_step.items()):
        store_running.keep(conn, version_id, batch_step_id, some, now_ms)


def _wrong(question: Question, said: Any, decided: Any) -> bool:
    return said is None or question.agree(said, decided) < RIGHT_FROM
