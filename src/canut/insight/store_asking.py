"""The SQL of what is known of a step before a batch begins."""

from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection

from canut.db.rows import of

# how often people were right there, all together; and what delivered batches of this client took
MEASURED = """
select coalesce(t.right, 0) as right, coalesce(t.judged, 0) as judged,
       coalesce(t.contributors, 0) as contributors,
       coalesce(b.answers, 0) as answers, coalesce(b.decided, 0) as decided
from (select sum("right") as right, sum(judged) as judged, count(*) as contributors
      from track where process_id = %(process)s and step_slug = %(step)s) t,
     (select sum(s.n_answers)::bigint as answers, sum(s.n_decided)::bigint as decided
      from batch b join batch_step s on s.batch_id = b.id
      where b.client_id = %(client)s and b.state = 'delivered'
        and s.process_id = %(process)s and s.slug = %(step)s) b"""


class Measured(Struct, frozen=True):
    """What was measured at a step of a process."""

    #: answers that were right, of those that could be judged
    right: float = 0.0
    judged: float = 0.0
    contributors: int = 0
    #: of this client's delivered batches
    answers: int = 0
    decided: int = 0


async def measured(
    conn: AsyncConnection[Any], client_id: int, process_id: int, step: str
) -> Measured:
    """What is known of this step of a process."""
    values = {"client": client_id, "process": process_id, "step": step}
    cursor = conn.cursor(row_factory=of(Measured))
    found: Measured | None = await (await cursor.execute(MEASURED, values)).fetchone()
    return found or Measured()
