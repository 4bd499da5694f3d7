"""The SQL of closed lists of decisions."""

from typing import Any

from msgspec import Struct
from psycopg import Connection

from canut.db.rows import of

Conn = Connection[Any]

#: first key of the advisory lock that keeps two engines off one step of a batch
AUDIT_LOCK = 3


class Delivered(Struct, frozen=True):
    """A step of a batch that was delivered and not framed since, with what it promises."""

    batch_step_id: int
    batch_id: int
    delivered_ms: int
    error_max: float
    delta: float
    audits_max: int
    audit_share: float
    #: lists framed before
    frames: int


class Frame(Struct, frozen=True):
    """A closed list of decisions and its design; see migration 0007."""

    id: int
    batch_step_id: int
    number: int
    closed_ms: int
    last_item: int
    n_decisions: int
    error_max: float
    delta: float
    kind: str
    seed: str
    uniform_ppm: int
    weight_max: float
    reason: str
    digest: str
    audits_max: int
    state: str


class Listed(Struct, frozen=True):
    """A decision of a frame, as it was delivered, in its place."""

    item_id: int
    task_id: int
    #: the client's name of the item
    key: str
    confidence: float


LOCK = "select pg_try_advisory_xact_lock(%s, (%s %% 2147483647)::integer)"

# batches delivered since they were framed last; the index holds these and no others
UNFRAMED = """
select id from batch
where state = 'delivered' and framed_ms is distinct from delivered_ms
order by delivered_ms limit %s"""
# held until we commit: nothing is added to it meanwhile
HOLD = """
select id from batch
where id = %s and state = 'delivered' and framed_ms is distinct from delivered_ms
for update skip locked"""

TO_FRAME = """
select s.id as batch_step_id, s.batch_id, b.delivered_ms, s.error_max, s.delta, s.audits_max,
       s.audit_share,
       (select count(*) from frame f where f.batch_step_id = s.id)::integer as frames
from batch_step s join batch b on b.id = s.batch_id
where s.batch_id = %s order by s.id"""
FRAMED = "update batch set framed_ms = delivered_ms where id = %s"

LAST_ITEM = "select max(item_id) from decision where batch_step_id = %s"

# the list of a frame, in the order of items: decisions as they stood when it was closed, that is,
# before any of them was overturned since
LIST = """
select d.item_id, d.task_id, i.key, coalesce(w.confidence, d.confidence) as confidence
from decision d
join batch_step s on s.id = d.batch_step_id
join item i on i.batch_id = s.batch_id and i.id = d.item_id
left join lateral (
    select w.confidence from decision_was w
    where w.task_id = d.task_id and w.frame_number >= %(number)s order by w.id limit 1
) w on true
where d.batch_step_id = %(step)s and d.item_id <= %(last)s
order by d.item_id"""

INSERT_FRAME = """
insert into frame (batch_step_id, number, closed_ms, last_item, n_decisions, error_max, delta, kind,
                   seed, uniform_ppm, weight_max, reason, digest, audits_max)
values (%(batch_step_id)s, %(number)s, %(closed_ms)s, %(last_item)s, %(n_decisions)s,
        %(error_max)s, %(delta)s, %(kind)s, %(seed)s, %(uniform_ppm)s, %(weight_max)s, %(reason)s,
        %(digest)s, %(audits_max)s)
on conflict (batch_step_id, number) do nothing"""
REPLACE = """
update frame set state = 'replaced' where batch_step_id = %s and number < %s and state <> 'replaced'
"""

FRAME_COLUMNS = """
select f.id, f.batch_step_id, f.number, f.closed_ms, f.last_item, f.n_decisions, f.error_max,
       f.delta, f.kind, f.seed, f.uniform_ppm, f.weight_max, f.reason, f.digest, f.audits_max,
       f.state
from frame f"""
FRAME = f"{FRAME_COLUMNS} where f.id = %s"
LATEST = f"{FRAME_COLUMNS} where f.batch_step_id = %s order by f.number desc limit 1"

# frames whose every draw has an outcome: the next round, or the end
READY = """
select f.id from frame f
where f.state = 'open' and not exists (
    select from audit a where a.frame_id = f.id and a.outcome is null)
order by f.id limit %s"""
READY_STILL = f"""{FRAME_COLUMNS}
where f.id = %s and f.state = 'open' and not exists (
    select from audit a where a.frame_id = f.id and a.outcome is null)"""
SET_STATE = "update frame set state = %s where id = %s and state <> %s"
DRAWS = "select count(*) from audit where frame_id = %s"


def lock(conn: Conn, batch_step_id: int) -> bool:
    """Be alone at the audits of this step until the transaction ends; False if somebody is."""
    row = conn.execute(LOCK, [AUDIT_LOCK, batch_step_id]).fetchone()
    return bool(row and row[0])


def unframed(conn: Conn, limit: int) -> list[int]:
    """Delivered batches to frame, the oldest first."""
    return [row[0] for row in conn.execute(UNFRAMED, [limit])]


def hold(conn: Conn, batch_id: int) -> bool:
    """Hold a batch, if it is still to be framed and nobody else is at it."""
    return conn.execute(HOLD, [batch_id]).fetchone() is not None


def to_frame(conn: Conn, batch_id: int) -> list[Delivered]:
    return conn.cursor(row_factory=of(Delivered)).execute(TO_FRAME, [batch_id]).fetchall()


def framed(conn: Conn, batch_id: int) -> None:
    conn.execute(FRAMED, [batch_id])


def last_item(conn: Conn, batch_step_id: int) -> int:
    """The last item that is decided at the step; 0 if none is."""
    row = conn.execute(LAST_ITEM, [batch_step_id]).fetchone()
    return int(row[0] or 0) if row else 0


def listed(conn: Conn, batch_step_id: int, last: int, number: int) -> list[Listed]:
    """The decisions up to an item, as they stood when list `number` was closed."""
    values = {"step": batch_step_id, "last": last, "number": number}
    return conn.cursor(row_factory=of(Listed)).execute(LIST, values).fetchall()


def insert_frame(conn: Conn, values: dict[str, Any]) -> None:
    """Keep a frame; those before it are replaced."""
    conn.execute(INSERT_FRAME, values)
    conn.execute(REPLACE, [values["batch_step_id"], values["number"]])


def frame(conn: Conn, frame_id: int) -> Frame | None:
    found: Frame | None = conn.cursor(row_factory=of(Frame)).execute(FRAME, [frame_id]).fetchone()
    return found


def latest(conn: Conn, batch_step_id: int) -> Frame | None:
    """The frame of the last delivery."""
    found: Frame | None = (
        conn.cursor(row_factory=of(Frame)).execute(LATEST, [batch_step_id]).fetchone()
    )
    return found


def ready(conn: Conn, limit: int) -> list[int]:
    """Open frames, every draw of which has an outcome."""
    return [row[0] for row in conn.execute(READY, [limit])]


def ready_still(conn: Conn, frame_id: int) -> Frame | None:
    """The frame, if it is open and every draw of it has an outcome."""
    found: Frame | None = (
        conn.cursor(row_factory=of(Frame)).execute(READY_STILL, [frame_id]).fetchone()
    )
    return found


def set_state(conn: Conn, frame_id: int, state: str) -> None:
    """Unless a later list has replaced it."""
    conn.execute(SET_STATE, [state, frame_id, "replaced"])


def draws(conn: Conn, frame_id: int) -> int:
    row = conn.execute(DRAWS, [frame_id]).fetchone()
    return int(row[0]) if row else 0
