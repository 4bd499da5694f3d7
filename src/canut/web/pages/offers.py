"""What work pays, shown wherever it is offered, before anybody begins."""

from collections.abc import Sequence

from msgspec import Struct, structs

from canut.insight.own_answers import read_titles
from canut.pay.tariffs import StepPay, read_step_pay
from canut.questions.base import Localised
from canut.web.auth import WebRequest
from canut.web.pages.view import pool


class Offer(Struct, frozen=True):
    """What steps of a batch pay that pay alike."""

    pay: StepPay
    #: their titles; nothing where all steps of the batch pay alike
    steps: tuple[Localised, ...]


async def read_offers(request: WebRequest, batches: Sequence[int]) -> dict[int, list[Offer]]:
    """Batch -> what its steps pay, in their order."""
    async with pool(request).connection() as conn:
        pays = await read_step_pay(conn, batches)
    groups = {batch: _alike(steps) for batch, steps in pays.items()}
    mixed = [batch for batch, alike in groups.items() if len(alike) > 1]
    several = {one.batch_step_id for batch in mixed for one in pays[batch]}
    titles = await read_titles(pool(request), several) if several else {}
    return {
        batch: [
            Offer(
                group[0],
                tuple(titles[one.batch_step_id].step for one in group if batch in mixed),
            )
            for group in alike
        ]
        for batch, alike in groups.items()
    }


def _alike(steps: Sequence[StepPay]) -> list[list[StepPay]]:
    """Steps that pay the same, the first of each first."""
    groups: dict[StepPay, list[StepPay]] = {}
    for one in steps:
        groups.setdefault(structs.replace(one, batch_step_id=0), []).append(one)
    return list(groups.values())
