"""Remarks: what a contributor says of a task instead of an answer. None counts against them."""

from msgspec import Struct

from canut.errors import Invalid, Problem

#: why somebody cannot tell
UNSURE = ("missing", "several", "knowledge", "language", "other")
#: what is wrong with a task
FAULTS = ("unreadable", "options", "instructions", "personal", "harmful", "other")
REASONS: dict[str, tuple[str, ...]] = {"unsure": UNSURE, "fault": FAULTS}
#: characters of a note
NOTE_MAX = 1000


class Remark(Struct, frozen=True):
    """A remark as the client and operators see it: not who made it."""

    #: unsure or fault
    kind: str
    reason: str
    note: str
    made_ms: int
    #: the client's own name of the item
    reference: str
    #: whether the task was decided meanwhile
    decided: bool
    #: slug of the step
    step: str


def check_remark(kind: str, reason: str, note: str) -> str:
    """The note, trimmed. Raises `Invalid` with a problem per wrong field."""
    problems = []
    reasons = REASONS.get(kind)
    note = note.strip()
    if reasons is None:
        problems.append(Problem("is not a kind of remark", "say unsure or fault", field="kind"))
    elif reason not in reasons:
        problems.append(Problem("no reason is given", "choose one of the list", field="reason"))
    elif reason == "other" and not note:
        problems.append(Problem("no words are given", "say in a few words", field="note"))
    if len(note) > NOTE_MAX:
        problems.append(Problem(f"is longer than {NOTE_MAX} characters", "cut it", field="note"))
    if problems:
        raise Invalid("This remark cannot be taken.", problems=problems)
    return note
