"""What a claim promises, tried on the SQL function itself."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import psycopg

from canut.db.rows import of
from canut.work.model import OpenBatch
from canut.work.store import OPEN_BATCHES
from tests import factories as make
from tests.factories import NOW


def test_a_contributor_never_gets_a_task_twice(db: psycopg.Connection) -> None:
    """Every task once, then nothing, however often one asks."""
    work = make.work(db, items=5)
    who = make.contributor(db)
    got = [task for _ in range(8) for task in make.claim(db, who)]
    assert sorted(got) == work.tasks


def test_a_task_has_no_more_claims_than_answers_it_needs(db: psycopg.Connection) -> None:
    """With two answers wanted, the third contributor finds nothing."""
    work = make.work(db, make.step(min_answers=2), items=1)
    claims = [make.claim(db, make.contributor(db)) for _ in range(3)]
    assert claims == [work.tasks, work.tasks, []]


def test_experts_wait_for_no_long_count(db: psycopg.Connection) -> None:
    """A contributor's home counts what waits for an expert up to a bound, whatever there is, and
    nothing of it for anybody else."""
    work = make.work(db, items=5, expert_skill="weaver")
    db.execute("update task set expert = true where id = any (%s)", [work.tasks[:4]])
    found = {}
    for skills in ((), ("weaver",)):
        values = {"who": make.contributor(db, skills), "bound": 3}
        [batch] = db.cursor(row_factory=of(OpenBatch)).execute(OPEN_BATCHES, values).fetchall()
        found[skills] = (batch.n_left, batch.n_expert)
    assert found == {(): (5, 0), ("weaver",): (5, 3)}


def test_what_somebody_has_answered_is_not_left_to_them(db: psycopg.Connection) -> None:
    """Tasks that wait for others, or for experts, are none of theirs: a batch of which they had all
    is not on their list; what they hold is."""
    work = make.work(db, make.step(min_answers=2), items=4, expert_skill="weaver")
    who, other = make.contributor(db), make.contributor(db)

    def left(contributor: int) -> list[int]:
        values = {"who": contributor, "bound": 10}
        return [row[5] for row in db.execute(OPEN_BATCHES, values).fetchall()]

    held = make.claim(db, who, 4)
    assert left(who) == [4]
    make.submit(db, who, work.batch_steps[0], dict.fromkeys(held[:3], "red"))
    assert (left(who), left(other)) == ([1], [4])
    db.execute("update task set expert = true where id = %s", [held[0]])
    assert left(other) == [3]
    make.submit(db, who, work.batch_steps[0], {held[3]: "red"})
    assert left(who) == []


def test_a_packet_takes_as_many_as_asked(db: psycopg.Connection) -> None:
    """A packet of ten is ten different tasks, the oldest first."""
    work = make.work(db, items=25)
    assert make.claim(db, make.contributor(db), 10) == work.tasks[:10]


def test_a_returned_task_goes_to_somebody_else_only(db: psycopg.Connection) -> None:
    """Giving back opens the task for others, and not for the one who gave it back."""
    work = make.work(db, make.step(min_answers=1), items=1)
    first, second = make.contributor(db), make.contributor(db)
    [task] = make.claim(db, first)
    assert make.claim(db, second) == []
    assert make.one(db, "select return_task(%s, %s, %s, %s)", first, task, work.batch_steps[0], NOW)
    assert make.claim(db, first) == []
    assert make.claim(db, second) == [task]


def test_an_expired_lease_opens_the_task(db: psycopg.Connection) -> None:
    """After the deadline the task is there for others, however the cursor stands."""
    make.work(db, make.step(min_answers=1, lease_s=60), items=1)
    first, second = make.contributor(db), make.contributor(db)
    [task] = make.claim(db, first)
    assert make.claim(db, second) == []
    assert make.one(db, "select expire_assignments(%s, 100)", NOW + 59_000) == 0
    assert make.one(db, "select expire_assignments(%s, 100)", NOW + 60_000) == 1
    assert make.claim(db, second) == [task]


def test_the_cursor_wraps(db: psycopg.Connection) -> None:
    """A task before the cursor that opens again is found."""
    work = make.work(db, make.step(min_answers=1), items=3)
    first, second = make.contributor(db), make.contributor(db)
    assert make.claim(db, first, 1) == work.tasks[:1]
    assert make.claim(db, second, 2) == work.tasks[1:]
    db.execute("select return_task(%s, %s, %s, %s)", [first, *_at(work, 0), NOW])
    assert make.claim(db, second) == work.tasks[:1]


def test_who_has_seen_nearly_all_finds_the_rest(db: psycopg.Connection) -> None:
    """A look is bounded, so one call may find nothing; the next ones look further on."""
    work = make.work(db, make.step(min_answers=3), items=1500)
    who = make.contributor(db)
    seen = set(work.tasks) - {work.tasks[-1]}
    db.execute(
        """insert into assignment (task_id, contributor_id, batch_step_id, state, claimed_ms,
        deadline_ms) select unnest(%s::bigint[]), %s, %s, 'returned', 0, 0""",
        [list(seen), who, work.batch_steps[0]],
    )
    got = [task for _ in range(4) for task in make.claim(db, who)]
    assert got == [work.tasks[-1]]


def test_skills_and_licences_restrict(db: psycopg.Connection) -> None:
    """A step that asks for skills or a licence is closed to those without."""
    skilled = make.work(db, make.step(skills=("fr", "fashion")), items=1)
    assert make.claim(db, make.contributor(db, ("fr",)), batch=skilled.batch_id) == []
    both = make.contributor(db, ("fashion", "fr", "more"))
    assert make.claim(db, both, batch=skilled.batch_id) == skilled.tasks

    licensed = make.work(db, make.step(licence=True), items=1)
    who = make.contributor(db)
    assert make.claim(db, who, batch=licensed.batch_id) == []
    db.execute(
        """insert into licence (contributor_id, process_id, step_slug, granted_ms)
        values (%s, %s, 'colour', %s)""",
        [who, licensed.process_id, NOW],
    )
    assert make.claim(db, who, batch=licensed.batch_id) == licensed.tasks


def test_what_is_in_hand_may_be_finished(db: psycopg.Connection) -> None:
    """A batch that is paused or ended gives out nothing more; the task in hand is still shown,
    and its answer taken."""
    work = make.work(db, items=3)
    who = make.contributor(db)
    [task] = make.claim(db, who)
    db.execute("update batch set state = 'cancelled'")
    db.execute("update batch_step set open = false")
    assert make.claim(db, who) == []
    shown = db.execute("select task_id from live_tasks(%s, %s)", [who, NOW]).fetchall()
    assert shown == [(task,)]
    assert make.submit(db, who, work.batch_steps[0], {task: "red"}) == {task: "accepted"}


def test_a_paused_contributor_gets_nothing(db: psycopg.Connection) -> None:
    """Pausing an account stops new claims at once."""
    make.work(db)
    who = make.contributor(db)
    db.execute("update contributor set state = 'paused' where id = %s", [who])
    assert make.claim(db, who) == []


def test_escalated_tasks_go_to_experts_first(db: psycopg.Connection) -> None:
    """An escalated task is for those with the expert skill, before anything else."""
    work = make.work(db, make.step(min_answers=1), items=3, expert_skill="expert")
    db.execute("update task set expert = true where id = %s", [work.tasks[1]])
    assert make.claim(db, make.contributor(db), 5) == [work.tasks[0], work.tasks[2]]
    assert make.claim(db, make.contributor(db, ("expert",)), 5) == [work.tasks[1]]


def test_claims_held_are_limited(db: psycopg.Connection) -> None:
    """Nobody hoards: at most 100 claims are held at once."""
    make.work(db, items=200)
    who = make.contributor(db)
    assert len([t for _ in range(5) for t in make.claim(db, who, 50)]) == 100


def test_batches_share_claims_by_priority(db: psycopg.Connection) -> None:
    """Neither batch starves; one step of priority doubles the share."""
    low = make.work(db, items=600)
    high = make.work(db, items=600, priority=2)
    db.execute("select setseed(0.5)")
    share = Counter()
    for _ in range(20):
        who = make.contributor(db)
        share.update(task in high.tasks for _ in range(20) for task in make.claim(db, who))
    assert 0.72 < share[True] / share.total() < 0.88  # 4 of 5
    assert low.tasks


def test_no_double_claims_under_concurrency(fresh_url: str) -> None:
    """Many contributors at once, several connections each: never more live claims than slots,
    never a task twice for one contributor."""
    with psycopg.connect(fresh_url) as conn:
        work = make.work(conn, make.step(min_answers=2), items=60)
        contributors = [make.contributor(conn) for _ in range(6)]

    def go(who: int) -> list[tuple[int, int]]:
        got = []
        with psycopg.connect(fresh_url, autocommit=True) as conn:
            for _ in range(40):
                got += [(who, task) for task in make.claim(conn, who, 3)]
        return got

    with ThreadPoolExecutor(12) as pool:
        got = [pair for some in pool.map(go, contributors * 2) for pair in some]
    assert len(got) == len(set(got))
    assert Counter(task for _, task in got) == dict.fromkeys(work.tasks, 2)


def _at(work: make.Work, i: int) -> tuple[int, int]:
    return work.tasks[i], work.batch_steps[0]
