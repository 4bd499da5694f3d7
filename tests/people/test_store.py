"""Accounts, sessions, keys, contributors: what they may do, for how long, and the log of it."""

import asyncio
import importlib.util
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest
from argon2 import PasswordHasher

from canut.db.pool import Conn, connect_async
from canut.errors import Conflict, Expired, Invalid, NotFound, Unauthenticated
from canut.people import credentials, store
from canut.people.model import Grant, Principal, SignUp

from .conftest import BY, PASSWORD


async def whose(conn: Conn, token: str) -> Principal | None:
    """Who is logged in with this token."""
    return await store.principal_of_session(conn, credentials.token_hash(token))


async def holder(conn: Conn, secret: str) -> Principal | None:
    """Who has this key."""
    return await store.principal_of_key(conn, credentials.token_hash(secret))


async def test_an_account_is_what_it_was_granted(conn: Conn, account: int, client: int) -> None:
    """Role, membership and work each show in the principal, and leave it again."""
    token = await store.open_session(conn, account, hours=1)
    plain = await whose(conn, token)
    assert plain is not None
    assert (plain.roles, plain.scopes, plain.session) == (frozenset(), frozenset(), True)
    await store.grant_role(conn, BY, account, "operator")
    await store.add_member(conn, BY, client, account)
    contributor = await store.create_contributor(conn, BY, account)
    full = await whose(conn, token)
    assert full is not None
    assert full.roles == {"operator", "client", "contributor"}
    assert full.client_ids == (client,)
    assert full.contributor_id == contributor
    assert full.scopes == {"operate", "books", "work", "batches:read", "batches:write"}
    await store.revoke_role(conn, BY, account, "operator")
    await store.remove_member(conn, BY, client, account)
    less = await whose(conn, token)
    assert less is not None
    assert less.scopes == {"work"}


async def test_one_address_one_account(conn: Conn, account: int) -> None:
    """However it is written."""
    with pytest.raises(Conflict):
        await store.create_account(conn, BY, SignUp(" ADA@example.org", "Eve", PASSWORD))


async def test_secrets_are_not_in_the_database(conn: Conn, account: int) -> None:
    """A copy of the database opens no door: passwords, sessions and keys are kept as hashes."""
    await store.grant_role(conn, BY, account, "operator")
    token = await store.open_session(conn, account, hours=1)
    key = await store.create_api_key(conn, BY, name="k", scopes=["operate"], account_id=account)
    found = ""
    for table in ("account", "session", "api_key", "audit_log"):
        cursor = await conn.execute(f"select t::text from {table} t")
        found += "".join(str(line[0]) for line in await cursor.fetchall())
    assert "$argon2id$" in found
    for secret in (PASSWORD, token, key.secret):
        assert secret not in found
        assert secret.encode().hex() not in found


async def test_log_in(conn: Conn, account: int) -> None:
    """The right password opens a session; a wrong one, nobody's and a closed account's do not."""

    @asynccontextmanager
    async def connecting() -> AsyncIterator[Conn]:
        yield conn

    token = await store.log_in(connecting, " Ada@Example.org", PASSWORD, hours=1)
    who = await whose(conn, token)
    assert who is not None
    assert who.account_id == account
    for email, password in [("ada@example.org", "wrong"), ("eve@example.org", PASSWORD)]:
        with pytest.raises(Unauthenticated):
            await store.log_in(connecting, email, password, hours=1)
    await store.disable_account(conn, BY, account)
    assert await whose(conn, token) is None
    with pytest.raises(Unauthenticated):
        await store.log_in(connecting, "ada@example.org", PASSWORD, hours=1)


def test_passwords_cost_an_attacker_memory() -> None:
    """Outside tests: Argon2id with 64 MiB and 3 passes, the second choice of RFC 9106."""
    real = importlib.util.find_spec("canut.people.credentials")
    assert real is not None
    assert real.loader is not None
    fresh = importlib.util.module_from_spec(real)
    real.loader.exec_module(fresh)
    hashed = fresh._HASHER.hash(PASSWORD)
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


async def test_an_old_hash_is_made_again(conn: Conn, account: int) -> None:
    """When the parameters of Argon2 rise, passwords follow at the next log-in."""

    @asynccontextmanager
    async def connecting() -> AsyncIterator[Conn]:
        yield conn

    weak = "$argon2id$v=19$m=8,t=1,p=1$"
    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    assert old.startswith(weak)
    await conn.execute("update account set password_hash = %s where id = %s", [old, account])
    await store.log_in(connecting, "ada@example.org", PASSWORD, hours=1)
    cursor = await conn.execute("select password_hash from account where id = %s", [account])
    kept = await cursor.fetchone()
    assert kept is not None
    assert not kept[0].startswith(weak)


