"""`canut batch submit` and `canut batch export`: from a file, and to one."""

import csv
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from canut.channels.columns import Columns, parse_map
from canut.channels.export import FORMATS, Format
from canut.channels.export import export as results_of
from canut.channels.files import open_items
from canut.channels.places import STANDARD, open_to_write
from canut.channels.submit import Order
from canut.channels.submit import submit as hand_over
from canut.cli.batch import client_id_of, client_option, found_batch
from canut.cli.common import database, setting_options
from canut.config import Settings
from canut.db.pool import connect
from canut.errors import Problem
from canut.people.store import COMMAND_LINE
from canut.processes.taxonomy import options_of
from canut.work.intake import IntakeReport, OnError, Refused
from canut.work.intake import Progress as Point

#: problems shown; a report file has them all
SHOWN = 20


@click.command()
@click.argument("file")
@click.option("--process", required=True, metavar="SLUG", help="such as catalogue/categorise")
@client_option
@click.option("--key", required=True, help="your name of the batch; again is the same batch")
@click.option("--name", default="", help="its title (the key, if left out)")
@click.option("--map", "pairs", multiple=True, metavar="FIELD=COLUMN", help="may be repeated")
@click.option("--reference", default="", metavar="COLUMN", help="holds each row's own key")
@click.option("--taxonomy", type=click.Path(path_type=Path), help="CSV with your own classes")
@click.option("--step", default="", help="the step the taxonomy is for")
@click.option("--priority", default=0, type=click.IntRange(-5, 5), help="-5 to 5")
@click.option("--on-error", type=click.Choice(["stop", "skip"]), default="stop")
@click.option("--report", type=click.Path(path_type=Path), help="write every problem to this CSV")
@setting_options()
def submit(settings: Settings, file: str, client: str, on_error: OnError, **given: Any) -> None:
    """Import FILE (CSV, JSON lines or Parquet; a path, -, s3:// or https://) into a batch.

    Importing the same file again adds nothing twice. If any row is wrong nothing is imported,
    unless --on-error skip.
    """
    columns = Columns(parse_map(given["pairs"]), given["reference"])
    options = options_of(given["taxonomy"]) if given["taxonomy"] else None
    with database(settings) as url, _bar(file) as show, _problems(given["report"]) as note:
        order = Order(
            client_id=client_id_of(url, client),
            process=given["process"],
            key=given["key"],
            name=given["name"],
            priority=given["priority"],
            options=options,
            step=given["step"],
        )
        with connect(url) as conn:
            try:
                made, report = hand_over(
                    conn,
                    COMMAND_LINE,
                    order,
                    lambda shape: open_items(file, shape, columns),
                    time.time_ns() // 1_000_000,
                    on_error=on_error,
                    progress=show,
                    on_problem=note,
                )
            except Refused as refused:
                _tell(refused.report, given["report"])
                mend = "mend them and submit again, or leave them out with --on-error skip"
                raise click.ClickException(f"{refused.message} ({mend})") from None
    _tell(report, given["report"])
    click.echo(
        f"batch {made.id}, {made.key}: {report.added:,} added, {report.known:,} known, "
        f"{report.rejected:,} rejected ({made.process_slug} version {made.version})"
    )


@click.command()
@click.argument("key")
@client_option
@click.option("-o", "--output", default=STANDARD, help="a path, - or s3://")
@click.option("--format", "format_", type=click.Choice(FORMATS), help="csv, jsonl or parquet")
@click.option("--decided", is_flag=True, help="leave out items that are not done")
@click.option("--no-items", is_flag=True, help="leave out the items' own columns")
@click.option("--raw", is_flag=True, help="CSV cells as they are, also if they look like formulas")
@setting_options()
def export(
    settings: Settings,
    key: str,
    client: str,
    output: str,
    format_: Format | None,
    decided: bool,
    no_items: bool,
    raw: bool,
) -> None:
    """Write the results of the batch KEY, as far as they are."""
    ending = output.rpartition(".")[2]
    by_name: Format = next((one for one in FORMATS if one == ending), "csv")
    chosen = format_ or by_name
    with database(settings) as url:
        one = found_batch(url, client, key)
        with connect(url, autocommit=True) as conn:
            pieces = results_of(
                conn, one.id, chosen, items=not no_items, undecided=not decided, raw=raw
            )
            with open_to_write(output) as out:
                for piece in pieces:
                    out.write(piece)


@contextmanager
def _bar(file: str) -> Iterator[Callable[[Point], None]]:
    """A progress bar: bytes of the file where its size is known, rows and rows a second."""
    path = Path(file)
    packed = path.suffix in (".gz", ".zst")
    total = path.stat().st_size if path.is_file() and not packed else None
    rate = TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,.0f} a second")
    columns = [TextColumn("{task.description}"), BarColumn(), DownloadColumn(), rate]
    console = Console(stderr=True)
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task("importing", total=total, rows=0, rate=0.0)
        began = time.monotonic()

        def show(point: Point) -> None:
            seconds = max(time.monotonic() - began, 1e-6)
            done = max(point.bytes_read, int(bar.tasks[0].completed))
            bar.update(task, completed=done, rows=point.rows, rate=point.rows / seconds)

        yield show


@contextmanager
def _problems(report: Path | None) -> Iterator[Callable[[Problem], None]]:
    """Writes each problem to the report as it is found."""
    if report is None:
        yield lambda problem: None
        return
    with report.open("w", encoding="utf-8", newline="") as out:
        table = csv.writer(out)
        table.writerow(["file", "row", "field", "message", "mend"])

        def note(problem: Problem) -> None:
            place = [problem.file, problem.row, problem.field]
            table.writerow([*place, problem.message, problem.mend])

        yield note


def _tell(report: IntakeReport, path: Path | None) -> None:
    for problem in report.problems[:SHOWN]:
        click.echo(f"  {problem}", err=True)
    if report.n_problems > SHOWN:
        where = f"all are in {path}" if path else "--report FILE writes all"
        click.echo(f"  ... and {report.n_problems - SHOWN:,} more; {where}", err=True)
