"""Proof that the rows fit together: the references that no foreign key guards, and the counts."""

from typing import Any

from msgspec import Struct
from psycopg import Connection

from canut.db.check_ledger import LEDGER
from canut.db.check_money import MONEY
from canut.db.check_pay import PAY


class Fault(Struct, frozen=True):
    """A rule that rows break."""

    #: the rule, for a person
    rule: str
    #: how many rows break it
    count: int
    #: one of them
    example: str


#: rule -> query that gives an example of each breach; each reads whole tables
RULES = {
    "every task belongs to an item of its batch": """
        select 'task ' || t.id from task t
        left join batch_step s on s.id = t.batch_step_id
        left join item i on i.batch_id = s.batch_id and i.id = t.item_id
        where t.kind <> 'gold' and i.id is null""",
    "every gold task is of a gold": """
        select 'task ' || t.id from task t left join gold g on g.id = -t.item_id
        where t.kind = 'gold' and g.id is null""",
    "every audit is of a task of the same item and step": """
        select 'task ' || t.id from task t left join task w on w.id = t.of_task
            and w.item_id = t.item_id and w.batch_step_id = t.batch_step_id and w.kind = 'work'
        where t.kind = 'audit' and w.id is null""",
    "every audit task has its panel, and every panel its task": """
        select 'task ' || coalesce(t.id, p.task_id)
        from (select id, of_task from task where kind = 'audit') t
        full join panel p on p.task_id = t.id and p.of_task = t.of_task
        where t.id is null or p.task_id is null""",
    "nobody audits a task that they had": """
        select 'assignment ' || a.task_id || ' of ' || a.contributor_id
        from task t
        join assignment a on a.task_id = t.id
        join assignment w on w.task_id = t.of_task and w.contributor_id = a.contributor_id
        where t.kind = 'audit'""",
    "a list has as many decisions as it says": """
        select 'frame ' || f.id from frame f
        where f.n_decisions <> (select count(*) from decision d
            where d.batch_step_id = f.batch_step_id and d.item_id <= f.last_item)""",
    "every draw is of a decision, and heard by its panel": """
        select 'draw ' || a.draw || ' of frame ' || a.frame_id from audit a
        left join decision d on d.task_id = a.task_id
        left join panel p on p.task_id = a.audit_task and p.of_task = a.task_id
        where d.task_id is null or p.task_id is null""",
    "the draws of a list are counted without a gap": """
        select 'frame ' || frame_id from audit
        group by frame_id having max(draw) <> count(*) - 1""",
    "every draw that its panel has settled has an outcome": """
        select 'draw ' || a.draw || ' of frame ' || a.frame_id
        from audit a join panel p on p.task_id = a.audit_task
        where a.outcome is null and p.settled_ms is not null""",
    "every dispute is about a decision of its client": """
        select 'dispute ' || x.id from dispute x
        left join batch b on b.id = x.batch_id and b.client_id = x.client_id
        left join decision d on d.task_id = x.task_id and d.item_id = x.item_id
            and d.batch_step_id = x.batch_step_id
        where b.id is null or d.task_id is null""",
    "every answered gold has its answer": """
        select 'gold ' || g.gold_id || ' of ' || g.contributor_id from gold_answer g
        left join answer a on a.task_id = g.task_id and a.contributor_id = g.contributor_id
        where g.answered_ms is not null and g.task_id is not null and a.task_id is null""",
    "the gold in a record is that of its counted answers": """
        select 'contributor ' || k.contributor_id || ' at ' || k.step_slug from (
            select g.process_id, g.step_slug, a.contributor_id, sum(a.agreement) as agreed,
                   count(*) as n
            from gold_answer a join gold g on g.id = a.gold_id where a.counted
            group by g.process_id, g.step_slug, a.contributor_id
        ) k
        full join track t using (process_id, step_slug, contributor_id)
        where abs(coalesce(k.agreed, 0) - coalesce(t.gold_right, 0)) > 0.001
           or coalesce(k.n, 0) <> coalesce(t.gold_judged, 0)""",
    "every exam that has ended says what it showed": """
        select 'exam ' || e.id from exam e
        where (e.state = 'running') <> (e.verdict is null)""",
    "every assignment is of a task and a contributor": """
        select 'assignment ' || a.task_id || ' of ' || a.contributor_id from assignment a
        left join task t on t.id = a.task_id and t.batch_step_id = a.batch_step_id
        left join contributor c on c.id = a.contributor_id
        where t.id is null or c.id is null""",
    "every answer has its submitted assignment": """
        select 'answer to ' || w.task_id || ' of ' || w.contributor_id from answer w
        left join assignment a using (task_id, contributor_id)
        where a.state is distinct from 'submitted'""",
    "every submitted assignment has its answer": """
        select 'assignment ' || a.task_id || ' of ' || a.contributor_id from assignment a
        left join answer w using (task_id, contributor_id)
        where a.state = 'submitted' and w.task_id is null""",
    "a task is decided exactly when it has a decision": """
        select 'task ' || t.id from task t left join decision d on d.task_id = t.id
        where t.kind = 'work' and t.decided <> (d.task_id is not null)""",
    "answers wanted are free slots plus claims and answers": """
        select 'task ' || t.id from task t
        left join lateral (select count(*) as n from assignment a
            where a.task_id = t.id and a.state in ('claimed', 'submitted')) taken on true
        where not t.decided and t.kind <> 'gold' and t.wanted <> t.slots + taken.n""",
    "the counts of a step are those of its rows": """
        select 'step ' || s.id from batch_step s
        left join lateral (select count(*) as n, count(*) filter (where t.decided) as decided
            from task t where t.batch_step_id = s.id and t.kind = 'work') t on true
        where s.n_tasks <> t.n or s.n_decided <> t.decided""",
    "everybody's confusions are the sum of each one's": """
        select 'step ' || step_slug || ' of process ' || process_id from confusion c
        cross join lateral unnest(c.truth) with ordinality as u (n, place)
        group by process_id, step_slug, options, said, place
        having coalesce(sum(u.n) filter (where contributor_id = 0), 0)
            <> coalesce(sum(u.n) filter (where contributor_id <> 0), 0)""",
    "what language models cost is the sum of their calls": """
        select 'agent ' || s.agent_id || ', ' || s.currency from llm_spend s
        left join lateral (
            select coalesce(sum(c.cost_micro), 0) as cost, count(*) as n,
                   count(*) filter (where c.basis = 'cache') as cached
            from llm_call c where c.agent_id = s.agent_id and c.currency = s.currency) c on true
        where s.kind = 'ever'
          and (s.cost_micro, s.calls, s.cached) <> (c.cost, c.n - c.cached, c.cached)""",
    "the items of a batch are as many as it says": """
        select 'batch ' || b.id from batch b
        where b.n_items <> (select count(*) from item i where i.batch_id = b.id)""",
    **PAY,
    **MONEY,
    **{
        rule: f"select example from ({query}) as broken (place, example)"  # noqa: S608 - ours
        for rule, query in LEDGER.items()
    },
}


def check(conn: Connection[Any]) -> list[Fault]:
    """Every rule that is broken; empty when all is well. One snapshot, so that work may go on."""
    faults = []
    with conn.transaction():
        conn.execute("set transaction isolation level repeatable read, read only")
        for rule, query in RULES.items():
            # the queries are ours, above
            sql = f"select count(*), min(example) from ({query}) as broken (example)"  # noqa: S608
            row = conn.execute(sql.encode()).fetchone()
            if row and row[0]:
                faults.append(Fault(rule, row[0], row[1]))
    return faults
