"""Contributors: people with an account, AI agents, and simulated people in bulk."""

from collections.abc import Sequence

from canut.db.pool import Conn
from canut.errors import Conflict, NotFound
from canut.people import credentials, rules
from canut.people.model import Contributor, Principal
from canut.people.store.log import audit, row, rows, scalar

# a person contributes under the name of their account
CREATE_PERSON = """
insert into contributor (kind, account_id, name, created_ms)
select 'person', a.id, a.name, now_ms() from account a where a.id = %s
on conflict (account_id) do nothing returning id"""

CREATE_AGENT = """
insert into contributor (kind, name, family, skills, created_ms)
values ('agent', %s, %s, %s, now_ms()) returning id"""

CREATE_SIMULATED = """
insert into contributor (kind, name, simulated, skills, created_ms)
select 'person', name, true, %(skills)s, now_ms()
from unnest(%(names)s::text[]) with ordinality as given (name, place) order by place
returning id"""

CREATE_WORK_KEYS = """
insert into api_key (token_hash, prefix, name, contributor_id, scopes, created_ms)
select token_hash, prefix, 'simulated', contributor_id, '{work}', now_ms()
from unnest(%s::bytea[], %s::text[], %s::bigint[]) as given (token_hash, prefix, contributor_id)"""

CONTRIBUTORS = """
select id, kind, account_id, name, simulated, state, skills, created_ms, family from contributor"""

CONTRIBUTOR = f"{CONTRIBUTORS} where id = %s"

# a page of them, by id
CONTRIBUTORS_AFTER = f"{CONTRIBUTORS} where id > %s order by id limit %s"

# sorted, so that equal sets are equal arrays
GRANT_SKILL = """
update contributor
set skills = array(select distinct unnest(skills || %(skill)s::text) as skill order by skill)
where id = %(contributor)s and not %(skill)s = any (skills) returning true"""

REVOKE_SKILL = """
update contributor set skills = array_remove(skills, %(skill)s)
where id = %(contributor)s and %(skill)s = any (skills) returning true"""

SET_FAMILY = """
update contributor set family = %(family)s
where id = %(contributor)s and family is distinct from %(family)s returning true"""

SET_STATE = """
update contributor set state = %(state)s, state_reason = %(reason)s, state_ms = now_ms(),
    state_by = %(account)s
where id = %(contributor)s and state <> %(state)s returning true"""


async def create_contributor(conn: Conn, by: Principal, account_id: int) -> int:
    """Let the person with this account answer tasks. Raises `Conflict` if they already do."""
    async with conn.transaction():
        contributor: int | None = await scalar(conn, CREATE_PERSON, [account_id])
        if contributor is None:
            raise Conflict("This account is a contributor already, or does not exist.")
        await audit(conn, by, "create.contributor", "contributor", contributor)
    return contributor


async def create_agent(
    conn: Conn,
    by: Principal,
    name: str,
    *,
    family: str | None = None,
    skills: Sequence[str] = (),
) -> int:
    """An AI agent, held to the same exam as people. Agents of one `family` (one model, whatever the
    prompt) count as one voice. Raises `Invalid`."""
    rules.check(rules.name_problems(name))
    if family is not None:
        rules.check_family(family)
    for skill in skills:
        rules.check_skill(skill)
    async with conn.transaction():
        values = [name.strip(), family, sorted(set(skills))]
        contributor: int = await scalar(conn, CREATE_AGENT, values)
        detail = {"kind": "agent", "family": family}
        await audit(conn, by, "create.contributor", "contributor", contributor, detail)
    return contributor


