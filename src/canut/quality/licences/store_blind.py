"""The SQL of blind answers: an agent's answers to tasks that people decide without it."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from psycopg import Connection

from canut.db.rows import of
from canut.quality.licences.unseen import Confirmed
from canut.quality.model import BlindAnswer

Sync = Connection[Any]

RECORD = """
insert into blind_answer (root, licence_id, contributor_id, task_id, value, confidence, slice, lone)
select coalesce(l.root, l.id), l.id, l.contributor_id, u.task_id, u.value, u.confidence, u.slice,
       u.lone
from unnest(%s::bigint[], %s::bigint[], %s::jsonb[], %s::real[], %s::text[], %s::boolean[])
    with ordinality as u (licence_id, task_id, value, confidence, slice, lone, place)
join licence l on l.id = u.licence_id
order by u.place
on conflict do nothing"""

# answers that have no voice: they fell into a stream when they were first weighed
SHADOWED = "select task_id, contributor_id from blind_answer where task_id = any (%s)"

# answers to tasks that one person settles who agrees with all of them
LONE = """
select task_id, value::text from blind_answer b
where task_id = any (%s) and wrong is null and lone
  and not exists (select from blind_answer o where o.task_id = b.task_id and not o.lone)"""

OPEN_BLIND = """
select id, licence_id, task_id, value::text, lone from blind_answer
where task_id = any (%s) and wrong is null order by id for update"""

SETTLE = """
update blind_answer b set wrong = u.wrong, confirmed = u.confirmed, settled_ms = %s
from unnest(%s::bigint[], %s::boolean[], %s::boolean[]) as u (id, wrong, confirmed)
where b.id = u.id"""

#: what the first person to answer `b.task_id` said
FIRST_GIVEN = """(
    select a.value::text from answer a
    join contributor c on c.id = a.contributor_id and c.kind = 'person'
    where a.task_id = b.task_id order by a.submitted_ms, a.contributor_id limit 1)"""
FIRST_SAID = f"""
select b.task_id, {FIRST_GIVEN} from unnest(%s::bigint[]) as b (task_id)"""  # noqa: S608 - a query of ours

# what was judged by two at least
CONFIRMED = """
select count(*)::int as judged, (count(*) filter (where wrong))::int as wrong,
       (count(*) filter (where wrong and confirmed))::int as confirmed
from blind_answer where root = %s and confirmed is not null"""

SETTLE_OF = """
update blind_answer b set wrong = u.wrong, confirmed = u.confirmed, settled_ms = %s
from unnest(%s::bigint[], %s::boolean[], %s::boolean[]) as u (task_id, wrong, confirmed)
where b.licence_id = %s and b.task_id = u.task_id and b.wrong is null"""

# nobody will decide what is open of a batch that was cancelled, which says nothing about the
# answer. What was settled behind the first of these goes too: it had not counted yet, and what is
# settled sooner is what people agree with
FORGET_CANCELLED = """
delete from blind_answer b using task t, batch_step s, batch
where b.root = %s and t.id = b.task_id and s.id = t.batch_step_id
  and batch.id = s.batch_id and batch.state = 'cancelled' and b.id >= (
    select min(o.id) from blind_answer o join task x on x.id = o.task_id
    join batch_step y on y.id = x.batch_step_id
    where o.root = b.root and o.wrong is null and y.batch_id = s.batch_id)"""

# what it passed on is evidence about its challenger, not about what it decides; what a version
# looked back at is settled as its root begins (`licensing.succeed`), everything else later
EVIDENCE = """
select b.task_id, b.licence_id, b.confidence, b.wrong, b.slice, b.lone,
       coalesce(b.settled_ms <= r.started_ms, false) as looked_back, b.confirmed
from blind_answer b join licence r on r.id = b.root
where b.root = %s and b.value <> 'null' order by b.id"""


#: characters of a value that are kept; values that differ later only are one slice
NAME_MAX = 80

# one read for all the tasks of a pass
FIELDS = """
select t.id, left(coalesce(i.payload ->> %s, ''), %s)
from task t
join batch_step s on s.id = t.batch_step_id
join item i on i.batch_id = s.batch_id and i.id = t.item_id
where t.id = any (%s)"""


class OpenBlind(Struct, frozen=True):
    """A blind answer that waits for people's decision."""

    id: int
    licence_id: int
    task_id: int
    value: str
    lone: bool = False


