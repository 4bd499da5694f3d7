"""What becomes of exams when gold is retired: results change in the contributor's favour only."""

from canut.db.pool import SyncConn
from canut.quality.exams import store
from canut.quality.exams.grant import grant
from canut.quality.exams.sitting import judged


def correct_exams(conn: SyncConn, golds: list[int], now_ms: int) -> None:
    """Judge again every failed exam in which one of these golds, now retired, was answered
    wrongly: without it. Who passes now gets the licence; who is not failed any more may take the
    next exam at once."""
    for exam in store.failed_by(conn, golds, right_from=1.0):
        said = judged(store.asked(conn, exam.id), exam.rules)
        if said.state == "passed":
            store.correct(conn, exam.id, "passed", said, None, now_ms)
            grant(conn, exam, said, now_ms)
        elif said.state == "more":
            again = min(exam.retake_ms or now_ms, now_ms)
            store.correct(conn, exam.id, "failed", said, again, now_ms)
