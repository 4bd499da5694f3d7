"""Where an agent stands: licence, accuracy over coverage, what a right answer costs."""

from msgspec import Struct

from canut.agents import store
from canut.agents.arena import store as store_duels
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


class Standing(Struct, frozen=True):
    """Everything a person is shown of an agent."""

    agent: AgentAtWork
    champion: VersionAtWork | None
    challenger: VersionAtWork | None
    licence: Licence | None
    curve: list[Point]
    costs: list[Cost]
    events: list[AgentEvent]


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
