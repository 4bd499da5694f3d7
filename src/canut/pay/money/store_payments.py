"""The SQL of payments by providers."""

from typing import Any

from canut.db.pool import SyncConn
from canut.db.rows import of
from canut.pay.money.model import Payment, PaymentState

BEGIN = """
insert into payment (client_id, provider, currency, amount, key, account_id, begun_ms, changed_ms)
select id, %(provider)s, %(currency)s, %(amount)s, %(key)s, %(account)s, %(now)s, %(now)s
from client where id = %(client)s
on conflict (client_id, key) do nothing"""

_PAYMENT = """
select id, client_id, provider, currency, amount, state, session, url, begun_ms, changed_ms
from payment
"""
BY_KEY = _PAYMENT + "where client_id = %s and key = %s"
# by its session; or by its number, where the program died before it could note the session
LOCKED = (
    _PAYMENT
    + """where provider = %(provider)s
  and (session = %(session)s or session is null and id = %(payment)s) for update"""
)
OF_CLIENT = (
    _PAYMENT
    + """where client_id = %s and (%s::bigint is null or id < %s::bigint)
order by id desc limit %s"""
)

# two who ask at once get one session from the provider, by its key
OPENED = """
update payment set state = 'open', session = %s, url = %s, changed_ms = %s
where id = %s and state = 'begun'"""

HEARD = """
insert into payment_event (provider, event, kind, payment_id, outcome, at_ms)
values (%(provider)s, %(event)s, %(kind)s, %(payment)s, %(outcome)s, %(now)s)
on conflict do nothing returning 1"""

MOVE_ON = """
update payment set state = %s, session = coalesce(session, %s),
    transfer_id = coalesce(%s, transfer_id), changed_ms = %s
where id = %s"""


def begin(conn: SyncConn, values: dict[str, Any]) -> None:
    conn.execute(BEGIN, values)


def by_key(conn: SyncConn, client_id: int, key: str) -> Payment | None:
    return _first(conn, BY_KEY, [client_id, key])


def locked(conn: SyncConn, provider: str, session: str, payment: int) -> Payment | None:
    return _first(conn, LOCKED, {"provider": provider, "session": session, "payment": payment})


def payments(conn: SyncConn, client_id: int, before: int | None, limit: int) -> list[Payment]:
    with conn.cursor(row_factory=of(Payment)) as cursor:
        found: list[Payment] = cursor.execute(
            OF_CLIENT, [client_id, before, before, limit]
        ).fetchall()
    return found


def opened(conn: SyncConn, payment: int, session: str, url: str, now_ms: int) -> None:
    conn.execute(OPENED, [session, url, now_ms, payment])


def heard(conn: SyncConn, values: dict[str, Any]) -> bool:
    """Whether it is the first time."""
    return conn.execute(HEARD, values).fetchone() is not None


def move_on(
    conn: SyncConn,
    payment: int,
    state: PaymentState,
    session: str,
    transfer: int | None,
    now_ms: int,
) -> None:
    conn.execute(MOVE_ON, [state, session, transfer, now_ms, payment])


def _first(conn: SyncConn, sql: str, values: Any) -> Payment | None:
    with conn.cursor(row_factory=of(Payment)) as cursor:
        found: Payment | None = cursor.execute(sql.encode(), values).fetchone()
    return found
