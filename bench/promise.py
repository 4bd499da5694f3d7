"""What the promises are worth: certificates and licences over simulated steps, looked at after
every audit.

    python -m bench.promise --seeds 500

Certificates: true error below, at and above the promise of 2%, against Clopper-Pearson planned for
one look and against the same looked at every time. Licences: granted on growing evidence, as a
whole and part by part, then in force on streams that stay, jump or drift. The last line is one JSON
object.
"""

import argparse
import itertools
import json
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import exact
from bench.promise_slices import parted
from bench.promise_unseen import judged_by_one
from canut.quality.licences import thresholds as licences
from canut.quality.licences import watch as drift
from canut.truth import bounds
from canut.truth.designs import PPM, Design, weights

PROMISE, DELTA = 0.02, 0.05
#: audits after which a run that has proved nothing is given up
AUDITS_MAX = 5000
#: decisions of the batch from which draws by risk are made
DECISIONS = 10_000
#: shape of the beta law of calibrated risk: the smaller, the fewer decisions hold most of the risk
RISK_SHAPES = (0.1, 0.3, 1.0)

Rng = np.random.Generator
Float64 = NDArray[np.float64]
Run = Callable[[Rng], float]


def first(over: NDArray[np.bool_]) -> float:
    """After how many audits it is proved first; inf if never."""
    return float(np.argmax(over)) + 1 if over.any() else math.inf


def uniform(rate: float) -> Run:
    """A stream, or a batch so large that it makes no difference."""

    def run(rng: Rng) -> float:
        wrong = rng.random(AUDITS_MAX) < rate
        return first(bounds.running(PROMISE, wrong.astype(float)) >= -math.log(DELTA))

    return run


def batch(size: int, errors: int) -> Run:
    """A batch, drawn without replacement."""
    null = bounds.errors_allowed(PROMISE, size) + 1

    def run(rng: Rng) -> float:
        wrong = rng.permutation(size) < errors
        return first(bounds.running_batch(null, wrong, size) >= -math.log(DELTA))

    return run


def risky_batch(rng: Rng, rate: float, shape: float) -> tuple[Float64, Float64, float]:
    """A batch with calibrated risks and exactly as many errors as `rate` says, where likely:
    the probability of each decision in one draw, what it then counts, the largest weight."""
    risk = rng.beta(shape, shape * (1 - rate) / rate, DECISIONS)
    ppm = np.round(risk * PPM).astype(np.int64)
    key = np.log(np.maximum(rng.random(DECISIONS), 1e-300)) / np.maximum(risk, 1e-12)
    weight = weights(Design("risk", ""), DECISIONS, ppm)
    loss = np.zeros(DECISIONS)
    wrong = np.argsort(key)[-math.ceil(rate * DECISIONS) :]
    loss[wrong] = weight[wrong]
    return 1 / (DECISIONS * weight), loss, float(weight.max())


def by_risk(rate: float, shape: float) -> Run:
    """Draws by the design `risk`."""

    def run(rng: Rng) -> float:
        chance, loss, most = risky_batch(rng, rate, shape)
        drawn = rng.choice(DECISIONS, AUDITS_MAX, p=chance / chance.sum())
        return first(bounds.running(PROMISE, loss[drawn], most) >= -math.log(DELTA))

    return run


def exact_by_risk(shape: float, seeds: int) -> float:
    """The chance of a false certificate in such batches that are exactly at the promise."""
    runs = (np.random.default_rng([5, seed]) for seed in range(seeds))
    parts = [exact.by_risk(rng, *risky_batch(rng, PROMISE, shape), DELTA) for rng in runs]
    return float(np.mean(parts))


def clopper_pearson() -> tuple[NDArray[np.int64], int]:
    """The fewest audits at which k errors prove the promise in one look, int64 (k,); and the number
    planned so that nine of ten steps with 0.5% errors pass."""
    fewest: list[int] = []
    n = 0
    while n < AUDITS_MAX:
        while bounds.binomial_tail(len(fewest), max(n, len(fewest)), PROMISE) > DELTA:
            n += 1
        fewest.append(n)
    planned = next(n for k, n in enumerate(fewest) if bounds.binomial_tail(k, n, 0.005) >= 0.9)
    return np.array(fewest), planned


def repeated(rate: float, fewest: NDArray[np.int64]) -> Run:
    """Clopper-Pearson, looked at after every audit: not valid, and how much."""

    def run(rng: Rng) -> float:
        seen = np.cumsum(rng.random(AUDITS_MAX) < rate)
        audits = np.arange(1, AUDITS_MAX + 1)
        return first(audits >= fewest[np.minimum(seen, len(fewest) - 1)])

    return run


