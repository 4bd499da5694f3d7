"""The SQL of a contributor's list of their answers. Everything here reads."""

from canut.db.pool import Conn
from canut.db.rows import of
from canut.insight.model import Given, Titles

#: later than any answer
LATEST = (1 << 63) - 1

SUBMITTED = "select submitted_ms from answer where task_id = %s and contributor_id = %s"

# two ranges of one index. All answers of a moment come together: their order is made of names that
# the database does not know
GIVEN = """
select a.task_id, t.batch_step_id, a.value, a.submitted_ms
from (
    (select task_id, value, submitted_ms from answer
     where contributor_id = %(who)s and submitted_ms = %(at)s)
    union all
    (select task_id, value, submitted_ms from answer
     where contributor_id = %(who)s and submitted_ms < %(at)s
     order by submitted_ms desc fetch first (%(least)s) rows with ties)
) a join task t on t.id = a.task_id"""

# apart from the answers: a definition may hold ten thousand classes, and is read once a step
TITLES = """
select s.id as batch_step_id, v.definition -> 'title' as process,
       step.definition -> 'title' as step
from batch_step s
join step on step.id = s.step_id
join process_version v on v.id = step.process_version_id
where s.id = any (%s)"""


async def submitted_ms(conn: Conn, contributor_id: int, task_id: int) -> int | None:
    """When the contributor answered the task; None: never."""
    row = await (await conn.execute(SUBMITTED, [task_id, contributor_id])).fetchone()
    return row[0] if row else None


async def given(conn: Conn, contributor_id: int, at_ms: int, least: int) -> list[Given]:
    """The answers of that moment, and of those before it the last `least`, in any order; of the
    earliest moment among them, all."""
    values = {"who": contributor_id, "at": at_ms, "least": least}
    cursor = await conn.cursor(row_factory=of(Given)).execute(GIVEN, values)
    return await cursor.fetchall()


async def titles(conn: Conn, batch_steps: list[int]) -> list[Titles]:
    """Of these steps of batches."""
    cursor = await conn.cursor(row_factory=of(Titles)).execute(TITLES, [batch_steps])
    return await cursor.fetchall()
