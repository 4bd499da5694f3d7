"""The life of gold: it enters, hides in the work, is counted, and is retired when it is no good."""

from typing import Any

import msgspec
import psycopg
import pytest

from canut.db.check import RULES
from canut.errors import Conflict, Forbidden, Invalid, NotFound
from canut.people.model import Principal
from canut.people.store import COMMAND_LINE
from canut.processes.examples import GoldItem
from canut.processes.load import Loaded
from canut.processes.model import ItemField, ItemShape, ProcessDefinition
from canut.quality.gold import pool
from canut.quality.gold.files import read_gold
from canut.quality.gold.review import review_gold
from canut.quality.gold.store_pool import Place
from canut.work.decide import decide_fresh
from canut.work.tasks import Steps
from tests import factories as make
from tests.factories import NOW

COLOURS = ("red", "green", "blue")


def gold_of(conn: psycopg.Connection, work: make.Work, count: int) -> list[int]:
    """So much gold at the first step, red, green, blue in turn."""
    step = pool.find_step(conn, COMMAND_LINE, Place(work.process_id, "colour"))
    rows = "\n".join(f"G{n},gold {n},{COLOURS[n % 3]}" for n in range(count))
    done = pool.add_gold(
        conn,
        COMMAND_LINE,
        step,
        read_gold(f"reference,title,colour\n{rows}".encode(), "gold.csv", step),
        NOW,
    )
    assert done.added == count
    found = pool.list_gold(conn, step, limit=1000)
    return [gold.id for gold in reversed(found)]


def right(conn: psycopg.Connection, task: int) -> str | None:
    """The right answer of a gold task; None for work."""
    row = conn.execute(
        "select g.value from task t join gold g on g.id = -t.item_id and t.kind = 'gold'"
        " where t.id = %s",
        [task],
    ).fetchone()
    return row[0] if row else None


def toil(
    conn: psycopg.Connection, work: make.Work, who: int, times: int, miss: bool = False
) -> int:
    """Claim and answer one by one, gold rightly (unless `miss`), work red; how much was gold."""
    met = 0
    for _ in range(times):
        for task in make.claim(conn, who):
            value = right(conn, task)
            met += value is not None
            given = value if value and not miss else "blue" if value == "red" else "red"
            make.submit(conn, who, work.batch_steps[0], {task: given})
    decide_fresh(conn, Steps(), NOW, 10_000)
    return met


def faults(conn: psycopg.Connection) -> list[str]:
    """The rules of `canut db check` that rows break, within the test's transaction."""
    return [rule for rule, query in RULES.items() if conn.execute(query).fetchone()]


def record(conn: psycopg.Connection, who: int) -> tuple[float, float]:
    row = conn.execute(
        "select gold_right, gold_judged from track where contributor_id = %s", [who]
    ).fetchone()
    return (row[0], row[1]) if row else (0.0, 0.0)


def shown(conn: psycopg.Connection) -> list[int]:
    return [row[0] for row in conn.execute("select shown from gold order by id")]


def test_hidden_gold_reaches_the_record(db: psycopg.Connection) -> None:
    """Through claim, submit and the engine: gold is shown once at most, the least shown first,
    counted apart, decides nothing, and the rows fit together."""
    db.execute("select setseed(0.46)")
    work = make.work(db, make.step(min_answers=3, max_answers=3), items=200)
    gold_of(db, work, 8)
    good, bad = make.contributor(db), make.contributor(db)
    met, missed = toil(db, work, good, 60), toil(db, work, bad, 60, miss=True)
    assert 3 <= met <= 8
    assert 3 <= missed <= 8
    assert record(db, good) == (met, met)
    assert record(db, bad) == (0, missed)
    assert sum(shown(db)) == met + missed
    assert max(shown(db)) <= min(shown(db)) + 2
    [decided] = db.execute(
        "select count(*) from decision d join task t on t.id = d.task_id where t.kind = 'gold'"
    ).fetchone()
    assert decided == 0
    assert faults(db) == []


def test_strangers_see_more_of_it(db: psycopg.Connection) -> None:
    """Somebody of whom the step knows little gets several times the gold of one it knows well."""
    db.execute("select setseed(0.3)")
    work = make.work(db, make.step(min_answers=3), items=300)
    gold_of(db, work, 60)
    known, stranger = make.contributor(db), make.contributor(db)
    db.execute(
        "insert into track values (%s, 'colour', %s, 0, 0, 190, 200)", [work.process_id, known]
    )
    assert toil(db, work, stranger, 60) > 2 * toil(db, work, known, 60)


