"""What agents may learn from: never evidence, never themselves, never a copy across the split."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canut.agents.learning import features
from canut.agents.model import items_of
from canut.agents.teaching.lessons import Decided, lesson, near_duplicates
from canut.errors import Conflict
from tests.agents.test_learner import TOPICS, choice_of

STEP = choice_of(*TOPICS)
LETTERS = list("abcdefghijklmnopqrstuvwxyz")
WORDS = ["".join(np.random.default_rng(i).choice(LETTERS, 7)) for i in range(200)]


def decided(titles: list[str], **more: object) -> list[Decided]:
    items = items_of(STEP, [(i, f"r{i}", {"title": title}) for i, title in enumerate(titles)])
    return [
        Decided(item, "blue", decided_at=i, source="people", **more)  # type: ignore[arg-type]
        for i, item in enumerate(items)
    ]


def titles(n: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, 6)) for _ in range(n)]


def test_evidence_is_never_learned_from() -> None:
    """Asking for a task that a licence rests on is an error; near copies of evidence are left
    out, but for those that were there before it was drawn."""
    rows = decided(titles(30))
    with pytest.raises(Conflict, match="task 7 "):
        lesson(STEP, rows, protected={7, 99})
    [copy] = items_of(STEP, [(500, "e", {"title": rows[3].item.payload["title"] + "."})])
    taught = lesson(STEP, rows, protected={500}, evidence=[copy])
    keys = {example.item.key for example in taught.train + taught.validation}
    assert 3 not in keys
    assert taught.left_out["like evidence"] >= 1
    # decided at 3: a copy drawn at 3 or before had not been seen, one drawn later had
    for drawn, learned in ((2, False), (3, False), (4, True)):
        taught = lesson(STEP, rows, protected={500}, evidence=[copy], drawn=[drawn])
        keys = {example.item.key for example in taught.train + taught.validation}
        assert (3 in keys) is learned


def test_agents_do_not_teach_agents() -> None:
    """What an agent decided is left out; a reviewer's trust becomes a weight, by what chance would
    get right."""
    rows = decided(titles(9), trust=0.9) + [
        Decided(item, "red", 50, "agent")
        for item in items_of(STEP, [(100, "x", {"title": "another title altogether"})])
    ]
    taught = lesson(STEP, rows, protected=(), answers=3, share=0.0)
    assert taught.left_out == {"decided by an agent": 1}
    assert {round(example.weight, 3) for example in taught.train} == {0.85}
    guesses = lesson(STEP, decided(titles(3), trust=0.2), protected=(), answers=3, share=0)
    assert all(0 < example.weight <= 0.01 for example in guesses.train)


@given(st.integers(0, 10_000), st.floats(0.05, 0.6))
@settings(max_examples=25, deadline=None)
def test_the_split_is_by_time_and_copies_stay_together(seed: int, share: float) -> None:
    """Validation is newer than everything learned from, no group is on both sides, and every item
    is somewhere or accounted for."""
    rng = np.random.default_rng(seed)
    base = titles(15, seed)
    rows = decided([str(rng.choice(base)) + str(rng.choice(["", ".", "!"])) for _ in range(60)])
    taught = lesson(STEP, rows, protected=(), share=share)
    when = {row.item.key: row.decided_at for row in rows}
    train = [when[example.item.key] for example in taught.train]
    later = [when[example.item.key] for example in taught.validation]
    assert not train or not later or max(train) < min(later)
    assert not {e.group for e in taught.train} & {e.group for e in taught.validation}
    assert len(train) + len(later) + sum(taught.left_out.values()) == len(rows)


def test_near_duplicates_are_found_in_any_order() -> None:
    """Copies with a word more, other case or punctuation share a group with their original; other
    titles do not; and the groups do not depend on the order of the rows."""
    originals = titles(40, 5)
    copies = [f"{title.upper()}, new" for title in originals]
    counts = features.rows(STEP.shape, [{"title": title} for title in originals + copies])
    group = near_duplicates(counts)
    assert np.mean(group[:40] == group[40:]) == 1
    assert len(set(group[:40])) >= 38
    assert (group != 0).all()
    order = np.random.default_rng(0).permutation(80)
    assert (near_duplicates(counts[order]) == group[order]).all()
    assert near_duplicates(counts[:0]).shape == (0,)
