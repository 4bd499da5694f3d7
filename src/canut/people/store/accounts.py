"""Accounts, the roles they have, and the clients they act for."""

from collections.abc import Iterable

from canut.db.pool import Conn
from canut.errors import Conflict, Invalid, NotFound, Problem
from canut.people import credentials, rules
from canut.people.model import Account, Client, Principal, SignUp
from canut.people.store.log import audit, row, rows, scalar

CREATE_CLIENT = """
insert into client (slug, name, created_ms) values (%s, %s, now_ms())
on conflict (slug) do nothing returning id"""

CLIENTS = "select id, slug, name, created_ms from client order by name, id"

CLIENTS_OF = """
select id, slug, name, created_ms from client where id = any(%s) order by name, id"""

CLIENT_BY_SLUG = "select id, slug, name, created_ms from client where slug = %s"

CREATE_ACCOUNT = """
insert into account (email, name, password_hash, locale, created_ms)
values (%s, %s, %s, %s, now_ms())
on conflict (email) do nothing returning id"""

GRANT_ROLE = """
insert into account_role (account_id, role, granted_ms) values (%s, %s, now_ms())
on conflict do nothing returning true"""

REVOKE_ROLE = "delete from account_role where account_id = %s and role = %s returning true"

ADD_MEMBER = """
insert into membership (client_id, account_id, created_ms) values (%s, %s, now_ms())
on conflict do nothing returning true"""

REMOVE_MEMBER = "delete from membership where client_id = %s and account_id = %s returning true"

# an account with all it may do, in one statement
ACCOUNTS = """
select a.id, a.email, a.name, a.locale, a.created_ms, a.disabled_ms,
       array(select role from account_role r where r.account_id = a.id order by role) as roles,
       array(select client_id from membership m where m.account_id = a.id order by client_id)
           as client_ids,
       c.id as contributor_id
from account a left join contributor c on c.account_id = a.id"""

ACCOUNT_BY_ID = f"{ACCOUNTS} where a.id = %s"
ACCOUNT_BY_EMAIL = f"{ACCOUNTS} where a.email = %s"
ACCOUNTS_IN_ORDER = f"{ACCOUNTS} order by a.email"

KNOWN_HASH = "select password_hash from account where id = %s"

# a new password ends every session and voids every link: whoever knew the old one is out
CHANGE_HASH = """
with ended as (
    delete from session where account_id = %(account)s
), void as (
    update invitation set used_ms = now_ms()
    where account_id = %(account)s and used_ms is null
)
update account set password_hash = %(hash)s where id = %(account)s"""

SET_PROFILE = "update account set name = %s, locale = %s where id = %s returning true"

DISABLE = """
with ended as (
    delete from session where account_id = %(account)s
), void as (
    update invitation set used_ms = now_ms() where account_id = %(account)s and used_ms is null
)
update account set disabled_ms = now_ms()
where id = %(account)s and disabled_ms is null returning true"""


async def create_client(conn: Conn, by: Principal, slug: str, name: str) -> int:
    """A new client. Raises `Invalid`, or `Conflict` if the short name is taken."""
    rules.check_slug(slug)
    rules.check(rules.name_problems(name))
    async with conn.transaction():
        client: int | None = await scalar(conn, CREATE_CLIENT, [slug, name.strip()])
        if client is None:
            raise Conflict("There is already a client with this short name.")
        await audit(conn, by, "create.client", "client", client, {"slug": slug}, client_id=client)
    return client


async def list_clients(conn: Conn) -> list[Client]:
    """Every client, by name."""
    return await rows(conn, Client, CLIENTS)


async def clients_of(conn: Conn, ids: Iterable[int]) -> list[Client]:
    """Those with these numbers, by name."""
    return await rows(conn, Client, CLIENTS_OF, [[*ids]])


async def find_client(conn: Conn, slug: str) -> Client:
    """The client with this short name. Raises `NotFound`."""
    client = await row(conn, Client, CLIENT_BY_SLUG, [slug])
    if client is None:
        raise NotFound("There is no such client.")
    return client


