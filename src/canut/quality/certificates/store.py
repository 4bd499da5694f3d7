"""The SQL of certificates: what a statement is computed from, and what was stated."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from psycopg import Connection
from psycopg.types.json import Jsonb

from canut.db.rows import of
from canut.quality.certificates.bounds import About, Panel, Statement

Conn = Connection[Any]


class Draw(Struct, frozen=True):
    """A draw of a frame, and what came of it."""

    draw: int
    item_id: int
    weight: float
    #: right or wrong; None while there is no answer
    outcome: str | None


class Snapshot(Struct, frozen=True):
    """All that a statement takes from rows that change, as it was at one moment."""

    about: About
    #: draws made until then
    draws: int
    #: those of them without an outcome
    open_draws: list[int]
    #: items
    contested: list[int]
    overturned: list[int]
    panel: Panel


class Issued(Struct, frozen=True):
    """A certificate as it was issued, without its evidence."""

    id: int
    batch_id: int
    client_id: int
    batch_step_id: int
    frame_id: int
    #: number of the list, and of the certificate among those of the list
    list: int
    number: int
    #: proved, spent or dispute
    occasion: str
    snapshot: Snapshot
    statement: Statement
    #: SHA-256 of the file
    digest: str


DRAWS = """
select a.draw, t.item_id, a.weight, a.outcome
from audit a join task t on t.id = a.task_id
where a.frame_id = %s order by a.draw"""

# whatever a client says is wrong, until it is settled
CONTESTED = """
select distinct item_id from dispute
where batch_step_id = %s and item_id <= %s and settled_ms is null order by item_id"""
# found wrong: of those overturned, only what stood in this list
OVERTURNED = """
select distinct d.item_id from dispute d left join decision_was w on w.dispute_id = d.id
where d.batch_step_id = %(step)s and d.item_id <= %(last)s
  and (d.outcome = 'unresolved' or d.outcome = 'overturned' and w.frame_number >= %(number)s)
order by item_id"""

# who audited, and how they did on gold of the step; parts of an error are rounded up
PANEL = """
select count(*)::integer as people,
       coalesce(floor(sum(k.gold_judged)), 0)::integer as gold,
       coalesce(ceil(sum(k.gold_judged - k.gold_right)), 0)::integer as gold_wrong
from (
    select distinct w.contributor_id
    from audit a join answer w on w.task_id = a.audit_task
    where a.frame_id = %(frame)s
) who
join batch_step s on s.id = %(step)s
left join track k on k.process_id = s.process_id and k.step_slug = s.slug
    and k.contributor_id = who.contributor_id"""

ABOUT = """
select c.name as client, p.slug as process, s.slug as step, b.key as batch
from batch_step s
join batch b on b.id = s.batch_id
join client c on c.id = b.client_id
join process p on p.id = s.process_id
where s.id = %s"""

QUESTION = """
select step.definition -> 'question'
from batch_step s join step on step.id = s.step_id where s.id = %s"""

ISSUE = """
insert into certificate (frame_id, number, issued_ms, occasion, about, draws, open_draws, contested,
                         overturned, panel, statement, digest)
select %(frame)s, coalesce(max(number), 0) + 1, %(issued_ms)s, %(occasion)s, %(about)s, %(draws)s,
       %(open_draws)s, %(contested)s, %(overturned)s, %(panel)s, %(statement)s, %(digest)s
from certificate where frame_id = %(frame)s
returning id"""

ISSUED_COLUMNS = """
select x.id, s.batch_id, b.client_id, f.batch_step_id, x.frame_id, f.number as list, x.number,
       x.occasion, x.about, x.draws, x.open_draws, x.contested, x.overturned, x.panel, x.statement,
       x.digest
