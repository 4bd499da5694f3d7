"""The SQL of disputes: a client says that a decision is wrong."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from psycopg import Connection

from canut.db.rows import of

Conn = Connection[Any]


class Contestable(Struct, frozen=True):
    """A decision that somebody wants to contest; locked until the transaction ends."""

    task_id: int
    batch_step_id: int
    item_id: int
    client_id: int
    batch_id: int
    value: Any
    #: disputes about it so far, and those of them that are not settled
    disputes: int
    open: int


class Dispute(Struct, frozen=True):
    """A dispute, as its client sees it."""

    id: int
    client_id: int
    batch_id: int
    #: the client's name of the item, and slug of the step
    key: str
    step: str
    reason: str
    #: what was contested
    was: Any
    opened_ms: int
    #: upheld, overturned or unresolved; None while people answer
    outcome: str | None
    settled_ms: int | None
    #: the decision's value now
    value: Any


class Heard(Struct, frozen=True):
    """An open dispute, the panel of which has settled; values as JSON."""

    id: int
    client_id: int
    batch_id: int
    batch_step_id: int
    item_id: int
    task_id: int
    audit_task: int
    key: str
    step: str
    #: the decision's, and the panel's
    value: str
    verdict: str
    resolved: bool


class Overturned(Struct, frozen=True):
    """A decision that gets the value of its panel."""

    task_id: int
    dispute_id: int
    confidence: float
    #: [contributor, whether their answer is the panel's value: 1 or 0]
    evidence: list[tuple[int, float]]


# the decision of an item at a step; the task is locked, so that two disputes are not opened at once
FIND = """
select t.id as task_id, t.batch_step_id, t.item_id, b.client_id, b.id as batch_id, d.value,
       (select count(*) from dispute x where x.task_id = t.id)::integer as disputes,
       (select count(*) from dispute x where x.task_id = t.id and x.settled_ms is null)::integer
           as open
from item i
join batch b on b.id = i.batch_id
join batch_step s on s.batch_id = b.id and s.slug = %(step)s
join task t on t.item_id = i.id and t.batch_step_id = s.id and t.kind = 'work'
join decision d on d.task_id = t.id
where i.batch_id = %(batch)s and i.key = %(key)s
for update of t"""
OWNER = "select client_id from batch where id = %s"
STEP_SLUGS = "select slug from batch_step where batch_id = %s order by position"

INSERT = """
insert into dispute (client_id, batch_id, batch_step_id, item_id, task_id, reason, was, opened_ms)
select %(client_id)s, %(batch_id)s, %(batch_step_id)s, %(item_id)s, d.task_id, %(reason)s, d.value,
       %(now_ms)s
from decision d where d.task_id = %(task_id)s
returning id"""

# a panel that has agreed with the decision already hears the dispute with as many new people
REOPEN_PANEL = """
update panel set people_max = people_max + 2 * people, value = null, resolved = null,
                 settled_ms = null
where of_task = %s and settled_ms is not null returning task_id, people"""
REOPEN_TASK = """
update task t set decided = false, open = true, slots = %(people)s,
    wanted = %(people)s + (select count(*) from assignment a
        where a.task_id = t.id and a.state in ('claimed', 'submitted'))
where t.id = %(task)s"""

PANEL = "select task_id, value::text, resolved from panel where of_task = %s"

DISPUTES = """
select x.id, x.client_id, x.batch_id, i.key, s.slug as step, x.reason, x.was, x.opened_ms,
       x.outcome, x.settled_ms, d.value
from dispute x
join batch_step s on s.id = x.batch_step_id
join item i on i.batch_id = x.batch_id and i.id = x.item_id
join decision d on d.task_id = x.task_id"""
DISPUTE = f"{DISPUTES} where x.id = %s"
# newest first, from before one on
OF_BATCH = f"{DISPUTES} where x.batch_id = %s and x.id < %s order by x.id desc limit %s"

# steps where a panel has settled what a client disputes
DUE = """
select distinct x.batch_step_id from dispute x join panel p on p.of_task = x.task_id
where x.settled_ms is null and p.settled_ms is not null order by x.batch_step_id limit %s"""
HEARD = """
select x.id, x.client_id, x.batch_id, x.batch_step_id, x.item_id, x.task_id,
       p.task_id as audit_task, i.key, s.slug as step, d.value::text as value,
       p.value::text as verdict, p.resolved
from dispute x
join panel p on p.of_task = x.task_id
join decision d on d.task_id = x.task_id
join batch_step s on s.id = x.batch_step_id
join item i on i.batch_id = x.batch_id and i.id = x.item_id
where x.batch_step_id = %s and x.settled_ms is null and p.settled_ms is not null
order by x.task_id for update of x, d"""

SETTLE = """
update dispute x set outcome = u.outcome, settled_ms = %s
from unnest(%s::bigint[], %s::text[]) as u (id, outcome)
where x.id = u.id and x.settled_ms is null"""

# what a decision was, with the last list that has it so
KEEP = """
insert into decision_was (task_id, batch_step_id, item_id, value, confidence, method, n_answers,
                          evidence, decided_ms, dispute_id, frame_number, until_ms)
