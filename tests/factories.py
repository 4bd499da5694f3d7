"""Rows for tests, made by plain SQL: a client, contributors, a batch with tasks ready."""

import itertools
from typing import Any

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from canut.processes.model import ItemField, ItemShape, ProcessDefinition, StepDefinition

NOW = 1_790_000_000_000
_numbers = itertools.count(1)

COLOURS = {
    "type": "choice",
    "title": "Which colour?",
    "options": [{"value": v, "label": v.title()} for v in ("red", "green", "blue")],
}


def step(slug: str = "colour", **given: Any) -> StepDefinition:
    """A choice of three colours; `given` overrides fields of the step."""
    values = {"question": COLOURS, "instructions": {"en": "Look."}, "title": "Colour"} | given
    return StepDefinition(slug=slug, **values)


def client(conn: psycopg.Connection, name: str = "Client") -> int:
    sql = "insert into client (slug, name, created_ms) values (%s, %s, %s) returning id"
    return one(conn, sql, f"{name.lower()}-{next(_numbers)}", name, NOW)


def contributor(conn: psycopg.Connection, skills: tuple[str, ...] = ()) -> int:
    return one(
        conn,
        """insert into contributor (kind, name, simulated, skills, created_ms)
        values ('person', 'Simulated', true, %s, %s) returning id""",
        list(skills),
        NOW,
    )


class Work(msgspec.Struct):
    """A batch of a process with the steps given, and `items` items at its first step."""

    client_id: int
    process_id: int
    version_id: int
    batch_id: int
    batch_steps: list[int]
    items: list[int]
    tasks: list[int]


def work(
    conn: psycopg.Connection,
    *steps: StepDefinition,
    items: int = 3,
    expert_skill: str | None = None,
    client_id: int | None = None,
    priority: int = 0,
) -> Work:
    """Everything a claim needs, by plain SQL."""
    steps = steps or (step(),)
    client_id = client_id or client(conn)
    shape = ItemShape((ItemField("title", "Title", required=True),))
    definition = ProcessDefinition("test/colours", "Colours", "", shape, steps)
    process_id = one(
        conn,
        "insert into process (client_id, slug, created_ms) values (%s, %s, %s) returning id",
        client_id,
        f"test/colours-{next(_numbers)}",
        NOW,
    )
    version_id = one(
        conn,
        """insert into process_version (process_id, number, definition, content_hash, created_ms)
        values (%s, 1, %s, 'hash', %s) returning id""",
        process_id,
        Jsonb(msgspec.to_builtins(definition)),
        NOW,
    )
    batch_id = one(
        conn,
        """insert into batch (client_id, process_version_id, key, name, n_items, created_ms,
        priority) values (%s, %s, %s, 'Batch', %s, %s, %s) returning id""",
        client_id,
        version_id,
        f"key-{next(_numbers)}",
        items,
        NOW,
        priority,
    )
    batch_steps = [
        _batch_step(conn, batch_id, version_id, process_id, i, s, expert_skill, priority)
        for i, s in enumerate(steps)
    ]
    item_ids = [
        row[0]
        for row in conn.execute(
            """insert into item (batch_id, key, payload)
            select %s, n::text, jsonb_build_object('title', 'item ' || n)
            from generate_series(1, %s) n returning id""",
            [batch_id, items],
        )
    ]
    first = steps[0]
    task_ids = [
        row[0]
        for row in conn.execute(
            """insert into task (batch_step_id, item_id, wanted, slots)
            select %s, unnest(%s::bigint[]), %s, %s returning id""",
            [batch_steps[0], item_ids, first.min_answers, first.min_answers],
        )
    ]
    conn.execute("update batch_step set n_tasks = %s where id = %s", [items, batch_steps[0]])
    return Work(client_id, process_id, version_id, batch_id, batch_steps, item_ids, task_ids)


def _batch_step(
    conn: psycopg.Connection,
    batch_id: int,
    version_id: int,
    process_id: int,
    position: int,
    s: StepDefinition,
    expert_skill: str | None,
    priority: int,
) -> int:
    step_id = one(
        conn,
        """insert into step (process_version_id, position, slug, definition)
        values (%s, %s, %s, %s) returning id""",
        version_id,
        position,
        s.slug,
        Jsonb(msgspec.to_builtins(s)),
    )
    return one(
        conn,
        """insert into batch_step (batch_id, step_id, position, process_id, slug, weight, skills,
        expert_skill, licence, lease_ms, min_answers, max_answers, target)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) returning id""",
        *(batch_id, step_id, position, process_id, s.slug, 2.0**priority, list(s.skills)),
        *(expert_skill, s.licence, s.lease_s * 1000),
        *(s.min_answers, s.max_answers, s.target_confidence),
    )


def one(conn: psycopg.Connection, sql: str, *values: Any) -> Any:
    """The first value of the first row."""
    row = conn.execute(sql, values).fetchone()
    assert row is not None
    return row[0]


def claim(
    conn: psycopg.Connection,
    contributor_id: int,
    count: int = 1,
    batch: int | None = None,
    now: int = NOW,
) -> list[int]:
    """Tasks claimed, by the SQL function that every claim goes through."""
    sql = "select task_id from claim_tasks(%s, %s, %s, %s)"
    return [row[0] for row in conn.execute(sql, [contributor_id, count, now, batch])]


def submit(
    conn: psycopg.Connection,
    contributor_id: int,
    batch_step: int,
    answers: dict[int, Any],
    now: int = NOW,
) -> dict[int, str]:
    """Outcome by task."""
    values = [msgspec.json.encode(value).decode() for value in answers.values()]
    return dict(
        conn.execute(
            "select * from submit_answers(%s, %s, %s, %s::jsonb[], %s)",
            [contributor_id, list(answers), [batch_step] * len(answers), values, now],
        ).fetchall()
    )
