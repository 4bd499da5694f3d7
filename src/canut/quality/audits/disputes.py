"""Disputes: a client says that a decision is wrong, and people who never saw it answer it again.

They answer blind, free of charge, like any audit; a panel that is at it for a draw hears the
dispute too. Until it is settled the decision counts against the certificate.
"""

import msgspec
from msgspec import Struct

from canut.db.pool import SyncConn
from canut.errors import Conflict, Invalid, NotFound, Problem
from canut.people.model import Principal
from canut.people.store.log import audit_sync
from canut.quality.audits import store as store_audits
from canut.quality.audits import store_disputes as store
from canut.quality.audits.draws import load
from canut.quality.audits.panels import compare
from canut.quality.audits.store_disputes import Contestable, Dispute, Heard, Overturned
from canut.questions.base import Question

REASON_LENGTH_MAX = 2_000
#: disputes about one decision of an item at a step, in all
DISPUTES_MAX = 2

decode = msgspec.json.Decoder().decode


class Settled(Struct, frozen=True):
    """A dispute that came to its end."""

    id: int
    client_id: int
    batch_id: int
    #: the client's name of the item, and slug of the step
    key: str
    step: str
    #: upheld, overturned or unresolved
    outcome: str
    was: object
    #: the decision's value now
    value: object


def contest(
    conn: SyncConn,
    who: Principal,
    batch_id: int,
    key: str,
    step: str,
    reason: str,
    now_ms: int,
) -> Dispute:
    """Say that what was decided about an item is wrong. Call it inside a transaction.

    Raises `Invalid` without a reason, `NotFound` for what is not theirs or not decided, `Conflict`
    for what is under dispute, or was too often.
    """
    owner = store.owner(conn, batch_id)
    if owner is None or not who.sees(owner):
        raise NotFound("There is no such batch, or it is not yours to see.")
    reason = reason.strip()
    if not 0 < len(reason) <= REASON_LENGTH_MAX:
        problem = Problem(f"Give a reason of 1 to {REASON_LENGTH_MAX} characters.", field="reason")
        raise Invalid("The dispute does not fit.", problems=[problem])
    slugs = store.step_slugs(conn, batch_id)
    if step not in slugs:
        problem = Problem("There is no such step.", f"one of: {', '.join(slugs)}", field="step")
        raise Invalid("The dispute does not fit.", problems=[problem])
    found = store.find(conn, batch_id, key, step)
    if found is None:
        raise NotFound(
            "Nothing is decided about this item at this step.",
            mend="see the results for what is decided",
        )
    _check_free(found)
    made = store.insert(conn, found, reason, now_ms)
    _ask(conn, found, now_ms)
    detail = {"batch": batch_id, "item": key, "step": step}
    audit_sync(conn, who, "open.dispute", "dispute", made, detail, client_id=owner)
    return read(conn, who, made)


def read(conn: SyncConn, who: Principal, dispute_id: int) -> Dispute:
    """A dispute that this principal may see. Raises `NotFound`."""
    found = store.dispute(conn, dispute_id)
    if found is None or not who.sees(found.client_id):
        raise NotFound("There is no such dispute, or it is not yours to see.")
    return found


def disputes(conn: SyncConn, batch_id: int, before: int, limit: int) -> list[Dispute]:
    """The disputes of a batch, newest first, from before one on. The caller has checked that the
    batch may be seen."""
    return store.of_batch(conn, batch_id, before, limit)


def settle(conn: SyncConn, batch_step_id: int, now_ms: int) -> list[Settled]:
    """End the disputes of a step that a panel has settled, each once.

    Overturned: the decision gets the panel's value, and what it was stays in `decision_was`. Where
    the panel is of no one mind, the decision stays, and counts as wrong.
    """
    heard = store.heard(conn, batch_step_id)
    if not heard:
        return []
    question = load(conn, batch_step_id)
    outcomes = []
    for one in heard:
        same = one.resolved and compare(question, decode(one.value), decode(one.verdict))
        outcomes.append("upheld" if same else "overturned" if one.resolved else "unresolved")
    wrong = [one for one, said in zip(heard, outcomes, strict=True) if said == "overturned"]
    if wrong:
        store.overturn(conn, _overturned(conn, question, wrong), now_ms)
    store.settle(conn, [one.id for one in heard], outcomes, now_ms)
    return [_settled(one, said) for one, said in zip(heard, outcomes, strict=True)]


def _check_free(found: Contestable) -> None:
    if found.open:
        raise Conflict(
            "This decision is under dispute already.", mend="wait until people have answered again"
        )
    if found.disputes >= DISPUTES_MAX:
        raise Conflict(
            f"This decision was disputed {DISPUTES_MAX} times; what the panel said stands.",
            mend="write to the operator if you still think that it is wrong",
        )


def _ask(conn: SyncConn, found: Contestable, now_ms: int) -> None:
    """A panel, unless one has contradicted the decision already; one that agreed with it is asked
    again, with as many new people."""
    store_audits.open_panels(conn, [found.task_id], now_ms)
    store_audits.lock_tasks(conn, [found.task_id])
    _, value, resolved = store.panel(conn, found.task_id)
    if value is None:
        return
    question = load(conn, found.batch_step_id)
    if not resolved or compare(question, found.value, decode(value)):
        store.reopen(conn, found.task_id)


def _overturned(conn: SyncConn, question: Question, wrong: list[Heard]) -> list[Overturned]:
    """With a confidence: of n people so many stand behind the value, backed off to three of four as
    if four more had answered."""
    evidence: dict[int, list[tuple[int, float]]] = {}
    verdict = {one.audit_task: decode(one.verdict) for one in wrong}
    for task, contributor, value in store_audits.answers(conn, list(verdict)):
        same = compare(question, decode(value), verdict[task])
        evidence.setdefault(task, []).append((contributor, float(same)))
    rows = []
    for one in wrong:
        said = evidence[one.audit_task]
        confidence = (sum(same for _, same in said) + 3.0) / (len(said) + 4.0)
        rows.append(Overturned(one.task_id, one.id, confidence, said))
    return rows


def _settled(one: Heard, outcome: str) -> Settled:
    was = decode(one.value)
    value = decode(one.verdict) if outcome == "overturned" else was
    return Settled(one.id, one.client_id, one.batch_id, one.key, one.step, outcome, was, value)
