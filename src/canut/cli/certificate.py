"""`canut certificate`: what is proved about delivered decisions; check one with nothing but its
file."""

import importlib
from pathlib import Path

import click

from canut.processes.model import LOCALES
from canut.quality.certificates.bounds import verify as verify_file
from canut.quality.certificates.wording import sentences
from canut.quality.figures import Locale

#: commands that need a database: `verify` does without the driver
ISSUED = {"list": "list_", "show": "show", "export": "export_"}


class Certificates(click.Group):
    """Loads what needs a database only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*ISSUED, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in ISSUED:
            return super().get_command(ctx, name)
        module = importlib.import_module("canut.cli.certificate_issued")
        command: click.Command = getattr(module, ISSUED[name])
        return command


@click.group(cls=Certificates)
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
