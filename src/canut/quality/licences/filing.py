"""Which slice of its agent's licence an answer belongs to: known before anybody decides."""

from collections.abc import Sequence
from typing import Any

from canut.db.pool import SyncConn
from canut.processes.model import BY_ANSWER
from canut.quality.licences import store_blind
from canut.quality.model import Licence
from canut.questions.base import HasGroups, Question

#: (task, contributor) -> what that answer says of its slice
Names = dict[tuple[int, int], str]


def names(
    conn: SyncConn,
    question: Question,
    licences: Sequence[Licence],
    answers: Sequence[tuple[int, int, Any]],
) -> Names:
    """What answers (task, contributor, value) say of their slices, for those whose licence is
    parted; one read for each field, and none where no licence is parted by one."""
    parted = {one.contributor_id: str(one.slices["by"]) for one in licences if one.slices}
    found: Names = {}
    by_field: dict[str, list[tuple[int, int]]] = {}
    for task, contributor, value in answers:
        by = parted.get(contributor)
        if by == BY_ANSWER:
            found[task, contributor] = group(question, value)
        elif by is not None:
            by_field.setdefault(by, []).append((task, contributor))
    for field, keys in by_field.items():
        said = store_blind.fields(conn, field, sorted({task for task, _ in keys}))
        found |= {key: said.get(key[0], "") for key in keys}
    return found


def group(question: Question, value: Any) -> str:
    """The group of an answer; empty where it has none."""
    if value is None or not isinstance(question, HasGroups):
        return ""
    return question.group(value)


def named_as(
    conn: SyncConn, slices: dict[str, Any] | None, said: Sequence[tuple[int, str]]
) -> list[str]:
    """The slices of a licence that is parted so, of what was said of tasks: (task, group of the
    answer)."""
    if slices is None:
        return [""] * len(said)
    if slices["by"] == BY_ANSWER:
        return [group for _, group in said]
    found = store_blind.fields(conn, slices["by"], [task for task, _ in said])
    return [found.get(task, "") for task, _ in said]
