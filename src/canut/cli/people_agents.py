"""`canut people agent`: AI agents among the contributors."""

import click

from canut.cli.common import run_verb, setting_options
from canut.config import Settings
from canut.db.pool import Conn
from canut.people import store
from canut.people.model import NewKey
from canut.people.store import COMMAND_LINE as BY


@click.group()
def agent() -> None:
    """AI agents: they answer tasks with a key, and earn licences on blind evidence."""


@agent.command()
@click.argument("name")
@click.option("--family", help="agents of one family, whatever the prompt, are one voice")
@click.option("--skill", "skills", multiple=True, help="what it masters")
@setting_options()
def create(settings: Settings, name: str, family: str | None, skills: tuple[str, ...]) -> None:
    """Let an AI agent answer tasks; prints its number and its key."""

    async def make(conn: Conn) -> tuple[int, NewKey]:
        async with conn.transaction():
            made = await store.create_agent(conn, BY, name, family=family, skills=skills)
            key = await store.create_api_key(
                conn, BY, name=name, scopes=("work",), contributor_id=made
            )
        return made, key

    made, key = run_verb(settings, make)
    click.echo(f"contributor {made}; its key is shown this once:", err=True)
    click.echo(key.secret)


@agent.command("family")
@click.argument("contributor", type=int)
@click.argument("family", required=False)
@setting_options()
def set_family(settings: Settings, contributor: int, family: str | None) -> None:
    """Say that the agent CONTRIBUTOR (a number) is of FAMILY; of none where it is left out."""
    run_verb(settings, lambda conn: store.set_family(conn, BY, contributor, family))
    click.echo(f"contributor {contributor}: {family or 'no family'}")
