"""Records are put right where a panel found that they were judged against a wrong decision."""

from collections.abc import Sequence

import msgspec

from canut.db.pool import SyncConn
from canut.quality.audits.panels import compare
from canut.quality.beliefs import store_corrections as store
from canut.questions.base import Question


def correct(conn: SyncConn, question: Question, audit_tasks: Sequence[int]) -> None:
    """Judge the answers behind decisions of one step again, by what their panels say; once a
    decision, whether a draw or a dispute brought it to light.

    Who contradicted a wrong decision, and was right, gets what is due; the number of answers judged
    stays. The evidence of the decision is history and is not rewritten.
    """
    decode = msgspec.json.Decoder().decode
    wrong = {
        one.task_id: one
        for one in store.wronged(conn, audit_tasks)
        if not compare(question, decode(one.value), decode(one.decided))
    }
    if not wrong:
        return
    difference: dict[int, float] = {}
    for row in store.judged(conn, list(wrong)):
        agreed = question.agree(decode(row.value), decode(wrong[row.task_id].value))
        who = row.contributor_id
        difference[who] = difference.get(who, 0.0) + agreed - row.agreement
    first = next(iter(wrong.values()))
    if difference:
        store.correct(conn, first.process_id, first.step_slug, difference)
    store.done(conn, [one.audit_task for one in wrong.values()])
