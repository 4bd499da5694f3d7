"""Sessions, and who asks: one statement each, for the cookie of a page and for an API key."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from msgspec import Struct

from canut.db.pool import Conn
from canut.errors import Unauthenticated
from canut.people import credentials, rules
from canut.people.model import SCOPES, Principal, scopes_of
from canut.people.store.log import audit, row, scalar

#: who acts when an administrator of the machine uses the command line
COMMAND_LINE = Principal(name="command line", roles=frozenset({"operator"}), scopes=SCOPES)

# one statement: it runs for every principal every few seconds, in front of the request's own
OF_SESSION = """
select a.id as account_id, a.name, a.locale, c.id as contributor_id,
       array(select role from account_role r where r.account_id = a.id) as granted,
       array(select client_id from membership m where m.account_id = a.id order by client_id)
           as client_ids
from session s
join account a on a.id = s.account_id and a.disabled_ms is null
left join contributor c on c.account_id = a.id
where s.token_hash = %s and s.expires_ms > now_ms()"""

# a key falls with the account behind it: its own, or that of the person who contributes
OF_KEY = """
select k.id as api_key_id, a.id as account_id, k.client_id, k.contributor_id, k.scopes as kept,
       coalesce(a.name, c.name, o.name) as name, coalesce(a.locale, 'en') as locale,
       array(select role from account_role r where r.account_id = k.account_id) as granted,
       array_remove(array[k.client_id], null) as client_ids
from api_key k
left join contributor c on c.id = k.contributor_id
left join client o on o.id = k.client_id
left join account a on a.id = coalesce(k.account_id, c.account_id)
where k.token_hash = %s and k.revoked_ms is null and a.disabled_ms is null"""

CREDENTIALS = """
select id, email, password_hash from account where email = %s and disabled_ms is null"""

# expired sessions of the account go at the same time, so that nobody has to sweep after people
OPEN_SESSION = """
with swept as (
    delete from session where account_id = %(account)s and expires_ms <= now_ms()
)
insert into session (token_hash, account_id, created_ms, expires_ms)
values (%(hash)s, %(account)s, now_ms(), now_ms() + %(hours)s * 3600000::bigint)"""

CLOSE_SESSION = "delete from session where token_hash = %s returning account_id"

REHASH = "update account set password_hash = %s where id = %s and password_hash = %s"

FORGET_EXPIRED = """
with sessions as (delete from session where expires_ms <= now_ms())
delete from invitation where expires_ms <= now_ms() - 30 * 86400000::bigint and used_ms is null"""

Connecting = Callable[[], AbstractAsyncContextManager[Conn]]


class _Found(Struct):
    """A row of `OF_SESSION` or `OF_KEY`."""

    account_id: int | None
    name: str
    locale: str
    contributor_id: int | None
    granted: list[str]
    client_ids: list[int]
    api_key_id: int | None = None
    client_id: int | None = None
    kept: list[str] | None = None


class _Credentials(Struct):
    id: int
    email: str
    password_hash: str


async def principal_of_session(conn: Conn, token_hash: bytes) -> Principal | None:
    """The person logged in with this token; None if the session is over."""
    found = await row(conn, _Found, OF_SESSION, [token_hash])
    return None if found is None else _principal(found)


async def principal_of_key(conn: Conn, token_hash: bytes) -> Principal | None:
    """The program with this API key; None if the key was revoked."""
    found = await row(conn, _Found, OF_KEY, [token_hash])
    return None if found is None else _principal(found)


async def log_in(connecting: Connecting, email: str, password: str, *, hours: int) -> str:
    """A new session; returns its token. Raises `Unauthenticated`.

    Takes a way to connect rather than a connection, so that none is held while Argon2 works.
    """
    async with connecting() as conn:
        known = await row(conn, _Credentials, CREDENTIALS, [rules.normalise_email(email)])
    right = await credentials.password_is(password, known.password_hash if known else None)
    if known is None or not right:
        raise Unauthenticated("The address or the password is not right.")
    fresh = None
    if credentials.outdated(known.password_hash):
        fresh = await credentials.hash_password(password)
    async with connecting() as conn:
        if fresh:
            await conn.execute(REHASH, [fresh, known.id, known.password_hash])
        return await open_session(conn, known.id, hours=hours)


async def open_session(conn: Conn, account_id: int, *, hours: int) -> str:
    """A new session without asking for the password (who has just chosen one); its token."""
    token = credentials.new_token()
    values = {"account": account_id, "hash": credentials.token_hash(token), "hours": hours}
    async with conn.transaction():
        await conn.execute(OPEN_SESSION.encode(), values)
        await audit(conn, Principal(account_id=account_id), "log_in.account", "account", account_id)
    return token


async def log_out(conn: Conn, token: str) -> None:
    """End a session; nothing happens if it is over."""
    async with conn.transaction():
        account = await scalar(conn, CLOSE_SESSION, [credentials.token_hash(token)])
        if account is not None:
            who = Principal(account_id=account)
            await audit(conn, who, "log_out.account", "account", account)


async def forget_expired(conn: Conn) -> None:
    """Delete sessions that are over, and links that nobody used within a month of their end."""
    await conn.execute(FORGET_EXPIRED.encode())


def _principal(found: _Found) -> Principal:
    roles = set(found.granted)
    if found.client_ids:
        roles.add("client")
    if found.contributor_id is not None:
        roles.add("contributor")
    scopes = scopes_of(frozenset(roles))
    return Principal(
        account_id=found.account_id,
        client_id=found.client_id,
        contributor_id=found.contributor_id,
        api_key_id=found.api_key_id,
        session=found.api_key_id is None,
        name=found.name,
        locale=found.locale,
        roles=frozenset(roles),
        scopes=scopes if found.kept is None else scopes & frozenset(found.kept),
        client_ids=tuple(found.client_ids),
    )
