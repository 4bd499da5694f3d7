"""The SQL of the task screen: one SQL function a verb (db/functions/screen.sql)."""

from typing import Any

import msgspec
from psycopg import AsyncConnection
from psycopg.types.multirange import Multirange
from psycopg.types.range import Range

from canut.db.rows import of
from canut.work.model import TaskRef
from canut.work.remarks import Remark
from canut.work.screen_model import Finished, Span

Async = AsyncConnection[Any]

FINISH = """
select finish_task(%(who)s, %(task)s, %(step)s, %(act)s, %(value)s::jsonb, %(after)s, %(kind)s,
                   %(reason)s, %(note)s, %(intervals)s::int8multirange, %(acted)s, %(now)s)"""
WITHDRAW = "select withdraw_answer(%s, %s, %s, %s, %s, %s)"

# what contributors said of the tasks of a batch, newest first
REMARKS = """
select r.kind, r.reason, r.note, r.made_ms, i.key as reference, t.decided,
       s.slug as step
from batch_step s
join remark r on r.batch_step_id = s.id
join task t on t.id = r.task_id and t.kind = 'work'
join item i on i.batch_id = s.batch_id and i.id = t.item_id
where s.batch_id = %s order by r.made_ms desc limit %s"""


async def finish(
    conn: Async, contributor_id: int, done: Finished, after_ms: int, now_ms: int
) -> str:
    """What became of it: an outcome of `finish_task`."""
    answered = done.act == "answer"
    row = await conn.execute(
        FINISH,
        {
            "who": contributor_id,
            "task": done.ref.task_id,
            "step": done.ref.batch_step_id,
            "act": done.act,
            "value": msgspec.json.encode(done.value).decode() if answered else None,
            "after": after_ms,
            "kind": done.kind,
            "reason": done.reason,
            "note": done.note,
            "intervals": Multirange([_range(span) for span in done.spans]),
            "acted": done.acted_ms,
            "now": now_ms,
        },
    )
    found = await row.fetchone()
    return str(found[0]) if found else "unknown"


async def withdraw(
    conn: Async, contributor_id: int, ref: TaskRef, lease_ms: int, acted_ms: int, now_ms: int
) -> str:
    """What became of it: an outcome of `withdraw_answer`."""
    values = [contributor_id, ref.task_id, ref.batch_step_id, lease_ms, acted_ms, now_ms]
    found = await (await conn.execute(WITHDRAW, values)).fetchone()
    return str(found[0]) if found else "unknown"


async def remarks(conn: Async, batch_id: int, limit: int) -> list[Remark]:
    cursor = conn.cursor(row_factory=of(Remark))
    return await (await cursor.execute(REMARKS, [batch_id, limit])).fetchall()


def _range(span: Span) -> Range[int]:
    return Range(span.from_ms, span.to_ms)
