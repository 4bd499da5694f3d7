"""Reading what was earned: a contributor's own, and sums for a period."""

from canut.db.pool import Conn, SyncConn
from canut.pay.accrual import store
from canut.pay.accrual.model import Earning, PayNow, Sheet
from canut.pay.reading import EVER

PAGE_MAX = 500


async def pay_now(conn: Conn, contributor_id: int) -> list[PayNow]:
    """What a contributor has earned and was not paid out, by currency."""
    return await store.pay_now(conn, contributor_id)


async def read_earnings(
    conn: Conn, contributor_id: int, *, before_ms: int = EVER, limit: int = 50
) -> list[Earning]:
    """What single answers earned before a moment, newest first; all of one moment together."""
    return await store.earnings(conn, contributor_id, before_ms, max(1, min(limit, PAGE_MAX)))


async def read_sheets(
    conn: Conn, contributor_id: int, *, before: int = EVER, limit: int = 50
) -> list[Sheet]:
    """A contributor's sheets, newest first, from the one before `before` on."""
    return await store.sheets_of(conn, contributor_id, before, max(1, min(limit, PAGE_MAX)))


def pay_between(
    conn: SyncConn, from_ms: int, until_ms: int, contributor_id: int | None = None
) -> list[store.PaySum]:
    """What answers earned from `from_ms` on and before `until_ms`, by contributor and currency, of
    all clients: what counts toward the floor of a period."""
    return store.between(conn, from_ms, until_ms, contributor_id)
