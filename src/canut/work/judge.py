"""What follows from answers once they are weighed: pure rules, no database.

Decide when the belief is strong enough; ask one more while answers are left; else an expert.
"""

from collections.abc import Container
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from canut.questions.base import Answers, Beliefs, Question, Track
from canut.truth.stopping import NextStep, next_step
from canut.work.store_decide import FreshTask, NewDecision, StepRules

#: task (place in the batch at hand) -> the expert's answer and how far it is trusted
Settled = dict[int, tuple[Any, float]]


class Weighed(Struct, frozen=True):
    """The answers to the fresh tasks of one step, and what they say."""

    tasks: list[FreshTask]
    #: contributor ids, position = index in `answers.contributor`
    contributors: list[int]
    answers: Answers
    #: whether each answer was an expert's, to settle its task
    expert: list[bool]
    beliefs: Beliefs
    track: Track

    @property
    def n_answers(self) -> NDArray[np.intp]:
        """Answers of each task."""
        return np.bincount(self.answers.task, minlength=len(self.tasks))


def verdicts(weighed: Weighed, rules: StepRules) -> NDArray[np.int8]:
    """`NextStep` of each task by its belief and its answers alone."""
    return next_step(
        weighed.beliefs.confidence,
        weighed.n_answers,
        rules.min_answers,
        rules.max_answers,
        rules.target,
    )


def spent(weighed: Weighed, rules: StepRules) -> set[int]:
    """Tasks that are about to be escalated: every answer asked for is in, and does not settle
    them."""
    n_answers = weighed.n_answers
    return {
        i
        for i, (task, verdict) in enumerate(
            zip(weighed.tasks, verdicts(weighed, rules), strict=True)
        )
        if verdict == NextStep.ESCALATE and not task.expert and n_answers[i] >= task.wanted
    }


def hear_experts(weighed: Weighed, tasks: set[int], experts: Container[int]) -> list[bool]:
    """Which answers are experts' words: those given to settle an escalated task, and those an
    expert gave to one of `tasks` before it came to that. An expert never gets a task twice, so a
    task that every expert has answered would wait for ever. Experts who contradict each other
    settle nothing."""
    heard = list(weighed.expert)
    said: dict[int, list[int]] = {}
    for row, (task, j) in enumerate(
        zip(weighed.answers.task.tolist(), weighed.answers.contributor.tolist(), strict=True)
    ):
        if task in tasks and weighed.contributors[j] in experts:
            said.setdefault(task, []).append(row)
    for rows in said.values():
        first = weighed.answers.value[rows[0]]
        if all(weighed.answers.value[row] == first for row in rows):
            for row in rows:
                heard[row] = True
    return heard


def judge(
    weighed: Weighed,
    rules: StepRules,
    settled: Settled,
    evidence: list[list[tuple[int, float]]],
) -> tuple[list[NewDecision], list[int], list[int]]:
    """(decisions, tasks that need one more answer, tasks for an expert)."""
    n_answers = weighed.n_answers
    steps = verdicts(weighed, rules)
    decisions: list[NewDecision] = []
    ask: list[int] = []
    escalate: list[int] = []
    for i, task in enumerate(weighed.tasks):
        value, confidence = weighed.beliefs.value[i], float(weighed.beliefs.confidence[i])
        if i in settled:
            value, confidence = settled[i]
            method = "expert"
        elif task.expert:
            # escalated, and no expert has answered yet: one is asked already
            continue
        elif steps[i] == NextStep.DECIDE:
            method = "answers"
        elif n_answers[i] < task.wanted:
            # somebody else is at it
            continue
        elif steps[i] == NextStep.ASK:
            ask.append(task.task_id)
            continue
        elif rules.expert_skill is not None:
            escalate.append(task.task_id)
            continue
        else:
            method = "exhausted"
        n = int(n_answers[i])
        decisions.append(
            NewDecision(task.task_id, task.item_id, value, confidence, method, n, evidence[i])
        )
    return decisions, ask, escalate


def settled_by_expert(weighed: Weighed) -> Settled:
    """Value and confidence of tasks that an expert answered: the expert's word stands. The
    confidence is the expert's own record, backed off to 0.9 as for one with ten answers."""
    settled: Settled = {}
    for row in np.flatnonzero(weighed.expert).tolist():
        j = int(weighed.answers.contributor[row])
        trust = (weighed.track.right[j] + 9.0) / (weighed.track.judged[j] + 10.0)
        settled[int(weighed.answers.task[row])] = (weighed.answers.value[row], float(trust))
    return settled


def agreement_with_decision(question: Question, weighed: Weighed, settled: Settled) -> list[float]:
    """How far each answer agrees with the belief of its task (the probability that it is right);
    where an expert settled the task, with the expert's answer, as far as that is trusted."""
    agreement: list[float] = weighed.beliefs.agreement.tolist()
    if settled:
        for row, task in enumerate(weighed.answers.task.tolist()):
            if task in settled:
                value, trust = settled[task]
                agreement[row] = trust * question.agree(weighed.answers.value[row], value)
    return agreement


def evidence_of(weighed: Weighed, agreement: list[float]) -> list[list[tuple[int, float]]]:
    """Of each task: [contributor, agreement] for every answer weighed."""
    evidence: list[list[tuple[int, float]]] = [[] for _ in weighed.tasks]
    tasks, contributors = weighed.answers.task.tolist(), weighed.answers.contributor.tolist()
    for task, j, agreed in zip(tasks, contributors, agreement, strict=True):
        evidence[task].append((weighed.contributors[j], round(agreed, 3)))
    return evidence
