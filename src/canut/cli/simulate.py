"""`canut simulate`: answer a batch as simulated contributors, and say how well it went."""

import asyncio
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from canut.channels.columns import parse_map
from canut.cli.common import database, setting_options
from canut.cli.simulate_audits import answer_audits, tell
from canut.cli.simulate_report import Plan, Report, show
from canut.cli.simulate_truth import Truth, read_rows
from canut.cli.simulation import Tally, spread_errors
from canut.cli.simulation import simulate as run_simulation
from canut.config import Settings
from canut.db.pool import connect_async
from canut.errors import Conflict, NotFound, Unavailable
from canut.people import store as people
from canut.sdk import AsyncCanut, CanutAPIError
from canut.sdk import values as v
from canut.work import store as work

#: seconds between looks at the batch
LOOK_S = 0.5


@click.command(name="simulate")
@setting_options("host", "port", "public_url")
@click.option("--batch", type=int, help="number of the batch to answer")
@click.option(
    "--truth",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="file with the right answers: CSV, JSON lines or Parquet",
)
@click.option("--truth-column", help="column with the right answer")
@click.option("--key-column", default="", help="column with the keys of the items, to score by")
@click.option("--map", "mapping", multiple=True, metavar="FIELD=COLUMN", help="names that differ")
@click.option("--contributors", default=8, show_default=True, type=click.IntRange(1, 200))
@click.option("--experts", default=1, show_default=True, type=click.IntRange(0, 50))
@click.option("--auditors", default=0, show_default=True, type=click.IntRange(0, 50))
@click.option("--error", default=0.1, show_default=True, type=click.FloatRange(0, 0.9))
@click.option("--spread", default=0.05, show_default=True, type=click.FloatRange(0, 0.5))
@click.option("--expert-error", default=0.02, show_default=True, type=click.FloatRange(0, 0.9))
@click.option("--seed", default=1, show_default=True, type=int)
@click.option("--packet", default=10, show_default=True, type=click.IntRange(1, 50))
@click.option("--pace", default=0.0, show_default=True, help="seconds of thought for each task")
@click.option("--url", default="", help="address of the server; by the settings if left out")
@click.option(
    "--operator-key",
    envvar="CANUT_OPERATOR_KEY",
    help="key of an operator; without one, contributors are made in the database of --data",
)
@click.option("--pay", is_flag=True, help="simulate eight weeks of pay instead (with --seed)")
@click.option(
    "--plot", type=click.Path(dir_okay=False, path_type=Path), help="with --pay: draw it as SVG"
)
def simulate(
    settings: Settings,
    pay: bool,
    plot: Path | None,
    truth: Path | None,
    truth_column: str | None,
    mapping: tuple[str, ...],
    url: str,
    operator_key: str | None,
    pace: float,
    **plan: Any,
) -> None:
    """Answer a batch through the public API as simulated contributors, marked as such.

    The server and its engine must be running. Prints how well it went, and as the last line the
    same as JSON. With --pay nothing need be running: a simulated crowd in a database of its own.
    """
    if pay:
        _pay(plan["seed"], plot)
        return
    if plan["batch"] is None or truth is None or truth_column is None:
        raise click.UsageError("Give --batch, --truth and --truth-column, or --pay.")
    known = Truth(read_rows(truth), truth_column, columns=parse_map(mapping))
    asked, address = Plan(pace_s=pace, **plan), url or settings.url
    try:
        if operator_key:
            report = asyncio.run(_with_key(address, operator_key, known, asked))
        else:
            with database(settings) as own:
                report = asyncio.run(answer_batch(address, own, known, asked))
    except CanutAPIError as error:
        raise Unavailable(f"{address}: {error}") from error
    show(report, asked)
    if report.state != "delivered":
        raise Conflict(f"the batch is {report.state}, and nothing moves any more")


def _pay(seed: int, plot: Path | None) -> None:
    # the books and the engine's jobs take a while to load
    from canut.cli.simulate_pay import simulate_pay
    from canut.pay.simulation import Plan as PayPlan

    if simulate_pay(PayPlan(seed=seed), plot).ledger_faults:
        sys.exit(1)


async def _with_key(url: str, key: str, truth: Truth, plan: Plan) -> Report:
    """Contributors are made through the API."""
    async with AsyncCanut(url, key=key) as operator:
        batch = await operator.batches.get(plan.batch)
        detail = await operator.processes.get(batch.value.process)
        skills, expert_skills = _skills(detail.steps)
        people = operator.people
        made = await people.create_contributors(plan.contributors, skills=skills)
        keys = [one.key for one in made.contributors]
        if plan.experts:
            experts = await people.create_contributors(
                plan.experts, name="Simulated expert", skills=[*skills, *expert_skills]
            )
            keys += [one.key for one in experts.contributors]
        auditors = await _auditors(operator, plan, [*skills, *expert_skills])
        report = await _run(url, operator, keys, truth, plan)
        await _audit(url, operator, auditors, truth, plan)
        return report


async def _auditors(operator: AsyncCanut, plan: Plan, skills: list[str]) -> list[str]:
    if not plan.auditors:
        return []
    made = await operator.people.create_contributors(
        plan.auditors, name="Simulated auditor", skills=skills
    )
    return [one.key for one in made.contributors]


async def _audit(url: str, canut: AsyncCanut, keys: list[str], truth: Truth, plan: Plan) -> None:
    """Have the audits answered, and say what is proved."""
    if keys:
        for line in tell(await answer_audits(url, canut, keys, truth, plan)):
            click.echo(line)


