"""The audit log, and what the other store modules share."""

from typing import Any, TypeVar

from msgspec import Struct
from psycopg.types.json import Jsonb

from canut.db.pool import Conn, SyncConn
from canut.db.rows import of
from canut.people.model import Principal

T = TypeVar("T")

#: condition for every query a client's people may ask: parameter `clients` is
#: `Principal.clients`; the table (or its alias) must have a column `client_id`
OF_CLIENTS = "(%(clients)s::bigint[] is null or client_id = any(%(clients)s::bigint[]))"

# append one entry; run it in the transaction of the change it tells of
AUDIT = """
insert into audit_log
    (at_ms, account_id, api_key_id, client_id, action, subject, subject_id, detail)
values (now_ms(), %(account_id)s, %(api_key_id)s, %(client_id)s, %(action)s, %(subject)s,
        %(subject_id)s, %(detail)s)"""

# newest first; `before` is the id of the last entry already shown
READ_AUDIT = f"""
select id, at_ms, account_id, api_key_id, client_id, action, subject, subject_id, detail
from audit_log
where {OF_CLIENTS}
  and (%(subject)s::text is null or subject = %(subject)s)
  and (%(subject_id)s::text is null or subject_id = %(subject_id)s)
  and (%(before)s::bigint is null or id < %(before)s)
order by id desc limit %(limit)s"""  # noqa: S608 - a condition of ours, with parameters


class Entry(Struct, frozen=True):
    """One entry of the audit log."""

    id: int
    at_ms: int
    account_id: int | None
    api_key_id: int | None
    client_id: int | None
    action: str
    subject: str
    subject_id: str
    detail: dict[str, Any]


async def audit(
    conn: Conn,
    by: Principal,
    action: str,
    subject: str,
    subject_id: int | str,
    detail: dict[str, Any] | None = None,
    *,
    client_id: int | None = None,
) -> None:
    """Append to the audit log. `action` is verb.noun ("create.batch"), `subject` a noun ("batch").

    Call it inside `async with conn.transaction():` together with the change. `client_id` is the
    client whom the change concerns; without it, the client that the principal's key acts for.
    """
    await conn.execute(AUDIT, _entry(by, action, subject, subject_id, detail, client_id))


def audit_sync(
    conn: SyncConn,
    by: Principal,
    action: str,
    subject: str,
    subject_id: int | str,
    detail: dict[str, Any] | None = None,
    *,
    client_id: int | None = None,
) -> None:
    """`audit` for a connection that is not asynchronous."""
    conn.execute(AUDIT, _entry(by, action, subject, subject_id, detail, client_id))


def _entry(
    by: Principal,
    action: str,
    subject: str,
    subject_id: int | str,
    detail: dict[str, Any] | None,
    client_id: int | None,
) -> dict[str, Any]:
    who = {} if by.account_id or by.api_key_id else {"by": by.name}
    return {
        "account_id": by.account_id,
        "api_key_id": by.api_key_id,
        "client_id": client_id if client_id is not None else by.client_id,
        "action": action,
        "subject": subject,
        "subject_id": str(subject_id),
        "detail": Jsonb({**who, **(detail or {})}),
    }


async def read_audit(
    conn: Conn,
    by: Principal,
    *,
    subject: str | None = None,
    subject_id: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Entry]:
    """What happened, newest first, as far as the principal may see it."""
    values = {
        "clients": by.clients,
        "subject": subject,
        "subject_id": subject_id,
        "before": before,
        "limit": limit,
    }
    return await rows(conn, Entry, READ_AUDIT, values)


async def rows(conn: Conn, struct: type[T], sql: str, values: Any = None) -> list[T]:
    """Every row of a statement, as `struct`."""
    async with conn.cursor(row_factory=of(struct)) as cursor:
        found: list[T] = await (await cursor.execute(sql.encode(), values)).fetchall()
        return found


async def row(conn: Conn, struct: type[T], sql: str, values: Any = None) -> T | None:
    """The first row of a statement, as `struct`."""
    found = await rows(conn, struct, sql, values)
    return found[0] if found else None


async def scalar(conn: Conn, sql: str, values: Any = None) -> Any:
    """The first column of the first row; None where there is no row."""
    first = await (await conn.execute(sql.encode(), values)).fetchone()
    return first[0] if first else None
