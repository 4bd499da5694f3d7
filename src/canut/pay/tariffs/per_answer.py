"""What an answer of a person costs, for whoever compares it with something else."""

from canut.db.pool import SyncConn
from canut.pay.cost import with_charges
from canut.pay.ledger.currency import DIGITS
from canut.pay.policy import policy_at
from canut.pay.tariff import owed_for_time
from canut.pay.tariffs.verbs import tariff_at


def answer_micro(conn: SyncConn, process_id: int, step_slug: str, at_ms: int) -> int | None:
    """Its price, or what its usual time pays while it is paid by the hour, with contributions and
    the fee, in micro-units of the tariff's currency; None where the step pays nothing."""
    tariff = tariff_at(conn, process_id, step_slug, at_ms)
    if tariff is None:
        return None
    pay = tariff.price_minor
    if pay is None:
        pay = owed_for_time(tariff.floor_minor, round(tariff.task_ms))
    each: int = 10 ** (6 - DIGITS[tariff.currency])
    return with_charges(pay, policy_at(conn, at_ms)) * each
