"""What an answer of a person costs, for whoever compares it with something else."""

from msgspec import Struct

from canut.db.pool import SyncConn
from canut.pay.cost import micro_of_minor, usual_minor, with_charges
from canut.pay.policy import policy_at
from canut.pay.tariffs.verbs import tariff_at


class AnswerCost(Struct, frozen=True):
    """In micro-units of the tariff's currency."""

    micro: int
    currency: str


def answer_cost(conn: SyncConn, process_id: int, step_slug: str, at_ms: int) -> AnswerCost | None:
    """Its price, or what its usual time pays while it is paid by the hour, with contributions and
    the fee; None where the step pays nothing."""
    tariff = tariff_at(conn, process_id, step_slug, at_ms)
    if tariff is None:
        return None
    pay = usual_minor(tariff.price_minor, tariff.floor_minor, round(tariff.task_ms))
    charged = with_charges(pay, policy_at(conn, at_ms))
    return AnswerCost(micro_of_minor(charged, tariff.currency), tariff.currency)
