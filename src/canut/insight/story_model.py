"""The values of an item's story: what was decided about it, step by step, and on what."""

from typing import Any, Literal

from msgspec import Struct

from canut.processes.model import ItemField
from canut.quality.beliefs.model import Bin
from canut.questions.base import Localised, Question

Method = Literal["answers", "expert", "exhausted", "licence", "panel"]


class Spoken(Struct, frozen=True):
    """An answer to a task, or to the task that its panel answered, as the database has it."""

    contributor: int
    kind: Literal["person", "agent"]
    family: str | None
    simulated: bool
    value: Any
    expert: bool
    #: given to the panel of a dispute or an audit, not to the task itself
    panel: bool


class Version(Struct, frozen=True):
    """What was decided, at one time."""

    value: Any
    confidence: float
    method: Method
    n_answers: int
    #: `canut.work.evidence`, as JSON
    evidence: str
    decided_ms: int
    #: when it was overturned; None: it stands
    until_ms: int | None = None


class LicenceHeld(Struct, frozen=True):
    """The licence under which an agent decided alone."""

    contributor: int
    version: int
    threshold: float
    error_max: float
    delta: float
    #: `canut.quality.licences.thresholds.Finding`; None where it was not kept
    finding: dict[str, Any] | None = None
    #: how it was parted, as it is kept; None: it was not
    slices: dict[str, Any] | None = None
    #: what the item says in the field that parts it
    field: str = ""
    #: the slice of the decision; empty: everything that has none of its own
    slice_name: str = ""


class Contested(Struct, frozen=True):
    """A dispute about the decision."""

    id: int
    reason: str
    was: Any
    opened_ms: int
    outcome: Literal["upheld", "overturned", "unresolved"] | None
    settled_ms: int | None


class Failed(Struct, frozen=True):
    """A check of the step that an answer failed (`canut.agents.grounding.checks_run.Finding`)."""

    check: str
    field: str
    #: by language
    text: dict[str, str]


class HeldBack(Struct, frozen=True):
    """What an agent proposed, and may not say: it fails a check of the step."""

    family: str | None
    value: Any
    findings: tuple[Failed, ...]


class Predicted(Struct, frozen=True):
    """What an agent thought of the task, whether it answered or not."""

    family: str | None
    #: None: it could not tell
    value: Any
    #: how sure it said it was
    confidence: float
    #: answered: it is among the answers; checks: it fails a check of the step; beside: a challenger
    #: that is only tried; passed: it was not sure enough to answer, or somebody else did
    became: Literal["answered", "checks", "beside", "passed"]


class Facts(Struct, frozen=True):
    """All that one step's decision about an item rests on; read by one statement."""

    batch_step_id: int
    process_id: int
    slug: str
    title: Localised
    target: float
    max_answers: int
    #: of the step's task; None: the item is not there yet
    task_id: int | None
    escalated: bool
    #: the decision, before it those that were overturned, the newest last
    versions: tuple[Version, ...]
    spoken: tuple[Spoken, ...]
    licences: tuple[LicenceHeld, ...]
    disputes: tuple[Contested, ...]
    #: answers of agents that count for nothing
    held_back: tuple[HeldBack, ...] = ()
    #: one person was enough who said the same as an agent that people judge blind
    seconded: bool = False
    #: everything that agents thought, by time
    predictions: tuple[Predicted, ...] = ()


class Point(Struct, frozen=True):
    """What was believed after an answer."""

    #: the likeliest value then, and how likely it was
    value: Any
    belief: float
    #: whether that is the decision
    final: bool


class HeardAnswer(Struct, frozen=True):
    """An answer that was weighed, without who gave it."""

    #: A, B, ...: in the order of the answers, of this decision alone
    name: str
    kind: Literal["person", "agent"]
    family: str | None
    simulated: bool
    value: Any
    expert: bool
    #: how often its contributor was believed to be right at this step, then; None: not kept
    skill: float | None
    #: answers of theirs that could be judged at this step so far, now
    judged: int
    #: how much it counted, 0 to 1
    weight: float
    #: probability, after all answers, that it is right
    agreement: float
    #: how sure an agent said it was
    stated: float | None


class Course(Struct, frozen=True):
    """How the belief moved. `exact`: the same rule gives the numbers that were kept, to half a
    point. Else it is retraced with what is known of the contributors now, and ends at `ends`."""

    points: tuple[Point, ...]
    exact: bool
    ends: float


class Explanation(Struct, frozen=True):
    """Why something was decided."""

    decided: Version
    answers: tuple[HeardAnswer, ...]
    course: Course
    target: float
    #: the bin of the step's reliability diagram that the confidence falls in; None: not measured
    calibration: Bin | None
    #: of the agent that decided alone
    licence: LicenceHeld | None
    #: what was decided before and overturned, the newest last
    before: tuple[Version, ...]
    #: one person was enough who said the same as an agent that people judge blind
    seconded: bool = False


class Chapter(Struct, frozen=True):
    """A step of an item's story."""

    facts: Facts
    question: Question
    #: None while nothing is decided
    explanation: Explanation | None


class Story(Struct, frozen=True):
    """An item, and everything that was decided about it."""

    batch_id: int
    client_id: int
    batch_name: str
    process_slug: str
    key: str
    item: dict[str, Any]
    fields: tuple[ItemField, ...]
    chapters: tuple[Chapter, ...]


class OwnAnswer(Struct, frozen=True):
    """An answer of a contributor, and what became of it: nothing of anybody else."""

    question: Question
    value: Any
    submitted_ms: int
    #: None: not decided yet, or not shown
    decision: Version | None
    #: how far it agrees with the decision, by the rule of the question
    agreement: float | None
    target: float
