"""The engine as it runs: decides, expires, announces, and outlives the database."""

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer

import psycopg
import pytest

from canut.channels import webhooks
from canut.engine.jobs import run_jobs
from canut.engine.loop import in_thread
from tests import factories as make

IDLE_S = 0.05


def _until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.05)


def _finish(conn: psycopg.Connection) -> make.Work:
    """A batch of one item, answered."""
    work = make.work(conn, make.step(min_answers=1, target_confidence=0.5), items=1)
    who = make.contributor(conn)
    [task] = make.claim(conn, who, batch=work.batch_id)
    make.submit(conn, who, work.batch_steps[0], {task: "red"})
    return work


def test_a_batch_is_delivered_and_announced_once(fresh_url: str) -> None:
    """From the answer to the webhook at the client's door, by the engine and its jobs alone."""
    heard: list[bytes] = []

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    door = HTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=door.serve_forever, daemon=True).start()
    stop = threading.Event()
    options = {"webhooks_private": True}
    jobs = threading.Thread(target=run_jobs, args=(fresh_url, stop), kwargs=options)
    jobs.start()
    try:
        with psycopg.connect(fresh_url, autocommit=True) as conn:
            client = make.client(conn)
            url = f"http://127.0.0.1:{door.server_port}/"
            webhooks.create(conn, client, url, make.NOW, private=True)
            with in_thread(fresh_url, IDLE_S):
                work = make.work(
                    conn,
                    make.step(min_answers=1, target_confidence=0.5),
                    items=1,
                    client_id=client,
                )
                who = make.contributor(conn)
                [task] = make.claim(conn, who)
                make.submit(conn, who, work.batch_steps[0], {task: "red"})
                _until(lambda: bool(heard))
                time.sleep(0.3)
            state = "select state from batch where id = %s"
            assert make.one(conn, state, work.batch_id) == "delivered"
        assert len(heard) == 1
        assert b'"batch.delivered"' in heard[0]
    finally:
        stop.set()
        jobs.join(timeout=15)
        door.shutdown()
        door.server_close()


def test_leases_end_by_themselves(fresh_url: str) -> None:
    """A lease in the past is ended by the engine, and the task is there for others."""
    with psycopg.connect(fresh_url, autocommit=True) as conn, in_thread(fresh_url, IDLE_S):
        make.work(conn, make.step(min_answers=1), items=1)
        first, second = make.contributor(conn), make.contributor(conn)
        assert make.claim(conn, first, now=0)
        _until(lambda: bool(make.claim(conn, second)))


def test_the_engine_outlives_its_connection(
    fresh_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The database drops every connection: the engine says so, comes back and decides."""
    with psycopg.connect(fresh_url, autocommit=True) as conn, in_thread(fresh_url, IDLE_S):
        first = _finish(conn)
        state = "select state from batch where id = %s"
        _until(lambda: make.one(conn, state, first.batch_id) == "delivered")
        conn.execute(
            """select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid()"""
        )
        second = _finish(conn)
        _until(lambda: make.one(conn, state, second.batch_id) == "delivered")
    assert "the database is away" in caplog.text
