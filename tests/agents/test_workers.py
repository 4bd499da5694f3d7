"""Agents run in processes of their own: the same answers, bounded, cancellable, dying alone."""

import os
import signal
import threading
import time

import pytest

from canut.agents.conformance import sample_examples, sample_items, sample_step
from canut.agents.learning.learner import LEARNER
from canut.agents.running.workers import Cancelled, Workers
from canut.errors import Invalid, Unavailable


def test_workers_answer_as_the_agent_does_and_survive_a_death() -> None:
    """Chunks over two processes give what one process gives, in order; errors come back as they
    are; a killed worker costs one call; a lesson is learned elsewhere, or cancelled."""
    step = sample_step("choice")
    items, examples = sample_items(step, 200), sample_examples(step, "choice")
    cancel = threading.Event()
    with Workers(2) as workers:
        state = workers.learn("learner", step, None, examples, cancel=cancel)
        assert state == LEARNER.load(step, None).learn(examples)
        told = workers.score_all("learner", step, state, items, chunk=64)
        alone = LEARNER.load(step, state).answer(items)
        assert [(p.key, p.value, p.version) for p in told] == [
            (p.key, p.value, p.version) for p in alone
        ]
        with pytest.raises(Invalid):
            workers.score_all("learner", step, b"damaged", items)
        for process in workers.processes():
            os.kill(process, signal.SIGKILL)
        with pytest.raises(Unavailable):
            workers.score_all("learner", step, state, items)
        assert len(workers.score_all("learner", step, state, items)) == len(items)
        cancel.set()
        begun = time.monotonic()
        with pytest.raises(Cancelled):
            workers.score_all("learner", step, state, items * 300, cancel=cancel)
        with pytest.raises(Cancelled):
            workers.learn("learner", step, None, examples, cancel=cancel)
        assert time.monotonic() - begun < 60
