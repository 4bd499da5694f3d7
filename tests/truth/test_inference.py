"""Estimators with a confusion matrix and their kin: oracles, invariances, hard corners."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canut.truth.bayes import one_coin
from canut.truth.confusion import backed_off_confusion, backoff, dawid_skene, refine
from canut.truth.grid import grid, softmax, summed
from canut.truth.methods import METHODS, infer
from canut.truth.pool import pooled
from canut.truth.votes import Float64, Votes
from canut.truth.voting import wawa
from tests.truth.crowds import coins, simulated, tiny

#: those whose start is not random
DETERMINED = sorted(set(METHODS) - {"ebcc", "leaning"})


def votes(rows: list[tuple[int, int, int]], n_tasks: int, n_people: int, n_classes: int) -> Votes:
    columns = np.array(rows, np.int32).reshape(-1, 3)
    return Votes(columns[:, 0], columns[:, 1], columns[:, 2], n_tasks, n_people, n_classes)


@pytest.mark.parametrize("method", METHODS)
@given(v=tiny())
def test_any_votes_give_probabilities(method: str, v: Votes):
    """Protects against NaN and warnings (which are errors here) in every corner: no votes, one
    class, one contributor, all disagree, somebody answering one task twice."""
    belief = infer(v, method)
    assert belief.posterior.shape == (v.n_tasks, v.n_classes)
    assert belief.posterior.dtype == np.float64
    assert np.allclose(belief.posterior.sum(1), 1, atol=1e-6)
    assert belief.posterior.min() >= 0
    assert belief.skill.shape == (v.n_contributors,)
    assert belief.skill.min() >= 0
    assert belief.skill.max() <= 1


@pytest.mark.parametrize("method", METHODS)
@given(v=tiny(), data=st.data())
def test_the_order_of_the_votes_does_not_matter(method: str, v: Votes, data: st.DataObject):
    """Protects decisions from the order in which answers were stored."""
    order = data.draw(st.permutations(range(len(v.task))))
    i = np.array(order, np.int64)
    mixed = Votes(v.task[i], v.contributor[i], v.label[i], *_shape(v))
    assert np.allclose(infer(v, method).posterior, infer(mixed, method).posterior, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
@given(v=tiny(), data=st.data())
def test_names_of_contributors_do_not_matter(method: str, v: Votes, data: st.DataObject):
    """Protects against favour by number; skills follow their owners."""
    name = np.array(data.draw(st.permutations(range(v.n_contributors))), np.int32)
    renamed = Votes(v.task, name[v.contributor], v.label, *_shape(v))
    one, other = infer(v, method), infer(renamed, method)
    assert np.allclose(one.posterior, other.posterior, atol=1e-4)
    assert np.allclose(one.skill, other.skill[name], atol=1e-4)


@pytest.mark.parametrize("method", DETERMINED)
@given(seed=st.integers(0, 1000), relabel=st.permutations(range(3)))
@settings(max_examples=25, deadline=None)
def test_names_of_classes_do_not_matter(method: str, seed: int, relabel: list[int]):
    """Protects against favour for a class. (On crowds without ties: Wawa, the start of others,
    must break those by number.)"""
    v, _ = simulated(seed, 30, 3, coins(np.array([0.9, 0.8, 0.7, 0.75, 0.85]), 3))
    ranked = np.sort(grid(v).count, axis=1)
    if (ranked[:, -1] == ranked[:, -2]).any():
        keep = np.flatnonzero(ranked[:, -1] > ranked[:, -2])
        here = np.isin(v.task, keep)
        v = Votes(v.task[here], v.contributor[here], v.label[here], *_shape(v))
    name = np.array(relabel, np.int32)
    renamed = Votes(v.task, v.contributor, name[v.label], *_shape(v))
    expected, got = infer(v, method).posterior, infer(renamed, method).posterior
    assert np.allclose(expected, got[:, name], atol=2e-3)


def _shape(v: Votes) -> tuple[int, int, int]:
    return v.n_tasks, v.n_contributors, v.n_classes


def test_the_sparse_product_is_the_sum_over_all_worlds():
    """An oracle: for known confusion matrices the posterior of each task is the share of the
    probability of all assignments of classes to tasks in which it has the class."""
    chance = np.random.default_rng(1)
    n_tasks, n_people, n_classes = 4, 3, 3
    rows = [(i, j, int(chance.integers(n_classes))) for i in range(4) for j in range(3)][:10]
    v = votes(rows, n_tasks, n_people, n_classes)
    confusion = chance.dirichlet(np.ones(n_classes), (n_people, n_classes))  # j, true, said
    balance = np.array([0.5, 0.3, 0.2])

    expected = np.zeros((n_tasks, n_classes))
    for world in itertools.product(range(n_classes), repeat=n_tasks):
        weight = math.prod(balance[k] for k in world)
        weight *= math.prod(confusion[j, world[i], k] for i, j, k in rows)
        expected[np.arange(n_tasks), world] += weight
    expected /= expected.sum(1, keepdims=True)

    got = softmax(summed(grid(v), np.log(confusion).transpose(0, 2, 1)) + np.log(balance))
    assert np.allclose(got, expected, atol=1e-12)


def _one_round(v: Votes, z: Float64, balance: bool) -> Float64:
    """One round of backoff, told in loops from its description."""
    n_tasks, n_people, n_classes = _shape(v)
    counts = np.zeros((n_people, n_classes, n_classes))  # j, said, true
    for i, j, k in zip(v.task, v.contributor, v.label, strict=True):
        counts[j, k] += z[i]
    everybody = counts.sum(0)
    mean = (np.trace(everybody) + 0.7) / (everybody.sum() + 1)
    score = np.zeros((n_tasks, n_classes))
    if balance:
        score += np.log(z.mean(0))
    for i, j, said in zip(v.task, v.contributor, v.label, strict=True):
        skill = (np.trace(counts[j]) + 7) / (counts[j].sum() + 10)
        for true in range(n_classes):
            n = counts[j, :, true].sum()
            by_class = (everybody[true, true] + 20 * mean) / (everybody[:, true].sum() + 20)
            odds = skill / (1 - skill) * by_class / (1 - by_class) * (1 - mean) / mean
            on = odds / (1 + odds)
            wrong = everybody[:, true] + 20 / (n_classes - 1)
            wrong[true] = 0
            base = on if said == true else (1 - on) * wrong[said] / wrong.sum()
            score[i, true] += np.log((counts[j, said, true] + 5 * base) / (n + 5))
    likely = np.exp(score - score.max(1, keepdims=True))
    return np.asarray(likely / likely.sum(1, keepdims=True))


@given(v=tiny(), balance=st.booleans())
def test_a_round_of_backoff_is_what_its_description_says(v: Votes, balance: bool):
    """An oracle, in loops, for the sparse and folded computation."""
    if v.n_classes < 2 or not len(v.task):
        return
    of = grid(v)
    start = wawa(of).posterior
    smooth = 0.9 * start + 0.1 / v.n_classes
    got = refine(of, smooth, (balance,), rounds=1)[0].T
    assert np.allclose(got, _one_round(v, smooth, balance), atol=1e-4)


@given(v=tiny())
def test_models_side_by_side_are_the_models_alone(v: Votes):
    """Protects the folding of two models into one product."""
    if v.n_classes < 2 or not len(v.task):
        return
    of = grid(v)
    start = wawa(of).posterior
    both = refine(of, start, (True, False), rounds=2)
    for m, balance in enumerate((True, False)):
        # an early stop looks at all models together, so alone they may take a round less
        alone = refine(of, start, (balance,), rounds=2)
        assert np.abs(both[m] - alone[0]).mean() < 5e-3


def test_tasks_are_worked_on_in_parts(monkeypatch: pytest.MonkeyPatch):
    """Protects large steps: cut into parts, tasks get the belief they get together."""
    v, _ = simulated(5, 100, 4, coins(np.linspace(0.5, 0.9, 8), 3))
    whole = [estimate(grid(v)) for estimate in (pooled, dawid_skene)]
    for module in ("grid", "voting", "pool"):
        monkeypatch.setattr(f"canut.truth.{module}.BLOCK", 7)
    for estimate, one in zip((pooled, dawid_skene), whole, strict=True):
        assert np.allclose(estimate(grid(v)).posterior, one.posterior, atol=1e-5)


@pytest.mark.parametrize("label", range(3))
def test_odds_beyond_what_a_float_holds(label: int):
    """Protects the sums of exponentials: 3,000 who agree are neither infinitely sure nor lost."""
    task, contributor = np.divmod(np.arange(6000, dtype=np.int32), 3000)
    said = np.where(task == 0, label, (label + 1) % 3).astype(np.int32)
    of = grid(Votes(task, contributor, said, 2, 3000, 3))
    for estimate in (backoff, dawid_skene, pooled):
        posterior = estimate(of).posterior
        assert np.allclose(posterior.sum(1), 1)
        assert posterior.argmax(1).tolist() == [label, (label + 1) % 3]


def test_rows_of_a_confusion_matrix_are_probabilities():
    """Protects the backing off: every row sums to 1; a stranger is right about 70% of the time,
    more on the classes that are easy for others."""
    counts = np.zeros((3, 3, 2))
    counts[:, :, 0] = [[50, 1, 2], [3, 40, 1], [0, 5, 60]]
    confusion = backed_off_confusion(counts)
    assert np.allclose(confusion.sum(0), 1)
    stranger = np.einsum("kkj->kj", confusion)[:, 1]
    assert stranger.mean() == pytest.approx(0.7, abs=0.02)
    assert stranger[1] < stranger[0] < stranger[2]


def test_one_coin_weighs_by_record():
    """One who agrees with all others outweighs two who agree with nobody."""
    rows = [(i, j, i % 3) for i in range(30) for j in (0, 1, 2)]
    rows += [(i, j, (i + 1 + (i + j) % 2) % 3) for i in range(30) for j in (3, 4)]
    rows += [(30, 0, 0), (30, 3, 1), (30, 4, 1)]
    belief = one_coin(grid(votes(rows, 31, 5, 3)))
    assert belief.posterior[30].argmax() == 0
    assert belief.skill[:3].min() > 0.8
    assert belief.skill[3:].max() < 0.25


@pytest.mark.parametrize("method", ["backoff", "dawid_skene", "ebcc", "canut"])
def test_a_shared_confusion_is_undone(method: str):
    """Contributors who call half of class 1 class 0 are seen through by those who do not; the
    majority is not enough."""
    confusion = coins(np.full(12, 0.9), 2)
    confusion[:5, 1] = [0.65, 0.35]
    v, truth = simulated(3, 1500, 6, confusion)
    counted = (infer(v, "majority").posterior.argmax(1) == truth).mean()
    modelled = (infer(v, method).posterior.argmax(1) == truth).mean()
    assert modelled > counted + 0.01


@pytest.mark.parametrize("method", ["glad", "one_coin", "wawa", "backoff", "canut"])
def test_skill_is_found(method: str):
    """Protects the second half of the interface: who is good."""
    skill = np.array([0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.4])
    v, _ = simulated(4, 1200, 5, coins(skill, 4))
    found = infer(v, method).skill
    assert np.corrcoef(found, skill)[0, 1] > 0.95


def test_more_than_fits_is_refused():
    """Protects the memory of the machine, and says what is out of range."""
    with pytest.raises(ValueError, match="too much"):
        grid(votes([], 100_000, 1, 10_000))
    with pytest.raises(ValueError, match=r"label is not in 0\.\.1"):
        grid(votes([(0, 0, 2)], 1, 1, 2))
    with pytest.raises(ValueError, match="at least one class"):
        grid(votes([], 1, 1, 0))


def test_the_default_is_the_pool():
    """Protects what "canut" means in the benches."""
    v, _ = simulated(5, 100, 3, coins(np.full(5, 0.8), 3))
    assert np.array_equal(infer(v).posterior, pooled(grid(v)).posterior)
    assert not np.array_equal(infer(v).posterior, backoff(grid(v)).posterior)
