"""`canut certificate list`, `show`, `export`: what is proved, on the machine of the database."""

import gzip
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from canut.cli.common import database, setting_options
from canut.config import Settings
from canut.db.pool import SyncConn, connect
from canut.errors import NotFound
from canut.people.store import COMMAND_LINE
from canut.processes.model import LOCALES
from canut.quality.certificates import store as store_statements
from canut.quality.certificates.bounds import export as as_file
from canut.quality.certificates.standing import Standing, standing, with_evidence
from canut.quality.certificates.wording import sentences
from canut.quality.figures import Locale, as_share

_locale = click.option(
    "--locale", type=click.Choice(LOCALES), default="en", show_default=True, help="language"
)
#: certificates listed
LISTED = 200


@click.command("list")
@click.option("--client", metavar="SLUG", help="only this client's")
@setting_options()
def list_(settings: Settings, client: str | None) -> None:
    """The certificates that were issued, newest first."""
    with database(settings) as url, connect(url) as conn:
        found = store_statements.newest(conn, None, LISTED)
        slugs = store_statements.client_slugs(conn, [one.client_id for one in found])
    header = ("certificate", "client", "batch", "step", "issued", "for", "at most", "promise")
    table = Table(*header, box=None, header_style="bold")
    for one in found:
        if client in (None, slugs[one.client_id]):
            about, said = one.snapshot.about, one.statement
            table.add_row(
                str(one.id),
                slugs[one.client_id],
                about.batch,
                about.step,
                f"{datetime.fromtimestamp(about.issued_ms / 1000, UTC):%Y-%m-%d %H:%M}",
                one.occasion,
                as_share(said.bound, "en", up=True),
                "proved" if said.proved else "not proved",
            )
    Console().print(table)


@click.command()
@click.argument("key")
@click.option("--client", required=True, metavar="SLUG", help="short name of the client")
@_locale
@setting_options()
def show(settings: Settings, key: str, client: str, locale: Locale) -> None:
    """What is proved about the batch KEY so far, and what its audits wait for."""
    with database(settings) as url, connect(url) as conn:
        steps = standing(conn, _batch(conn, client, key), time.time_ns() // 1_000_000)
    for step in steps:
        click.echo(f"{step.step}: {_state(step)}")
        if step.outline is not None:
            for sentence in sentences(step.outline, locale):
                click.echo(f"  {sentence}")
        for one, _ in step.issued:
            click.echo(f"  certificate {one.id}, issued for: {one.occasion}")


@click.command("export")
@click.argument("number", type=int)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="file (.json or .json.gz); else stdout"
)
@setting_options()
def export_(settings: Settings, number: int, output: Path | None) -> None:
    """Write certificate NUMBER with all its evidence, as it was issued."""
    with database(settings) as url, connect(url) as conn:
        data = as_file(with_evidence(conn, COMMAND_LINE, number))
    if output is None:
        sys.stdout.buffer.write(data)
        return
    # no time in the file: the same certificate is the same bytes
    output.write_bytes(gzip.compress(data, mtime=0) if output.suffix == ".gz" else data)
    click.echo(f"certificate {number} is in {output}")


def _batch(conn: SyncConn, client: str, key: str) -> int:
    found = store_statements.batch_of_key(conn, client, key)
    if found is None:
        raise NotFound(f"{client} has no batch {key!r}.", mend="see canut batch list")
    return found


def _state(step: Standing) -> str:
    if step.frame is None:
        return "not delivered yet"
    said = f"{step.frame.state}, {step.draws} of {step.frame.audits_max} draws"
    if step.open_draws:
        said += f", {step.open_draws} not answered"
    if step.waiting is not None:
        waiting = step.waiting
        said += f"; {waiting.answers} answers wanted, {waiting.qualified} people may give them"
    return said
