"""From what is known of its steps to the price of a batch. Pure.

    pay          = answers x price, each answer of a step with a tariff
    contributions = ceil(pay x share), AI = what models cost, fee = ceil(pay x fee)
    reserve      = ceil(pay x 15%) and cover: set aside, and given back where they are not used

Answers for each item are the step's own where it has a history. Else they follow from Wald's
sequential test: with answers right with probability p, and a task decided when one option leads by
k = ceil(logit(target) / logit(p)) answers, it takes

    E[N] = k / (2p - 1) x (p^k - (1-p)^k) / (p^k + (1-p)^k)

answers on average (Wald, "Sequential Analysis", 1947), within the step's least and most.
"""

import math
from collections.abc import Callable, Sequence

from msgspec import structs

from canut.pay.cost import answers_most, base_minor, minor_of_micro, usual_minor
from canut.pay.policy.model import DAY_MS, WHOLE, share_of
from canut.pay.quotes.model import Choice, Line, Quote, StepFacts, StepQuote, Terms

#: tasks under way that the money of a new batch covers to the last answer that they may take
COVERED = 10
#: targets that a quote is made for besides the batch's own
TARGETS = (0.8, 0.9, 0.95, 0.99)
#: where nothing is known: hours a day that one person works here, least and most
HOURS_A_DAY = (0.5, 2.0)
SKILL_LEAST, SKILL_MOST = 0.55, 0.99


def quote(
    currency: str,
    items: int,
    steps: Sequence[StepFacts],
    terms: Terms,
    now_ms: int,
    deadline_ms: int | None = None,
) -> Quote:
    """The quote, with what other quality targets would change. Raises ValueError for no items or
    no step that pays."""
    if items <= 0 or all(step.tariff_id is None for step in steps):
        raise ValueError("nothing to quote")
    found = _quote(currency, items, steps, terms, now_ms, deadline_ms)
    own = max(step.target for step in steps)
    choices = []
    for target in TARGETS:
        if not math.isclose(target, own):
            changed = [_at_target(step, target) for step in steps]
            other = _quote(currency, items, changed, terms, now_ms, None)
            answers = sum(step.answers for step in other.steps)
            choices.append(
                Choice(target, other.total_minor, answers, other.earliest_ms, other.latest_ms)
            )
    return structs.replace(found, choices=tuple(choices))


def expected_answers(step: StepFacts) -> tuple[float, bool]:
    """Answers of people for an item, and whether they are known of its history."""
    if step.answers_known is not None:
        return step.answers_known, True
    return _wald(step.target, step), False


def items_within(most_minor: int, items: int, price: Callable[[int], int]) -> int:
    """The most items, up to `items`, whose price is not above `most_minor`; more items never cost
    less."""
    fits, beyond = 0, items + 1
    while beyond - fits > 1:
        middle = (fits + beyond) // 2
        if price(middle) <= most_minor:
            fits = middle
        else:
            beyond = middle
    return fits


def _at_target(step: StepFacts, target: float) -> StepFacts:
    known = step.answers_known
    if known is not None:
        known *= _wald(target, step) / _wald(step.target, step)
        known = min(max(known, step.min_answers), step.max_answers)
    return structs.replace(step, target=target, answers_known=known)


def _wald(target: float, step: StepFacts) -> float:
    p = min(max(step.skill, SKILL_LEAST), SKILL_MOST)
    lead = max(1, math.ceil(_logit(min(target, 0.9999)) / _logit(p) - 1e-9))
    right, wrong = p**lead, (1 - p) ** lead
    expected = lead / (2 * p - 1) * (right - wrong) / (right + wrong)
    return min(max(expected, step.min_answers), step.max_answers)


def _logit(p: float) -> float:
    return math.log(p / (1 - p))


