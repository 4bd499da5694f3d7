"""The SQL of rules."""

from typing import Any

from canut.db.pool import SyncConn
from canut.db.rows import of
from canut.pay.policy.model import Rule

# all: there are a few for each year
RULES = """
select id, name, jurisdiction, currency, value, from_ms, resolution, made_ms
from policy order by from_ms, id"""

DECIDE = """
insert into policy (name, jurisdiction, currency, value, from_ms, resolution, account_id, made_ms)
values (%(name)s, %(jurisdiction)s, %(currency)s, %(value)s, %(from)s, %(resolution)s, %(by)s,
        %(now)s)
returning id"""

PLACE = "update contributor set jurisdiction = %s where id = %s returning id"


def rules(conn: SyncConn) -> list[Rule]:
    with conn.cursor(row_factory=of(Rule)) as cursor:
        found: list[Rule] = cursor.execute(RULES).fetchall()
    return found


def decide(conn: SyncConn, values: dict[str, Any]) -> int:
    row = conn.execute(DECIDE, values).fetchone()
    assert row is not None
    return int(row[0])


def place(conn: SyncConn, contributor_id: int, jurisdiction: str | None) -> bool:
    return conn.execute(PLACE, [jurisdiction, contributor_id]).fetchone() is not None
