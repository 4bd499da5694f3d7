"""The SQL of exams.

A quarter of a step's gold (by digest) is never asked in an exam: whoever collects the questions of
exams has no part of what stays hidden in the work.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from psycopg import Connection
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from canut.db.rows import of
from canut.processes.model import ItemShape, StepDefinition
from canut.quality.exams.rules import Rules, Verdict
from canut.quality.exams.values import Asked, Exam, ExamStep, OpenExam
from canut.questions.registry import load_question

Sync = Connection[Any]

#: gold whose digest begins below this sign is kept for the work
RESERVED_BELOW = "4"

_FRESH = f"""g.state = 'active' and g.digest >= '{RESERVED_BELOW}'
    and (select a.gold_id from gold_answer a
         where a.contributor_id = %(contributor)s and a.gold_id = g.id) is null"""  # noqa: S608

# open: steps that ask for a licence which the contributor does not hold, in processes of the
# library or with open work, where they have the skills
OPEN = f"""
select p.id as process_id, p.slug as process_slug, v.definition -> 'title' as title,
       s.id as step_id, s.slug as step_slug, s.definition -> 'title' as step_title,
       coalesce((s.definition ->> 'exam')::float8, 0.7) as level,
       (select count(*)::int from gold g
        where g.process_id = p.id and g.step_slug = s.slug and {_FRESH}) as available,
       past.failures, past.retake_ms, past.exam_id
from contributor me
cross join process p
join lateral (
    select id, definition from process_version
    where process_id = p.id order by adapted, number desc limit 1
) v on true
join step s on s.process_version_id = v.id and (s.definition ->> 'licence')::boolean
cross join lateral (
    select count(*) filter (where e.state in ('failed', 'abandoned'))::int as failures,
           max(e.retake_ms) filter (where e.state in ('failed', 'abandoned')) as retake_ms,
           max(e.id) filter (where e.state = 'running') as exam_id
    from exam e
    where e.contributor_id = me.id and e.process_id = p.id and e.step_slug = s.slug
) past
where me.id = %(contributor)s and me.state = 'active'
  and not exists (
      select from jsonb_array_elements_text(s.definition -> 'skills') skill
      where skill <> all (me.skills))
  and not exists (
      select from licence l
      where l.contributor_id = me.id and l.process_id = p.id and l.step_slug = s.slug
        and l.ended_ms is null
        -- an agent that earns its licence by evidence sits the exam too, until it has passed
        and (l.state <> 'earning' or exists (
            select from exam e
            where e.contributor_id = me.id and e.process_id = p.id and e.step_slug = s.slug
              and e.state = 'passed')))
  and (p.client_id is null or exists (
      select from batch_step b
      where b.process_id = p.id and b.slug = s.slug and b.open))
order by p.slug, p.id, s.position
limit 200"""  # noqa: S608 - a condition of ours, with parameters

_EXAM = """
select e.id, e.contributor_id, e.process_id, p.slug as process_slug, e.step_slug,
       s.definition -> 'title' as step_title, e.step_id, e.seed, e.state, e.rules, e.verdict,
       e.started_ms, e.seen_ms, e.ended_ms, e.retake_ms, e.corrected_ms
from exam e join process p on p.id = e.process_id join step s on s.id = e.step_id
"""
ONE = _EXAM + "where e.id = %s and e.contributor_id = %s"
# whoever answers holds the exam, so that two requests at once do not both end it
HELD = ONE + " for update of e"
RUNNING = (
    _EXAM
    + """where e.contributor_id = %s and e.process_id = %s and e.step_slug = %s
  and e.state = 'running'"""
)
OF_CONTRIBUTOR = _EXAM + "where e.contributor_id = %s order by e.id desc limit %s"

# one exam at a step at a time: a second start at once finds the first
BEGIN = """
insert into exam (contributor_id, process_id, step_slug, step_id, seed, rules, started_ms, seen_ms)
values (%(contributor)s, %(process)s, %(step)s, %(step_id)s, %(seed)s, %(rules)s, %(now)s, %(now)s)
on conflict (contributor_id, process_id, step_slug) where state = 'running' do nothing"""

STEP = """
select p.slug as process_slug, p.client_id, s.definition, v.definition -> 'item' as item
from step s join process_version v on v.id = s.process_version_id
join process p on p.id = v.process_id
where s.id = %s"""

ASKED = """
select a.gold_id, a.place, g.payload, g.value as "right", a.value, a.agreement, a.shown_ms,
       a.answered_ms, g.state = 'active' as active
