"""The command group. Nouns are loaded when they are called: `canut --help` starts fast."""

import importlib
import sys
from typing import Any

import click

from canut import __version__
from canut.errors import CanutError

NOUNS = {
    "serve": "run the platform: web, API and engine",
    "demo": "a platform with sample data and simulated contributors",
    "process": "what can be outsourced: list, show, check, new",
    "gold": "items whose right answer is known: list, import, retire, review",
    "batch": "hand work over and take results away",
    "bulk": "catalogues of tens of millions of rows, decided by agents where they may",
    "certificate": "what is proved about decisions: list, show, export, verify",
    "licence": "who may work on a step, which agent decides alone: list, begin, grant, end, keep",
    "agent": "AI agents at work: add, list, show, pause, resume, teach",
    "pay": "rules of pay, time that contributors state, pay periods and pay slips",
    "tariff": "what steps pay: show, set, review",
    "funds": "clients' money: deposit, quote, agree, show, release, refund",
    "payout": "paying people out: account, ask, assemble, approve, file, read",
    "invoice": "invoices to clients: client, issue, list, file, cancel, collect",
    "ledger": "the books: accounts, statement, check",
    "people": "accounts, clients, contributors, keys",
    "db": "the database: status, migrate, check, backup, restore",
    "simulate": "answer a batch as simulated contributors; --pay: try the rules of pay on a crowd",
}


class Nouns(click.Group):
    """Loads `canut.cli.<noun>` and takes the command of that name from it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(NOUNS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in NOUNS:
            return None
        command: click.Command = getattr(importlib.import_module(f"canut.cli.{name}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(NOUNS.items()))


@click.command(cls=Nouns)
@click.version_option(__version__, prog_name="canut")
def cli() -> None:
    """Canut: outsourced work by people and AI agents, with proof and fair pay."""


def main(**extra: Any) -> None:
    """Run the command; an error of ours is a message, not a traceback."""
    try:
        cli.main(standalone_mode=True, **extra)
    except CanutError as error:
        click.echo(f"canut: {error}", err=True)
        sys.exit(1)
