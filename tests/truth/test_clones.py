"""Families are one voice; who errs together is shown, and nobody else."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from canut.truth.clones import COMMON_MIN, alike, voices
from canut.truth.grid import grid
from canut.truth.methods import infer
from canut.truth.votes import Votes
from tests.truth.crowds import coins, simulated, tiny


@given(v=tiny(), data=st.data())
def test_a_family_is_one_voice_on_every_task(v: Votes, data: st.DataObject):
    """An oracle by counting: weights of a family on a task sum to 1, shared alike."""
    family = data.draw(st.lists(st.integers(-1, 2), min_size=5, max_size=5))
    weight = voices(v, np.array(family, np.int32)[: v.n_contributors])
    voice = [family[j] if family[j] >= 0 else 100 + j for j in v.contributor.tolist()]
    size = Counter(zip(v.task.tolist(), voice, strict=True))
    expected = [1 / size[key] for key in zip(v.task.tolist(), voice, strict=True)]
    assert np.allclose(weight, expected)


def _with_copies(v: Votes, of: int, copies: int) -> Votes:
    """Somebody answers again under new names."""
    here = v.contributor == of
    tasks, labels = [v.task], [v.label]
    who = [v.contributor]
    for c in range(copies):
        tasks.append(v.task[here])
        labels.append(v.label[here])
        who.append(np.full(here.sum(), v.n_contributors + c, np.int32))
    columns = [np.concatenate(parts) for parts in (tasks, who, labels)]
    return Votes(*columns, v.n_tasks, v.n_contributors + copies, v.n_classes)


def test_clones_of_one_agent_change_nothing_as_one_family():
    """Protects against an agent multiplied: copies outvote people, but not as a family."""
    skill = np.array([0.8, 0.8, 0.8, 0.8, 0.6])
    v, truth = simulated(0, 1500, 5, coins(skill, 3))
    copied = _with_copies(v, 4, 3)
    family = np.array([-1, -1, -1, -1, 0, 0, 0, 0], np.int32)
    alone = infer(v).posterior
    together = infer(copied, weight=voices(copied, family)).posterior
    outvoted = infer(copied).posterior
    right = [(p.argmax(1) == truth).mean() for p in (alone, together, outvoted)]
    assert right[1] > right[0] - 0.01
    assert right[2] < right[0] - 0.05
    assert np.abs(together - alone).mean() < 0.02


def test_copies_are_found():
    """Two who give the same wrong answers are the first told, with the evidence."""
    v, _ = simulated(1, 400, 4, coins(np.linspace(0.6, 0.9, 8), 4))
    copied = _with_copies(v, 0, 1)
    found = alike(copied, infer(copied).posterior)
    assert (found.one[0], found.other[0]) == (0, 8)
    assert found.same_wrong[0] > 3 * found.chance[0]
    assert found.common[0] == (v.contributor == 0).sum()
    assert found.p_value[0] < 1e-6


def test_the_independent_are_left_in_peace():
    """A false finding accuses somebody: in 20 crowds of independent contributors, 45 pairs each,
    at most one is told (0.2 are expected at 1% a crowd)."""
    told = 0
    for seed in range(20):
        skill = np.random.default_rng(seed).uniform(0.5, 0.9, 10)
        v, _ = simulated(seed, 300, 5, coins(skill, 4))
        told += len(alike(v, infer(v).posterior).one)
    assert told <= 1


def test_a_task_that_misleads_everybody_accuses_nobody():
    """On every fifth task all are drawn to the same wrong label: they agree, and do not copy."""
    chance = np.random.default_rng(5)
    v, _ = simulated(5, 400, 5, coins(np.full(8, 0.8), 4))
    drawn = (v.task % 5 == 0) & (chance.random(len(v.task)) < 0.45)
    label = np.where(drawn, (v.task // 5) % 4, v.label).astype(np.int32)
    misled = Votes(v.task, v.contributor, label, v.n_tasks, v.n_contributors, v.n_classes)
    assert len(alike(misled, infer(misled).posterior).one) == 0


def test_right_answers_in_common_prove_nothing():
    """Two perfect contributors agree on everything, and are not told."""
    v, _ = simulated(6, 300, 4, coins(np.array([0.999, 0.999, 0.7, 0.7, 0.7, 0.7]), 3))
    found = alike(v, infer(v).posterior)
    assert (0, 1) not in set(zip(found.one.tolist(), found.other.tolist(), strict=True))


@given(v=tiny())
def test_few_tasks_in_common_say_nothing(v: Votes):
    """Any votes are taken, and nothing is said of those who hardly met."""
    found = alike(v, infer(v).posterior)
    assert (found.common >= COMMON_MIN).all()
    assert np.isfinite(found.z).all()


def test_nobody_at_all():
    """No votes: no pairs."""
    none = np.zeros(0, np.int32)
    v = Votes(none, none, none, 3, 2, 2)
    assert len(alike(v, infer(v).posterior).one) == 0
    assert len(voices(v, np.zeros(2, np.int32))) == 0
    assert grid(v, np.zeros(0)).count.sum() == 0
