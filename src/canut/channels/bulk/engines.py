"""Who scores the parts: Daft with processes on this machine, or Daft on a Ray cluster.

Both hand numbers of parts to workers, which find the rest in the folder of the run; the same
program answers on either.
"""

import os
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from canut.channels.bulk.model import Done, Engine
from canut.errors import CanutError, Conflict, Invalid, Unavailable

#: neither library may report its use to anybody, nor draw over our progress bar
QUIET = {
    "DAFT_ANALYTICS_ENABLED": "0",
    "DO_NOT_TRACK": "true",
    "DAFT_PROGRESS_BAR": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
}

#: what Daft calls them
RUNNERS: dict[Engine, str] = {"local": "native", "ray": "ray"}


class _Failed(Struct, frozen=True, tag="failed"):
    """What a worker could not do, for it cannot raise our errors through the engine."""

    message: str
    mend: str


class _Scored(Struct, frozen=True, tag="scored"):
    done: Done


def score_here(place: str, number: int) -> str:
    """What a worker does with a part: `_Scored` or `_Failed` as JSON."""
    from threadpoolctl import threadpool_limits

    from canut.channels.bulk.score import score_part

    # as many workers as processors: none takes more than one
    with threadpool_limits(1):
        try:
            told: _Scored | _Failed = _Scored(score_part(place, number))
        except CanutError as error:
            told = _Failed(f"part {number}: {error.message}", error.mend)
    return msgspec.json.encode(told).decode()


def score_parts(
    place: str, numbers: Sequence[int], engine: Engine, workers: int, address: str = ""
) -> Iterator[Done]:
    """What became of each part, as the engine is done with it. `address` is that of a Ray cluster;
    without one, Ray starts a cluster of `workers` on this machine.

    Raises `Invalid` where the extra `bulk` lacks, `Unavailable` where a cluster or a worker died.
    """
    if not numbers:
        return
    daft = load_daft(engine, workers, address)
    frame = daft.from_pydict({"part": list(numbers)})
    # a part is a call: whoever is free takes the next
    frame = frame.into_partitions(len(numbers)) if engine == "ray" else frame.into_batches(1)
    score = _worker(daft, workers)(place)
    try:
        for row in frame.select(score(frame["part"]).alias("told")).iter_rows():
            told = msgspec.json.decode(row["told"], type=_Scored | _Failed)
            if isinstance(told, _Failed):
                raise Invalid(told.message, mend=told.mend)
            yield told.done
    except CanutError:
        raise
    except Exception as error:
        raise Unavailable(
            f"The engine stopped: {str(error).strip().splitlines()[-1][:300]}",
            mend="run again: what is done stays done",
        ) from error


def load_daft(engine: Engine, workers: int, address: str = "") -> Any:
    """Daft, with its runner set. Raises `Invalid` where the extra lacks, `Unavailable` where
    there is no cluster, `Conflict` where this process already uses the other engine."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import daft

        if engine == "ray":
            import ray
    except ImportError as error:
        raise Invalid(
            f"The bulk lane needs the extra 'bulk': {error}.", mend="pip install 'canut[bulk]'"
        ) from error
    try:
        if engine == "ray":
            if not ray.is_initialized():
                about = {"address": address} if address else {"num_cpus": workers}
                ray.init(include_dashboard=False, log_to_driver=False, **about)
            daft.set_runner_ray(address or None, noop_if_initialized=True)
        else:
            daft.set_runner_native()
    except Exception as error:
        if "more than once" not in str(error):
            mend = "is the cluster running? see ray status"
            raise Unavailable(f"The engine does not start: {error}", mend=mend) from error
        # set before: fine, unless it is the other
        if daft.get_or_infer_runner_type() != RUNNERS[engine]:
            raise Conflict("This process already uses the other engine.") from error
    return daft


def _worker(daft: Any, workers: int) -> Any:
    class Score:
        """Takes a part after the other; its agents stay loaded."""

        def __init__(self, place: str):
            self.place = place

        def __call__(self, part: int) -> str:
            return score_here(self.place, part)

    return daft.cls(Score, max_concurrency=workers, use_process=True)
