"""The SQL of audits: draws, and the panels that answer them."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from psycopg import Connection

from canut.db.rows import of
from canut.quality.audits.panels import Verdict
from canut.quality.audits.store_frames import Frame

Conn = Connection[Any]


class Open(Struct, frozen=True):
    """A panel that is not settled, with its answers at hand."""

    task_id: int
    of_task: int
    batch_step_id: int
    wanted: int
    people: int
    people_max: int


class Drawn(Struct, frozen=True):
    """A draw without an outcome, and the value that was delivered, as JSON."""

    frame_id: int
    draw: int
    audit_task: int
    value: str


class Waiting(Struct, frozen=True):
    """Audits that wait for answers at a step of a batch."""

    batch_step_id: int
    batch_id: int
    client_id: int
    slug: str
    #: audit tasks that are not settled
    panels: int
    #: answers that nobody has claimed yet
    answers: int
    #: since when the oldest waits
    since_ms: int
    #: people who may claim at least one of them
    qualified: int


# an audit task for each of these decided tasks, closed until it has its panel; one that is there
# is kept
MAKE_TASKS = """
insert into task (batch_step_id, item_id, wanted, slots, open, kind, of_task)
select t.batch_step_id, t.item_id, s.panel, s.panel, true, 'audit', t.id
from task t join batch_step s on s.id = t.batch_step_id
where t.id = any (%s) and t.kind = 'work' order by t.id
on conflict (item_id, batch_step_id, kind) do nothing"""
MAKE_PANELS = """
insert into panel (task_id, of_task, batch_step_id, people, people_max, opened_ms)
select a.id, a.of_task, a.batch_step_id, a.wanted, 2 * a.wanted, %s
from task t join task a on a.item_id = t.item_id and a.batch_step_id = t.batch_step_id
    and a.kind = 'audit'
where t.id = any (%s) order by a.id
on conflict (task_id) do nothing"""

# whoever settles a panel holds its task: after this nobody does until we commit
LOCK_TASKS = """
select a.id, a.of_task from task a
where a.id in (select p.task_id from panel p where p.of_task = any (%s))
order by a.id for update"""

DRAW = """
insert into audit (frame_id, draw, task_id, audit_task, value, weight)
select %(frame)s, u.draw, u.task_id, p.task_id, coalesce(w.value, d.value), u.weight
from unnest(%(draws)s::integer[], %(tasks)s::bigint[], %(weights)s::float8[])
    as u (draw, task_id, weight)
join decision d on d.task_id = u.task_id
join panel p on p.of_task = u.task_id
left join lateral (
    select w.value from decision_was w
    where w.task_id = d.task_id and w.frame_number >= %(number)s order by w.id limit 1
) w on true
order by u.draw"""

FRESH = """
select p.task_id, p.of_task, p.batch_step_id, t.wanted, p.people, p.people_max
from panel p join task t on t.id = p.task_id
where p.task_id = any (%s) and p.settled_ms is null order by p.task_id"""
ANSWERS = """
select task_id, contributor_id, value::text from answer where task_id = any (%s)
order by task_id, submitted_ms, contributor_id"""
ASK = """
update task set wanted = wanted + 1, slots = slots + 1, open = true where id = any (%s)"""
SETTLE = """
update panel p set value = u.value, resolved = u.resolved, settled_ms = %s
from unnest(%s::bigint[], %s::jsonb[], %s::boolean[]) as u (task_id, value, resolved)
where p.task_id = u.task_id"""
CLOSE = "update task set decided = true, open = false, slots = 0 where id = any (%s)"

# draws that have no outcome though their panel is settled
UNJUDGED = """
select a.frame_id, a.draw, a.audit_task, a.value::text as value
from audit a join panel p on p.task_id = a.audit_task
where a.audit_task = any (%s) and a.outcome is null and p.settled_ms is not null
order by a.frame_id, a.draw"""
VERDICTS = """
select task_id, value::text, resolved from panel
where task_id = any (%s) and settled_ms is not null"""
JUDGE = """
update audit a set outcome = u.outcome, judged_ms = %s
from unnest(%s::bigint[], %s::integer[], %s::text[]) as u (frame_id, draw, outcome)
where a.frame_id = u.frame_id and a.draw = u.draw and a.outcome is null"""

# what audits wait for, and who could come: people who are qualified, and never had one of the tasks
WAITING = """
select s.id as batch_step_id, s.batch_id, b.client_id, s.slug, w.panels, w.answers, w.since_ms,
       (select count(*) from contributor c
        where c.kind = 'person' and c.state = 'active' and s.audit_skills <@ c.skills
          and (not s.licence or exists (
              select from licence l where l.contributor_id = c.id and l.process_id = s.process_id
                and l.step_slug = s.slug and l.ended_ms is null and l.state = 'in_force'))
          and exists (
              select from panel p join task t on t.id = p.task_id
              where p.batch_step_id = s.id and p.settled_ms is null and t.open
                and not exists (
                    select from assignment a
                    where a.contributor_id = c.id and a.task_id in (p.task_id, p.of_task)))
       ) as qualified
