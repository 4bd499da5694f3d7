"""`canut agent`: AI agents at work: put one at a step, see how it does, pause it, teach it now."""

import asyncio
import os
import time
from datetime import UTC, datetime
from functools import partial

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from canut.agents import store
from canut.agents.arena import store as store_duels
from canut.agents.arena import words
from canut.agents.llm.kind import LLM
from canut.agents.llm.models_file import ModelsFile
from canut.agents.running.hands import OwnHands
from canut.agents.running.runner import Bench
from canut.agents.running.verbs import (
    NewAgent,
    end_work,
    find,
    known_types,
    pause,
    put_to_work,
    resume,
)
from canut.agents.standing import Standing, calendar_warnings, cascade_order, standing
from canut.agents.teaching.teaching import teach
from canut.cli.agent_arena import calendar, duel_of, duels, tell_arena, tell_duel
from canut.cli.agent_spent import tell_spent
from canut.cli.common import database, setting_options
from canut.config import Settings
from canut.db.pool import SyncConn, connect, connect_async
from canut.errors import NotFound
from canut.people.store import COMMAND_LINE, find_client
from canut.processes.model import LOCALES
from canut.processes.store import find_place
from canut.quality.figures import Locale
from canut.quality.licences import words as licence_words

#: points of the curve on a screen
SHOWN = 6


@click.group()
def agent() -> None:
    """AI agents at work: they answer like people, and decide alone what evidence allows."""


agent.add_command(duels)
agent.add_command(calendar)


@agent.command()
@click.argument("kind", metavar="TYPE")
@click.option("--process", metavar="SLUG", required=True, help="of which process")
@click.option("--step", metavar="SLUG", required=True, help="step of the process")
@click.option("--client", metavar="SLUG", help="of this client's process; of the library without")
@click.option("--name", default="", help="what it is called")
@click.option("--family", help="agents of one family are one voice")
@click.option("--model", default="", help="which language model, for the type llm")
@click.option("--place", type=int, help="agents of a step are asked in rising order")
@setting_options()
def add(
    settings: Settings,
    kind: str,
    process: str,
    step: str,
    client: str | None,
    name: str,
    family: str | None,
    model: str,
    place: int | None,
) -> None:
    """Put an agent of TYPE (rules, learner, english, embeddings, llm, a plug-in's) to work."""
    if kind not in known_types():
        known = ", ".join(known_types())
        raise NotFound(f"There is no agent type {kind!r}.", mend=f"known are: {known}")
    if kind == LLM.name and model:
        # an error now, not in the engine
        _models(settings).get(model)
    with database(settings) as url, connect(url) as conn:
        owner = None if client is None else asyncio.run(_client_id(url, client))
        version = find_place(conn, owner, process)
        if version is None:
            raise NotFound(f"There is no process {process}.", mend="see canut process list")
        new = NewAgent(kind, version.process_id, step, name, family, model, place)
        made = put_to_work(conn, COMMAND_LINE, new, version.definition, _now_ms())
        idle = store.idle(conn).get(made)
    click.echo(f"agent {made} works at {process} {step}; it earns its licence as people answer too")
    if idle is not None:
        click.echo(_no_work(idle))


@agent.command("list")
@setting_options()
def list_(settings: Settings) -> None:
    """Agents at work, in the order in which they are asked."""
    columns = ("agent", "name", "process", "step", "state", "licence", "decides", "evidence")
    table = Table(*columns, box=None)
    below = []
    with database(settings) as url, connect(url) as conn:
        idle, places = store.idle(conn), store.where(conn)
        for one in store.agents(conn):
            licence = store_duels.open_licence(conn, one)
            found = (licence.finding if licence else None) or {}
            covers = f"{found.get('coverage', 0):.0%}" if licence and licence.threshold else "-"
            told = licence.state if licence else "-"
            evidence = str(store_duels.settled(conn, licence.root)) if licence else "-"
            state: str = one.state
            process, client = places[one.id]
            if state == "active" and one.trouble:
                state = "waits"
                below.append(f"{one.id}: {one.trouble}")
            elif state == "active" and one.id in idle:
                state = "no work"
                below.append(f"{one.id}: {_no_work(idle[one.id])}")
            turns = cascade_order(conn, one.process_id, one.step_slug)
            turn = next((words.turn_words(t, "en") for t in turns if t.agent_id == one.id), "")
            if turn:
                below.append(f"{one.id}: {turn}")
            name = f"{client}: {process}" if client else process
            row = (str(one.id), one.name, name, one.step_slug, state, told, covers, evidence)
            table.add_row(*(escape(cell) for cell in row))
        endings = calendar_warnings(conn)
    Console().print(table)
    for line in below:
        click.echo(line)
    for ending in endings:
        click.echo(" ".join(words.ending_sentences(ending, "en")))


