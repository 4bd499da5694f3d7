"""The SQL of sweeps, but for the answers themselves (`store_columns`)."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from psycopg import Connection

from canut.db.rows import of
from canut.quality.beliefs.model import Parameters, StepPlace

Sync = Connection[Any]

#: the first key of the advisory locks of sweeps
LOCK = 3
TRY_LOCK = "select pg_try_advisory_lock(%s, hashtext(%s))"
UNLOCK = "select pg_advisory_unlock(%s, hashtext(%s))"

# steps whose answers have grown by a fifth since their last sweep, and by so many at least
DUE = """
select s.process_id, s.slug as step_slug
from batch_step s
left join step_model m on m.process_id = s.process_id and m.step_slug = s.slug
group by s.process_id, s.slug, m.n_answers
having sum(s.n_answers) - coalesce(m.n_answers, 0) >= greatest(%s, 0.2 * coalesce(m.n_answers, 0))
order by sum(s.n_answers) - coalesce(m.n_answers, 0) desc"""

# the step in all batches, the newest first, each with what it asks
ASKED = """
select s.id as batch_step_id, s.step_id, s.min_answers, s.max_answers, s.target, s.n_answers
from batch_step s where s.process_id = %s and s.slug = %s and s.n_answers > 0 order by s.id desc"""
QUESTION = "select definition -> 'question' from step where id = %s"

# tasks that one who knows settled
SETTLED = """
select d.task_id, d.value::text from decision d
where d.batch_step_id = any (%s) and d.method in ('expert', 'panel') order by d.task_id"""

# answers to gold that were compared, hidden in the work; the newest gold first
GOLD = """
select g.id, s.contributor_id, s.value::text, g.value::text
from gold g join gold_answer s on s.gold_id = g.id
where g.process_id = %s and g.step_slug = %s and g.state = 'active'
  and s.task_id is not null and s.answered_ms is not null
order by g.id desc, s.contributor_id limit %s"""

# Audited tasks with what the panel says, of uniform draws whose certificate is closed for good, in
# the half that fits may see.
AUDITED = """
select distinct a.task_id, p.value::text, d.confidence
from audit a
join frame f on f.id = a.frame_id and f.kind = 'uniform' and f.state <> 'open'
join panel p on p.task_id = a.audit_task and p.resolved
join decision d on d.task_id = a.task_id
where f.batch_step_id = any (%s)
  and get_byte(sha256(convert_to('fit:' || a.task_id, 'UTF8')), 0) < 128
order by a.task_id"""

FAMILIES = "select id, family from contributor where id = any (%s) and family is not null"

ALL_CONFUSIONS = """
select contributor_id, said, truth from confusion
where process_id = %s and step_slug = %s and options = %s"""

# what is said of all tasks of a step by its contributors' records
USUAL = """
select coalesce(sum("right"), 0) + 7, coalesce(sum(judged), 0) + 10
from track where process_id = %s and step_slug = %s"""

SAVE = """
insert into step_model (process_id, step_slug, version, skill, parameters, fitted_ms, n_answers)
values (%s, %s, 1, %s, %s::jsonb, %s, %s)
on conflict (process_id, step_slug) do update
set version = step_model.version + 1, skill = excluded.skill, parameters = excluded.parameters,
    fitted_ms = excluded.fitted_ms, n_answers = excluded.n_answers"""

FORGET_ALIKE = "delete from alike where process_id = %s and step_slug = %s"
ADD_ALIKE = """
insert into alike (process_id, step_slug, one, other, common, same_wrong, chance, p_value, share,
                   found_ms)
select %s, %s, u.*, %s
from unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::float8[], %s::float8[], %s::float8[],
            %s::real[]) as u
