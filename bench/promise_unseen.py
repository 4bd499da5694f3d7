"""Licences where one person who agrees is enough for most blind answers: how often wrongly granted,
when people make the agent's errors too."""

from collections.abc import Callable

import numpy as np

from bench.promise_slices import RUNS_MAX, after_look, beginner, decided_alone
from canut.quality.licences.unseen import LONE_PPM, Confirmed
from canut.quality.model import BlindAnswer
from canut.truth.designs import PPM

#: blind answers of a run, and between two looks
EVIDENCE, LOOK_EVERY = 1500, 100
#: how many are in when coverage is told first
EARLY = 600
#: chance of an error: that of every answer, and the slope by (1 - sure)
WORK = {"0.3 x (1 - sure)": (0.0, 0.3), "0.8 x (1 - sure)": (0.0, 0.8), "5.1% of all": (0.051, 0.0)}
#: share of the agent's errors that a person makes too; None: two are always asked
CONFIRMS: tuple[float | None, ...] = (None, 0.0, 0.1, 0.3, 0.5, 0.8, 1.0)
#: (threshold, slope) -> share of wrong answers above it
TrueError = Callable[[float, float], float]


def judged_by_one(seeds: int, error_max: float, delta: float, true_error: TrueError) -> float:
    """The share of runs in which a threshold was granted, at any look, above which more than
    `error_max` is wrong, of the worst kind of people. `delta` bounds it."""
    runs_of = min(seeds, RUNS_MAX)
    print(f"\nlicences where one who agrees is enough, {runs_of} runs of {EVIDENCE} blind answers,")
    print(f"looked at every {LOOK_EVERY}; people err in 8% of tasks, and there as the agent does")
    print(
        f"{'contributor':<26}{'as agent':>9}{'licensed':>9}{f'at {EARLY}':>9}{'at end':>9}"
        f"{'violated':>9}{'answers':>9}"
    )
    worst = 0.0
    for name, errs in WORK.items():
        for confirms in CONFIRMS:
            runs = [
                _run(
                    np.random.default_rng([23, seed]), errs, confirms, error_max, delta, true_error
                )
                for seed in range(runs_of)
            ]
            licensed, early, end, violated, answers = np.array(runs).mean(axis=0)
            told = "two" if confirms is None else confirms
            print(
                f"{name:<26}{told:>9}{licensed:>9.1%}{early:>9.1%}{end:>9.1%}"
                f"{violated:>9.1%}{answers:>9.2f}"
            )
            worst = max(worst, violated)
    return worst


def _run(
    rng: np.random.Generator,
    errs: tuple[float, float],
    confirms: float | None,
    error_max: float,
    delta: float,
    true_error: TrueError,
) -> tuple[float, float, float, float, float]:
    """Licensed, decided alone when `EARLY` answers were in and at the end, violated, people's
    answers to each task."""
    base, slope = errs
    sure = rng.beta(4, 1, EVIDENCE)
    wrong = rng.random(EVIDENCE) < base + slope * (1 - sure)
    confirmed = wrong & (rng.random(EVIDENCE) < (confirms or 0.0))
    one = rng.random(EVIDENCE) < (0.0 if confirms is None else LONE_PPM / PPM)
    differs = np.where(wrong, ~confirmed, rng.random(EVIDENCE) < 0.08)
    licence, seen, violated, early, asked = beginner(error_max, delta, None), [], False, 0.0, 0
    known = Confirmed()
    for n in range(EVIDENCE):
        alone = bool(one[n]) and known.one_is_enough(error_max)
        bad = bool(wrong[n]) and not (alone and bool(confirmed[n]))
        shared = None if alone else not differs[n]
        seen.append(BlindAnswer(n, 1, float(sure[n]), bad, lone=alone, confirmed=shared))
        asked += 1 if alone and not differs[n] else 3 if differs[n] else 2
        if not alone:
            found = known.wrong + bad, known.confirmed + int(bad and bool(shared))
            known = Confirmed(known.judged + 1, *found)
        if (n + 1) % LOOK_EVERY:
            continue
        licence = after_look(licence, seen)
        held = licence.threshold if licence.state == "in_force" else None
        violated |= held is not None and base + true_error(held, slope) > error_max
        early = decided_alone(licence) if n + 1 == EARLY else early
    licensed = licence.state == "in_force"
    return licensed, early, decided_alone(licence), violated, asked / EVIDENCE
