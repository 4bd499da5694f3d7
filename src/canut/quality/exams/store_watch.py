"""The SQL of exams as operators see them: everybody's, and leave to take one again."""

from typing import Any

from msgspec import Struct
from psycopg import Connection

from canut.db.rows import of

Sync = Connection[Any]

# for operators: newest first, from before one on
EVERYBODYS = """
select e.id, e.contributor_id, c.name, c.kind, c.simulated, p.slug as process_slug, e.step_slug,
       e.state, e.verdict, e.started_ms, e.ended_ms, e.retake_ms,
       not exists (select from exam later
                   where later.contributor_id = e.contributor_id and later.id > e.id
                     and later.process_id = e.process_id and later.step_slug = e.step_slug
       ) as latest
from exam e join contributor c on c.id = e.contributor_id join process p on p.id = e.process_id
where e.id < %s order by e.id desc limit %s"""

ALLOW = """
update exam set retake_ms = %(now)s
where id = %(id)s and state in ('failed', 'abandoned') and retake_ms > %(now)s
returning contributor_id"""


class SomeonesExam(Struct, frozen=True):
    """An exam in the operators' list."""

    id: int
    contributor_id: int
    name: str
    kind: str
    simulated: bool
    process_slug: str
    step_slug: str
    state: str
    verdict: dict[str, Any] | None
    started_ms: int
    ended_ms: int | None
    retake_ms: int | None
    #: the last of the contributor at the step
    latest: bool


def everybodys(conn: Sync, before: int, limit: int) -> list[SomeonesExam]:
    """Exams of all contributors, the newest first."""
    return conn.cursor(row_factory=of(SomeonesExam)).execute(EVERYBODYS, [before, limit]).fetchall()


def allow(conn: Sync, exam_id: int, now_ms: int) -> bool:
    """The next exam may start now; False where there was nothing to wait for."""
    return conn.execute(ALLOW, {"id": exam_id, "now": now_ms}).fetchone() is not None
