"""The learner: what it learns from few and many examples, and states that cannot harm."""

import csv
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.agents.artefact import MAGIC, pack, unpack
from canut.agents.conformance import sample_examples, sample_items, sample_step
from canut.agents.learning import features, replay
from canut.agents.learning.heads import heads_of, neighbours, written
from canut.agents.learning.learner import LEARNER
from canut.agents.learning.linear import folds
from canut.agents.model import Example, Prediction, Step, items_of, step_of
from canut.errors import Invalid
from canut.processes.model import ItemField, ItemShape, StepDefinition

TOPICS = {
    "blue": "navy azure cobalt sea sky",
    "red": "crimson scarlet ruby rust cherry",
    "green": "olive emerald moss jade lime",
}


def a_step(question: dict[str, Any], *fields: ItemField) -> Step:
    shape = ItemShape(fields=fields or (ItemField("title", "Title"),))
    return step_of(StepDefinition("s", "S", {"title": "What?", **question}, {}), shape)


def choice_of(*values: str) -> Step:
    return a_step({"type": "choice", "options": [{"value": value} for value in values]})


def examples_of(step: Step, rows: Sequence[tuple[dict[str, Any], Any]]) -> list[Example]:
    items = items_of(step, [(i, f"r{i}", payload) for i, (payload, _) in enumerate(rows)])
    return [Example(item, value) for item, (_, value) in zip(items, rows, strict=True)]


def coloured(per_class: int, seed: int = 0) -> list[tuple[dict[str, Any], str]]:
    rng = np.random.default_rng(seed)
    return [
        (
            {"title": f"{' '.join(rng.choice(words.split(), 2))} {rng.choice(['lamp', 'coat'])}"},
            name,
        )
        for _ in range(per_class)
        for name, words in TOPICS.items()
    ]


def taught(step: Step, rows: Sequence[tuple[dict[str, Any], Any]]) -> Any:
    return LEARNER.load(step, LEARNER.load(step, None).learn(examples_of(step, rows)))


def asked(agent: Any, step: Step, *payloads: dict[str, Any]) -> list[Prediction]:
    return agent.answer(items_of(step, [(i, "", p) for i, p in enumerate(payloads)]))


def test_five_examples_a_class_make_sense() -> None:
    """Five examples per class suffice for work that is easy; what resembles nothing is passed
    on."""
    step = choice_of(*TOPICS)
    agent = taught(step, coloured(5))
    rows = coloured(40, seed=1)
    told = asked(agent, step, *(payload for payload, _ in rows))
    right = [p.value == value for p, (_, value) in zip(told, rows, strict=True)]
    assert np.mean(right) > 0.9
    strange = asked(agent, step, {"title": "ΩΩΩ 夢想"}, {})
    assert [p.value for p in strange] == [None, None]


def test_confidence_means_what_it_says() -> None:
    """Where a third of the labels are noise, confidence on new items is near their accuracy, not
    near 1."""
    rng = np.random.default_rng(3)
    names = list(TOPICS)
    rows = [
        ({"title": f"{payload['title']} {rng.integers(1e6)}"},
         names[rng.integers(3)] if rng.random() < 0.5 else value)
        for payload, value in coloured(200, seed=4)
    ]  # fmt: skip
    step = choice_of(*names)
    agent = taught(step, rows[:450])
    told = asked(agent, step, *(payload for payload, _ in rows[450:]))
    right = np.mean([p.value == value for p, (_, value) in zip(told, rows[450:], strict=True)])
    assert abs(np.mean([p.confidence for p in told]) - right) < 0.12
    assert right < 0.85


def test_lessons_add_up() -> None:
    """Two lessons are worth one: learning goes on from the state, and gives the same answers as
    learning everything at once."""
    step = choice_of(*TOPICS)
    rows = coloured(20)
    whole = taught(step, rows)
    first = LEARNER.load(step, None).learn(examples_of(step, rows[:30]))
    state = LEARNER.load(step, first).learn(examples_of(step, rows[30:]))
    parts = LEARNER.load(step, state)
    questions = [payload for payload, _ in coloured(10, seed=2)]
    one, two = (asked(agent, step, *questions) for agent in (whole, parts))
    assert [(p.value, p.confidence) for p in one] == [(p.value, p.confidence) for p in two]


def test_a_reviewer_who_guesses_counts_little() -> None:
    """Weights count: the same texts with contradicting labels follow the heavier reviewer."""
    step = choice_of(*TOPICS)
    rows = coloured(30)
    wrong = [
        ({"title": f"{payload['title']} x"}, "red" if value == "blue" else "blue")
        for payload, value in rows
    ]
    for heavy in (True, False):
        examples = [
            Example(e.item, e.value, weight=1.0 if heavy else 0.02)
            for e in examples_of(step, rows)
        ] + [Example(e.item, e.value, weight=0.02 if heavy else 1.0)
             for e in examples_of(step, wrong)]  # fmt: skip
        agent = LEARNER.load(step, LEARNER.load(step, None).learn(examples))
        [told] = asked(agent, step, {"title": "navy cobalt"})
        assert told.value == ("blue" if heavy else "red")