from (
    select p.batch_step_id, count(*) as panels, sum(t.slots)::bigint as answers,
           min(p.opened_ms) as since_ms
    from panel p join task t on t.id = p.task_id
    where p.settled_ms is null and (%(step)s::bigint is null or p.batch_step_id = %(step)s)
    group by p.batch_step_id
) w
join batch_step s on s.id = w.batch_step_id
join batch b on b.id = s.batch_id
order by w.since_ms, s.id"""


def open_panels(conn: Conn, tasks: Sequence[int], now_ms: int) -> None:
    """An audit task with a panel for each of these decided tasks, where there is none."""
    conn.execute(MAKE_TASKS, [list(tasks)])
    conn.execute(MAKE_PANELS, [now_ms, list(tasks)])


def lock_tasks(conn: Conn, tasks: Sequence[int]) -> list[int]:
    """Hold the audit tasks of these tasks, so that no panel of theirs settles; their ids."""
    return [row[0] for row in conn.execute(LOCK_TASKS, [list(tasks)])]


def draw(
    conn: Conn, frame: Frame, first: int, tasks: Sequence[int], weights: Sequence[float]
) -> None:
    """Keep draws `first`, `first + 1`, ... of a frame."""
    conn.execute(
        DRAW,
        {
            "frame": frame.id,
            "number": frame.number,
            "draws": list(range(first, first + len(tasks))),
            "tasks": list(tasks),
            "weights": list(weights),
        },
    )


def fresh(conn: Conn, audit_tasks: Sequence[int]) -> list[Open]:
    """Those of the panels that are not settled."""
    return conn.cursor(row_factory=of(Open)).execute(FRESH, [list(audit_tasks)]).fetchall()


def answers(conn: Conn, audit_tasks: Sequence[int]) -> list[tuple[int, int, str]]:
    """(audit task, contributor, value as JSON), in the order of tasks."""
    return conn.execute(ANSWERS, [list(audit_tasks)]).fetchall()


def ask(conn: Conn, audit_tasks: Sequence[int]) -> None:
    """One more answer each."""
    conn.execute(ASK, [list(audit_tasks)])


def settle(
    conn: Conn, audit_tasks: Sequence[int], said: Sequence[Verdict], values: list[str], now_ms: int
) -> None:
    """Keep what panels say; `values` are the verdicts' values as JSON."""
    conn.execute(SETTLE, [now_ms, list(audit_tasks), values, [one.resolved for one in said]])
    conn.execute(CLOSE, [list(audit_tasks)])


def unjudged(conn: Conn, audit_tasks: Sequence[int]) -> list[Drawn]:
    """Draws of settled panels that have no outcome."""
    return conn.cursor(row_factory=of(Drawn)).execute(UNJUDGED, [list(audit_tasks)]).fetchall()


def verdicts(conn: Conn, audit_tasks: Sequence[int]) -> dict[int, tuple[str, bool]]:
    """(value as JSON, whether most stand behind it) of settled panels, by audit task."""
    rows = conn.execute(VERDICTS, [list(audit_tasks)])
    return {task: (value, resolved) for task, value, resolved in rows}


def judge(conn: Conn, drawn: Sequence[Drawn], outcomes: Sequence[str], now_ms: int) -> None:
    """Write down outcomes, each once."""
    frames, places = [one.frame_id for one in drawn], [one.draw for one in drawn]
    conn.execute(JUDGE, [now_ms, frames, places, list(outcomes)])


def waiting(conn: Conn, batch_step_id: int | None = None) -> list[Waiting]:
    """Steps of batches with audits that wait, the oldest first."""
    values = {"step": batch_step_id}
    return conn.cursor(row_factory=of(Waiting)).execute(WAITING, values).fetchall()