async def test_sessions_end(conn: Conn, account: int) -> None:
    """By logging out, by time, by a new password."""
    first, second = [await store.open_session(conn, account, hours=1) for _ in range(2)]
    await store.log_out(conn, first)
    await store.log_out(conn, first)
    assert await whose(conn, first) is None
    assert await whose(conn, second) is not None
    await conn.execute("update session set expires_ms = now_ms()")
    assert await whose(conn, second) is None
    third = await store.open_session(conn, account, hours=1)
    left = await (await conn.execute("select count(*) from session")).fetchone()
    assert left == (1,), "opening a session sweeps the account's expired ones"
    who = Principal(account_id=account)
    with pytest.raises(Invalid) as caught:
        await store.change_password(conn, who, account, old="wrong", new="short")
    assert [problem.field for problem in caught.value.problems] == ["new", "old"]
    assert await whose(conn, third) is not None
    await store.change_password(conn, who, account, old=PASSWORD, new="eight golden shuttles")
    assert await whose(conn, third) is None


async def test_keys(conn: Conn, account: int, client: int) -> None:
    """A key does what its scopes say for its owner, until it is revoked."""
    key = await store.create_api_key(
        conn, BY, name="export", scopes=["batches:read"], client_id=client
    )
    who = await holder(conn, key.secret)
    assert who is not None
    assert who.scopes == {"batches:read"}
    assert (who.client_ids, who.session, who.api_key_id) == ((client,), False, key.id)
    [shown] = [one for one in await store.list_api_keys(conn, BY) if one.id == key.id]
    assert key.secret.startswith(shown.prefix)
    assert await store.revoke_api_key(conn, BY, key.id) == credentials.token_hash(key.secret)
    assert await store.revoke_api_key(conn, BY, key.id) is None
    assert await holder(conn, key.secret) is None


async def test_a_key_falls_with_its_owner(conn: Conn, account: int) -> None:
    """Losing the role takes the scopes of the key; a closed account takes the key."""
    await store.grant_role(conn, BY, account, "operator")
    key = await store.create_api_key(conn, BY, name="k", scopes=["operate"], account_id=account)
    contributor = await store.create_contributor(conn, BY, account)
    work = await store.create_api_key(
        conn, BY, name="w", scopes=["work"], contributor_id=contributor
    )
    await store.revoke_role(conn, BY, account, "operator")
    who = await holder(conn, key.secret)
    assert who is not None
    assert who.scopes == frozenset()
    assert who.clients == []
    await store.disable_account(conn, BY, account)
    assert await holder(conn, key.secret) is None
    assert await holder(conn, work.secret) is None


async def test_a_steward_makes_keys_for_the_books_alone(
    conn: Conn, account: int, client: int
) -> None:
    """Of their own account, with no scope of operators; it falls with the role."""
    await store.grant_role(conn, BY, account, "steward")
    steward = await whose(conn, await store.open_session(conn, account, hours=1))
    assert steward is not None
    assert steward.scopes == {"books"}
    key = await store.create_api_key(conn, steward, name="k", scopes=["books"], account_id=account)
    who = await holder(conn, key.secret)
    assert who is not None
    assert (who.scopes, who.keeps_books, who.account_id) == ({"books"}, True, account)
    for by in (steward, BY):
        with pytest.raises(Invalid):
            await store.create_api_key(conn, by, name="x", scopes=["operate"], account_id=account)
    other = await store.create_account(conn, BY, SignUp("bea@example.org", "Bea", PASSWORD))
    for owner in ({"account_id": other}, {"client_id": client}, {"contributor_id": 6}):
        with pytest.raises(NotFound):
            await store.create_api_key(conn, steward, name="x", scopes=["books"], **owner)
    await store.revoke_role(conn, BY, account, "steward")
    who = await holder(conn, key.secret)
    assert who is not None
    assert (who.scopes, who.keeps_books) == (frozenset(), False)


async def test_keys_for_others(conn: Conn, account: int, client: int) -> None:
    """Nobody makes, sees or revokes a key of a client, a contributor or a platform not theirs."""
    key = await store.create_api_key(
        conn, BY, name="theirs", scopes=["batches:read"], client_id=client
    )
    other = await store.create_client(conn, BY, "teinture", "Teinture")
    member = Principal(
        account_id=account, roles=frozenset({"client"}), client_ids=(other,), contributor_id=5
    )
    for owner in ({"client_id": client}, {"contributor_id": 6}, {"account_id": account}):
        with pytest.raises(NotFound):
            await store.create_api_key(conn, member, name="x", scopes=["work"], **owner)
    with pytest.raises(Invalid):
        await store.create_api_key(conn, member, name="x", scopes=["operate"], client_id=other)
    with pytest.raises(Invalid):
        await store.create_api_key(conn, member, name="x", scopes=[], client_id=other)
    assert await store.list_api_keys(conn, member) == []
    with pytest.raises(NotFound):
        await store.revoke_api_key(conn, member, key.id)
    assert await holder(conn, key.secret) is not None


