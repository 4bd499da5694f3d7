"""Licences in parts over simulated work: what is granted where, and how often wrongly."""

from collections.abc import Callable

import msgspec
import numpy as np
from msgspec import structs

from canut.quality.licences.slices import Slices, review
from canut.quality.model import BlindAnswer, Licence

#: blind answers of a run, and between two looks
EVIDENCE, LOOK_EVERY = 4000, 1000
#: runs, at most: each has many looks at many slices
RUNS_MAX = 200
#: slope of errors by (1 - sure) in each slice, or None for random labels; slices are equally large
WORK: dict[str, dict[str, float | None]] = {
    "four good": {"a": 0.2, "b": 0.2, "c": 0.2, "d": 0.2},
    "three good, one random": {"a": 0.2, "b": 0.2, "c": 0.2, "d": None},
    "four just not good enough": {"a": 0.8, "b": 0.8, "c": 0.8, "d": 0.8},
}
#: (threshold, slope) -> share of wrong answers above it
TrueError = Callable[[float, float], float]


def parted(seeds: int, error_max: float, delta: float, true_error: TrueError) -> float:
    """The share of runs in which any slice was granted a threshold above which more than
    `error_max` is wrong there, of the worst kind of work. `delta` bounds it."""
    runs_of = min(seeds, RUNS_MAX)
    print(f"\nlicences in four parts, {runs_of} runs of {EVIDENCE} blind answers over all of them,")
    print(f"looked at every {LOOK_EVERY}; decided alone: share of the work, at the end")
    print(f"{'work':<28}{'violated':>9}{'in parts':>9}{'undivided':>10}{'at random':>10}")
    worst = 0.0
    for name, slopes in WORK.items():
        runs = [
            _run(np.random.default_rng([17, seed]), slopes, error_max, delta, true_error)
            for seed in range(runs_of)
        ]
        violated, alone, undivided, at_random = np.array(runs).mean(axis=0)
        print(f"{name:<28}{violated:>9.1%}{alone:>9.1%}{undivided:>10.1%}{at_random:>10.1%}")
        worst = max(worst, violated)
    return worst


def _run(
    rng: np.random.Generator,
    slopes: dict[str, float | None],
    error_max: float,
    delta: float,
    true_error: TrueError,
) -> tuple[float, float, float, float]:
    names = rng.choice(list(slopes), EVIDENCE)
    sure = rng.beta(4, 1, EVIDENCE)
    rates = [
        0.5 if slopes[n] is None else (slopes[n] or 0.0) * (1 - s)
        for n, s in zip(names, sure, strict=True)
    ]
    wrong = rng.random(EVIDENCE) < rates
    answers = [
        BlindAnswer(i, 1, float(s), bool(w), str(n))
        for i, (s, w, n) in enumerate(zip(sure, wrong, names, strict=True))
    ]
    licence, violated = beginner(error_max, delta, {"by": "part", "most": 8}), False
    whole = structs.replace(licence, slices=None)
    at_random = False
    for n in range(LOOK_EVERY, EVIDENCE + 1, LOOK_EVERY):
        licence = after_look(licence, answers[:n])
        whole = after_look(whole, answers[:n])
        held = msgspec.convert(licence.slices, Slices).parts or []
        for one in held:
            slope = slopes.get(one.name)
            if one.threshold is None:
                continue
            at_random |= slope is None
            violated |= slope is None or true_error(one.threshold, slope) > error_max
    return violated, decided_alone(licence), decided_alone(whole), at_random


def after_look(licence: Licence, answers: list[BlindAnswer]) -> Licence:
    """The licence once a look at this evidence has been acted on."""
    found = review(licence, answers, 30_000)
    kept = {"rungs": found.rungs or licence.rungs, "slices": found.slices}
    if found.becomes == "same":
        return structs.replace(licence, finding=found.finding, **kept)
    root = licence.root if found.slices or found.becomes != "narrowed" else licence.id + 1
    return structs.replace(
        licence, id=licence.id + 1, version=licence.version + 1, root=root,
        state="earning" if found.threshold is None else "in_force",
        threshold=found.threshold, finding=found.finding, **kept,
    )  # fmt: skip


def decided_alone(licence: Licence) -> float:
    """Share of the work that it lets its holder decide."""
    finding = msgspec.to_builtins(licence.finding) or {}
    return float(finding.get("coverage", 0.0)) if licence.state == "in_force" else 0.0


def beginner(error_max: float, delta: float, slices: dict[str, object] | None) -> Licence:
    """A licence that is being earned."""
    return Licence(
        id=1, contributor_id=1, process_id=1, step_slug="", version=1, root=1, root_version=1,
        state="earning", basis="", error_max=error_max, delta=delta, threshold=None, rungs=None,
        seed="", stream_ppm=0, finding=None, standing=None, flagged_ms=None, started_ms=0,
        granted_ms=None, ended_ms=None, reason="", slices=slices,
    )  # fmt: skip
