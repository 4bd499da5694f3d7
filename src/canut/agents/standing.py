"""Where an agent stands: licence, accuracy over coverage, what a right answer costs; whether its
work seems to change, when it is asked and why, how far it is as a canary, and whether its model
ends."""

import time

import msgspec
from msgspec import Struct

from canut.agents import store
from canut.agents.arena import store as store_duels
from canut.agents.arena import store_calendar, store_order, store_watch
from canut.agents.arena.canary import Canary, canary
from canut.agents.arena.drift import CALM, REFERENCE, Signal, Step
from canut.agents.arena.order import Reason
from canut.agents.arena.store_calendar import Ending
from canut.agents.llm import store as store_llm
from canut.agents.llm.store import Spend
from canut.agents.running.model import AgentAtWork, AgentEvent, VersionAtWork
from canut.db.pool import SyncConn
from canut.quality.model import Licence

#: points of a curve
POINTS = 20


class Point(Struct, frozen=True):
    """What an agent would do above a confidence, by its blind answers."""

    #: at or above it
    confidence: float
    #: share of the work
    coverage: float
    #: share of these answers that is right
    accuracy: float
    answers: int


class Cost(Struct, frozen=True):
    """What a version's answers cost."""

    currency: str
    predictions: int
    cost_micro: int
    #: of one right answer, in micro-units; None while its accuracy is not known
    right_micro: float | None
    #: of waiting for one prediction
    latency_ms: float


class SeenAlarm(Struct, frozen=True):
    """A signal that has changed, and when that was noticed."""

    signal: Signal
    #: which answer (JSON), for `class`
    name: str
    #: mean before and since, from 0 to 1
    before: float
    after: float
    at_ms: int


class DriftState(Struct, frozen=True):
    """How careful an engine is with an agent just now, and why."""

    #: the version that is watched
    version_id: int
    #: the last step that was taken: "steady" where nothing was
    step: Step
    #: since when
    step_ms: int
    #: when the first alarm of this episode was raised; None: none was
    alarmed_ms: int | None
    #: the newest last
    alarms: list[SeenAlarm]
    #: items and blind answers of this version that were looked at
    items: int
    audits: int
    #: items without an alarm until the last step is taken back; 0 while steady
    calm_in: int
    #: the first items, which say what is usual, are not all in
    learning: bool
    #: a lesson that is owed
    lesson: str | None
    #: from which confidence on it decides alone, and how much people answer blind, in millionths
    threshold: float | None
    stream_ppm: int


class Turn(Struct, frozen=True):
    """When an agent is asked at its step, and why."""

    agent_id: int
    name: str
    #: from 1; who is not asked comes last
    place: int
    asked: bool
    reason: Reason
    #: of it (or would be, as the last one): share decided alone; share it could decide were it the
    #: only one; share of wrong ones in the cascade; cost of asking it, and of an item of the
    #: cascade, people included, in micro-units; over `items` tasks
    figures: dict[str, float]
    #: 0: not measured yet
    measured_ms: int


class Standing(Struct, frozen=True):
    """Everything a person is shown of an agent."""

    agent: AgentAtWork
    champion: VersionAtWork | None
    challenger: VersionAtWork | None
    licence: Licence | None
    curve: list[Point]
    costs: list[Cost]
    events: list[AgentEvent]
    drift: DriftState | None
    turn: Turn | None
    canary: Canary | None
    ending: Ending | None
    #: what calls of its language model cost ever, this month and today; empty for others
    spent: list[Spend] = []


def drift_state(conn: SyncConn, agent: AgentAtWork) -> DriftState | None:
    """What the watch over an agent has seen and done; None where it has not looked yet."""
    row = store_watch.of_agent(conn, agent.id)
    if row is None:
        return None
    licence = store_duels.open_licence(conn, agent)
    return DriftState(
        row.version_id,
        row.step,
        row.step_ms,
        row.alarmed_ms,
        msgspec.convert(row.alarms, list[SeenAlarm]),
        row.seen,
        row.audits,
        0 if row.step == "steady" else max(0, CALM - row.since),
        row.seen < REFERENCE,
        row.lesson,
        licence.threshold if licence else None,
        licence.stream_ppm if licence else 0,
    )


def cascade_order(conn: SyncConn, process_id: int, step_slug: str) -> list[Turn]:
    """The agents of a step in the order in which they are asked, each with the reason."""
    names = {one.id: one.name for one in store.at_step(conn, process_id, step_slug)}
    rows = store_order.turns(conn, process_id, step_slug)
    ranked = sorted(rows, key=lambda row: not row.asked)
    return [
        Turn(
            row.agent_id,
            names[row.agent_id],
            place,
            row.asked,
            msgspec.convert(row.reason, Reason),
            {key: float(value) for key, value in row.figures.items()},
            row.measured_ms,
        )
        for place, row in enumerate(ranked, start=1)
    ]


def canary_state(conn: SyncConn, agent: AgentAtWork) -> Canary | None:
    """How far an agent is whose version took over; None where it decides all it may."""
    return canary(conn, agent, store_duels.open_licence(conn, agent))


def calendar_warnings(conn: SyncConn) -> list[Ending]:
    """Agents whose model ends, the most pressing first: what is due, done, or missing."""
    return store_calendar.endings(conn)


def standing(conn: SyncConn, agent: AgentAtWork) -> Standing:
    """How an agent does, from blind answers to what its champion said."""
    versions = store.open_versions(conn, agent.id)
    champion = versions.get("champion")
    outcomes = store_duels.outcomes(conn, agent.id, champion.hash) if champion else []
    return Standing(
        agent,
        champion,
        versions.get("challenger"),
        store_duels.open_licence(conn, agent),
        curve(outcomes),
        _costs(conn, agent, champion, outcomes),
        store.events(conn, agent.id),
        drift_state(conn, agent),
        next(
            (
                one
                for one in cascade_order(conn, agent.process_id, agent.step_slug)
                if one.agent_id == agent.id
            ),
            None,
        ),
        canary_state(conn, agent),
        next((one for one in calendar_warnings(conn) if one.agent_id == agent.id), None),
        store_llm.spent(conn, agent.id, time.time_ns() // 1_000_000),
    )


def curve(outcomes: list[tuple[float, bool]], points: int = POINTS) -> list[Point]:
    """Accuracy over coverage, of (confidence, wrong); equal confidences stand together."""
    ranked = sorted(outcomes, key=lambda one: -one[0])
    found: list[Point] = []
    wrong = 0
    step = max(1, len(ranked) // points)
    for place, (sure, bad) in enumerate(ranked, start=1):
        wrong += bad
        last = place == len(ranked)
        if (last or ranked[place][0] < sure) and (
            last or not found or place - found[-1].answers >= step
        ):
            found.append(Point(sure, place / len(ranked), 1 - wrong / place, place))
    return found


def _costs(
    conn: SyncConn,
    agent: AgentAtWork,
    champion: VersionAtWork | None,
    outcomes: list[tuple[float, bool]],
) -> list[Cost]:
    if champion is None:
        return []
    right = sum(not wrong for _, wrong in outcomes) / len(outcomes) if outcomes else 0.0
    found = []
    for row in store_duels.costs(conn, agent.id):
        if row.version_id == champion.id and row.predictions:
            good = row.answered * right
            each = row.cost_micro / good if good else None
            waited = row.latency_ms / row.predictions
            found.append(Cost(row.currency, row.predictions, row.cost_micro, each, waited))
    return found