def record(
    conn: Sync,
    rows: Sequence[tuple[int, int, Any, float]],
    slices: Sequence[str] | None = None,
    lone: Sequence[bool] | None = None,
) -> None:
    """(licence, task, value, confidence) of answers that fell into a stream, in their order; value
    None where it passed the task on. `slices`: what each says of its slice; `lone`: those where
    one person is enough who agrees."""
    licences, tasks, values, confidences = zip(*rows, strict=True)
    encode = msgspec.json.Encoder().encode
    encoded = [encode(value).decode() for value in values]
    names = [""] * len(rows) if slices is None else list(slices)
    one = [False] * len(rows) if lone is None else list(lone)
    conn.execute(RECORD, [list(licences), list(tasks), encoded, list(confidences), names, one])


def shadowed(conn: Sync, tasks: Sequence[int]) -> set[tuple[int, int]]:
    """(task, contributor) of answers that people's decision judges, so that they have no voice."""
    return set(conn.execute(SHADOWED, [list(tasks)]).fetchall())


def lone(conn: Sync, tasks: Sequence[int]) -> dict[int, list[str]]:
    """Task -> answers (JSON), of tasks that one person settles who agrees with all of them."""
    found: dict[int, list[str]] = {}
    for task, value in conn.execute(LONE, [list(tasks)]):
        found.setdefault(task, []).append(value)
    return found


def open_blind(conn: Sync, tasks: Sequence[int]) -> list[OpenBlind]:
    """Blind answers to these tasks that wait for their decision."""
    cursor = conn.cursor(row_factory=of(OpenBlind))
    return cursor.execute(OPEN_BLIND, [list(tasks)]).fetchall()


def settle(
    conn: Sync,
    ids: Sequence[int],
    wrong: Sequence[bool],
    confirmed: Sequence[bool | None],
    now_ms: int,
) -> None:
    """What people decided of blind answers. `confirmed`: of those that were judged by two at least,
    whether the first of them had given it too; else None."""
    conn.execute(SETTLE, [now_ms, list(ids), list(wrong), list(confirmed)])


def wait_for(conn: Sync, tasks: Sequence[int]) -> None:
    """Hold these tasks: whoever is deciding one has done so, or will find what is recorded now."""
    conn.execute("select from task where id = any (%s) order by id for update", [list(tasks)])


def first_said(conn: Sync, tasks: Sequence[int]) -> dict[int, str | None]:
    """Task -> what the first person to answer it said, JSON; None: nobody has."""
    return dict(conn.execute(FIRST_SAID, [list(tasks)]).fetchall())


def judged_by_two(conn: Sync, root: int) -> Confirmed:
    """What two people at least have judged since a root began."""
    row = conn.cursor(row_factory=of(Confirmed)).execute(CONFIRMED, [root]).fetchone()
    return row or Confirmed()


def settle_of(
    conn: Sync, licence_id: int, told: Mapping[int, tuple[bool, bool | None]], now_ms: int
) -> None:
    """Task -> whether what was recorded of it under this licence was wrong, and confirmed."""
    wrong, confirmed = zip(*told.values(), strict=True) if told else ((), ())
    conn.execute(SETTLE_OF, [now_ms, list(told), list(wrong), list(confirmed), licence_id])


def evidence(conn: Sync, root: int) -> list[BlindAnswer]:
    """All blind answers since a root began, in their order."""
    conn.execute(FORGET_CANCELLED, [root])
    return conn.cursor(row_factory=of(BlindAnswer)).execute(EVIDENCE, [root]).fetchall()


def fields(conn: Sync, field: str, tasks: Sequence[int]) -> dict[int, str]:
    """Task -> what its item says in this field; empty where it says nothing."""
    return dict(conn.execute(FIELDS, [field, NAME_MAX, list(tasks)]).fetchall())
