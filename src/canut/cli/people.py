"""`canut people`: accounts, clients, contributors, keys, for whoever administers the machine.

Passwords come from a prompt, or from standard input when there is no terminal; never from
arguments, which every user of a machine can read.
"""

import sys
from collections.abc import Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from canut.cli.common import run_verb, setting_options
from canut.cli.people_agents import agent
from canut.config import Settings
from canut.db.pool import Conn
from canut.errors import Invalid
from canut.people import store
from canut.people.model import Grant, NewKey, SignUp, scopes_of
from canut.people.rules import LOCALES

BY = store.COMMAND_LINE


@click.group()
def people() -> None:
    """Accounts, clients, contributors, keys."""


people.add_command(agent)


@people.command("create-operator")
@click.argument("email")
@click.option("--name", required=True, help="name of the person")
@click.option("--locale", type=click.Choice(LOCALES), default="en", help="language of the pages")
@setting_options()
def create_operator(settings: Settings, email: str, name: str, locale: str) -> None:
    """Create an account that operates the platform."""
    sign_up = SignUp(email, name, _password(), locale)
    roles = ("operator",)
    account = run_verb(settings, lambda conn: store.create_account(conn, BY, sign_up, roles=roles))
    click.echo(f"account {account}: {email} operates the platform")


@people.command("create-client")
@click.argument("slug")
@click.option("--name", required=True, help="name of the organisation")
@setting_options()
def create_client(settings: Settings, slug: str, name: str) -> None:
    """Create a client organisation; SLUG is its short name."""
    client = run_verb(settings, lambda conn: store.create_client(conn, BY, slug, name))
    click.echo(f"client {client}: {slug}")


@people.command("add-member")
@click.argument("client")
@click.argument("email")
@setting_options()
def add_member(settings: Settings, client: str, email: str) -> None:
    """Let the account with EMAIL act for CLIENT (its short name)."""

    async def add(conn: Conn) -> None:
        found = await store.find_client(conn, client)
        account = await store.find_account(conn, email)
        await store.add_member(conn, BY, found.id, account.id)

    run_verb(settings, add)
    click.echo(f"{email} acts for {client}")


@people.command("create-contributor")
@click.argument("email")
@click.option("--name", help="name of the person, for a new account")
@click.option("--locale", type=click.Choice(LOCALES), default="en", help="language of the pages")
@setting_options()
def create_contributor(settings: Settings, email: str, name: str | None, locale: str) -> None:
    """Let a person answer tasks. With --name, creates the account too."""
    sign_up = SignUp(email, name, _password(), locale) if name else None

    async def create(conn: Conn) -> int:
        async with conn.transaction():
            if sign_up is not None:
                account = await store.create_account(conn, BY, sign_up)
            else:
                account = (await store.find_account(conn, email)).id
            return await store.create_contributor(conn, BY, account)

    click.echo(f"contributor {run_verb(settings, create)}: {email}")


@people.command("grant-skill")
@click.argument("contributor", type=int)
@click.argument("skill")
@click.option("--revoke", is_flag=True, help="take the skill away")
@setting_options()
def grant_skill(settings: Settings, contributor: int, skill: str, revoke: bool) -> None:
    """Say that CONTRIBUTOR (a number) masters SKILL."""

    async def change(conn: Conn) -> list[str]:
        verb = store.revoke_skill if revoke else store.grant_skill
        await verb(conn, BY, contributor, skill)
        return (await store.get_contributor(conn, contributor)).skills

    skills = run_verb(settings, change)
    click.echo(f"contributor {contributor}: {', '.join(skills) or 'no skill'}")


@people.command()
@click.argument("email")
@click.option("--client", help="short name of the client to act for")
@click.option("--operator", is_flag=True, help="to operate the platform")
@click.option("--steward", is_flag=True, help="to keep pay and the books")
@click.option("--contributor", is_flag=True, help="to answer tasks")
@setting_options()
def invite(
    settings: Settings,
    email: str,
    client: str | None,
    operator: bool,
    steward: bool,
    contributor: bool,
) -> None:
    """Print a link with which the person with EMAIL joins."""
    if not (client or operator or steward or contributor):
        raise click.UsageError("say to what: --client, --operator, --steward or --contributor")
    roles = [role for role, asked in (("operator", operator), ("steward", steward)) if asked]

    async def create(conn: Conn) -> str:
        grant = Grant(
            roles=tuple(roles),
            client_id=(await store.find_client(conn, client)).id if client else None,
            contributor=contributor,
        )
        return await store.create_invitation(conn, BY, grant, email=email)

    click.echo(f"{settings.url}/invite/{run_verb(settings, create)}")


@people.command("password-link")
@click.argument("email")
@setting_options()
def password_link(settings: Settings, email: str) -> None:
    """Print a link with which the person with EMAIL sets a new password."""

    async def create(conn: Conn) -> str:
        account = await store.find_account(conn, email)
        return await store.create_password_link(conn, BY, account.id)

    click.echo(f"{settings.url}/invite/{run_verb(settings, create)}")


