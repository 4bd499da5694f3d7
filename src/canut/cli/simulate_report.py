"""How a simulation went: as a table for people, as JSON for programs."""

import click
import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table


class Plan(Struct, frozen=True):
    """What was asked for."""

    batch: int
    contributors: int
    experts: int
    error: float
    expert_error: float
    spread: float
    seed: int
    packet: int
    pace_s: float
    key_column: str
    #: seconds without an answer after which a batch that is not delivered never will be
    stuck_s: float = 30.0
    #: who answer audits once the batch is delivered; they have the skills of experts
    auditors: int = 0


class Report(Struct, frozen=True):
    """How it went."""

    batch: int
    state: str
    items: int
    decided: int
    #: share of the decisions that are the truth
    accuracy: float
    answers: int
    answers_per_item: float
    #: share of the tasks that went to an expert
    escalated_share: float
    contributors: int
    wall_s: float
    answers_per_s: float
    #: answers that were wrong, as a share
    answer_error: float
    #: tasks that the truth file does not know
    unknown: int


def show(report: Report, plan: Plan) -> None:
    """The report as a table, and as JSON in the last line."""
    table = Table(title=f"Batch {report.batch}: {report.state}", show_header=False)
    table.add_column("what")
    table.add_column("figure", justify="right")
    who = f"{plan.contributors} + {plan.experts} experts, all simulated"
    rows = {
        "contributors": who,
        "stated error": f"{plan.error:.1%} ± {plan.spread:.1%}, experts {plan.expert_error:.1%}",
        "answers that were wrong": f"{report.answer_error:.1%}",
        "items": f"{report.items:,}",
        "decisions with a known truth": f"{report.decided:,}",
        "accuracy of the decisions": f"{report.accuracy:.2%}",
        "answers per item": f"{report.answers_per_item:.2f}",
        "escalated to an expert": f"{report.escalated_share:.2%}",
        "wall time": f"{report.wall_s:,.1f} s",
        "answers per second": f"{report.answers_per_s:,.0f}",
    }
    for what, figure in rows.items():
        table.add_row(what, figure)
    Console().print(table)
    click.echo(msgspec.json.encode(report).decode())