def _quote(
    currency: str,
    items: int,
    steps: Sequence[StepFacts],
    terms: Terms,
    now_ms: int,
    deadline_ms: int | None,
) -> Quote:
    stepped = [_step(items, step) for step in steps]
    lines = [*_pay(stepped), *_charges(currency, items, steps, stepped, terms)]
    total = sum(line.minor for line in lines)
    pay = sum(line.minor for line in lines if line.kind == "pay")
    spent = sum(line.minor for line in lines if line.kind not in ("cover", "reserve"))
    answers = sum(step.answers for step in stepped)
    slow, fast = _daily(steps)
    needed = None
    if deadline_ms is not None:
        needed = math.ceil(answers * DAY_MS / max(deadline_ms - now_ms, 1))
    return Quote(
        currency=currency,
        items=items,
        lines=tuple(lines),
        steps=tuple(stepped),
        total_minor=total,
        contributor_share=pay / spent if spent else 0.0,
        earliest_ms=now_ms + math.ceil(answers / fast * DAY_MS),
        latest_ms=now_ms + math.ceil(answers / slow * DAY_MS),
        daily_needed=needed,
        daily_expected=(slow, fast),
    )


def _step(items: int, step: StepFacts) -> StepQuote:
    each, known = expected_answers(step)
    work = items * each
    audits = min(step.audits_max, math.ceil(items * step.audit_share)) * step.panel
    answers = math.ceil(work * (1 + step.gold_share)) + audits
    pay = 0
    if step.tariff_id is not None:
        pay = usual_minor(step.price_minor, step.floor_minor, step.task_ms)
    return StepQuote(
        batch_step_id=step.batch_step_id,
        slug=step.slug,
        tariff_id=step.tariff_id,
        price_minor=step.price_minor,
        answer_minor=pay,
        answers_per_item=each,
        answers=answers,
        known=known,
    )


def _pay(stepped: Sequence[StepQuote]) -> list[Line]:
    return [
        Line(
            "pay",
            step.answers * step.answer_minor,
            step.slug,
            {"answers": step.answers, "each": step.answer_minor},
        )
        for step in stepped
        if step.tariff_id is not None
    ]


def _charges(
    currency: str,
    items: int,
    steps: Sequence[StepFacts],
    stepped: Sequence[StepQuote],
    terms: Terms,
) -> list[Line]:
    """The other lines. What is rounded up for each answer on its way is in the cover."""
    pay = sum(one.answers * one.answer_minor for one in stepped if one.tariff_id is not None)
    ai = minor_of_micro(items * sum(step.ai_micro for step in steps), currency)
    covered = min(items, COVERED)
    cover = 0
    for step in steps:
        if step.tariff_id is None:
            continue
        base = base_minor(step.price_minor, step.floor_minor, step.assumed_ms, step.lease_ms)
        unit = base + share_of(base, terms.social) + share_of(base, terms.fee)
        cover += covered * answers_most(step.max_answers) * unit
    return [
        Line("social", share_of(pay, terms.social), of={"pay": pay, "share": _part(terms.social)}),
        Line("ai", ai, of={"items": items}),
        Line("fee", share_of(pay, terms.fee), of={"pay": pay, "share": _part(terms.fee)}),
        Line(
            "reserve", share_of(pay, terms.reserve), of={"pay": pay, "share": _part(terms.reserve)}
        ),
        Line("cover", cover, of={"tasks": covered}),
    ]


def _part(share: int) -> float:
    return share / WHOLE


def _daily(steps: Sequence[StepFacts]) -> tuple[int, int]:
    """Answers a day, of the step that is slowest: fewest and most."""
    found = []
    for step in steps:
        if step.daily_known is not None:
            found.append(step.daily_known)
            continue
        people = max(step.people, 1)
        slow, fast = (people * hours * 3_600_000 / step.task_ms for hours in HOURS_A_DAY)
        found.append((math.floor(slow), math.floor(fast)))
    return max(min(slow for slow, _ in found), 1), max(min(fast for _, fast in found), 1)