def test_numbers_scales_and_records() -> None:
    """Fields of an item that are no text are learned from; each question type has its answer."""
    fields = (ItemField("weight", "W", type="number"), ItemField("fragile", "F", type="boolean"))
    rows = [
        ({"weight": w, "fragile": w % 2 == 0}, {"box": "L" if w > 30 else "S", "pad": w % 2 == 0})
        for w in range(2, 62)
    ]
    options = [{"value": "S"}, {"value": "L"}]
    yes_no = [{"value": "yes"}, {"value": "no"}]
    step = a_step(
        {"type": "record", "fields": [
            {"name": "box", "type": "choice", "title": "B", "options": options},
            {"name": "pad", "type": "choice", "title": "P", "options": yes_no},
        ]}, *fields)  # fmt: skip
    answers = [(p, {"box": v["box"], "pad": "yes" if v["pad"] else "no"}) for p, v in rows]
    [small, large] = asked(
        taught(step, answers),
        step,
        {"weight": 5, "fragile": False},
        {"weight": 58, "fragile": True},
    )
    assert (small.value, large.value) == (
        {"box": "S", "pad": "no"}, {"box": "L", "pad": "yes"},
    )  # fmt: skip
    assert set(small.evidence) == {"box", "pad"}
    scale = a_step({"type": "scale", "max": 3, "tolerance": 1}, *fields)
    [point] = asked(
        taught(scale, [(p, 1 + (p["weight"] > 30)) for p, _ in rows]), scale, rows[-1][0]
    )
    assert point.value in (1, 2)
    assert point.confidence > 0.9


def test_a_quantity_is_as_sure_as_it_was_on_items_held_out() -> None:
    """A number whose answers hardly repeat is told as a quantity; its confidence is how often it
    was within the tolerance on items it had not seen."""
    rng = np.random.default_rng(0)
    rows = [
        ({"title": f"{c} pack {rng.integers(1e6)}"}, float(base + rng.random()))
        for c, base in (("small", 10), ("medium", 20), ("large", 90))
        for _ in range(40)
    ]
    for tolerance, least, most in ((12.0, 0.7, 1.0), (0.01, 0.0, 0.2)):
        step = a_step({"type": "number", "tolerance": tolerance, "min": 0})
        [told] = asked(taught(step, rows), step, {"title": "large pack 7"})
        assert abs(told.value - 90) < 20
        assert least <= told.confidence <= most


def test_personal_fields_and_unknown_columns_make_no_difference() -> None:
    """What agents may not see changes nothing, even where it is handed over by mistake."""
    fields = (ItemField("title", "T"), ItemField("name", "N", personal=True))
    shape = ItemShape(fields=fields)
    bare, full = (
        features.rows(shape, [{"title": "a lamp", **more}])
        for more in ({}, {"name": "Ada Lovelace", "extra": "secret"})
    )
    assert (bare != full).nnz == 0
    step = a_step({"type": "text"}, *fields)
    [item] = items_of(step, [(1, "r", {"title": "a", "name": "Ada", "extra": "x"})])
    assert item.payload == {"title": "a"}


@given(st.lists(st.text(max_size=30), max_size=8), st.integers(0, 7))
def test_a_row_does_not_depend_on_its_company(texts: list[str], at: int) -> None:
    """Any text has the same n-grams alone and among others, whatever its characters."""
    shape = ItemShape(fields=(ItemField("t", "T"),))
    together = features.rows(shape, [{"t": text} for text in texts])
    for i, text in enumerate(texts[at : at + 1], at):
        alone = features.rows(shape, [{"t": text}])
        assert (alone != together[i]).nnz == 0


