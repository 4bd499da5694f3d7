"""The SQL of who may see a step, and of which version a batch of a key runs."""

from typing import Any

from psycopg import AsyncConnection, Connection

# may_claim: the rules of claim_tasks (db/functions/claim.sql), and whoever holds or held a task
# there, because a question must stay readable while it is being answered
MAY_CLAIM = """
select exists (
    select from batch_step s, contributor c
    where s.id = %(step)s and c.id = %(contributor)s and (
        exists (select from assignment a
                where a.contributor_id = c.id and a.batch_step_id = s.id and a.state = 'claimed')
        or s.open and c.state = 'active' and (
            s.expert_skill = any (c.skills)
            or s.skills <@ c.skills and (not s.licence or exists (
                select from licence l
                where l.contributor_id = c.id and l.process_id = s.process_id
                  and l.step_slug = s.slug and l.ended_ms is null
                  and (l.state = 'in_force' or c.kind = 'agent'))))))"""

VERSION_OF_KEY = "select process_version_id from batch where client_id = %s and key = %s"


async def may_claim(conn: AsyncConnection[Any], batch_step_id: int, contributor_id: int) -> bool:
    """Whether the contributor may claim at this step, or holds a task of it."""
    values = {"step": batch_step_id, "contributor": contributor_id}
    row = await (await conn.execute(MAY_CLAIM, values)).fetchone()
    return bool(row and row[0])


def version_of_key(conn: Connection[Any], client_id: int, key: str) -> int | None:
    """The process version of the client's batch of this key."""
    row = conn.execute(VERSION_OF_KEY, [client_id, key]).fetchone()
    return int(row[0]) if row else None
