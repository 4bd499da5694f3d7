"""Why something was decided: the belief retraced answer by answer, by the rule that decided. Pure.

What was known of the contributors then is kept in part: how often each was believed to be right,
and how much each answer counted. The rest has moved on. So the rule is run with what was kept, and
with what is known today; whichever gives the numbers that were kept is how it was, to half a point.
Where neither does, the course is told as what it is: what today's records make of these answers.
"""

from collections.abc import Sequence
from string import ascii_uppercase
from typing import Any

import msgspec
import numpy as np

from canut.insight.story_model import (
    Course,
    Explanation,
    Facts,
    HeardAnswer,
    LicenceHeld,
    Point,
    Spoken,
    Version,
)
from canut.processes.model import BY_ANSWER
from canut.quality.beliefs.held import Standing
from canut.quality.beliefs.model import Bin, Calibration
from canut.quality.beliefs.voices import weights
from canut.quality.licences.filing import group
from canut.quality.licences.slices import Slices, slice_at
from canut.questions.base import Answers, Beliefs, Question, Track
from canut.questions.voices import voiced
from canut.truth.categorical import PRIOR_SKILL, PRIOR_WEIGHT
from canut.truth.posterior import Known, nothing_known
from canut.truth.votes import Float64
from canut.work.evidence import Evidence, Heard, decode_evidence

#: a course is exact that comes this near the numbers that were kept
TOLERANCE = 0.005
#: of `canut.quality.audits.disputes`: a panel counts as if four more had answered, three of them so
PANEL_FOR, PANEL_MORE = 3.0, 4.0

Pair = tuple[Heard, Spoken]


def explain(
    facts: Facts, question: Question, known: Standing, contributors: list[int]
) -> Explanation:
    """Why the decision of these facts is what it is. `known` is of `contributors`, in their order.
    Raises ValueError where nothing is decided."""
    if not facts.versions:
        raise ValueError("nothing is decided")
    decided = facts.versions[-1]
    evidence = decode_evidence(decided.evidence)
    pairs = paired(evidence, facts.spoken, panel=decided.method == "panel")
    records = dict(zip(contributors, known.track.judged.tolist(), strict=True))
    return Explanation(
        decided=decided,
        answers=tuple(_heard(place, pair, records) for place, pair in enumerate(pairs)),
        course=course(decided, evidence, pairs, question, known, contributors),
        target=facts.target,
        calibration=calibrated(known.model.parameters.calibration, decided.confidence),
        licence=_licence(decided, pairs, facts.licences, question),
        before=facts.versions[:-1],
        seconded=facts.seconded and decided.method == "answers" and decided.n_answers == 1,
    )


def paired(evidence: Evidence, spoken: Sequence[Spoken], *, panel: bool) -> list[Pair]:
    """The answers that were weighed, in the order in which they were given."""
    heard = {one.contributor: one for one in evidence.answers}
    return [
        (heard[one.contributor], one)
        for one in spoken
        if one.panel == panel and one.contributor in heard
    ]


def letters(place: int) -> str:
    """A, B, ..., Z, AA, AB, ..."""
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, len(ascii_uppercase))
        name = ascii_uppercase[rest] + name
    return name


def calibrated(calibration: Calibration, confidence: float) -> Bin | None:
    """The bin that decisions of this confidence fall in; None where nothing was measured there."""
    if not calibration.bins:
        return None
    count = len(calibration.bins)
    found = calibration.bins[min(int(confidence * count), count - 1)]
    return found if found.n else None


def course(
    decided: Version,
    evidence: Evidence,
    pairs: Sequence[Pair],
    question: Question,
    known: Standing,
    contributors: list[int],
) -> Course:
    """How the belief moved, one point an answer."""
    if decided.method == "licence" or not pairs:
        point = Point(decided.value, decided.confidence, True)
        return Course((point,), True, decided.confidence)
    if decided.method == "panel":
        return _panel(decided, pairs)
    tries = [
        _retraced(pairs, question, known, contributors, kept=True, same=evidence.model),
        _retraced(pairs, question, known, contributors, kept=False, same=evidence.model),
    ]
    points = [_points(beliefs, decided, question) for beliefs in tries]
    if decided.method == "expert":
        return _until_expert(points[0], decided, pairs)
    off = [_off(beliefs, decided, pairs) for beliefs in tries]
    best = int(np.argmin(off))
    return Course(tuple(points[best]), off[best] <= TOLERANCE, points[best][-1].belief)


def _panel(decided: Version, pairs: Sequence[Pair]) -> Course:
    """Of n people so many stand behind the value; its own rule, so always exact."""
    points, behind = [], 0.0
    for n, (weighed, _) in enumerate(pairs, 1):
        behind += weighed.agreement
        points.append(Point(decided.value, (behind + PANEL_FOR) / (n + PANEL_MORE), True))
    return Course(tuple(points), True, points[-1].belief)


def _until_expert(points: list[Point], decided: Version, pairs: Sequence[Pair]) -> Course:
    """What the others made of it, as far as it can be told now, and the expert's word."""
    ordinary = [
        point for point, (_, spoken) in zip(points, pairs, strict=True) if not spoken.expert
    ]
    last = Point(decided.value, decided.confidence, True)
    return Course((*ordinary, last), not ordinary, decided.confidence)


