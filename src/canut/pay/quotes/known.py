"""What is known of a step when work at it is quoted: its tariff, and how it went so far."""

import numpy as np
from msgspec import Struct

from canut.db.pool import SyncConn
from canut.errors import Invalid, Problem
from canut.pay.quotes import store
from canut.pay.quotes.model import StepFacts
from canut.pay.quotes.store import StepRow
from canut.pay.tariffs import Tariff
from canut.pay.tariffs import store as tariffs

#: decided tasks from which on a step's own answers for each item are taken
KNOWN_FROM = 30
#: where nothing is known of those who answer
SKILL = 0.8
#: a step that pays nothing is thought to take so long
TASK_MS = 30_000


class Known(Struct, frozen=True):
    """A step's tariff, with what was measured of it."""

    #: None: voluntary
    tariff: Tariff | None
    #: share of right answers; None: not known
    skill: float | None
    people: int
    #: answers of people for each decided task; None: too few were decided
    answers: float | None
    #: answers a day of its last active days, fewest and most; None: there were none
    daily: tuple[int, int] | None
    #: what language models cost for an item, in micro-units
    ai_micro: int


def read_known(
    conn: SyncConn,
    row: StepRow,
    tariff: Tariff | None,
    currency: str,
    now_ms: int,
) -> Known:
    """What is known of a step; costs of models are those in `currency`."""
    answers, decided = store.answers(conn, row.process_id, row.slug)
    days = store.daily(conn, row.process_id, row.slug, now_ms)
    micro, calls = store.ai(conn, row.process_id, row.slug, currency)
    daily = None
    if days:
        low, high = np.quantile(days, [0.25, 0.75])
        daily = (max(int(low), 1), max(int(high), 1))
    return Known(
        tariff=tariff,
        skill=row.skill,
        people=row.people,
        answers=answers if decided >= KNOWN_FROM else None,
        daily=daily,
        ai_micro=-(-micro // calls) if calls else 0,
    )


def tariffs_of(conn: SyncConn, rows: list[StepRow]) -> dict[str, Tariff]:
    """Step -> its tariff, of those that have one."""
    return {row.slug: tariffs.by_id(conn, row.tariff_id) for row in rows if row.tariff_id}


def one_currency(found: dict[str, Tariff], has: str | None = None) -> str | None:
    """In what all of them pay; None: nothing is paid. Raises `Invalid` for two currencies, or for
    another than the batch `has` money in."""
    currencies = sorted({one.currency for one in found.values()})
    if len(currencies) > 1 or (has and currencies != [has]):
        text = f"its steps are paid in {', '.join(currencies) or 'nothing'}"
        raise Invalid("A batch has one currency.", problems=[Problem(text, field="currency")])
    return currencies[0] if currencies else None


def step_facts(row: StepRow, known: Known) -> StepFacts:
    """The facts that the rules of quotes ask for."""
    tariff = known.tariff
    return StepFacts(
        batch_step_id=row.batch_step_id,
        slug=row.slug,
        tariff_id=tariff.id if tariff else None,
        price_minor=tariff.price_minor if tariff else None,
        floor_minor=tariff.floor_minor if tariff else 0,
        task_ms=round(tariff.task_ms) if tariff else TASK_MS,
        assumed_ms=tariff.assumed_ms if tariff else TASK_MS,
        lease_ms=row.lease_ms,
        min_answers=row.min_answers,
        max_answers=row.max_answers,
        target=round(row.target, 6),
        skill=known.skill if known.skill is not None else SKILL,
        answers_known=known.answers,
        gold_share=row.gold_share,
        audit_share=row.audit_share,
        audits_max=row.audits_max,
        panel=row.panel,
        daily_known=known.daily,
        people=known.people,
        ai_micro=known.ai_micro,
    )
