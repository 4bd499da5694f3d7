"""What a panel says, and when one more of it is asked: pure rules over blind answers.

Nothing here knows the delivered value. Were more people asked where the panel contradicts it (or
where it agrees), errors would be found less often (or more) than they are, and no bound computed
from the outcomes would be true. `compare` alone sees both, once the panel has settled.
"""

from collections.abc import Sequence
from enum import Enum
from typing import Any

import numpy as np
from msgspec import Struct

from canut.questions.base import Answers, Question, Track
from canut.questions.record import Record
from canut.questions.scale import Scale
from canut.questions.text import Text


class Next(Enum):
    """What becomes of a panel."""

    WAIT = "wait"
    ASK = "ask"
    SETTLE = "settle"


class Verdict(Struct, frozen=True):
    """What the answers of a panel come to."""

    value: Any
    #: all of them stand behind it
    unanimous: bool
    #: more than half of them do; of a record, behind each field
    resolved: bool


def compare(question: Question, left: Any, right: Any) -> bool:
    """Whether two normalised answers are the same answer.

    A record is, where every field is; a text, where its edit distance is within the question's
    tolerance; a point of a scale, where it is within the tolerance in points. All else must agree
    completely, which for a number means within its tolerance.
    """
    if isinstance(question, Record):
        return all(
            (field.name in left) == (field.name in right)
            and (
                field.name not in left
                or compare(field.question, left[field.name], right[field.name])
            )
            for field in question.fields
        )
    return question.agree(left, right) >= agree_min(question) - 1e-9


def agree_min(question: Question) -> float:
    """How far two answers must agree to be the same (of a record, the least of its fields)."""
    if isinstance(question, Record):
        return min((agree_min(field.question) for field in question.fields), default=1.0)
    if isinstance(question, Text):
        return 1.0 - question.tolerance
    if isinstance(question, Scale):
        return 1.0 - question.tolerance / (question.max - question.min)
    return 1.0


def by_field(question: Question) -> bool:
    """Whether an answer is the same only where each of its fields is."""
    return isinstance(question, Record)


def verdicts(question: Question, panels: Sequence[Sequence[Any]]) -> list[Verdict]:
    """What each panel says, from its answers alone: everybody counts the same, whatever their
    record. Each has an answer at least."""
    sizes = [len(values) for values in panels]
    answers = Answers(
        task=np.repeat(np.arange(len(panels), dtype=np.int32), sizes),
        # strangers to each other: nobody's answers in one panel say anything about another
        contributor=np.arange(sum(sizes), dtype=np.int32),
        value=[value for values in panels for value in values],
        n_tasks=len(panels),
    )
    nobody = np.zeros(sum(sizes))
    found = question.aggregate(answers, Track(right=nobody, judged=nobody)).value
    return [
        Verdict(
            value,
            unanimous=all(compare(question, given, value) for given in values),
            resolved=backed(question, value, values),
        )
        for value, values in zip(found, panels, strict=True)
    ]


def backed(question: Question, value: Any, values: Sequence[Any]) -> bool:
    """Whether more than half of the answers are the same as `value`, of a record field by field."""
    if not isinstance(question, Record):
        return 2 * sum(compare(question, given, value) for given in values) > len(values)
    return all(
        2 * sum(_same_field(field.question, field.name, given, value) for given in values)
        > len(values)
        for field in question.fields
    )


def _same_field(question: Question, name: str, left: Any, right: Any) -> bool:
    if name not in left or name not in right:
        return (name in left) == (name in right)
    return compare(question, left[name], right[name])


def next_of(verdict: Verdict | None, answers: int, wanted: int, people: int, most: int) -> Next:
    """Wait while answers are out; settle a first round of `people` that is unanimous; else ask one
    more, until more than half stand behind one value, or `most` have answered."""
    if answers < wanted or verdict is None:
        return Next.WAIT
    if verdict.unanimous or answers >= most or (answers > people and verdict.resolved):
        return Next.SETTLE
    return Next.ASK
