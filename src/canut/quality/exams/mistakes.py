"""Kinds of mistakes: what to learn from an exam without learning its answers.

A kind is told only where it was made often enough, in an exam long enough, that it does not say
which answer was wrong.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from canut.processes.model import LOCALES
from canut.quality.exams.values import Mistakes
from canut.quality.model import RIGHT_FROM
from canut.questions.base import HasOptions, Localised, Question

#: a kind of mistake is told when it was made so often, and so many answers were given
COUNT_MIN = 3
ANSWERED_MIN = 10
#: kinds told, the most frequent first
KINDS_MAX = 5


def mistakes(question: Question, wrong: Sequence[tuple[Any, Any]], answered: int) -> list[Mistakes]:
    """The kinds of these wrong answers, as (given, right), of so many answers in all."""
    if answered < ANSWERED_MIN or len(wrong) < COUNT_MIN:
        return []
    groups = _groups(question)
    about: dict[tuple[str, str], Localised] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for given, right in wrong:
        found = {(kind, str(text)): text for kind, text in _kinds(question, given, right, groups)}
        about.update(found)
        counts.update(found.keys())
    told = [(key, count) for key, count in counts.most_common(KINDS_MAX) if count >= COUNT_MIN]
    return [Mistakes(key[0], about[key], count) for key, count in told]


def _kinds(
    question: Question, given: Any, right: Any, groups: Mapping[Any, Localised]
) -> Iterator[tuple[str, Localised]]:
    """The kinds of one wrong answer."""
    fields = getattr(question, "fields", ())
    if fields and isinstance(given, dict) and isinstance(right, dict):
        for field in fields:
            if not _same(field.question, given.get(field.name), right.get(field.name)):
                yield "field", field.question.title
    elif isinstance(given, int | float) and isinstance(right, int | float):
        yield ("too_high" if given > right else "too_low"), ""
    elif isinstance(given, list) and isinstance(right, list):
        if any(one not in given for one in right):
            yield "left_out", ""
        if any(one not in right for one in given):
            yield "too_many", ""
    elif isinstance(given, str) and given in groups:
        yield "group", groups[given]


def _same(question: Question, given: Any, right: Any) -> bool:
    if given is None or right is None:
        return given is right
    return question.agree(given, right) >= RIGHT_FROM


def _groups(question: Question) -> dict[Any, Localised]:
    """Option -> label of the outermost group it belongs to, in every language; empty where options
    have no groups, for then a kind would be an answer."""
    if not isinstance(question, HasOptions):
        return {}
    found: dict[Any, dict[str, str]] = {}
    for locale in LOCALES:
        for option in question.options(locale):
            if option["path"]:
                found.setdefault(option["value"], {})[locale] = option["path"][0]
    return dict(found)
