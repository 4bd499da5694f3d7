"""Links that let their holder set up an account once, or set a new password."""

from canut.db.pool import Conn
from canut.errors import Conflict, Expired, Invalid, NotFound, Problem
from canut.people import credentials, rules
from canut.people.model import Grant, Invitation, Principal, SignUp
from canut.people.store import accounts, contributors
from canut.people.store.log import audit, row, scalar

#: hours a link can be used
FIRST_RUN_HOURS = 24
INVITATION_HOURS = 14 * 24
PASSWORD_LINK_HOURS = 24

CREATE = """
insert into invitation (token_hash, email, first_run, account_id, roles, client_id, contributor,
                        created_ms, expires_ms)
values (%(hash)s, %(email)s, %(first_run)s, %(account)s, %(roles)s, %(client)s, %(contributor)s,
        now_ms(), now_ms() + %(hours)s * 3600000::bigint)"""

READ = """
select email, first_run, account_id, roles, client_id, contributor, expires_ms
from invitation where token_hash = %s and used_ms is null and expires_ms > now_ms()"""

# two uses of one link at the same moment: the second waits here and finds it used
USE = """
update invitation set used_ms = now_ms()
where token_hash = %s and used_ms is null and expires_ms > now_ms() returning true"""

OPERATOR_EXISTS = """
select exists (select from account_role r join account a on a.id = r.account_id
               where r.role = 'operator' and a.disabled_ms is null)"""

# two first-run links used at the same moment must not make two operators
LOCK_ROLES = "lock table account_role in share row exclusive mode"


async def create_first_run_token(conn: Conn) -> str | None:
    """The token of a link that creates the first operator; None once there is one.

    Several may be out at once (a server that was started again); the first use voids all.
    """
    if await scalar(conn, OPERATOR_EXISTS):
        return None
    return await _create(conn, None, Grant(roles=("operator",)), FIRST_RUN_HOURS, first_run=True)


async def create_invitation(
    conn: Conn, by: Principal, grant: Grant, *, email: str | None = None
) -> str:
    """The token of a link for somebody to join; with `email`, only with that address.

    Raises `NotFound` for a client that is not the inviter's, `Invalid`.
    """
    rules.check_roles(grant.roles)
    if grant.client_id is not None:
        by.check_sees(grant.client_id)
    if (grant.roles or grant.contributor) and "operator" not in by.roles:
        raise NotFound("Only an operator invites people to the platform itself.")
    if email is not None:
        email = rules.normalise_email(email)
        rules.check(rules.email_problems(email))
    async with conn.transaction():
        token = await _create(conn, email, grant, INVITATION_HOURS)
        detail = {"roles": list(grant.roles), "contributor": grant.contributor}
        await audit(
            conn, by, "create.invitation", "invitation", "", detail, client_id=grant.client_id
        )
    return token


async def create_password_link(conn: Conn, by: Principal, account_id: int) -> str:
    """The token of a link with which the person sets a new password. For operators."""
    async with conn.transaction():
        token = await _create(conn, None, Grant(), PASSWORD_LINK_HOURS, account_id=account_id)
        await audit(conn, by, "create.password_link", "account", account_id)
    return token


async def read_invitation(conn: Conn, token: str) -> Invitation:
    """What the link gives. Raises `Expired` if it was used, is too old, or never was."""
    found = await row(conn, Invitation, READ, [credentials.token_hash(token)])
    if found is None or (found.first_run and await scalar(conn, OPERATOR_EXISTS)):
        raise Expired("This link was used already, or it is too old.", mend="ask for a new one")
    return found


async def accept_invitation(conn: Conn, token: str, sign_up: SignUp) -> int:
    """Create the account the link is for; returns it. Raises `Expired`, `Invalid`, `Conflict`."""
    invitation = await read_invitation(conn, token)
    if invitation.account_id is not None:
        raise Invalid("This link is for a new password.")
    _check_address(invitation, sign_up.email)
    async with conn.transaction():
        await _use(conn, token, invitation)
        account = await accounts.create_account(conn, _holder(None), sign_up)
        await _give(conn, account, invitation)
    return account


async def sign_up_contributor(conn: Conn, sign_up: SignUp) -> int:
    """Open registration: an account that contributes; returns it. Raises `Invalid`, `Conflict`."""
    async with conn.transaction():
        account = await accounts.create_account(conn, _holder(None), sign_up)
        await contributors.create_contributor(conn, _holder(account), account)
    return account


async def join_by_invitation(conn: Conn, token: str, by: Principal) -> None:
    """Give what the link gives to the account that is logged in. Raises as above."""
    invitation = await read_invitation(conn, token)
    if by.account_id is None or invitation.account_id is not None or invitation.first_run:
        raise Invalid("This link is for somebody who has no account yet.")
    account = await accounts.get_account(conn, by.account_id)
    _check_address(invitation, account.email)
    async with conn.transaction():
        await _use(conn, token, invitation)
        await _give(conn, account.id, invitation)


async def set_password_by_link(conn: Conn, token: str, password: str) -> int:
    """Set a new password; returns the account. Raises `Expired`, `Invalid`."""
    invitation = await read_invitation(conn, token)
    if invitation.account_id is None:
        raise Invalid("This link is not for a new password.")
    async with conn.transaction():
        await _use(conn, token, invitation)
        holder = _holder(invitation.account_id)
        await accounts.set_password(conn, holder, invitation.account_id, password)
    return invitation.account_id


async def _create(
    conn: Conn,
    email: str | None,
    grant: Grant,
    hours: int,
    *,
    first_run: bool = False,
    account_id: int | None = None,
) -> str:
    token = credentials.new_token()
    values = {
        "hash": credentials.token_hash(token),
        "email": email,
        "first_run": first_run,
        "account": account_id,
        "roles": list(grant.roles),
        "client": grant.client_id,
        "contributor": grant.contributor,
        "hours": hours,
    }
    await conn.execute(CREATE.encode(), values)
    return token


async def _use(conn: Conn, token: str, invitation: Invitation) -> None:
    if invitation.first_run:
        await conn.execute(LOCK_ROLES)
    void = invitation.first_run and await scalar(conn, OPERATOR_EXISTS)
    if void or not await scalar(conn, USE, [credentials.token_hash(token)]):
        raise Expired("This link was used already, or it is too old.", mend="ask for a new one")


async def _give(conn: Conn, account_id: int, invitation: Invitation) -> None:
    holder = _holder(account_id)
    for role in invitation.roles:
        await accounts.grant_role(conn, holder, account_id, role)
    if invitation.client_id is not None:
        await accounts.add_member(conn, holder, invitation.client_id, account_id)
    if invitation.contributor:
        account = await accounts.get_account(conn, account_id)
        if account.contributor_id is not None:
            raise Conflict("This account is a contributor already.")
        await contributors.create_contributor(conn, holder, account_id)


def _holder(account_id: int | None) -> Principal:
    return Principal(account_id=account_id, name="sign-up")


def _check_address(invitation: Invitation, email: str) -> None:
    if invitation.email is not None and rules.normalise_email(email) != invitation.email:
        rules.check([Problem("This link is for another address.", field="email")])