async def answer_batch(url: str, database_url: str, truth: Truth, plan: Plan) -> Report:
    """Answer a batch until it is delivered, or nothing moves any more. Contributors are made in
    the database, and a key that reads the batch for as long as the run lasts; afterwards the
    contributors are paused."""
    by = people.COMMAND_LINE
    async with connect_async(database_url) as conn:
        batch = await work.batch(conn, plan.batch, None)
        if batch is None:
            raise NotFound(f"There is no batch {plan.batch}.", mend="canut batch list")
        reader = await people.create_api_key(
            conn,
            by,
            name="simulate",
            scopes=("batches:read",),
            client_id=batch.client_id,
        )
        made: list[tuple[int, str]] = []
        try:
            async with AsyncCanut(url, key=reader.secret) as canut:
                detail = await canut.processes.get(batch.process_slug)
                skills, expert_skills = _skills(detail.steps)
                made += await _make(conn, plan.contributors, "Simulated", skills)
                made += await _make(
                    conn, plan.experts, "Simulated expert", [*skills, *expert_skills]
                )
                keys = [key for _, key in made]
                auditors = await _make(
                    conn, plan.auditors, "Simulated auditor", [*skills, *expert_skills]
                )
                made += auditors
                report = await _run(url, canut, keys, truth, plan)
                await _audit(url, canut, [key for _, key in auditors], truth, plan)
                return report
        finally:
            await people.revoke_api_key(conn, by, reader.id)
            for contributor, _ in made:
                await people.pause_contributor(conn, by, contributor)


async def _make(conn: Any, count: int, name: str, skills: list[str]) -> list[tuple[int, str]]:
    """(contributor, key) of new simulated contributors."""
    names = [f"{name} {place}" for place in range(1, count + 1)]
    return await people.create_simulated(conn, people.COMMAND_LINE, names, skills=skills)


def _skills(steps: list[v.ProcessStep]) -> tuple[list[str], list[str]]:
    """What contributors must master, and what experts must besides."""
    usual = {skill for step in steps for skill in step.skills}
    expert = {step.expert_skill for step in steps if step.expert_skill}
    return sorted(usual), sorted(expert - usual)


async def _run(url: str, canut: AsyncCanut, keys: list[str], truth: Truth, plan: Plan) -> Report:
    errors = spread_errors(plan.contributors, plan.error, plan.spread, plan.seed)
    errors += [plan.expert_error] * plan.experts
    stop, tally = asyncio.Event(), Tally()
    started = time.monotonic()

    def note(so_far: Tally) -> None:
        nonlocal tally
        tally = so_far

    working = asyncio.create_task(
        run_simulation(
            url,
            keys,
            truth,
            errors,
            plan.seed,
            stop,
            packet=plan.packet,
            pace_s=plan.pace_s,
            batch=plan.batch,
            on_progress=note,
        )
    )
    try:
        batch = await _watch(canut, plan, working, lambda: tally)
    finally:
        stop.set()
        tally = await working
    wall_s = time.monotonic() - started
    return await _report(canut, batch, truth, plan, tally, wall_s)


async def _watch(
    canut: AsyncCanut, plan: Plan, working: asyncio.Task[Tally], tally: Any
) -> v.Batch:
    """Show how far the batch is until it has ended, or nothing moves any more."""
    batch = await canut.batches.get(plan.batch)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[said]}"),
    )
    moved, last = time.monotonic(), (-1, -1)
    with Progress(*columns, console=Console(stderr=True)) as shown:
        bar = shown.add_task("decided", total=None, said="")
        while not working.done():
            value = (await batch.refresh()).value
            decided = sum(step.decided for step in value.steps)
            said = f"{tally().answers:,} answers by simulated contributors"
            total = sum(step.tasks for step in value.steps)
            shown.update(bar, completed=decided, total=total, said=said)
            if (decided, tally().answers) != last:
                moved, last = time.monotonic(), (decided, tally().answers)
            if value.ended or time.monotonic() - moved > plan.stuck_s:
                return value
            await asyncio.sleep(LOOK_S)
    return batch.value


async def _report(
    canut: AsyncCanut, batch: v.Batch, truth: Truth, plan: Plan, tally: Tally, wall_s: float
) -> Report:
    right, decided = await _score(canut, batch, truth, plan.key_column)
    tasks = sum(step.tasks for step in batch.steps)
    escalated = sum(step.escalated for step in batch.steps)
    answers = sum(step.answers for step in batch.steps)
    return Report(
        batch=batch.id,
        state=batch.state,
        items=batch.items,
        decided=decided,
        accuracy=round(right / max(decided, 1), 4),
        answers=answers,
        answers_per_item=round(answers / max(batch.items, 1), 3),
        escalated_share=round(escalated / max(tasks, 1), 4),
        contributors=plan.contributors + plan.experts,
        wall_s=round(wall_s, 2),
        answers_per_s=round(tally.answers / wall_s, 1),
        answer_error=round(tally.wrong / max(tally.answers, 1), 4),
        unknown=tally.unknown,
    )


async def _score(
    canut: AsyncCanut, batch: v.Batch, truth: Truth, key_column: str
) -> tuple[int, int]:
    """How many decisions are the truth, of how many. Without a key column, keys are row numbers."""
    schemas = {step.slug: (await canut.work.question(step.step)).answer for step in batch.steps}
    by_key: Mapping[str, Any] = {
        str(row.get(key_column, "")).strip() if key_column else str(place): row
        for place, row in enumerate(truth.rows, start=1)
    }
    right = decided = 0
    handle = await canut.batches.get(batch.id)
    async for decision in handle.decisions():
        row = by_key.get(decision.key)
        if row is not None:
            decided += 1
            right += truth.of(schemas[decision.step], row) == decision.value
    return right, decided
