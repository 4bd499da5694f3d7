"""The SQL of what contributors state of time, and of decisions about it."""

from typing import Any

from canut.db.pool import SyncConn
from canut.db.rows import of
from canut.pay.time.model import Review

OPEN = """
insert into time_review (task_id, contributor_id, batch_step_id, measured_ms, stated_ms, reason,
                         opened_ms)
values (%(task)s, %(who)s, %(step)s, %(measured)s, %(stated)s, %(reason)s, %(now)s)
on conflict (task_id, contributor_id) where decided_ms is null do nothing
returning id"""

_REVIEW = """
select r.id, r.task_id, r.contributor_id, r.batch_step_id, r.measured_ms, r.stated_ms, r.reason,
       r.opened_ms, r.decided_ms, r.agreed_ms, r.why
from time_review r
"""
REVIEW = _REVIEW + "where r.id = %s for update"
WAITING = _REVIEW + "where r.task_id = %s and r.contributor_id = %s and r.decided_ms is null"
REVIEWS = (
    _REVIEW
    + """where r.id > %(after)s and (%(who)s::bigint is null or r.contributor_id = %(who)s)
  and (not %(open)s or r.decided_ms is null)
order by r.id limit %(limit)s"""
)

DECIDE = """
update time_review set decided_ms = %(now)s, account_id = %(by)s, agreed_ms = %(agreed)s,
       why = %(why)s
where id = %(review)s"""

AGREE = """
insert into work_time as w (task_id, contributor_id, batch_step_id, intervals, measured_ms,
                            agreed_ms, basis, claimed_ms, ended_ms, answered)
select g.task_id, g.contributor_id, g.batch_step_id, '{}', 0, %(agreed)s, 'stated', g.claimed_ms,
       g.ended_ms, g.state = 'submitted'
from assignment g where g.task_id = %(task)s and g.contributor_id = %(who)s
on conflict (task_id, contributor_id) do update
set agreed_ms = excluded.agreed_ms, basis = 'stated'"""

OWNER = "select account_id from contributor where id = %s"

# for how long the task was theirs, without what is paid as hours beside tasks
MOST = """
select g.ended_ms - g.claimed_ms - coalesce((
    select sum(multirange_ms(h.intervals * int8multirange(int8range(g.claimed_ms, g.ended_ms))))
    from paid_hours h
    where h.contributor_id = g.contributor_id and h.until_ms > g.claimed_ms
      and h.from_ms < g.ended_ms), 0)
from assignment g where g.task_id = %s and g.contributor_id = %s"""


def open_review(conn: SyncConn, values: dict[str, Any]) -> int | None:
    """Its number; None where one is open."""
    row = conn.execute(OPEN, values).fetchone()
    return int(row[0]) if row else None


def review(conn: SyncConn, review_id: int) -> Review | None:
    """Locked until the transaction ends."""
    with conn.cursor(row_factory=of(Review)) as cursor:
        found: Review | None = cursor.execute(REVIEW, [review_id]).fetchone()
    return found


def waiting(conn: SyncConn, task_id: int, contributor_id: int) -> Review | None:
    """The open statement about a task."""
    with conn.cursor(row_factory=of(Review)) as cursor:
        found: Review | None = cursor.execute(WAITING, [task_id, contributor_id]).fetchone()
    return found


def reviews(conn: SyncConn, values: dict[str, Any]) -> list[Review]:
    with conn.cursor(row_factory=of(Review)) as cursor:
        found: list[Review] = cursor.execute(REVIEWS, values).fetchall()
    return found


def decide(conn: SyncConn, values: dict[str, Any]) -> None:
    conn.execute(DECIDE, values)
    conn.execute(AGREE, values)


def most(conn: SyncConn, found: Review) -> int:
    """The longest that the task of a review can have taken."""
    row = conn.execute(MOST, [found.task_id, found.contributor_id]).fetchone()
    return int(row[0]) if row else 0


def account_of(conn: SyncConn, contributor_id: int) -> int | None:
    row = conn.execute(OWNER, [contributor_id]).fetchone()
    return row[0] if row else None
