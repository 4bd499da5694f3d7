"""What the learner has learned: fitted per head, and told of new rows."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from canut.agents.learning.features import Rows
from canut.agents.learning.heads import ABSENT, Head, Kind, neighbours, right_enough
from canut.agents.learning.linear import (
    Columns,
    Float64,
    Int64,
    Model,
    chances,
    fit_one,
    fit_several,
    fit_size,
    probabilities,
)  # fmt: skip
from canut.agents.learning.replay import Replay, nothing

Told = tuple[Any, float, dict[str, Any]]
Named = Callable[[Sequence[str]], Rows]


class Part(Struct, frozen=True):
    """What was learned for one head."""

    kind: Kind
    #: canonical JSON of the K answers that may be given; of a size, the smallest and largest seen
    answers: tuple[str, ...]
    model: Model
    #: examples of each answer
    seen: tuple[int, ...]
    #: probability that an item has an answer that was never seen; for a size, that it is wrong
    missing: float


class Learned(Struct, frozen=True):
    """What was learned for a step."""

    columns: Columns | None = None
    parts: tuple[Part, ...] = ()
    replay: Replay = nothing()


def fit_part(
    head: Head, x: Rows, replay: Replay, answers: Sequence[str], named: Named, seed: int
) -> Part:
    """Learn one head from all that is remembered: `x` are its rows, `named` reads the names of
    answers the same way."""
    by_value = [head.part(msgspec.json.decode(value)) for value in replay.values]
    asked = np.array([part is not None for part in by_value], bool)
    rows = np.flatnonzero(asked[replay.value])
    told = [by_value[value] or "" for value in replay.value[rows]]
    x, weight, group = x[rows], replay.weight[rows], replay.group[rows]
    kind = head.kind(told)
    if kind == "several":
        return _several(answers, x, told, weight, group, seed)
    if kind == "size":
        return _size(head, x, told, weight, group)
    place = {answer: i for i, answer in enumerate(answers)}
    label = np.fromiter((place[answer] for answer in told), np.int64, len(told))
    names = head.named()
    hint = named([names[answer] for answer in answers if answer in names])
    model = fit_one(x, label, len(answers), weight, group, hint, seed)
    seen = np.bincount(label, minlength=len(answers))
    missing = _unseen(head, seen, label, group)
    return Part("one", tuple(answers), _halved(model), tuple(seen.tolist()), missing)


def told(head: Head, part: Part, x: Rows) -> list[Told]:
    """Value (as the question normalises it, None where left out), confidence and evidence of each
    row."""
    if part.kind == "several":
        return _told_several(head, part, x)
    if part.kind == "size":
        return _told_size(head, part, x)
    chance = probabilities(part.model, part.model.margins(x))
    near = neighbours(head, part.answers)
    right = chance if near is None else np.minimum(chance @ near.T.astype(np.float64), 1.0)
    if right.shape[1] > 1:
        second, best = np.argpartition(right, -2, axis=1)[:, -2:].T
        swap = right[np.arange(len(right)), second] > right[np.arange(len(right)), best]
        best, second = np.where(swap, second, best), np.where(swap, best, second)
    else:
        best = second = np.zeros(len(right), np.int64)
    rows = np.arange(len(right))
    sure = right[rows, best] * (1 - part.missing)
    next_sure = (right[rows, second] * (1 - part.missing)).round(4)
    values = [_value(answer) for answer in part.answers]
    # plain lists: numpy numbers are no JSON, and slow one by one
    return [
        (values[b], s, {"examples": part.seen[b], "next": [values[n], t]})
        for b, s, n, t in zip(
            best.tolist(), sure.tolist(), second.tolist(), next_sure.tolist(), strict=True
        )
    ]


def _unseen(head: Head, seen: Int64, label: Int64, group: Int64) -> float:
    """Probability of an answer never seen: the share of examples whose answer was seen once (Good,
    1953), near duplicates counted once; never under what so few examples can exclude."""
    if not len(label):
        return 1.0
    pairs = np.unique(np.stack([label, group]), axis=1)[0]
    once = int((np.bincount(pairs) == 1).sum())
    closed = head.closed()
    possible = closed is None or int((seen > 0).sum()) < len(closed)
    return max(once / len(pairs) if possible else 0.0, 1.0 / (len(pairs) + 2))


def _several(
    answers: Sequence[str], x: Rows, told: list[str], weight: Float64, group: Int64, seed: int
) -> Part:
    place = {answer: k for k, answer in enumerate(answers)}
    picked = np.zeros((len(told), len(answers)), bool)
    for i, listed in enumerate(told):
        if listed != ABSENT:
            picked[i, [place[_encoded(option)] for option in msgspec.json.decode(listed)]] = True
    model = fit_several(x, picked, weight, group, seed)
    seen = tuple(picked.sum(axis=0).tolist())
    return Part("several", tuple(answers), _halved(model), seen, 1.0 / (len(told) + 2))


def _told_several(head: Head, part: Part, x: Rows) -> list[Told]:
    chance = chances(part.model, part.model.margins(x))
    question = head.question
    values = [_value(answer) for answer in part.answers]
    least, most = getattr(question, "min", 0), getattr(question, "max", len(values))
    rows: list[Told] = []
    for chance_of in chance:
        ranked = np.argsort(-chance_of, kind="stable")
        likely = int((chance_of > 0.5).sum())
        picked = np.sort(ranked[: min(max(likely, least), most)])
        chosen = np.zeros(len(values), bool)
        chosen[picked] = True
        sure = float(np.where(chosen, chance_of, 1 - chance_of).min()) * (1 - part.missing)
        rows.append(([values[k] for k in picked], sure, {}))
    return rows


def _size(head: Head, x: Rows, told: list[str], weight: Float64, group: Int64) -> Part:
    size = np.array([msgspec.json.decode(value) for value in told], np.float64)
    model, out, held = fit_size(x, size, weight, group)
    pairs = zip(out.tolist(), size[held].tolist(), strict=True)
    near = [right_enough(head.question, _shaped(head, guess), right) for guess, right in pairs]
    # a run of luck on few rows is not believed
    wrong = 1 - (sum(near) + 1) / (len(near) + 2)
    seen = (_encoded(float(size.min())), _encoded(float(size.max())))
    return Part("size", seen, _halved(model), (), wrong)


def _told_size(head: Head, part: Part, x: Rows) -> list[Told]:
    # beyond what was seen, a straight line knows nothing
    low, high = (msgspec.json.decode(answer) for answer in part.answers)
    guesses = np.clip(part.model.margins(x)[:, 0], low, high).tolist()
    return [(_shaped(head, guess), 1 - part.missing, {}) for guess in guesses]


def _shaped(head: Head, guess: float) -> int | float:
    """The nearest number that the question takes."""
    question: Any = head.question
    low = -1e15 if question.min is None else question.min
    high = 1e15 if question.max is None else question.max
    guess = min(max(guess, low), high)
    return round(guess) if question.integer else float(guess)


def _halved(model: Model) -> Model:
    """As it will be thawed: half precision is enough, and the same before and after."""
    rounded = model.weights.astype(np.float16).astype(np.float32)
    return Model(rounded, model.offset, model.sharpness, model.shift)


def _value(answer: str) -> Any:
    return None if answer == ABSENT else msgspec.json.decode(answer)


def _encoded(value: Any) -> str:
    return msgspec.json.encode(value).decode()
