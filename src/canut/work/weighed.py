"""Answers that were weighed, who settles a task alone, and what that says of the answers: pure."""

from collections.abc import Container, Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from canut.quality.beliefs.held import Standing
from canut.quality.licences.filing import Names
from canut.quality.licences.streams import decides_alone, held_back
from canut.quality.model import RIGHT_FROM, Licence
from canut.questions.base import Answers, Beliefs, Question, Track
from canut.work.evidence import Evidence, Heard
from canut.work.store_decide import FreshTask


class Settlement(Struct, frozen=True):
    """What one who may decide alone says of a task."""

    value: Any
    #: how far that is trusted, 0 to 1
    trust: float
    #: `decision.method`: expert or licence
    method: str
    #: the answers it rests on
    rows: frozenset[int]
    #: the chance that it is wrong, as far as is believed: no more than is trusted
    doubt: float


#: task (place in the batch at hand) -> what settles it
Settled = dict[int, Settlement]


class Weighed(Struct, frozen=True):
    """The answers to the fresh tasks of one step, and what they say."""

    tasks: list[FreshTask]
    #: contributor ids, position = index in `answers.contributor`
    contributors: list[int]
    answers: Answers
    #: whether each answer was an expert's, to settle its task
    expert: list[bool]
    #: how sure its contributor said it was of each answer, None where it did not say. Not a
    #: probability: it means something under a licence only
    stated: list[float | None]
    beliefs: Beliefs
    standing: Standing
    #: how often each contributor is believed to be right, float64 (n_contributors,)
    skill: NDArray[np.float64]
    #: answers of each task that have no voice in it, int (n_tasks,)
    silent: NDArray[np.intp]
    #: those of the contributors who are agents
    agents: frozenset[int] = frozenset()
    #: tasks that people judge blind
    judged: frozenset[int] = frozenset()
    #: of these, those (ids) that one person has settled who agrees with what is judged, and how
    seconded: dict[int, Any] = {}
    #: of these, those (ids) that one person may settle
    lone: frozenset[int] = frozenset()

    @property
    def people(self) -> NDArray[np.intp]:
        """Answers of each task that people gave."""
        person = np.array([j not in self.agents for j in self.contributors], bool)
        theirs = self.answers.task[person[self.answers.contributor]]
        return np.bincount(theirs, minlength=len(self.tasks))

    @property
    def n_answers(self) -> NDArray[np.intp]:
        """Answers of each task that were weighed."""
        return np.bincount(self.answers.task, minlength=len(self.tasks))

    @property
    def voices(self) -> NDArray[np.float64]:
        """The same, clones counted as one."""
        return np.bincount(self.answers.task, self.answers.weight, len(self.tasks)).astype(float)

    @property
    def track(self) -> Track:
        """The contributors' records."""
        return self.standing.track


def seconded(
    question: Question, answers: Answers, tasks: Sequence[FreshTask], lone: Mapping[int, list[Any]]
) -> dict[int, Any]:
    """Tasks with one answer, by a person, that agrees with all that is judged by one there (`lone`:
    task -> that), and that answer. Where people have called an expert, nobody else settles it."""
    found = {}
    count = np.bincount(answers.task, minlength=len(tasks))
    for row, place in enumerate(answers.task.tolist()):
        said = lone.get(tasks[place].task_id)
        if said and count[place] == 1 and not tasks[place].called:
            given = answers.value[row]
            if all(question.agree(given, one) >= RIGHT_FROM for one in said if one is not None):
                found[tasks[place].task_id] = given
    return found


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


def settled_by_expert(weighed: Weighed) -> Settled:
    """Tasks that an expert answered: the expert's word stands. Trusted as far as the expert's own
    record goes, backed off to 0.9 as for one with ten answers."""
    settled: Settled = {}
    for row in np.flatnonzero(weighed.expert).tolist():
        j, task = int(weighed.answers.contributor[row]), int(weighed.answers.task[row])
        trust = (weighed.track.right[j] + 9.0) / (weighed.track.judged[j] + 10.0)
        before = settled[task].rows if task in settled else frozenset()
        value = weighed.answers.value[row]
        rows, doubt = before | {row}, float(1 - trust)
        settled[task] = Settlement(value, float(trust), "expert", rows, doubt)
    return settled


