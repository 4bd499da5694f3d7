"""What is proved about the decisions of a step of a batch, now and as it was stated.

said = statement(conn, batch_step_id, now_ms)        # figures, at any time
certificate_of(conn, batch_step_id, now_ms)          # the same with all its evidence
issued_certificate(conn, issued)                     # as it was issued, byte for byte
"""

import hashlib

import msgspec
import numpy as np

from canut.db.pool import SyncConn
from canut.errors import NotFound
from canut.quality.audits import store_frames
from canut.quality.audits.frames import risks
from canut.quality.audits.panels import agree_min, by_field
from canut.quality.audits.store_frames import Frame
from canut.quality.certificates import store as store_statements
from canut.quality.certificates.bounds import (
    Audit,
    Certificate,
    Evidence,
    Outcome,
    Panel,
    Statement,
    Tally,
    certify,
    conclude,
    export,
)
from canut.quality.certificates.store import Draw, Issued, Snapshot
from canut.questions.registry import load_question
from canut.truth.designs import Design


def statement(conn: SyncConn, batch_step_id: int, now_ms: int) -> Statement | None:
    """What the evidence at hand proves; None while no list of decisions is closed. Anybody may look
    at any time: the bound holds at all looks together."""
    frame = store_frames.latest(conn, batch_step_id)
    return None if frame is None else state(conn, frame, look(conn, frame, now_ms))


def certificate_of(conn: SyncConn, batch_step_id: int, now_ms: int) -> Certificate:
    """The certificate that the evidence at hand supports. Raises `NotFound` before delivery."""
    frame = store_frames.latest(conn, batch_step_id)
    if frame is None:
        raise NotFound(
            "Nothing was delivered at this step yet.", mend="wait until the batch is delivered"
        )
    return certified(conn, frame, look(conn, frame, now_ms))


def issued_certificate(conn: SyncConn, issued: Issued) -> Certificate:
    """A certificate as it was issued, with its evidence."""
    frame = store_frames.frame(conn, issued.frame_id)
    assert frame is not None
    return certified(conn, frame, issued.snapshot)


def issue(conn: SyncConn, frame: Frame, occasion: str, now_ms: int) -> Certificate:
    """State for ever what is proved now. `occasion`: proved, spent, dispute."""
    at = look(conn, frame, now_ms)
    made = certified(conn, frame, at)
    digest = hashlib.sha256(export(made)).hexdigest()
    store_statements.issue(conn, frame.id, occasion, at, made.statement, digest)
    return made


def look(conn: SyncConn, frame: Frame, now_ms: int) -> Snapshot:
    """The rows that change, as they are now."""
    drawn = store_statements.draws(conn, frame.id)
    step, last = frame.batch_step_id, frame.last_item
    wrong = store_statements.overturned(conn, step, last, frame.number)
    disputed = store_statements.contested(conn, step, last)
    question = load_question(store_statements.question(conn, step))
    people, gold, gold_wrong = store_statements.panel(conn, frame.id, step)
    return Snapshot(
        about=store_statements.about(conn, step, now_ms),
        draws=len(drawn),
        open_draws=[one.draw for one in drawn if one.outcome is None],
        contested=sorted(set(disputed) - set(wrong)),
        overturned=wrong,
        panel=Panel(people, gold, gold_wrong, agree_min(question), by_field(question)),
    )


def state(conn: SyncConn, frame: Frame, at: Snapshot) -> Statement:
    """What was proved at that moment, from the draws alone: no list is read."""
    return conclude(tally(conn, frame, at))


def tally(conn: SyncConn, frame: Frame, at: Snapshot) -> Tally:
    """What the draws had come to at that moment."""
    loss = []
    blank, doubtful = set(at.open_draws), {*at.contested, *at.overturned}
    for one in store_statements.draws(conn, frame.id)[: at.draws]:
        if one.draw in blank:
            break
        wrong = one.outcome == "wrong" or one.item_id in doubtful
        loss.append(one.weight if wrong else 0.0)
    return Tally(
        decisions=frame.n_decisions,
        digest=frame.digest,
        kind=design_of(frame).kind,
        loss=np.array(loss, np.float64),
        weight_max=frame.weight_max,
        overturned=len(at.overturned),
        error_max=frame.error_max,
        delta=frame.delta,
        panel=at.panel,
    )


def certified(conn: SyncConn, frame: Frame, at: Snapshot) -> Certificate:
    """The whole evidence of that moment, and what it proves."""
    rows = store_frames.listed(conn, frame.batch_step_id, frame.last_item, frame.number)
    names = {row.item_id: named(row.key) for row in rows}
    blank = set(at.open_draws)
    drawn = store_statements.draws(conn, frame.id)[: at.draws]
    return certify(
        Evidence(
            about=at.about,
            error_max=frame.error_max,
            delta=frame.delta,
            design=design_of(frame),
            decisions=tuple(names.values()),
            audits=tuple(Audit(names[one.item_id], _outcome(one, blank)) for one in drawn),
            panel=at.panel,
            risk_ppm=risk_ppm(frame.kind, [row.confidence for row in rows]),
            contested=tuple(names[item] for item in at.contested),
            overturned=tuple(names[item] for item in at.overturned),
        )
    )


def outline(frame: Frame, at: Snapshot, said: Statement) -> Certificate:
    """A certificate without its lists: enough to put it into words, not to check it."""
    return Certificate(
        said,
        Evidence(
            about=at.about,
            error_max=frame.error_max,
            delta=frame.delta,
            design=design_of(frame),
            decisions=(),
            audits=(),
            panel=at.panel,
            contested=tuple(str(item) for item in at.contested),
            overturned=tuple(str(item) for item in at.overturned),
        ),
    )


def design_of(frame: Frame) -> Design:
    """How decisions of a frame are drawn."""
    return msgspec.convert(
        {"kind": frame.kind, "seed": frame.seed, "uniform_ppm": frame.uniform_ppm}, Design
    )


def risk_ppm(kind: str, confidence: list[float]) -> tuple[int, ...]:
    """The risks of a list, fixed by its confidences; none in the uniform design."""
    return tuple(risks(confidence).tolist()) if kind == "risk" else ()


def named(key: str) -> str:
    """The client's name of an item, in one line without tabs; different for different keys."""
    return key.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def _outcome(one: Draw, blank: set[int]) -> Outcome:
    if one.draw in blank or one.outcome is None:
        return "open"
    return "right" if one.outcome == "right" else "wrong"
