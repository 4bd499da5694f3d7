"""The fields of a record: when they are asked for, and what answers to them say together."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from canut.questions.base import Answers, Beliefs, Question, Track
from canut.truth.categorical import naive_bayes
from canut.truth.votes import Float64, Votes

Mask = NDArray[np.bool_]


class Condition(Struct, frozen=True):
    """A field is asked for where an earlier field has one of some values."""

    field: str
    values: list[Any]

    def holds(self, record: Mapping[str, Any]) -> bool:
        """Whether the field is asked for, given the fields before it."""
        value = record.get(self.field)
        picked = value if isinstance(value, list) else [value]
        return any(one in self.values for one in picked)

    def schema(self) -> dict[str, Any]:
        """The same as JSON Schema: for a plain value, and for one of several that are picked."""
        value = {"enum": self.values}
        several = {"type": "array", "contains": value}
        return {"properties": {self.field: {"anyOf": [value, several]}}, "required": [self.field]}


class Field(Struct, frozen=True):
    """One field of a record."""

    name: str
    question: Question
    #: whether every answer must have it
    required: bool
    #: where it is asked for, and then required; None for always
    when: Condition | None


class FieldBelief(Struct, frozen=True):
    """What the answers say of one field."""

    #: value of each task, None where the field is (believed to be) left out
    value: Sequence[Any]
    #: probability that this is right, float64 (n_tasks,)
    confidence: Float64
    #: tasks it counts in, bool (n_tasks,)
    counts: Mask
    #: how far each answer agrees, float64 (n,)
    agreement: Float64
    #: answers that have something to say about it, bool (n,)
    said: Mask


def is_empty(raw: Any) -> bool:
    """Whether a raw answer says nothing: null, blank, an empty list, or an object of these."""
    if isinstance(raw, str):
        return not raw.strip()
    if isinstance(raw, Mapping):
        return all(is_empty(value) for value in raw.values())
    return raw is None or (isinstance(raw, list | tuple) and not raw)


def aggregate_fields(fields: Sequence[Field], answers: Answers, track: Track) -> Beliefs:
    """Aggregate each field by its own question, and put the records together again.

    The confidence of a record is that of its least sure required field (of all its fields where
    none is required). Not the product: fields of an item share its difficulty and its readers,
    so their errors come together; and a target then means the same for two fields as for
    twenty, where a product would make long records ask for ever. Whether an optional field is
    left out is a yes-or-no question of its own. A field with a condition counts where the
    decided value of the other field meets it, and only answers that met it speak about it.
    """
    n_tasks = answers.n_tasks
    answered = np.bincount(answers.task, minlength=n_tasks) > 0
    records: list[dict[str, Any]] = [{} for _ in range(n_tasks)]
    required = np.full(n_tasks, np.inf)
    overall = np.full(n_tasks, np.inf)
    agreed = np.zeros(len(answers.task))
    said = np.zeros(len(answers.task))
    for field in fields:
        belief = _field_belief(field, answers, track, answered, records)
        for record, value in zip(records, belief.value, strict=True):
            if value is not None:
                record[field.name] = value
        counted = np.where(belief.counts, belief.confidence, np.inf)
        overall = np.minimum(overall, counted)
        if field.required or field.when:
            required = np.minimum(required, counted)
        agreed += np.where(belief.said, belief.agreement, 0.0)
        said += belief.said
    confidence = np.where(np.isfinite(required), required, overall)
    return Beliefs(
        value=[record if there else None for record, there in zip(records, answered, strict=True)],
        confidence=np.where(answered & np.isfinite(confidence), confidence, 0.0),
        agreement=agreed / np.maximum(said, 1),
    )


def _field_belief(
    field: Field, answers: Answers, track: Track, answered: Mask, records: list[dict[str, Any]]
) -> FieldBelief:
    has = np.fromiter((field.name in value for value in answers.value), bool, len(answers.value))
    if not (field.required or field.when):
        return _optional_belief(field, answers, track, answered, has)
    counts = answered
    if field.when:
        holds = np.fromiter((field.when.holds(record) for record in records), bool, len(records))
        counts = answered & holds
    said = has & counts[answers.task]
    belief = _aggregate_where(field, answers, track, said)
    agreement = np.zeros(len(has))
    agreement[said] = belief.agreement
    return FieldBelief(belief.value, belief.confidence, counts, agreement, said)


def _optional_belief(
    field: Field, answers: Answers, track: Track, answered: Mask, has: Mask
) -> FieldBelief:
    """First whether the field has an answer at all, then which."""
    votes = Votes(
        answers.task,
        answers.contributor,
        has.astype(np.int32),
        answers.n_tasks,
        len(track.right),
        2,
    )
    presence = naive_bayes(votes, track.right, track.judged)
    present = presence.best == 1
    belief = _aggregate_where(field, answers, track, has)
    agreement = presence.of_votes().copy()
    agreement[has] *= belief.agreement
    return FieldBelief(
        value=[
            value if there else None for value, there in zip(belief.value, present, strict=True)
        ],
        confidence=presence.confidence * np.where(present, belief.confidence, 1.0),
        counts=answered,
        agreement=agreement,
        said=np.ones(len(has), bool),
    )


def _aggregate_where(field: Field, answers: Answers, track: Track, rows: Mask) -> Beliefs:
    """The field's own question, asked of the answers in `rows`."""
    kept = np.flatnonzero(rows)
    values = [answers.value[i][field.name] for i in kept.tolist()]
    return field.question.aggregate(
        Answers(answers.task[kept], answers.contributor[kept], values, answers.n_tasks), track
    )
