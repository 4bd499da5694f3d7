"""The SQL of what work pays. Everything here reads."""

from collections.abc import Sequence

from msgspec import Struct

from canut.db.pool import Conn
from canut.db.rows import of

# what was agreed where a batch has money, else what its tariff says
STEPS = """
select s.batch_id, s.id as batch_step_id, s.held, t.currency, t.floor_minor, t.assumed_ms,
       t.mean_ms, coalesce(t.n_tasks, 0) as n_tasks,
       case when p.batch_step_id is null then t.price_minor else p.price_minor end as price_minor
from batch_step s
join batch b on b.id = s.batch_id
left join batch_step_pay p on p.batch_step_id = s.id
left join tariff t on t.id = case
    when p.batch_step_id is not null then p.tariff_id
    -- money came, and none for this step: it was voluntary when the client agreed
    when exists (select from batch_pay m where m.batch_id = s.batch_id) then null
    -- a batch that waits for nothing began without a tariff
    when s.held then tariff_now(s.process_id, s.slug, now_ms()) end
where s.batch_id = any (%s)
order by s.batch_id, s.position"""


class StepRow(Struct, frozen=True):
    """A step of a batch; without a tariff, what it would pay is None."""

    batch_id: int
    batch_step_id: int
    held: bool
    currency: str | None
    floor_minor: int | None
    assumed_ms: int | None
    mean_ms: float | None
    n_tasks: int
    price_minor: int | None


async def steps(conn: Conn, batches: Sequence[int]) -> list[StepRow]:
    async with conn.cursor(row_factory=of(StepRow)) as cursor:
        found: list[StepRow] = await (await cursor.execute(STEPS, [list(batches)])).fetchall()
    return found