from certificate x
join frame f on f.id = x.frame_id
join batch_step s on s.id = f.batch_step_id
join batch b on b.id = s.batch_id"""
ISSUED = f"{ISSUED_COLUMNS} where x.id = %s"
OF_BATCH = f"{ISSUED_COLUMNS} where s.batch_id = %s order by x.id"
# newest first; of all clients where none is named
ALL = f"""{ISSUED_COLUMNS}
where (%(clients)s::bigint[] is null or b.client_id = any (%(clients)s))
order by x.id desc limit %(limit)s"""

STEPS = "select id, slug from batch_step where batch_id = %s order by position"


CLIENT_SLUGS = "select id, slug from client where id = any (%s)"
BATCH_OF_KEY = """
select b.id from batch b join client c on c.id = b.client_id where c.slug = %s and b.key = %s"""


def draws(conn: Conn, frame_id: int) -> list[Draw]:
    """In their order."""
    return conn.cursor(row_factory=of(Draw)).execute(DRAWS, [frame_id]).fetchall()


def contested(conn: Conn, batch_step_id: int, last_item: int) -> list[int]:
    """Items of a list that are under dispute."""
    return [row[0] for row in conn.execute(CONTESTED, [batch_step_id, last_item])]


def overturned(conn: Conn, batch_step_id: int, last_item: int, number: int) -> list[int]:
    """Items that were found wrong as list `number` has them."""
    values = {"step": batch_step_id, "last": last_item, "number": number}
    return [row[0] for row in conn.execute(OVERTURNED, values)]


def panel(conn: Conn, frame_id: int, batch_step_id: int) -> tuple[int, int, int]:
    """(people, gold, gold wrong) of those who audited."""
    row = conn.execute(PANEL, {"frame": frame_id, "step": batch_step_id}).fetchone()
    people, gold, wrong = row or (0, 0, 0)
    return people, gold, min(wrong, gold)


def about(conn: Conn, batch_step_id: int, issued_ms: int) -> About:
    row = conn.execute(ABOUT, [batch_step_id]).fetchone()
    assert row is not None
    client, process, step, batch = row
    return About(client, process, step, batch, issued_ms)


def question(conn: Conn, batch_step_id: int) -> dict[str, Any]:
    """What a step asks, as its definition has it."""
    row = conn.execute(QUESTION, [batch_step_id]).fetchone()
    assert row is not None
    found: dict[str, Any] = row[0]
    return found


def issue(
    conn: Conn, frame_id: int, occasion: str, at: Snapshot, said: Statement, digest: str
) -> int:
    """Keep a certificate for ever; its id."""
    values = {
        "frame": frame_id,
        "issued_ms": at.about.issued_ms,
        "occasion": occasion,
        "about": Jsonb(msgspec.to_builtins(at.about)),
        "draws": at.draws,
        "open_draws": at.open_draws,
        "contested": at.contested,
        "overturned": at.overturned,
        "panel": Jsonb(msgspec.to_builtins(at.panel)),
        "statement": Jsonb(msgspec.to_builtins(said)),
        "digest": digest,
    }
    row = conn.execute(ISSUE, values).fetchone()
    assert row is not None
    return int(row[0])


def issued(conn: Conn, certificate_id: int) -> Issued | None:
    row = conn.execute(ISSUED, [certificate_id]).fetchone()
    return None if row is None else _issued(row)


def of_batch(conn: Conn, batch_id: int) -> list[Issued]:
    """Every certificate of a batch, in the order of issue."""
    return [_issued(row) for row in conn.execute(OF_BATCH, [batch_id])]


def newest(conn: Conn, clients: Sequence[int] | None, limit: int) -> list[Issued]:
    """Certificates of these clients (None: of all), newest first."""
    values = {"clients": None if clients is None else list(clients), "limit": limit}
    return [_issued(row) for row in conn.execute(ALL, values)]


def steps(conn: Conn, batch_id: int) -> list[tuple[int, str]]:
    """(id, slug) of the steps of a batch."""
    return conn.execute(STEPS, [batch_id]).fetchall()


def client_slugs(conn: Conn, clients: Sequence[int]) -> dict[int, str]:
    """Short names of these clients."""
    return dict(conn.execute(CLIENT_SLUGS, [list(clients)]).fetchall())


def batch_of_key(conn: Conn, client: str, key: str) -> int | None:
    """The batch of this key, of the client with this short name."""
    row = conn.execute(BATCH_OF_KEY, [client, key]).fetchone()
    return None if row is None else int(row[0])


def _issued(row: tuple[Any, ...]) -> Issued:
    *_, about, draws, open_draws, contested, overturned, panel, statement, digest = row
    snapshot = Snapshot(
        about=msgspec.convert(about, About),
        draws=draws,
        open_draws=open_draws,
        contested=contested,
        overturned=overturned,
        panel=msgspec.convert(panel, Panel),
    )
    said = msgspec.convert(statement, Statement)
    id_, batch, client, step, frame, list_, number, occasion = row[:8]
    return Issued(id_, batch, client, step, frame, list_, number, occasion, snapshot, said, digest)
