"""The SQL of payouts that did not arrive: who says so, and whom they pay."""

from collections.abc import Collection
from typing import Any

from canut.db.pool import SyncConn
from canut.db.rows import all_of, first_of
from canut.pay.payouts.model import Return
from canut.pay.payouts.store_runs import STANDS

_RETURN = f"""
select r.payout_id, r.account_id, a.name, r.why, r.at_ms, {STANDS} as stands
from payout_return r join account a on a.id = r.account_id join payout p on p.id = r.payout_id
"""  # noqa: S608 - a condition of ours
SAID = _RETURN + "where r.payout_id = %s"
OF_RUN = _RETURN + "where p.run_id = %s and p.state in ('approved', 'paid')"

# who says it in the place of somebody whose word counts no more
KEEP = """
insert into payout_return (payout_id, account_id, why, at_ms)
values (%(payout)s, %(account)s, %(why)s, %(now)s)
on conflict (payout_id) do update
set account_id = excluded.account_id, why = excluded.why, at_ms = excluded.at_ms"""

# by the contributor somebody acts as, and by the account, which may be both
OWN = """
select p.id from payout p join contributor c on c.id = p.contributor_id
where p.id = any (%s) and (c.account_id = %s or c.id = %s)"""

# before it is locked: runs are locked before their payouts
RUN_OF = "select run_id from payout where id = %s"


def said(conn: SyncConn, payout: int) -> Return | None:
    return first_of(conn, Return, SAID, [payout])


def of_run(conn: SyncConn, run: int) -> dict[int, Return]:
    """Payout -> what was said of it, of those that are not back."""
    return {one.payout_id: one for one in all_of(conn, Return, OF_RUN, [run]) if one.stands}


def keep(conn: SyncConn, values: dict[str, Any]) -> None:
    conn.execute(KEEP, values)


def own(
    conn: SyncConn, payouts: Collection[int], account: int | None, contributor: int | None
) -> set[int]:
    return {row[0] for row in conn.execute(OWN, [list(payouts), account, contributor])}


def run_of(conn: SyncConn, payout: int) -> int | None:
    row = conn.execute(RUN_OF, [payout]).fetchone()
    return None if row is None else row[0]
