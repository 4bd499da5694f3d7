"""The values of gold."""

import hashlib
from typing import Any, Literal

import msgspec
from msgspec import Struct

from canut.processes.model import ItemShape, StepDefinition
from canut.questions.base import Localised, Question

#: why gold was retired. edited: what it came from says otherwise now; leaked, disputed: see
#: `canut.quality.gold.rules`; person: the reason is theirs
Cause = Literal["edited", "leaked", "disputed", "person"]
#: process: came with its definition; operator: a person entered it; expert: an item that experts
#: and contributors agreed on
Origin = Literal["process", "operator", "expert"]


class NewGold(Struct, frozen=True):
    """An item whose right answer is known, on its way in."""

    step_slug: str
    #: its name in the file or folder; may be empty
    reference: str
    #: the item, clean
    payload: dict[str, Any]
    #: the right answer, normalised
    value: Any
    #: the task whose decision it was
    of_task: int | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of payload and value, whatever the order of keys."""
        whole = msgspec.json.encode([self.payload, self.value], order="sorted")
        return hashlib.sha256(whole).hexdigest()


class Gold(Struct, frozen=True):
    """An item whose right answer is known, as those who keep it see it."""

    id: int
    process_id: int
    step_slug: str
    payload: dict[str, Any]
    value: Any
    origin: Origin
    reference: str
    state: Literal["active", "retired"]
    cause: Cause | None
    reason: str
    #: to how many contributors it was shown
    shown: int
    #: answers compared, and how many of them were right
    answered: int
    correct: int
    created_ms: int
    retired_ms: int | None


class GoldStep(Struct, frozen=True):
    """A step that has, or may have, gold; with its question, in the newest version."""

    process_id: int
    #: None: the library shared by all clients
    client_id: int | None
    process_slug: str
    version_id: int
    slug: str
    title: Localised
    definition: StepDefinition
    item: ItemShape
    question: Question


class PoolSize(Struct, frozen=True):
    """How much gold a step has."""

    process_id: int
    process_slug: str
    client_id: int | None
    title: Localised
    step_slug: str
    step_title: Localised
    active: int
    retired: int


class Proposal(Struct, frozen=True):
    """An item that an expert and contributors agreed on: gold, if a person accepts it."""

    task_id: int
    payload: dict[str, Any]
    value: Any
    #: contributors who had said the same before the expert did
    agreed: int


class Imported(Struct, frozen=True):
    """What became of gold that was handed in."""

    #: new, or back after it had been edited away
    added: int
    #: there already, active or retired
    known: int
    #: retired, because the same reference says something else now
    replaced: int
