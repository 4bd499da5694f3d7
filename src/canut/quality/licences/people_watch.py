"""The periodic look at people's licences: evidence is kept where they can see it, proof puts up a
flag. Only a person ends a person's licence: see `canut.quality.licences.acts`."""

import logging
from collections.abc import Sequence

import msgspec

from canut.db.pool import SyncConn
from canut.errors import CanutError
from canut.people.model import Principal
from canut.people.store.log import audit_sync
from canut.quality.audits.draws import load
from canut.quality.beliefs.model import StepPlace
from canut.quality.licences import store as store_licences
from canut.quality.licences import store_people_watch as store
from canut.quality.licences.people_watch_rules import Audited, Evidence, Seen, in_order, judge
from canut.quality.model import RIGHT_FROM
from canut.questions.base import Question
from canut.truth.designs import Design, drawn_uniformly

log = logging.getLogger("canut.quality")
decode = msgspec.json.Decoder().decode

#: who puts up flags, in the audit log
ENGINE = Principal(name="engine")


def watch_due(conn: SyncConn, now_ms: int) -> list[int]:
    """Look at every step where something is new, each in a transaction of its own; the licences
    that were flagged."""
    flagged = []
    for place in store.due(conn):
        try:
            with conn.transaction():
                flagged += watch(conn, place, now_ms)
        except (ArithmeticError, LookupError, TypeError, ValueError, CanutError):
            # a question type that fails stops its own step, not the others
            log.exception("step %s of process %d", place.step_slug, place.process_id)
    return flagged


def watch(conn: SyncConn, place: StepPlace, now_ms: int) -> list[int]:
    """Judge the people's licences in force at a step by their evidence; those flagged now."""
    held = store.held(conn, place)
    seen = evidence_of(conn, [one.id for one in held])
    flagged = []
    for one in held:
        said = judge(seen.get(one.id, []), one.level, one.delta, one.version)
        store.note(conn, one.id, said, now_ms)
        if said.flagged_after is not None and one.flagged_ms is None:
            store_licences.flag(conn, one.id, now_ms, said)
            audit_sync(conn, ENGINE, "flag.licence", "licence", one.id, _detail(said))
            flagged.append(one.id)
    return flagged


def evidence_of(conn: SyncConn, licences: Sequence[int]) -> dict[int, list[Seen]]:
    """The blind evidence about each of these people's licences since it was granted, in the order
    in which it became known."""
    gold: dict[int, list[Seen]] = {}
    for one in store.gold(conn, list(licences)):
        seen = Seen(one.answered_ms, one.agreement < RIGHT_FROM, "gold")
        gold.setdefault(one.licence_id, []).append(seen)
    audited = _audited(conn, licences)
    return {id: in_order(gold.get(id, []), audited.get(id, [])) for id in licences}


def _audited(conn: SyncConn, licences: Sequence[int]) -> dict[int, list[Audited]]:
    questions: dict[int, Question] = {}
    found: dict[int, list[Audited]] = {}
    for one in store.audits(conn, list(licences)):
        if not drawn_uniformly(Design(one.kind, one.seed, one.uniform_ppm), one.draw):
            continue
        if one.batch_step_id not in questions:
            questions[one.batch_step_id] = load(conn, one.batch_step_id)
        said = Audited(
            one.frame_id, one.draw, one.task_id, one.judged_ms,
            _wrong(questions[one.batch_step_id], one),
        )  # fmt: skip
        found.setdefault(one.licence_id, []).append(said)
    return found


def _wrong(question: Question, one: store.Audit) -> bool | None:
    if not one.resolved or one.panel is None:
        return None
    return question.agree(decode(one.answer), decode(one.panel)) < RIGHT_FROM


def _detail(said: Evidence) -> dict[str, object]:
    return {"answers": said.answers, "wrong": said.wrong, "level": said.level}
