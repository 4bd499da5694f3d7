"""What follows from answers once they are weighed: pure rules, no database.

Decide when the belief is strong enough; ask one more while answers are left; else an expert.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy.special import expit, logit

from canut.truth.categorical import TEMPER
from canut.truth.routing import doubtful
from canut.truth.stopping import NextStep, leaves_room, next_step
from canut.work.evidence import Evidence
from canut.work.store_decide import NewDecision, StepRules
from canut.work.weighed import Settled, Weighed

#: people who decide a task of an agent's blind stream, at least
BLIND_PEOPLE = 2


class Judged(Struct):
    """What becomes of the tasks: ids."""

    decisions: list[NewDecision] = []
    #: tasks that need one more answer, and whether the better contributors should get them first
    ask: list[int] = []
    doubtful: list[bool] = []
    #: tasks for an expert
    escalate: list[int] = []


def verdicts(weighed: Weighed, rules: StepRules) -> NDArray[np.int8]:
    """`NextStep` of each task by its belief and its answers alone.

    A family of agents that agrees with itself is not the second opinion that `min_answers` asks
    for; and where no ordinary answers could settle a task any more, the expert who will have to is
    asked at once.
    What agents say among themselves settles nothing, however many they are: one of them decides
    alone under a licence, or a person has answered too. Where people judge an agent blind, one of
    them is not enough, however good: their errors would count as its own. But of most tasks of a
    stream one who agrees is: what goes unseen there is measured on the rest (`licences.unseen`).
    """
    confidence, n_answers = weighed.beliefs.confidence, weighed.n_answers
    steps = next_step(
        confidence, n_answers, rules.min_answers, rules.max_answers, rules.target
    ).copy()
    echo = (weighed.voices < rules.min_answers - 1e-6) & (n_answers < rules.max_answers)
    steps[(steps == NextStep.DECIDE) & echo] = NextStep.ASK
    standing = weighed.standing
    if rules.expert_skill is not None and standing.model.version and standing.index:
        usual = _usual(standing.model.skill, len(standing.index))
        left = rules.max_answers - n_answers
        lost = wasted(confidence, left, rules.target, usual, len(standing.index))
        lost &= (n_answers >= rules.min_answers) & (steps == NextStep.ASK)
        steps[lost] = NextStep.ESCALATE
    if weighed.agents or weighed.judged:
        steps[weighed.people == 0] = NextStep.ASK
        judges = min(BLIND_PEOPLE, rules.max_answers)
        blind = np.array([task.task_id in weighed.judged for task in weighed.tasks], bool)
        thin = (blind | (weighed.silent > 0)) & (weighed.people < judges)
        steps[thin] = NextStep.ASK
        agreed = [task.task_id in weighed.seconded for task in weighed.tasks]
        steps[np.array(agreed, bool)] = NextStep.DECIDE
    return steps


def wasted(
    confidence: NDArray[np.float64],
    left: NDArray[np.intp],
    target: float,
    usual: float,
    n_classes: int,
) -> NDArray[np.bool_]:
    """Whether all the answers that may still be bought, `left` of each task, could not reach the
    target even if usual contributors gave them and all agreed with the best answer so far.

    Then what they are expected to gain is nothing, and an expert's gain per cost is higher whatever
    an expert costs. Careful: answers are taken at their full worth, as if nothing tempered them.
    """
    worth = np.log(usual * (n_classes - 1) / (1 - usual))
    best = expit(logit(np.clip(confidence, 1e-9, 1 - 1e-9)) + left * worth)
    return np.asarray((confidence > 0) & (best < target), np.bool_)


def doubts(weighed: Weighed, rules: StepRules, places: Sequence[int]) -> list[bool]:
    """Whether the better contributors should get these tasks first (`canut.truth.routing`)."""
    n_classes = max(len(weighed.standing.index), 2)
    at = np.array(places, np.int64)
    found: list[bool] = doubtful(
        weighed.beliefs.confidence[at],
        weighed.n_answers[at],
        rules.target,
        usual_skill=_usual(weighed.standing.model.skill, n_classes),
        n_classes=n_classes,
        temper=TEMPER,
    ).tolist()
    return found


def _usual(skill: float, n_classes: int) -> float:
    """A usual contributor's skill, better than chance and not certain."""
    return min(max(skill, 1 / n_classes + 0.05), 0.99)


