"""Sweeps as the engine runs them."""

import threading

import psycopg

from canut.db.check import check
from canut.engine.jobs import make_app, sweep_grown
from tests import factories as make
from tests.quality.test_sweep import crowd, settle


def test_the_engine_sweeps_what_has_grown_and_stops_when_told(fresh_url: str) -> None:
    """A sweep that is stopped leaves everything as it was, and the next one does it all."""
    app = make_app(fresh_url, webhooks_private=False)
    assert "sweep" in [
        task.task.name.rpartition(".")[2] for task in app.periodic_registry.periodic_tasks.values()
    ]
    stop = threading.Event()
    stop.set()
    with psycopg.connect(fresh_url, autocommit=True) as conn:
        crowd(conn)
        with conn.transaction():
            settle(conn)
        sweep_grown(fresh_url, stop)
        assert make.one(conn, "select count(*) from step_model") == 0
        stop.clear()
        sweep_grown(fresh_url, stop)
        assert make.one(conn, "select version from step_model") == 1
        rule = "everybody's confusions are the sum of each one's"
        assert rule not in [fault.rule for fault in check(conn)]
