"""Tasks that wait for people behind an agent are weighed again when it may decide more.

It has answered them already; without this, each would cost an answer of somebody first.
"""

from collections.abc import MutableMapping

from canut.agents.running import store
from canut.agents.running.model import AgentAtWork
from canut.db.pool import SyncConn

#: (agent, step of a batch) -> what it might decide when its tasks were weighed last
Weighed = MutableMapping[tuple[int, int], tuple[int, int]]


def weigh_again(
    conn: SyncConn, weighed: Weighed, agent: AgentAtWork, batch_step_id: int, now_ms: int
) -> int:
    """Put them among the fresh ones, once for each licence or share of a canary; how many. To
    forget what was weighed costs one more look, never a false one."""
    may = store.in_force(conn, agent)
    if may is None or weighed.get((agent.id, batch_step_id)) == may:
        return 0
    weighed[agent.id, batch_step_id] = may
    return store.weigh_again(conn, agent.id, batch_step_id, now_ms)
