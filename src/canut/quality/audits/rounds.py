"""What the engine does about audits, again and again: close, draw, settle, state.

Each verb works in the caller's transaction, looks again whether there is something to do, and
leaves a step of a batch alone that another engine is at.
"""

from canut.db.pool import SyncConn
from canut.quality.audits import disputes, store_frames
from canut.quality.audits.disputes import Settled
from canut.quality.audits.draws import draw_round
from canut.quality.audits.frames import ROUND, round_of
from canut.quality.audits.store_frames import Frame
from canut.quality.certificates.bounds import conclude, least_more
from canut.quality.certificates.statements import issue, look, tally


def go_on(conn: SyncConn, frame_id: int, now_ms: int) -> bool:
    """The next round of a list, all draws of which are answered; or a certificate: the promise is
    proved, or the draws are spent. False where there is nothing to do."""
    asked = store_frames.frame(conn, frame_id)
    if asked is None or not store_frames.lock(conn, asked.batch_step_id):
        return False
    # as it is now that nobody else is at it
    frame = store_frames.ready_still(conn, frame_id)
    if frame is None:
        return False
    at = tally(conn, frame, look(conn, frame, now_ms))
    if conclude(at).proved:
        _end(conn, frame, "proved", now_ms)
    elif draw_round(conn, frame, now_ms, round_of(least_more(at, ROUND))) == 0:
        _end(conn, frame, "spent", now_ms)
    return True


def _end(conn: SyncConn, frame: Frame, occasion: str, now_ms: int) -> None:
    store_frames.set_state(conn, frame.id, occasion)
    issue(conn, frame, occasion, now_ms)


def settle_disputes(conn: SyncConn, batch_step_id: int, now_ms: int) -> list[Settled]:
    """End the disputes of a step that a panel has settled, and state anew what is proved. Where an
    overturned decision undoes a proof, draws go on, as far as the budget reaches."""
    if not store_frames.lock(conn, batch_step_id):
        return []
    settled = disputes.settle(conn, batch_step_id, now_ms)
    if settled:
        _restate(conn, batch_step_id, now_ms)
    return settled


def _restate(conn: SyncConn, batch_step_id: int, now_ms: int) -> None:
    frame = store_frames.latest(conn, batch_step_id)
    if frame is None:
        return
    said = issue(conn, frame, "dispute", now_ms).statement
    if said.proved and frame.state == "spent":
        store_frames.set_state(conn, frame.id, "proved")
    elif not said.proved and frame.state == "proved":
        drawn = store_frames.draws(conn, frame.id)
        left = drawn < frame.audits_max
        store_frames.set_state(conn, frame.id, "open" if left else "spent")