from gold_answer a join gold g on g.id = a.gold_id
where a.exam_id = %s order by a.place"""

# draw: the next questions, in the order that the exam's seed gives. One that the contributor is
# given in the work at this very moment is left out
DRAW = f"""
with drawn as (
    select g.id, row_number() over (order by md5(%(seed)s::text || ':' || g.digest)) as turn
    from gold g
    where g.process_id = %(process)s and g.step_slug = %(step)s and {_FRESH}
    order by turn limit %(count)s
), rotated as (
    update gold g set shown = g.shown + 1 from drawn where g.id = drawn.id
)
insert into gold_answer (contributor_id, gold_id, exam_id, place, shown_ms)
select %(contributor)s, drawn.id, %(exam)s, %(asked)s + drawn.turn, %(now)s from drawn
on conflict do nothing"""  # noqa: S608

ANSWER = """
update gold_answer a set value = u.value, agreement = u.agreement, answered_ms = %(now)s
from unnest(%(places)s::int[], %(values)s::jsonb[], %(agreement)s::real[])
    as u (place, value, agreement)
where a.exam_id = %(exam)s and a.place = u.place and a.answered_ms is null"""

SEEN = "update exam set seen_ms = %s where id = %s"

END = """
update exam set state = %(state)s, verdict = %(verdict)s, ended_ms = %(now)s,
       retake_ms = %(retake)s
where id = %(id)s and state = 'running'"""

FAILURES = """
select count(*)::int from exam
where contributor_id = %s and process_id = %s and step_slug = %s
  and state in ('failed', 'abandoned')"""

IDLE = (
    _EXAM
    + """where e.state = 'running' and e.seen_ms < %s
order by e.id limit %s for update of e skip locked"""
)

# exams that were failed with an answer to one of these golds that is not the gold's
FAILED_BY = (
    _EXAM
    + """
where e.state = 'failed' and exists (
    select from gold_answer a
    where a.exam_id = e.id and a.gold_id = any (%s) and a.agreement < %s)
order by e.id for update of e"""
)

CORRECT = """
update exam set state = %(state)s, verdict = %(verdict)s, retake_ms = %(retake)s,
       corrected_ms = %(now)s
