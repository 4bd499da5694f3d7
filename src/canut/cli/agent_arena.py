"""`canut agent duels` and `canut agent calendar`, and what `canut agent show` says of the arena."""

import click
import msgspec

from canut.agents import store
from canut.agents.arena import words
from canut.agents.arena.duels import Stands, stands
from canut.agents.running.model import AgentAtWork
from canut.agents.running.runner import Bench
from canut.agents.standing import Standing, calendar_warnings
from canut.agents.teaching.teaching import newest_step
from canut.cli.common import database, setting_options
from canut.config import Settings
from canut.db.pool import SyncConn, connect
from canut.processes.model import LOCALES
from canut.quality.figures import Locale

LOCALE = click.option("--locale", type=click.Choice(LOCALES), default="en", help="language")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="all figures, for programs")


@click.command()
@LOCALE
@AS_JSON
@setting_options()
def duels(settings: Settings, locale: Locale, as_json: bool) -> None:
    """Every challenger beside its champion: what each decides, costs, and where the duel stands."""
    with database(settings) as url, connect(url) as conn:
        bench = Bench()
        found = [(one, duel) for one in store.agents(conn) if (duel := duel_of(conn, bench, one))]
    if as_json:
        click.echo(msgspec.json.encode([{"agent": one, "duel": duel} for one, duel in found]))
        return
    for one, duel in found:
        click.echo(f"{one.id} {one.name}, step {one.step_slug}")
        tell_duel(duel, locale)
    if not found:
        click.echo("no agent has a challenger")


@click.command()
@LOCALE
@AS_JSON
@setting_options()
def calendar(settings: Settings, locale: Locale, as_json: bool) -> None:
    """Agents whose language model ends, as the file of models says, and what is done about it."""
    with database(settings) as url, connect(url) as conn:
        found = calendar_warnings(conn)
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    for one in found:
        click.echo(" ".join(words.ending_sentences(one, locale)))
    if not found:
        click.echo("no model that an agent asks has an announced end")


def duel_of(conn: SyncConn, bench: Bench, one: AgentAtWork) -> Stands | None:
    """The duel of an agent, if there is one."""
    step = newest_step(conn, bench, one)
    return stands(conn, one, step.question) if step else None


def tell_duel(duel: Stands, locale: Locale) -> None:
    """Both sides, and where it stands."""
    for sentence in words.duel_sentences(duel, locale):
        click.echo(f"  {sentence}")


def tell_arena(found: Standing, locale: Locale) -> None:
    """When it is asked, whether its work changes, how far a canary is, when its model ends."""
    if found.turn:
        click.echo(f"  {words.turn_words(found.turn, locale)}")
    if found.canary:
        click.echo(f"  {words.canary_words(found.canary, locale)}")
    if found.drift:
        for sentence in words.drift_sentences(found.drift, locale):
            click.echo(f"  {sentence}")
    if found.ending:
        click.echo("  " + " ".join(words.ending_sentences(found.ending, locale)))