def test_nobody_is_given_gold_alone(db: psycopg.Connection) -> None:
    """Who has answered all that is open gets nothing more: gold by itself would be known for gold,
    and cost its client for no decision."""
    db.execute("select setseed(0.2)")
    work = make.work(db, make.step(min_answers=3, max_answers=3), items=4)
    gold_of(db, work, 30)
    who = make.contributor(db)
    toil(db, work, who, 20)
    open_, theirs = db.execute(
        "select count(*) filter (where t.open), count(a.task_id) from task t"
        " left join assignment a on a.task_id = t.id and a.contributor_id = %s"
        " where t.kind = 'work'",
        [who],
    ).fetchone()
    assert (open_, theirs) == (4, 4)
    assert [make.claim(db, who) for _ in range(60)] == [[]] * 60


def folder(*golds: GoldItem) -> Loaded:
    shape = ItemShape((ItemField("title", "Title", required=True),))
    steps = (make.step(),)
    return Loaded(ProcessDefinition("test/folder", "T", "", shape, steps), (), golds, ())


def states(conn: psycopg.Connection) -> list[tuple[str, str, str | None]]:
    rows = conn.execute("select value #>> '{}', state, cause from gold order by id")
    return [(row[0], row[1], row[2]) for row in rows]


def test_publishing_a_folder_fills_the_pool(db: psycopg.Connection) -> None:
    """The same folder again changes nothing; edited gold retires the old; what is put back is
    active again; gold that was retired for a fault stays retired."""
    first, second = (
        GoldItem("R1", {"title": "a"}, {"colour": "red"}),
        GoldItem("R2", {"title": "b"}, {"colour": "blue"}),
    )
    pool.publish_loaded(db, None, folder(first, second), NOW)
    pool.publish_loaded(db, None, folder(first, second), NOW + 1)
    assert states(db) == [("red", "active", None), ("blue", "active", None)]
    edited = GoldItem("R1", {"title": "a"}, {"colour": "green"})
    pool.publish_loaded(db, None, folder(edited, second), NOW + 2)
    assert states(db)[0] == ("red", "retired", "edited")
    pool.publish_loaded(db, None, folder(first, second), NOW + 3)
    assert [one[1] for one in states(db)] == ["active", "active", "retired"]
    [blue] = db.execute("select id from gold where value = '\"blue\"'").fetchone()
    pool.retire_gold(db, COMMAND_LINE, blue, "Seen on a forum.", NOW + 4)
    pool.publish_loaded(db, None, folder(first, second), NOW + 5)
    assert ("blue", "retired", "person") in states(db)


def test_an_import_tells_every_bad_row_and_takes_nothing(db: psycopg.Connection) -> None:
    """Three rows wrong in three ways are three problems with their rows; nothing is in the pool."""
    work = make.work(db)
    step = pool.find_step(db, COMMAND_LINE, Place(work.process_id, "colour"))
    lines = [
        {"title": "a", "answer": "red"},
        {"title": "b", "answer": "mauve"},
        {"item": {"title": "c"}, "colour": ""},
        {"answer": "red"},
    ]
    data = b"\n".join(msgspec.json.encode(line) for line in lines)
    with pytest.raises(Invalid) as refused:
        read_gold(data, "gold.jsonl", step)
    assert [(p.row, p.field) for p in refused.value.problems] == [
        (2, "answer"),
        (3, "colour"),
        (4, "title"),
    ]
    for name in ("gold.xlsx", "gold.csv"):
        with pytest.raises(Invalid):
            read_gold(b"\xff\xfe", name, step)


def test_a_file_again_replaces_what_it_changed(db: psycopg.Connection) -> None:
    """By reference: the same rows are known, a changed answer retires the one before."""
    work = make.work(db)
    step = pool.find_step(db, COMMAND_LINE, Place(work.process_id, "colour"))

    def take(text: str) -> Any:
        return pool.add_gold(
            db, COMMAND_LINE, step, read_gold(text.encode(), "gold.csv", step), NOW
        )

    head = "reference;title;answer\n"
    assert take(f"{head}R1;a;red\nR2;b;blue\n").added == 2
    again = take(f"{head}R1;a;green\nR2;b;blue\n")
    assert (again.added, again.known, again.replaced) == (1, 1, 1)
    assert states(db) == [
        ("red", "retired", "edited"),
        ("blue", "active", None),
        ("green", "active", None),
    ]


