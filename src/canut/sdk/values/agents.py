"""Agents at work: what each may decide and why, what it costs, and what goes on with it."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from canut.sdk.values.common import Id, Text, TimeMs
from canut.sdk.values.licences import Licence, StepSlug

Share = Annotated[float, Meta(description="From 0 to 1.")]
#: sentences by language
Words = dict[str, list[str]]


class AgentCost(Struct, frozen=True):
    """What the answers of the version at work cost, in millionths of a currency."""

    currency: str
    answers: int
    cost_micro: int
    right_micro: Annotated[
        float | None, Meta(description="Of one right answer; null while that is not known.")
    ]
    latency_ms: Annotated[float, Meta(description="Of waiting for one answer.")]


class AgentAtWork(Struct, frozen=True):
    """An agent at a step."""

    id: Id
    name: str
    type: Annotated[str, Meta(description="rules, learner, llm, or a plug-in's.")]
    process_id: Id
    process: Annotated[str, Meta(description="Name of the process.")]
    step: StepSlug
    title: Text
    step_title: Text
    state: Literal["active", "paused"]
    licence: Literal["none", "earning", "in_force"]
    decides: Annotated[Share, Meta(description="Of the work, alone, as it is licensed.")]
    costs: list[AgentCost]
    attention: Annotated[
        list[Literal["trouble", "drift", "ending"]],
        Meta(description="What somebody should look at: it cannot work, its work changes, its "
             "language model ends."),
    ]  # fmt: skip
    trouble: Annotated[str, Meta(description="Why it does nothing just now.")] = ""
    model: Annotated[str, Meta(description="Language model that it asks.")] = ""
    family: str | None = None
    challenged: Annotated[bool, Meta(description="A new version answers in its shadow.")] = False
    turn: Annotated[dict[str, str], Meta(description="When it is asked and why, by language.")] = {}


class AgentsAtWork(Struct, frozen=True):
    """All of them, by step, in the order in which they are asked."""

    agents: list[AgentAtWork]


class CurvePoint(Struct, frozen=True):
    """What an agent would do above a confidence, by its blind answers."""

    confidence: float
    coverage: Annotated[float, Meta(description="Share of the work at or above it.")]
    accuracy: Annotated[float, Meta(description="Share of these that is right.")]
    answers: int


class AgentDuel(Struct, frozen=True):
    """A challenger beside the version at work, on tasks that people decided blind."""

    champion: Annotated[int, Meta(description="Version at work.")]
    challenger: Annotated[int, Meta(description="Version in its shadow.")]
    pairs: int
    only_champion_wrong: int
    only_challenger_wrong: int
    better: Annotated[
        float, Meta(description="Evidence that the challenger is better; 20 decides.")
    ]
    worse: Annotated[float, Meta(description="Evidence that it is worse.")]
    verdict: Literal["promote", "drop", "continue"]
    why: str


class AgentAlarm(Struct, frozen=True):
    """A signal that has changed."""

    signal: Literal["input", "confidence", "none", "class", "audit"]
    name: Annotated[str, Meta(description="Which answer, for `class`.")]
    before: Share
    after: Share
    at_ms: TimeMs


class AgentDrift(Struct, frozen=True):
    """How careful the engine is with an agent just now, and why."""

    step: Literal["steady", "threshold", "people", "retrain", "challenge", "revoke"]
    since_ms: TimeMs
    items: int
    blind: int
    alarms: list[AgentAlarm]


class AgentLesson(Struct, frozen=True):
    """A version, and what it was taught."""

    version: int
    hash: str
    role: Literal["champion", "challenger", "replaced", "dropped"]
    since_ms: TimeMs
    examples: int
    right: Annotated[Share, Meta(description="Of examples held back; 0: none were.")]
    left_out: Annotated[
        dict[str, int], Meta(description="Decisions that it was not taught, by why.")
    ]
    why: Annotated[str, Meta(description="Why it ended.")] = ""


class AgentHappening(Struct, frozen=True):
    """Something that happened to an agent."""

    kind: str
    at_ms: TimeMs
    words: Annotated[Words, Meta(description="Title and figures, by language.")]


class AgentDetail(Struct, frozen=True):
    """Everything about one agent."""

    agent: AgentAtWork
    licence: Licence | None
    curve: list[CurvePoint]
    lessons: list[AgentLesson]
    happenings: list[AgentHappening]
    duel: AgentDuel | None = None
    drift: AgentDrift | None = None
    drift_words: Words = {}
    canary: Annotated[
        Share | None, Meta(description="It decides this share of its tasks, as a canary.")
    ] = None
    ending: Annotated[Words, Meta(description="When its language model ends, by language.")] = {}
    people_micro: Annotated[
        float | None,
        Meta(description="What a right decision by people costs here: an answer at what the step "
             "pays, with contributions and the fee; at 0.10 EUR where it pays nothing."),
    ] = None  # fmt: skip
    people_currency: Annotated[str | None, Meta(description="Of `people_micro`.")] = None


class EndAgent(Struct, frozen=True, forbid_unknown_fields=True):
    """Why an agent's work ends."""

    reason: Annotated[str, Meta(description="For whoever reads it.", min_length=1, max_length=500)]
