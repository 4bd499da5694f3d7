"""Audits: lists of decisions are closed, decisions drawn from them, and panels hear them blind.

Every verb may be called again at any moment, after whatever interruption: what is done stays done,
and nothing is done twice. Each works inside the caller's transaction.
"""

import secrets
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np

from canut.db.pool import SyncConn
from canut.quality.audits import store, store_frames
from canut.quality.audits.frames import ROUND, budget, choose, frame_delta, risks
from canut.quality.audits.panels import Next, Verdict, compare, next_of, verdicts
from canut.quality.audits.store import Open
from canut.quality.audits.store_frames import Delivered, Frame
from canut.quality.beliefs.corrections import correct
from canut.quality.certificates import store as store_statements
from canut.quality.certificates.bounds import digest_of
from canut.quality.certificates.statements import design_of, named, risk_ppm
from canut.questions.base import Question
from canut.questions.registry import load_question
from canut.truth.designs import UNIFORM_PPM, Design, draw, weights

#: hexadecimal characters of a seed: 256 bits
SEED_BYTES = 32

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder().decode


def new_seed() -> str:
    """What nobody could know before."""
    return secrets.token_hex(SEED_BYTES)


def close_frames(
    conn: SyncConn, batch_id: int, now_ms: int, seed: Callable[[], str] = new_seed
) -> bool:
    """Close the lists of a batch that was delivered since it was framed last; False where there is
    nothing to do, or another engine is at it. A seed is made once its list is there."""
    if not store_frames.hold(conn, batch_id):
        return False
    steps = store_frames.to_frame(conn, batch_id)
    if not all(store_frames.lock(conn, step.batch_step_id) for step in steps):
        return False
    for step in steps:
        _close(conn, step, now_ms, seed)
    store_frames.framed(conn, batch_id)
    return True


def _close(conn: SyncConn, step: Delivered, now_ms: int, seed: Callable[[], str]) -> None:
    number = step.frames + 1
    last = store_frames.last_item(conn, step.batch_step_id)
    rows = store_frames.listed(conn, step.batch_step_id, last, number)
    if not rows:
        return
    size, confidence = len(rows), [row.confidence for row in rows]
    delta = frame_delta(step.delta, number)
    audits_max = budget(size, step.audits_max, step.audit_share)
    choice = choose(confidence, step.error_max, delta, audits_max)
    risk = risk_ppm(choice.kind, confidence)
    design = Design(choice.kind, seed(), UNIFORM_PPM)
    store_frames.insert_frame(
        conn,
        {
            "batch_step_id": step.batch_step_id,
            "number": number,
            "closed_ms": now_ms,
            "last_item": last,
            "n_decisions": size,
            "error_max": step.error_max,
            "delta": delta,
            "kind": choice.kind,
            "seed": design.seed,
            "uniform_ppm": design.uniform_ppm,
            "weight_max": float(weights(design, size, risk).max()),
            "reason": choice.reason,
            "digest": digest_of([named(row.key) for row in rows], risk),
            "audits_max": audits_max,
        },
    )


def draw_round(conn: SyncConn, frame: Frame, now_ms: int, wanted: int = ROUND) -> int:
    """Draw up to `wanted` more decisions of a frame, within its budget; how many. A decision that a
    panel has heard before, for another draw or a dispute, is judged at once."""
    first = store_frames.draws(conn, frame.id)
    count = min(wanted, frame.audits_max - first)
    if count <= 0:
        return 0
    rows = store_frames.listed(conn, frame.batch_step_id, frame.last_item, frame.number)
    risk = risks([row.confidence for row in rows]) if frame.kind == "risk" else ()
    design = design_of(frame)
    places = draw(design, len(rows), first + count, risk)[first:]
    weight = weights(design, len(rows), risk)[places]
    tasks = [rows[place].task_id for place in places.tolist()]
    store.open_panels(conn, tasks, now_ms)
    audit_tasks = store.lock_tasks(conn, tasks)
    store.draw(conn, frame, first, tasks, np.asarray(weight, np.float64).tolist())
    judge_draws(conn, load(conn, frame.batch_step_id), audit_tasks, now_ms)
    return count


def judge_audits(conn: SyncConn, question: Question, tasks: Sequence[int], now_ms: int) -> None:
    """Hear the answers to these audit tasks: settle their panels, or ask one more.

    Whether one more is asked depends on the panel's own answers alone, never on whether they
    contradict what was delivered: see `panels`. Call it in the transaction that took the
    answers, with the tasks locked.
    """
    panels = store.fresh(conn, tasks)
    given: dict[int, list[Any]] = {}
    for task, _, value in store.answers(conn, [one.task_id for one in panels]):
        given.setdefault(task, []).append(decode(value))
    heard = [one for one in panels if one.task_id in given]
    said = verdicts(question, [given[one.task_id] for one in heard]) if heard else []
    settled: list[tuple[Open, Verdict]] = []
    ask: list[int] = []
    for one, verdict in zip(heard, said, strict=True):
        answers = len(given[one.task_id])
        match next_of(verdict, answers, one.wanted, one.people, one.people_max):
            case Next.SETTLE:
                settled.append((one, verdict))
            case Next.ASK:
                ask.append(one.task_id)
    if ask:
        store.ask(conn, ask)
    if settled:
        ids = [one.task_id for one, _ in settled]
        values = [encode(verdict.value).decode() for _, verdict in settled]
        store.settle(conn, ids, [verdict for _, verdict in settled], values, now_ms)
        judge_draws(conn, question, ids, now_ms)
        correct(conn, question, ids)


def judge_draws(
    conn: SyncConn, question: Question, audit_tasks: Sequence[int], now_ms: int
) -> None:
    """Give the draws of settled panels their outcome, once. Where a panel came to nothing that most
    of it stand behind, the decision counts as wrong."""
    drawn = store.unjudged(conn, audit_tasks)
    if not drawn:
        return
    said = store.verdicts(conn, audit_tasks)
    outcomes = []
    for one in drawn:
        value, resolved = said[one.audit_task]
        same = resolved and compare(question, decode(value), decode(one.value))
        outcomes.append("right" if same else "wrong")
    store.judge(conn, drawn, outcomes, now_ms)


def load(conn: SyncConn, batch_step_id: int) -> Question:
    """The question of a step of a batch."""
    return load_question(store_statements.question(conn, batch_step_id))
