"""`canut pay hours`: hours beside tasks, which are stated, recorded and decided."""

import time

import click
from msgspec import Struct

from canut.cli.common import database, finite, one_line, setting_options
from canut.cli.pay_periods import moment_ms
from canut.config import Settings
from canut.db.pool import SyncConn, connect
from canut.errors import Invalid, Problem
from canut.pay.hours import (
    KINDS,
    Hours,
    PaidHours,
    Waiting,
    decide_hours,
    list_hours,
    record_hours,
)
from canut.pay.settlement.slip_words import iso
from canut.people.store import COMMAND_LINE

MINUTE_MS = 60_000


class Said(Struct, frozen=True):
    """What is said of hours."""

    kind: str | None
    begin: str | None
    end: str | None
    minutes: float | None
    currency: str | None
    why: str | None


@click.command()
@click.option("--all", "everything", is_flag=True, help="decided ones too")
@click.option("--after", metavar="HOURS", type=int, default=0, help="from those behind these on")
@click.option("--decide", metavar="HOURS", type=int, help="decide about these (a number)")
@click.option("--record", metavar="CONTRIBUTOR", type=int, help="record hours of theirs (a number)")
@click.option("--kind", type=click.Choice(KINDS), help="to record")
@click.option("--from", "begin", metavar="MOMENT", help="to record (UTC): 2026-11-20T14:00")
@click.option("--until", "end", metavar="MOMENT", help="to record (UTC)")
@click.option(
    "--minutes",
    type=float,
    callback=finite,
    help="how long of it is agreed; to record, all of it",
)
@click.option("--currency", metavar="CODE", help="to record, another than that of their floor")
@click.option("--why", help="for the contributor to read")
@setting_options()
def hours(
    settings: Settings,
    everything: bool,
    after: int,
    decide: int | None,
    record: int | None,
    kind: str | None,
    begin: str | None,
    end: str | None,
    minutes: float | None,
    currency: str | None,
    why: str | None,
) -> None:
    """Hours beside tasks that wait for a decision: training, panel duty, waiting. With --decide,
    --minutes and --why decide about some; with --record, --kind, --from, --until and --why record
    hours of a contributor, which are agreed at once."""
    if decide is not None and record is not None:
        raise click.UsageError("--decide and --record do not go together")
    now = time.time_ns() // 1_000_000
    said = Said(kind, begin, end, minutes, currency, why)
    with database(settings) as url, connect(url) as conn:
        if decide is not None:
            _tell(_decided(conn, decide, said, now))
        elif record is not None:
            _tell(record_hours(conn, COMMAND_LINE, record, _hours(said), now))
        else:
            _list(list_hours(conn, now, open_only=not everything, after=after))


def _decided(conn: SyncConn, number: int, said: Said, now: int) -> PaidHours:
    if said.minutes is None:
        problem = Problem("is missing", "say how long is agreed", field="minutes")
        raise Invalid("This cannot be decided so.", problems=[problem])
    agreed = round(said.minutes * MINUTE_MS)
    return decide_hours(conn, COMMAND_LINE, number, agreed, said.why or "", now)


def _hours(said: Said) -> Hours:
    given = {"kind": said.kind, "from": said.begin, "until": said.end}
    problems = [Problem("is missing", field=name) for name, one in given.items() if one is None]
    if problems or said.kind is None or said.begin is None or said.end is None:
        raise Invalid("These hours cannot be recorded.", problems=problems)
    begin, end = moment_ms(said.begin), moment_ms(said.end)
    stated = end - begin if said.minutes is None else round(said.minutes * MINUTE_MS)
    return Hours(said.kind, begin, end, stated, said.why or "", said.currency)


def _tell(one: PaidHours) -> None:
    click.echo(f"hours {one.id}: {_minutes(one.agreed_ms or 0)} agreed: {one_line(one.why or '')}")


def _list(found: list[Waiting]) -> None:
    for waiting in found:
        one, room = waiting.hours, waiting.room
        who = one_line(one.contributor) or f"contributor {one.contributor_id}"
        click.echo(
            f"{one.id:>6}  {who}: {one.kind}, {iso(one.from_ms)} to {iso(one.until_ms)},"
            f" {_minutes(one.stated_ms)} stated:"
            f" {'noted by the task screen' if one.noted else one_line(one.reason)}"
        )
        if one.agreed_ms is not None:
            click.echo(f"        {one.state}: {_minutes(one.agreed_ms)}: {one_line(one.why or '')}")
        else:
            elsewhere = _minutes(room.tasks_ms + room.exams_ms)
            click.echo(
                f"        tasks and exams pay {elsewhere} of that time: at most"
                f" {_minutes(waiting.most_ms)} can be agreed, in {one.currency}"
            )
    if not found:
        click.echo("nothing waits")


def _minutes(ms: int) -> str:
    return f"{ms / MINUTE_MS:g} min"