def settled_by_licence(
    weighed: Weighed, licences: Sequence[Licence], slices: Names | None = None
) -> Settled:
    """Tasks that an agent decides alone: its licence is in force, it said that it is at least as
    sure as the licence asks, and the task is not one of the stream that people answer blind.

    Trusted as far as the licence promises. Agents that contradict each other settle nothing; a task
    with an expert stays the expert's. `slices`: what answers say of theirs, of parted licences.
    """
    names = slices or {}
    said: dict[int, list[tuple[int, Licence]]] = {}
    task_ids = [task.task_id for task in weighed.tasks]
    who = weighed.answers.contributor
    for licence in licences:
        if licence.contributor_id not in weighed.contributors:
            continue
        rows = np.flatnonzero(who == weighed.contributors.index(licence.contributor_id)).tolist()
        places = [int(weighed.answers.task[row]) for row in rows]
        blind = held_back(licence, [task_ids[place] for place in places])
        for row, place, hidden in zip(rows, places, blind.tolist(), strict=True):
            escalated = weighed.tasks[place].expert
            name = names.get((task_ids[place], licence.contributor_id), "")
            if not escalated and decides_alone(licence, weighed.stated[row], hidden, name):
                said.setdefault(place, []).append((row, licence))
    settled: Settled = {}
    for place, given in said.items():
        values = [weighed.answers.value[row] for row, _ in given]
        if all(value == values[0] for value in values):
            trust = 1 - min(licence.error_max for _, licence in given)
            rows_of = frozenset(row for row, _ in given)
            doubt = min(doubt_of(licence) for _, licence in given)
            settled[place] = Settlement(values[0], trust, "licence", rows_of, doubt)
    return settled


def doubt_of(licence: Licence) -> float:
    """The chance that what is decided under it is wrong, by what proved it: at most what it allows,
    and as a rule much less."""
    finding = licence.finding or {}
    if not finding.get("audits"):
        return licence.error_max
    shown = (finding["wrong"] + 1) / (finding["audits"] + 2)
    return float(min(licence.error_max, shown / (1 - finding.get("unseen", 0.0))))


def agreement_with_decision(question: Question, weighed: Weighed, settled: Settled) -> list[float]:
    """How far each answer agrees with the belief of its task (the probability that it is right);
    where one settled it alone, with that answer, as far as it is trusted."""
    agreement: list[float] = weighed.beliefs.agreement.tolist()
    if settled:
        for row, task in enumerate(weighed.answers.task.tolist()):
            if task in settled:
                agreed = question.agree(weighed.answers.value[row], settled[task].value)
                agreement[row] = settled[task].trust * agreed
    return agreement


def truth_of(weighed: Weighed, settled: Settled) -> NDArray[np.float64] | None:
    """What confusions are counted by: probability of each class, float64 (n_tasks, n_classes); None
    where none are counted. Where one settled a task alone, as far as that is trusted."""
    said, index = weighed.beliefs.said, weighed.standing.index
    if said is None:
        return None
    truth: NDArray[np.float64] = said.raw.astype(np.float64)
    for task, settlement in settled.items():
        truth[task] = (1 - settlement.trust) / (len(index) - 1)
        truth[task, index[settlement.value]] = settlement.trust
    return truth


def evidence_of(weighed: Weighed, agreement: list[float]) -> list[Evidence]:
    """Of each task: every answer weighed, with the numbers it was weighed by."""
    heard: list[list[Heard]] = [[] for _ in weighed.tasks]
    weight = weighed.answers.weight
    skill = [round(s, 3) for s in weighed.skill.tolist()]
    for row, (task, j) in enumerate(
        zip(weighed.answers.task.tolist(), weighed.answers.contributor.tolist(), strict=True)
    ):
        counted = 1.0 if weight is None else round(float(weight[row]), 3)
        heard[task].append(
            Heard(
                weighed.contributors[j],
                round(agreement[row], 3),
                skill[j],
                counted,
                weighed.stated[row],
            )
        )
    version = weighed.standing.model.version
    return [Evidence(tuple(answers), version) for answers in heard]
