"""Where people's answers went, for `bench.effort`: each of them once, by what it was for."""

from canut.db.pool import SyncConn

#: what an answer was for, in the order of the table
SINKS = {
    "before": "first, before anything was licensed",
    "before_more": "further ones to the same",
    "unsure": "first, where the agent was not sure enough",
    "unsure_more": "further ones to the same",
    "earning": "blind stream while a licence was earned",
    "watch": "blind stream of a licence in force",
    "experts": "experts",
    "audits": "auditors",
}
#: parts of the stream of items, by the order in which they were decided
PARTS = 10

# each answer of a person, the first and the further ones to a task apart; a task belongs to the
# part in which it was decided. `granted`: when an agent was first licensed to decide alone
LEDGER = """
with granted as (
    select coalesce(min(granted_ms), 9223372036854775807) as ms from licence l
    join contributor c on c.id = l.contributor_id and c.kind = 'agent'
), decided as (
    select task_id, decided_ms,
           (row_number() over (order by decided_ms, task_id) - 1) * %s
               / count(*) over () as part
    from decision
), told as (
    select a.task_id, t.kind, a.expert, coalesce(t.of_task, a.task_id) as work, a.submitted_ms,
           row_number() over (partition by a.task_id order by a.submitted_ms, a.contributor_id)
               as place
    from answer a join task t on t.id = a.task_id
    join contributor c on c.id = a.contributor_id and c.kind = 'person'
)
select d.part::int, case
        when told.kind = 'audit' then 'audits'
        when told.expert then 'experts'
        when b.id is not null and l.state <> 'earning' and l.granted_ms is not null then 'watch'
        when b.id is not null then 'earning'
        when d.decided_ms < granted.ms then case when place = 1 then 'before' else 'before_more' end
        else case when place = 1 then 'unsure' else 'unsure_more' end
    end as sink, count(*)::int
from told join decided d on d.task_id = told.work cross join granted
left join lateral (
    select id, licence_id from blind_answer b where b.task_id = told.task_id order by id limit 1
) b on true
left join licence l on l.id = b.licence_id
group by 1, 2"""

DECIDED = """
select part, count(*)::int, count(*) filter (where method = 'licence')::int from (
    select method, (row_number() over (order by decided_ms, task_id) - 1) * %s
        / count(*) over () as part from decision) d
group by part order by part"""


def ledger(conn: SyncConn) -> list[dict[str, int]]:
    """Of each tenth of the items, in the order in which they were decided: how many, how many an
    agent decided alone, and people's answers to them by `SINKS`."""
    parts = [
        {"items": items, "alone": alone, **dict.fromkeys(SINKS, 0)}
        for _, items, alone in conn.execute(DECIDED, [PARTS])
    ]
    for part, sink, count in conn.execute(LEDGER, [PARTS]):
        parts[part][sink] += count
    return parts


def table(parts: list[dict[str, int]]) -> str:
    """The ledger in answers an item: a row for each sink, a column for each tenth, and all."""
    items = [part["items"] for part in parts]

    def row(name: str, counts: list[int]) -> str:
        each = [f"{count / n:6.3f}" for count, n in zip(counts, items, strict=True)]
        return f"{name:<45}{''.join(each)}  {sum(counts) / sum(items):6.3f}"

    lines = [row("decided by the agent alone", [part["alone"] for part in parts])]
    lines += [row(told, [part[sink] for part in parts]) for sink, told in SINKS.items()]
    every = [sum(part[sink] for sink in SINKS) for part in parts]
    return "\n".join([*lines, row("all answers of people", every)])


def totals(parts: list[dict[str, int]]) -> dict[str, float]:
    """Answers an item by sink."""
    n = sum(part["items"] for part in parts)
    return {sink: round(sum(part[sink] for part in parts) / n, 4) for sink in SINKS}