@agent.command()
@click.argument("number", metavar="AGENT", type=int)
@click.option("--locale", type=click.Choice(LOCALES), default="en", help="language")
@click.option("--json", "as_json", is_flag=True, help="all figures, for programs")
@setting_options()
def show(settings: Settings, number: int, locale: Locale, as_json: bool) -> None:
    """How AGENT does: its licence in words, accuracy over coverage, cost, duel, what happened."""
    with database(settings) as url, connect(url) as conn:
        found = standing(conn, find(conn, number))
        if as_json:
            click.echo(msgspec.json.encode(found))
            return
        _tell(conn, found, locale)
        tell_spent(found, _models(settings))


@agent.command("pause")
@click.argument("number", metavar="AGENT", type=int)
@setting_options()
def pause_(settings: Settings, number: int) -> None:
    """No work for AGENT from now on; what it decided stands."""
    with database(settings) as url, connect(url) as conn:
        pause(conn, COMMAND_LINE, number)
    click.echo(f"agent {number} is paused")


@agent.command("resume")
@click.argument("number", metavar="AGENT", type=int)
@setting_options()
def resume_(settings: Settings, number: int) -> None:
    """Work for AGENT again."""
    with database(settings) as url, connect(url) as conn:
        resume(conn, COMMAND_LINE, number)
    click.echo(f"agent {number} works again")


@agent.command("end")
@click.argument("number", metavar="AGENT", type=int)
@click.option("--reason", required=True, help="for whoever reads it later")
@setting_options()
def end_(settings: Settings, number: int, reason: str) -> None:
    """Pause AGENT for good and end its licence; what it decided stands."""
    with database(settings) as url, connect(url) as conn:
        end_work(conn, COMMAND_LINE, number, reason, _now_ms())
    click.echo(f"agent {number}: its work has ended")


@agent.command("teach")
@click.argument("number", metavar="AGENT", type=int)
@setting_options()
def teach_(settings: Settings, number: int) -> None:
    """Teach AGENT now what people have decided; the new version is held against the old one."""
    with database(settings) as url, connect(url, autocommit=True) as conn:
        hands = OwnHands(_models(settings), partial(connect, url, autocommit=True))
        made = teach(conn, hands, Bench(), find(conn, number), _now_ms, anyway=True)
    if made is None:
        click.echo("it knows all that already, or is being taught this moment")
        return
    worth = made.worth
    click.echo(f"version {made.version_id}: {made.role}, from {worth.examples} examples")
    click.echo(f"right on what was held back: {worth.right:.1%}")


def _tell(conn: SyncConn, found: Standing, locale: Locale) -> None:
    one = found.agent
    click.echo(f"{one.name} ({one.type}), step {one.step_slug}: {one.trouble or one.state}")
    if found.licence:
        for sentence in licence_words.sentences(found.licence, one.name, locale):
            click.echo(f"  {sentence}")
    every = max(1, len(found.curve) // SHOWN)
    for point in found.curve[::every]:
        click.echo(
            f"  {point.coverage:>4.0%} of the work: {point.accuracy:.1%} right "
            f"(from {point.confidence:.3f}, {point.answers} blind answers)"
        )
    for cost in found.costs:
        each = "-" if cost.right_micro is None else f"{cost.right_micro / 1e6:.6f} {cost.currency}"
        click.echo(f"  {cost.predictions} answers, {each} a right one, {cost.latency_ms:.0f} ms")
    tell_arena(found, locale)
    duel = duel_of(conn, Bench(), one)
    if duel:
        tell_duel(duel, locale)
    for event in found.events[:10]:
        at = datetime.fromtimestamp(event.at_ms / 1000, UTC)
        click.echo(
            f"  {at:%Y-%m-%d %H:%M} {event.kind} {msgspec.json.encode(event.detail).decode()}"
        )


def _no_work(clients: list[str]) -> str:
    """Why an agent has nothing to do, and where there is work of that name."""
    if not clients:
        return "no batch is open there"
    some = ", ".join(f"{one} (--client {one})" if one else "the library" for one in clients)
    return f"no batch is open there; another process of that name has some of {some}"


def _models(settings: Settings) -> ModelsFile:
    return ModelsFile(settings.models_file, os.environ)


async def _client_id(url: str, slug: str) -> int:
    async with connect_async(url) as conn:
        return (await find_client(conn, slug)).id


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
