"""Answers that count less than one, for aggregators that know no weights."""

import msgspec
import numpy as np

from canut.questions.base import Answers, Question, Track, Weighs
from canut.truth.categorical import PLAUSIBLE, PRIOR_SKILL, PRIOR_WEIGHT, backed_off


def voiced(question: Question, answers: Answers, track: Track) -> tuple[Answers, Track]:
    """What the question's `aggregate` is to be given: weights where it heeds them, else folded."""
    if track.known is not None or (isinstance(question, Weighs) and question.weighs):
        return answers, track
    return folded(answers, track)


def folded(answers: Answers, track: Track, n_classes: int = 2) -> tuple[Answers, Track]:
    """The same answers without weights: one that counts w is given by a contributor whose skill is
    worth w times the log-odds of its own,

        log(p' (K - 1) / (1 - p')) = w log(p (K - 1) / (1 - p))

    so m clones who agree weigh as much as one of them, and a weight of 0 tells nothing. Exact for
    naive Bayes among K classes, and for what reduces to yes or no (K = 2).
    """
    weight = answers.weight
    if weight is None or not np.any(weight != 1):
        return msgspec.structs.replace(answers, weight=None), track
    # whole millionths, so that equal weights are one
    key = answers.contributor.astype(np.int64) * 1_000_001 + np.rint(weight * 1e6).astype(np.int64)
    voices, contributor = np.unique(key, return_inverse=True)
    who, share = np.divmod(voices, 1_000_001)
    right, judged = track.right[who], track.judged[who]
    others = max(min(n_classes, PLAUSIBLE), 2) - 1
    skill = np.clip(backed_off(right, judged), 1e-4, 1 - 1e-4)
    odds = np.exp(share / 1e6 * np.log(skill * others / (1 - skill)))
    faint = odds / (odds + others)
    # a record that backs off to that skill, with no fewer than no right answers
    longer = np.maximum(judged, PRIOR_WEIGHT * PRIOR_SKILL / faint - PRIOR_WEIGHT)
    loud = share == 1_000_000
    folded_track = Track(
        right=np.where(loud, right, faint * (longer + PRIOR_WEIGHT) - PRIOR_WEIGHT * PRIOR_SKILL),
        judged=np.where(loud, judged, longer),
    )
    folded_answers = Answers(
        answers.task, contributor.astype(np.int32), answers.value, answers.n_tasks
    )
    return folded_answers, folded_track
