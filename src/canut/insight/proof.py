"""How the proof of a promise came about: the bound after so many audits."""

import msgspec
import numpy as np
from msgspec import Struct

from canut.db.pool import SyncConn
from canut.quality.audits.store_frames import Frame
from canut.quality.certificates import store as store_statements
from canut.quality.certificates.bounds import Tally, conclude
from canut.quality.certificates.statements import design_of, look

#: points of a course
POINTS_MAX = 40


class Reached(Struct, frozen=True):
    """What was proved after so many audits."""

    audits: int
    wrong: int
    rate: float
    bound: float


def proof_course(conn: SyncConn, frame: Frame, now_ms: int) -> list[Reached]:
    """The course of a list of decisions, in the order of its draws, with what is known of each draw
    now; at most `POINTS_MAX` points, the last is where it stands. Empty before the first audit."""
    at = look(conn, frame, now_ms)
    doubtful = {*at.contested, *at.overturned}
    loss = []
    for one in store_statements.draws(conn, frame.id)[: at.draws]:
        if one.outcome is None:
            break
        wrong = one.outcome == "wrong" or one.item_id in doubtful
        loss.append(one.weight if wrong else 0.0)
    tally = Tally(
        decisions=frame.n_decisions,
        digest=frame.digest,
        kind=design_of(frame).kind,
        loss=np.array(loss, np.float64),
        weight_max=frame.weight_max,
        overturned=0,
        error_max=frame.error_max,
        delta=frame.delta,
        panel=at.panel,
    )
    return [_reached(tally, n) for n in looks(len(loss))]


def looks(n: int) -> list[int]:
    """At most `POINTS_MAX` numbers of audits from 1 to n, n among them."""
    return sorted({int(x) for x in np.linspace(1, n, min(n, POINTS_MAX))}) if n else []


def _reached(tally: Tally, n: int) -> Reached:
    said = conclude(msgspec.structs.replace(tally, loss=tally.loss[:n]))
    return Reached(n, said.wrong, said.rate, said.bound)
