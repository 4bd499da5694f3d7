"""The `[step.promise]` table: what a step promises, and what it spends on the proof."""

from canut.processes.model import Promise
from canut.processes.reading import Table

_AUDITS_MAX = 1_000_000
_PANEL_MAX = 9


def read_promise(step: Table) -> Promise:
    """The promise of a step; what is not said is as in `Promise`. Problems go to the table."""
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
    )
    if "audit_skill" not in table.data:
        table.text("audit_skill")
    table.close()
    return promise


def _part(table: Table, key: str, usual: float) -> float:
    """A number from 0 to 1, both included."""
    value = float(table.take(key, (int, float), "a number from 0 to 1", usual))
    if not 0 <= value <= 1:
        table.fault(key, f"expected a number from 0 to 1, not {value:g}")
        return usual
    return value