async def set_family(conn: Conn, by: Principal, contributor_id: int, family: str | None) -> None:
    """Say which family an agent is of; None: of none. Raises `Invalid`, `NotFound`, and `Conflict`
    for a person: people who answer alike are for people to look at."""
    if family is not None:
        rules.check_family(family)
    if (await get_contributor(conn, contributor_id)).kind != "agent":
        raise Conflict("Only agents have a family.")
    async with conn.transaction():
        values = {"contributor": contributor_id, "family": family}
        if await scalar(conn, SET_FAMILY, values):
            detail = {"family": family}
            await audit(conn, by, "change.contributor", "contributor", contributor_id, detail)


async def create_simulated(
    conn: Conn, by: Principal, names: Sequence[str], *, skills: Sequence[str] = ()
) -> list[tuple[int, str]]:
    """Programs that play people, one per name, marked as simulated for ever.

    Two statements for any number of them. Returns (contributor, secret of its key with the scope
    `work`) in the order of the names.
    """
    secrets = [credentials.new_key() for _ in names]
    async with conn.transaction():
        values = {"names": list(names), "skills": sorted(set(skills))}
        made = await conn.execute(CREATE_SIMULATED.encode(), values)
        ids = sorted(found[0] for found in await made.fetchall())
        hashes = [credentials.token_hash(secret) for secret in secrets]
        shown = [secret[: credentials.SHOWN] for secret in secrets]
        await conn.execute(CREATE_WORK_KEYS.encode(), [hashes, shown, ids])
        detail = {"count": len(ids)}
        span = f"{ids[0]}-{ids[-1]}" if ids else ""
        await audit(conn, by, "create.simulated", "contributor", span, detail)
    return list(zip(ids, secrets, strict=True))


async def get_contributor(conn: Conn, contributor_id: int) -> Contributor:
    """The contributor. Raises `NotFound`."""
    found = await row(conn, Contributor, CONTRIBUTOR, [contributor_id])
    if found is None:
        raise NotFound("There is no such contributor.")
    return found


async def list_contributors(conn: Conn, *, after: int = 0, limit: int = 100) -> list[Contributor]:
    """A page of contributors, by id; `after` is the id of the last one already shown."""
    return await rows(conn, Contributor, CONTRIBUTORS_AFTER, [after, limit])


async def grant_skill(conn: Conn, by: Principal, contributor_id: int, skill: str) -> None:
    """The contributor masters this; nothing happens if we knew. Raises `Invalid`, `NotFound`."""
    rules.check_skill(skill)
    await get_contributor(conn, contributor_id)
    async with conn.transaction():
        if await scalar(conn, GRANT_SKILL, {"contributor": contributor_id, "skill": skill}):
            detail = {"skill": skill}
            await audit(conn, by, "grant.skill", "contributor", contributor_id, detail)


async def revoke_skill(conn: Conn, by: Principal, contributor_id: int, skill: str) -> None:
    """The contributor does not master this; nothing happens if we knew."""
    async with conn.transaction():
        if await scalar(conn, REVOKE_SKILL, {"contributor": contributor_id, "skill": skill}):
            detail = {"skill": skill}
            await audit(conn, by, "revoke.skill", "contributor", contributor_id, detail)


async def pause_contributor(
    conn: Conn, by: Principal, contributor_id: int, reason: str = ""
) -> None:
    """No new tasks for the contributor; what is in hand can be finished. The contributor reads the
    reason, and who gave it."""
    await _set_state(conn, by, contributor_id, "paused", reason)


async def resume_contributor(
    conn: Conn, by: Principal, contributor_id: int, reason: str = ""
) -> None:
    """New tasks for the contributor again."""
    await _set_state(conn, by, contributor_id, "active", reason)


async def _set_state(
    conn: Conn, by: Principal, contributor_id: int, state: str, reason: str
) -> None:
    values = {
        "contributor": contributor_id,
        "state": state,
        "reason": reason,
        "account": by.account_id,
    }
    async with conn.transaction():
        if await scalar(conn, SET_STATE, values):
            detail = {"state": state, **({"reason": reason} if reason else {})}
            await audit(conn, by, "change.contributor", "contributor", contributor_id, detail)