select d.task_id, d.batch_step_id, d.item_id, d.value, d.confidence, d.method, d.n_answers,
       d.evidence, d.decided_ms, u.dispute_id,
       coalesce((select max(f.number) from frame f where f.batch_step_id = d.batch_step_id
                 and d.item_id <= f.last_item), 0), %s
from unnest(%s::bigint[], %s::bigint[]) as u (task_id, dispute_id)
join decision d on d.task_id = u.task_id
order by d.task_id"""
# the panel's value is the decision now
OVERTURN = """
update decision d set value = p.value, method = 'panel', decided_ms = %s,
    n_answers = u.n_answers, confidence = u.confidence, evidence = u.evidence
from unnest(%s::bigint[], %s::int2[], %s::real[], %s::jsonb[])
    as u (task_id, n_answers, confidence, evidence)
join panel p on p.of_task = u.task_id
where d.task_id = u.task_id"""


def find(conn: Conn, batch_id: int, key: str, step: str) -> Contestable | None:
    """The decision of an item at a step, locked; None where there is none."""
    values = {"batch": batch_id, "key": key, "step": step}
    found: Contestable | None = (
        conn.cursor(row_factory=of(Contestable)).execute(FIND, values).fetchone()
    )
    return found


def owner(conn: Conn, batch_id: int) -> int | None:
    """Whose batch it is."""
    row = conn.execute(OWNER, [batch_id]).fetchone()
    return None if row is None else int(row[0])


def step_slugs(conn: Conn, batch_id: int) -> list[str]:
    return [row[0] for row in conn.execute(STEP_SLUGS, [batch_id])]


def insert(conn: Conn, of_: Contestable, reason: str, now_ms: int) -> int:
    values = {
        "client_id": of_.client_id,
        "batch_id": of_.batch_id,
        "batch_step_id": of_.batch_step_id,
        "item_id": of_.item_id,
        "task_id": of_.task_id,
        "reason": reason,
        "now_ms": now_ms,
    }
    row = conn.execute(INSERT, values).fetchone()
    assert row is not None
    return int(row[0])


def panel(conn: Conn, task_id: int) -> tuple[int, str | None, bool | None]:
    """(audit task, value as JSON, resolved) of the panel of a task; None, None until settled."""
    row = conn.execute(PANEL, [task_id]).fetchone()
    assert row is not None
    return row[0], row[1], row[2]


def reopen(conn: Conn, task_id: int) -> None:
    """Ask as many new people again as the panel of this task began with."""
    row = conn.execute(REOPEN_PANEL, [task_id]).fetchone()
    if row is not None:
        conn.execute(REOPEN_TASK, {"task": row[0], "people": row[1]})


def dispute(conn: Conn, dispute_id: int) -> Dispute | None:
    found: Dispute | None = (
        conn.cursor(row_factory=of(Dispute)).execute(DISPUTE, [dispute_id]).fetchone()
    )
    return found


def of_batch(conn: Conn, batch_id: int, before: int, limit: int) -> list[Dispute]:
    """Disputes of a batch, newest first, from before one on."""
    cursor = conn.cursor(row_factory=of(Dispute))
    return cursor.execute(OF_BATCH, [batch_id, before, limit]).fetchall()


def due(conn: Conn, limit: int) -> list[int]:
    """Steps of batches with disputes that a panel has settled."""
    return [row[0] for row in conn.execute(DUE, [limit])]


def heard(conn: Conn, batch_step_id: int) -> list[Heard]:
    """Open disputes of a step that a panel has settled, locked with their decisions."""
    return conn.cursor(row_factory=of(Heard)).execute(HEARD, [batch_step_id]).fetchall()


def settle(conn: Conn, ids: Sequence[int], outcomes: Sequence[str], now_ms: int) -> None:
    conn.execute(SETTLE, [now_ms, list(ids), list(outcomes)])


def overturn(conn: Conn, rows: Sequence[Overturned], now_ms: int) -> None:
    """Keep what these decisions were, and give them their panel's value."""
    tasks = [row.task_id for row in rows]
    conn.execute(KEEP, [now_ms, tasks, [row.dispute_id for row in rows]])
    # as `canut.work.evidence` keeps it
    evidence = [msgspec.json.encode([0, *row.evidence]).decode() for row in rows]
    confidence = [row.confidence for row in rows]
    numbers = [len(row.evidence) for row in rows]
    conn.execute(OVERTURN, [now_ms, tasks, numbers, confidence, evidence])