on conflict do nothing"""

# to be weighed again, though nobody said anything new; see `canut.work.store_decide.TAKE`
AGAIN = """
insert into inbox (task_id, contributor_id, batch_step_id, submitted_ms)
select t.id, -1, t.batch_step_id, %s from task t
where t.id = any (%s) and not t.decided order by t.id"""


class Asked(Struct, frozen=True):
    """A step of a batch."""

    batch_step_id: int
    step_id: int
    min_answers: int
    max_answers: int
    target: float
    n_answers: int


class Pair(Struct, frozen=True):
    """Two contributors who err together; see the table `alike`."""

    one: int
    other: int
    common: int
    same_wrong: float
    chance: float
    p_value: float
    share: float


def try_lock(conn: Sync, place: StepPlace) -> bool:
    """Whether nobody else sweeps this step; held until `unlock` or the end of the session."""
    row = conn.execute(TRY_LOCK, [LOCK, f"{place.process_id}/{place.step_slug}"]).fetchone()
    return bool(row and row[0])


def unlock(conn: Sync, place: StepPlace) -> None:
    """Let others sweep it."""
    conn.execute(UNLOCK, [LOCK, f"{place.process_id}/{place.step_slug}"])


def due(conn: Sync, more_min: int) -> list[StepPlace]:
    """Steps that have grown, most first."""
    return conn.cursor(row_factory=of(StepPlace)).execute(DUE, [more_min]).fetchall()


def asked(conn: Sync, place: StepPlace) -> list[Asked]:
    """The step in all its batches that have answers, the newest first."""
    values = [place.process_id, place.step_slug]
    return conn.cursor(row_factory=of(Asked)).execute(ASKED, values).fetchall()


def question(conn: Sync, step_id: int) -> dict[str, Any]:
    """What a step of a process version asks."""
    row = conn.execute(QUESTION, [step_id]).fetchone()
    assert row is not None
    found: dict[str, Any] = row[0]
    return found


def settled(conn: Sync, batch_steps: list[int]) -> list[tuple[int, str]]:
    """(task, right value as JSON) of tasks that one who knows settled."""
    return conn.execute(SETTLED, [batch_steps]).fetchall()


def gold(conn: Sync, place: StepPlace, limit: int) -> list[tuple[int, int, str, str]]:
    """(gold, contributor, what it said, what is right), values as JSON."""
    return conn.execute(GOLD, [place.process_id, place.step_slug, limit]).fetchall()


def audited(conn: Sync, batch_steps: list[int]) -> list[tuple[int, str, float]]:
    """(task, right value as JSON, confidence it was decided with)."""
    return conn.execute(AUDITED, [batch_steps]).fetchall()


def families(conn: Sync, contributors: list[int]) -> dict[int, str]:
    """The model family of agents."""
    return dict(conn.execute(FAMILIES, [contributors]).fetchall())


def all_confusions(conn: Sync, place: StepPlace, options: str) -> dict[tuple[int, int], list[int]]:
    """Counts by truth, of (contributor, said)."""
    rows = conn.execute(ALL_CONFUSIONS, [place.process_id, place.step_slug, options])
    return {(who, said): truth for who, said, truth in rows}


def usual_skill(conn: Sync, place: StepPlace) -> float:
    """How often a usual answer at the step is right, backed off as for one contributor."""
    row = conn.execute(USUAL, [place.process_id, place.step_slug]).fetchone()
    assert row is not None
    return float(row[0] / row[1])


def save(
    conn: Sync,
    place: StepPlace,
    skill: float,
    parameters: Parameters,
    n_answers: int,
    now_ms: int,
) -> None:
    """What a sweep found."""
    encoded = msgspec.json.encode(parameters).decode()
    values = [place.process_id, place.step_slug, skill, encoded, now_ms, n_answers]
    conn.execute(SAVE, values)


def replace_alike(conn: Sync, place: StepPlace, pairs: Sequence[Pair], now_ms: int) -> None:
    """These pairs instead of those of the sweep before."""
    conn.execute(FORGET_ALIKE, [place.process_id, place.step_slug])
    if pairs:
        fields = ("one", "other", "common", "same_wrong", "chance", "p_value", "share")
        columns = [[getattr(pair, field) for pair in pairs] for field in fields]
        conn.execute(ADD_ALIKE, [place.process_id, place.step_slug, now_ms, *columns])


def weigh_again(conn: Sync, tasks: list[int], now_ms: int) -> None:
    """Put tasks into the inbox without an answer."""
    conn.execute(AGAIN, [now_ms, tasks])
