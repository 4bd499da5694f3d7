"""How far beliefs can be taken at their word where confusions are not counted."""

import msgspec
import numpy as np

from canut.db.pool import SyncConn
from canut.quality.beliefs import store as store_beliefs
from canut.quality.beliefs import store_sweep
from canut.quality.beliefs.fitting import parted
from canut.quality.beliefs.model import Calibration, StepPlace
from canut.quality.model import RIGHT_FROM
from canut.questions.base import Answers, Question, Track
from canut.truth.calibration import reliability

#: answers to an item of gold that are weighed together, as those of a task are
TOGETHER = 3


def calibration_of_others(
    conn: SyncConn, place: StepPlace, question: Question, limit: int
) -> Calibration:
    """Of questions of any type: answers to gold, weighed as those to the work are, by
    contributors' records without gold."""
    rows = store_sweep.gold(conn, place, limit)
    if not rows:
        return Calibration()
    decode = msgspec.json.Decoder().decode
    contributors = sorted({row[1] for row in rows})
    where = {contributor: i for i, contributor in enumerate(contributors)}
    known = store_beliefs.records(conn, place, contributors)
    records = [known.get(c, store_beliefs.Record()) for c in contributors]
    part = parted(np.array([row[0] for row in rows], np.int64), TOGETHER)
    answers = Answers(
        task=part,
        contributor=np.array([where[row[1]] for row in rows], np.int32),
        value=[decode(row[2]) for row in rows],
        n_tasks=int(part.max()) + 1,
    )
    track = Track(
        right=np.array([record.right for record in records]),
        judged=np.array([record.judged for record in records]),
    )
    beliefs = question.aggregate(answers, track)
    truth = {int(p): row[3] for p, row in zip(part, rows, strict=True)}
    right = [
        value is not None and question.agree(value, decode(truth[i])) >= RIGHT_FROM
        for i, value in enumerate(beliefs.value)
    ]
    return Calibration.of(reliability(np.clip(beliefs.confidence, 0, 1), np.array(right, bool)))
