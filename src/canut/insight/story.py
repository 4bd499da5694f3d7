"""The story of an item: every step, what was decided, why, and what came of disputes.

story = read_story(conn, who, batch_id, "A1")        # for the client
own = own_answer(conn, names, contributor_id, task)  # for who gave an answer
"""

import hashlib
from typing import Any

import msgspec

from canut.db.pool import SyncConn
from canut.errors import NotFound
from canut.insight import store_story as store
from canut.insight.explain import explain
from canut.insight.story_model import Chapter, Facts, OwnAnswer, Story
from canut.people.model import Principal
from canut.processes.model import ItemShape
from canut.quality.beliefs.held import standing
from canut.quality.beliefs.model import StepPlace
from canut.work import store as work_store
from canut.work.model import LoadedStep, TaskRef
from canut.work.names import STEP_BITS, TaskNames

#: of 256: the decisions that contributors are never shown
KEPT_BACK = 64


def read_story(conn: SyncConn, who: Principal, batch_id: int, key: str) -> Story:
    """The story of the client's item `key`. Raises `NotFound` for what is not theirs to see."""
    found = store.item(conn, batch_id, key)
    if found is None or not who.sees(found["client_id"]):
        raise NotFound("There is no such item, or it is not yours to see.")
    facts = store.facts(conn, batch_id, found["item_id"])
    shape = msgspec.convert(found["shape"], ItemShape)
    return Story(
        batch_id=batch_id,
        client_id=found["client_id"],
        batch_name=found["batch_name"],
        process_slug=found["process_slug"],
        key=key,
        item=found["payload"],
        fields=shape.fields,
        chapters=tuple(_chapter(conn, one) for one in facts),
    )


def own_answer(conn: SyncConn, names: TaskNames, contributor_id: int, task: str) -> OwnAnswer:
    """What became of an answer that this contributor gave, by the task's name.

    Some decisions are never shown, drawn by a lot that nobody outside can know; nor are those of
    checks. So a task without a decision says nothing of its kind. Raises `Invalid` for what is no
    task, `NotFound` for one that the contributor did not answer.
    """
    ref = names.read(task)
    found = store.own(conn, ref.task_id, contributor_id)
    if found is None or found["batch_step_id"] != ref.batch_step_id:
        raise NotFound("You gave no answer to this task.", mend="use the name the claim gave")
    question = _step(conn, ref.batch_step_id).question
    decision = None if kept_back(names, ref) else found["decision"]
    agreement = None if decision is None else question.agree(found["value"], decision.value)
    return OwnAnswer(
        question=question,
        value=found["value"],
        submitted_ms=found["submitted_ms"],
        decision=decision,
        agreement=agreement,
        target=found["target"],
    )


def kept_back(names: TaskNames, ref: TaskRef) -> bool:
    """Whether the decision of a task is never shown to who answered it: by the task's name at a
    step that no database reaches, which only who has the key can compute."""
    lot = names.name(TaskRef((1 << STEP_BITS) - 1, ref.task_id))
    return hashlib.sha256(lot.encode()).digest()[0] < KEPT_BACK


def _chapter(conn: SyncConn, facts: Facts) -> Chapter:
    step = _step(conn, facts.batch_step_id)
    if not facts.versions:
        return Chapter(facts, step.question, None)
    place = StepPlace(facts.process_id, facts.slug)
    contributors = sorted({one.contributor for one in facts.spoken})
    known = standing(conn, place, step.question, contributors)
    return Chapter(facts, step.question, explain(facts, step.question, known, contributors))


def _step(conn: SyncConn, batch_step_id: int) -> LoadedStep:
    found: Any = work_store.read_step_sync(conn, batch_step_id)
    assert isinstance(found, LoadedStep)
    return found
