"""Quoting work that is only thought of: a process, and how many items. Nothing is kept."""

from msgspec import Struct

from canut.db.pool import SyncConn
from canut.pay.policy import policy_at
from canut.pay.quotes import store
from canut.pay.quotes.known import Known, one_currency, read_known, step_facts, tariffs_of
from canut.pay.quotes.model import Quote, Terms
from canut.pay.quotes.rules import quote
from canut.pay.quotes.store import StepRow
from canut.processes.model import ProcessDefinition, StepDefinition


class Basis(Struct, frozen=True):
    """What estimates of a process rest on, whatever its steps promise."""

    currency: str
    terms: Terms
    #: by step
    known: dict[str, Known]


def read_basis(
    conn: SyncConn, client_id: int, definition: ProcessDefinition, now_ms: int
) -> Basis | None:
    """None where nobody is paid for it: the process is new, or all its steps are voluntary. Raises
    `Invalid` for steps in two currencies."""
    rows = []
    for place, step in enumerate(definition.steps):
        found = store.planned(conn, client_id, definition.slug, step, now_ms)
        if found is None:
            return None
        rows.append(_row(place, step, *found))
    tariffs = tariffs_of(conn, rows)
    currency = one_currency(tariffs)
    if currency is None:
        return None
    policy = policy_at(conn, now_ms)
    known = {
        row.slug: read_known(conn, row, tariffs.get(row.slug), currency, now_ms) for row in rows
    }
    return Basis(currency, Terms(policy.fee, policy.social_most, policy.reserve), known)


def estimate(
    basis: Basis,
    definition: ProcessDefinition,
    items: int,
    now_ms: int,
    deadline_ms: int | None = None,
) -> Quote:
    """What so many items (at least 1) would cost, with what the steps of `definition` promise."""
    facts = []
    for place, step in enumerate(definition.steps):
        known = basis.known[step.slug]
        row = _row(place, step, 0, None, known.skill, known.people)
        facts.append(step_facts(row, known))
    return quote(basis.currency, items, facts, basis.terms, now_ms, deadline_ms)


def _row(
    place: int,
    step: StepDefinition,
    process_id: int,
    tariff_id: int | None,
    skill: float | None,
    people: int,
) -> StepRow:
    """The step as a batch would have it."""
    promise = step.promise
    return StepRow(
        batch_step_id=place,
        process_id=process_id,
        slug=step.slug,
        lease_ms=step.lease_s * 1000,
        min_answers=step.min_answers,
        max_answers=step.max_answers,
        target=step.target_confidence,
        gold_share=promise.gold_share,
        audit_share=promise.audit_share,
        audits_max=promise.audits_max,
        panel=promise.panel,
        tariff_id=tariff_id,
        skill=skill,
        people=people,
    )
