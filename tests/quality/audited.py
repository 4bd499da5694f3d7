"""Delivered batches, the people who audit them, and the engine beside them."""

from typing import Any

import msgspec
import psycopg

from canut.db.check import RULES
from canut.quality.audits import store_frames
from canut.quality.audits.draws import close_frames
from canut.quality.audits.rounds import go_on
from canut.work.decide import decide_fresh
from canut.work.tasks import Steps
from tests import factories as make
from tests.factories import NOW

EVIDENCE = "[3, [%d, 0.9, 0.8]]"


def delivered(
    db: psycopg.Connection,
    items: int = 120,
    wrong: range = range(0),
    confidence: float = 0.97,
    **promise: Any,
) -> make.Work:
    """A batch of red items that one worker decided, all red but those in `wrong`."""
    work = make.work(db, make.step(min_answers=1), items=items)
    who = make.contributor(db)
    values = {"error_max": 0.05, "delta": 0.05, "audits_max": 1000, "audit_share": 1.0, **promise}
    assign = ", ".join(f"{name} = %({name})s" for name in values)
    db.execute(f"update batch_step set {assign}, panel = 2, open = false", values)
    db.execute(
        """insert into assignment (task_id, contributor_id, batch_step_id, state, claimed_ms,
        deadline_ms) select id, %s, batch_step_id, 'submitted', 0, 0 from task""",
        [who],
    )
    decide_all(db, work, who, wrong, confidence)
    return work


def decide_all(
    db: psycopg.Connection, work: make.Work, who: int, wrong: range, confidence: float = 0.97
) -> None:
    """Every task that is not decided is, as `delivered` says."""
    rows = db.execute(
        "select id, item_id from task where kind = 'work' and not decided order by id"
    ).fetchall()
    for n, (task, item) in enumerate(rows):
        value = msgspec.json.encode("green" if n in wrong else "red").decode()
        db.execute("insert into answer values (%s, %s, %s, false, 0)", [task, who, value])
        db.execute(
            """insert into decision values (%s, %s, %s, %s, %s, 'answers', 2, %s, %s)""",
            [task, work.batch_steps[0], item, value, confidence, EVIDENCE % who, NOW],
        )
    db.execute("update task set decided = true, open = false, slots = 0 where kind = 'work'")
    db.execute(
        "insert into track values (%s, 'colour', %s, %s, %s) on conflict do nothing",
        [work.process_id, who, 0.9 * len(rows), len(rows)],
    )
    db.execute("update batch_step set n_decided = n_tasks")
    db.execute("update batch set state = 'delivered', delivered_ms = %s", [NOW + len(rows)])


class Auditors:
    """People who know what is right, and the engine beside them."""

    def __init__(self, db: psycopg.Connection, *people: int):
        self.db, self.people, self.steps = db, people, Steps()

    def answer(self, says: Any = "red", rounds: int = 1000) -> int:
        """Claim and answer as long as there is something; how many answers. `says`: one answer, or
        one by person."""
        total = 0
        for _ in range(rounds):
            given = 0
            for who in self.people:
                tasks = make.claim(self.db, who, 40)
                value = says[who] if isinstance(says, dict) else says
                step = "select batch_step_id from task where id = %s"
                for task in tasks:
                    [batch_step] = self.db.execute(step, [task]).fetchone()
                    make.submit(self.db, who, batch_step, {task: value})
                given += len(tasks)
            while decide_fresh(self.db, self.steps, NOW, 4000).answers:
                pass
            total += given
            if not given:
                break
        return total


def advance(db: psycopg.Connection) -> int:
    """What the job does, each verb twice: the second time there is nothing left to do."""
    done = 0
    for batch in store_frames.unframed(db, 10):
        done += close_frames(db, batch, NOW)
        assert not close_frames(db, batch, NOW)
    for frame in store_frames.ready(db, 10):
        done += go_on(db, frame, NOW)
        assert not go_on(db, frame, NOW)
    return done


def run(db: psycopg.Connection, auditors: Auditors, says: Any = "red") -> None:
    """Until there is nothing left to do."""
    auditors.answer(says)
    while advance(db):
        auditors.answer(says)


def broken(db: psycopg.Connection) -> list[str]:
    """Rules of `canut db check` that rows break; `check` itself wants a transaction of its own."""
    return [rule for rule, sql in RULES.items() if db.execute(sql).fetchone()]