async def create_account(
    conn: Conn, by: Principal, sign_up: SignUp, *, roles: tuple[str, ...] = ()
) -> int:
    """A new account with these platform roles. Raises `Invalid`, `Conflict`."""
    rules.check_roles(roles)
    email = rules.normalise_email(sign_up.email)
    rules.check_sign_up(SignUp(email, sign_up.name, sign_up.password, sign_up.locale))
    password_hash = await credentials.hash_password(sign_up.password)
    async with conn.transaction():
        values = [email, sign_up.name.strip(), password_hash, sign_up.locale]
        account: int | None = await scalar(conn, CREATE_ACCOUNT, values)
        if account is None:
            raise Conflict(
                "There is already an account with this address.",
                mend="log in, or ask an operator for a link to set a new password",
            )
        await audit(conn, by, "create.account", "account", account)
        for role in roles:
            await grant_role(conn, by, account, role)
    return account


async def grant_role(conn: Conn, by: Principal, account_id: int, role: str) -> None:
    """Give an account a platform role; nothing happens if it has it."""
    rules.check_roles([role])
    async with conn.transaction():
        if await scalar(conn, GRANT_ROLE, [account_id, role]):
            await audit(conn, by, "grant.role", "account", account_id, {"role": role})


async def revoke_role(conn: Conn, by: Principal, account_id: int, role: str) -> None:
    """Take a platform role away; nothing happens if the account does not have it."""
    async with conn.transaction():
        if await scalar(conn, REVOKE_ROLE, [account_id, role]):
            await audit(conn, by, "revoke.role", "account", account_id, {"role": role})


async def add_member(conn: Conn, by: Principal, client_id: int, account_id: int) -> None:
    """Let an account act for a client; nothing happens if it does."""
    async with conn.transaction():
        if await scalar(conn, ADD_MEMBER, [client_id, account_id]):
            detail = {"client_id": client_id}
            await audit(conn, by, "add.member", "account", account_id, detail, client_id=client_id)


async def remove_member(conn: Conn, by: Principal, client_id: int, account_id: int) -> None:
    """The account acts for the client no more; nothing happens if it did not."""
    async with conn.transaction():
        if await scalar(conn, REMOVE_MEMBER, [client_id, account_id]):
            detail = {"client_id": client_id}
            await audit(
                conn, by, "remove.member", "account", account_id, detail, client_id=client_id
            )


async def list_accounts(conn: Conn) -> list[Account]:
    """Every account, by address."""
    return await rows(conn, Account, ACCOUNTS_IN_ORDER)


async def get_account(conn: Conn, account_id: int) -> Account:
    """The account. Raises `NotFound`."""
    return _there(await row(conn, Account, ACCOUNT_BY_ID, [account_id]))


async def find_account(conn: Conn, email: str) -> Account:
    """The account with this address. Raises `NotFound`."""
    return _there(await row(conn, Account, ACCOUNT_BY_EMAIL, [rules.normalise_email(email)]))


async def change_profile(
    conn: Conn, by: Principal, account_id: int, *, name: str, locale: str
) -> None:
    """Name and language. Raises `Invalid`, `NotFound`."""
    rules.check(rules.name_problems(name) + rules.locale_problems(locale))
    async with conn.transaction():
        if not await scalar(conn, SET_PROFILE, [name.strip(), locale, account_id]):
            raise NotFound("There is no such account.")
        await audit(conn, by, "change.profile", "account", account_id)


async def change_password(
    conn: Conn, by: Principal, account_id: int, *, old: str, new: str
) -> None:
    """A new password; ends every session of the account. Raises `Invalid`."""
    known: str | None = await scalar(conn, KNOWN_HASH, [account_id])
    problems = rules.password_problems(new, field="new")
    if not await credentials.password_is(old, known):
        problems.append(Problem("This is not your password.", field="old"))
    if problems:
        raise Invalid("The password was not changed.", problems=problems)
    await set_password(conn, by, account_id, new)


async def set_password(conn: Conn, by: Principal, account_id: int, password: str) -> None:
    """A new password without knowing the old one; ends every session of the account, and every
    link to set one."""
    rules.check(rules.password_problems(password))
    values = {"account": account_id, "hash": await credentials.hash_password(password)}
    async with conn.transaction():
        await conn.execute(CHANGE_HASH, values)
        await audit(conn, by, "change.password", "account", account_id)


async def disable_account(conn: Conn, by: Principal, account_id: int) -> None:
    """Close an account: it cannot log in, its sessions end, its keys stop working."""
    async with conn.transaction():
        if await scalar(conn, DISABLE, {"account": account_id}):
            await audit(conn, by, "disable.account", "account", account_id)


def _there(account: Account | None) -> Account:
    if account is None:
        raise NotFound("There is no such account.")
    return account
