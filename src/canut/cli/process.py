"""`canut process`: what can be outsourced. Only `publish` needs a database."""

import asyncio
import sys
import time
from pathlib import Path

import click
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table

from canut.channels.store import audit
from canut.cli.common import database, many, setting_options
from canut.config import Settings
from canut.db.pool import connect, connect_async
from canut.errors import CanutError, Problem
from canut.people.store import COMMAND_LINE, find_client
from canut.processes.library import load_shipped
from canut.processes.load import Loaded, load_folder
from canut.processes.model import LOCALES, StepDefinition
from canut.processes.scaffold import write_scaffold
from canut.processes.shipped import library_slugs
from canut.quality.gold.pool import publish_loaded
from canut.questions.base import localise

_locale = click.option(
    "--locale", type=click.Choice(LOCALES), default="en", show_default=True, help="language"
)


@click.group()
def process() -> None:
    """What can be outsourced: the processes that come with Canut, and your own."""


@process.command("list")
@_locale
def list_(locale: str) -> None:
    """The processes of the library."""
    table = Table("process", "title", "steps", "sample", "gold", box=None, header_style="bold")
    for slug in library_slugs():
        loaded = load_shipped(slug)
        definition = loaded.definition
        steps = ", ".join(f"{step.slug} ({step.question['type']})" for step in definition.steps)
        counts = (str(len(loaded.sample)), str(len(loaded.gold)))
        table.add_row(slug, localise(definition.title, locale), steps, *counts)
    Console().print(table)


@process.command()
@click.argument("name", metavar="SLUG|DIR")
@_locale
def show(name: str, locale: str) -> None:
    """A process: its items, its steps and their instructions.

    SLUG names one of the library; DIR is a folder with a process.toml.
    """
    folder = Path(name)
    loaded = load_folder(folder) if (folder / "process.toml").is_file() else load_shipped(name)
    console = Console()
    definition = loaded.definition
    console.print(f"[bold]{definition.slug}[/]  {localise(definition.title, locale)}")
    console.print(localise(definition.description, locale))
    console.print(_fields(loaded, locale))
    for step in definition.steps:
        console.print(_step(step, locale))
        console.print(Markdown(localise(step.instructions, locale)))
    console.print(f"content {definition.content_hash()[:12]}", style="dim", highlight=False)


@process.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def check(folder: Path) -> None:
    """Read the process in DIR and report everything that is wrong with it.

    Ends with exit code 1 if anything is; a warning alone is no failure.
    """
    try:
        loaded = load_folder(folder)
    except CanutError as error:
        click.echo(f"{folder}: {error.message}", err=True)
        _echo("", error.problems or ([Problem(error.mend)] if error.mend else []))
        sys.exit(1)
    _echo("warning: ", list(loaded.warnings))
    n_steps, n_warnings = len(loaded.definition.steps), len(loaded.warnings)
    click.echo(
        f"{loaded.definition.slug}: in order, with {many(n_steps, 'step')}, "
        f"{many(len(loaded.sample), 'sample item')}, {many(len(loaded.gold), 'gold item')} "
        f"and {many(n_warnings, 'warning')}"
    )


@process.command()
@click.argument("slug")
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
def new(slug: str, folder: Path | None) -> None:
    """Write a process to start from.

    SLUG is its name, such as support/triage; DIR defaults to the last part of it.
    """
    target = folder or Path(slug.rpartition("/")[2])
    for path in write_scaffold(slug, target):
        click.echo(path)
    click.echo(f"Next: edit them, then run: canut process check {target}")


@process.command("publish")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--client", metavar="SLUG", help="for this client alone; for every one if left out")
@setting_options()
def publish_(settings: Settings, folder: Path, client: str | None) -> None:
    """Store the process in DIR as a version that batches can be submitted to.

    The same content is the same version. Batches keep the version they began with. The gold of the
    folder is what contributors are measured by from now on; what is not there any more is retired.
    """
    loaded = load_folder(folder)
    definition = loaded.definition
    with database(settings) as url, connect(url) as conn:
        owner = None if client is None else asyncio.run(_client_id(url, client))
        made = publish_loaded(conn, owner, loaded, time.time_ns() // 1_000_000)
        detail = {"slug": definition.slug, "version": made.number}
        audit(conn, COMMAND_LINE, "publish.process", "process", made.process_id, detail, owner)
    whom = f"for {client}" if client else "for every client"
    click.echo(f"{definition.slug}: version {made.number}, {whom}")


async def _client_id(url: str, slug: str) -> int:
    async with connect_async(url) as conn:
        return (await find_client(conn, slug)).id


def _fields(loaded: Loaded, locale: str) -> Table:
    table = Table("field", "title", "type", "", title="item", title_justify="left", box=None)
    for field in loaded.definition.item.fields:
        marks = {
            "required": field.required,
            "personal": field.personal,
            "hidden from contributors": not field.show,
        }
        notes = ", ".join(mark for mark, there in marks.items() if there)
        table.add_row(field.name, localise(field.title, locale), field.type, notes)
    return table


def _step(step: StepDefinition, locale: str) -> str:
    skills = f", skills {', '.join(step.skills)}" if step.skills else ""
    licence = ", licence needed" if step.licence else ""
    experts = f", experts {step.expert_skill}" if step.expert_skill else ""
    return (
        f"\n[bold]{step.slug}[/]  {localise(step.title, locale)}\n"
        f"{step.question['type']}, {step.min_answers} to {step.max_answers} answers until "
        f"{step.target_confidence:.0%} sure, {step.lease_s} s a claim{skills}{licence}{experts}"
    )


def _echo(prefix: str, problems: list[Problem]) -> None:
    for problem in problems:
        click.echo(f"  {prefix}{problem}", err=True)
