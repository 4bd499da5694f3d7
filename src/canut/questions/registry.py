"""Which question types are installed: the entry points of the group `canut.question_types`.

Only the metadata is read until a type is used, so that a plug-in which cannot be imported
harms nobody who does not use it.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

from canut.errors import Invalid, Problem, Unavailable
from canut.questions.base import Question, QuestionType

GROUP = "canut.question_types"


@cache
def _installed() -> dict[str, EntryPoint]:
    installed: dict[str, EntryPoint] = {}
    for point in sorted(entry_points(group=GROUP)):
        # our own types keep their names: a plug-in adds types, it does not replace them
        if point.name not in installed or point.value.startswith("canut.questions."):
            installed[point.name] = point
    return installed


def question_types() -> list[str]:
    """Names of the installed question types, sorted."""
    return list(_installed())


@cache
def question_type(name: str) -> QuestionType:
    """The question type of this name.

    Raises `Invalid` (naming the field "question.type") where there is none, and `Unavailable`
    where its package is broken.
    """
    point = _installed().get(name)
    if point is None:
        known = ", ".join(question_types())
        near = get_close_matches(name, question_types(), 1)
        mend = f"did you mean {near[0]!r}? " if near else ""
        problem = Problem(
            message=f"there is no question type {name!r}",
            mend=f"{mend}known are: {known}",
            field="question.type",
        )
        raise Invalid("This question cannot be used.", problems=[problem])
    try:
        return cast(QuestionType, point.load())
    except (ImportError, AttributeError) as error:
        package = point.dist.name if point.dist else point.module
        raise Unavailable(
            f"The question type {name!r} of the package {package} cannot be loaded: {error}",
            mend="reinstall the package, or take it off",
        ) from error


def load_question(definition: Mapping[str, Any]) -> Question:
    """Read a `[step.question]` table by the type it names; raises `Invalid`."""
    name = definition.get("type") if isinstance(definition, Mapping) else None
    if not isinstance(name, str):
        problem = Problem(
            message="is missing" if name is None else "must be a text",
            mend=f"write one of: {', '.join(question_types())}",
            field="question.type",
        )
        raise Invalid("This question cannot be used.", problems=[problem])
    return question_type(name).load(definition)
