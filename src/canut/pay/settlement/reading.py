"""Reading periods and pay slips."""

from collections.abc import Sequence

from canut.db.pool import SyncConn
from canut.errors import NotFound
from canut.pay.reading import EVER
from canut.pay.settlement import store, store_slips
from canut.pay.settlement.model import Period, Settled, Slip, SlipSummary

PAGE_MAX = 500


def list_periods(conn: SyncConn, *, before: int = EVER, limit: int = 50) -> list[Period]:
    """Periods that were settled, newest first, from the one before `before` on."""
    return store.periods(conn, before, max(1, min(limit, PAGE_MAX)))


def sums_of(conn: SyncConn, periods: Sequence[Period]) -> dict[int, list[Settled]]:
    """What the settlement of each of these periods came to, by currency; period by its id."""
    found: dict[int, list[Settled]] = {one.id: [] for one in periods}
    for one in store.sums(conn, periods):
        found[one.period.id].append(one)
    return found


def list_slips(
    conn: SyncConn,
    *,
    contributor_id: int | None = None,
    period_id: int | None = None,
    before: int = EVER,
    limit: int = 50,
) -> list[SlipSummary]:
    """Pay slips, newest first, from the one before `before` on: a contributor's, those written when
    a period was settled, or all."""
    limit = max(1, min(limit, PAGE_MAX))
    return store_slips.slips(conn, contributor_id, period_id, before, limit)


def read_slip(conn: SyncConn, slip_id: int, contributor_id: int | None = None) -> Slip:
    """A pay slip with every line of tasks and hours; with `contributor_id`, only if it is theirs.
    Raises `NotFound`."""
    found = store_slips.slip(conn, slip_id, contributor_id)
    if found is None:
        raise NotFound(f"There is no pay slip {slip_id}.")
    return Slip(found, store_slips.lines(conn, slip_id), store_slips.hours(conn, slip_id))
