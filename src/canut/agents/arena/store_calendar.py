"""The SQL of the calendar of models: what the operator's file said last, and what was done."""

from datetime import date
from typing import Any, Literal

from msgspec import Struct
from psycopg import Connection

from canut.db.rows import of

Sync = Connection[Any]

_ENDING = """
select k.agent_id, c.name, a.process_id, a.step_slug, k.model, k.shutdown, k.begin_by, k.state,
       k.successor, k.did, k.told_ms
from agent_calendar k join agent a on a.id = k.agent_id join contributor c on c.id = a.id
"""
ALL = _ENDING + "order by k.begin_by, k.agent_id"
PUT = """
insert into agent_calendar (agent_id, model, shutdown, begin_by, state, successor, did, told_ms)
values (%(agent_id)s, %(model)s, %(shutdown)s, %(begin_by)s, %(state)s, %(successor)s, %(did)s,
        %(told_ms)s)
on conflict (agent_id) do update set model = excluded.model, shutdown = excluded.shutdown,
    begin_by = excluded.begin_by, state = excluded.state, successor = excluded.successor,
    did = excluded.did, told_ms = excluded.told_ms"""
FORGET = "delete from agent_calendar where agent_id = %s"

#: "": nothing to do yet; "challenger": the successor runs in the shadow; "follows": it has taken
#: over; "paused": people do the agent's work; what is missing: "no successor" is named; "dropped":
#: the successor lost its duel, another has to be named; "no work": there is no step to try it on;
#: "not loaded": the successor could not be
Did = Literal[
    "", "challenger", "follows", "paused", "no successor", "dropped", "no work", "not loaded"
]


class Ending(Struct, frozen=True):
    """An agent whose model ends."""

    agent_id: int
    #: of the agent
    name: str
    process_id: int
    step_slug: str
    model: str
    #: the day from which the model is gone
    shutdown: date
    #: the last day on which a challenger can begin and still be judged in time
    begin_by: date
    state: Literal["later", "now", "late", "gone"]
    #: empty where the file names none
    successor: str
    did: Did
    #: since when it is told so
    told_ms: int


def endings(conn: Sync) -> list[Ending]:
    """Agents whose model ends, the most pressing first."""
    return conn.cursor(row_factory=of(Ending)).execute(ALL).fetchall()


def put(conn: Sync, values: dict[str, Any]) -> None:
    """What is known of an agent's model from now on: the columns of PUT."""
    conn.execute(PUT, values)


def forget(conn: Sync, agent_id: int) -> None:
    """Its model does not end."""
    conn.execute(FORGET, [agent_id])
