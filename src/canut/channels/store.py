"""The SQL of webhooks: where results are announced, and every announcement."""

from typing import Any

from msgspec import Struct
from psycopg import Connection
from psycopg.types.json import Jsonb

from canut.db.rows import of
from canut.people.model import Principal
from canut.people.store import AUDIT

Conn = Connection[Any]

CREATE = """
insert into webhook (client_id, url, secret, created_ms)
values (%(client)s, %(url)s, %(secret)s, %(now_ms)s) returning id"""

ACTIVE = "select count(*) from webhook where client_id = %s and disabled_ms is null"

# a webhook with how its last delivery went; disabled ones are kept for their history
LIST = """
select w.id, w.client_id, w.url, w.created_ms, w.disabled_ms,
       last.state as last_state, last.last_status, last.last_error
from webhook w
left join lateral (
    select state, last_status, last_error from webhook_delivery d
    where d.webhook_id = w.id order by d.id desc limit 1
) last on true
where w.client_id = %s order by w.id"""

DISABLE = """
update webhook set disabled_ms = %(now_ms)s
where id = %(webhook)s and client_id = %(client)s and disabled_ms is null returning id"""

# a delivery per active webhook of the client, in the transaction of what it tells about; the same
# event again makes nothing
ENQUEUE = """
insert into webhook_delivery (webhook_id, event_id, event_type, payload, created_ms, next_ms)
select w.id, %(event_id)s, %(event_type)s, %(payload)s, %(now_ms)s, %(now_ms)s
from webhook w
where w.client_id = %(client)s and w.disabled_ms is null
  and (%(webhook)s::bigint is null or w.id = %(webhook)s)
on conflict (webhook_id, event_id) do nothing
returning id"""

# due: taking a delivery puts its next try off, so that no two engines send it at once, and one
# that dies while sending is followed by another
DUE = """
update webhook_delivery set next_ms = %(now_ms)s + %(lease_ms)s
where id in (
    select id from webhook_delivery
    where state = 'waiting' and next_ms <= %(now_ms)s
    order by next_ms limit %(limit)s for update skip locked
)
returning id"""

DELIVERY = """
select d.id, d.webhook_id, d.event_id, d.event_type, d.payload, d.state, d.attempts,
       w.url, w.secret, w.disabled_ms
from webhook_delivery d join webhook w on w.id = d.webhook_id
where d.id = %s"""

RECORD = """
update webhook_delivery set state = %(state)s, attempts = attempts + 1, last_status = %(status)s,
    last_error = %(error)s, next_ms = %(next_ms)s, ended_ms = %(ended_ms)s
where id = %(delivery)s and state = 'waiting'"""

# try again from the beginning what was given up, if anybody still listens there
RETRY = """
update webhook_delivery d set state = 'waiting', attempts = 0, next_ms = %(now_ms)s, ended_ms = null
from webhook w
where d.id = %(delivery)s and d.state = 'failed' and w.id = d.webhook_id and w.disabled_ms is null
returning w.client_id"""

# the receiver said that it is gone (410): nothing more is sent to it
GONE = "update webhook set disabled_ms = %s where id = %s and disabled_ms is null"


class Webhook(Struct, frozen=True):
    """Where a client wants to be told. The secret is shown once, when it is made."""

    id: int
    client_id: int
    url: str
    created_ms: int
    disabled_ms: int | None
    #: state of the last delivery: waiting, delivered, failed; None: there was none
    last_state: str | None
    last_status: int | None
    last_error: str | None


class Delivery(Struct, frozen=True):
    """One event on its way to one webhook."""

    id: int
    webhook_id: int
    event_id: str
    event_type: str
    payload: dict[str, Any]
    state: str
    #: tries so far
    attempts: int
    url: str
    secret: str
    disabled_ms: int | None


def create(conn: Conn, client_id: int, url: str, secret: str, now_ms: int) -> int:
    values = {"client": client_id, "url": url, "secret": secret, "now_ms": now_ms}
    row = conn.execute(CREATE, values).fetchone()
    assert row is not None
    return int(row[0])


def active(conn: Conn, client_id: int) -> int:
    row = conn.execute(ACTIVE, [client_id]).fetchone()
    return int(row[0]) if row else 0


def webhooks(conn: Conn, client_id: int) -> list[Webhook]:
    cursor = conn.cursor(row_factory=of(Webhook))
    found: list[Webhook] = cursor.execute(LIST, [client_id]).fetchall()
    return found


def disable(conn: Conn, client_id: int, webhook_id: int, now_ms: int) -> bool:
    values = {"client": client_id, "webhook": webhook_id, "now_ms": now_ms}
    return conn.execute(DISABLE, values).fetchone() is not None


def enqueue(conn: Conn, values: dict[str, Any]) -> list[int]:
    found = conn.execute(ENQUEUE, {**values, "payload": Jsonb(values["payload"])})
    return [int(row[0]) for row in found]


def due(conn: Conn, now_ms: int, lease_ms: int, limit: int) -> list[int]:
    values = {"now_ms": now_ms, "lease_ms": lease_ms, "limit": limit}
    return [int(row[0]) for row in conn.execute(DUE, values)]


def delivery(conn: Conn, delivery_id: int) -> Delivery | None:
    cursor = conn.cursor(row_factory=of(Delivery))
    found: Delivery | None = cursor.execute(DELIVERY, [delivery_id]).fetchone()
    return found


def record(conn: Conn, delivery_id: int, values: dict[str, Any]) -> None:
    conn.execute(RECORD, {**values, "delivery": delivery_id})


def retry(conn: Conn, delivery_id: int, now_ms: int) -> int | None:
    """The client it is for; None where there is nothing to try."""
    row = conn.execute(RETRY, {"delivery": delivery_id, "now_ms": now_ms}).fetchone()
    return int(row[0]) if row else None


def gone(conn: Conn, webhook_id: int, now_ms: int) -> None:
    conn.execute(GONE, [now_ms, webhook_id])


def audit(
    conn: Conn,
    who: Principal,
    action: str,
    subject: str,
    subject_id: int,
    detail: dict[str, Any],
    client_id: int | None,
) -> None:
    """`canut.people.store.audit`, for a connection that is not asynchronous."""
    by = {} if who.account_id or who.api_key_id else {"by": who.name}
    values = {
        "account_id": who.account_id,
        "api_key_id": who.api_key_id,
        "client_id": client_id,
        "action": action,
        "subject": subject,
        "subject_id": str(subject_id),
        "detail": Jsonb({**by, **detail}),
    }
    conn.execute(AUDIT, values)