def test_gold_is_its_keepers_secret(db: psycopg.Connection) -> None:
    """A client sees and changes its own processes' gold only; whoever answers tasks, none."""
    work, other = make.work(db), make.work(db)
    [gold] = gold_of(db, work, 1)
    place = Place(work.process_id, "colour")
    mine = Principal(account_id=1, client_ids=(work.client_id,), roles=frozenset({"client"}))
    stranger = Principal(account_id=2, client_ids=(other.client_id,), roles=frozenset({"client"}))
    worker = msgspec.structs.replace(mine, contributor_id=7)
    assert pool.find_step(db, mine, place).slug == "colour"
    assert {one.process_id for one in pool.list_pools(db, mine)} == {work.process_id}
    with pytest.raises(NotFound):
        pool.find_step(db, stranger, place)
    with pytest.raises(NotFound):
        pool.retire_gold(db, stranger, gold, "no", NOW)
    for refused in (pool.list_pools, lambda conn, who: pool.find_step(conn, who, place)):
        with pytest.raises(Forbidden):
            refused(db, worker)


def test_a_person_retires_with_a_reason(db: psycopg.Connection) -> None:
    """It is in the log, the answers leave every record, and later answers are not counted."""
    db.execute("select setseed(0.1)")
    work = make.work(db, make.step(min_answers=2), items=100)
    [gold] = gold_of(db, work, 1)
    before, after = make.contributor(db), make.contributor(db)
    while not toil(db, work, before, 1, miss=True):
        pass
    assert record(db, before) == (0, 1)
    held = None
    while held is None or right(db, held) is None:
        [held] = make.claim(db, after)
    with pytest.raises(Invalid):
        pool.retire_gold(db, COMMAND_LINE, gold, "  ", NOW)
    pool.retire_gold(db, COMMAND_LINE, gold, "Two colours fit.", NOW)
    with pytest.raises(Conflict):
        pool.retire_gold(db, COMMAND_LINE, gold, "again", NOW)
    assert make.submit(db, after, work.batch_steps[0], {held: "red"}) == {held: "accepted"}
    decide_fresh(db, Steps(), NOW, 100)
    assert record(db, before) == (0, 0)
    assert record(db, after) == (0, 0)
    [logged] = db.execute("select detail from audit_log where action = 'retire.gold'").fetchone()
    assert logged["reason"] == "Two colours fit."
    assert faults(db) == []


def answered(
    conn: psycopg.Connection, work: make.Work, gold: int, given: list[float], known: float = 0.0
) -> list[int]:
    """Answers to a gold hidden in the work, each by a contributor of whom `known` right answers out
    of as many are on record besides this one."""
    made = []
    for n, agreement in enumerate(given):
        who = make.contributor(conn)
        made.append(who)
        task = make.one(
            conn,
            """insert into task as t (batch_step_id, item_id, wanted, slots, open, kind)
            values (%s, %s, 0, 0, false, 'gold') on conflict (item_id, batch_step_id, kind)
            do update set wanted = 0 returning id""",
            *(work.batch_steps[0], -gold),
        )
        conn.execute(
            """insert into gold_answer (contributor_id, gold_id, task_id, shown_ms, value,
                agreement, answered_ms, counted) values (%s, %s, %s, %s, '"red"', %s, %s, true)""",
            [who, gold, task, NOW + n, agreement, NOW + n],
        )
        conn.execute(
            "insert into track values (%s, 'colour', %s, %s, %s, %s, 1)",
            [work.process_id, who, known, known, agreement],
        )
    return made


def test_disputed_gold_is_retired_and_counts_against_nobody(db: psycopg.Connection) -> None:
    """Good contributors say otherwise: out, with a reason, and the record is as if it never was."""
    work = make.work(db)
    wrong, sound = gold_of(db, work, 2)
    good = answered(db, work, wrong, [0.0] * 6, known=100.0)
    answered(db, work, sound, [1.0] * 6, known=100.0)
    assert review_gold(db, NOW).retired == {wrong: "disputed"}
    [reason] = db.execute("select reason from gold where id = %s", [wrong]).fetchone()
    assert reason == "Of 6 good contributors, 0 agreed with it."
    assert [record(db, who) for who in good] == [(0, 0)] * 6
    again = review_gold(db, NOW)
    assert (again.looked_at, again.retired) == (0, {})


