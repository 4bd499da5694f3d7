"""The SQL of stories and explanations. It reads, and takes no lock that work would wait for."""

from typing import Any

import msgspec
from psycopg import Connection
from psycopg.rows import dict_row

from canut.insight.story_model import Facts, Version

Conn = Connection[Any]

ITEM = """
select b.client_id, b.name as batch_name, p.slug as process_slug, i.id as item_id, i.payload,
       v.definition -> 'item' as shape
from batch b
join item i on i.batch_id = b.id and i.key = %(key)s
join process_version v on v.id = b.process_version_id
join process p on p.id = v.process_id
where b.id = %(batch)s"""

# every step of the batch with all that its decision about the item rests on: one round trip. The
# panel of a task has answers of its own, which the decision rests on once it is overturned.
FACTS = """
select s.id as batch_step_id, s.process_id, s.slug, step.definition -> 'title' as title,
       s.target, s.max_answers, t.id as task_id, coalesce(t.expert, false) as escalated,
       exists (select from blind_answer b
               where b.task_id = t.id and b.lone and not b.wrong) as seconded,
       coalesce((
           select jsonb_agg(jsonb_build_object(
               'value', w.value, 'confidence', w.confidence, 'method', w.method,
               'n_answers', w.n_answers, 'evidence', w.evidence::text,
               'decided_ms', w.decided_ms, 'until_ms', w.until_ms) order by w.id)
           from decision_was w where w.task_id = t.id), '[]')
       || coalesce((
           select jsonb_agg(jsonb_build_object(
               'value', d.value, 'confidence', d.confidence, 'method', d.method,
               'n_answers', d.n_answers, 'evidence', d.evidence::text,
               'decided_ms', d.decided_ms))
           from decision d where d.task_id = t.id), '[]') as versions,
       coalesce((
           select jsonb_agg(jsonb_build_object(
               'contributor', a.contributor_id, 'kind', c.kind, 'family', c.family,
               'simulated', c.simulated, 'value', a.value, 'expert', a.expert,
               'panel', a.task_id <> t.id) order by a.submitted_ms, a.contributor_id)
           from answer a join contributor c on c.id = a.contributor_id
           where a.task_id = any (array[t.id, (
               select p.task_id from panel p where p.of_task = t.id)])), '[]') as spoken,
       coalesce((
           select jsonb_agg(jsonb_build_object(
               'contributor', l.contributor_id, 'version', l.version, 'threshold', l.threshold,
               'error_max', l.error_max, 'delta', l.delta, 'finding', l.finding,
               'slices', l.slices, 'field', (
                   select left(coalesce(i.payload ->> (l.slices ->> 'by'), ''), 80) from item i
                   where i.batch_id = s.batch_id and i.id = d.item_id)) order by l.id)
           from decision d
           join licence l on l.process_id = s.process_id and l.step_slug = s.slug
               and l.threshold is not null and l.granted_ms <= d.decided_ms
               and (l.ended_ms is null or l.ended_ms > d.decided_ms)
           join answer a on a.task_id = d.task_id and a.contributor_id = l.contributor_id
           where d.task_id = t.id and d.method = 'licence'), '[]') as licences,
       coalesce((
           select jsonb_agg(jsonb_build_object(
               'id', x.id, 'reason', x.reason, 'was', x.was, 'opened_ms', x.opened_ms,
               'outcome', x.outcome, 'settled_ms', x.settled_ms) order by x.id)
           from dispute x where x.batch_step_id = s.id and x.item_id = %(item)s), '[]') as disputes,
       coalesce((
           select jsonb_agg(jsonb_build_object(
               'family', c.family, 'value', p.evidence -> 'proposed',
               'findings', p.evidence -> 'findings') order by p.predicted_ms, p.version_id)
           from agent_prediction p
           join agent_version v on v.id = p.version_id
           join contributor c on c.id = v.agent_id
           where p.task_id = t.id and p.evidence ->> 'passed' = 'checks'), '[]') as held_back,
       coalesce((
           select jsonb_agg(jsonb_build_object(
               'family', c.family, 'value', coalesce(p.evidence -> 'proposed', p.value),
               'confidence', p.confidence, 'became', case
                   when p.evidence ->> 'passed' = 'checks' then 'checks'
                   when v.role in ('challenger', 'dropped') then 'beside'
                   when exists (select from answer a where a.task_id = p.task_id
                                and a.contributor_id = v.agent_id) then 'answered'
                   else 'passed' end) order by p.predicted_ms, p.version_id)
           from agent_prediction p
           join agent_version v on v.id = p.version_id
           join contributor c on c.id = v.agent_id
           where p.task_id = t.id), '[]') as predictions
from batch_step s
join step on step.id = s.step_id
left join task t on t.batch_step_id = s.id and t.item_id = %(item)s and t.kind = 'work'
where s.batch_id = %(batch)s
order by s.position"""

# an answer of a contributor, with the decision of its task. What was answered to gold or as an
# audit has no decision here, and looks like what is not decided yet.
OWN = """
select s.id as batch_step_id, a.value, a.submitted_ms, s.target, jsonb_build_object(
           'value', d.value, 'confidence', d.confidence, 'method', d.method,
           'n_answers', d.n_answers, 'evidence', d.evidence::text,
           'decided_ms', d.decided_ms) as decision, d.task_id is not null as decided
from answer a
join task t on t.id = a.task_id
join batch_step s on s.id = t.batch_step_id
left join decision d on d.task_id = t.id and t.kind = 'work'
where a.task_id = %s and a.contributor_id = %s"""


def item(conn: Conn, batch_id: int, key: str) -> dict[str, Any] | None:
    """client_id, batch_name, process_slug, item_id, payload, shape."""
    values = {"batch": batch_id, "key": key}
    found: dict[str, Any] | None = (
        conn.cursor(row_factory=dict_row).execute(ITEM, values).fetchone()
    )
    return found


def facts(conn: Conn, batch_id: int, item_id: int) -> list[Facts]:
    """Of every step of a batch, in their order."""
    cursor = conn.cursor(row_factory=dict_row)
    rows = cursor.execute(FACTS, {"batch": batch_id, "item": item_id}).fetchall()
    return [msgspec.convert(row, Facts) for row in rows]


def own(conn: Conn, task_id: int, contributor_id: int) -> dict[str, Any] | None:
    """batch_step_id, value, submitted_ms, target and the decision, if there is one."""
    cursor = conn.cursor(row_factory=dict_row)
    row = cursor.execute(OWN, [task_id, contributor_id]).fetchone()
    if row is None:
        return None
    decided = row.pop("decided")
    return row | {"decision": msgspec.convert(row["decision"], Version) if decided else None}
