"""Where the promises of a batch stand: what a client's page, program and command show."""

from msgspec import Struct

from canut.db.pool import SyncConn
from canut.errors import NotFound
from canut.people.model import Principal
from canut.quality.audits import store as store_audits
from canut.quality.audits import store_frames
from canut.quality.audits.store import Waiting
from canut.quality.audits.store_frames import Frame
from canut.quality.certificates import store as store_statements
from canut.quality.certificates.bounds import Certificate
from canut.quality.certificates.statements import issued_certificate, look, outline, state
from canut.quality.certificates.store import Issued


class Standing(Struct, frozen=True):
    """A step of a batch: its promise, what is proved of it now, and what was stated."""

    batch_step_id: int
    step: str
    #: the closed list of decisions; None before the batch is delivered
    frame: Frame | None
    #: what is proved now, without the list of decisions; None before there is one
    outline: Certificate | None
    #: decisions drawn, and those of them without an outcome
    draws: int
    open_draws: int
    #: what audits wait for; None where none do
    waiting: Waiting | None
    #: in the order of issue, each with what it says, without its list
    issued: tuple[tuple[Issued, Certificate], ...]


def standing(conn: SyncConn, batch_id: int, now_ms: int) -> list[Standing]:
    """Where each step of a batch stands. The caller has checked that it may be seen."""
    issued = store_statements.of_batch(conn, batch_id)
    lists = {one.frame_id: store_frames.frame(conn, one.frame_id) for one in issued}
    said = [
        (one, outline(frame, one.snapshot, one.statement))
        for one in issued
        if (frame := lists[one.frame_id]) is not None
    ]
    return [
        _standing(conn, batch_step_id, slug, said, now_ms)
        for batch_step_id, slug in store_statements.steps(conn, batch_id)
    ]


def _standing(
    conn: SyncConn,
    batch_step_id: int,
    slug: str,
    said: list[tuple[Issued, Certificate]],
    now_ms: int,
) -> Standing:
    frame = store_frames.latest(conn, batch_step_id)
    at = None if frame is None else look(conn, frame, now_ms)
    waiting = store_audits.waiting(conn, batch_step_id)
    return Standing(
        batch_step_id=batch_step_id,
        step=slug,
        frame=frame,
        outline=(
            None if frame is None or at is None else outline(frame, at, state(conn, frame, at))
        ),
        draws=0 if at is None else at.draws,
        open_draws=0 if at is None else len(at.open_draws),
        waiting=waiting[0] if waiting else None,
        issued=tuple(one for one in said if one[0].batch_step_id == batch_step_id),
    )


def find_issued(conn: SyncConn, who: Principal, certificate_id: int) -> Issued:
    """A certificate that this principal may see. Raises `NotFound`."""
    found = store_statements.issued(conn, certificate_id)
    if found is None or not who.sees(found.client_id):
        raise NotFound("There is no such certificate, or it is not yours to see.")
    return found


def with_evidence(conn: SyncConn, who: Principal, certificate_id: int) -> Certificate:
    """The same with all its evidence, as it was issued: a page, a file or a PDF is made of it."""
    return issued_certificate(conn, find_issued(conn, who, certificate_id))
