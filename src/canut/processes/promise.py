"""The `[step.promise]` table: what a step promises, and what it spends on the proof."""

from collections.abc import Sequence

from canut.processes.model import BY_ANSWER, ItemField, Promise
from canut.processes.reading import Table, suggest
from canut.questions.base import HasGroups, Question

_AUDITS_MAX = 1_000_000
_PANEL_MAX = 9
_SLICES_MAX = 20


def read_promise(step: Table, fields: Sequence[ItemField], question: Question | None) -> Promise:
    """The promise of a step about items of these fields; what is not said is as in `Promise`.
    Problems go to the table. `question` is None where it could not be read."""
    if "promise" not in step.data:
        step.text("promise")
        return Promise()
    table = step.table("promise")
    if table is None:
        return Promise()
    usual = Promise()
    promise = Promise(
        error_max=table.share("error_max", usual.error_max),
        delta=table.share("delta", usual.delta),
        audits_max=table.whole("audits_max", usual.audits_max, 0, _AUDITS_MAX),
        audit_share=_part(table, "audit_share", usual.audit_share),
        panel=table.whole("panel", usual.panel, 1, _PANEL_MAX),
        audit_skill=table.slug("audit_skill") if "audit_skill" in table.data else "",
        gold_share=_part(table, "gold_share", usual.gold_share),
        stream_share=_part(table, "stream_share", usual.stream_share),
        slices=_slices(table, fields, question),
        slices_max=table.whole("slices_max", usual.slices_max, 2, _SLICES_MAX),
    )
    if "audit_skill" not in table.data:
        table.text("audit_skill")
    table.close()
    return promise


def _slices(table: Table, fields: Sequence[ItemField], question: Question | None) -> str:
    """What parts a licence: a field with few values, or the answer."""
    by = table.text("slices")
    field = next((one for one in fields if one.name == by), None)
    names = [one.name for one in fields]
    if not by:
        return by
    if by == BY_ANSWER:
        if field is not None:
            mend = "give the field another name"
            table.fault("slices", f"{by!r} is a field, and means the answer", mend)
        elif question is not None and not isinstance(question, HasGroups):
            mend = "name a field of the item; the answers of a choice have groups"
            table.fault("slices", "answers to this question have no groups", mend)
    elif field is None:
        mend = suggest(by, [*names, BY_ANSWER]) or f"one of {', '.join([*names, BY_ANSWER])}"
        table.fault("slices", f"there is no field {by!r}", mend)
    elif field.personal:
        table.fault("slices", f"{by!r} is personal", "licences are read by many: name another")
    elif field.type in ("url", "image"):
        table.fault("slices", f"{by!r} has a value of its own in each item", "name another field")
    return by


def _part(table: Table, key: str, usual: float) -> float:
    """A number from 0 to 1, both included."""
    value = float(table.take(key, (int, float), "a number from 0 to 1", usual))
    if not 0 <= value <= 1:
        table.fault(key, f"expected a number from 0 to 1, not {value:g}")
        return usual
    return value