where id = %(id)s"""


def open_exams(conn: Sync, contributor_id: int) -> list[OpenExam]:
    """What this contributor may be examined in."""
    cursor = conn.cursor(row_factory=of(OpenExam))
    return cursor.execute(OPEN, {"contributor": contributor_id}).fetchall()


def one(conn: Sync, exam_id: int, contributor_id: int, *, hold: bool = False) -> Exam | None:
    """An exam of this contributor; with `hold`, nobody else changes it meanwhile."""
    return _exam(conn, HELD if hold else ONE, [exam_id, contributor_id])


def running(conn: Sync, contributor_id: int, process_id: int, step_slug: str) -> Exam | None:
    """The one that goes on at this step."""
    return _exam(conn, RUNNING, [contributor_id, process_id, step_slug])


def of_contributor(conn: Sync, contributor_id: int, limit: int = 100) -> list[Exam]:
    """Their exams, the newest first."""
    return _exams(conn, OF_CONTRIBUTOR, [contributor_id, limit])


def begin(
    conn: Sync, contributor_id: int, step: OpenExam, seed: int, rules: Rules, now_ms: int
) -> Exam:
    """A new exam, or the one that another request began at the same moment."""
    values: dict[str, Any] = {"contributor": contributor_id, "process": step.process_id}
    values |= {"step": step.step_slug}
    values |= {"step_id": step.step_id, "seed": seed, "now": now_ms}
    conn.execute(BEGIN, {**values, "rules": Jsonb(msgspec.to_builtins(rules))})
    begun = running(conn, contributor_id, step.process_id, step.step_slug)
    assert begun is not None
    return begun


def step(conn: Sync, step_id: int) -> ExamStep:
    """The question of an exam."""
    row = conn.cursor(row_factory=dict_row).execute(STEP, [step_id]).fetchone()
    assert row is not None
    definition = msgspec.convert(row.pop("definition"), StepDefinition)
    item = msgspec.convert(row.pop("item"), ItemShape)
    question = load_question(definition.question)
    return ExamStep(row["process_slug"], row["client_id"], definition, item, question)


def asked(conn: Sync, exam_id: int) -> list[Asked]:
    """Every question so far, in order."""
    return conn.cursor(row_factory=of(Asked)).execute(ASKED, [exam_id]).fetchall()


def draw(conn: Sync, exam: Exam, last: int, count: int, now_ms: int) -> int:
    """Ask so many more, after the last place; how many there were."""
    values: dict[str, Any] = {"contributor": exam.contributor_id, "process": exam.process_id}
    values |= {"step": exam.step_slug, "seed": exam.seed, "count": count, "exam": exam.id}
    return conn.execute(DRAW, {**values, "asked": last, "now": now_ms}).rowcount


def answer(conn: Sync, exam_id: int, rows: Sequence[tuple[int, Any, float]], now_ms: int) -> None:
    """Keep (place, value, agreement) of answers; what was answered before stays."""
    places, values, agreement = zip(*rows, strict=True)
    encode = msgspec.json.Encoder().encode
    conn.execute(
        ANSWER,
        {
            "exam": exam_id,
            "places": list(places),
            "values": [encode(value).decode() for value in values],
            "agreement": list(agreement),
            "now": now_ms,
        },
    )


def seen(conn: Sync, exam_id: int, now_ms: int) -> None:
    """Somebody is at it."""
    conn.execute(SEEN, [now_ms, exam_id])


def end(
    conn: Sync, exam_id: int, state: str, verdict: Verdict, retake_ms: int | None, now_ms: int
) -> None:
    """It is over."""
    values = {"id": exam_id, "state": state, "retake": retake_ms, "now": now_ms}
    conn.execute(END, {**values, "verdict": Jsonb(msgspec.to_builtins(verdict))})


def failures(conn: Sync, exam: Exam) -> int:
    """Exams of this contributor at the step that were not passed."""
    row = conn.execute(FAILURES, [exam.contributor_id, exam.process_id, exam.step_slug]).fetchone()
    return int(row[0]) if row else 0


def idle(conn: Sync, before_ms: int, limit: int) -> list[Exam]:
    """Exams at which nothing happened since; held."""
    return _exams(conn, IDLE, [before_ms, limit])


def failed_by(conn: Sync, golds: list[int], right_from: float) -> list[Exam]:
    """Failed exams in which one of these golds was answered wrongly; held."""
    return _exams(conn, FAILED_BY, [golds, right_from])


def correct(
    conn: Sync, exam_id: int, state: str, verdict: Verdict, retake_ms: int | None, now_ms: int
) -> None:
    """The result after gold was retired."""
    values = {"id": exam_id, "state": state, "retake": retake_ms, "now": now_ms}
    conn.execute(CORRECT, {**values, "verdict": Jsonb(msgspec.to_builtins(verdict))})


def _exam(conn: Sync, sql: str, values: list[Any]) -> Exam | None:
    found = _exams(conn, sql, values)
    return found[0] if found else None


def _exams(conn: Sync, sql: str, values: list[Any]) -> list[Exam]:
    rows = conn.cursor(row_factory=dict_row).execute(sql.encode(), values)
    return [msgspec.convert(row, Exam) for row in rows]
