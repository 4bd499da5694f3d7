"""Who is asked when at a step: applied by the engine from what was measured, not configured.

Agents begin in the order of their places. Once people have decided enough blind tasks that all of
them answered, `cascade.arrange` says which order is cheapest, and who adds nothing. One that adds
nothing is not asked until something changes: a version, a licence, a challenger, an agent.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec
import numpy as np
from msgspec import Struct, structs

from canut.agents import store
from canut.agents.arena import store as store_duels
from canut.agents.arena import store_order
from canut.agents.arena.cascade import Arrangement, Measured, arrange, expected
from canut.agents.arena.store_order import CommonRow, TurnRow
from canut.agents.llm.kind import LLM
from canut.agents.model import Step, digest
from canut.agents.running.model import AgentAtWork, VersionAtWork
from canut.db.pool import SyncConn
from canut.quality.licences import store as store_licences
from canut.quality.model import RIGHT_FROM
from canut.questions.base import Question

log = logging.getLogger("canut.agents")

#: tasks that all agents of a step answered, before anything follows from them
LEAST_COMMON = 300
#: tasks compared, the newest; drawn from these with the weights of their streams
LOOKED, COMPARED = 3000, 1000
#: agents compared: all orders of all subsets are tried
AGENTS_MAX = 5
#: blind answers by which a step must have grown before it is measured again
GROWN = 1.2
#: another order must save so much of the cost of an item, or the old one stays
SAVES = 0.02
#: an answer of a person where nobody knows what it costs, and a second of computing, in micro-units
#: of the currency
PERSON_MICRO = 100_000
SECOND_MICRO = 14

#: "placed": never measured; "measuring": too few tasks yet that all answered; "decides": it decides
#: a share alone, or would; "nobody": nobody could decide anything; "errs": whatever the threshold,
#: it errs too often in what is left; "costs": it costs more than it saves; "repeats": others decide
#: all that it could; "duel": it adds nothing, but its challenger may; "many": not compared
Reason = Literal[
    "placed", "measuring", "decides", "nobody", "errs", "costs", "repeats", "duel", "many"
]

StepOf = Callable[[AgentAtWork], Step | None]
#: process, step -> what an answer of a person costs there, in micro-units; None: nobody knows
PersonMicro = Callable[[int, str], int | None]


class Stand(Struct, frozen=True):
    """One agent of a step, as it is measured."""

    agent: AgentAtWork
    champion: VersionAtWork
    #: whether a challenger waits to be judged
    duel: bool
    licensed: float
    in_force: bool


def order_due(
    conn: SyncConn,
    step_of: StepOf,
    now_ms: Callable[[], int],
    person_micro: PersonMicro = lambda *_: None,
) -> dict[int, Reason]:
    """Measure every step with several agents whose evidence has grown, or where people cost
    something else than before; agent -> new reason, of those for whom anything changed. `conn`
    commits by itself."""
    steps: dict[tuple[int, str], list[AgentAtWork]] = defaultdict(list)
    for agent in store.agents(conn):
        steps[agent.process_id, agent.step_slug].append(agent)
    done: dict[int, Reason] = {}
    for place, agents in steps.items():
        at_work = [one for one in agents if one.state == "active"]
        step = step_of(agents[0]) if len(agents) > 1 else None
        if step is None:
            continue
        with conn.transaction():
            person = person_micro(*place) or PERSON_MICRO
            done |= _ordered(conn, place, at_work, step.question, person, now_ms())
    return done


def _ordered(
    conn: SyncConn,
    place: tuple[int, str],
    agents: Sequence[AgentAtWork],
    question: Question,
    person: int,
    now_ms: int,
) -> dict[int, Reason]:
    stands = [one for agent in agents if (one := _stand(conn, agent))]
    before = {row.agent_id: row for row in store_order.turns(conn, *place)}
    at_work = [[s.agent.id, s.champion.id, s.duel, s.in_force] for s in stands]
    basis = digest(at_work if person == PERSON_MICRO else [*at_work, [person]])
    ids = [one.agent.id for one in stands]
    settled = store_order.settled(conn, *place, ids)
    same = all(before[one].basis == basis for one in ids)
    looked = max((int(before[one].figures.get("settled", 0)) for one in ids), default=0)
    if not stands or (same and settled < looked * GROWN + 1):
        return {}
    compared, rows = _common(conn, place, stands, question)
    if len(stands) < 2 or not rows or len(rows[0].right) < LEAST_COMMON:
        after = [_measuring(before[one.agent.id]) for one in stands]
    else:
        after = _arranged(conn, place, before, stands, compared, rows, person)
    told: dict[int, Reason] = {}
    for row in after:
        known = before[row.agent_id]
        figures = {**row.figures, "settled": settled}
        new = structs.replace(row, figures=figures, measured_ms=now_ms, basis=basis)
        store_order.put(conn, new)
        if (known.turn, known.asked, known.reason) != (new.turn, new.asked, new.reason):
            detail = {"turn": new.turn, "asked": new.asked, "reason": new.reason, **figures}
            store.note(conn, row.agent_id, "order", detail, now_ms)
            told[row.agent_id] = new.reason  # type: ignore[assignment]
    return told


def _stand(conn: SyncConn, agent: AgentAtWork) -> Stand | None:
    versions = store.open_versions(conn, agent.id)
    champion = versions.get("champion")
    if champion is None:
        return None
    licence = store_duels.open_licence(conn, agent)
    in_force = licence is not None and licence.state == "in_force"
    threshold = (licence.threshold or 0.0) if licence and in_force else 0.0
    return Stand(agent, champion, "challenger" in versions, threshold, in_force)


def _measuring(row: TurnRow) -> TurnRow:
    """Asked as before; whoever was left out is asked again, to be measured."""
    if row.reason == "decides":
        return row
    return structs.replace(row, asked=True, reason="measuring", figures={})


def _common(
    conn: SyncConn, place: tuple[int, str], stands: Sequence[Stand], question: Question
) -> tuple[list[Stand], list[Measured]]:
    """How agents did on the same tasks, drawn as if every stream had the same share."""
    compared = list(stands)[:AGENTS_MAX]
    versions = [one.champion.id for one in compared]
    ids = [one.agent.id for one in compared]
    by_task: dict[int, list[CommonRow]] = defaultdict(list)
    for row in store_order.common(conn, *place, ids, versions, LOOKED):
        by_task[row.task_id].append(row)
    tasks = [rows for rows in by_task.values() if len(rows) == len(compared)]
    if not tasks:
        return compared, []
    weight = np.array([1e6 / rows[0].ppm for rows in tasks])
    if np.ptp(weight):
        # the same tasks give the same draw
        rng = np.random.default_rng(len(tasks))
        chosen = rng.choice(len(tasks), min(len(tasks), COMPARED), p=weight / weight.sum())
        tasks = [tasks[place] for place in chosen.tolist()]
    decode = msgspec.json.Decoder().decode
    measured = []
    for stand in compared:
        said = [next(row for row in rows if row.version_id == stand.champion.id) for rows in tasks]
        values = [None if row.value is None else decode(row.value) for row in said]
        right = [
            value is not None and question.agree(value, decode(row.decided)) >= RIGHT_FROM
            for value, row in zip(values, said, strict=True)
        ]
        sure = [
            0.0 if value is None else row.confidence
            for value, row in zip(values, said, strict=True)
        ]
        money = store_duels.mean_cost(conn, stand.champion.id)
        waited = store_order.waited(conn, stand.champion.id)
        # waiting for somebody else's server is no computing
        computed = 0.0 if stand.agent.type == LLM.name else waited / 1000 * SECOND_MICRO
        # what a licence counts in single precision must not fall below its own threshold
        measured.append(
            Measured(
                str(stand.agent.id),
                np.array(sure, np.float64),
                np.array(right, bool),
                money + computed,
                stand.licensed - 1e-6,
            )
        )
    return compared, measured


def _arranged(
    conn: SyncConn,
    place: tuple[int, str],
    before: dict[int, TurnRow],
    stands: Sequence[Stand],
    compared: Sequence[Stand],
    measured: Sequence[Measured],
    person: int,
) -> list[TurnRow]:
    terms = store_licences.terms(conn, *place)
    error_max = terms.error_max if terms else 0.02
    best = arrange(measured, error_max, person)
    by_name = {one.name: one for one in measured}
    standing = sorted(compared, key=lambda one: before[one.agent.id].turn)
    asked = [by_name[str(one.agent.id)] for one in standing if before[one.agent.id].asked]
    now = expected(asked, error_max, person)
    names = [name for name, _ in best.stages]
    if best.cost_micro > now.cost_micro * (1 - SAVES):
        # no other order is worth the change: the same agents, without those who decide nothing
        best, names = now, [name for name, _ in now.stages]
    rows = []
    last = len(names)
    for stand in stands:
        name = str(stand.agent.id)
        if name not in by_name:
            rows.append(_row(before, stand, 1000 + stand.agent.place, "many", {}))
            continue
        figures = _figures(by_name[name], best, measured, error_max, person)
        if name in names:
            rows.append(_row(before, stand, names.index(name), "decides", figures))
        else:
            reason: Reason = "nobody" if not names else _why(by_name[name], figures)
            reason = "duel" if stand.duel and reason != "nobody" else reason
            turn = stand.agent.place if reason == "nobody" else last + stand.agent.place
            rows.append(_row(before, stand, turn, reason, figures))
    return rows


def _row(
    before: dict[int, TurnRow],
    stand: Stand,
    turn: int,
    reason: Reason,
    figures: dict[str, float],
) -> TurnRow:
    asked = reason in ("decides", "nobody", "duel", "many")
    return structs.replace(
        before[stand.agent.id], turn=turn, asked=asked, reason=reason, figures=figures
    )


def _figures(
    one: Measured, best: Arrangement, measured: Sequence[Measured], error_max: float, person: int
) -> dict[str, float]:
    """What an agent decides where it stands; where it has no stage, what it would as the last."""
    names = [name for name, _ in best.stages]
    by_name = {each.name: each for each in measured}
    place = names.index(one.name) if one.name in names else len(names)
    before = expected([by_name[name] for name in names[:place]], error_max, person)
    upto = [by_name[name] for name in names[:place]] + [one]
    after = expected(upto, error_max, person)
    alone = expected([one], error_max, person)
    return {
        "items": len(one.right),
        "cost_micro": round(one.cost_micro, 3),
        "person_micro": person,
        "decides": round(after.decided - before.decided, 4),
        "alone": round(alone.decided, 4),
        "error": round(after.error, 4),
        "item_micro": round(best.cost_micro, 1),
        "item_micro_with": round(after.cost_micro, 1),
    }


def _why(one: Measured, figures: dict[str, float]) -> Reason:
    if figures["decides"] > 0:
        return "costs"
    return "repeats" if figures["alone"] > 0 else "errs"
