"""Agents at work outside the event loop: processes of their own, with what they need kept warm.

    with Workers(2) as workers:
        predictions = workers.score_all("learner", step, state, items)

A request never waits for an agent. A worker that dies (out of memory, say) costs the call that
needed it, with `Unavailable`; the next call has new workers.
"""

import multiprocessing
import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec
from msgspec import Struct

from canut.agents.artefact import name_of
from canut.agents.model import Example, Item, Prediction, Step, step_of
from canut.agents.protocol import Agent
from canut.agents.registry import agent_type
from canut.errors import Conflict, Unavailable
from canut.processes.model import ItemShape, StepDefinition

#: items of one call to an agent; also how soon a cancelled call is over
CHUNK = 4096
#: agents that each worker keeps loaded
WARM_MAX = 4
#: how often a waiting call looks whether it is cancelled
LOOK_S = 0.1


class Cancelled(Conflict):
    """Somebody did not want the answer any more."""


class _Work(Struct, frozen=True):
    """What a worker needs to have the agent, as plain values."""

    kind: str
    definition: StepDefinition
    shape: ItemShape
    #: file of the state, "" for a beginner; named by its SHA-256
    state: str

    def load(self) -> Agent:
        """The agent, loaded anew."""
        state = Path(self.state).read_bytes() if self.state else None
        return agent_type(self.kind).load(step_of(self.definition, self.shape), state)


class Workers:
    """At most `count` processes. Belongs to the process that made it; threads may share it."""

    def __init__(self, count: int):
        self._count = max(1, count)
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="canut-agents-")

    def __enter__(self) -> "Workers":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the workers."""
        with self._lock:
            if self._pool:
                self._pool.shutdown(wait=True, cancel_futures=True)
                self._pool = None
        self._folder.cleanup()

    def processes(self) -> list[int]:
        """Process ids of the workers that score just now."""
        with self._lock:
            return sorted(self._pool._processes) if self._pool else []

    def score_all(
        self,
        kind: str,
        step: Step,
        state: bytes | None,
        items: Sequence[Item],
        *,
        cancel: threading.Event | None = None,
        chunk: int = CHUNK,
    ) -> list[Prediction]:
        """What the agent of this type and state answers, in the order of the items.

        Raises `Cancelled` soon after `cancel` is set, `Unavailable` where a worker died, and
        whatever the agent raises."""
        work = self._work(kind, step, state)
        pieces = [items[start : start + chunk] for start in range(0, len(items), chunk)]
        with self._lock:
            pool = self._pool = self._pool or _started(self._count)
        try:
            futures = [pool.submit(_score, work, list(piece)) for piece in pieces]
            _await(futures, cancel)
            return [prediction for future in futures for prediction in future.result()]
        except BrokenProcessPool as error:
            with self._lock:
                if self._pool is pool:
                    self._pool = None
            raise Unavailable(
                "A process in which an agent worked has died.",
                mend="try again; if it happens again, look at the memory of the machine",
            ) from error

    def learn(
        self,
        kind: str,
        step: Step,
        state: bytes | None,
        examples: Sequence[Example],
        *,
        cancel: threading.Event | None = None,
    ) -> bytes:
        """The state after these examples. In a process of its own, which `cancel` ends at once."""
        work = self._work(kind, step, state)
        context = _context()
        mine, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_learn, args=(work, list(examples), theirs), daemon=True)
        process.start()
        theirs.close()
        try:
            ready = False
            while not ready:
                # before the first wait too: a short lesson may end within it
                if cancel and cancel.is_set():
                    raise Cancelled("The lesson was cancelled.")
                ready = mine.poll(LOOK_S)
            told = mine.recv()
        except EOFError as error:
            raise Unavailable("The process in which an agent learned has died.") from error
        finally:
            process.terminate()
            process.join()
            process.close()
            mine.close()
        if isinstance(told, BaseException):
            raise told
        return bytes(told)

    def _work(self, kind: str, step: Step, state: bytes | None) -> _Work:
        if not state:
            return _Work(kind, step.definition, step.shape, "")
        file = Path(self._folder.name) / name_of(state)
        if not file.exists():
            fresh = file.with_suffix(f".{threading.get_ident()}")
            fresh.write_bytes(state)
            fresh.replace(file)
        return _Work(kind, step.definition, step.shape, str(file))


def _started(count: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(count, mp_context=_context(), initializer=_begin)


def _context() -> Any:
    # workers are forked from a process without threads that has loaded what they all need
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["canut.agents.learning.learner", "canut.agents.learning.memory", "sklearn.svm"]
    )
    return context


def _await(futures: list[Future[Any]], cancel: threading.Event | None) -> None:
    left = set(futures)
    while left:
        left = wait(left, LOOK_S if cancel else None, "FIRST_EXCEPTION").not_done
        failed = next((f for f in futures if f.done() and f.exception()), None)
        if failed or (cancel and cancel.is_set()):
            for future in left:
                future.cancel()
            if failed:
                failed.result()
            raise Cancelled("The work was cancelled.")


_warm: OrderedDict[str, Agent] = OrderedDict()


def _begin() -> None:
    """A worker takes one processor, and makes way for those who serve people."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
    os.nice(5)


def _score(work: _Work, items: list[Item]) -> list[Prediction]:
    key = msgspec.json.encode(work, order="sorted").decode()
    agent = _warm.get(key)
    if agent is None:
        agent = _warm[key] = work.load()
        while len(_warm) > WARM_MAX:
            _warm.popitem(last=False)
    _warm.move_to_end(key)
    return agent.answer(items)


def _learn(work: _Work, examples: list[Example], answer: Any) -> None:
    _begin()
    try:
        answer.send(work.load().learn(examples))
    except BaseException as error:
        answer.send(error)
