"""`canut bulk`: catalogues of tens of millions of rows, most of them decided by agents."""

import asyncio
import csv
import io
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from canut.channels.bulk.folder import Folder
from canut.channels.bulk.handing import BATCH, Handed, hand_over, summary
from canut.channels.bulk.merge import merge, told_in_words
from canut.channels.bulk.model import Counts, Engine, Plan, Run, counted
from canut.channels.bulk.run import PART_ROWS, Asked, check_done, finished, plan, prepare, problems
from canut.channels.bulk.run import score as score_run
from canut.channels.bulk.score import PLAN, RUN
from canut.channels.columns import Columns, parse_map
from canut.channels.export import FORMATS, Format
from canut.channels.places import STANDARD, open_to_write
from canut.cli.batch_files import SHOWN
from canut.cli.common import database, many, setting_options
from canut.config import Settings
from canut.db.pool import connect, connect_async
from canut.people import store as people
from canut.people.store import COMMAND_LINE
from canut.processes.taxonomy import options_of

REPORT = "problems.csv"


@click.group()
def bulk() -> None:
    """Catalogues of tens of millions of rows, most of them decided by agents."""


@bulk.command("run")
@click.argument("input")
@click.option("--process", required=True, metavar="SLUG", help="such as catalogue/categorise")
@click.option("--step", default="", help="the step (the only one, if left out)")
@click.option("--client", required=True, metavar="SLUG", help="short name of the client")
@click.option("--key", required=True, help="your name of the batch for people's part")
@click.option(
    "--agent",
    "agents",
    multiple=True,
    required=True,
    metavar="NUMBER|FILE",
    help="a contributor, or the file of a state; may be repeated, cheapest first",
)
@click.option("--out", required=True, metavar="FOLDER", help="a folder, or s3://")
@click.option("--engine", type=click.Choice(["local", "ray"]), default="local")
@click.option("--ray", "address", default="", metavar="ADDRESS", help="of a Ray cluster")
@click.option("--workers", type=click.IntRange(1), help="as many as processors, if left out")
@click.option("--map", "pairs", multiple=True, metavar="FIELD=COLUMN", help="may be repeated")
@click.option("--reference", default="", metavar="COLUMN", help="holds each row's own key")
@click.option("--taxonomy", type=click.Path(path_type=Path), help="CSV with your own classes")
@click.option("--threshold", type=float, help="decide from this confidence on, licence or not")
@click.option("--audit-share", type=float, help="share of rows that people answer blind, 0 to 1")
@click.option("--seed", default="", help="of the sample: 64 hexadecimal digits")
@click.option("--on-error", type=click.Choice(["stop", "skip"]), default="stop")
@click.option("--part-rows", type=click.IntRange(1), default=PART_ROWS, help="rows of a part")
@setting_options()
def run_(settings: Settings, client: str, out: str, engine: Engine, **given: Any) -> None:
    """Have agents answer the rows of INPUT: Parquet, CSV or JSON lines; a file, a folder or a
    pattern; local or s3://.

    What they may decide stays in FOLDER; a random sample, and what they may not decide, become a
    batch. Said again after a kill, it does only what is missing.
    """
    folder = Folder(out)
    workers = given["workers"] or os.cpu_count() or 1
    with database(settings) as url, folder.held():
        asked = _asked(_client_id(url, client), given)
        with connect(url) as conn:
            run = prepare(conn, folder, asked, time.time_ns() // 1_000_000)
            if not run.proved:
                click.echo(
                    "NOTHING IS PROVED: a threshold is used that no licence covers", err=True
                )
            with _bar("reading", None) as (show, _):
                made = plan(conn, folder, run, show)
        with _bar("answering", made.rows) as (_, show_counts):
            counts = score_run(folder, made, engine, workers, given["address"], show_counts)
        _report(folder, counts)
        for line in summary(run, made, counts):
            click.echo(line)
        with connect(url) as conn:
            handed, report = hand_over(conn, folder, COMMAND_LINE, time.time_ns() // 1_000_000)
    if handed is None:
        click.echo("people have nothing to do")
    elif report is None:
        click.echo(f"batch {handed.batch_id}, {run.key}: handed over before")
    else:
        click.echo(
            f"batch {handed.batch_id}, {run.key}: {report.added:,} added, {report.known:,} known, "
            f"{report.rejected:,} rejected"
        )
    click.echo(f"when it is delivered: canut bulk merge {out} -o RESULT")


@bulk.command("show")
@click.argument("folder")
def show_(folder: str) -> None:
    """How far the run in FOLDER is."""
    place = Folder(folder)
    run = place.load(RUN, Run)
    click.echo(f"{run.definition.slug} version {run.version}, {run.step}, batch {run.key}")
    for stage in run.stages:
        grounds = f"licence {stage.licence_id}" if stage.proved else "nothing is proved"
        click.echo(f"  {stage.type} {stage.agent[:12]} from {stage.threshold:g} on: {grounds}")
    if not place.exists(PLAN):
        click.echo("the input is still being read")
        return
    made, done = place.load(PLAN, Plan), finished(place)
    click.echo(f"{len(done)} of {len(made.parts)} parts scored")
    for line in summary(run, made, counted(done)):
        click.echo(line)
    if place.exists(BATCH):
        click.echo(f"people's part is batch {place.load(BATCH, Handed).batch_id}")


@bulk.command("merge")
@click.argument("folder")
@click.option("-o", "--output", required=True, help="a path, - or s3://")
@click.option("--format", "format_", type=click.Choice(FORMATS), help="csv, jsonl or parquet")
@click.option("--unfinished", is_flag=True, help="write rows that wait for people, too")
@setting_options()
def merge_(
    settings: Settings, folder: str, output: str, format_: Format | None, unfinished: bool
) -> None:
    """Write one result of what agents and people decided, in the order of the input."""
    place = Folder(folder)
    run, _, _ = check_done(place)
    ending = output.rpartition(".")[2]
    by_name: Format = next((one for one in FORMATS if one == ending), "parquet")
    with (
        database(settings) as url,
        connect(url, autocommit=True) as conn,
        open_to_write(output) as out,
    ):
        merged = merge(conn, place, out, format_ or by_name, unfinished=unfinished)
    for line in told_in_words(merged, run):
        click.echo(line, err=output == STANDARD)


def _asked(client_id: int, given: dict[str, Any]) -> Asked:
    return Asked(
        input=given["input"],
        client_id=client_id,
        process=given["process"],
        key=given["key"],
        agents=given["agents"],
        step=given["step"],
        columns=Columns(parse_map(given["pairs"]), given["reference"]),
        options=options_of(given["taxonomy"]) if given["taxonomy"] else None,
        threshold=given["threshold"],
        audit_share=given["audit_share"],
        seed=given["seed"],
        on_error=given["on_error"],
        part_rows=given["part_rows"],
    )


def _client_id(url: str, slug: str) -> int:
    async def found() -> int:
        async with connect_async(url) as conn:
            return (await people.find_client(conn, slug)).id

    return asyncio.run(found())


def _report(folder: Folder, counts: Counts) -> None:
    """What is wrong with rows: the first on the screen, all in a file of the run."""
    found = problems(folder)
    if not found:
        return
    for problem in found[:SHOWN]:
        click.echo(f"  {problem}", err=True)
    rows = [["file", "row", "field", "message", "mend"]]
    rows += [[one.file, str(one.row), one.field, one.message, one.mend] for one in found]
    with open_to_write(f"{folder.place}/{REPORT}") as out:
        text = _csv_text(rows)
        out.write(text.encode())
    kept = "all" if len(found) == counts.n_problems else f"the first {len(found):,} (some a part)"
    told = many(counts.n_problems, "problem")
    click.echo(f"  {told}; {kept} in {REPORT} of the folder", err=True)


def _csv_text(rows: list[list[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


@contextmanager
def _bar(
    what: str, total: int | None
) -> Iterator[tuple[Callable[[int], None], Callable[[Counts], None]]]:
    """A progress bar of rows, with rows a second and how long it will take."""
    rate = TextColumn("{task.completed:,.0f} rows, {task.fields[rate]:,.0f} a second")
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), rate, *times)
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=total, rate=0.0)
        begun = time.monotonic()
        before: list[int] = []

        def show(rows: int) -> None:
            # what an earlier run did says nothing about how fast this one is
            before.append(rows)
            seconds = max(time.monotonic() - begun, 1e-6)
            bar.update(task, completed=rows, rate=(rows - before[0]) / seconds)
            del before[1:]

        yield show, lambda counts: show(counts.rows)
