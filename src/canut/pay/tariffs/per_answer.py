"""What an answer of a person costs, for whoever compares it with something else."""

from canut.db.pool import SyncConn
from canut.pay.cost import micro_of_minor, usual_minor, with_charges
from canut.pay.policy import policy_at
from canut.pay.tariffs.verbs import tariff_at


def answer_micro(conn: SyncConn, process_id: int, step_slug: str, at_ms: int) -> int | None:
    """Its price, or what its usual time pays while it is paid by the hour, with contributions and
    the fee, in micro-units of the tariff's currency; None where the step pays nothing."""
    tariff = tariff_at(conn, process_id, step_slug, at_ms)
    if tariff is None:
        return None
    pay = usual_minor(tariff.price_minor, tariff.floor_minor, round(tariff.task_ms))
    return micro_of_minor(with_charges(pay, policy_at(conn, at_ms)), tariff.currency)