def planned_once(rate: float, planned: int) -> Run:
    """Clopper-Pearson as it is meant: so many audits, one look."""

    def run(rng: Rng) -> float:
        wrong = int(rng.binomial(planned, rate))
        return planned if bounds.binomial_tail(wrong, planned, PROMISE) <= DELTA else math.inf

    return run


def certificates(seeds: int) -> dict[str, Any]:
    """Print the table; the figures of the last line."""
    fewest, planned = clopper_pearson()
    print(f"\naudits to certify at most {PROMISE:.0%} at delta {DELTA:.0%}, {seeds} runs each;")
    print("exact: the chance of a false certificate, computed (bench.exact) instead of simulated")
    print(f"{'method':<34}{'true error':>11}{'certified':>11}{'exact':>8}{'median':>8}{'90th':>8}")
    chances: list[float] = []
    simulated: list[float] = []
    numbers = itertools.count()

    def row(method: str, rate: float, run: Run, chance: float | None = None) -> float:
        number = next(numbers)
        needed = np.array([run(np.random.default_rng([7, number, seed])) for seed in range(seeds)])
        share = float(np.isfinite(needed).mean())
        middle, late = (np.quantile(needed, q, method="higher") for q in (0.5, 0.9))
        known = "" if chance is None else f"{chance:.2%}"
        print(f"{method:<34}{rate:>11.2%}{share:>11.1%}{known:>8}{middle:>8.0f}{late:>8.0f}")
        if chance is not None:
            chances.append(chance)
            simulated.append(share)
        return float(middle)

    result = {}
    for rate in (0.0, 0.0025, 0.005, 0.01, PROMISE, 0.025):
        chance = exact.stream(rate, PROMISE, DELTA, AUDITS_MAX) if rate >= PROMISE else None
        median = row("ours, uniform", rate, uniform(rate), chance)
        if rate == 0.005:
            result["median_audits_0.5pct"] = median
    for shape in RISK_SHAPES:
        for rate in (0.005, 0.01, PROMISE):
            chance = exact_by_risk(shape, seeds) if rate == PROMISE else None
            name = f"ours, 0.8 uniform + 0.2 risk ({shape})"
            median = row(name, rate, by_risk(rate, shape), chance)
            if rate == 0.005 and shape == RISK_SHAPES[0]:
                result["median_audits_0.5pct_weighted"] = median
    for size in (1000, 10_000):
        null = bounds.errors_allowed(PROMISE, size) + 1
        for errors in (size // 200, size // 100, null):
            chance = exact.batch(errors, null, size, DELTA) if errors == null else None
            row(f"ours, batch of {size}", errors / size, batch(size, errors), chance)
    for rate in (0.005, 0.01, PROMISE):
        row(f"Clopper-Pearson, one look at {planned}", rate, planned_once(rate, planned))
    for rate in (0.005, 0.01, PROMISE):
        row("Clopper-Pearson at every look", rate, repeated(rate, fewest))
    return {
        "false_certificates": max(chances),
        "false_certificates_simulated": float(np.mean(simulated)),
        "delta": DELTA,
        **result,
    }


#: what a licence allows
ERROR_MAX = 0.05
#: how the chance of error falls with confidence, in the simulated contributors
SLOPES = (0.3, 0.5, 0.8)
EVIDENCE, LOOK_EVERY = 1500, 50
#: blind answers that a version may find when it begins
LOOKED = (0, 600)


def grants(seeds: int) -> float:
    """Licences on growing evidence, looked at every `LOOK_EVERY` answers, of versions that find
    none or some of it when they begin: the share of runs where one was granted, at any look, above
    a threshold whose true error is more than allowed."""
    print(f"\nlicences for at most {ERROR_MAX:.0%} errors at delta {DELTA:.0%}, {seeds} runs each,")
    print(f"looked at every {LOOK_EVERY} of {EVIDENCE} blind answers")
    print(
        f"{'contributor':<26}{'found':>9}{'licensed':>9}{'coverage':>9}{f'at {LOOKED[1]}':>9}"
        f"{'violated':>9}{'naive':>9}"
    )
    worst = 0.0
    for slope, looked in itertools.product(SLOPES, LOOKED):
        runs = np.array(
            [_granted(np.random.default_rng([11, seed]), slope, looked) for seed in range(seeds)]
        )
        licensed, coverage, early, violated, naive = runs.mean(axis=0)
        name = f"errors {slope} x (1 - sure)"
        print(
            f"{name:<26}{looked:>9}{licensed:>9.1%}{coverage:>9.1%}{early:>9.1%}"
            f"{violated:>9.1%}{naive:>9.1%}"
        )
        worst = max(worst, violated)
    return worst


def _granted(rng: Rng, slope: float, looked: int) -> tuple[float, ...]:
    """Licensed, coverage at the end and when `LOOKED[1]` answers were in, violated, naive."""
    rungs = licences.ladder(rng.beta(4, 1, 2000), EVIDENCE // 3, ERROR_MAX, DELTA)
    sure = rng.beta(4, 1, EVIDENCE)
    wrong = rng.random(EVIDENCE) < slope * (1 - sure)
    violated, found, early = False, None, 0.0
    for n in range(max(LOOK_EVERY, looked), EVIDENCE + 1, LOOK_EVERY):
        found = licences.choose(sure[:n], wrong[:n], rungs, ERROR_MAX, DELTA, looked=looked)
        if found.threshold is not None:
            violated |= _true_error(found.threshold, slope) > ERROR_MAX
        early = found.coverage if n == LOOKED[1] else early
    assert found is not None
    above = sure[:, None] >= rungs.thresholds
    seems = (above & wrong[:, None]).sum(axis=0) <= ERROR_MAX * above.sum(axis=0)
    naive = bool(seems.any()) and _true_error(rungs.thresholds[seems].min(), slope) > ERROR_MAX
    return found.threshold is not None, found.coverage, early, violated, naive


def _true_error(threshold: float, slope: float) -> float:
    """Share of wrong answers above a threshold where confidence follows beta(4, 1), exactly."""
    t = threshold
    return float(slope * (1 - 0.8 * (1 - t**5) / (1 - t**4))) if t < 1 else 0.0


def streams(seeds: int) -> dict[str, Any]:
    """Licences in force: false revocations, and blind answers from the change to the revocation."""
    before, length = 1000, 4000
    at = np.arange(length)
    steady = np.full(length, 0.6 * ERROR_MAX)
    kinds = {
        "stays at what is allowed": (np.full(length, ERROR_MAX), None),
        "stays at 0.6 of it": (steady, None),
        "jumps to 3 times it": (np.where(at < before, steady, 3 * ERROR_MAX), before),
        "jumps to twice it": (np.where(at < before, steady, 2 * ERROR_MAX), before),
        "drifts to 3 times over 1500": (
            np.interp(at, [before, before + 1500], [0.6 * ERROR_MAX, 3 * ERROR_MAX]),
            before + int(1500 * 0.4 / 2.4),
        ),
    }
    print(
        f"\nlicences in force, {seeds} streams of {length} blind answers each; delays are counted"
    )
    print("from the moment when the error rate is more than allowed")
    print(f"{'contributor':<30}{'revoked':>9}{'median':>8}{'90th':>8}{'alarm':>8}")
    false, delays = 0.0, {}
    for name, (rate, change) in kinds.items():
        after, alarms = [], []
        for seed in range(seeds):
            wrong = np.random.default_rng([13, seed]).random(length) < rate
            standing = drift.judge(wrong, ERROR_MAX, DELTA)
            after.append(math.inf if standing.revoked_after is None else standing.revoked_after)
            level = drift.alarm_level(wrong, ERROR_MAX)
            alarms.append(first(level[change or 0 :] >= math.log(drift.ALARM_EVERY)))
        revoked = np.array(after)
        early = float((revoked <= (change or length)).mean())
        false = max(false, early)
        delay = revoked[revoked > (change or 0)] - (change or 0)
        middle, late = (np.quantile(delay, q, method="higher") for q in (0.5, 0.9))
        share, alarm = np.isfinite(revoked).mean(), np.quantile(alarms, 0.5, method="higher")
        print(f"{name:<30}{share:>9.1%}{middle:>8.0f}{late:>8.0f}{alarm:>8.0f}")
        delays[name] = float(middle)
    return {"false_revocations": false, "median_delay_answers": delays["jumps to 3 times it"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=500, help="runs of each simulation")
    seeds = parser.parse_args().seeds
    began = time.process_time()
    result = certificates(seeds)
    result |= {"licence_violations": grants(seeds)}
    result |= {"slice_violations": parted(seeds, ERROR_MAX, DELTA, _true_error)}
    result |= {"unseen_violations": judged_by_one(seeds, ERROR_MAX, DELTA, _true_error)}
    result |= streams(seeds)
    print(f"\n{time.process_time() - began:.0f} s of processor time")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
