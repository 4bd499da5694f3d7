"""What handing in an answer promises, tried on the SQL function itself."""

import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests import factories as make
from tests.factories import NOW

RETURN = "select return_task(%s, %s, %s, %s)"


def test_a_retry_is_safe_and_another_answer_is_refused(db: psycopg.Connection) -> None:
    """The reply may be lost: sending the same again says accepted, and stores nothing new."""
    work = make.work(db, items=1)
    who = make.contributor(db)
    [task] = make.claim(db, who)
    [step] = work.batch_steps
    assert make.submit(db, who, step, {task: "red"}) == {task: "accepted"}
    assert make.submit(db, who, step, {task: "red"}) == {task: "accepted"}
    assert make.submit(db, who, step, {task: "blue"}) == {task: "conflict"}
    assert db.execute("select value from answer").fetchall() == [("red",)]
    assert make.one(db, "select count(*) from inbox") == 1


def test_only_who_holds_a_task_may_answer(db: psycopg.Connection) -> None:
    """A task of somebody else, of another step or none at all is unknown; a returned one stays
    returned."""
    work = make.work(db, items=2)
    [step] = work.batch_steps
    who, other = make.contributor(db), make.contributor(db)
    first, second = make.claim(db, who, 2)
    assert make.submit(db, other, step, {first: "red"}) == {first: "unknown"}
    assert make.submit(db, who, step + 1, {first: "red"}) == {first: "unknown"}
    assert make.submit(db, who, step, {999_999_999: "red"}) == {999_999_999: "unknown"}
    make.one(db, RETURN, who, second, step, NOW)
    assert make.submit(db, who, step, {second: "red"}) == {second: "returned"}
    assert make.one(db, "select count(*) from answer") == 0


def test_a_late_answer_counts_while_it_is_needed(db: psycopg.Connection) -> None:
    """After the lease ended the answer is taken if the task still needs one, else refused."""
    work = make.work(db, make.step(min_answers=1), items=2)
    [step] = work.batch_steps
    late, other = make.contributor(db), make.contributor(db)
    needed, taken = make.claim(db, late, 2)
    make.one(db, "select expire_assignments(%s, 100)", NOW + 10**9)
    assert make.claim(db, other, 2) == [needed, taken]
    make.one(db, RETURN, other, needed, step, NOW)
    got = make.submit(db, late, step, {needed: "red", taken: "red"}, NOW + 10**9)
    assert got == {needed: "accepted", taken: "expired"}
    assert make.claim(db, make.contributor(db), 5) == []


def test_the_same_answer_sent_at_once_is_stored_once(fresh_url: str) -> None:
    """Ten retries at the same moment: one row, ten times accepted."""
    with psycopg.connect(fresh_url) as conn:
        work = make.work(conn, items=1)
        who = make.contributor(conn)
        [task] = make.claim(conn, who)

    def send(_: int) -> dict[int, str]:
        with psycopg.connect(fresh_url, autocommit=True) as conn:
            return make.submit(conn, who, work.batch_steps[0], {task: "red"})

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(send, range(10))) == [{task: "accepted"}] * 10
    with psycopg.connect(fresh_url) as conn:
        assert make.one(conn, "select count(*) from answer") == 1
        assert make.one(conn, "select count(*) from inbox") == 1


def test_the_same_late_answer_sent_at_once_is_stored_once(fresh_url: str) -> None:
    """Ten retries at the same moment, after the lease ended, of a task that others may still
    take: one row, ten times accepted, and only one of its claims is spent."""
    with psycopg.connect(fresh_url) as conn:
        work = make.work(conn, make.step(min_answers=3), items=1)
        who = make.contributor(conn)
        [task] = make.claim(conn, who)
        make.one(conn, "select expire_assignments(%s, 100)", NOW + 10**9)

    def send(_: int) -> dict[int, str]:
        with psycopg.connect(fresh_url, autocommit=True) as conn:
            return make.submit(conn, who, work.batch_steps[0], {task: "red"}, NOW + 10**9)

    with psycopg.connect(fresh_url) as held, ThreadPoolExecutor(10) as pool:
        # all of them wait at the task, so that they meet for certain
        held.execute("select from task where id = %s for update", [task])
        sent = [pool.submit(send, n) for n in range(10)]
        time.sleep(0.5)
        held.rollback()
        assert [one.result() for one in sent] == [{task: "accepted"}] * 10
    with psycopg.connect(fresh_url) as conn:
        assert make.one(conn, "select count(*) from answer") == 1
        assert make.one(conn, "select slots from task where id = %s", task) == 2


class TaskLoop(RuleBasedStateMachine):
    """Contributors claim, answer, give back and let leases end in any order, beside a model."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.conn = psycopg.connect(self.url)
        self.work = make.work(self.conn, make.step(min_answers=2, lease_s=60), items=3)
        self.who = [make.contributor(self.conn) for _ in range(4)]
        self.now = NOW
        self.seen: set[tuple[int, int]] = set()
        self.acknowledged: dict[tuple[int, int], str] = {}

    def teardown(self) -> None:
        self.conn.rollback()
        self.conn.close()

    @rule(i=st.integers(0, 3), count=st.integers(1, 3))
    def claim(self, i: int, count: int) -> None:
        for task in make.claim(self.conn, self.who[i], count, now=self.now):
            assert (task, i) not in self.seen, "a contributor got a task twice"
            self.seen.add((task, i))

    @rule(i=st.integers(0, 3), t=st.integers(0, 2), colour=st.sampled_from(["red", "blue"]))
    def submit(self, i: int, t: int, colour: str) -> None:
        task = self.work.tasks[t]
        step = self.work.batch_steps[0]
        outcome = make.submit(self.conn, self.who[i], step, {task: colour}, self.now)[task]
        before = self.acknowledged.get((task, i))
        if before is not None:
            assert outcome == ("accepted" if before == colour else "conflict")
        elif outcome == "accepted":
            assert (task, i) in self.seen
            self.acknowledged[task, i] = colour

    @rule(i=st.integers(0, 3), t=st.integers(0, 2))
    def give_back(self, i: int, t: int) -> None:
        task, step = self.work.tasks[t], self.work.batch_steps[0]
        make.one(self.conn, RETURN, self.who[i], task, step, self.now)

    @rule(seconds=st.integers(1, 90))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds * 1000
        self.conn.execute("select expire_assignments(%s, 100)", [self.now])

    @invariant()
    def slots_add_up(self) -> None:
        """wanted = free slots + live claims + answers, always; open says whether slots are free."""
        rows = self.conn.execute(
            """select t.wanted, t.slots, t.open,
                (select count(*) from assignment a where a.task_id = t.id
                 and a.state in ('claimed', 'submitted')) as taken
            from task t where t.id = any (%s)""",
            [self.work.tasks],
        )
        for wanted, slots, is_open, taken in rows:
            assert wanted == slots + taken
            assert slots >= 0
            assert is_open == (slots > 0)

    @invariant()
    def nothing_acknowledged_is_lost(self) -> None:
        rows = self.conn.execute(
            "select task_id, contributor_id, value from answer where task_id = any (%s)",
            [self.work.tasks],
        )
        assert {(t, self.who.index(c)): v for t, c, v in rows} == self.acknowledged


def test_the_task_loop_in_any_order(worker_url: str) -> None:
    """A state machine over claim, submit, return and expire (see TaskLoop)."""
    machine = type("Machine", (TaskLoop,), {"url": worker_url})
    machine.TestCase.settings = settings(stateful_step_count=25)
    machine.TestCase().runTest()
