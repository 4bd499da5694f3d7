"""The values of the task loop."""

from typing import Any, Literal

from msgspec import Struct

from canut.processes.model import ItemShape, StepDefinition
from canut.questions.base import Question

#: what became of an answer that was handed in; see `submit_answers` in db/functions/submit.sql
Outcome = Literal["accepted", "conflict", "expired", "returned", "unknown"]

BatchState = Literal["running", "paused", "delivered", "cancelled"]


class TaskRef(Struct, frozen=True):
    """A task with its step: it leads to the question without asking the database. Contributors
    get its name (see `canut.work.names`)."""

    batch_step_id: int
    task_id: int


class ClaimedTask(Struct, frozen=True):
    """A task in a contributor's hands."""

    ref: TaskRef
    #: what its contributor calls it
    name: str
    step_id: int
    batch_id: int
    #: answers are taken until then, UTC
    deadline_ms: int
    #: others disagreed on it; this answer settles it
    expert: bool
    #: the item, as the process lets a contributor see it
    item: dict[str, Any]


class Given(Struct, frozen=True):
    """An answer as a contributor hands it in."""

    #: name of the task
    task: str
    #: raw, not checked yet
    value: Any
    #: how sure the contributor says it is, 0 to 1; people are not asked. Not a probability: it
    #: means something under a licence only
    confidence: float | None = None


class Submitted(Struct, frozen=True):
    """An answer on its way in: checked and in canonical form."""

    ref: TaskRef
    value: Any
    #: how sure the contributor says it is, 0 to 1; None: it does not say
    confidence: float | None = None


class LoadedStep(Struct, frozen=True):
    """A step of a batch with its question, ready for use. Immutable, so it may be kept."""

    batch_step_id: int
    batch_id: int
    step_id: int
    client_id: int
    process_id: int
    process_slug: str
    #: number of the process version
    version: int
    position: int
    definition: StepDefinition
    question: Question
    item: ItemShape

    def visible(self, payload: dict[str, Any]) -> dict[str, Any]:
        """What a contributor may see of an item: the fields shown, without personal data."""
        return {
            field.name: payload[field.name]
            for field in self.item.fields
            if field.show and not field.personal and field.name in payload
        }


#: tasks that wait for experts, counted for a list of batches: beyond, the list says so
EXPERT_COUNTED = 1000


class OpenBatch(Struct, frozen=True):
    """A batch as a contributor sees it before claiming."""

    batch_id: int
    name: str
    process_slug: str
    title: Any
    client_name: str
    #: tasks not decided yet; of few, those that this contributor may answer
    n_left: int
    #: escalated tasks that this contributor could settle, counted up to `EXPERT_COUNTED` a step
    n_expert: int

    @property
    def more_for_experts(self) -> bool:
        """Whether there are more than were counted."""
        return self.n_expert > EXPERT_COUNTED


class StepProgress(Struct, frozen=True):
    """How far a step of a batch is."""

    batch_step_id: int
    position: int
    slug: str
    title: Any
    open: bool
    n_tasks: int
    n_answers: int
    n_decided: int
    n_escalated: int


class Batch(Struct, frozen=True):
    """Items submitted together."""

    id: int
    client_id: int
    key: str
    name: str
    state: BatchState
    priority: int
    deadline_ms: int | None
    n_items: int
    created_ms: int
    delivered_ms: int | None
    process_slug: str
    #: number of the process version the batch runs on, for its whole life
    version: int