def test_leaked_gold_is_retired(db: psycopg.Connection) -> None:
    """Newcomers were right half of the time, and suddenly all of them are; where they are right
    half of the time throughout, gold stays."""
    work = make.work(db)
    leaked, sound = gold_of(db, work, 2)
    answered(db, work, leaked, [1.0, 0.0, 0.0] * 8 + [1.0] * 24)
    answered(db, work, sound, [1.0, 0.0] * 24)
    assert review_gold(db, NOW).retired == {leaked: "leaked"}


def test_items_that_experts_and_contributors_agreed_on_are_proposed(
    db: psycopg.Connection,
) -> None:
    """A person accepts or declines; what contributors may not see is not kept, and those who had
    the item never get it as gold."""
    work = make.work(db, make.step(min_answers=2), items=2, expert_skill="eye")
    db.execute("""update item set payload = payload || '{"note": "hidden"}'""")
    crowd = [make.contributor(db) for _ in range(2)]
    for who in crowd:
        tasks = make.claim(db, who, 2)
        make.submit(db, who, work.batch_steps[0], dict.fromkeys(tasks, "red"))
    for item, task in zip(work.items, work.tasks, strict=True):
        db.execute(
            """insert into decision values (%s, %s, %s, '"red"', 1, 'expert', 3, '[]', 0)""",
            [task, work.batch_steps[0], item],
        )
    step = pool.find_step(db, COMMAND_LINE, Place(work.process_id, "colour"))
    second, first = pool.list_proposals(db, step)
    assert (first.task_id, first.value, first.agreed) == (work.tasks[0], "red", 2)
    pool.accept_proposal(db, COMMAND_LINE, step, first.task_id, NOW)
    pool.decline_proposal(db, COMMAND_LINE, step, second.task_id, NOW)
    assert pool.list_proposals(db, step) == []
    [gold] = pool.list_gold(db, step)
    assert (gold.payload, gold.origin) == ({"title": "item 1"}, "expert")
    seen = db.execute("select contributor_id from gold_answer order by 1").fetchall()
    assert [row[0] for row in seen] == crowd
    with pytest.raises(NotFound):
        pool.accept_proposal(db, COMMAND_LINE, step, second.task_id, NOW)


def holding_gold(conn: psycopg.Connection, work: make.Work, who: int) -> int:
    """A gold task in this contributor's hands; what else was claimed is given back."""
    while True:
        for task in make.claim(conn, who):
            if right(conn, task) is not None:
                return task
            conn.execute(
                "select return_task(%s, %s, %s, %s)", [who, task, work.batch_steps[0], NOW]
            )


def test_what_happens_to_a_task_does_not_tell_gold(db: psycopg.Connection) -> None:
    """As an attacker: claims have the same fields and deadline; giving back and late answers get
    the same replies as work that is still needed; of a delivered batch nothing is left in hand."""
    db.execute("select setseed(0.2)")
    work = make.work(db, make.step(min_answers=9, max_answers=9), items=60)
    gold_of(db, work, 9)
    late, back, left = (make.contributor(db) for _ in range(3))
    columns = "batch_step_id, step_id, batch_id, deadline_ms, expert"
    seen: dict[bool, set[Any]] = {True: set(), False: set()}
    for _ in range(20):
        for row in db.execute(
            f"select task_id, {columns} from claim_tasks(%s, 3, %s)", [back, NOW]
        ).fetchall():
            seen[right(db, row[0]) is not None].add(row[1:])
    assert len(seen[True]) == 1
    assert seen[True] == seen[False]
    returned = db.execute(
        "select t.kind, return_task(%s, t.id, %s, %s) from task t join assignment a"
        " on a.task_id = t.id where a.contributor_id = %s",
        [back, work.batch_steps[0], NOW, back],
    ).fetchall()
    assert set(returned) == {("gold", True), ("work", True)}
    gold = holding_gold(db, work, late)
    [other] = [task for task in make.claim(db, late, 1) if right(db, task) is None] or [0]
    db.execute("select expire_assignments(%s, 100)", [NOW + 10**9])
    answers = {task: "red" for task in (gold, other) if task}
    assert set(make.submit(db, late, work.batch_steps[0], answers, NOW + 10**9).values()) == {
        "accepted"
    }
    holding_gold(db, work, left)
    live = "select count(*) from live_tasks(%s, %s)"
    assert make.one(db, live, left, NOW) == 1
    db.execute("update batch set state = 'delivered', delivered_ms = %s", [NOW])
    assert make.one(db, live, left, NOW) == 0
    decide_fresh(db, Steps(), NOW, 100)
    assert faults(db) == []
