"""How often the watch over drift is wrong, and how soon it is right.

    python -m bench.drift [--streams N] [--items N] [--seed N]

Streams without drift (3 to 40 classes in shares drawn at random, words by Zipf's law): false alarms
in 100,000 items, and in 100,000 blind answers at error rates from 0.5% to 20%. Then drift that is
injected: how many items or blind answers pass before the alarm, in the median and at the 90th
percentile; null where it was not noticed. The last line is one JSON object.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from canut.agents.arena.drift import REFERENCE, Seen, Watch, audit_alarms, words_of

#: words of a language, and words of an item
WORDS, LENGTH = 5000, 6
#: usual items before drift begins, and items in which it is to be noticed
BEFORE, AFTER = 3000, 5000
#: blind answers likewise
AUDITS_BEFORE, AUDITS_AFTER = 500, 1000
_HASHED = [
    words_of({"word": "w" + "".join(chr(97 + int(d)) for d in str(i))}) for i in range(WORDS)
]


def stream(
    rng: np.random.Generator, n: int, shares: Sequence[float], new: float = 0.0
) -> list[Seen]:
    """n items; a share `new` of them are of a class with words that nobody has met."""
    kinds = rng.choice(len(shares), n, p=np.asarray(shares))
    words = rng.zipf(1.3, (n, LENGTH)) % (WORDS // 2)
    odd = rng.random(n) < new
    sure = np.where(odd, rng.beta(4, 4, n), rng.beta(8, 2, n))
    none = rng.random(n) < 0.03
    return [
        Seen(
            frozenset().union(*(_HASHED[int(w) + (WORDS // 2) * int(o)] for w in row)),
            float(s),
            "" if nothing else str(k),
            bool(nothing),
        )
        for row, o, s, k, nothing in zip(words, odd, sure, kinds, none, strict=True)
    ]


def false_alarms(rng: np.random.Generator, streams: int, items: int) -> dict[str, float]:
    """In 100,000 items and in 100,000 blind answers."""
    alarms, audits = 0, 0
    for _ in range(streams):
        shares = rng.dirichlet(np.ones(int(rng.integers(3, 40))))
        alarms += len(Watch().see(stream(rng, items, shares.tolist())))
        wrong = rng.random(2000) < rng.uniform(0.005, 0.2)
        audits += len(audit_alarms(wrong.tolist(), 0))
    return {
        "false_alarms_per_100k_items": alarms / (streams * items) * 1e5,
        "false_alarms_per_100k_blind": audits / (streams * 2000) * 1e5,
    }


def delays(
    rng: np.random.Generator, runs: int, drifted: Callable[[], list[Seen]]
) -> dict[str, int | None]:
    """Items until the alarm."""
    found: list[float] = []
    for _ in range(runs):
        watch = Watch()
        watch.see(stream(rng, REFERENCE + BEFORE, EVEN))
        told = drifted()
        place = next((i for i in range(0, AFTER, 32) if watch.see(told[i : i + 32])), None)
        found.append(np.inf if place is None else place + 32)
    return _told(found)


def audit_delays(rng: np.random.Generator, runs: int, after: float) -> dict[str, int | None]:
    """Blind answers until the alarm, where 3% were wrong before."""
    found: list[float] = []
    for _ in range(runs):
        wrong = [
            *(rng.random(AUDITS_BEFORE) < 0.03).tolist(),
            *(rng.random(AUDITS_AFTER) < after).tolist(),
        ]
        looked = range(AUDITS_BEFORE + 10, len(wrong) + 1, 10)
        place = next((n for n in looked if audit_alarms(wrong[:n], AUDITS_BEFORE)), None)
        found.append(np.inf if place is None else place - AUDITS_BEFORE)
    return _told(found)


def _told(found: list[float]) -> dict[str, int | None]:
    half, most = (float(np.sort(found)[int(share * (len(found) - 1))]) for share in (0.5, 0.9))
    return {name: None if np.isinf(at) else int(at) for name, at in (("p50", half), ("p90", most))}


EVEN = [0.25] * 4


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--streams", type=int, default=30)
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rng, began = np.random.default_rng(asked.seed), time.process_time()
    told: dict[str, object] = {**false_alarms(rng, asked.streams, asked.items)}
    for name, shares, new in (
        ("new class, 5%", EVEN, 0.05),
        ("new class, 20%", EVEN, 0.2),
        ("shares, 25% to 35%", [0.35, 0.25, 0.25, 0.15], 0.0),
        ("shares, 25% to 60%", [0.6, 0.2, 0.1, 0.1], 0.0),
    ):
        told[name] = delays(rng, 10, partial(stream, rng, AFTER, shares, new))
        print(name, told[name], flush=True)
    for after in (0.1, 0.3):
        told[f"wrong, 3% to {after:.0%}"] = audit_delays(rng, 10, after)
    print(json.dumps(told | {"cpu_s": round(time.process_time() - began, 1)}))


if __name__ == "__main__":
    main()
