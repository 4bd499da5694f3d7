"""Tasks that an agent passes on are evidence too: about its challenger, that answers them."""

from collections.abc import Sequence

from canut.db.pool import SyncConn
from canut.quality.licences import store, store_blind
from canut.quality.licences.streams import shadowed
from canut.quality.model import LicencePlace


def record_passed(conn: SyncConn, place: LicencePlace, tasks: Sequence[int]) -> None:
    """Tasks that an agent passed on, and its challenger did not: those that fall into the agent's
    stream are decided as blind as the others, so that the challenger is judged by all it answers.
    """
    held = store.open_of_agents(conn, place.process_id, place.step_slug, [place.contributor_id])
    if not held or not tasks:
        return
    inside = shadowed(held[0], tasks).tolist()
    rows = [
        (held[0].id, task, None, 0.0) for task, chosen in zip(tasks, inside, strict=True) if chosen
    ]
    if rows:
        store_blind.record(conn, rows)