def test_near_duplicates_share_a_fold() -> None:
    """Held-out rows have no near duplicate among those learned from."""
    group = np.repeat(np.arange(20), 3)
    fold = folds(np.arange(60) % 4, group, 3)
    assert all(len(set(fold[group == g])) == 1 for g in range(20))
    assert set(fold) == {0, 1, 2}


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound, rare answers keep their examples and frequent ones their newest."""
    monkeypatch.setattr(replay, "ROWS_MAX", 12)
    step = choice_of("a", "b")
    rows = [({"title": f"apple {i}"}, "a") for i in range(40)] + [
        ({"title": f"banana {i}"}, "b") for i in range(3)
    ]
    state = LEARNER.load(step, None).learn(examples_of(step, rows))
    header, arrays = unpack("learner/1", state)
    assert len(arrays["replay.value"]) == 12
    of_b = header["values"].index('"b"')
    assert (arrays["replay.value"] == of_b).sum() == 3


def _states() -> tuple[Step, bytes, dict[str, Any], dict[str, Any]]:
    step = sample_step("choice")
    state = LEARNER.load(step, None).learn(sample_examples(step, "choice"))
    return step, state, *unpack("learner/1", state)


HOSTILE = {
    "a column beyond the table": ("replay.column", lambda a: a + (1 << 20)),
    "a negative column": ("replay.column", lambda a: a * 0 - 1),
    "rows that run backwards": ("replay.starts", lambda a: a[::-1].copy()),
    "rows beyond the numbers": ("replay.starts", lambda a: a * 2),
    "an answer that is not there": ("replay.value", lambda a: a + 1000),
    "a weight that is no number": ("replay.weight", lambda a: a * np.nan),
    "columns out of order": ("kept", lambda a: a[::-1].copy()),
    "columns beyond the table": ("kept", lambda a: a + (1 << 20)),
    "weights of another model": ("0.weights", lambda a: a[:, :-1].copy()),
    "weights that are no numbers": ("0.weights", lambda a: a * np.float16(np.inf)),
    "wide integers": ("replay.value", lambda a: a.astype(np.int64)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_state_is_refused(name: str) -> None:
    """Indices that point elsewhere, which compiled code would follow, never get that far."""
    step, state, header, arrays = _states()
    assert pack("learner/1", header, arrays) == state
    array, change = HOSTILE[name]
    with pytest.raises(Invalid):
        LEARNER.load(step, pack("learner/1", header, {**arrays, array: change(arrays[array])}))


def test_a_state_runs_no_code_and_fills_no_memory(tmp_path: Path) -> None:
    """A pickle is no state; nor are a few bytes that unpack to gigabytes, nor objects."""
    ran = tmp_path / "ran"

    class Bomb:
        def __reduce__(self) -> Any:
            return ran.touch, ()

    step = sample_step("choice")
    length = (1).to_bytes(4, "little")
    header = (
        b'{"kind":"learner/1","meta":{},"arrays":[{"name":"kept","type":"<i4",'
        b'"shape":[4000000000000],"packed":0}]}'
    )
    objects = header.replace(b"<i4", b"|O")
    for bad in (
        pickle.dumps(Bomb()), MAGIC, MAGIC + length + b"[", MAGIC + b"\xff" * 4,
        MAGIC + len(header).to_bytes(4, "little") + header,
        MAGIC + len(objects).to_bytes(4, "little") + objects,
    ):  # fmt: skip
        with pytest.raises(Invalid):
            LEARNER.load(step, bad)
    assert not ran.exists()
    with pytest.raises(TypeError):
        pack("x", {}, {"a": np.array([object()])})


def test_any_flipped_byte_is_refused_or_harmless() -> None:
    """A damaged state is refused, or still answers: never a crash."""
    step, state, _, _ = _states()
    items = sample_items(step)
    rng = np.random.default_rng(0)
    refused = 0
    for place in rng.integers(0, len(state), 120).tolist():
        bad = bytearray(state)
        bad[place] ^= 1 << int(rng.integers(8))
        try:
            LEARNER.load(step, bytes(bad)).answer(items)
        except Invalid:
            refused += 1
    assert refused > 60


@pytest.mark.slow
@pytest.mark.shared
def test_real_messages_are_learned(shared: Path) -> None:
    """Twenty messages for each of 77 intents: at least 0.78 right on the test set."""
    folder = shared / "support" / "banking77"
    train, test = (
        list(csv.DictReader((folder / f"{part}.csv").read_text("utf-8").splitlines()))
        for part in ("train", "test")
    )
    names = sorted({row["category"] for row in train})
    options = [{"value": name} for name in names]
    step = a_step({"type": "choice", "options": options}, ItemField("text", "T"))
    few = [row for name in names for row in [r for r in train if r["category"] == name][:20]]
    agent = taught(step, [(row, row["category"]) for row in few])
    told = asked(agent, step, *test)
    right = np.mean([p.value == row["category"] for p, row in zip(told, test, strict=True)])
    assert right > 0.78


@given(st.floats(0, 5), st.floats(0, 0.5), st.lists(st.floats(-50, 50), min_size=2, max_size=6))
def test_neighbours_are_those_the_question_takes_for_the_same(
    tolerance: float, share: float, numbers: list[float]
) -> None:
    """The table of numbers near each other says what `agree` says of each pair."""
    definition = {"type": "number", "tolerance": tolerance, "relative_tolerance": share}
    [head] = heads_of(a_step(definition).question)
    answers = sorted({written(number) for number in numbers})
    near = neighbours(head, answers)
    values = [head.question.normalise(float(answer)) for answer in answers]
    assert near is not None
    assert near.tolist() == [[head.question.agree(a, b) for b in values] for a in values]
