"""The values of the operator's look at quality."""

from typing import Any, Literal

from msgspec import Struct

from canut.quality.beliefs.model import Calibration
from canut.quality.licences.store_acts import StepTitle

#: what an operator must look at, the most urgent first: flagged (blind evidence speaks against a
#: person's licence), unmanned (audits wait, and nobody may answer them), revoked (evidence ended an
#: agent's licence), narrowed (errors seem to become more), gold (gold leaked or was disputed),
#: waiting (audits wait for qualified people), alike (contributors give the same wrong answers),
#: miscalibrated (confidences cannot be taken at their word)
Kind = Literal[
    "flagged", "unmanned", "revoked", "narrowed", "gold", "waiting", "alike", "miscalibrated"
]
URGENCY: tuple[Kind, ...] = (
    "flagged",
    "unmanned",
    "revoked",
    "narrowed",
    "gold",
    "waiting",
    "alike",
    "miscalibrated",
)
#: gold or audited answers that a diagram needs before it is worth looking at
MEASURED_MIN = 30
#: an expected calibration error above this is worth a look
ERROR_MAX = 0.1
#: what happened within so many days is told
LATELY_DAYS = 30


class Attention(Struct, frozen=True):
    """Something to look at."""

    kind: Kind
    count: int


class Counts(Struct, frozen=True):
    """What is counted at a step."""

    process_id: int
    step_slug: str
    #: people's licences in force, and those of them that are flagged
    people: int = 0
    flagged: int = 0
    #: agents who decide alone, and those who earn a licence
    agents: int = 0
    earning: int = 0
    #: agents' licences that evidence ended lately: wholly, or to a higher threshold
    revoked: int = 0
    narrowed: int = 0
    #: pairs of contributors who give the same wrong answers
    alike: int = 0
    #: gold in use, answers to it, and those that were right
    gold: int = 0
    gold_answers: int = 0
    gold_right: int = 0
    #: gold retired lately because it leaked, or good contributors disagree with it
    gold_bad: int = 0
    #: audited decisions that a panel settled
    audited: int = 0
    parameters: dict[str, Any] | None = None


class AuditsOf(Struct, frozen=True):
    """Audits that wait at a batch of a step."""

    process_id: int
    step_slug: str
    batch_id: int
    panels: int
    #: answers that nobody has claimed
    answers: int
    since_ms: int
    #: people who could give one
    qualified: int


class StepQuality(Struct, frozen=True):
    """How a step does."""

    title: StepTitle
    counts: Counts
    calibration: Calibration
    audits: list[AuditsOf]
    #: the most urgent first
    attention: list[Attention]

    @property
    def measured(self) -> bool:
        """Whether there is enough to tell how far confidences can be taken at their word."""
        return self.calibration.n >= MEASURED_MIN


class Alike(Struct, frozen=True):
    """Two contributors who gave the same wrong answers oftener than chance."""

    one: int
    other: int
    one_name: str
    other_name: str
    #: tasks both answered
    common: int
    #: the same answers to them that are believed to be wrong, and how many chance would give
    same_wrong: float
    chance: float
    #: that any of all pairs has as many by chance
    p_value: float
    found_ms: int


class Ended(Struct, frozen=True):
    """An agent's licence that evidence ended."""

    id: int
    name: str
    reason: str
    ended_ms: int