async def test_simulated_contributors(conn: Conn) -> None:
    """Thousands at once, each with a key of its own that only works."""
    names = [f"Simulated {number}" for number in range(2_000)]
    made = await store.create_simulated(conn, BY, names, skills=["en"])
    assert len({number for number, _ in made}) == len({key for _, key in made}) == 2_000
    for place in (0, 1, 1_999):
        number, secret = made[place]
        who = await holder(conn, secret)
        assert who is not None
        assert (who.contributor_id, who.name, who.scopes) == (number, names[place], {"work"})
    found = await store.get_contributor(conn, made[7][0])
    assert (found.simulated, found.skills, found.kind) == (True, ["en"], "person")
    assert await store.create_simulated(conn, BY, []) == []


async def test_skills(conn: Conn) -> None:
    """A set: granted and revoked any number of times, kept in order."""
    agent = await store.create_agent(conn, BY, "Reader")
    for skill in ("fr", "en", "fr"):
        await store.grant_skill(conn, BY, agent, skill)
    assert (await store.get_contributor(conn, agent)).skills == ["en", "fr"]
    await store.revoke_skill(conn, BY, agent, "en")
    await store.revoke_skill(conn, BY, agent, "en")
    assert (await store.get_contributor(conn, agent)).skills == ["fr"]
    with pytest.raises(Invalid):
        await store.grant_skill(conn, BY, agent, "Not A Skill")
    with pytest.raises(NotFound):
        await store.grant_skill(conn, BY, agent + 1_000, "fr")
    entries = await store.read_audit(conn, BY, subject="contributor", subject_id=str(agent))
    assert [entry.action for entry in entries] == [
        "revoke.skill",
        "grant.skill",
        "grant.skill",
        "create.contributor",
    ], "what changed nothing is not logged"


async def test_pausing(conn: Conn, account: int) -> None:
    """A contributor may rest and come back; working twice over is refused."""
    contributor = await store.create_contributor(conn, BY, account)
    with pytest.raises(Conflict):
        await store.create_contributor(conn, BY, account)
    await store.pause_contributor(conn, BY, contributor)
    assert (await store.get_contributor(conn, contributor)).state == "paused"
    await store.resume_contributor(conn, BY, contributor)
    page = await store.list_contributors(conn, after=contributor - 1, limit=1)
    assert [(one.id, one.state) for one in page] == [(contributor, "active")]


async def test_the_log_is_a_clients_own(conn: Conn, account: int, client: int) -> None:
    """A member reads what happened to their client, and nothing else."""
    other = await store.create_client(conn, BY, "teinture", "Teinture")
    await store.add_member(conn, BY, client, account)
    member = Principal(account_id=account, roles=frozenset({"client"}), client_ids=(client,))
    entries = await store.read_audit(conn, member)
    assert [entry.action for entry in entries] == ["add.member", "create.client"]
    assert {entry.client_id for entry in entries} == {client}
    everything = await store.read_audit(conn, BY)
    assert other in {entry.client_id for entry in everything}
    assert everything[-1].detail["by"] == "command line"
    stranger = Principal(account_id=account)
    assert await store.read_audit(conn, stranger) == []
    after = await store.read_audit(conn, member, before=entries[0].id, limit=1)
    assert [entry.id for entry in after] == [entries[1].id]


async def test_the_log_cannot_be_changed(conn: Conn, account: int) -> None:
    """History is append-only, for us too."""
    for change in ("update audit_log set action = 'x'", "delete from audit_log"):
        with pytest.raises(psycopg.errors.RaiseException):
            async with conn.transaction():
                await conn.execute(change)


async def test_first_run(conn: Conn) -> None:
    """The first operator comes in by a link; then every such link is void and none is made."""
    one, two = [await store.create_first_run_token(conn) for _ in range(2)]
    assert one is not None
    assert two is not None
    assert (await store.read_invitation(conn, two)).first_run
    with pytest.raises(Invalid):
        await store.accept_invitation(conn, one, SignUp("nowhere", "", "short"))
    account = await store.accept_invitation(conn, one, SignUp("a@example.org", "A", PASSWORD))
    assert (await store.get_account(conn, account)).roles == ["operator"]
    for token in (one, two):
        with pytest.raises(Expired):
            await store.accept_invitation(conn, token, SignUp("b@example.org", "B", PASSWORD))
    assert await store.create_first_run_token(conn) is None


