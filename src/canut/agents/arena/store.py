"""The SQL of duels: what champion and challenger said of the same blind tasks."""

from typing import Any

from msgspec import Struct
from psycopg import Connection

from canut.agents.running.model import AgentAtWork
from canut.db.rows import of
from canut.quality.licences import store as store_licences
from canut.quality.licences.store_blind import FIRST_GIVEN
from canut.quality.model import Licence

Sync = Connection[Any]

# everything that the champion is judged by, in its order, with what the challenger said after it
# was fixed and what people decided; d is null while they have not
PAIRS = f"""
select b.task_id, b.wrong as champion_wrong, p.value::text as value, p.confidence,
       d.value::text as decided, coalesce(b.settled_ms < v.fixed_ms, false) as looked_back, b.lone,
       case when not b.lone and d.task_id is not null then {FIRST_GIVEN} end as first_said
from blind_answer b
join licence l on l.id = b.licence_id
join agent_version v on v.id = %(challenger)s
join agent_prediction p on p.task_id = b.task_id and p.version_id = v.id
left join decision d on d.task_id = b.task_id
where b.contributor_id = %(agent)s and l.basis = %(basis)s
order by b.id"""  # noqa: S608 - a query of ours

SETTLED = "select count(*) from blind_answer where root = %s and wrong is not null"
# challengers dropped since the open licence's root began
TRIED = """
select count(*) from agent_version v where v.agent_id = %s and v.role = 'dropped'
  and v.ended_ms >= (
    select coalesce(r.started_ms, l.started_ms) from licence l left join licence r on r.id = l.root
    where l.contributor_id = %s and l.process_id = %s and l.step_slug = %s and l.ended_ms is null)
"""

# whether evidence has ended a licence for this version
REVOKED = """
select exists (select from licence where contributor_id = %s and process_id = %s
    and step_slug = %s and basis = %s and reason = 'revoked' and started_ms >= %s)"""

# mean cost of asking a version about one item, in micro-units of its currency
# where there is a ledger of calls it knows better: exams, calls that gave nothing, and what was
# paid before an engine was killed stand there too
MEAN_COST = """
select coalesce(coalesce((
           select sum(s.cost_micro) from agent_version v join llm_spend s
               on s.agent_id = v.agent_id and s.kind = 'version' and s.of = v.hash
           where v.id = %(version)s), sum(c.cost_micro))::float8 / nullif(sum(c.predictions), 0), 0)
from agent_cost c where c.version_id = %(version)s"""

COSTS = """
select v.id as version_id, c.currency, sum(c.predictions)::bigint as predictions,
       sum(c.answered)::bigint as answered,
       coalesce(max(s.cost_micro), sum(c.cost_micro))::bigint as cost_micro,
       sum(c.latency_ms)::bigint as latency_ms
from agent_version v join agent_cost c on c.version_id = v.id
left join llm_spend s on s.agent_id = v.agent_id and s.currency = c.currency
    and s.kind = 'version' and s.of = v.hash
where v.agent_id = %s group by v.id, c.currency order by v.id, c.currency"""

# confidence and outcome of blind answers of a version, for the curve of accuracy over coverage
CURVE = """
select b.confidence, b.wrong from blind_answer b join licence l on l.id = b.licence_id
where b.contributor_id = %s and l.basis = %s and b.wrong is not null and b.value <> 'null'
  and not b.lone
order by b.id"""

# how a canary does: what people said blind of answers that it would have decided alone
CANARY = """
select b.wrong from blind_answer b join licence l on l.id = b.licence_id
where b.contributor_id = %(agent)s and l.process_id = %(process)s and l.step_slug = %(step)s
  and l.basis = %(basis)s and l.granted_ms is not null and b.confidence >= l.threshold::real
  and b.wrong is not null and b.value <> 'null'
order by b.settled_ms, b.id"""


# the last licence of a version that was in force until another version took over
STOOD = """
select id from licence where contributor_id = %s and process_id = %s and step_slug = %s
  and basis = %s and granted_ms is not null and reason = 'superseded'
order by version desc limit 1"""


class PairRow(Struct, frozen=True):
    """A blind task that champion and challenger answered."""

    task_id: int
    #: None while people have not decided
    champion_wrong: bool | None
    #: the challenger's answer, JSON; None where it had none
    value: str | None
    confidence: float
    #: what people decided, JSON
    decided: str | None
    #: that was before the challenger was fixed
    looked_back: bool = False
    #: one person was enough who agreed with the champion
    lone: bool = False
    #: what the first person to answer said, JSON, where two were asked and have decided
    first_said: str | None = None


class CostRow(Struct, frozen=True):
    """What a version's predictions cost."""

    version_id: int
    currency: str
    predictions: int
    answered: int
    cost_micro: int
    latency_ms: int


def pairs(conn: Sync, agent_id: int, basis: str, challenger: int) -> list[PairRow]:
    values = {"agent": agent_id, "basis": basis, "challenger": challenger}
    return conn.cursor(row_factory=of(PairRow)).execute(PAIRS, values).fetchall()


def open_licence(conn: Sync, agent: AgentAtWork) -> Licence | None:
    """The licence an agent earns or holds."""
    found = store_licences.open_of_agents(conn, agent.process_id, agent.step_slug, [agent.id])
    return found[0] if found else None


def settled(conn: Sync, root: int) -> int:
    """Blind answers since a root began that people have decided."""
    row = conn.execute(SETTLED, [root]).fetchone()
    return int(row[0]) if row else 0


def tried(conn: Sync, agent: AgentAtWork) -> int:
    """Challengers that were dropped since the root of the open licence began; 0 where none is."""
    values = [agent.id, agent.id, agent.process_id, agent.step_slug]
    row = conn.execute(TRIED, values).fetchone()
    return int(row[0]) if row else 0


def revoked_since(conn: Sync, agent: AgentAtWork, basis: str, since_ms: int) -> bool:
    """Whether evidence has ended a licence of this version that began since then."""
    values = [agent.id, agent.process_id, agent.step_slug, basis, since_ms]
    row = conn.execute(REVOKED, values).fetchone()
    return bool(row and row[0])


def canary(conn: Sync, agent: AgentAtWork, basis: str) -> list[bool]:
    """Whether each blind answer to what a version would have decided alone was wrong."""
    values = {
        "agent": agent.id,
        "process": agent.process_id,
        "step": agent.step_slug,
        "basis": basis,
    }
    return [row[0] for row in conn.execute(CANARY, values)]


def stood(conn: Sync, agent: AgentAtWork, basis: str) -> int | None:
    """The licence that a version held when another took over."""
    values = [agent.id, agent.process_id, agent.step_slug, basis]
    row = conn.execute(STOOD, values).fetchone()
    return int(row[0]) if row else None


def mean_cost(conn: Sync, version_id: int) -> float:
    """Of asking it about one item, in micro-units of its currency."""
    row = conn.execute(MEAN_COST, {"version": version_id}).fetchone()
    return float(row[0]) if row else 0.0


def costs(conn: Sync, agent_id: int) -> list[CostRow]:
    """What each version of an agent has cost."""
    return conn.cursor(row_factory=of(CostRow)).execute(COSTS, [agent_id]).fetchall()


def outcomes(conn: Sync, agent_id: int, basis: str) -> list[tuple[float, bool]]:
    """(confidence, wrong) of the blind answers of a version that people have decided."""
    return conn.execute(CURVE, [agent_id, basis]).fetchall()
