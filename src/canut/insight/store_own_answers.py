"""The SQL of a contributor's list of their answers. Everything here reads."""

from canut.db.pool import Conn, SyncConn
from canut.db.rows import all_of, of
from canut.insight.model import AskedAnswers, Given, Titles

#: later than any answer
LATEST = (1 << 63) - 1

SUBMITTED = "select submitted_ms from answer where task_id = %s and contributor_id = %s"

# two ranges of one index. All answers of a moment come together: their order is made of names that
# the database does not know
_ANSWERS = """
select a.task_id, a.contributor_id, t.batch_step_id, a.value, a.submitted_ms
from answer a join task t on t.id = a.task_id
where a.contributor_id = %(who)s and a.submitted_ms >= %(from)s
  and (%(steps)s::bigint[] is null or t.batch_step_id = any (%(steps)s::bigint[]))"""
GIVEN = f"""
select a.task_id, a.batch_step_id, a.value, a.submitted_ms, x.active_ms
from (
    ({_ANSWERS} and a.submitted_ms = %(at)s)
    union all
    ({_ANSWERS} and a.submitted_ms < %(at)s
     order by a.submitted_ms desc fetch first (%(least)s) rows with ties)
) a
left join activity x on x.task_id = a.task_id and x.contributor_id = a.contributor_id"""  # noqa: S608

# where the contributor ever claimed: the first column of the key of cursors
WORKED = """
select distinct s.process_id, s.slug
from claim_cursor c join batch_step s on s.id = c.batch_step_id
where c.contributor_id = %s order by s.process_id, s.slug limit 200"""
STEPS = "select id from batch_step where process_id = %s and slug = %s"

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


async def given(
    conn: Conn, contributor_id: int, at_ms: int, least: int, asked: AskedAnswers
) -> list[Given]:
    """As asked for, of all answers: those of that moment, and of those before it the last `least`,
    in any order; of the earliest moment among them, all."""
    steps = None
    if asked.step is not None:
        steps = [row[0] for row in await (await conn.execute(STEPS, asked.step)).fetchall()]
    values = {
        "who": contributor_id,
        "at": at_ms,
        "least": least,
        "from": asked.since_ms,
        "steps": steps,
    }
    cursor = await conn.cursor(row_factory=of(Given)).execute(GIVEN.encode(), values)
    found: list[Given] = await cursor.fetchall()
    return found


async def worked(conn: Conn, contributor_id: int) -> list[tuple[int, str]]:
    """(process id, step) where they ever claimed."""
    found = await (await conn.execute(WORKED, [contributor_id])).fetchall()
    return [(process, slug) for process, slug in found]


async def titles(conn: Conn, batch_steps: list[int]) -> list[Titles]:
    """Of these steps of batches."""
    cursor = await conn.cursor(row_factory=of(Titles)).execute(TITLES, [batch_steps])
    return await cursor.fetchall()


def sync_titles(conn: SyncConn, batch_steps: list[int]) -> dict[int, Titles]:
    """The same by step, on a connection of long work."""
    return {one.batch_step_id: one for one in all_of(conn, Titles, TITLES, [batch_steps])}