async def test_two_first_run_links_at_once_make_one_operator(fresh_url: str) -> None:
    """Two people with two links at the same moment: one becomes the operator."""

    async def accept(token: str, number: int) -> int:
        async with connect_async(fresh_url) as mine:
            sign_up = SignUp(f"p{number}@example.org", "P", PASSWORD)
            return await store.accept_invitation(mine, token, sign_up)

    async with connect_async(fresh_url) as conn:
        tokens = [await store.create_first_run_token(conn) for _ in range(4)]
        done = await asyncio.gather(
            *(accept(str(token), number) for number, token in enumerate(tokens)),
            return_exceptions=True,
        )
        accounts = await store.list_accounts(conn)
    assert sorted(type(one).__name__ for one in done) == ["Expired"] * 3 + ["int"]
    assert [account.roles for account in accounts] == [["operator"]]


async def test_invitations(conn: Conn, account: int, client: int) -> None:
    """A link gives what it says to the address it is for, once."""
    grant = Grant(client_id=client, contributor=True)
    token = await store.create_invitation(conn, BY, grant, email="Eve@example.org")
    with pytest.raises(Invalid):
        await store.accept_invitation(conn, token, SignUp("mallory@example.org", "M", PASSWORD))
    with pytest.raises(Invalid):
        await store.join_by_invitation(conn, token, Principal(account_id=account, session=True))
    eve = await store.accept_invitation(conn, token, SignUp("eve@example.org", "Eve", PASSWORD))
    found = await store.get_account(conn, eve)
    assert found.client_ids == [client]
    assert found.contributor_id is not None
    with pytest.raises(Expired):
        await store.read_invitation(conn, token)
    late = await store.create_invitation(conn, BY, grant)
    await conn.execute("update invitation set expires_ms = now_ms()")
    with pytest.raises(Expired):
        await store.accept_invitation(conn, late, SignUp("b@example.org", "B", PASSWORD))
    with pytest.raises(Expired):
        await store.read_invitation(conn, "never made")


async def test_inviting_takes_the_right_to_give(conn: Conn, account: int, client: int) -> None:
    """A member invites colleagues to their own client, and to nothing else."""
    other = await store.create_client(conn, BY, "teinture", "Teinture")
    member = Principal(account_id=account, roles=frozenset({"client"}), client_ids=(client,))
    for grant in (Grant(client_id=other), Grant(roles=("operator",)), Grant(contributor=True)):
        with pytest.raises(NotFound):
            await store.create_invitation(conn, member, grant)
    token = await store.create_invitation(conn, member, Grant(client_id=client))
    await store.join_by_invitation(conn, token, Principal(account_id=account, session=True))
    assert (await store.get_account(conn, account)).client_ids == [client]


async def test_a_new_password_voids_every_link(conn: Conn, account: int) -> None:
    """A link that went astray gives nothing once the password was set, by whatever way, and
    nothing for an account that is closed."""
    one, two, three, four = [await store.create_password_link(conn, BY, account) for _ in range(4)]
    await store.set_password_by_link(conn, one, "other silver bobbins")
    with pytest.raises(Expired):
        await store.read_invitation(conn, two)
    for void in (three, four):
        with pytest.raises(Expired):
            await store.set_password_by_link(conn, void, PASSWORD)
    last = await store.create_password_link(conn, BY, account)
    await store.disable_account(conn, BY, account)
    with pytest.raises(Expired):
        await store.set_password_by_link(conn, last, PASSWORD)


async def test_a_link_for_a_new_password(conn: Conn, account: int) -> None:
    """It sets the password once, ends the sessions, and gives nothing else."""
    session = await store.open_session(conn, account, hours=1)
    token = await store.create_password_link(conn, BY, account)
    with pytest.raises(Invalid):
        await store.accept_invitation(conn, token, SignUp("b@example.org", "B", PASSWORD))
    with pytest.raises(Invalid):
        await store.set_password_by_link(conn, token, "short")
    assert await store.set_password_by_link(conn, token, "eight golden shuttles") == account
    assert await whose(conn, session) is None
    with pytest.raises(Expired):
        await store.set_password_by_link(conn, token, "eight golden shuttles")


async def test_what_is_over_is_forgotten(conn: Conn, account: int) -> None:
    """Old sessions and unused links go; what is in force stays."""
    await store.open_session(conn, account, hours=1)
    await store.create_invitation(conn, BY, Grant(contributor=True))
    month = 31 * 86_400_000
    await conn.execute("update session set expires_ms = now_ms() - 1")
    await conn.execute("update invitation set expires_ms = now_ms() - %s", [month])
    kept = await store.open_session(conn, account, hours=1)
    await store.create_invitation(conn, BY, Grant(contributor=True))
    await store.forget_expired(conn)
    assert await whose(conn, kept) is not None
    left = await (await conn.execute("select count(*) from invitation")).fetchone()
    assert left == (1,)
