"""Simulated people for `bench.effort`: those who answer, experts and auditors."""

from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from canut.db.pool import SyncConn
from canut.quality.certificates.bounds import Statement
from canut.quality.certificates.statements import statement

#: experts and auditors
EXPERTS, AUDITORS = 3, 6
#: tasks that one person takes at once
PACKET = 20
#: tasks that experts and auditors take in a round
RARE_PER_ROUND = 200

HIRE = """
insert into contributor (kind, name, simulated, skills, created_ms)
select 'person', 'Simulated ' || n, true, %s, 0 from generate_series(1, %s) n returning id"""
CLAIM = "select task_id, batch_step_id from claim_tasks(%s, %s, %s)"
TRUTH = """
select t.id, i.key::int from task t join batch_step s on s.id = t.batch_step_id
join item i on i.batch_id = s.batch_id and i.id = t.item_id where t.id = any (%s)"""
SUBMIT = "select * from submit_answers(%s, %s, %s, %s::jsonb[], %s)"
SO_FAR = """
select (select count(*) from decision),
       (select count(*) from answer a join contributor c on c.id = a.contributor_id
        where c.kind = 'person')"""
AUDITS = "select count(*) from answer a join task t on t.id = a.task_id where t.kind = 'audit'"


class People(Struct):
    """Who answers, and how well."""

    #: (contributors, error rate)
    usual: tuple[list[int], float]
    experts: tuple[list[int], float]
    auditors: tuple[list[int], float]
    #: the right answer of each row
    truth: list[str]
    labels: list[str]
    rng: np.random.Generator
    turn: int = 0

    def answer(self, conn: SyncConn, count: int, now_ms: int) -> int:
        """Everybody in turn, until about `count` tasks were answered or there is none left."""
        given = 0
        for _ in range(len(self.usual[0])):
            if given >= count:
                break
            self.turn += 1
            who = self.usual[0][self.turn % len(self.usual[0])]
            given += self._packet(conn, who, self.usual[1], PACKET, now_ms)
        given += self._rare(conn, self.experts, now_ms)
        # auditors have the skills of the work too, and would take it
        return given or self._rare(conn, self.auditors, now_ms)

    def _rare(self, conn: SyncConn, group: tuple[list[int], float], now_ms: int) -> int:
        count = RARE_PER_ROUND // len(group[0])
        return sum(self._packet(conn, who, group[1], count, now_ms) for who in group[0])

    def _packet(self, conn: SyncConn, who: int, error: float, count: int, now_ms: int) -> int:
        held = conn.execute(CLAIM, [who, count, now_ms]).fetchall()
        if not held:
            return 0
        rows = dict(conn.execute(TRUTH, [[task for task, _ in held]]).fetchall())
        values = [self._says(self.truth[rows[task]], error) for task, _ in held]
        encoded = [msgspec.json.encode(value).decode() for value in values]
        tasks, steps = [task for task, _ in held], [step for _, step in held]
        conn.execute(SUBMIT, [who, tasks, steps, encoded, now_ms]).fetchall()
        return len(held)

    def _says(self, right: str, error: float) -> str:
        if self.rng.random() >= error:
            return right
        other = self.labels[int(self.rng.integers(len(self.labels) - 1))]
        return other if other != right else self.labels[-1]


def hire(conn: SyncConn, plan: Any, rng: np.random.Generator) -> People:
    """People with the skills that the step of `bench.effort` asks for."""

    def some(*skills: str, count: int) -> list[int]:
        return [row[0] for row in conn.execute(HIRE, [sorted(skills), count])]

    truth = [label for _, label in plan.rows]
    return People(
        (some("label", count=plan.people), plan.person_error),
        (some("label-expert", count=EXPERTS), plan.expert_error),
        (some("label", "label-audit", count=AUDITORS), plan.expert_error),
        truth,
        sorted(set(truth)),
        rng,
    )


def so_far(conn: SyncConn) -> tuple[int, int]:
    """Items decided, answers that people gave: work, blind stream, escalations and audits."""
    row = conn.execute(SO_FAR).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def proof(conn: SyncConn, batch_id: int, now_ms: int) -> Statement | None:
    """What the audits of the batch prove."""
    row = conn.execute("select id from batch_step where batch_id = %s", [batch_id]).fetchone()
    return statement(conn, row[0], now_ms) if row else None


def audits(conn: SyncConn) -> int:
    """Answers that auditors gave."""
    row = conn.execute(AUDITS).fetchone()
    return int(row[0]) if row else 0
