"""The values of a process: what is handed over, and what each step asks about it.

A `ProcessDefinition` is self-contained: taxonomies and instructions are inlined, so that the
JSON in the database says everything a running batch needs, whatever happens to the folder it
was read from. Every value is written out, defaults too, so that a later default never changes
what a version means.
"""

import hashlib
from typing import Any, Literal

import msgspec
from msgspec import Struct

from canut.questions.base import Localised

#: the languages everything we ship is written in; a missing one is a warning
LOCALES = ("en", "fr")

#: the client's own key of an item; a column of every file, never a field of the payload
REFERENCE = "reference"

#: `Promise.slices` where the group of the agent's answer parts its licence
BY_ANSWER = "answer"

FieldType = Literal["text", "number", "url", "image", "boolean"]


class ItemField(Struct, frozen=True):
    """One value an item carries."""

    #: key in the payload, column in a file
    name: str
    #: heading for people
    title: Localised
    type: FieldType = "text"
    #: an item without it is refused at intake
    required: bool = False
    #: personal data: never shown to contributors, nor sent to agents
    personal: bool = False
    #: shown to the contributor beside the question
    show: bool = True
    #: longest text accepted, in characters
    length_max: int = 20_000


class ItemShape(Struct, frozen=True):
    """What one item of a process looks like."""

    fields: tuple[ItemField, ...]
    #: other columns are kept and exported; False refuses them
    extra: bool = True


class Promise(Struct, frozen=True):
    """What a step promises about its decisions, and what it spends on proving it."""

    #: the share of wrong decisions is at most this, inside (0, 1)
    error_max: float = 0.02
    #: the chance that a certificate is false is at most this, inside (0, 1)
    delta: float = 0.05
    #: audits of a batch, at most: so many, and this share of its decisions
    audits_max: int = 400
    audit_share: float = 0.1
    #: people who answer an audit; where they differ one more is asked, up to twice as many
    panel: int = 2
    #: skill an auditor must have; empty: `expert_skill`, or what the step asks of everybody
    audit_skill: str = ""
    #: share of tasks that are gold, for contributors the step knows well; strangers get more
    gold_share: float = 0.05
    #: share of what is decided under a licence that people answer too, blind, for ever
    stream_share: float = 0.03
    #: what parts an agent's licence: a field of the item, `BY_ANSWER`, or empty for one part
    slices: str = ""
    #: parts of a licence, at most; what is rarer is one part together
    slices_max: int = 8


class StepDefinition(Struct, frozen=True):
    """One question asked about each item, and how many answers settle it."""

    slug: str
    title: Localised
    #: the `[step.question]` table, taxonomy inlined, for `canut.questions.registry`
    question: dict[str, Any]
    #: Markdown by language
    instructions: dict[str, str]
    #: answers asked for before a decision is thought of, at least 1
    min_answers: int = 2
    #: answers after which a task without a decision goes to an expert
    max_answers: int = 5
    #: belief at which a task is decided, between 0 and 1
    target_confidence: float = 0.9
    #: how long a claim holds, in seconds
    lease_s: int = 600
    #: skills a contributor must have to claim
    skills: tuple[str, ...] = ()
    #: whether a contributor must hold a licence for this step to claim
    licence: bool = False
    #: share of right answers that the exam for the licence proves
    exam: float = 0.7
    #: skill of the experts who settle what others disagree on; empty: nobody is called, the best
    #: belief stands when the answers are spent, and says so
    expert_skill: str = ""
    promise: Promise = Promise()
    #: the `[[step.checks]]` tables, what must hold of an agent's answer (`processes.checks`)
    checks: tuple[dict[str, Any], ...] = ()
    #: names of the fields that the question is about: they stand out on the contributor's screen
    about: tuple[str, ...] = ()


class ProcessDefinition(Struct, frozen=True):
    """A process: what is outsourced."""

    #: name in addresses and commands, such as "catalogue/categorise"
    slug: str
    title: Localised
    description: Localised
    item: ItemShape
    steps: tuple[StepDefinition, ...]

    def encode(self) -> bytes:
        """Canonical JSON: keys sorted, no spaces; equal definitions give equal bytes."""
        return msgspec.json.encode(msgspec.to_builtins(self), order="sorted")

    def content_hash(self) -> str:
        """SHA-256 of the canonical JSON, in hexadecimal (64 characters)."""
        return hashlib.sha256(self.encode()).hexdigest()

    def step(self, slug: str) -> StepDefinition | None:
        """The step of this slug, or None."""
        return next((step for step in self.steps if step.slug == slug), None)


def decode_definition(data: bytes | str) -> ProcessDefinition:
    """A definition from the JSON that `ProcessDefinition.encode` wrote."""
    return msgspec.json.decode(data, type=ProcessDefinition)
