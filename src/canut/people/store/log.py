"""The audit log, and what the other store modules share."""

from typing import Any, TypeVar

from msgspec import Struct, to_builtins
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

READ_AUDIT = f"""
select id, at_ms, account_id, api_key_id, client_id, action, subject, subject_id, detail
from audit_log where {OF_CLIENTS}"""  # noqa: S608 - a condition of ours, with parameters

# a condition for each thing asked for, so that each has its index. Entries are in the order of
# their ids, which is that of their times but for transactions under way: an hour is more than any
_ASKED = {
    "subject": "subject = %(subject)s",
    "subject_id": "subject_id = %(subject_id)s",
    "action": "action = %(action)s",
    "account_id": "account_id = %(account_id)s",
    "before": "id < %(before)s",
    "after": "id > %(after)s",
    "since_ms": """at_ms >= %(since_ms)s and id >= coalesce((
        select id from audit_log where at_ms >= %(since_ms)s - 3600000
        order by at_ms, id limit 1), 0)""",
    "until_ms": """at_ms < %(until_ms)s and id <= coalesce((
        select id from audit_log where at_ms < %(until_ms)s + 3600000
        order by at_ms desc, id desc limit 1), 0)""",
}

# one index lookup for each action that there is
ACTIONS = """
with recursive found as (
    (select action from audit_log order by action limit 1)
    union all
    select (select l.action from audit_log l where l.action > found.action
            order by l.action limit 1)
    from found where found.action is not null
) select action from found where action is not null"""


class Asked(Struct, frozen=True):
    """Which entries of the audit log; None asks for all."""

    subject: str | None = None
    subject_id: str | None = None
    action: str | None = None
    #: who did it
    account_id: int | None = None
    #: from then on, and before then, milliseconds UTC
    since_ms: int | None = None
    until_ms: int | None = None


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
    asked = Asked(subject=subject, subject_id=subject_id)
    return await find_audit(conn, by, asked, before=before, limit=limit)


async def find_audit(
    conn: Conn,
    by: Principal,
    asked: Asked,
    *,
    before: int | None = None,
    after: int | None = None,
    limit: int = 100,
) -> list[Entry]:
    """Entries as asked for, newest first: the next below the id `before`, or above `after`."""
    values = {**to_builtins(asked), "before": before, "after": after}
    asking = [sql for name, sql in _ASKED.items() if values[name] is not None]
    order = "id" if after is not None else "id desc"
    sql = " and ".join([READ_AUDIT, *asking]) + f" order by {order} limit %(limit)s"
    found = await rows(conn, Entry, sql, {**values, "clients": by.clients, "limit": limit})
    return found[::-1] if after is not None else found


async def list_actions(conn: Conn) -> list[str]:
    """Every action that the audit log holds."""
    return [row[0] for row in await (await conn.execute(ACTIONS)).fetchall()]


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
