"""Sweeps as the engine runs them."""

import threading

import psycopg

from canut.db.check import check
from canut.engine.duties import Duty, Post, sweep
from canut.engine.jobs import make_app
from tests import factories as make
from tests.quality.test_sweep import crowd, settle


def test_the_engine_sweeps_what_has_grown_and_stops_when_told(fresh_url: str) -> None:
    """A sweep that is stopped leaves everything as it was, and the next one does it all."""
    stop = threading.Event()
    post = Post(fresh_url, webhooks_private=False, models=None, stop=stop)
    jobs = make_app(post).periodic_registry.periodic_tasks.values()
    assert "sweep" in [task.task.name for task in jobs]
    duty = Duty("", sweep)
    stop.set()
    with psycopg.connect(fresh_url, autocommit=True) as conn:
        crowd(conn)
        with conn.transaction():
            settle(conn)
        duty.do(post)
        assert make.one(conn, "select count(*) from step_model") == 0
        stop.clear()
        duty.do(post)
        assert make.one(conn, "select version from step_model") == 1
        rule = "everybody's confusions are the sum of each one's"
        assert rule not in [fault.rule for fault in check(conn)]