def spent(weighed: Weighed, rules: StepRules) -> set[int]:
    """Tasks that are about to be escalated: every answer asked for is in, and does not settle
    them."""
    given = weighed.n_answers + weighed.silent
    return {
        i
        for i, (task, verdict) in enumerate(
            zip(weighed.tasks, verdicts(weighed, rules).tolist(), strict=True)
        )
        if verdict == NextStep.ESCALATE and not task.expert and given[i] >= task.wanted
    }


def judge(
    weighed: Weighed, rules: StepRules, settled: Settled, evidence: Sequence[Evidence]
) -> Judged:
    """Decide, ask one more, or call an expert."""
    n_answers = weighed.n_answers.tolist()
    given = (weighed.n_answers + weighed.silent).tolist()
    steps = verdicts(weighed, rules).tolist()
    judged = Judged()
    asked: list[int] = []

    def decide(i: int, value: Any, confidence: float, method: str, doubt: float) -> None:
        task, heard = weighed.tasks[i], evidence[i]
        judged.decisions.append(
            NewDecision(
                *(task.task_id, task.item_id, value, confidence, method, n_answers[i], heard, doubt)
            )
        )

    for i, task in enumerate(weighed.tasks):
        value, confidence = weighed.beliefs.value[i], float(weighed.beliefs.confidence[i])
        if task.task_id in weighed.seconded:
            # two agree, of whom the belief has heard one (`unseen.Confirmed.one_is_enough`)
            said = weighed.seconded[task.task_id]
            confidence = max(confidence, rules.target) if said == value else rules.target
            value = said
        doubt = 1 - confidence
        if i in settled:
            value, confidence, method = settled[i].value, settled[i].trust, settled[i].method
            doubt = settled[i].doubt
        elif task.expert:
            # escalated, and no expert has answered yet: one is asked already
            continue
        elif steps[i] == NextStep.DECIDE:
            method = "answers"
        elif task.called and rules.expert_skill is not None:
            judged.escalate.append(task.task_id)
            continue
        elif given[i] < task.wanted:
            # somebody else is at it
            continue
        elif steps[i] == NextStep.ASK:
            asked.append(i)
            continue
        elif rules.expert_skill is not None:
            judged.escalate.append(task.task_id)
            continue
        else:
            method = "exhausted"
        decide(i, value, confidence, method, doubt)
    room = _with_room(weighed, rules, asked, judged)
    for i in sorted(room):
        confidence = float(weighed.beliefs.confidence[i])
        decide(i, weighed.beliefs.value[i], confidence, "answers", 1 - confidence)
    asked = [i for i in asked if i not in room]
    judged.ask = [weighed.tasks[i].task_id for i in asked]
    # an agent's evidence counts up to the first task that is open: its stream is not left to wait
    # until everybody has come round to the first task again
    wavering = doubts(weighed, rules, asked)
    judged.doubtful = [
        doubtful or weighed.silent[i] > 0 for doubtful, i in zip(wavering, asked, strict=True)
    ]
    return judged


def _with_room(
    weighed: Weighed, rules: StepRules, asked: Sequence[int], judged: Judged
) -> set[int]:
    """Which of these the promise of the whole leaves room to decide as they are
    (`truth.stopping.leaves_room`). What people judge an agent by is decided by the target alone: an
    error there would count as the agent's. Two engines may use the same room at once: each pass
    counts what it decided, so the next has less."""
    blind = [task.task_id in weighed.judged for task in weighed.tasks]
    voices, people = weighed.voices, weighed.people
    open_ = [
        i
        for i in asked
        if voices[i] >= rules.min_answers - 1e-6
        and people[i] > 0
        and not (blind[i] or weighed.silent[i])
    ]
    doubt = rules.doubt + sum(decision.doubt for decision in judged.decisions)
    decided = rules.doubted + len(judged.decisions)
    may = leaves_room(weighed.beliefs.confidence[open_], rules.error_max, doubt, decided)
    return {i for i, so in zip(open_, may.tolist(), strict=True) if so}