@people.command()
@click.argument("email")
@setting_options()
def disable(settings: Settings, email: str) -> None:
    """Close the account with EMAIL: no log-in, no sessions, no keys."""

    async def close(conn: Conn) -> None:
        account = await store.find_account(conn, email)
        await store.disable_account(conn, BY, account.id)

    run_verb(settings, close)
    click.echo(f"{email} is closed")


@people.command("list")
@click.argument("what", type=click.Choice(["accounts", "clients", "contributors"]))
@setting_options()
def list_people(settings: Settings, what: str) -> None:
    """List accounts, clients or contributors."""
    if what == "clients":
        clients = run_verb(settings, store.list_clients)
        _table(["id", "slug", "name"], [[c.id, c.slug, c.name] for c in clients])
    elif what == "accounts":
        accounts = run_verb(settings, store.list_accounts)
        header = ["id", "email", "name", "roles", "clients", "contributor", "state"]
        lines = [
            [a.id, a.email, a.name, a.roles, a.client_ids, a.contributor_id or "", _state(a)]
            for a in accounts
        ]
        _table(header, lines)
    else:
        found = run_verb(settings, _every_contributor)
        header = ["id", "kind", "name", "state", "skills", "family"]
        lines = [[c.id, _kind(c), c.name, c.state, c.skills, c.family or ""] for c in found]
        _table(header, lines)


@people.group()
def key() -> None:
    """API keys."""


@key.command("create")
@click.option("--name", required=True, help="what the key is for")
@click.option("--client", help="short name of the client the key acts for")
@click.option("--contributor", type=int, help="number of the contributor the key acts for")
@click.option("--operator", "--steward", "keeper", help="e-mail address of whom the key acts for")
@click.option("--scope", "scopes", multiple=True, help="what it may do (default: all it can)")
@setting_options()
def create_key(
    settings: Settings,
    name: str,
    client: str | None,
    contributor: int | None,
    keeper: str | None,
    scopes: tuple[str, ...],
) -> None:
    """Make an API key and print it, this once."""
    if sum(owner is not None for owner in (client, contributor, keeper)) != 1:
        raise click.UsageError("say whom it acts for: a client, contributor, operator or steward")

    async def create(conn: Conn) -> NewKey:
        account = await store.find_account(conn, keeper) if keeper else None
        roles = account.roles if account else ["client" if client else "contributor"]
        return await store.create_api_key(
            conn,
            BY,
            name=name,
            scopes=scopes or scopes_of(frozenset(roles)),
            client_id=(await store.find_client(conn, client)).id if client else None,
            contributor_id=contributor,
            account_id=account.id if account else None,
        )

    made = run_verb(settings, create)
    click.echo(f"key {made.id}; it is shown this once:", err=True)
    click.echo(made.secret)


@key.command("revoke")
@click.argument("key_id", type=int)
@setting_options()
def revoke_key(settings: Settings, key_id: int) -> None:
    """Revoke an API key; servers that run notice within five seconds."""
    hashed = run_verb(settings, lambda conn: store.revoke_api_key(conn, BY, key_id))
    click.echo(f"key {key_id} is revoked" if hashed else f"key {key_id} was revoked before")


@key.command("list")
@setting_options()
def list_keys(settings: Settings) -> None:
    """List API keys, the revoked ones too."""
    keys = run_verb(settings, lambda conn: store.list_api_keys(conn, BY))
    header = ["id", "begins with", "name", "acts for", "scopes", "state"]
    lines = [
        [k.id, k.prefix, k.name, _owner(k), k.scopes, "revoked" if k.revoked_ms else "valid"]
        for k in keys
    ]
    _table(header, lines)


async def _every_contributor(conn: Conn) -> list[Any]:
    found: list[Any] = []
    while page := await store.list_contributors(
        conn, after=found[-1].id if found else 0, limit=10_000
    ):
        found += page
    return found


def _password() -> str:
    if sys.stdin.isatty():
        entered: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return entered
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise Invalid("There is no password.", mend="give it as one line on standard input")
    return line


def _state(account: Any) -> str:
    return "closed" if account.disabled_ms else "open"


def _kind(contributor: Any) -> str:
    return "simulated" if contributor.simulated else str(contributor.kind)


def _owner(found: Any) -> str:
    if found.client_id is not None:
        return f"client {found.client_id}"
    if found.contributor_id is not None:
        return f"contributor {found.contributor_id}"
    return f"account {found.account_id}"


def _table(header: Sequence[str], lines: Sequence[Sequence[Any]]) -> None:
    table = Table(*header, box=None)
    for line in lines:
        table.add_row(*(_cell(value) for value in line))
    Console(soft_wrap=not sys.stdout.isatty()).print(table)


def _cell(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
