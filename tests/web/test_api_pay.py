"""Pay over the API: what a contributor earned, and the time they state."""

import time

from canut.db.pool import connect
from canut.engine.pay import settle
from canut.pay.funding import deposit, fund
from canut.pay.quotes import make_quote
from canut.pay.tariffs import find_step, set_tariff
from canut.people.store import COMMAND_LINE
from tests.api import Api, decide
from tests.factories import one
from tests.web.test_api import as_, contributors, submitted


def now() -> int:
    return time.time_ns() // 1_000_000


def test_a_contributor_reads_what_they_earned_and_states_their_time(api: Api) -> None:
    """Nothing is claimed before the batch is funded; each answer earns once; of work over the API
    nothing is measured, and its time can be stated: within the lease, for one's own tasks."""
    with connect(api.database) as conn:
        step = find_step(conn, "catalogue/categorise", "category")
        values = {"currency": "EUR", "assumed_ms": 20_000, "why": "a pilot"}
        set_tariff(conn, COMMAND_LINE, step, now(), **values)
    batch = submitted(as_(api, api.soierie))
    worker, stranger = contributors(api, 2)
    assert worker.post("/claims", json={"count": 3}).json()["tasks"] == []
    with connect(api.database) as conn:
        offer = make_quote(conn, COMMAND_LINE, batch, now())
        client = one(conn, "select client_id from batch where id = %s", batch)
        deposit(conn, COMMAND_LINE, client, offer.quote.total_minor, "EUR", "wire", now())
        fund(conn, COMMAND_LINE, offer.id, now())
    tasks = [task["task"] for task in worker.post("/claims", json={"count": 3}).json()["tasks"]]
    assert len(tasks) == 3
    time.sleep(0.05)
    answers = [{"task": task, "value": "lamp"} for task in tasks]
    worker.post("/answers", json={"answers": answers}).raise_for_status()
    decide(api.database)
    with connect(api.database, autocommit=True) as conn:
        settle(conn, now)
        settle(conn, now)
    paid = worker.get("/pay").json()
    # three tasks of 20 s, thought to take so long: a minute at 12.02 an hour, rounded up
    assert paid["sums"] == [
        {"currency": "EUR", "fresh_minor": 0, "held_minor": 21, "payable_minor": 0}
    ]
    assert sorted(e["task"] for e in paid["earnings"]) == sorted(tasks)
    assert {e["basis"] for e in paid["earnings"]} == {"assumed"}
    times = worker.get("/times").json()["data"]
    assert [t["task"] for t in times] == sorted(tasks)
    assert {(t["basis"], t["agreed_ms"]) for t in times} == {("none", 0)}
    said = {"time_ms": 40, "reason": "I had it open in my own program"}
    first = worker.put(f"/times/{tasks[0]}", json=said)
    assert first.status_code == 200, first.text
    assert worker.put(f"/times/{tasks[0]}", json=said).json() == first.json()
    other = worker.put(f"/times/{tasks[0]}", json={**said, "time_ms": 41})
    assert other.status_code == 409
    long = worker.put(f"/times/{tasks[1]}", json={**said, "time_ms": 10**9})
    assert long.status_code == 422
    assert "longer than" in long.text
    assert stranger.put(f"/times/{tasks[1]}", json=said).status_code == 404
    assert stranger.get("/pay").json() == {"sums": [], "earnings": []}
    waiting = {t["task"]: t["stated_ms"] for t in worker.get("/times").json()["data"]}
    assert waiting[tasks[0]] == 40
