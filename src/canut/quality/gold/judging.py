"""Gold: items whose right answer is known, shown blind, once at most to each contributor."""

import msgspec

from canut.db.pool import SyncConn
from canut.quality.gold import store as store_gold
from canut.questions.base import Question


def judge_gold(
    conn: SyncConn,
    question: Question,
    process_id: int,
    step_slug: str,
    tasks: list[int],
) -> None:
    """Compare the answers to these gold tasks that nobody compared yet, and add them to the
    contributors' records."""
    rows = store_gold.unjudged(conn, tasks)
    decode = msgspec.json.Decoder().decode
    agreement = [question.agree(decode(row.answer), decode(row.value)) for row in rows]
    store_gold.judge(conn, process_id, step_slug, rows, agreement)
