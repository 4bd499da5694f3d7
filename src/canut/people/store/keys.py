"""API keys: made, shown once, listed, revoked."""

from collections.abc import Iterable

from canut.db.pool import Conn
from canut.errors import Invalid, NotFound
from canut.people import credentials, rules
from canut.people.model import SCOPES_OF_ROLE, ApiKey, NewKey, Principal, scopes_of
from canut.people.store.log import audit, row, rows, scalar

CREATE_KEY = """
insert into api_key
    (token_hash, prefix, name, account_id, client_id, contributor_id, scopes, created_ms)
values (%s, %s, %s, %s, %s, %s, %s, now_ms()) returning id"""

OWNER_EXISTS = """
select exists (select from account where id = %s) or exists (select from client where id = %s)
    or exists (select from contributor where id = %s)"""

GRANTED = "select array(select role from account_role where account_id = %s)"

# keys a person answers for: their own, those of the clients they act for, that of their work;
# `everyone` is for operators
KEYS = """
select k.id, k.prefix, k.name, k.account_id, k.client_id, k.contributor_id, k.scopes,
       k.created_ms, k.revoked_ms
from api_key k
where (%(everyone)s or k.account_id = %(account)s or k.client_id = any(%(clients)s)
       or k.contributor_id = %(contributor)s)
  and (%(id)s::bigint is null or k.id = %(id)s)
order by k.id"""

REVOKE_KEY = """
update api_key set revoked_ms = now_ms() where id = %s and revoked_ms is null
returning token_hash"""


async def create_api_key(
    conn: Conn,
    by: Principal,
    *,
    name: str,
    scopes: Iterable[str],
    account_id: int | None = None,
    client_id: int | None = None,
    contributor_id: int | None = None,
) -> NewKey:
    """A key that acts for exactly one of: the account of an operator or a steward, a client, a
    contributor.

    The secret is returned and never kept. Raises `Invalid` if a scope is not one of the owner's,
    `NotFound` if the owner is not one that `by` answers for.
    """
    owners = [account_id, client_id, contributor_id]
    if sum(owner is not None for owner in owners) != 1:
        raise Invalid("A key acts for one account, one client or one contributor.")
    _check_answers_for(by, account_id, client_id, contributor_id)
    if not await scalar(conn, OWNER_EXISTS, owners):
        raise NotFound("There is no such thing, or it is not yours to see.")
    rules.check(rules.name_problems(name))
    if account_id is not None:
        may = scopes_of(frozenset(await scalar(conn, GRANTED, [account_id])))
    else:
        may = SCOPES_OF_ROLE["client" if client_id is not None else "contributor"]
    rules.check_scopes(scopes, may)
    secret = credentials.new_key()
    values = [credentials.token_hash(secret), secret[: credentials.SHOWN], name.strip()]
    async with conn.transaction():
        key = await scalar(conn, CREATE_KEY, [*values, *owners, sorted(set(scopes))])
        detail = {"name": name.strip(), "scopes": sorted(set(scopes))}
        await audit(conn, by, "create.api_key", "api_key", key, detail, client_id=client_id)
    return NewKey(key, secret)


async def list_api_keys(conn: Conn, by: Principal) -> list[ApiKey]:
    """The keys that this principal answers for, oldest first, revoked ones too."""
    return await rows(conn, ApiKey, KEYS, _answered_for(by))


async def revoke_api_key(conn: Conn, by: Principal, key_id: int) -> bytes | None:
    """Revoke a key. Returns its token hash; None if it was revoked before. Raises `NotFound`."""
    key = await row(conn, ApiKey, KEYS, _answered_for(by) | {"id": key_id})
    if key is None:
        raise NotFound("There is no such key.")
    async with conn.transaction():
        hashed: bytes | None = await scalar(conn, REVOKE_KEY, [key_id])
        if hashed is not None:
            await audit(conn, by, "revoke.api_key", "api_key", key_id, client_id=key.client_id)
    return hashed


def _answered_for(by: Principal) -> dict[str, object]:
    return {
        "everyone": "operator" in by.roles,
        "account": by.account_id,
        "clients": list(by.client_ids),
        "contributor": by.contributor_id,
        "id": None,
    }


def _check_answers_for(
    by: Principal, account_id: int | None, client_id: int | None, contributor_id: int | None
) -> None:
    if "operator" in by.roles:
        return
    theirs = (
        client_id in by.client_ids
        or (contributor_id is not None and contributor_id == by.contributor_id)
        or (account_id is not None and account_id == by.account_id and by.keeps_books)
    )
    if not theirs:
        raise NotFound("There is no such thing, or it is not yours to see.")
