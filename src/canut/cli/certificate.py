"""`canut certificate`: check one with nothing but its file. No server, no database."""

from pathlib import Path

import click

from canut.processes.model import LOCALES
from canut.quality.certificates import verify as verify_file
from canut.quality.wording import Locale, sentences


@click.group()
def certificate() -> None:
    """Statements about delivered decisions, and their evidence."""


@certificate.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--locale", type=click.Choice(LOCALES), default="en", show_default=True, help="language"
)
def verify(file: Path, locale: Locale) -> None:
    """Compute every figure of a certificate again, from the evidence in its FILE.

    The draws, the counts, the estimate and the bound; the command fails, and says where, if one of
    them is not what the evidence gives.
    """
    found = verify_file(file)
    for sentence in sentences(found, locale):
        click.echo(sentence)
    drawn = len(found.evidence.audits)
    click.echo(f"verified: {drawn} draws, digest {found.statement.digest}")
