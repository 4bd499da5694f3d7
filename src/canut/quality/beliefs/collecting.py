"""From what the database holds of a step to what is fitted, and back: pure."""

from collections.abc import Sequence

import msgspec
import numpy as np
from msgspec import Struct

from canut.quality.beliefs.fitting import Checked, Collected, Counted, parted
from canut.quality.beliefs.store_columns import Columns
from canut.quality.beliefs.store_sweep import Asked
from canut.quality.beliefs.voices import numbered, weights
from canut.truth.posterior import Known, weigh
from canut.truth.stopping import NextStep, next_step
from canut.truth.votes import Float64, Int32, Votes

#: `Columns.info`
DECIDED, EXPERT, PLACE = 1, 2, 4
#: tasks weighed at once
TASKS_AT_ONCE = 100_000


class Reading(Struct, frozen=True):
    """What the database holds of the answers between the same options."""

    columns: Columns
    #: place of each option
    index: dict[str, int]
    #: (gold, contributor, what it said, what is right), values as JSON, by gold
    gold: list[tuple[int, int, str, str]]
    #: task -> what one who knows says of it
    settled: dict[int, str]
    #: audited task -> what the panel says
    audited: dict[int, str]
    #: model family by contributor
    families: dict[int, str]


def collected(of: Reading) -> tuple[Collected, list[int]]:
    """All answers with what is known of their tasks, and the ids of the contributors."""
    columns, n_work = of.columns, len(of.columns.task_id)
    who_gold = np.array([row[1] for row in of.gold], np.int64)
    everybody = np.union1d(columns.contributor_id, who_gold)
    place = np.searchsorted(everybody, columns.contributor_id).astype(np.int32)
    item, said, right = _gold(of)
    votes = Votes(
        np.r_[columns.task, item + np.int32(n_work)],
        np.r_[place[columns.contributor], np.searchsorted(everybody, who_gold).astype(np.int32)],
        np.r_[columns.label, said],
        n_work + len(right),
        len(everybody),
        len(of.index),
    )
    n_answers = np.bincount(columns.task, minlength=n_work)
    settled, settled_label = _known(of, of.settled)
    # as in passes: a lone answer always agrees with itself
    counted = (columns.info & DECIDED > 0) & (n_answers > 1)
    counted[settled] = True
    contributors = everybody.tolist()
    return (
        Collected(
            votes=votes,
            n_work=n_work,
            family=numbered([of.families.get(c) for c in contributors]),
            counted=np.r_[counted, np.ones(len(right), bool)],
            known_task=np.r_[settled, n_work + np.arange(len(right), dtype=np.int32)],
            known_label=np.r_[settled_label, right],
        ),
        contributors,
    )


def _gold(of: Reading) -> tuple[Int32, Int32, Int32]:
    """Item and label of each answer to gold, and the right label of each item, int32."""
    decode = msgspec.json.Decoder().decode
    ids = np.array([row[0] for row in of.gold], np.int64)
    items, first, item = np.unique(ids, return_index=True, return_inverse=True)
    said = np.array([of.index[decode(row[2])] for row in of.gold], np.int32)
    right = np.array([of.index[decode(of.gold[i][3])] for i in first], np.int32)
    return item.astype(np.int32), said, right[: len(items)]


def _known(of: Reading, known: dict[int, str]) -> tuple[Int32, Int32]:
    """Place and label of the tasks that have answers here, int32, sorted."""
    tasks = of.columns.task_id
    wanted = [task for task in sorted(known) if known[task] in of.index]
    ids = np.array(wanted, np.int64)
    label = np.array([of.index[known[task]] for task in wanted], np.int32)
    place = np.searchsorted(tasks, ids)
    there = np.isin(ids, tasks)
    return place[there].astype(np.int32), label[there]


def checked(of: Reading, answers: Collected, counted: Counted) -> Checked:
    """Gold, in parts of as many answers as tasks of the work have, and the audited tasks."""
    columns, votes = of.columns, answers.votes
    n_answers = np.bincount(columns.task, minlength=answers.n_work)
    finished = n_answers[columns.info & DECIDED > 0]
    size = round(float(finished.mean())) if len(finished) else 1
    on_gold = np.flatnonzero(votes.task >= answers.n_work)
    on_gold = on_gold[np.lexsort((votes.contributor[on_gold], votes.task[on_gold]))]
    part = parted(votes.task[on_gold], size)
    n_parts = int(part.max(initial=-1)) + 1
    right = np.empty(n_parts, np.int32)
    right[part] = _gold(of)[2][votes.task[on_gold] - answers.n_work]

    audited, audited_label = _known(of, of.audited)
    on_audited = np.flatnonzero(np.isin(votes.task, audited))
    place = n_parts + np.searchsorted(audited, votes.task[on_audited]).astype(np.int32)
    rows = np.r_[on_gold, on_audited]
    some = Votes(
        np.r_[part, place].astype(np.int32),
        votes.contributor[rows],
        votes.label[rows],
        n_parts + len(audited),
        votes.n_contributors,
        votes.n_classes,
    )
    return Checked(some, _weight(some, answers, counted), np.r_[right, audited_label])


def _weight(votes: Votes, answers: Collected, counted: Counted) -> Float64 | None:
    pairs = [(pair.one, pair.other, pair.share) for pair in counted.together]
    return weights(answers.family, pairs, votes.task, votes.contributor, votes.n_tasks)


def again(
    of: Reading, answers: Collected, counted: Counted, known: Known, asked: Sequence[Asked]
) -> list[int]:
    """Ids of undecided tasks that these counts would decide: nobody else may come and say
    something new of them, for whom they would be weighed."""
    columns, votes = of.columns, answers.votes
    least = np.array([step.min_answers for step in asked])
    most = np.array([step.max_answers for step in asked])
    target = np.array([step.target for step in asked])
    step, n_answers = columns.info // PLACE, np.bincount(columns.task, minlength=answers.n_work)
    waiting = np.flatnonzero((columns.info & (DECIDED | EXPERT)) == 0)
    waiting = waiting[n_answers[waiting] >= least[step[waiting]]]
    strangers = np.zeros(votes.n_contributors)
    found: list[int] = []
    for begin in range(0, len(waiting), TASKS_AT_ONCE):
        tasks = waiting[begin : begin + TASKS_AT_ONCE]
        new = np.full(answers.n_work, -1, np.int32)
        new[tasks] = np.arange(len(tasks), dtype=np.int32)
        rows = np.flatnonzero(new[columns.task] >= 0)
        some = Votes(
            new[columns.task[rows]],
            votes.contributor[rows],
            votes.label[rows],
            len(tasks),
            votes.n_contributors,
            votes.n_classes,
        )
        belief = weigh(some, known, strangers, strangers, _weight(some, answers, counted))
        confidence = np.clip(belief.posterior.max(1, initial=0.0), 0.0, 1.0)
        at = step[tasks]
        verdict = next_step(confidence, n_answers[tasks], least[at], most[at], target[at])
        found += columns.task_id[tasks[verdict == NextStep.DECIDE]].tolist()
    return found