def _retraced(
    pairs: Sequence[Pair],
    question: Question,
    known: Standing,
    contributors: list[int],
    *,
    kept: bool,
    same: int,
) -> Beliefs:
    """Beliefs after the first answer, the first two, ...: each as a task of its own. With the
    skills that were `kept` and no confusions, or with all that is known today."""
    n = len(pairs)
    where = {contributor: place for place, contributor in enumerate(contributors)}
    task = np.repeat(np.arange(n), np.arange(1, n + 1)).astype(np.int32)
    row = np.concatenate([np.arange(m) for m in range(1, n + 1)])
    who = np.array([where[heard.contributor] for heard, _ in pairs], np.int32)[row]
    answers = Answers(
        task=task,
        contributor=who,
        value=[pairs[i][1].value for i in row.tolist()],
        n_tasks=n,
        weight=_weight(pairs, known, task, who, row, kept=kept),
    )
    track = known.track
    if kept:
        right = _right(pairs, track, where)
        track = Track(right, track.judged, _known(track.known, known, same))
    return question.aggregate(*voiced(question, answers, track))


def _weight(
    pairs: Sequence[Pair],
    known: Standing,
    task: np.ndarray[tuple[int], np.dtype[np.int32]],
    who: np.ndarray[tuple[int], np.dtype[np.int32]],
    row: np.ndarray[tuple[int], np.dtype[np.intp]],
    *,
    kept: bool,
) -> Float64 | None:
    """How much each counts: a family shares one voice among those who have answered so far. The
    last task has the weights that were kept."""
    found = weights(known.family, known.alike, task, who, len(pairs))
    if not kept:
        return found
    given = np.array([heard.weight for heard, _ in pairs])
    if found is None and np.all(given == 1):
        return None
    counted = np.ones(len(task)) if found is None else found
    last = task == len(pairs) - 1
    counted[last] = given[row[last]]
    return counted


def _right(pairs: Sequence[Pair], track: Track, where: dict[int, int]) -> Float64:
    """Records that back off to the skills that were kept."""
    right = track.right.copy()
    for weighed, _ in pairs:
        if weighed.skill is not None:
            j = where[weighed.contributor]
            right[j] = weighed.skill * (track.judged[j] + PRIOR_WEIGHT) - PRIOR_WEIGHT * PRIOR_SKILL
    return right


def _known(today: Known | None, known: Standing, same: int) -> Known | None:
    if today is None:
        return None
    stack = today.stack if known.model.version == same else None
    blank = nothing_known(len(today.counts), today.counts.shape[1])
    return msgspec.structs.replace(blank, stack=stack)


def _points(beliefs: Beliefs, decided: Version, question: Question) -> list[Point]:
    return [
        Point(value, float(belief), question.agree(value, decided.value) == 1)
        for value, belief in zip(beliefs.value, beliefs.confidence.tolist(), strict=True)
    ]


def _off(beliefs: Beliefs, decided: Version, pairs: Sequence[Pair]) -> float:
    """How far the end is from the numbers that were kept: the confidence, and each agreement."""
    agreement = beliefs.agreement[-len(pairs) :]
    kept = np.array([heard.agreement for heard, _ in pairs])
    apart = abs(float(beliefs.confidence[-1]) - decided.confidence)
    if beliefs.value[-1] != decided.value:
        return 1.0
    return max(apart, float(np.abs(agreement - kept).max()))


def _heard(place: int, pair: Pair, records: dict[int, float]) -> HeardAnswer:
    heard, spoken = pair
    return HeardAnswer(
        name=letters(place),
        kind=spoken.kind,
        family=spoken.family,
        simulated=spoken.simulated,
        value=spoken.value,
        expert=spoken.expert,
        skill=heard.skill,
        judged=int(records.get(heard.contributor, 0.0)),
        weight=heard.weight,
        agreement=heard.agreement,
        stated=heard.stated,
    )


def _licence(
    decided: Version, pairs: Sequence[Pair], licences: Sequence[LicenceHeld], question: Question
) -> LicenceHeld | None:
    """The licence of the agent whose answer is the decision; the strictest of several."""
    if decided.method != "licence":
        return None
    said = {
        spoken.contributor: heard
        for heard, spoken in pairs
        if question.agree(spoken.value, decided.value) == 1
    }
    held = [
        here
        for one in licences
        if one.contributor in said
        and (here := licence_here(one, question, decided.value)) is not None
        and (said[one.contributor].stated or 0.0) >= here.threshold
    ]
    return min(held, key=lambda one: one.error_max, default=None)


def licence_here(held: LicenceHeld, question: Question, value: Any) -> LicenceHeld | None:
    """The licence as it holds in the slice of this decision; None where it holds nothing there."""
    if held.slices is None:
        return held
    name = group(question, value) if held.slices["by"] == BY_ANSWER else held.field
    one = slice_at(msgspec.convert(held.slices, Slices).parts or [], name)
    if one is None or one.threshold is None:
        return None
    finding = None if one.finding is None else msgspec.to_builtins(one.finding)
    return msgspec.structs.replace(
        held, threshold=one.threshold, finding=finding, slice_name=one.name
    )
